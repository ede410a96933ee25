"""Mutants: the boundary cases notice every small mistake that anything could notice."""

import json
import sys
from random import Random

import msgspec
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from voicewarden.cli import cases as command
from voicewarden.config.policy_reader import read_policy
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Limit, Policy, Rule
from voicewarden.proofs.apart import telling
from voicewarden.proofs.cases import cases_of
from voicewarden.proofs.mutants import mutants_of
from voicewarden.proofs.sampling import PolicySampler
from voicewarden.proofs.survivors import differs, score

SHIPPED = ("outbound-sales", "inbound-service", "booking-only")
OUTBOUND = read_policy("outbound-sales")


def with_action(**changes: object) -> Policy:
    """The shipped policy with `book` alone, changed."""
    action = msgspec.structs.replace(OUTBOUND.actions["book"], **changes)
    return msgspec.structs.replace(OUTBOUND, actions={"book": action})


@pytest.mark.parametrize("name", SHIPPED)
def test_the_cases_of_a_shipped_policy_kill_every_mutant_that_can_be_told(name: str) -> None:
    policy = read_policy(name)
    found = score(policy, cases_of(policy))
    assert [mutant.what for mutant in found.survivors] == []
    assert found.made == found.killed + len(found.equivalent) and found.made > 400
    assert found.proved_by.startswith("z3 ")


def test_the_search_calls_the_same_mutants_equivalent_as_z3() -> None:
    policy = read_policy("booking-only")
    # A few cases only: many survivors for both to judge.
    few = cases_of(policy)[::9]
    by_z3, by_search = score(policy, few), score(policy, few, with_z3=False)
    assert by_z3.equivalent == by_search.equivalent and by_z3.survivors == by_search.survivors != ()
    assert by_search.proved_by == "a search over all points"


@given(st.integers(0, 10**9))
@settings(max_examples=3)
def test_the_cases_of_any_policy_kill_every_mutant_that_can_be_told(seed: int) -> None:
    policy = PolicySampler(OUTBOUND, Random(seed)).policy()
    one = dict(list(policy.actions.items())[:1])
    policy = msgspec.structs.replace(policy, actions=one)
    assert [mutant.what for mutant in score(policy, cases_of(policy)).survivors] == []


@pytest.mark.parametrize("seed", [1, 12])
def test_policies_that_once_kept_a_mutant_alive_keep_none(seed: int) -> None:
    policy = PolicySampler(OUTBOUND, Random(seed)).policy()
    assert [mutant.what for mutant in score(policy, cases_of(policy)).survivors] == []


@given(st.integers(0, 10**9))
@settings(max_examples=6)
def test_search_and_z3_tell_the_same_mutants_apart(seed: int) -> None:
    policy = PolicySampler(OUTBOUND, Random(seed)).policy()
    mutants = list(mutants_of(policy))
    for mutant in Random(seed).sample(mutants, min(12, len(mutants))):
        assert differs(policy, mutant) is (telling(policy, mutant) is not None), mutant.what


def test_every_kind_of_mistake_is_made() -> None:
    require = (
        Rule(id="book.require.1", otherwise="deny", condition=AnyOf(items=(
            Atom(fact="hearing_permille", at_least=5), Atom(fact="call_ms", between=(1, 9)),
            All(items=(Atom(fact="answerer", in_=("human", "menu")), Atom(fact="direction", known=True))),
        ))),
        Rule(id="book.require.2", otherwise="confirm", condition=Atom(fact="consent.book", is_="none", within_ms=9)),
    )  # fmt: skip
    limits = (Limit(id="book.limits.1", at_most=1, otherwise="deny", per="person", in_s=60),)
    policy = with_action(require=require, limits=limits, cooldown_ms=5)
    kinds = {mutant.kind for mutant in mutants_of(policy)}
    assert kinds == {
        "rule deleted", "else", "shadow", "operator dropped", "is", "value added", "value removed", "threshold",
        "comparator", "within", "known", "any<->all", "item dropped", "limit", "limit deleted", "scope", "stage",
        "role", "cool-down", "window",
    }  # fmt: skip
    found = score(policy, cases_of(policy))
    assert found.survivors == ()
    assert {mutant.what for mutant in found.equivalent} == {
        "book: observe log -> None", "book.require.1: direction: known dropped"
    }  # fmt: skip


def test_without_cases_every_mutant_lives_or_is_equivalent() -> None:
    found = score(with_action(), [])
    assert found.killed == 0 and len(found.survivors) > 50 and found.cases == 0


def test_one_case_less_can_let_a_mutant_live() -> None:
    policy = with_action()
    cases = [case for case in cases_of(policy) if case.context.facts.get("consent.book", ("", 0))[1] != 90_001]
    assert any("within_ms 90000 -> 90001" in mutant.what for mutant in score(policy, cases).survivors)


def test_a_shadow_rule_is_observed_too() -> None:
    book: ActionRule = OUTBOUND.actions["book"]
    shadowed = tuple(msgspec.structs.replace(item, shadow=item.id.endswith("5")) for item in book.require)
    policy = with_action(require=shadowed)
    assert score(policy, cases_of(policy)).survivors == ()


def test_without_z3_the_search_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("voicewarden.proofs.apart", "voicewarden.proofs.terms", "z3"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "z3", None)
    assert score(with_action(), []).proved_by == "a search over all points"


def test_the_command_prints_the_numbers() -> None:
    app = typer.Typer()
    app.command()(command.cases)
    told = json.loads(CliRunner().invoke(app, ["booking-only", "--mutants", "--json"]).stdout)
    assert told["ok"] and told["made"] == told["killed"] + told["equivalent"] and told["survivors"] == []
    printed = CliRunner().invoke(app, ["booking-only", "--mutants"])
    assert printed.exit_code == 0 and "0 live on" in printed.stdout


def test_an_atom_that_can_never_be_met_is_watched_all_the_same() -> None:
    never = Atom(fact="answerer", in_=("fax", "screening"), known=False)
    condition = AnyOf(items=(never, Atom(fact="recording", is_=True)))
    policy = with_action(require=(Rule(id="book.require.1", condition=condition, otherwise="deny"),))
    assert score(policy, cases_of(policy)).survivors == ()
