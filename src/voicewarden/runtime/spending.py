"""One grant on its way to an effector: durable first, burnt once, checked again, then the effect (laws 5 and 6).

In: a minted grant and the loop that minted it. Out: a receipt. The burn may await; between `start` and the effect's
first act nothing is awaited.
"""

from typing import Protocol

from voicewarden.model.action import Arguments
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
from voicewarden.runtime.seal import Sealer, encoded


class Burner(Protocol):
    """Where spent grants are remembered (compare-and-set, durable before it returns)."""

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before; raises GrantRefused where something else forbids it for good."""
        ...


class Authority(Protocol):
    """What a grant must still agree with at the moment of its effect."""

    def objection(self, grant: Grant) -> str:
        """Why the grant must not be spent now; empty when nothing stands against it."""
        ...


class SealedGrant:
    """A grant and its seal; implements `model.ports.Spending`."""

    __slots__ = ("_authority", "_burner", "_data", "_grant", "_seal", "_sealer", "burnt", "started")

    def __init__(self, grant: Grant, seal: bytes, sealer: Sealer, burner: Burner, authority: Authority) -> None:
        self._grant = grant
        self._seal = seal
        self._sealer = sealer
        self._burner = burner
        self._authority = authority
        self._data = b""
        self.burnt = False
        """This holder spent it, and nobody else."""
        self.started = False
        """Its effect may have begun."""

    @property
    def grant(self) -> Grant:
        """What was granted."""
        return self._grant

    async def burn(self) -> None:
        """Spend the grant for good. 1 the seal, and the arguments that were decided on; 2 the call's authority; 3 the
        compare-and-set.
        """
        data = encoded(self._grant)
        if not self._sealer.holds_over(data, self._seal):  # 1
            raise GrantRefused("the grant's seal does not fit: it was altered or made elsewhere; ask for a new one")
        if digest_of(self._grant.args) != self._grant.digest:
            # Whoever shares a dictionary with the request could change it between the decision and the seal.
            raise GrantRefused("the grant's arguments are not those that were decided on; ask for a new one")
        self._check()  # 2
        if self.burnt or not await self._burner.burn(self._grant):  # 3
            raise GrantRefused("the grant was spent before; ask for a new one")
        self._data = data
        self.burnt = True

    def start(self) -> Arguments:
        """Check once more with nothing awaited after it; returns arguments of its own that nobody else can change.

        4 burnt and not started; 5 it still says what was sealed and burnt; 6 authority, after the await.
        """
        if not self.burnt or self.started:  # 4
            raise GrantRefused("a grant must be burnt first and starts one effect only")
        if encoded(self._grant) != self._data:  # 5
            raise GrantRefused("the grant was altered after it was burnt; ask for a new one")
        self._check()  # 6
        self.started = True
        return {**self._grant.args}

    def _check(self) -> None:
        objection = self._authority.objection(self._grant)
        if objection:
            raise GrantRefused(f"the grant is void: {objection}; the call must earn it again")
