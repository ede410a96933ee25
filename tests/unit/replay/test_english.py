"""Reasons and decisions in plain English: no fact name, no jargon, and nothing said that was not found."""

import pytest

from voicewarden.model.action import Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.replay.english import decision_in_words, fact_in_words, reason_in_words, told


def reason(rule: str, fact: str, needed: str, found: str, verdict: Verdict = "deny") -> Reason:
    return Reason(rule, fact, needed, found, verdict)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (reason("b.1", "consent.book", "is explicit", "unknown", "confirm"),
         "The caller had not been asked about “book”, or had not answered yet."),
        (reason("b.1", "consent.book", "is explicit", "ambiguous, 540 ms ago", "confirm"),
         "The caller's answer about “book” was not a clear yes."),
        (reason("b.1", "consent.book", "is explicit, no older than 90 s", "explicit, 3 s ago", "allow"),
         "The caller said a clear yes to “book”."),
        (reason("b.1", "consent.book", "is explicit, no older than 90 s", "explicit, 95 s ago", "confirm"),
         "The caller said a clear yes to “book”. That was too long ago."),
        (reason("b.2", "answerer", "is human", "voicemail, 3 s ago"), "A mailbox answered."),
        (reason("b.2", "answerer", "is human", "unknown"), "It was not known who answered."),
        (reason("b.3", "opted_out", "is false", "true, 3 s ago"), "This person has asked not to be called."),
        (reason("b.4", "disclosed.ai", "is true", "unknown"), "The notice “ai” had not been heard."),
        (reason("b.5", "quote_open", "is true", "false, 3 s ago"), "“quote open”: no."),
        (reason("b.5", "desk_open", "is true", "unknown"), "“desk open”: not known."),
        (reason("b.l", "granted in this call", "at most 1", "1"), "Once permitted before in this call; at most 1."),
        (reason("p.4", "contact.attempts_86400", "is at most 2", "0, 1 ms ago", "allow"),
         "Never called before in the last 24 hours."),
        (reason("speech.facts", "claim", "an approved fact", "price:19"),
         "Nobody approved the price “19”, the caller did not name it, and no tool returned it."),
        (reason("speech.refuse.denies_ai", "sentence", "does not match denies_ai", "denies_ai"),
         "Sentences of the kind “denies ai” are never said."),
        (reason("kernel.default_deny", "action", "is named by the policy", "unknown action"),
         "The policy does not name this action, and what it does not name is refused."),
    ],
)  # fmt: skip
def test_reason_is_a_sentence(given: Reason, said: str) -> None:
    assert reason_in_words(given) == said


def test_several_facts_are_told_with_their_names_spelled_out() -> None:
    either = reason(
        "t.2", "consent.transfer, asked_for_person", "consent.transfer is explicit or asked_for_person is true",
        "consent.transfer is unknown, asked_for_person is false, 15 s ago", "confirm",
    )  # fmt: skip
    assert reason_in_words(either) == (
        "Needed: the caller's answer to “transfer” is a clear yes or the wish for a person is yes. "
        "Found: the caller's answer to “transfer” is not known, the wish for a person is no, 15 s before."
    )


def test_what_nobody_foresaw_is_still_told() -> None:
    odd = reason("x.1", "moon_phase", "is at least 3", "2, 5 s ago")
    assert reason_in_words(odd) == "Needed: is at least 3. Found: 2, 5 s before."
    assert fact_in_words("moon_phase") == "“moon phase”"
    assert told("true, 4 ms ago") == "yes, just now"


def decision(verdict: Verdict, *reasons: Reason) -> Decision:
    return Decision(
        seq=1, at_ms=0, request="r", action="book", digest="d", principal="p", verdict=verdict, reasons=reasons,
        policy="p", version=0, epoch=0, stage="bounded",
    )  # fmt: skip


def test_decision_says_its_verdict_and_only_what_was_not_met() -> None:
    met = reason("b.2", "answerer", "is human", "human, 3 s ago", "allow")
    unmet = reason("b.4", "disclosed.ai", "is true", "unknown")
    assert decision_in_words(decision("allow", met, met), "book") == "Book was allowed: all 2 rules were met."
    assert decision_in_words(decision("allow"), "book") == "Book was allowed: no rule stands against it."
    refused = decision_in_words(decision("deny", met, unmet), "book")
    assert refused == "Book was refused. The notice “ai” had not been heard."
    assert decision_in_words(decision("escalate", unmet), "book").startswith("Book is for a person to decide.")
    assert decision_in_words(decision("confirm"), "book") == "Book has to wait for the caller's yes."
