"""The commands on files that people really have: other folders, wrong YAML, wrong words; exit codes and messages."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.acceptance.authority_policies import ROOT, atom, for_role, read, written
from typer.testing import CliRunner, Result

from voicewarden.cli.main import app
from voicewarden.model.error import ConfigError

Run = Callable[..., Result]
Changed = Callable[..., str]
BOOK_HUMAN = "{fact: answerer, is: human, else: deny, why: Nobody can agree on behalf of a mailbox.}"
CONSENT = (
    "      - {fact: consent.book, is: explicit, within_ms: 90000, else: confirm, "
    "why: Only the caller's own answer to this question counts.}\n"
)
USES = "stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped configuration as the working directory."""
    for name in ("config", "agents"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def run(project: Path) -> Run:
    """Runs a command of the whole program."""
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def changed(project: Path) -> Changed:
    """The shipped outbound policy with one change, in another folder."""

    def write(old: str, new: str) -> str:
        text = (project / "config/policies/outbound-sales.yaml").read_text(encoding="utf-8")
        assert old in text
        file = project / "elsewhere" / "outbound-sales.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return str(file)

    return write


def complaint(result: Result) -> str:
    """What the user is told; a traceback is never an answer."""
    assert isinstance(result.exception, ConfigError | SystemExit), result.exception
    return str(result.exception) if isinstance(result.exception, ConfigError) else result.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("is: human", "equals: human", "equals"),
        ("fact: quote_open, is: true}, {", "fact: quote_opened, is: true}, {", "'quote_opened', which is no fact"),
        (", why: Agreeing needs knowing with whom.}", "}", "actions.book.require.2.why: is missing"),
        ("{fact: disclosed.ai, is: true", '{fact: disclosed.ai, is: "true"', "(accepted: true or false)"),
        ("{fact: disclosed.ai, is: true", "{fact: disclosed.ai, is: yes", "(accepted: true or false)"),
        ("{fact: disclosed.ai, is: true", "{fact: disclosed.ai, known: false", "(accepted: true)"),
        ("{fact: answerer, is: human", "{fact: answerer, is: humann", "found 'humann' (accepted: human, voicemail"),
        ("{fact: answerer, is: human", '{fact: answerer, is: "answerer == human"', "(accepted: human, voicemail"),
        ("is: human, else: deny", "is: human, else: allow", "(accepted: 'deny', 'confirm' or 'escalate')"),
        ("{fact: answerer, is: human", "{fact: hearing_permille, between: [9, 1]", "between"),
        ("any: [{fact: quote_open, is: true}, {fact: direction, is: inbound}]", "any: []", "at least 1 entries"),
        ("within_ms: 90000", "within_ms: 9.5", "an integer"),
        ("observe: log, assist", "observed: log, assist", "(accepted: 'observe', 'assist', 'bounded' or 'autonomous')"),
        (USES, USES.replace("observe: log", "observe: allow"), "observe"),
        (USES, USES.replace("assist: approve", "assist: allow"), "assist"),
        ("{fact: disclosed.ai, is: true", "{fact: consent.transfer, is: explicit", "consent to another action"),
        (CONSENT, "", "lacks consent.book"),
        ("is: explicit, within_ms: 90000, else", "in: [explicit, ambiguous], within_ms: 90000, else", "lacks consent"),
        ("within_ms: 90000, else: confirm,", "within_ms: 90000, else: confirm, shadow: true,", "lacks consent.book"),
        ("read_back: [service, start]", "read_back: [service]", "what the model supplies must be read back"),
        ("for {start}? Please say: yes, book", "? Please say: yes, book", "does not say {start}"),
        ("oversight: {owner: head-of-sales,", "oversight: {owner: head-of-sales, review_days: 31,", "only narrow"),
        ("policy: outbound-sales", "policy: outbound-sales\npolicy: outbound-sales", "the key is given twice"),
        ("extends: organisation", "extends: nowhere", "there is no policy nowhere"),
        ("extends: organisation", "extends: ../organisation", "is no name of a policy"),
        ("about: Calls", "about: [Calls", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(run: Run, changed: Changed, old: str, new: str, told: str) -> None:
    file = changed(old, new)
    result = run("policy", "check", file)
    assert result.exit_code != 0
    assert f"{file}:" in complaint(result)
    assert told in complaint(result)


def test_a_role_that_no_agent_has(run: Run, project: Path) -> None:
    file = project / "config/policies/outbound-sales.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("requested_by: [booking, closing]", "requested_by: [booking, nobody]", 1), "utf-8")
    assert "found 'nobody', which is no agent" in complaint(run("policy", "check", "outbound-sales"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"), (b"- a\n", "holds no mapping"), (b"\xff\xfe\x00", "not UTF-8"),
        (b"policy: " + b"[" * 5000, "nested too deeply"), (b"# x\n" * 300_000, "too large"),
        (b"owner: operations\nabout: This is no policy.\n", "policy: is missing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", [("check",), ("diff", "outbound-sales"), ("prove",), ("facts",), ("cases",)])
def test_a_file_that_is_no_policy(
    run: Run, project: Path, command: tuple[str, ...], content: bytes, told: str
) -> None:  # fmt: skip
    (project / "odd.yaml").write_bytes(content)
    result = run("policy", *command, "odd.yaml")
    assert result.exit_code != 0
    assert told in complaint(result)


@pytest.mark.parametrize("command", ["check", "explain", "facts", "code", "prove", "cases", "cedar", "model-check"])
@pytest.mark.parametrize("name", ["nowhere", "nowhere.yaml", "config", "."])
def test_a_policy_that_is_not_there(run: Run, command: str, name: str) -> None:
    result = run("policy", command, name)
    assert result.exit_code != 0
    assert complaint(result)


@pytest.mark.parametrize("stages", [["autonomous", 31], ["bounded", 91]])
def test_more_autonomy_demands_a_shorter_review(run: Run, project: Path, stages: list[Any]) -> None:
    stage, days = stages
    floor = (project / "config/policies/organisation.yaml").read_text(encoding="utf-8")
    if stage == "bounded":
        floor = floor.replace(USES, "stages: {observe: log, assist: approve, bounded: allow}")
    file = project / "organisation.yaml"
    file.write_text(floor.replace("review_days: 30", f"review_days: {days}"), encoding="utf-8")
    assert f"(accepted: at most {days - 1})" in complaint(run("policy", "check", str(file)))
    file.write_text(floor.replace("review_days: 30", f"review_days: {days - 1}"), encoding="utf-8")
    assert run("policy", "check", str(file)).exit_code == 0
    for gone in ("  contact: duty-manager\n", "  review_days: 30\n"):
        file.write_text(floor.replace(gone, ""), encoding="utf-8")
        assert f"oversight.{gone.strip().partition(':')[0]}: is missing" in complaint(run("policy", "check", str(file)))


def test_diff_json_has_the_shape_of_the_issue(run: Run, changed: Changed) -> None:
    pytest.importorskip("z3")
    loosened = changed("within_ms: 90000", "within_ms: 120000")
    result = run("policy", "diff", "outbound-sales", loosened, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["actions"]
    assert {name for name, entry in found.items() if entry["verdict"] != "equivalent"} == {"book"}
    assert found["book"]["verdict"] == "widens"
    assert found["book"]["counterexample"]["facts"]["consent.book"] == "explicit"
    assert "book is allowed; under the old policy it would have to be confirmed first" in str(found["book"])
    assert run("policy", "diff", loosened, "outbound-sales", "--json").exit_code == 0


def test_timers_and_budgets_are_listed_as_changed(run: Run, changed: Changed) -> None:
    pytest.importorskip("z3")
    timers = "call: {owner: operations, longest_ms: 300000, why: Shorter calls.}\n"
    budget = "budget: {owner: finance, per_turn_tokens: 100, why: Shorter turns.}\n"
    result = run("policy", "diff", "outbound-sales", changed("facts:\n", timers + budget + "facts:\n"), "--json")
    assert result.exit_code == 0
    settings = {entry["field"]: entry["verdict"] for entry in json.loads(result.stdout)["settings"]}
    assert settings == {"call.longest_ms": "changed", "budget.per_turn_tokens": "changed"}


@pytest.mark.parametrize(("observe", "code"), [("log", 0), ("allow", 1)])
def test_prove_json_has_the_shape_of_the_issue(run: Run, project: Path, observe: str, code: int) -> None:
    pytest.importorskip("z3")
    stages = {"bounded": "allow", "autonomous": "log" if code else "allow"}
    shutil.copy(written(atom("flag", is_=True), stages=stages, name=f"shape-{observe}"), project)
    result = run("policy", "prove", f"shape-{observe}.yaml", "--json")
    assert result.exit_code == code
    found = json.loads(result.stdout)
    assert found["ok"] is (code == 0)
    for theorem in found["theorems"]:
        assert isinstance(theorem["name"], str)
        assert isinstance(theorem["proved"], bool)
        assert isinstance(theorem["ms"], int)
    assert {theorem["name"] for theorem in found["theorems"] if not theorem["proved"]} == (
        {"stage_monotone"} if code else set()
    )


def test_a_layer_can_not_widen(run: Run) -> None:
    written(atom("flag", is_=True), name="lower", requested_by=("booking", "closing"))
    parts: tuple[dict[str, Any], ...] = (
        {"requested_by": ("booking", "transfer")}, {"stages": {"observe": "allow"}}, {"expires_ms": 60_000},
        {"facts": {"flag": {"type": {"int": [0, 1]}, "source": "crm", "why": "Another type."}}},
    )  # fmt: skip
    for part in parts:
        file = written(**{"requested_by": ("booking",), "name": "higher", "extends": "lower", **part})
        with pytest.raises(ConfigError, match=r"narrow|accepted"):
            read(file)
    narrower = read(written(name="higher", extends="lower", requested_by=("closing",)))
    assert [rule.id for rule in narrower.actions["act"].require] == ["act.require.1"]


def test_explain_of_an_action_that_there_is_not(run: Run) -> None:
    result = run("policy", "explain", "outbound-sales", "--action", "boook")
    assert result.exit_code == 2
    assert "boook" in result.output


@pytest.mark.parametrize("fact", ["consent.book", "disclosed.ai", "done.book"])
def test_facts_lists_what_rules_may_look_at(run: Run, fact: str) -> None:
    assert fact in run("policy", "facts", "outbound-sales").stdout


def test_a_layer_for_a_role_that_there_is_not(run: Run, project: Path) -> None:
    shutil.copy(written(name="lost", roles=for_role("bookng", atom("flag", is_=True))), project)
    assert run("policy", "check", "lost.yaml").exit_code == 1


def test_the_shipped_example_is_fine(run: Run, project: Path) -> None:
    shutil.copytree(ROOT / "examples", project / "examples")
    assert run("policy", "check", "examples/booking.yaml").exit_code == 0


def test_a_mistyped_role_beside_good_ones_is_one_in_any_folder(run: Run, changed: Changed) -> None:
    mistyped = changed("requested_by: [booking, closing]", "requested_by: [booking, nobody]")
    assert run("policy", "check", mistyped).exit_code == 1
