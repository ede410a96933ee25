"""Any events in any order: the step never raises, counts its records, and grants nothing that it should not."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.rig import BOOK, FACTS, HAIRCUT, shipped

from voicewarden.kernel.records import records_of
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.model import event as events
from voicewarden.model.canonical import check_profile, digest_of
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import AnswerInference, ConsultModel, HangUp, Speak, SpendGrant
from voicewarden.model.record import GENESIS

TEXTS = (
    "hello", "yes", "yes, book it", "no", "but not Tuesday", "stop calling me", "I want to talk to a real person",
    "please leave a message after the tone", "are you a robot?", "don't record this", "pardon?", "",
    "It costs 99 dollars.", "I am a human being.", "Please tell me your credit card number.", "press one for sales",
)  # fmt: skip
IDS = (*(f"k{n}" for n in range(8, 60, 3)), "m1.1", "m2.1", "v1")
TIMERS = (
    "silence", "backstop", "answer", "model", "silent_model", "longest", "warn", "goodbye", "transfer", "voicemail",
    "message_ready", "answerer.no_speech", "answerer.decide", "spend:c1/20",
)  # fmt: skip
ARGS = (BOOK, HAIRCUT, {"desk": "sales"}, {"what": "quote"}, {"when": "tomorrow_morning"}, {"to": "closing"}, {},
        {"template": "directions"}, {"offer": "haircut"}, {"x": 1})  # fmt: skip
ACTIONS = (*sorted(shipped().data.policy.actions), "unheard_of")
TURNS = st.integers(0, 3)
MS = st.integers(-5, 700_000)


def _words(text: str, permille: int | None, from_ms: int) -> tuple[events.Word, ...]:
    return tuple(events.Word(word, permille, from_ms, from_ms + 200) for word in text.split())


@st.composite
def _spoken(draw: st.DrawFn) -> events.Event:
    text, permille = draw(st.sampled_from(TEXTS)), draw(st.none() | st.integers(0, 1000))
    return events.CallerSpoke(
        at_ms=draw(MS), turn=draw(TURNS), text=text, words=_words(text, permille, draw(MS)), speech_ms=300,
        suspect=draw(st.sampled_from([(), ("repetition",)])),
    )  # fmt: skip


def _started(**fields: Any) -> events.Event:
    return events.CallStarted(
        call="c1", agent="booking", contact="k", epoch=1, release=shipped().hash, started_unix_ms=0, **fields
    )


def _made(kind: Any, **fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, at_ms=MS, **fields)


VERDICTS = st.sampled_from(("human", "voicemail", "menu", "screening", "unavailable", "fax", "busy", "unknown"))
EVENTS: st.SearchStrategy[events.Event] = st.one_of(
    _spoken(), _spoken(),
    _made(events.CallAnswered), _made(events.CallerStartedSpeaking, turn=TURNS),
    _made(events.CallerStoppedSpeaking, turn=TURNS, speech_ms=st.integers(0, 9_000)),
    _made(events.CallerTurnEnded, turn=TURNS), _made(events.CallerTurnEnded, turn=TURNS),
    _made(events.ToneHeard, tone=st.sampled_from(["beep", "busy", "sit", "fax", "other"]), hz=st.just(1),
          ms=st.just(1)),
    _made(events.CadenceMeasured, onset_ms=st.just(0), speech_ms=st.just(9), longest_run_ms=st.integers(0, 9_000),
          bursts=st.just(1), trailing_silence_ms=st.just(0)),
    _made(events.CarrierJudgedAnswerer, verdict=VERDICTS), _made(events.DtmfPressed, digit=st.sampled_from("0129#")),
    _made(events.SentenceProposed, sentence=st.sampled_from(IDS), generation=st.integers(0, 4), turn=TURNS,
          text=st.sampled_from(TEXTS)),
    _made(events.SentenceStarted, sentence=st.sampled_from(IDS)),
    _made(events.SentencePlayed, sentence=st.sampled_from(IDS), played_ms=st.integers(0, 5_000), whole=st.booleans()),
    _made(events.GenerationEnded, generation=st.integers(0, 4)),
    _made(events.ActionRequested, request=st.sampled_from(["r1", "kernel:3"]), action=st.sampled_from(ACTIONS),
          args=st.sampled_from(ARGS), principal=st.sampled_from(["booking", "closing", "x"]),
          turn=st.none() | TURNS),
    _made(events.FactLearned, fact=st.sampled_from([*FACTS, "opted_out", "answerer", "consent.book", "x"]),
          value=st.sampled_from([True, False, "written", 3]), source=st.just("s")),
    _made(events.TokensReserved, inference=st.integers(0, 4), tokens=st.integers(0, 500)),
    _made(events.TokensSpent, inference=st.integers(0, 4), tokens=st.integers(0, 500)),
    _made(events.ReceiptReturned, grant=st.sampled_from([f"c1/{n}" for n in range(8, 40)]),
          outcome=st.sampled_from(["done", "refused", "failed", "unknown"])),
    _made(events.ModelFaltered, generation=st.integers(0, 4), what=st.sampled_from(["timeout", "overlong", "stalled"])),
    _made(events.SpeechFaltered, sentence=st.sampled_from(IDS)), _made(events.HearingFaltered, turn=TURNS),
    _made(events.OperatorApproved, digest=st.sampled_from([digest_of(args) for args in ARGS]), operator=st.just("o")),
    _made(events.PolicyActivated, release=st.just("0"), epoch=st.integers(0, 4)),
    _made(events.AuthorityTightened, stage=st.sampled_from(["observe", "assist", "autonomous"]),
          epoch=st.integers(0, 4), operator=st.just("o")),
    _made(events.AuthorityRevoked, epoch=st.integers(0, 4), operator=st.just("o")),
    _made(events.CallsPaused, epoch=st.integers(0, 4), operator=st.just("o")),
    _made(events.LeaseLost), _made(events.LedgerFaltered), _made(events.MediaEnded, clean=st.booleans()),
    _made(events.RecordingStored, blob=st.just("b"), from_ms=st.just(0), ms=st.just(1)),
    _made(events.CallEnded, reason=st.just("x")),
    _made(events.TimerFired, timer=st.sampled_from(TIMERS), due_ms=MS),
)  # fmt: skip
# Events that mean something only together are offered together, else hardly any call would get anywhere.
OPENINGS = st.sampled_from(["inbound", "outbound", "none"])


class Watched:
    """A call whose promises are checked after every step."""

    def __init__(self) -> None:
        self.state: State = EMPTY
        self.records = 0
        self.minted: dict[str, Grant] = {}
        self.handed: set[str] = set()
        self.hung_up = 0
        self.ended = False
        self.last = GENESIS

    def feed(self, event: events.Event) -> None:
        version, ended = self.state.version, self.ended
        lowered = self._only_goodbye_left()
        taken = step(shipped(), self.state, event)
        assert taken == step(shipped(), self.state, event)
        at_ms = max(event.at_ms, self.state.now_ms)
        made = records_of("call:c1", self.state.seq, self.last, event, taken.outputs, at_ms)
        self.last, self.records = made[-1].hash, self.records + len(made)
        self.state = taken.state
        assert self.state.identity.fault != "kernel_fault", "a handler raised"
        assert self.state.seq == self.records
        assert self.state.version >= version
        for record in made:
            check_profile(msgspec.json.decode(record.body))
        for output in taken.outputs:
            self._look_at(output, ended, lowered=lowered)
        self.ended = self.ended or isinstance(event, events.CallEnded)

    def _only_goodbye_left(self) -> bool:
        return bool(self.state.identity.fault or self.state.identity.ending)

    def _look_at(self, output: object, ended: bool, *, lowered: bool) -> None:
        match output:
            case Grant():
                assert not ended or output.escape, "granted after the end"
                assert output.id not in self.minted
                assert output.id == f"c1/{output.seq}"
                self.minted[output.id] = output
            case SpendGrant(grant=grant):
                assert not ended, "spent after the end"
                assert grant in self.minted and grant not in self.handed, "unknown, or handed twice"
                assert self.minted[grant].version == self.state.version, "of a version that is over"
                self.handed.add(grant)
            case Decision():
                if output.action == "end_call":
                    assert output.verdict == "allow"
                if output.verdict != "allow":
                    assert output.reasons, "a refusal without a reason"
            case HangUp():
                self.hung_up += 1
                assert self.hung_up == 1
            case Speak():
                assert not self.hung_up, "said after the hang-up"
                assert not lowered or output.purpose in ("goodbye", "safe"), "said where only a goodbye is left"
            case ConsultModel():
                assert not self.hung_up and not lowered, "the model was asked where only a goodbye is left"
            case AnswerInference(tokens=tokens):
                assert not tokens or not (self.hung_up or lowered), "tokens where only a goodbye is left"


@given(OPENINGS, st.sampled_from(["observe", "assist", "bounded"]), st.lists(EVENTS, max_size=40))
@settings(max_examples=150)
def test_any_events_in_any_order_keep_every_promise(opening: str, stage: str, sequence: list[events.Event]) -> None:
    """Laws 1, 2 and 6: never raises, nothing after the end, no grant spent twice or under an older version."""
    watched = Watched()
    if opening != "none":
        watched.feed(_started(at_ms=0, direction=opening, stage=stage, facts=FACTS))
        watched.feed(events.CallAnswered(at_ms=10))
    for event in sequence:
        watched.feed(event)
