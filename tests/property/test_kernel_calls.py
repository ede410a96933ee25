"""Calls as an edge would make them, in every order that Hypothesis finds: authority is only ever earned."""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.rig import BOOK, HAIRCUT, Rig, with_policy

from voicewarden.model.decision import Grant
from voicewarden.model.directive import SpendGrant
from voicewarden.model.event import AuthorityTightened, CallEnded, LeaseLost, MediaEnded, SoundResumed, SoundStopped
from voicewarden.policy.ast import Keys

YES = ("yes, book it", "yes, go ahead", "yes, send it", "yes", "yeah sure")
OTHER = ("no thank you", "hmm okay", "what does it cost?", "yes if it is free", "tell me more", "pardon?",
         "I want to talk to a real person", "are you a robot?", "yes but not Tuesday", "one moment please",
         "hold on")  # fmt: skip
WISHES = (
    ("book", BOOK), ("book", HAIRCUT), ("transfer", {"desk": "sales"}), ("send_message", {"template": "directions"}),
    ("schedule_callback", {"when": "tomorrow_morning"}), ("look_up", {"what": "quote"}),
    ("hand_over", {"to": "closing"}),
)  # fmt: skip
NEEDS_YES = {"book", "send_message", "advance_commitment"}


class Calls(RuleBasedStateMachine):
    """One call; `rig` plays, cuts and fires timers as the line does."""

    rig: Rig

    @initialize(direction=st.sampled_from(["inbound", "outbound"]), numbers=st.booleans())
    def start(self, direction: str, numbers: bool) -> None:
        release = with_policy({"keys": Keys(no="2", person="0", entry_pause_ms=3_000)}) if numbers else None
        self.rig = Rig(release, direction=direction)  # type: ignore[arg-type]
        self.seen = 0
        self.yes_at: dict[str, bool] = {}

    @precondition(lambda self: not self.rig.state.identity.ended)
    @rule(text=st.sampled_from(YES + OTHER), permille=st.sampled_from([950, 950, 500, 300, None]))
    def caller_speaks(self, text: str, permille: int | None) -> None:
        pending = self.rig.state.consent.pending
        before = len(self.rig.grants)
        self.rig.hear(text, permille=permille)
        for grant in self.rig.grants[before:]:
            if grant.action in NEEDS_YES:
                # A yes is bound to what was read back (law 4).
                assert pending is not None and pending.armed_ms is not None
                assert (grant.action, grant.args) == (pending.action, pending.args)
                assert text in YES and permille == 950

    @rule()
    def noise(self) -> None:
        before = len(self.rig.grants)
        self.rig.noise()
        assert len(self.rig.grants) == before

    @rule(most=st.integers(1, 4))
    def play(self, most: int) -> None:
        self.rig.play(most)

    @rule(ms=st.sampled_from([100, 2_000, 9_000, 16_000]))
    def wait(self, ms: int) -> None:
        self.rig.wait(ms)

    @rule(wish=st.sampled_from(WISHES), by_model=st.booleans())
    def ask(self, wish: tuple[str, dict[str, str]], by_model: bool) -> None:
        before = len(self.rig.grants)
        self.rig.ask(wish[0], turn=self.rig.turn if by_model else None, **wish[1])
        for grant in self.rig.grants[before:]:
            assert grant.action not in NEEDS_YES, "granted on a model's wish alone"

    @rule(muted=st.booleans())
    def sound(self, muted: bool) -> None:
        before = len(self.rig.grants)
        self.rig.happen(SoundStopped if muted else SoundResumed)
        assert len(self.rig.grants) == before

    @rule(digit=st.sampled_from("110524#*"))
    def press(self, digit: str) -> None:
        pending = self.rig.state.consent.pending
        before = len(self.rig.grants)
        self.rig.press(digit)
        new = [grant for grant in self.rig.grants[before:] if grant.action not in ("transfer", "schedule_callback")]
        if new:
            assert digit == "1" and pending is not None and pending.armed_ms is not None and not pending.voided

    @rule(text=st.sampled_from(["It is free.", "It costs 99 dollars.", "What is your number?"]))
    def model_speaks(self, text: str) -> None:
        self.rig.propose(text, ends=True)
        assert "It costs 99 dollars." not in self.rig.played

    @rule(outcome=st.sampled_from(["done", "refused", "failed", "unknown"]))
    def receipts(self, outcome: str) -> None:
        for opened in tuple(self.rig.state.grants.open.values()):
            if opened.handed:
                self.rig.receipt(opened.grant, outcome)  # type: ignore[arg-type]

    @rule()
    def tighten(self) -> None:
        self.rig.happen(AuthorityTightened, stage="assist", epoch=2, operator="o")

    @rule(kind=st.sampled_from([LeaseLost, CallEnded, MediaEnded, None, None, None]))
    def end(self, kind: type | None) -> None:
        if kind is LeaseLost:
            self.rig.happen(LeaseLost)
        elif kind is CallEnded:
            self.rig.happen(CallEnded, reason="x")
        elif kind is MediaEnded:
            self.rig.happen(MediaEnded, clean=True)

    @rule()
    def opt_out(self) -> None:
        before = self.rig.state.version
        already = self.rig.value("opted_out")
        self.rig.hear("stop calling me")
        assert self.rig.value("opted_out") is True
        assert already or self.rig.state.version > before
        assert self.rig.ask("look_up", what="quote").verdict == "deny"

    @invariant()
    def every_promise_holds(self) -> None:
        if not hasattr(self, "rig"):
            return
        rig = self.rig
        assert rig.state.identity.fault != "kernel_fault"
        assert rig.state.seq == len(rig.records)
        handed = rig.spent
        assert len(handed) == len(set(handed))
        assert set(handed) <= {grant.id for grant in rig.grants}
        booked = [grant for grant in rig.grants if grant.action == "book"]
        settled = {msgspec.json.decode(r.body).get("grant") for r in rig.records if b"ReceiptReturned" in r.body}
        assert len([grant for grant in booked if grant.id not in settled]) <= 1
        if rig.value("opted_out") is True or rig.state.identity.fault:
            self._nothing_new()
        else:
            self.seen = len(rig.outputs)

    @invariant()
    def the_line_is_never_left_dead(self) -> None:
        """Law 9: somebody speaks, something is under way, or a deadline far short of the backstop runs."""
        if not hasattr(self, "rig"):
            return
        state = self.rig.state
        over = state.identity.hung_up or state.identity.ended
        under_way = any(opened.handed for opened in state.grants.open.values())
        waits = set(state.timers) - {"backstop", "longest", "warn"}
        assert over or under_way or waits or self.rig.queue or state.turn.open

    def _nothing_new(self) -> None:
        new = self.rig.outputs[self.seen :]
        assert not [item for item in new if isinstance(item, SpendGrant)]
        assert not [item for item in new if isinstance(item, Grant)]
        self.seen = len(self.rig.outputs)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=40, stateful_step_count=25)
