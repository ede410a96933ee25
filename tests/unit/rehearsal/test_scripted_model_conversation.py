"""The agents' scripts, turn by turn, without a server: what they say and ask for on what."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from voicewarden.rehearsal.scripted_model.choosing import choose
from voicewarden.rehearsal.scripted_model.dialogue import Dialogue
from voicewarden.rehearsal.scripted_model.history import TOOL_ACTIONS, read_history
from voicewarden.rehearsal.scripted_model.loading import load_dialogue, parse_dialogue
from voicewarden.rehearsal.scripted_model.pace import Fault
from voicewarden.rehearsal.scripted_model.phrase import fold, mentioned_last
from voicewarden.rehearsal.scripted_model.reply import Reply, pieces, tokens_of

AGENTS = Path(__file__).parents[3] / "agents"
OPENINGS = {
    "booking": "I am calling about the quote that you asked for. Is this a good moment?",
    "transfer": "How can I help you today?",
    "closing": "I am calling about the offer that you wanted to think about. Is this a good moment?",
}


@lru_cache
def _script(agent: str, name: str = "dialogue.yaml") -> Dialogue:
    return load_dialogue(AGENTS / agent / name)


class Talk:
    """A conversation with one agent's script: keeps the messages as the pipeline would."""

    def __init__(self, agent: str, *, rogue: bool = False, tools: frozenset[str] = frozenset(TOOL_ACTIONS)) -> None:
        self.dialogue = _script(agent, "rogue.yaml" if rogue else "dialogue.yaml")
        self.tools = tools
        self.messages: list[dict[str, Any]] = [{"role": "assistant", "content": OPENINGS[agent]}]

    def answer(self) -> Reply:
        reply = choose(self.dialogue, read_history(self.messages), self.tools)
        number = len(self.messages)
        if reply.text:
            self.messages.append({"role": "assistant", "content": reply.text})
        if reply.calls:
            calls = [
                {"id": f"call_{number}_{i}", "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for i, c in enumerate(reply.calls)
            ]
            self.messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        return reply

    def says(self, text: str) -> Reply:
        self.messages.append({"role": "user", "content": text})
        return self.answer()

    def result(self, status: str, **more: object) -> Reply:
        call = next(m for m in reversed(self.messages) if m.get("tool_calls"))["tool_calls"][0]
        content = json.dumps({"status": status, "reasons": [], **more})
        self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
        return self.answer()

    def outcome(self, action: str, status: str, **more: object) -> Reply:
        body = json.dumps({"action": action, "status": status, "reasons": [], **more})
        self.messages.append({"role": "developer", "content": f"[outcome] {body}"})
        return self.answer()


def _call(reply: Reply) -> tuple[str, dict[str, Any]]:
    (call,) = reply.calls
    return call.name, json.loads(call.arguments)


TUESDAY = ("book_appointment", {"service": "consultation", "start": "2026-12-01T15:00"})
LATER = ("schedule_callback", {"when": "2026-12-02T10:00"})


def test_booking_from_offer_to_goodbye() -> None:
    talk = Talk("booking")
    assert talk.says("Yes, hello?").text.endswith("Would Tuesday the first of December at three suit you?")
    assert _call(talk.says("Yes, that works.")) == TUESDAY
    waiting = talk.result("awaiting_confirmation")
    assert (waiting.text, waiting.calls) == ("", ())
    done = talk.outcome("book", "done", result={"uid": "x"})
    assert done.text.startswith("You are booked")
    assert _call(done) == ("end_call", {"reason": "booked"})


@pytest.mark.parametrize("agent", ["booking", "closing"])
def test_a_bad_moment_leads_to_a_callback(agent: str) -> None:
    talk = Talk(agent)
    assert "call you back" in talk.says("No, not really.").text
    assert _call(talk.says("Yes, please.")) == LATER


def test_a_yes_to_another_question_books_nothing() -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    talk.says("Are you a robot?")
    assert _call(talk.says("Yes, please do.")) == ("transfer_call", {"desk": "sales"})


@pytest.mark.parametrize(
    "words", ["Maybe. I am not sure.", "Let me think about it.", "Yes, well, I need to ask my wife."]
)
def test_an_undecided_caller_is_not_booked(words: str) -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    assert "rather not" in talk.says(words).text
    second = talk.says(words)
    assert "call you back" in second.text and not second.calls


@pytest.mark.parametrize("status", ["denied", "refused", "failed", "unknown", "not_permitted"])
def test_a_booking_that_did_not_happen_leads_to_a_callback(status: str) -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    talk.says("Sure.")
    talk.result("awaiting_confirmation")
    offered = talk.outcome("book", status, offer="schedule_callback")
    assert "call you back" in offered.text and "You are booked" not in offered.text
    assert _call(talk.says("Yeah, okay.")) == LATER
    assert _call(talk.result("done")) == ("end_call", {"reason": "callback_agreed"})


def test_a_taken_slot_is_looked_up() -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    talk.says("Sure.")
    assert _call(talk.result("refused", reasons=[{"rule": "calendar", "text": "slot conflict"}])) == (
        "look_up",
        {"what": "free_slots"},
    )
    assert talk.result("done", result={"say": "Wednesday at ten is free."}).text.startswith("Wednesday at ten is free.")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Stop calling me!", "opted_out"),
        ("Please take me off your list.", "opted_out"),
        ("No thanks, I am not interested.", "caller_declined"),
        ("Goodbye.", "caller_declined"),
    ],
)
def test_whoever_wants_to_end_the_call_ends_it(words: str, reason: str) -> None:
    for agent in ("booking", "closing", "transfer"):
        talk = Talk(agent)
        talk.says("Hello?")
        reply = talk.says(words)
        assert _call(reply)[0] == "end_call" and "oodbye" in reply.text
        assert talk.result("done").text == ""
    talk = Talk("booking")
    assert _call(talk.says(words)) == ("end_call", {"reason": reason})


@pytest.mark.parametrize("agent", ["booking", "closing", "transfer"])
def test_every_agent_says_what_it_is(agent: str) -> None:
    for words in ("Are you a robot?", "Is this a real person?", "Am I talking to a computer?"):
        assert "I am an AI assistant, not a person" in Talk(agent).says(words).text
    assert _call(Talk(agent).says("I want to talk to a real person."))[0] == "transfer_call"


def test_the_price_comes_from_the_facts() -> None:
    assert "The consultation is free." in Talk("booking").says("What does it cost?").text
    assert "A haircut costs 45 dollars." in Talk("booking").says("How much is a haircut?").text


def test_asking_for_another_time_is_looked_up_once() -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    assert _call(talk.says("Have you got other times?")) == ("look_up", {"what": "free_slots"})
    assert talk.result("failed").text.startswith("I can't see the calendar")
    assert not talk.says("What times are free?").calls


def test_the_service_is_taken_from_the_words() -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    assert _call(talk.says("I would like a haircut instead."))[1]["service"] == "haircut"


def test_transfer_is_refused_first_and_earned_later() -> None:
    talk = Talk("transfer")
    assert "What is it about?" in talk.says("Hi there.").text
    assert "billing" in talk.says("It is about my invoice.").text
    billing = ("transfer_call", {"desk": "billing"})
    assert _call(talk.says("Yes, please.")) == billing
    denied = talk.result("denied", reasons=[{"rule": "r1", "needed": "explicit", "found": "none"}])
    assert denied.text.endswith("Would you like to speak to billing now?")
    assert _call(talk.says("Yes, put me through.")) == billing
    assert talk.result("awaiting_confirmation").text == ""
    assert talk.outcome("transfer", "done").text == ""


def test_transfer_at_once_when_the_caller_names_the_desk() -> None:
    assert _call(Talk("transfer").says("Connect me with support please.")) == ("transfer_call", {"desk": "support"})
    assert _call(Talk("transfer").says("Not sales, I want to speak to billing.")) == (
        "transfer_call",
        {"desk": "billing"},
    )


def test_nobody_at_the_desk_leads_to_a_callback() -> None:
    talk = Talk("transfer")
    talk.says("Put me through to billing.")
    assert "call you back" in talk.result("denied", offer="schedule_callback").text
    assert _call(talk.says("Yes.")) == LATER


def test_closing_commits_and_confirms() -> None:
    talk = Talk("closing")
    assert talk.says("Hello.").text.endswith("Would you like to go ahead with the offer?")
    assert _call(talk.says("Yes, let's go ahead.")) == ("commit_offer", {"offer": "consultation"})
    talk.result("awaiting_confirmation")
    assert "text message" in talk.outcome("advance_commitment", "done").text
    assert _call(talk.says("Yes please.")) == ("send_text", {"template": "confirmation"})
    assert _call(talk.result("done")) == ("end_call", {"reason": "settled"})


def test_agents_hand_over_to_each_other() -> None:
    assert _call(Talk("booking").says("It is about my invoice.")) == ("hand_over", {"to": "transfer"})
    assert _call(Talk("transfer").says("I want an appointment.")) == ("hand_over", {"to": "booking"})
    talk = Talk("booking")
    assert _call(talk.says("Can you send me that in writing?")) == ("hand_over", {"to": "closing"})
    talk.dialogue = _script("closing")
    assert _call(talk.result("done")) == ("send_text", {"template": "confirmation"})


@pytest.mark.parametrize("agent", ["booking", "closing", "transfer"])
def test_every_call_comes_to_an_end(agent: str) -> None:
    talk = Talk(agent)
    replies = [talk.says(f"blah {turn}") for turn in range(12)]
    assert _call(replies[-1]) == ("end_call", {"reason": "no_progress"})


def test_a_tool_that_is_not_advertised_is_not_called() -> None:
    talk = Talk("booking", tools=frozenset({"end_call"}))
    talk.says("Hello?")
    assert not talk.says("Yes, that works.").calls


def test_an_offer_that_was_not_heard_to_its_end_is_made_again() -> None:
    talk = Talk("booking")
    talk.says("Hello?")
    talk.messages[-1]["content"] = "I can offer you a free..."
    assert talk.says("What was that?").rule == "booking/offer"


def test_history_joins_split_turns_and_reads_every_kind_of_report() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    unanswered = {"role": "tool", "tool_call_id": "c9", "content": '{"status":"not_run"}'}
    twice = '{"status": "done", "result": {"n": [1, "b"]}}'
    history = read_history(
        [
            {"role": "system", "content": "You are the booking agent."},
            {"role": "user", "content": [{"type": "text", "text": "Yes."}]},
            {"role": "user", "content": "That is correct."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "IN_PROGRESS"},
            {"role": "tool", "tool_call_id": "c1", "content": json.dumps(twice)},
            {"role": "user", "content": '[outcome] {"action": "book", "status": "denied", "reasons": ["Not yet!"]}'},
            unanswered,
        ]
    )  # fmt: skip
    assert history.caller_turns == ["yes that is correct"]
    assert [(r.action, r.status) for r in history.reports] == [
        ("look_up", "in_progress"), ("look_up", "done"), ("book", "denied"),
    ]  # fmt: skip
    assert history.reports[1].values == {"result.n": "1, b"}
    assert history.reports[2].reasons == "not yet"
    assert history.is_after_tool and history.is_done("look_up") and not history.is_done("book_appointment")


def test_the_value_mentioned_last_is_meant() -> None:
    desks = {"sales": ["sales"], "billing": ["billing", "/invoices?/"]}
    assert mentioned_last(desks, fold("Not billing. Sales!")) == "sales"
    assert mentioned_last(desks, fold("No sales, my invoices.")) == "billing"
    assert mentioned_last(desks, fold("Wholesales")) is None


def test_pieces_lose_nothing_and_tokens_are_rounded_up() -> None:
    for text in ("", " ", "You are booked. \nGoodbye!  ", '{"start": "2026-12-01T15:00"}'):
        assert "".join(pieces(text)) == text
    assert [tokens_of(n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]


def test_a_reply_keeps_to_the_token_limit() -> None:
    reply = Reply(rule="r", text="four" * 10)
    assert reply.limited(10) is reply
    cut = reply.limited(3)
    assert (cut.tokens, cut.finish_reason) == (3, "length")


def test_placeholders_come_from_groups_and_results() -> None:
    text = """
agent: t
about: Test.
rules:
  - {id: day, when: {heard: '/on (?P<day>\\w+)/'}, say: "On {day}?", call: {tool: look_up, args: {what: "{day}", n: 1}}}
  - {id: price, when: {after_tool: {status: done}}, say: "It is {result.price}."}
otherwise: {caller: {say: Pardon.}, tool: {say: Done.}}
"""
    talk = Talk("booking")
    talk.dialogue = parse_dialogue(text, "t.yaml")
    asked = talk.says("Do you open on Sunday?")
    assert (asked.text, _call(asked)) == ("On sunday?", ("look_up", {"what": "sunday", "n": 1}))
    assert talk.result("done", result={"price": "5"}).text == "It is 5."
    assert talk.result("done").text == "Done."


def test_the_rogue_transfers_early_and_changes_arguments_after_the_yes() -> None:
    talk = Talk("booking", rogue=True, tools=frozenset())
    assert _call(talk.says("Hello?")) == ("transfer_call", {"desk": "sales"})
    booked = talk.result("denied")
    wanted = ("book_appointment", {"service": "consultation", "start": "2026-12-02T11:00"})
    assert "already booked" in booked.text and _call(booked) == wanted
    changed = ("book_appointment", {"service": "haircut", "start": "2026-12-04T18:30"})
    assert _call(talk.result("awaiting_confirmation")) == changed
    assert _call(talk.says("Yes, book it.")) == changed


def test_the_rogue_lies_rambles_and_breaks_the_protocol() -> None:
    talk = Talk("booking", rogue=True)
    talk.says("Hello?")
    assert _call(talk.says("What?"))[0] == "charge_card"
    with pytest.raises(ValueError):
        _call(talk.says("What?"))
    assert talk.says("Are you a robot?").text.startswith("I am a real person.")
    rambling = talk.says("What?")
    assert rambling.tokens > 500 and rambling.limited(50) is rambling
    assert _call(talk.says("Stop."))[0] == "transfer_call"


@pytest.mark.parametrize("agent", ["transfer", "closing"])
def test_the_other_rogues_act_unasked(agent: str) -> None:
    reply = Talk(agent, rogue=True).says("Hello?")
    assert reply.calls and not reply.obeys_limits


def test_a_rule_can_ask_for_a_fault() -> None:
    talk = Talk("booking")
    talk.dialogue = parse_dialogue(
        """
agent: t
about: Test.
rules:
  - {id: hangs, when: {turn: {at_least: 2}}, fault: hang}
otherwise: {caller: {say: Hello.}, tool: {silent: true}}
""",
        "t.yaml",
    )
    assert talk.says("Hello?").fault is None
    assert talk.says("Hello?").fault is Fault.HANG
