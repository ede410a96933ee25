"""Stories: a call as lines that a person understands."""

import random

import msgspec
import z3
from tests.fakes.rig import release_of, shipped

from voicewarden.model.event import ReceiptReturned
from voicewarden.policy.ast import Policy
from voicewarden.proofs.driven_call import DrivenCall, Timing
from voicewarden.proofs.likely import Hints, Likely
from voicewarden.proofs.reach import governed_by
from voicewarden.proofs.story import clock, seconds, tell
from voicewarden.proofs.terms import Terms

BOOK = {"service": "consultation", "start": "2026-12-01T15:00"}
FACTS = {"quote_open": True, "desk_open": True}


def begun(direction: str = "outbound", policy: Policy | None = None) -> DrivenCall:
    release = shipped("outbound-sales")
    call = DrivenCall(governed_by(release, policy or release.data.policy), Timing())
    call.start(direction, "booking", "bounded", FACTS)  # type: ignore[arg-type]  # a parameter of the tests
    return call


def test_a_booking_is_told_from_the_first_ring_to_the_grant() -> None:
    call = begun()
    call.answer()
    call.say("Hello?")
    call.play()
    call.request("book", BOOK, "booking")
    call.play()
    call.agree()
    lines = tell(call.moments)
    assert lines[0] == "00:00.0 the call starts (outbound, agent booking, stage bounded)"
    assert lines[1] == "00:00.0 on record: quote_open is true, desk_open is true"
    assert lines[2] == "00:00.8 it is answered"
    assert lines[3] == '00:01.6 the caller says "Hello?"'
    assert lines[4].endswith("who answered is taken for a person")
    assert any(line.endswith("booking asks for book (service consultation, start 2026-12-01T15:00)") for line in lines)
    assert any(line.endswith("book is to be confirmed first") for line in lines)
    assert any('the caller has heard "Please say: yes, book it."' in line for line in lines)
    assert 'the caller says "yes, book it"' in lines[-2]
    assert lines[-1].endswith("book is allowed")


def test_what_is_cut_is_told_once() -> None:
    call = begun("inbound")
    call.answer()
    call.noise()
    cut = [line for line in tell(call.moments) if "falls silent" in line]
    assert len(cut) == 1
    assert "automated assistant" in cut[0]
    assert cut[0].endswith("and 1 more")


def test_refusals_doubts_keys_and_ends_are_told() -> None:
    call = begun("inbound")
    call.answer()
    call.request("book", BOOK, "transfer")
    call.play()
    call.request("book", BOOK, "booking")
    call.play()
    call.agree(permille=400)
    call.play()
    call.press("9")
    told = "\n".join(tell(call.moments))
    assert "book is refused: role must be one of booking, closing, but was transfer" in told
    assert "(heard with only 400 of 1000)" in told
    assert "the caller presses 9" in told
    assert "the caller wants no more calls" in told
    call.play()
    assert tell(call.moments)[-1].endswith("the call is ended: opt out")


def test_times_and_lengths() -> None:
    assert clock(9_250) == "00:09.2"
    assert clock(125_900) == "02:05.9"
    assert seconds(95_000) == "95 s"
    assert seconds(91_300) == "91.3 s"


def test_a_receipt_and_a_long_turn_are_told() -> None:
    call = begun("inbound")
    call.answer()
    call.play()
    call.request("look_up", {"what": "quote"}, "booking")
    call.receipt("look_up", "done")
    call.say("One moment.", hold_ms=20_000)
    lines = tell(call.moments)
    assert any(line.endswith("look_up ends: done") for line in lines)
    assert any("only now the caller's turn ends, 20 s after these words" in line for line in lines)
    assert any(isinstance(moment.event, ReceiptReturned) for moment in call.moments)


def test_a_fork_goes_its_own_way() -> None:
    call = begun("inbound")
    call.answer()
    other = call.fork()
    other.play()
    assert len(other.moments) > len(call.moments)
    call.request("book", BOOK, "booking")
    assert other.state != call.state


def test_what_is_certain_of_every_call_holds_in_calls_at_random() -> None:
    """That no call can arrive somewhere rests on these terms: here calls of all kinds are held against them."""
    policy = release_of("outbound-sales").policy
    policy = msgspec.structs.replace(
        policy, answerer=msgspec.structs.replace(policy.answerer, when={**policy.answerer.when, "menu": "identify"})
    )
    terms = Terms(policy)
    solver = z3.Solver()
    solver.add(*terms.axioms, *Likely(terms, policy, policy, Hints()).certain())
    seen = set()
    for seed in range(30):
        for context in contexts_of(random.Random(seed), policy, terms):
            seen.add(context["answerer"][0])
            solver.push()
            for name, symbol in terms.facts.items():
                solver.add(symbol.known == (name in context))
                if name in context:
                    value, age_ms = context[name]
                    solver.add(symbol.value == symbol.domain.encode(value), symbol.age_ms == age_ms)
            assert solver.check() == z3.sat, context
            solver.pop()
    assert {"human", "unknown", "voicemail", "screening"} <= seen


def contexts_of(chance: random.Random, policy: Policy, terms: Terms) -> list[dict[str, tuple[object, int]]]:
    """Facts of a call of random moves, after each move in which it still went on."""
    call = begun(chance.choice(("inbound", "outbound")), policy)
    found = []
    for _ in range(14):
        chance.choice(MOVES)(call)
        state = call.state
        if not (state.identity.ending or state.identity.ended or state.identity.fault):
            found.append({
                name: (fact.value, state.now_ms - fact.at_ms)
                for name, fact in state.facts.items() if name in terms.facts
            })  # fmt: skip
    return found


MOVES = (
    DrivenCall.answer, DrivenCall.play, DrivenCall.agree, DrivenCall.noise,
    lambda call: call.play(1), lambda call: call.say("Hello?"), lambda call: call.press("1"),
    lambda call: call.request("book", BOOK, "booking"),
    lambda call: call.request("transfer", {"desk": "sales"}, "booking"),
    lambda call: call.say("Can I talk to a person?"), lambda call: call.tone("beep"), lambda call: call.wait(4_000),
    lambda call: call.say("Please leave a message after the tone."), lambda call: call.receipt("book", "done"),
    lambda call: call.say("Please state your name and why you are calling."), lambda call: call.say("No, thank you."),
    lambda call: call.say("Please listen carefully as our menu options have changed."),
    lambda call: call.linger(20_000),
    lambda call: call.say("Please do not record this."), lambda call: call.interject("What does it cost?"),
)  # fmt: skip
