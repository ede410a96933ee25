"""Counterexamples as calls: what happened in them, in English and with the time of each.

In: a path that `search` found. Out: lines of text, and the real events for whoever wants to replay them. Called by
`report`. The path is taken once more from the call's beginning through the real step, with times as in a real call: a
sentence takes as long as its words, and a timer fires when it is due; where the promise is kept with such times, with
the times of the search, in which timers may fire at any moment.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from voicewarden.model import event as events
from voicewarden.model.directive import Speak, SpendGrant
from voicewarden.proofs.model_check.abstraction import Node
from voicewarden.proofs.model_check.alphabet import Letter
from voicewarden.proofs.model_check.cast import Cast
from voicewarden.proofs.model_check.invariants import Moment
from voicewarden.proofs.model_check.scene import Scene
from voicewarden.proofs.model_check.search import ENDS, PROMISES, Path
from voicewarden.proofs.model_check.taking import beginning, take
from voicewarden.proofs.model_check.waiting import WAITING
from voicewarden.proofs.story import clock, told_moment

_MS_A_CHARACTER: Final = 50
_PAUSE_MS: Final = 500
_ALSO_TOLD: Final = {
    "CallerStartedSpeaking": "the caller's voice is heard", "HearingFaltered": "these words could not be transcribed",
    "SpeechFaltered": "the sentence could not be turned into sound", "ModelFaltered": "the model fails",
    "TokensReserved": "the model begins an answer", "GenerationEnded": "the model's answer ends",
    "CarrierJudgedAnswerer": "the carrier takes it for: {verdict}", "TimerFired": "the timer {timer} is due",
    "SoundStopped": "no sound comes from the caller's side", "SoundResumed": "the caller can be heard again",
    "CadenceMeasured": "a long unbroken run of speech was measured",
}  # fmt: skip
"""What `story` leaves out, because most calls can be told without it."""


class Call(NamedTuple):
    """A counterexample."""

    promise: str
    lines: tuple[str, ...]
    events: tuple[events.Event, ...]
    exact: bool
    """Timers fire when they are due; else one fires early or late, as it may when a machine is slow."""


def tell(cast: Cast, scene: Scene, path: Path) -> Call:
    """A path as a call."""
    timed, found = _moments(cast, scene, path, timed=True)
    exact = path.broken in found or path.broken == ENDS
    if not exact:
        timed, _ = _moments(cast, scene, path, timed=False)
    over = {_sentence(moment.event) for moment in timed}
    lines = tuple(f"{clock(at_ms)} {text}" for moment in timed for at_ms, text in _told(moment, over))
    if path.broken in WAITING and timed:
        lines += (_left(timed[-1]),)
    return Call(PROMISES[path.broken], lines, tuple(moment.event for moment in timed), exact)


def _moments(cast: Cast, scene: Scene, path: Path, *, timed: bool) -> tuple[list[Moment], tuple[str, ...]]:
    """The steps of a path up to the one that breaks its promise, and everything that was broken."""
    moments: list[Moment] = []
    broken: list[str] = []

    def look(moment: Moment, found: tuple[str, ...]) -> None:
        if path.broken not in broken:
            moments.append(moment)
            broken.extend(found)

    node = beginning(cast, scene, look)
    for name in path.letters:
        letter = scene.letter(name)
        taken = take(cast, _at_its_time(cast, node, letter) if timed else node, letter, look)
        node = node if taken is None else taken.node
    return moments, tuple(broken)


def _at_its_time(cast: Cast, node: Node, letter: Letter) -> Node:
    """The state at the moment in which the letter would really happen."""
    state = node.state
    event = next((event for make in letter.makers if (event := make(cast, state)) is not None), None)
    later = state.now_ms
    if isinstance(event, events.TimerFired):
        later = max(later, event.due_ms)
    elif isinstance(event, events.SentencePlayed) and event.whole:
        later += len(state.floor.queue[0].text) * _MS_A_CHARACTER
    elif isinstance(event, events.CallerTurnEnded):
        later += _PAUSE_MS
    return Node(msgspec.structs.replace(state, now_ms=later), node.watch)


def _left(moment: Moment) -> str:
    """What a call still waits for that was left waiting."""
    state = moment.step.state
    timers = ", ".join(f"{name} at {clock(due_ms)}" for name, due_ms in sorted(state.timers.items())) or "none"
    return f"{clock(state.now_ms)} from here on nothing is under way; the timers that run: {timers}"


def _sentence(event: events.Event) -> str:
    """The sentence that an event ends."""
    return event.sentence if isinstance(event, events.SentencePlayed | events.SpeechFaltered) else ""


def _told(moment: Moment, over: set[str]) -> Iterator[tuple[int, str]]:
    """What a moment is told as; sentences that end later are told of there."""
    at_ms, event = moment.step.state.now_ms, moment.event
    told = list(told_moment(moment.before, event, moment.step))
    if not told and (text := _ALSO_TOLD.get(type(event).__name__)):
        yield at_ms, text.format(**msgspec.structs.asdict(event))
    yield from told
    for output in moment.step.outputs:
        if isinstance(output, Speak) and output.sentence not in over:
            yield at_ms, f'the agent begins to say "{output.text}"'
        elif isinstance(output, SpendGrant):
            yield at_ms, f"the grant for {_action(moment, output.grant)} goes to its effector"


def _action(moment: Moment, grant: str) -> str:
    for state in (moment.step.state, moment.before):
        if grant in state.grants.open:
            return state.grants.open[grant].grant.action
    return "an action that is not open any more"

