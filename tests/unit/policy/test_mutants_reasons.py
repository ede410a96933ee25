"""Reasons to the letter: these words are what people read."""

import pytest

from voicewarden.model.action import Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.policy.ast import All, AnyOf, Atom, Condition, Limit, Rule
from voicewarden.policy.fact import Fact
from voicewarden.policy.reasons import (
    Wording,
    limit_needed,
    limit_reason,
    needed,
    rule_reason,
    sentence,
    still_to_earn,
    wording,
)

X, Y = Atom(fact="x", is_=True), Atom(fact="y", at_least=3)
IN_CALL = Limit(id="book.limits.1", at_most=2, otherwise="deny")
IN_WINDOW = Limit(id="book.limits.2", at_most=5, otherwise="escalate", per="person", in_s=3_600)


@pytest.mark.parametrize(
    ("condition", "words"),
    [(Atom(fact="x", is_=True), "x is true"), (Atom(fact="x", is_=False), "x is false"),
     (Atom(fact="x", is_=1), "x is 1"), (Atom(fact="x", is_="a"), "x is a"),
     (Atom(fact="x", in_=("a", 2, True)), "x is one of a, 2, true"), (Atom(fact="x", at_least=3), "x is at least 3"),
     (Atom(fact="x", at_most=3), "x is at most 3"), (Atom(fact="x", between=(1, 3)), "x is between 1 and 3"),
     (Atom(fact="x", within_ms=999), "x no older than 999 ms"),
     (Atom(fact="x", within_ms=1_000), "x no older than 1 s"),
     (Atom(fact="x", within_ms=2_999), "x no older than 2 s"), (Atom(fact="x", known=True), "x is known"),
     (Atom(fact="x", known=False), "x is never met"), (Atom(fact="x"), "x is known"),
     (Atom(fact="x", known=True, within_ms=5), "x no older than 5 ms, is known"),
     (Atom(fact="x", is_="a", at_least=0, at_most=9), "x is a, is at least 0, is at most 9"),
     (All(items=(X, Y)), "x is true and y is at least 3"), (AnyOf(items=(X, Y)), "x is true or y is at least 3"),
     (All(items=(X, AnyOf(items=(Y, X)))), "x is true and (y is at least 3 or x is true)"), (All(items=()), ""),
     (AnyOf(items=(X, All(items=(Y, X)))), "x is true or (y is at least 3 and x is true)"),
     (All(items=(X, AnyOf(items=(Y,)))), "x is true and y is at least 3"),
     (AnyOf(items=(All(items=(X,)), AnyOf(items=(Y, X)))), "x is true or y is at least 3 or x is true")],
)  # fmt: skip
def test_what_a_condition_needs(condition: Condition, words: str) -> None:
    assert needed(condition) == words


def test_the_name_is_left_out_where_it_stands_beside() -> None:
    assert needed(X, alone=True) == "is true"
    assert needed(All(items=(X, X)), alone=True) == "x is true and x is true"


def test_the_wording_of_a_rule_names_each_fact_once() -> None:
    assert wording(X) == Wording(("x",), "x", "is true")
    assert wording(AnyOf(items=(X, Atom(fact="x", at_most=1)))) == Wording(("x",), "x", "x is true or x is at most 1")
    assert wording(All(items=(X, Y, X))) == Wording(
        ("x", "y"), "x, y", "x is true and y is at least 3 and x is true"
    )


def reason(condition: Condition, facts: dict[str, Fact], verdict: Verdict = "deny", digest: str = "d") -> Reason:
    rule = Rule(id="book.require.1", condition=condition, otherwise="deny", offer="transfer")
    return rule_reason(rule, wording(condition), verdict, facts, 1_500, "consent.book", digest)


@pytest.mark.parametrize(
    ("fact", "found", "evidence"),
    [(None, "unknown", ()), (Fact(True, 501, 7), "true, 999 ms ago", (7,)),
     (Fact(False, 500, 7), "false, 1 s ago", (7,)),
     (Fact(12, 1_500, 0), "12, 0 ms ago", (0,)), (Fact("a", 0, 3), "a, 1 s ago", (3,))],
)  # fmt: skip
def test_what_was_found_of_one_fact(fact: Fact | None, found: str, evidence: tuple[int, ...]) -> None:
    facts = {} if fact is None else {"x": fact}
    assert reason(X, facts) == Reason("book.require.1", "x", "is true", found, "deny", evidence, "transfer")
    assert reason(X, facts, "allow") == Reason("book.require.1", "x", "is true", found, "allow", evidence, None)


def test_what_was_found_of_several_facts() -> None:
    both = {"x": Fact(False, 1_000, 7), "y": Fact(2, 1_400, 9)}
    expected = Reason(
        "book.require.1", "x, y", "x is true and y is at least 3", "x is false, 500 ms ago, y is 2, 100 ms ago", "deny",
        (7, 9), "transfer",
    )  # fmt: skip
    assert reason(All(items=(X, Y)), both) == expected
    one = reason(All(items=(X, Y)), {"y": Fact(2, 1_400, 9)})
    assert (one.found, one.evidence) == ("x is unknown, y is 2, 100 ms ago", (9,))
    same = reason(All(items=(X, Y)), {"x": Fact(False, 1_000, 7), "y": Fact(2, 1_400, 7)})
    assert same.evidence == (7,)


def test_an_answer_to_other_arguments_is_not_found() -> None:
    consent = Atom(fact="consent.book", is_="explicit")
    facts = {"consent.book": Fact("explicit", 1_000, 4, "d"), "x": Fact(True, 1_000, 5, "other")}
    assert reason(consent, facts).found == "explicit, 500 ms ago"
    assert reason(consent, facts, digest="e").found == "unknown"
    both = All(items=(consent, X))
    assert reason(both, facts).found == "consent.book is explicit, 500 ms ago, x is true, 500 ms ago"
    other = reason(both, facts, digest="e")
    assert (other.found, other.evidence) == ("consent.book is unknown, x is true, 500 ms ago", (5,))


def test_what_a_limit_needs() -> None:
    assert limit_needed(IN_CALL) == "at most 2 in a call"
    assert limit_needed(IN_WINDOW) == "at most 5 per person in 3600 s"


def test_what_was_found_of_a_limit() -> None:
    facts = {IN_WINDOW.counted: Fact(4, 0, 8), IN_CALL.counted: Fact(9, 0, 1)}
    assert limit_reason(IN_CALL, "deny", facts, 3) == Reason(
        "book.limits.1", "granted in this call", "at most 2", "3", "deny"
    )
    assert limit_reason(IN_WINDOW, "escalate", facts, 1) == Reason(
        "book.limits.2", "granted to this person in 3600 s", "at most 5", "1 in this call, 4 in others", "escalate",
        (8,),
    )  # fmt: skip
    assert limit_reason(IN_WINDOW, "allow", {}, 0) == Reason(
        "book.limits.2", "granted to this person in 3600 s", "at most 5", "0 in this call, unknown in others", "allow"
    )


MET = Reason("r1", "x", "is true", "true, 0 ms ago", "allow")
UNMET = Reason("r2", "y", "is at least 3", "2, 1 s ago", "deny")
LIMIT = Reason("r3", "granted in this call", "at most 2", "3", "deny")


def told(verdict: Verdict, *reasons: Reason, would: Verdict | None = None) -> Decision:
    return Decision(
        seq=1, at_ms=0, request="r", action="book", digest="d", principal="p", verdict=verdict, would=would,
        reasons=reasons, policy="p", version=0, epoch=0, stage="bounded",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "words"),
    [(told("allow"), "book was allowed: nothing forbids it."),
     (told("allow", MET, MET),
      "book was allowed: x is true (found true, 0 ms ago); x is true (found true, 0 ms ago)."),
     (told("confirm", UNMET), "book must first be confirmed: y must be at least 3, but found 2, 1 s ago."),
     (told("escalate", UNMET), "book goes to a person: y must be at least 3, but found 2, 1 s ago."),
     (told("deny", MET, UNMET, LIMIT, would="allow"),
      "book was refused: y must be at least 3, but found 2, 1 s ago; granted in this call: needed at most 2, but found "
      "3. The rules alone would say allow.")],
)  # fmt: skip
def test_a_decision_reads_as_a_sentence(decision: Decision, words: str) -> None:
    assert sentence(decision) == words


def test_what_is_still_to_be_earned() -> None:
    assert still_to_earn(told("deny", MET, UNMET, LIMIT)) == ("y is at least 3", "granted in this call at most 2")
