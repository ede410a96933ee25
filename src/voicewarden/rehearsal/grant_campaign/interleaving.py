"""Random interleavings of burns, waiting, events and starts: no effect may begin once authority was lowered.

In: a world. Out: how many effects began late, twice, or not at all although nothing spoke against them. The states are
those of the real kernel, the holders the real ones; only the burner is one whose waiting is a step like any other.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from types import coroutine
from typing import Final

from voicewarden.kernel.state import State
from voicewarden.kernel.step import step
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
from voicewarden.model.event import (
    ActionRequested,
    AuthorityTightened,
    CallerStartedSpeaking,
    DtmfPressed,
    Event,
    FactLearned,
    OperatorApproved,
    ReceiptReturned,
)
from voicewarden.rehearsal.grant_campaign.forging import LOWERING
from voicewarden.rehearsal.grant_campaign.world import Moment, World
from voicewarden.runtime.spending import SealedGrant

HARMLESS: Final[dict[str, Event]] = {
    "a key": DtmfPressed(at_ms=0, digit="5"),
    "a voice": CallerStartedSpeaking(at_ms=0, turn=1),
    "a fact": FactLearned(at_ms=0, fact="desk_open", value=True, source="hours"),
    "a no that is none": FactLearned(at_ms=0, fact="opted_out", value=False, source="crm"),
    "an approval": OperatorApproved(at_ms=0, digest="0" * 64, operator="o"),
    "another request": ActionRequested(at_ms=0, request="x", action="unheard_of", args={}, principal="booking"),
    "a foreign receipt": ReceiptReturned(at_ms=0, grant="somebody/1", outcome="done"),
}
"""Events that leave authority as it is; a grant must survive them."""
_RAISING: Final = AuthorityTightened(at_ms=0, stage="autonomous", epoch=1, operator="o")
"""An order that would raise the stage: nothing that was void may come back by it. It counts as lowering."""
_EVENTS: Final[dict[str, Event]] = {**LOWERING, "raised": _RAISING, **HARMLESS}
_NAMES: Final = tuple(_EVENTS)


@dataclass(slots=True)
class Interleavings:
    """What came of them."""

    n: int = 0
    lowered: int = 0
    """In so many authority fell before the end."""
    effects: int = 0
    stale: int = 0
    """Effects that began after authority had fallen or the grant had expired."""
    double: int = 0
    """Effects beyond the first of a grant."""
    lost: int = 0
    """No effect, although nothing spoke against it."""

    @property
    def ok(self) -> bool:
        """Whether the law held."""
        return not (self.stale or self.double or self.lost)


class States:
    """The kernel's state after a row of events, each worked out once."""

    def __init__(self, world: World, first: State) -> None:
        self._world = world
        self._known: dict[tuple[str, ...], State] = {(): first}

    def after(self, names: tuple[str, ...]) -> State:
        """The state after these events in this order; an ended call takes no more."""
        found = self._known.get(names)
        if found is None:
            before = self.after(names[:-1])
            ended = before.identity.ended
            found = before if ended else step(self._world.release, before, _EVENTS[names[-1]]).state
            self._known[names] = found
        return found


@coroutine
def _wait() -> Generator[None, None, None]:
    yield


class HeldBurner:
    """A burner that waits so many times before it compares and sets; holders of one grant share `burnt`."""

    def __init__(self, burnt: set[str], waits: int) -> None:
        self._burnt = burnt
        self._waits = waits

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before."""
        for _ in range(self._waits):
            await _wait()
        if grant.id in self._burnt:
            return False
        self._burnt.add(grant.id)
        return True


class Holder:
    """Somebody who spends a grant, one step at a time."""

    def __init__(self, spending: SealedGrant) -> None:
        self._spending = spending
        self._burning = spending.burn()
        self._burnt = False
        self.done = False

    def go_on(self) -> bool:
        """One step; True when the effect began in it."""
        try:
            if self._burnt:
                self.done = True
                self._spending.start()
                return True
            self._burning.send(None)
        except StopIteration:
            self._burnt = True
        except GrantRefused:
            self.done = True
        return False


def interleave(world: World, n: int, chance: random.Random) -> Interleavings:
    """Try so many random interleavings."""
    found = Interleavings()
    states = States(world, world.here.state)
    for _ in range(n):
        _one(world, states, chance, found)
    return found


def _one(world: World, states: States, chance: random.Random, found: Interleavings) -> None:
    grant = chance.choice(world.pool)
    moment = Moment(world.here.call, states.after(()), world.release.policy.hash)
    burnt: set[str] = set()
    seal = world.sealer.seal(grant)
    holders = [
        Holder(SealedGrant(grant, seal, world.sealer, HeldBurner(burnt, chance.randrange(4)), moment))
        for _ in range(chance.choice((1, 1, 1, 2)))
    ]
    script = [chance.choice(_NAMES) for _ in range(chance.randrange(4))]
    if chance.random() < 0.15:
        script.insert(chance.randrange(len(script) + 1), "time")
    told: tuple[str, ...] = ()
    lowered, effects = False, 0
    while True:
        acting = [holder for holder in holders if not holder.done]
        choice = chance.randrange(len(acting) + bool(script)) if acting or script else -1
        if choice < 0:
            break
        if choice < len(acting):
            if acting[choice].go_on():
                effects += 1
                found.stale += lowered
            continue
        name = script.pop(0)
        if name == "time":
            moment.now_ms = grant.expires_at_ms
        else:
            told = (*told, name)
            moment.state = states.after(told)
        lowered = lowered or name not in HARMLESS
    found.n += 1
    found.lowered += lowered
    found.effects += effects
    found.double += max(0, effects - 1)
    found.lost += not effects and not lowered
