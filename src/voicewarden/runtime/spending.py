"""One grant on its way to an effector: durable first, burnt once, checked again, then the effect (laws 5 and 6).

In: a minted grant and the loop that minted it. Out: a receipt. The burn may await; between `start` and the effect's
first act nothing is awaited.
"""

from typing import Protocol

from voicewarden.model.action import Arguments
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
from voicewarden.runtime.seal import Sealer


class Burner(Protocol):
    """Where spent grants are remembered (compare-and-set, durable before it returns)."""

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before."""
        ...


class Authority(Protocol):
    """What a grant must still agree with at the moment of its effect."""

    def objection(self, grant: Grant) -> str:
        """Why the grant must not be spent now; empty when nothing stands against it."""
        ...


class SealedGrant:
    """A grant and its seal; implements `model.ports.Spending`."""

    def __init__(self, grant: Grant, seal: bytes, sealer: Sealer, burner: Burner, authority: Authority) -> None:
        self._grant = grant
        self._seal = seal
        self._sealer = sealer
        self._burner = burner
        self._authority = authority
        self._burnt = False
        self._started = False

    @property
    def grant(self) -> Grant:
        """What was granted."""
        return self._grant

    async def burn(self) -> None:
        """Spend the grant for good. 1 the seal; 2 the call's authority; 3 the compare-and-set."""
        if not self._sealer.holds(self._grant, self._seal):  # 1
            raise GrantRefused("the grant's seal does not fit: it was altered or made elsewhere; ask for a new one")
        self._check()  # 2
        if self._burnt or not await self._burner.burn(self._grant):  # 3
            raise GrantRefused("the grant was spent before; ask for a new one")
        self._burnt = True

    def start(self) -> Arguments:
        """Check once more with nothing awaited after it. 4 burnt and not started; 5 authority, after the await."""
        if not self._burnt or self._started:  # 4
            raise GrantRefused("a grant must be burnt first and starts one effect only")
        self._check()  # 5
        self._started = True
        return self._grant.args

    def _check(self) -> None:
        objection = self._authority.objection(self._grant)
        if objection:
            raise GrantRefused(f"the grant is void: {objection}; the call must earn it again")
