"""Boundary cases: every edge is there, rows can be read again, and a changed policy is noticed."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer
from tests.unit.policy.samples import policy_with
from typer.testing import CliRunner

from voicewarden.cli import cases as command
from voicewarden.config.policy_reader import read_policy
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.compiler import compile_policy
from voicewarden.proofs.case import Case, Observation, Row, differences, observe
from voicewarden.proofs.cases import cases_for, cases_of, rows_of
from voicewarden.proofs.search import Search
from voicewarden.proofs.tree import nodes, replaced, swapped, without_item

SHIPPED = ("outbound-sales", "inbound-service", "booking-only")


@pytest.fixture(scope="module")
def outbound() -> Policy:
    return read_policy("outbound-sales")


def seen(policy: Policy, action: str) -> Iterator[tuple[Case, Observation]]:
    compiled = compile_policy(policy)
    return ((case, observe(compiled, case)) for case in cases_for(policy, action))


def fresh(*conditions: Condition, **changes: object) -> Policy:
    """A policy with one action `book` that denies unless all of these hold."""
    numbered = enumerate(conditions, 1)
    require = tuple(Rule(id=f"book.require.{n}", condition=one, otherwise="deny") for n, one in numbered)
    stages = dict.fromkeys(("observe", "assist", "bounded", "autonomous"), "allow")
    action = ActionRule(name="book", owner="o", why="w", require=require, stages=stages)  # type: ignore[arg-type]
    return policy_with(msgspec.structs.replace(action, **changes))


def test_an_age_is_tried_before_at_and_after_its_edge_and_from_the_future(outbound: Policy) -> None:
    ages = {
        case.context.facts["consent.book"][1]: found.rules
        for case, found in seen(outbound, "book")
        if case.context.facts.get("consent.book", ("", 0))[0] == "explicit" and not case.other_arguments
        and found.rules in ((), ("book.require.4",))
    }  # fmt: skip
    assert ages == {0: (), 89_999: (), 90_000: (), 90_001: ("book.require.4",), -1: ("book.require.4",)}


def test_every_value_of_an_enum_is_tried_with_all_else_met(outbound: Policy) -> None:
    found = {
        case.context.facts["answerer"][0]: told.verdict
        for case, told in seen(outbound, "book")
        if case.typed and "answerer" in case.context.facts and set(told.rules) <= {"book.require.1"}
        and case.context.role == "booking" and case.about.startswith("book.require.1")
    }  # fmt: skip
    assert found.pop("human", "allow") == "allow"
    others = {"voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech", "unknown"}
    assert set(found.values()) == {"deny"} and set(found) >= others - {"voicemail"}


def test_every_rule_fails_alone_and_shows_its_otherwise(outbound: Policy) -> None:
    for action, rule in outbound.actions.items():
        alone = {found.rules[0]: found.rules_say for _, found in seen(outbound, action) if len(found.rules) == 1}
        assert alone == {item.id: item.otherwise for item in (*rule.require, *rule.limits)}


def test_each_item_of_any_is_enough_alone(outbound: Policy) -> None:
    ways = {
        ("consent.transfer" in case.context.facts and case.context.facts["consent.transfer"][0] == "explicit",
         case.context.facts.get("asked_for_person", (False, 0))[0])
        for case, found in seen(outbound, "transfer")
        if found.verdict == "allow"
    }  # fmt: skip
    assert {(True, False), (False, True)} <= ways


def test_answers_to_other_arguments_and_values_of_wrong_types_are_there(outbound: Policy) -> None:
    found = list(seen(outbound, "book"))
    assert [told.verdict for case, told in found if case.other_arguments] == ["confirm"]
    traps = [(case, told) for case, told in found if not case.typed]
    assert len([told for _, told in traps if told.rules]) >= 4
    assert any(case.context.facts.get("disclosed.ai") == (1, 0) for case, _ in traps)


def test_stages_roles_counts_and_stoppers_stand_at_their_edges(outbound: Policy) -> None:
    found = [(case.context, told) for case, told in seen(outbound, "book")]
    by_stage = {(one.stage, one.approved): told.verdict for one, told in found if told.rules_say == "allow"
                and one.role == "booking" and not {"paused", "revoked"} & one.facts.keys()}  # fmt: skip
    assert by_stage[("observe", True)] == by_stage[("assist", False)] == "deny"
    assert by_stage[("assist", True)] == by_stage[("bounded", False)] == "allow"
    assert {told.verdict for one, told in found if one.role in ("another", "transfer")} == {"deny"}
    assert {one.minted for one, _ in found} >= {0, 1, 2}
    assert {told.verdict for one, told in found if one.facts.get("paused") == (True, 0)} == {"deny"}


def test_windows_are_counted_with_and_without_grants_of_this_call() -> None:
    limit = Limit(id="book.limits.1", at_most=3, otherwise="escalate", per="person", in_s=60)
    found = [
        (case.context.facts.get("counted.book.person.60"), case.context.minted, told.rules_say)
        for case, told in seen(fresh(limits=(limit,), cooldown_ms=500), "book")
    ]
    assert ((2, 0), 0, "allow") in found and ((3, 0), 0, "escalate") in found and (None, 0, "escalate") in found
    assert ((1, 0), 1, "allow") in found and ((2, 0), 1, "escalate") in found
    ages = {case.context.since_last_ms: told.verdict for case, told in seen(fresh(cooldown_ms=500), "book")}
    assert (ages[499], ages[500]) == ("deny", "allow")


def test_a_flag_that_is_tied_to_others_is_still_shown_alone() -> None:
    a, b = Atom(fact="recording", is_=True), Atom(fact="message_ready", is_=True)
    either_way = AnyOf(items=(All(items=(a, b)), Atom(fact="recording", is_=False)))
    policy = fresh(either_way, a)
    verdicts = {
        tuple(case.context.facts.get(name, (None,))[0] for name in ("recording", "message_ready")): told.rules
        for case, told in seen(policy, "book")
        if case.typed
    }
    assert verdicts[(True, True)] == () and verdicts[(True, False)] == ("book.require.1",)


def test_what_cannot_be_is_not_found() -> None:
    human, fax = Atom(fact="answerer", is_="human"), Atom(fact="answerer", is_="fax")
    search = Search(fresh(All(items=(human, fax))), "book")
    rule = search.rule.require[0]
    assert search.differing(rule.condition, AnyOf(items=()), of=rule) is None
    assert search.unmet(rule) is not None and search.not_denied(stage_allows=True) is None


def test_a_search_that_grows_too_far_gives_up_and_says_so() -> None:
    atoms = tuple(Atom(fact=f"disclosed.{n}", is_=True) for n in range(12))
    impossible = All(items=(AnyOf(items=atoms), *(Atom(fact=atom.fact, is_=False) for atom in atoms)))
    search = Search(fresh(impossible), "book", budget=10)
    rule = search.rule.require[0]
    assert search.differing(rule.condition, AnyOf(items=()), of=rule) is None and search.gave_up > 0


def test_trees_are_changed_in_one_place() -> None:
    a, b, c = (Atom(fact=name) for name in "abc")
    tree = All(items=(a, AnyOf(items=(b, c))))
    assert [path for path, _ in nodes(tree)] == [(), (0,), (1,), (1, 0), (1, 1)]
    assert replaced(tree, (1, 1), a) == All(items=(a, AnyOf(items=(b, a))))
    assert swapped(tree) == AnyOf(items=tree.items) and without_item(tree, 0) == All(items=tree.items[1:])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_policy_agrees_with_its_own_rows_after_a_round_trip(name: str) -> None:
    policy = read_policy(name)
    rows = rows_of(compile_policy(policy))
    again = [msgspec.json.decode(msgspec.json.encode(row), type=Row) for row in rows]
    assert len(rows) == len(cases_of(policy)) and not list(differences(compile_policy(policy), again))


def test_a_loosened_policy_differs_from_its_rows(outbound: Policy) -> None:
    rows = rows_of(compile_policy(outbound))
    book = outbound.actions["book"]
    looser = msgspec.structs.replace(book, require=book.require[:1] + book.require[2:])
    changed = msgspec.structs.replace(outbound, actions={**outbound.actions, "book": looser})
    found = list(differences(compile_policy(changed), rows))
    assert found and {one.action for one in found} == {"book"}
    assert any(one.expected.startswith("deny (book.require.2)") and one.found.startswith("allow") for one in found)
    gone = msgspec.structs.replace(outbound, actions={})
    assert {one.found.partition(",")[0] for one in differences(compile_policy(gone), rows)
            if one.action != "end_call"} == {"deny"}  # fmt: skip


def test_a_row_written_by_hand_needs_no_more_than_the_verdict_and_the_rules(outbound: Policy) -> None:
    row = msgspec.json.decode(
        b'{"action":"book","facts":{},"role":"booking","expected":"deny","rules":["book.require.1","book.require.2",'
        b'"book.require.3","book.require.4","book.require.5"]}', type=Row
    )  # fmt: skip
    assert not list(differences(compile_policy(outbound), [row]))


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command("cases")(command.cases)
    app.command("cedar")(command.cedar)
    return app


def test_the_command_writes_rows_and_checks_them(tmp_path: Path) -> None:
    written = CliRunner().invoke(_app(), ["cases", "booking-only"])
    assert written.exit_code == 0
    file = tmp_path / "booking.jsonl"
    file.write_text(written.stdout)
    assert CliRunner().invoke(_app(), ["cases", "booking-only", "--check", str(file)]).exit_code == 0
    other = CliRunner().invoke(_app(), ["cases", "inbound-service", "--check", str(file), "--json"])
    told = json.loads(other.stdout)
    assert other.exit_code == 1 and not told["ok"] and told["differences"][0]["line"] > 0
    whole = json.loads(CliRunner().invoke(_app(), ["cases", "booking-only", "--json"]).stdout)
    assert len(whole["cases"]) == len(written.stdout.splitlines())


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"action": "book"}\n')
    result = CliRunner().invoke(_app(), ["cases", "booking-only", "--check", str(file)])
    assert result.exit_code == 1 and f"{file}:1:" in str(result.exception)
