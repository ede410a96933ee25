"""Agreement: a difference is found, made small and told; what is compared does not depend on the processes."""

import json
import sys
from random import Random
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from voicewarden.cli import agreement as command
from voicewarden.config.policy_reader import read_policy
from voicewarden.policy.compiler import Decider
from voicewarden.policy.interpreter import unmet
from voicewarden.proofs import agreement, mismatch
from voicewarden.proofs.agreement import Bench, Block, Comparison, against_interpreter, against_opinion, blocks, totals
from voicewarden.proofs.case import Case
from voicewarden.proofs.cases import cases_for
from voicewarden.proofs.context import Context
from voicewarden.proofs.mismatch import smallest
from voicewarden.proofs.sampling import PolicySampler
from voicewarden.proofs.spread import spread
from voicewarden.proofs.subject import Subject

OUTBOUND = read_policy("outbound-sales")


def broken(decide: Decider) -> Decider:
    """Generated code that forgets the fourth rule."""
    return lambda facts, now_ms, digest, minted: decide(facts, now_ms, digest, minted) & ~8


class Broken(Subject):
    """A policy whose code for `book` is wrong."""

    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        if len(policy.actions["book"].require) > 3:
            self.compiled.deciders["book"] = broken(self.compiled.deciders["book"])


def test_code_that_differs_from_the_interpreter_is_found() -> None:
    _, wrong = against_interpreter(Broken(OUTBOUND), "interpreter", 3_000, Random(1))
    assert wrong and {case.action for case in wrong} == {"book"}


@pytest.mark.parametrize("peer", ["cedar", "z3"])
def test_code_that_differs_from_a_peer_is_found(peer: Any) -> None:
    _, wrong = against_opinion(Broken(OUTBOUND), peer, 400, Random(1))
    assert wrong and {case.action for case in wrong} == {"book"}


def test_a_mismatch_is_made_small_and_told() -> None:
    full = {"answerer": ("human", 5), "disclosed.ai": (True, 5), "direction": ("inbound", 0), "opted_out": (False, 0)}
    case = Case(action="book", about="", context=Context(full))  # type: ignore[arg-type]
    found = smallest("interpreter", OUTBOUND, case, Broken)
    assert found.case.context.facts == {} and len(found.rule.require) == 4 and found.rule.limits == ()
    assert "generated code and interpreter differ about book" in found.told() and "situation" in found.told()


def test_a_broken_interpreter_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: Any) -> int:
        return unmet(*arguments) ^ 1

    monkeypatch.setattr(agreement, "unmet", wrong)
    monkeypatch.setattr("voicewarden.proofs.subject.unmet", wrong)
    result = CliRunner().invoke(_app(), ["--decisions", "200", "--cedar", "0", "--z3", "0"])
    assert result.exit_code == 1 and "generated code and interpreter differ about" in result.stdout
    monkeypatch.undo()
    assert mismatch.smallest is smallest


def test_blocks_add_up_and_are_the_same_for_the_same_seed() -> None:
    work = list(blocks({"interpreter": 250_000, "cedar": 10, "z3": 0}, 7))
    assert [(one.peer, one.number, one.decisions) for one in work] == [
        ("interpreter", 0, 100_000), ("interpreter", 1, 100_000), ("interpreter", 2, 50_000), ("cedar", 0, 10)
    ]  # fmt: skip
    drawn = [PolicySampler(OUTBOUND, Random("7/z3/0")).policy() for _ in range(2)]
    assert drawn[0] == drawn[1] != PolicySampler(OUTBOUND, Random("8/z3/0")).policy()


def test_totals_are_sums() -> None:
    sums = totals([Comparison("z3", 3, 1, 0.5), Comparison("cedar", 1), Comparison("z3", 4, 2, 0.25)])
    assert (sums["z3"].decisions, sums["z3"].policies, sums["z3"].seconds) == (7, 3, 0.75) and len(sums) == 2


@pytest.mark.parametrize("decisions", [1, 2, 3, 65])
def test_a_small_block_compares_exactly_as_many_as_asked_for(decisions: int) -> None:
    for peer in agreement.PEERS:
        tested = Bench([OUTBOUND]).run(Block(peer, 0, decisions, 1))
        assert tested.decisions == decisions and tested.mismatches == ()


def test_processes_change_nothing_but_the_order() -> None:
    work = tuple(blocks({"interpreter": 300, "cedar": 20, "z3": 0}, 3))
    alone = list(spread((OUTBOUND,), work))
    several = list(spread((OUTBOUND,), work, processes=2))
    assert sorted((one.peer, one.decisions, one.policies) for one in alone) == sorted(
        (one.peer, one.decisions, one.policies) for one in several
    )


def test_random_situations_reach_every_verdict() -> None:
    subject = Subject(OUTBOUND)
    sampler = subject.sampler("book", Random(1))
    cases = [sampler.case() for _ in range(2_000)]
    verdicts = {subject.ours("cedar", case).verdict for case in cases}  # type: ignore[union-attr]
    assert verdicts == {"allow", "confirm", "escalate", "deny"} and any(case.other_arguments for case in cases)


def test_boundary_cases_are_asked_as_they_are() -> None:
    subject = Subject(msgspec.structs.replace(OUTBOUND, actions={"book": OUTBOUND.actions["book"]}))
    cases = list(agreement.sampled(subject, 300, Random(1)))
    assert set(map(repr, cases)) >= {repr(case) for case in cases_for(subject.policy, "book") if case.typed}


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(command.agreement)
    return app


def test_the_command_prints_what_was_compared() -> None:
    told = CliRunner().invoke(_app(), ["--decisions", "500", "--cedar", "50", "--z3", "10", "--json"])
    found = json.loads(told.stdout)
    assert told.exit_code == 0 and found["ok"] and found["peers"]["cedar"]["decisions"] == 50
    printed = CliRunner().invoke(_app(), ["booking-only", "--decisions", "500", "--cedar", "50", "--z3", "10"])
    assert printed.exit_code == 0 and "interpreter" in printed.stdout and "mismatches" in printed.stdout


def test_a_campaign_without_solvers_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("voicewarden.proofs.cedar_opinion", "voicewarden.proofs.z3_opinion"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, None)
    assert Bench([OUTBOUND]).run(Block("interpreter", 0, 200, 1)).mismatches == ()
