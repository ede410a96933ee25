"""Answers to one closed question: which are a yes, and why all others are not."""

from pathlib import Path

import pytest
from tests.unit.reading.adversarial import QUESTIONS, items

from voicewarden.reading.consent import Reading, read
from voicewarden.reading.lexicon import Reader

BOOK = "Shall I book a haircut for Tuesday the first of December at 3 pm? Please say: yes, book it. Or press one."
TRANSFER = "Shall I put you through to sales now? Please say: yes, go ahead. Or press one."


def answer(reader: Reader, text: str, question: str = BOOK) -> Reading:
    return read(reader, question, tuple(text.split()))


@pytest.mark.parametrize(
    ("text", "deciding"),
    [
        ("Yes.", (0,)),
        (" Yes.", (0,)),
        ("Yeah", (0,)),
        ("Yep.", (0,)),
        ("Uh, yes.", (1,)),
        ("Sure.", (0,)),
        ("Yes, sir.", (0,)),
        ("Yes, book it.", (0, 1, 2)),
        ("yes go ahead", (0, 1, 2)),
        ("Please do.", (0, 1)),
        ("go ahead", (0, 1)),
        ("book it please", (0, 1)),
        ("Okay, book it.", (1, 2)),
        ("Yes please, that would be great, thank you.", (0,)),
        ("Yes. That is correct.", (0,)),
        ("That works for me.", (1,)),
        ("That's right.", (1,)),
        ("Sounds good to me.", (0, 1)),
        ("Yes, Tuesday at three.", (0,)),
        ("Yes, the first of December.", (0,)),
        ("\uff39\uff25\uff33", (0,)),
        ("Y\u200bes.", (0,)),
    ],
)
def test_explicit(reader: Reader, text: str, deciding: tuple[int, ...]) -> None:
    reading = answer(reader, text)
    assert (reading.kind, reading.deciding) == ("explicit", deciding)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("stop calling me", "revoked"),
        ("Yes, stop calling me.", "revoked"),
        ("I withdraw my consent", "revoked"),
        ("No.", "refused"),
        ("No, thank you.", "refused"),
        ("Yes. No.", "refused"),
        ("Yeah, no.", "refused"),
        ("not now", "refused"),
        ("Not today, thanks.", "refused"),
        ("Don't book it.", "refused"),
        ("please don't", "refused"),
        ("Absolutely not.", "refused"),
        ("I'd rather not", "refused"),
        ("cancel", "refused"),
        ("Stop.", "refused"),
        ("never mind", "refused"),
        ("I changed my mind", "refused"),
        ("I'm not interested", "refused"),
        ("That's wrong.", "refused"),
        ("Hell no", "refused"),
        ("yes, but not Tuesday", "conditional"),
        ("Yes but cheaper", "conditional"),
        ("if it's under fifty dollars", "conditional"),
        ("Yes, as long as it is free.", "conditional"),
        ("Sure, unless it rains", "conditional"),
        ("after six", "conditional"),
        ("okay if my wife agrees", "conditional"),
        ("it depends", "conditional"),
        ("Yes, how much is it?", "question"),
        ("What does it cost?", "question"),
        ("can you do Wednesday", "question"),
        ("what", "question"),
        ("Sorry?", "question"),
        ("maybe", "ambiguous"),
        ("I guess so.", "ambiguous"),
        ("I think so", "ambiguous"),
        ("probably yes", "ambiguous"),
        ("Sure, whatever.", "ambiguous"),
        ("yeah right", "ambiguous"),
        ("sure thing, buddy", "ambiguous"),
        ("That's okay.", "ambiguous"),
        ("Oh great.", "ambiguous"),
        ("yeah yeah", "ambiguous"),
        ("Mm-hm", "ambiguous"),
        ("uh-huh", "ambiguous"),
        ("okay", "ambiguous"),
        ("Thank you.", "ambiguous"),
        ("no problem", "ambiguous"),
        ("No, that's fine.", "ambiguous"),
        ("why not", "ambiguous"),
        ("Why not?", "ambiguous"),
        ("not bad", "ambiguous"),
        ("no doubt", "ambiguous"),
        ("I'm not sure", "ambiguous"),
        ("I don't know", "ambiguous"),
        ("Yes?", "ambiguous"),
        ("", "ambiguous"),
        ("...", "ambiguous"),
        ("yes \u0434\u0430", "ambiguous"),
        ("My wife said yes", "ambiguous"),
        ("You want me to say yes book it", "ambiguous"),
        ("I never said yes", "ambiguous"),
        ("yes, Wednesday", "other"),
        ("Yes, at five.", "other"),
        ("Wednesday", "other"),
        ("I live in a big house", "other"),
        ("put me through", "other"),
    ],
)
def test_not_explicit(reader: Reader, text: str, kind: str) -> None:
    assert answer(reader, text).kind == kind


def test_an_echo_needs_its_question(reader: Reader) -> None:
    assert answer(reader, "put me through", TRANSFER).kind == "explicit"
    assert answer(reader, "book it", TRANSFER).kind != "explicit"


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        ("", "no_question"),
        ("  ...", "no_question"),
        ("Do you mind if I book it?", "inverted_question"),
        ("Would you like Tuesday or Wednesday?", "choice_question"),
        ("Is there anything else?", "open_question"),
        ("What time would you like?", "open_question"),
    ],
)
def test_questions_that_a_yes_does_not_settle(reader: Reader, question: str, rule: str) -> None:
    reading = answer(reader, "Yes.", question)
    assert (reading.kind, reading.rule) == ("ambiguous", rule)


def test_a_comment_on_a_statement_is_no_yes(reader: Reader) -> None:
    assert answer(reader, "That's great.", "It costs ten dollars.").kind == "ambiguous"


@pytest.mark.parametrize("yes", ["yes", "sure", "book it", "that works", "of course", "okay"])
@pytest.mark.parametrize(
    "spoiler",
    [
        "but not Tuesday", "if I can", "maybe", "I guess", "no", "not", "Wednesday", "at five", "what does it cost",
        "stop calling me", "I said no", "as if", "when my son agrees", "and a taxi", "whatever", "I don't know",
        "never", "in your dreams", "for two people", "unless it rains", "call me tomorrow", "banana", "actually no",
        "wait",
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["{0} {1}", "{1} {0}", "{0}, {1}.", "{0}. {1}."])
def test_nothing_else_beside_a_yes(reader: Reader, yes: str, spoiler: str, order: str) -> None:
    assert answer(reader, order.format(yes, spoiler)).kind != "explicit"


def lines(name: str) -> list[str]:
    told = (Path(__file__).with_name("data") / name).read_text(encoding="utf-8").splitlines()
    return [line for line in told if not line.startswith("#")]


def test_nothing_that_only_sounds_like_a_yes_is_one(reader: Reader) -> None:
    told = items()
    assert len(told) >= 1_000
    assert [(question, text) for question, text in told if answer(reader, text, question).kind == "explicit"] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_yes_to_something_else_is_none(reader: Reader, question: str) -> None:
    assert [text for text in lines("near_yes.txt") if answer(reader, text, question).kind == "explicit"] == []


def test_most_ways_to_say_yes_are_understood(reader: Reader) -> None:
    plain = lines("plain_yes.txt")
    missed = [text for text in plain if answer(reader, text).kind != "explicit"]
    assert len(missed) <= 0.1 * len(plain), missed


@pytest.mark.parametrize("question", ["", "  ", "..."])
def test_without_a_question_nothing_is_a_yes(reader: Reader, question: str) -> None:
    assert [text for text in lines("plain_yes.txt") if answer(reader, text, question).kind == "explicit"] == []
