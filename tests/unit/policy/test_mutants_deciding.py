"""Interpreter, generated code and outcome at every edge of every operator, without chance."""

import itertools

import msgspec
import pytest
from tests.unit.policy.samples import policy_with

from voicewarden.model.canonical import digest_of
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Rule
from voicewarden.policy.compiler import DISAGREEMENT, CompiledPolicy, RuleOutcome, compile_policy, severest
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.generator import atoms, generate
from voicewarden.policy.interpreter import unmet, within

NOW_MS = 1_000
A, B = Atom(fact="a", is_=True), Atom(fact="b", is_=True)
YES = Atom(fact="consent.book", is_="explicit")


def rule(condition: Condition, number: int = 1, *, shadow: bool = False) -> Rule:
    return Rule(id=f"book.require.{number}", condition=condition, otherwise="deny", shadow=shadow)


def action(*rules: Rule, limits: tuple[Limit, ...] = ()) -> ActionRule:
    return ActionRule(name="book", owner="o", why="w", require=rules, limits=limits)


def mask(of: ActionRule, facts: Facts, minted: int = 0, digest: str = "d") -> int:
    """The mask, which interpreter and generated code must agree on: also beside a fact that is known, and one that is
    not, since the generated code fetches all facts at once where it can.
    """
    beside = tuple(rule(Atom(fact=name, known=True), 8) for name in ("y", "z"))
    more = msgspec.structs.replace(of, require=(*of.require, *beside))
    y, z = Fact(True, 900, 1), Fact(True, 900, 1)
    for one, known in ((of, facts), (more, {**facts, "y": y, "z": z}), (more, {**facts, "y": y})):
        decide = compile_policy(policy_with(one)).deciders["book"]
        assert decide(known, NOW_MS, digest, minted) == unmet(one, known, NOW_MS, digest, minted)
    return unmet(of, facts, NOW_MS, digest, minted)


@pytest.mark.parametrize(
    ("atom", "met", "missed"),
    [(Atom(fact="a", between=(2, 4)), [2, 3, 4], [1, 5, True, "3"]),
     (Atom(fact="a", at_least=2), [2, 3], [1, True, "2"]), (Atom(fact="a", at_most=2), [2, 1, -9], [3, True, "2"]),
     (Atom(fact="a", in_=("x", 2, True)), ["x", 2, True], ["y", 1]),
     (Atom(fact="a", in_=("x",)), ["x"], ["y", "xx", ""]), (Atom(fact="a", in_=()), [], ["x", 0]),
     (Atom(fact="a", is_=1), [1], [True, 2, "1"]), (Atom(fact="a", is_=True), [True], [1, False, "True"]),
     (Atom(fact="a", is_="x'y"), ["x'y"], ["x", ""]), (Atom(fact="a", is_=2, at_least=2, at_most=2), [2], [1, 3]),
     (Atom(fact="a", known=False), [], [True, 0, "x"]),
     (Atom(fact="a", at_least=1, at_most=3, between=(2, 5)), [2, 3], [1, 4]),
     (Atom(fact="a", in_=(2, 3, "x"), at_least=1), [2, 3], [1, 4, "x"])],
)  # fmt: skip
def test_each_operator_at_its_edges(atom: Atom, met: list[object], missed: list[object]) -> None:
    assert mask(action(rule(atom)), {}) == 1
    for value, expected in [*((value, 0) for value in met), *((value, 1) for value in missed)]:
        assert mask(action(rule(atom)), {"a": Fact(value, 900, 1)}) == expected, value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at_ms", "expected"), [(1_001, 1), (1_000, 0), (999, 0), (950, 0), (949, 1), (0, 1)]
)
def test_freshness_counts_from_now_to_the_bound(at_ms: int, expected: int) -> None:
    atom = Atom(fact="a", within_ms=50)
    for condition in (atom, All(items=(atom, atom)), AnyOf(items=(atom, atom))):
        assert mask(action(rule(condition)), {"a": Fact(True, at_ms, 1)}) == expected


@pytest.mark.parametrize("condition", [YES, All(items=(YES, A)), AnyOf(items=(YES, B))])
def test_consent_counts_for_its_own_arguments_wherever_it_stands(condition: Condition) -> None:
    facts = {"consent.book": Fact("explicit", 900, 1, "d"), "a": Fact(True, 900, 2, "e"), "b": Fact(False, 900, 2)}
    assert mask(action(rule(condition)), facts) == 0
    assert mask(action(rule(condition)), facts, digest="e") == 1


def test_a_digest_matters_for_the_own_consent_alone() -> None:
    of = action(rule(Atom(fact="consent.transfer", is_="explicit")), rule(A, 2))
    facts = {"consent.transfer": Fact("explicit", 900, 1, "other"), "a": Fact(True, 900, 1, "other")}
    assert mask(of, facts) == 0


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(All(items=()), 0), (AnyOf(items=()), 1), (All(items=(A, B)), 1), (AnyOf(items=(A, B)), 0),
     (All(items=(AnyOf(items=(A, B)), A)), 0), (AnyOf(items=(All(items=(A, B)), B)), 1), (AnyOf(items=(B,)), 1)],
)  # fmt: skip
def test_all_and_any_nest(condition: Condition, expected: int) -> None:
    assert mask(action(rule(condition)), {"a": Fact(True, 900, 1), "b": Fact(False, 900, 1)}) == expected


def test_every_rule_and_limit_has_its_own_bit() -> None:
    limits = tuple(Limit(id=f"book.limits.{n}", at_most=n, otherwise="deny") for n in (1, 2, 3))
    of = action(rule(A), rule(B, 2), limits=limits)
    for a, b, minted in itertools.product((True, False), (True, False), range(5)):
        expected = (not a) + 2 * (not b) + sum(4 << index for index in range(3) if minted >= index + 1)
        assert mask(of, {"a": Fact(a, 900, 1), "b": Fact(b, 900, 1)}, minted) == expected


@pytest.mark.parametrize(
    ("counted", "minted", "kept"),
    [(0, 0, True), (1, 0, True), (1, 1, False), (0, 1, True), (0, 2, False), (2, 0, False), (9, 0, False),
     (None, 0, False), (True, 0, False), (False, 0, False), ("0", 0, False)],
)  # fmt: skip
def test_a_limit_over_a_window_needs_a_known_count(counted: int | str | None, minted: int, kept: bool) -> None:
    limit = Limit(id="book.limits.1", at_most=2, otherwise="deny", per="person", in_s=60)
    facts: Facts = {} if counted is None else {limit.counted: Fact(counted, 0, 1)}
    assert within(limit, facts, minted) is kept
    assert mask(action(limits=(limit,)), facts, minted) == (0 if kept else 1)
    in_call = Limit(id="book.limits.2", at_most=9, otherwise="deny")
    assert mask(action(rule(All(items=())), limits=(in_call, limit)), facts, minted) == (0 if kept else 4)


GENERATED = '''"""Generated from policy `sample`. Same masks as the interpreter."""

from operator import itemgetter


def unsure_ask(facts, now_ms, digest, minted):
    mask = 0
    get = facts.get
    f0 = get('a')
    f1 = get('b')
    if not ((f0 is not None and f0.value is True) or (f1 is not None and type(f1.value) is int and f1.value >= 1)):
        mask |= 1
    return mask


_facts_of_ask = itemgetter('a', 'b')


def decide_ask(facts, now_ms, digest, minted, known=_facts_of_ask, int=int, type=type):
    mask = 0
    try:
        f0, f1 = known(facts)
    except KeyError:
        return unsure_ask(facts, now_ms, digest, minted)
    if not ((f0.value is True) or (type(f1.value) is int and f1.value >= 1)):
        mask |= 1
    return mask


def unsure_book(facts, now_ms, digest, minted):
    mask = 0
    get = facts.get
    f0 = get('consent.book')
    if f0 is not None and f0.digest != digest:
        f0 = None
    f1 = get('a')
    f2 = get('counted.book.agent.60')
    if not ((f0 is not None and f0.value == 'explicit') and (f1 is not None and f1.value is True)):
        mask |= 1
    if minted >= 3:
        mask |= 2
    if f2 is None or type(f2.value) is not int or f2.value + minted >= 2:
        mask |= 4
    return mask


_facts_of_book = itemgetter('consent.book', 'a', 'counted.book.agent.60')


def decide_book(facts, now_ms, digest, minted, known=_facts_of_book, int=int, type=type):
    mask = 0
    try:
        f0, f1, f2 = known(facts)
    except KeyError:
        return unsure_book(facts, now_ms, digest, minted)
    if f0.digest != digest:
        return unsure_book(facts, now_ms, digest, minted)
    if not ((f0.value == 'explicit') and (f1.value is True)):
        mask |= 1
    if minted >= 3:
        mask |= 2
    if type(f2.value) is not int or f2.value + minted >= 2:
        mask |= 4
    return mask


def decide_end_call(facts, now_ms, digest, minted):
    mask = 0
    get = facts.get
    f0 = get('a')
    if not (True and False and (f0 is not None and False)):
        mask |= 1
    return mask


def decide_look_up(facts, now_ms, digest, minted):
    mask = 0
    return mask
'''


def test_the_generated_source_is_what_people_inspect() -> None:
    in_window = Limit(id="book.limits.1", at_most=2, otherwise="deny", per="agent", in_s=60)
    in_call = Limit(id="book.limits.2", at_most=3, otherwise="deny")
    free = ActionRule(name="look_up", owner="o", why="w")
    never = rule(All(items=(All(items=()), AnyOf(items=()), Atom(fact="a", in_=()))))
    end = ActionRule(name="end_call", owner="o", why="w", require=(never,))
    two = rule(AnyOf(items=(A, Atom(fact="b", at_least=1))))
    ask = ActionRule(name="ask", owner="o", why="w", require=(two,))
    book = action(rule(All(items=(YES, A))), limits=(in_call, in_window))
    assert generate(policy_with(free, end, ask, book)) == GENERATED


def test_atoms_of_one_atom_are_that_atom() -> None:
    assert atoms(A) == (A,)
    assert atoms(AnyOf(items=())) == ()
    assert atoms(AnyOf(items=(A, All(items=(B, A))))) == (A, B, A)


def test_a_compiled_policy_carries_its_hashes_source_and_wordings() -> None:
    policy = policy_with(action(rule(A), rule(All(items=(A, B)), 2)))
    compiled = CompiledPolicy(policy)
    assert compiled.policy is policy and compiled.second_opinion is False
    assert compiled.hash == digest_of(policy)
    assert (compiled.source, compiled.source_hash) == (generate(policy), digest_of(generate(policy)))
    assert {name: said.needed for name, said in compiled.wordings.items()} == {
        "book.require.1": "is true", "book.require.2": "a is true and b is true"
    }  # fmt: skip
    assert compiled.deciders["book"].__code__.co_filename == f"<policy {compiled.hash[:12]}>"  # type: ignore[attr-defined]


def test_an_outcome_is_made_once_a_mask() -> None:
    compiled = compile_policy(policy_with(action(rule(A))))
    first = compiled.outcome("book", 1)
    assert first == RuleOutcome("deny", (rule(A),), "deny") and compiled.outcome("book", 1) is first
    assert compiled.outcome("book", 0) == RuleOutcome("allow", ())


def test_a_shadow_is_told_apart_from_what_counts() -> None:
    loud, silent = rule(A), Rule(id="book.require.2", condition=B, otherwise="escalate", shadow=True)
    mild = Rule(id="book.require.3", condition=B, otherwise="confirm")
    compiled = compile_policy(policy_with(action(loud, silent, mild)))
    assert compiled.outcome("book", 0b001) == RuleOutcome("deny", (loud,), "deny", ())
    assert compiled.outcome("book", 0b010) == RuleOutcome("allow", (), "escalate", (silent,))
    assert compiled.outcome("book", 0b110) == RuleOutcome("confirm", (mild,), "escalate", (silent, mild))
    assert compiled.outcome("book", 0b111) == RuleOutcome("deny", (loud, mild), "deny", (loud, silent, mild))


def test_the_severest_of_nothing_allows() -> None:
    assert severest(()) == "allow"
    assert severest((rule(A), Limit(id="l", at_most=1, otherwise="escalate"))) == "deny"


def test_a_second_opinion_is_asked_only_where_it_is_wanted_and_must_agree() -> None:
    policy = policy_with(action(rule(YES), limits=(Limit(id="book.limits.1", at_most=2, otherwise="deny"),)))
    alone, both = CompiledPolicy(policy), CompiledPolicy(policy, second_opinion=True)
    facts = {"consent.book": Fact("explicit", NOW_MS - 5, 1, "d")}
    for digest, minted, expected in (("d", 0, "allow"), ("e", 0, "deny"), ("d", 2, "deny"), ("d", 1, "allow")):
        for compiled in (alone, both):
            outcome = compiled.decide("book", facts, NOW_MS, digest, minted)
            assert outcome.verdict == expected and outcome is not DISAGREEMENT
    for compiled, expected in ((alone, "allow"), (both, "deny")):
        compiled.deciders["book"] = lambda facts, now_ms, digest, minted: 0
        assert compiled.decide("book", {}, NOW_MS, "d", 0).verdict == expected
    assert both.decide("book", {}, NOW_MS, "d", 0) is DISAGREEMENT
    assert both.decide("book", facts, NOW_MS, "d", 0) is not DISAGREEMENT


def test_the_second_opinion_sees_the_time() -> None:
    fresh = action(rule(Atom(fact="a", within_ms=10)))
    both = CompiledPolicy(policy_with(fresh), second_opinion=True)
    facts = {"a": Fact(True, NOW_MS, 1)}
    assert both.decide("book", facts, NOW_MS, "d", 0).verdict == "allow"
    late = both.decide("book", facts, NOW_MS + 11, "d", 0)
    assert late.verdict == "deny" and late is not DISAGREEMENT
