"""Every kind of event in every order that Hypothesis finds, sensible and senseless, under the model check's promises.

`test_kernel_calls` drives a line as an edge does; here sentences end that nobody said, receipts come for grants that
nobody minted, and clocks jump. What must hold in any of that are the promises about authority; those about waiting need
an edge that keeps its own deadlines, and are checked there and by the model check.
"""

from pathlib import Path
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.fakes.rig import BOOK, FACTS, HAIRCUT, shipped

from voicewarden.kernel.records import records_of
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.model import event as events
from voicewarden.model.canonical import digest_of
from voicewarden.model.record import GENESIS, Record
from voicewarden.proofs.model_check.invariants import INVARIANTS, Moment, judge
from voicewarden.proofs.model_check.waiting import WAITING
from voicewarden.proofs.model_check.watch import MEANINGS, Watch

WISHES = (
    ("book", BOOK), ("book", HAIRCUT), ("book", {}), ("transfer", {"desk": "sales"}), ("look_up", {"what": "quote"}),
    ("send_message", {"template": "directions"}), ("schedule_callback", {"when": "tomorrow_morning"}),
    ("advance_commitment", {"offer": "haircut"}), ("hand_over", {"to": "closing"}), ("hand_over", {"to": "nobody"}),
    ("leave_voicemail", {}), ("place_call", {}), ("end_call", {}), ("unheard_of", {"x": 1}), ("speak", {"text": "x"}),
)  # fmt: skip
TIMERS = (
    "silence", "backstop", "answer", "model", "silent_model", "longest", "warn", "goodbye", "transfer", "voicemail",
    "message_ready", "answerer.no_speech", "answerer.decide", "filler", "keypad", "spend:c1/9", "unheard_of",
)  # fmt: skip
VERDICTS = ("human", "voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech", "unknown")
OFF = st.sampled_from([0, 0, 0, 0, 1, -1])
"""How far a number is beside the one that fits."""
WHICH = st.integers(0, 3)


class AnyCall(RuleBasedStateMachine):
    """One call, judged at every event."""

    state: State = EMPTY

    @initialize(
        direction=st.sampled_from(["inbound", "inbound", "outbound"]), stage=st.sampled_from(["assist", "bounded"]),
        known=st.booleans(), answered=st.booleans(),
    )  # fmt: skip
    def start(self, direction: str, stage: str, known: bool, answered: bool) -> None:
        self.state, self.watch = EMPTY, Watch()
        self.now_ms = 0
        self.records: list[Record] = []
        self.events: list[events.Event] = []
        if known:
            self.happen(
                events.CallStarted, call="c1", agent="booking", direction=direction, contact="k", stage=stage, epoch=1,
                release=shipped().hash, started_unix_ms=0, facts=FACTS,
            )  # fmt: skip
        if answered:
            self.happen(events.CallAnswered)
            while known and self.state.floor.queue:
                self.happen(events.SentencePlayed, sentence=self.state.floor.queue[0].id, played_ms=1, whole=True)

    # Any: the fields of whichever event it is.
    def happen(self, kind: type[Any], **fields: Any) -> None:
        """One event, now: judged, and recorded."""
        event = kind(at_ms=self.now_ms, **fields)
        taken = step(shipped(), self.state, event)
        judgement = judge(Moment(shipped(), self.watch, self.state, event, taken))
        broken = set(judgement.broken) - WAITING
        assert not broken, [INVARIANTS[name] for name in broken]
        last = self.records[-1].hash if self.records else GENESIS
        at_ms = max(event.at_ms, self.state.now_ms)
        self.records += records_of("call:c1", self.state.seq, last, event, taken.outputs, at_ms)
        self.events.append(event)
        self.state, self.watch = taken.state, judgement.watch

    @rule(ms=st.sampled_from([1, 150, 1_000, 1_000, 9_000, 100_000, -2_000]))
    def clock_moves(self, ms: int) -> None:
        self.now_ms += ms

    @rule(off=OFF)
    def voice(self, off: int) -> None:
        turn = self.state.turn
        self.happen(events.CallerStartedSpeaking, turn=turn.number + off + (not turn.open))

    @rule(
        text=st.sampled_from([*MEANINGS, "yes", "yes", ""]), permille=st.sampled_from([950, 950, 500, 300, None]),
        began=st.sampled_from([0, 0, 100, 3_000, -500]), off=OFF, suspect=st.sampled_from([(), (), ("repetition",)]),
    )  # fmt: skip
    def words(self, text: str, permille: int | None, began: int, off: int, suspect: tuple[str, ...]) -> None:
        at_ms = self.now_ms - began
        said = tuple(events.Word(word, permille, at_ms, at_ms + 200) for word in text.split())
        turn = self.state.turn.number + off
        self.happen(events.CallerSpoke, turn=turn, text=text, words=said, speech_ms=300, suspect=suspect)

    @rule(off=OFF, kind=st.sampled_from([events.CallerStoppedSpeaking, events.CallerTurnEnded, events.CallerTurnEnded]))
    def falls_silent(self, off: int, kind: type[Any]) -> None:
        more = {"speech_ms": 300} if kind is events.CallerStoppedSpeaking else {}
        self.happen(kind, turn=self.state.turn.number + off, **more)

    @rule(text=st.sampled_from(["yes", "yes", "no thank you", "what does it cost?", "hold on", "stop calling me"]))
    def whole_turn(self, text: str) -> None:
        self.voice(0)
        self.words(text, 950, 0, 0, ())
        self.falls_silent(0, events.CallerTurnEnded)

    @rule(off=OFF)
    def words_are_lost(self, off: int) -> None:
        self.happen(events.HearingFaltered, turn=self.state.turn.number + off)

    @rule(stopped=st.booleans())
    def line_is_muted(self, stopped: bool) -> None:
        self.happen(events.SoundStopped if stopped else events.SoundResumed)

    @rule(digit=st.sampled_from("1119#025*"))
    def key(self, digit: str) -> None:
        self.happen(events.DtmfPressed, digit=digit)

    @rule(which=WHICH, kind=st.sampled_from(["started", "whole", "whole", "whole", "cut", "mute"]), known=st.booleans())
    def sentence(self, which: int, kind: str, known: bool) -> None:
        queue = self.state.floor.queue
        name = queue[min(which, len(queue) - 1) if known else 0].id if queue else f"k{which}"
        match kind:
            case "started":
                self.happen(events.SentenceStarted, sentence=name)
            case "mute":
                self.happen(events.SpeechFaltered, sentence=name)
            case _:
                self.happen(events.SentencePlayed, sentence=name, played_ms=1, whole=kind == "whole")

    @rule(most=st.integers(1, 4))
    def plays(self, most: int) -> None:
        for _ in range(most):
            if self.state.floor.queue:
                self.sentence(0, "whole", known=False)

    @rule(wish=st.sampled_from(WISHES), by=st.sampled_from(["", "", "closing", "nobody"]), turn=st.none() | OFF)
    def wish(self, wish: tuple[str, dict[str, Any]], by: str, turn: int | None) -> None:
        self.happen(
            events.ActionRequested, request=f"r{len(self.events)}", action=wish[0], args=wish[1],
            principal=by or self.state.identity.agent, turn=None if turn is None else self.state.turn.number + turn,
        )  # fmt: skip

    @rule(text=st.sampled_from(["Shall we?", "It costs 99 dollars.", "I am a human being."]), off=OFF, late=OFF)
    def model_speaks(self, text: str, off: int, late: int) -> None:
        generation = self.state.floor.generation + late
        self.happen(
            events.SentenceProposed, sentence=f"m{len(self.events)}", generation=generation,
            turn=self.state.turn.number + off, text=text,
        )  # fmt: skip

    @rule(off=OFF, tokens=st.integers(0, 300), kind=st.sampled_from([events.TokensReserved, events.TokensSpent]))
    def tokens(self, off: int, tokens: int, kind: type[Any]) -> None:
        new = kind is events.TokensReserved
        self.happen(kind, inference=self.state.floor.generation + off + new, tokens=tokens)

    @rule(off=OFF, what=st.sampled_from([None, "timeout", "stalled", "error", "invalid_arguments", "overlong"]))
    def inference_ends(self, off: int, what: str | None) -> None:
        generation = self.state.floor.generation + off
        if what is None:
            self.happen(events.GenerationEnded, generation=generation)
        else:
            self.happen(events.ModelFaltered, generation=generation, what=what)

    @rule(which=WHICH, outcome=st.sampled_from(["done", "refused", "failed", "unknown"]), known=st.booleans())
    def receipt(self, which: int, outcome: str, known: bool) -> None:
        minted = [*self.state.grants.open]
        grant = minted[which % len(minted)] if minted and known else f"c1/{which}"
        self.happen(events.ReceiptReturned, grant=grant, outcome=outcome, detail={"note": "15:00"})

    @rule(which=WHICH, known=st.booleans(), name=st.sampled_from(TIMERS), off=OFF)
    def timer(self, which: int, known: bool, name: str, off: int) -> None:
        running = sorted(self.state.timers, key=lambda timer: self.state.timers[timer])
        if known and running:
            name = running[which % len(running)]
        self.happen(events.TimerFired, timer=name, due_ms=self.state.timers.get(name, 0) + off)

    @rule(wish=st.sampled_from(WISHES[:6]), named=st.booleans())
    def approval(self, wish: tuple[str, dict[str, Any]], named: bool) -> None:
        action = wish[0] if named else ""
        self.happen(events.OperatorApproved, digest=digest_of(wish[1]), operator="o", action=action)

    @rule(
        fact=st.sampled_from([*FACTS, "opted_out", "paused", "revoked", "answerer", "consent.book", "done.book", "x"]),
        value=st.sampled_from([True, False, "written", 3]),
    )  # fmt: skip
    def record_says(self, fact: str, value: Any) -> None:
        self.happen(events.FactLearned, fact=fact, value=value, source="s")

    @rule(used=st.integers(-1, 3), epoch=st.integers(0, 4))
    def others_count(self, used: int, epoch: int) -> None:
        self.happen(events.CountReserved, limit="book.limits.1", used=used)
        self.happen(events.PolicyActivated, release="0", epoch=epoch)
        self.happen(events.RecordingStored, blob="b", from_ms=0, ms=1)

    @rule(
        tone=st.sampled_from(["beep", "busy", "sit", "fax", "ringback", "other"]), verdict=st.sampled_from(VERDICTS),
        run_ms=st.integers(0, 9_000),
    )  # fmt: skip
    def line_is_measured(self, tone: str, verdict: str, run_ms: int) -> None:
        self.happen(events.ToneHeard, tone=tone, hz=1, ms=1)
        self.happen(events.CarrierJudgedAnswerer, verdict=verdict)
        self.happen(
            events.CadenceMeasured, onset_ms=0, speech_ms=run_ms, longest_run_ms=run_ms, bursts=1,
            trailing_silence_ms=0,
        )  # fmt: skip

    @rule(stage=st.sampled_from(["observe", "assist", "assist", "bounded", "autonomous"]), epoch=st.integers(0, 4))
    def person_tightens(self, stage: str, epoch: int) -> None:
        self.happen(events.AuthorityTightened, stage=stage, epoch=epoch, operator="o")

    @rule(what=st.integers(0, 60))
    def something_ends(self, what: int) -> None:
        """Rarely, or no call would get anywhere."""
        match what:
            case 0:
                self.happen(events.CallsPaused, epoch=2, operator="o")
            case 1:
                self.happen(events.AuthorityRevoked, epoch=2, operator="o")
            case 2:
                self.happen(events.LeaseLost)
            case 3:
                self.happen(events.LedgerFaltered)
            case 4 | 5:
                self.happen(events.MediaEnded, clean=what == 4)
            case 6 | 7:
                self.happen(events.CallEnded, reason="x")
            case 8:
                self.happen(events.CallAnswered)
            case _:
                pass

    @invariant()
    def records_count_without_a_gap(self) -> None:
        if self.state is not EMPTY:
            assert self.state.seq == len(self.records) == self.records[-1].seq + 1

    def teardown(self) -> None:
        """Law 8: the same events again give the same bytes."""
        state, last, again = EMPTY, GENESIS, []
        for event in getattr(self, "events", ()):
            taken = step(shipped(), state, event)
            made = records_of("call:c1", state.seq, last, event, taken.outputs, max(event.at_ms, state.now_ms))
            state, last, again = taken.state, made[-1].hash, [*again, *made]
        assert again == getattr(self, "records", [])
        assert state == self.state


TestAnyCall = AnyCall.TestCase
TestAnyCall.settings = settings(max_examples=60, stateful_step_count=40)


def test_every_kind_of_event_happens_in_these_calls() -> None:
    used = Path(__file__).read_text(encoding="utf-8")
    assert [kind.__name__ for kind in get_args(events.Event) if f"events.{kind.__name__}" not in used] == []
