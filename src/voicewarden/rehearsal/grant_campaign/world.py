"""Calls that mint grants as fast as they are asked to: the real kernel under a policy that has nothing against it.

In: a release. Out: open grants of several actions, sealed, and what stands for the call's authority at some moment.
"""

import random
from dataclasses import dataclass
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled, Release
from voicewarden.kernel.standing import objection
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.model.action import Arguments
from voicewarden.model.decision import Grant
from voicewarden.model.event import ActionRequested, CallAnswered, CallStarted, Event
from voicewarden.runtime.burning import MemoryBurner
from voicewarden.runtime.seal import SEAL_BYTES, Sealer
from voicewarden.runtime.spending import SealedGrant

_AGENT: Final = "booking"
_POOL: Final = 48


def open_to_all(data: Release) -> Compiled:
    """The release with every rule of the campaign's actions taken away: what is tried here is grants, not rules."""
    actions = dict(data.policy.actions)
    for name in sample_arguments(data):
        actions[name] = msgspec.structs.replace(
            actions[name], require=(), limits=(), cooldown_ms=0, requested_by=(), stages={"bounded": "allow"}
        )
    return Compiled(msgspec.structs.replace(data, policy=msgspec.structs.replace(data.policy, actions=actions)))


def sample_arguments(data: Release) -> dict[str, Arguments]:
    """Arguments that the catalogue knows, for each action that the campaign asks for."""

    def first(listing: str) -> str:
        return min(data.catalogue[listing])

    return {
        "look_up": {"what": first("lookups")},
        "book": {"service": first("services"), "start": "2026-12-01T15:00"},
        "send_message": {"template": first("templates")},
        "schedule_callback": {"when": first("callback_slots")},
    }


@dataclass(slots=True)
class Moment:
    """A call's authority as it stands; implements `spending.Authority`."""

    call: str
    state: State
    policy: str
    now_ms: int = 0

    def objection(self, grant: Grant) -> str:
        """What stands against a grant."""
        return objection(grant, call=self.call, state=self.state, policy=self.policy, now_ms=self.now_ms)


class GrantedCall:
    """One call, driven through the kernel."""

    def __init__(self, release: Compiled, call: str) -> None:
        self.release = release
        self.call = call
        self.state: State = EMPTY
        self._asked = 0
        self._args = sample_arguments(release.data)
        self.happen(
            CallStarted(
                at_ms=0, call=call, agent=_AGENT, direction="inbound", contact="k", stage="bounded", epoch=1,
                release=release.hash, started_unix_ms=0,
            )
        )  # fmt: skip
        self.happen(CallAnswered(at_ms=0))

    def happen(self, event: Event) -> tuple[Grant, ...]:
        """Step an event; returns what it minted."""
        taken = step(self.release, self.state, event)
        self.state = taken.state
        return taken.grants

    def mint(self, action: str) -> Grant:
        """A fresh grant that the call holds open."""
        self._asked += 1
        (grant,) = self.happen(
            ActionRequested(
                at_ms=self.state.now_ms, request=f"r{self._asked}", action=action, args=self._args[action],
                principal=_AGENT,
            )
        )  # fmt: skip
        return grant

    def moment(self, *, now_ms: int = 0) -> Moment:
        """The call's authority now."""
        return Moment(self.call, self.state, self.release.policy.hash, now_ms)


class World:
    """Two calls of one process, each with open grants of every action, and a chance to pick among them."""

    def __init__(self, release: Compiled, chance: random.Random) -> None:
        self.release = release
        self.chance = chance
        self.actions = tuple(sample_arguments(release.data))
        self.sealer = Sealer(chance.randbytes(SEAL_BYTES))
        self.burner = MemoryBurner()
        self.here = GrantedCall(release, "c0000000000001aaaaaa")
        self.there = GrantedCall(release, "c0000000000001bbbbbb")
        self.pool = self.fill(self.here)
        self.foreign = self.fill(self.there)
        self.lowered: dict[str, Moment] = {}
        """The first call's authority after one lowering event, by the event's name."""

    def fill(self, call: GrantedCall) -> list[Grant]:
        """Open grants of all actions in one call."""
        return [call.mint(self.actions[index % len(self.actions)]) for index in range(_POOL)]

    def grant(self, action: str = "") -> Grant:
        """One of the open grants that nobody has spent."""
        return self.chance.choice([item for item in self.pool if not action or item.action == action])

    def hold(
        self, grant: Grant, seal: bytes | None = None, *, moment: Moment | None = None,
        burner: MemoryBurner | None = None,
    ) -> SealedGrant:  # fmt: skip
        """The grant in somebody's hands, with its own seal unless another is given."""
        found = self.sealer.seal(grant) if seal is None else seal
        return SealedGrant(grant, found, self.sealer, burner or self.burner, moment or self.here.moment())


def try_out(spending: SealedGrant) -> str:
    """Burn and start at once; why it was refused, empty when an effect would have begun."""
    burning = spending.burn()
    try:
        burning.send(None)
    except StopIteration:
        pass
    # Broad: whatever is raised, no effect begins; the text tells the kinds apart.
    except Exception as error:
        return why(error)
    else:
        raise RuntimeError("this burner must not wait")
    try:
        spending.start()
    except Exception as error:
        return why(error)
    return ""


def why(error: Exception) -> str:
    """The first clause of a refusal."""
    return str(error).split(";")[0] or type(error).__name__
