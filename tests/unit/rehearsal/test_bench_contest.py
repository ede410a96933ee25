"""The contest of engines: one policy, equal answers, and nobody is timed who answers differently."""

import importlib
from types import ModuleType

import pytest

from voicewarden.policy.ast import All, AnyOf, Atom
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.policy.interpreter import unmet
from voicewarden.rehearsal.bench import contest, ours, peers
from voicewarden.rehearsal.bench.contest_policy import contest_policy
from voicewarden.rehearsal.bench.contexts import Case, cases
from voicewarden.rehearsal.bench.engine import BIT, REASONS, Engine, mask_of
from voicewarden.rehearsal.bench.expression import CASBIN, CEDAR, CEL, expression, rego_body, schema, ways

POLICY = contest_policy()
BOTH = All(items=(Atom(fact="consent.book", is_="explicit"), Atom(fact="weekday", at_most=5)))
EITHER = AnyOf(items=(Atom(fact="signal", within_ms=500), Atom(fact="paused", is_=False)))


def test_the_policy_is_as_large_as_it_is_said_to_be() -> None:
    assert len(POLICY.actions) == 8 and len(POLICY.facts) == 18
    assert {len(action.require) for action in POLICY.actions.values()} == {10}
    assert len({item.fact for action in POLICY.actions.values() for rule in action.require
                for way in ways(rule.condition) for item in way}) == 18  # fmt: skip


def test_every_condition_fails_somewhere_and_every_action_is_allowed_somewhere() -> None:
    asked = cases(POLICY, 2_000, seed=1)
    for name, action in POLICY.actions.items():
        masks = [unmet(action, case.facts, case.now_ms, case.digest, 0) for case in asked if case.action == name]
        assert 0 in masks
        for index in range(10):
            assert any(mask >> index & 1 for mask in masks)


def test_cases_are_the_same_for_the_same_seed() -> None:
    assert cases(POLICY, 40, seed=3) == cases(POLICY, 40, seed=3) != cases(POLICY, 40, seed=4)


def test_conditions_in_other_languages() -> None:
    assert expression(BOTH, CEL) == '(consent_book == "explicit" && weekday <= 5)'
    assert expression(EITHER, CASBIN) == "((r.sub.signal_age_ms >= 0 and r.sub.signal_age_ms <= 500) or " \
        "r.sub.paused == False)"  # fmt: skip
    assert expression(Atom(fact="stage", in_=("assist", "bounded")), CEDAR) == (
        '["assist", "bounded"].contains(context.stage)'
    )
    assert [rego_body(way) for way in ways(All(items=(BOTH, EITHER)))] == [
        'input.consent_book == "explicit"; input.weekday <= 5; input.signal_age_ms >= 0; input.signal_age_ms <= 500',
        'input.consent_book == "explicit"; input.weekday <= 5; input.paused == false',
    ]
    assert schema(EITHER) == {
        "anyOf": [
            {"properties": {"signal_age_ms": {"minimum": 0, "maximum": 500}}, "required": ["signal_age_ms"]},
            {"properties": {"paused": {"const": False}}, "required": ["paused"]},
        ]
    }


def test_engines_that_are_there_agree_with_the_interpreter() -> None:
    ticks: list[int] = []
    held = contest.hold(0.01, 2, lambda: ticks.append(1), count=120)
    assert len(ticks) == 2
    assert [entry.engine.name for entry in held.entries[:2]] == [ours.GENERATED, ours.INTERPRETER]
    assert held.answers == 120 * len(held.entries)
    assert 0 < held.allowed < 120
    assert all(entry.series.us and entry.series.done for entry in held.entries)
    assert held.ratio(held.entries[0]) == 1


def test_ours_gives_the_rules_that_are_not_met() -> None:
    generated = ours.engines(POLICY)[0]
    case = next(case for case in cases(POLICY, 200, seed=1) if case.facts["paused"].value is True)
    work, arguments = generated.prepare(case)
    outcome = work(*arguments)
    assert outcome == CompiledPolicy(POLICY).decide(case.action, case.facts, case.now_ms, case.digest, 0)
    assert f"{case.action}.0" in {rule.id for rule in outcome.failed}


@pytest.mark.parametrize("returns", [REASONS, BIT])
def test_an_engine_that_differs_stops_the_contest(monkeypatch: pytest.MonkeyPatch, returns: str) -> None:
    liar = Engine("liar", returns, lambda case: (int, ()), lambda case, found: 0)
    monkeypatch.setattr(peers, "engines", lambda policy: ([liar], []))
    with pytest.raises(contest.EnginesDisagree, match="liar and the interpreter disagree on case"):
        contest.hold(0.01, 1, lambda: None, count=40)


def test_what_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", nothing)
    found, missing = peers.engines(POLICY)
    assert found == []
    assert len(missing) == 8
    assert all(line.endswith("pip install 'voicewarden[bench]'") for line in missing)


def test_a_mask_has_a_bit_for_each_condition_that_is_not_met() -> None:
    assert mask_of([True, False, True, False]) == 0b1010


def test_an_answer_to_other_arguments_is_no_answer_to_peers_either() -> None:
    stale = [case for case in cases(POLICY, 400, seed=1) if _is_stale(case)]
    assert stale
    assert all(case.flat[f"consent_{case.action}"] == "none" for case in stale)


def _is_stale(case: Case) -> bool:
    fact = case.facts.get(f"consent.{case.action}")
    return fact is not None and fact.digest != case.digest
