"""The type of every fact that is no fixed name, to the letter: `policy facts` prints it."""

import msgspec
import pytest
from tests.unit.policy.samples import policy_with

from voicewarden.policy.ast import ActionRule, FactType, Window
from voicewarden.policy.vocabulary import BUILT_IN_FACTS, READINGS, fact_type, family_facts

CALLS = "calls to this person in that many seconds"
ANSWER = "the caller's own answer to this action's question"
OTHERS = "what other calls have used of this limit"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("consent.book", FactType(kind="enum", values=READINGS, source=ANSWER)),
     ("disclosed.ai", FactType(kind="bool", source="the line was wholly played")),
     ("done.book", FactType(kind="bool", source="a receipt said done")),
     ("counted.book.limits.1", FactType(kind="int", low=0, high=1_000_000, source=OTHERS)),
     ("contact.attempts_86400", FactType(kind="int", low=0, high=1_000_000, source=CALLS))],
)  # fmt: skip
def test_a_family_of_facts_has_one_type(name: str, kind: FactType) -> None:
    assert fact_type(name, {}) == kind


@pytest.mark.parametrize(
    "name", ["", "x", ".x", "counted", "counted.", "contact.", "contact.tries_1", "other.attempts_1"]
)
def test_what_is_in_no_family_has_none(name: str) -> None:
    assert fact_type(name, {}) is None


def test_a_declared_fact_comes_first_and_a_fixed_name_second() -> None:
    declared = FactType(kind="text", source="a file")
    assert fact_type("paused", {"paused": declared}) is declared
    assert fact_type("consent.book", {"consent.book": declared}) is declared
    assert fact_type("contact.consent", {"x": declared}) is BUILT_IN_FACTS["contact.consent"]


def test_the_families_of_a_policy_are_named_one_by_one() -> None:
    asking = ActionRule(name="book", owner="o", why="w", question="Shall I?")
    silent = ActionRule(name="look_up", owner="o", why="w")
    plain = policy_with(asking, silent)
    often = msgspec.structs.replace(plain.contact, per_person=(Window(at_most=2, in_s=86_400),))
    found = family_facts(msgspec.structs.replace(plain, contact=often))
    names = "disclosed.ai disclosed.recording consent.book done.book done.look_up contact.attempts_86400".split()
    assert found == {name: fact_type(name, {}) for name in names}
