"""Scenes: small alphabets that each look closely at one side of a call, and the events with which its calls begin.

In: a cast. Out: `Scene`s. Called by `report`. Several small alphabets reach deeper than a large one, since every letter
is offered in every state.
"""

from typing import Final, NamedTuple

from voicewarden.kernel.gate import digest_key
from voicewarden.kernel.state import State
from voicewarden.model import event as events
from voicewarden.model.action import AnswererVerdict, Direction
from voicewarden.model.canonical import digest_of
from voicewarden.policy.ast import Policy
from voicewarden.policy.generator import atoms
from voicewarden.proofs.model_check import alphabet as a
from voicewarden.proofs.model_check.alphabet import Letter, Maker, letter, turn_of
from voicewarden.proofs.model_check.cast import Cast, Wish

TIMERS: Final = (
    "silent_model", "answerer.open", "message_ready", "answerer.decide", "answerer.no_speech", "silence", "answer",
    "model", "goodbye", "voicemail", "screening", "transfer", "filler", "keypad",
)  # fmt: skip
"""Timers that wait for something, the shortest first; those that wait for a grant's sentence come in `timer spend`."""
WHOLE_CALL: Final = ("backstop", "warn", "longest")
"""Timers over the whole call: no call may need them to come to an end."""


class Scene(NamedTuple):
    """A small world: how its calls begin, and what can happen in them."""

    name: str
    about: str
    direction: Direction
    letters: tuple[Letter, ...]
    by_itself: int
    """Index of the first letter that needs nobody; all behind it need nobody either."""
    prelude: tuple[str, ...] = ()
    """Letters that have happened when its calls begin."""

    def letter(self, name: str) -> Letter:
        """A letter by its name."""
        return next(item for item in self.letters if item.name == name)


def opening(cast: Cast, scene: Scene) -> tuple[events.Event, ...]:
    """The events with which every call of a scene begins."""
    counts = [
        events.CountReserved(at_ms=0, limit=limit.window, used=0)
        for rule in cast.release.policy.policy.actions.values()
        for limit in rule.limits
        if limit.per != "call"
    ]
    started = events.CallStarted(
        at_ms=0, call="c", agent=cast.agent, direction=scene.direction, contact="k", stage="autonomous", epoch=1,
        release=cast.release.hash, started_unix_ms=0, facts=cast.facts,
    )  # fmt: skip
    return (started, *counts, events.CallAnswered(at_ms=0))


def scenes(cast: Cast) -> tuple[Scene, ...]:
    """The scenes of a cast."""
    return (_questions(cast), _interruptions(), _orders(), _strangers())


def _questions(cast: Cast) -> Scene:
    letters = (
        letter("yes", *turn_of(a.says("yes"))), letter("no", *turn_of(a.says("no thank you"))),
        letter("other", *turn_of(a.says("what does it cost?"))),
        letter("unsure yes", *turn_of(a.says("yes", a.HARDLY))),
        letter("early yes", *turn_of(a.says("yes", early_ms=a.EARLY_MS))),
        letter("noise", *turn_of()), letter("moment, please", *turn_of(a.says("hold on"))),
        letter("key 1", a.presses("1")), letter("key 2", a.presses("2")),
        letter("wish", a.requests(_wish)), letter("changed wish", a.requests(_changed)),
        letter("second wish", a.requests(_second)), letter("cut", a.is_cut), Letter("moment", wait_ms=a.EARLY_MS),
        Letter("long wait", wait_ms=_longest_ms(cast.release.policy.policy) + 1_000),
        letter("receipt done", a.returns(0, "done")), letter("receipt refused", a.returns(0, "refused")),
    )  # fmt: skip
    return _scene("questions", "two actions, other arguments, and every kind of answer", "inbound", letters, "other")


def _interruptions() -> Scene:
    letters = (
        letter("voice", a.voice), letter("falls silent", a.falls_silent), letter("says yes", a.says("yes")),
        letter("says other", a.says("what does it cost?")), letter("hardly heard", a.says("hmm", 100)),
        letter("words lost", a.words_lost), letter("says person", a.says("I want to talk to a real person")),
        letter("key 1", a.presses("1")), letter("cut", a.is_cut), letter("mute", a.is_mute),
        letter("wish", a.requests(_wish)), letter("harmless wish", a.requests(lambda cast: cast.harmless)),
        letter("model begins", a.begins_inference), letter("model says", a.proposes("Shall we go on?")),
        letter("model says that", a.proposes("It is free.")),
        letter("model lies", a.proposes("I am a human being.")),
        letter("model ends", a.settles_tokens, a.ends_inference),
        letter("receipt done", a.returns(0, "done")), Letter("moment", wait_ms=a.EARLY_MS),
        letter("sound stops", a.sound_stops), letter("sound comes back", a.sound_resumes),
        *(letter(f"timer {name}", a.fires(name)) for name in WHOLE_CALL),
    )  # fmt: skip
    about = "who speaks when: voices, playout, the model, and everything that fails"
    return _scene("interruptions", about, "inbound", letters)


def _orders() -> Scene:
    letters = (
        letter("yes", *turn_of(a.says("yes"))), letter("person", *turn_of(a.says("I want to talk to a real person"))),
        letter("other", *turn_of(a.says("what does it cost?"))), letter("voice", a.voice),
        letter("says stop", a.says("stop calling me")), letter("key 1", a.presses("1")),
        letter("wish", a.requests(_wish)), letter("transfer", a.requests(lambda cast: cast.transfer)),
        letter("approval", _approves), letter("tighten to assist", a.tightens("assist")),
        letter("tighten to observe", a.tightens("observe")), letter("revoke", a.revokes), letter("pause", a.pauses),
        letter("opted out on record", a.learns("opted_out", True)), letter("lease lost", _at(events.LeaseLost)),
        letter("ledger fails", _at(events.LedgerFaltered)), letter("media ends", _media_ends),
        letter("call ends", _call_ends), letter("hand over", a.requests(_hand_over)), letter("cut", a.is_cut),
        letter("receipt done", a.returns(0, "done")), letter("receipt refused", a.returns(0, "refused")),
        letter("second receipt", a.returns(1, "done")),
    )  # fmt: skip
    return _scene("orders", "people and faults that take authority away, at every moment", "inbound", letters, "other")


def _strangers() -> Scene:
    letters = (
        letter("hello", *turn_of(a.says("hello"))), letter("yes", *turn_of(a.says("yes"))),
        letter("mailbox", *turn_of(a.says("please leave a message after the tone"))),
        letter("person", *turn_of(a.says("I want to talk to a real person"))), letter("noise", *turn_of()),
        letter("voice", a.voice), letter("beep", _tone("beep")), letter("fax", _tone("fax")),
        letter("carrier says machine", _carrier("voicemail")), letter("carrier says person", _carrier("human")),
        letter("carrier says screening", _carrier("screening")), letter("long run", _long_run),
        letter("wish", a.requests(_wish)), letter("key 1", a.presses("1")), letter("key 9", a.presses("9")),
        letter("key 0", a.presses("0")),
        letter("media ends", _media_ends), letter("call ends", _call_ends), letter("cut", a.is_cut),
        letter("receipt done", a.returns(0, "done")), letter("receipt refused", a.returns(0, "refused")),
        Letter("moment", wait_ms=2 * a.EARLY_MS),
    )  # fmt: skip
    about = "a call of ours: who picked up, and what if that turns out to be wrong"
    return _scene("strangers", about, "outbound", letters)


def _scene(name: str, about: str, direction: Direction, letters: tuple[Letter, ...], *prelude: str) -> Scene:
    return Scene(name, about, direction, letters + _by_itself(), len(letters), prelude)


def _by_itself() -> tuple[Letter, ...]:
    """What needs nobody: sentences are heard, effects end, timers come due, turns end. In the order in which `search`
    lets a call end that everybody has left alone.
    """
    return (
        letter("heard", a.is_heard), letter("receipt unknown", a.returns(0, "unknown")),
        letter("turn ends", a.falls_silent, a.turn_ends), letter("timer spend", a.spending_fires),
        *(letter(f"timer {name}", a.fires(name)) for name in TIMERS),
        letter("model fails", a.model_fails),
    )  # fmt: skip


def _longest_ms(policy: Policy) -> int:
    """The longest age that a requirement still takes."""
    ages = [
        atom.within_ms or 0
        for rule in policy.actions.values()
        for item in rule.require
        for atom in atoms(item.condition)
    ]
    return max(ages, default=0)


def _wish(cast: Cast) -> Wish:
    return cast.wish


def _changed(cast: Cast) -> Wish:
    return cast.changed


def _second(cast: Cast) -> Wish:
    return cast.second


def _hand_over(cast: Cast) -> Wish:
    return Wish("hand_over", {"to": cast.other_agent})


def _approves(cast: Cast, state: State) -> events.Event | None:
    action, digest = cast.wish.action, digest_of(cast.wish.args)
    if digest_key(action, digest) in state.consent.approved and not state.identity.ending:
        return None  # approved already: nothing waits for a person
    return events.OperatorApproved(at_ms=state.now_ms, digest=digest, operator="o", action=action)


def _at(kind: type[events.LeaseLost | events.LedgerFaltered]) -> Maker:
    return lambda cast, state: kind(at_ms=state.now_ms)


def _media_ends(cast: Cast, state: State) -> events.Event | None:
    return events.MediaEnded(at_ms=state.now_ms, clean=True)


def _call_ends(cast: Cast, state: State) -> events.Event | None:
    return None if state.identity.ended else events.CallEnded(at_ms=state.now_ms, reason="completed")


def _tone(tone: str) -> Maker:
    def make(cast: Cast, state: State) -> events.Event | None:
        if tone == "beep":
            return events.ToneHeard(at_ms=state.now_ms, tone="beep", hz=1000, ms=300)
        return events.ToneHeard(at_ms=state.now_ms, tone="fax", hz=2100, ms=1000)

    return make


def _carrier(verdict: AnswererVerdict) -> Maker:
    return lambda cast, state: events.CarrierJudgedAnswerer(at_ms=state.now_ms, verdict=verdict)


def _long_run(cast: Cast, state: State) -> events.Event | None:
    return events.CadenceMeasured(
        at_ms=state.now_ms, onset_ms=0, speech_ms=9_000, longest_run_ms=9_000, bursts=1, trailing_silence_ms=0
    )
