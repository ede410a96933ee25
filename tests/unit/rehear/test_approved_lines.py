"""Approved lines and our own questions in a transcript that is never quite the text."""

import pytest
from spoken import release

from voicewarden.model.event import Word
from voicewarden.rehear.approved_lines import said_lines
from voicewarden.rehear.asked_questions import asked_questions

LINES = release().data.lines


def words(text: str, *, from_ms: int = 1_000, each_ms: int = 300) -> list[Word]:
    return [
        Word(word, 900, from_ms + each_ms * at, from_ms + each_ms * (at + 1)) for at, word in enumerate(text.split())
    ]


def lines_in(text: str) -> list[str]:
    return [said.line for said in said_lines(words(text), LINES)]


@pytest.mark.parametrize(
    "text",
    [
        "Hello, I am an automated assistant of Maple Lane Studio.",
        "hello i'm an automated assistant of maple lane studio",
        "Hello, I am the automated assistant of Maple Lain Studio",
        "Right, hello, I am an automated assistant of Maple Lane Studio, good morning",
    ],
)
def test_a_disclosure_is_recognised_through_small_mistakes(text: str) -> None:
    assert lines_in(text) == ["disclosures.ai"]


@pytest.mark.parametrize(
    "text",
    [
        "Hello, I am a personal assistant of Maple Lane Studio.",
        "Hello, I am an assistant of Maple Lane Studio.",
        "Hello, I am not an automated assistant of Maple Lane Studio.",
        "Hello, I am an automated",
        "Studio Lane Maple of assistant automated an am I hello",
        "This call is not recorded.",
        "This call may be monitored.",
        "",
    ],
)
def test_another_sentence_is_no_disclosure(text: str) -> None:
    assert lines_in(text) == []


def test_lines_are_dated_by_their_own_words() -> None:
    spoken = words("Good morning. Hello, I am an automated assistant of Maple Lane Studio. This call is recorded. Bye.")
    assert [(said.line, said.from_ms, said.to_ms) for said in said_lines(spoken, LINES)] == [
        ("disclosures.ai", 1_600, 4_600), ("disclosures.recording", 4_600, 5_800),
    ]  # fmt: skip


def test_a_line_over_two_pieces_of_speech_is_one_line_and_over_a_long_pause_none() -> None:
    first, rest = "Hello, I am an automated", "assistant of Maple Lane Studio."
    assert said_lines([*words(first), *words(rest, from_ms=4_000)], LINES)
    assert not said_lines([*words(first), *words(rest, from_ms=6_000)], LINES)


def test_numbers_are_the_same_in_figures_and_in_words() -> None:
    assert lines_in("You can press 1 to agree or 9 so that we never call again") == ["disclosures.keys"]


def test_words_without_a_length_are_no_endless_loop() -> None:
    spoken = [Word(word, None, 500, 500) for word in "This call is recorded. This call is recorded.".split()]
    assert said_lines(spoken, LINES)


def asked(text: str) -> list[tuple[str, dict[str, object]]]:
    return [(found.action, dict(found.args)) for found in asked_questions(words(text), release().data)]


def test_our_question_is_recognised_with_what_it_reads_back() -> None:
    please = "Please say yes, go ahead. Or press 1."
    assert asked(f"Shall I put you through to billing now? {please}") == [("transfer", {"desk": "billing"})]
    assert asked(f"Shall I put you through to sales now? {please}") == [("transfer", {"desk": "sales"})]


@pytest.mark.parametrize(
    "text",
    [
        "Shall I put you through to accounting now? Please say yes, go ahead. Or press one.",
        "Shall I not put you through to sales now? Please say yes, go ahead. Or press one.",
        "Shall I put you through to sales?",
        "Do you want to talk to sales?",
    ],
)
def test_another_question_is_not_ours(text: str) -> None:
    assert asked(text) == []


def test_a_time_that_the_release_knows_is_recognised_in_a_question() -> None:
    from voicewarden.kernel.arguments import render_question, spoken_arguments

    rule, args = release().policy.policy.actions["book"], {"service": "haircut", "start": "2026-12-01T15:00"}
    text = render_question(rule, spoken_arguments(release().data, rule, args))
    assert asked(text) == [("book", args)]
