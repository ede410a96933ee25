"""Receipts: kept once in the ledger, found again, and what a server does with them at its start."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from tests.unit.policy.samples import policy_with
from typer.testing import CliRunner

from voicewarden.cli.prove import prove, prove_at_start
from voicewarden.ledger import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.canonical import canonical_bytes, digest_of
from voicewarden.model.error import ConfigError
from voicewarden.model.record import GENESIS, make_record
from voicewarden.policy.ast import ActionRule, Atom, Policy, Rule
from voicewarden.proofs.context import Context
from voicewarden.proofs.receipt import NotProved, Receipt, Theorem, receipt_record, receipts_in

CONFIG = Path(__file__).resolve().parents[3] / "config"
RUNNER = CliRunner()


def book(fact: str = "consent.book", stage: str = "bounded") -> Policy:
    rule = Rule(id="book.require.1", condition=Atom(fact=fact, is_="explicit"), otherwise="deny")
    return policy_with(ActionRule(name="book", owner="o", why="w", stages={stage: "allow"}, require=(rule,)))


GOOD, LOOSE = book(stage="autonomous"), book(fact="consent.transfer", stage="autonomous")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def start(ledger: Ledger, policy: Policy, *, production: bool = True, base: Policy | None = None) -> str:
    return prove_at_start(ledger, policy, base=base, production=production, unix_ms=1_700_000_000_000)


def notes(ledger: Ledger, policy: Policy) -> tuple[Receipt | NotProved, ...]:
    return receipts_in(ledger.read_stream("control"), digest_of(policy))


def some_receipt(policy: str = "a" * 64) -> Receipt:
    context = Context({"consent.book": ("explicit", 5), "score": (-3, -1), "paused": (False, 0)}, since_last_ms=4)
    return Receipt(
        policy=policy, name="sample", solver="z3 1",
        theorems=(
            Theorem(name="pause", says="p", proved=True, ms=1),
            Theorem(name="observe", says="o", proved=False, ms=2, action="book", counterexample=context, told="t"),
        ),
    )  # fmt: skip


def test_a_receipt_reads_back_as_it_was_written() -> None:
    stream, kind, body = receipt_record(some_receipt())
    assert (stream, kind, json.loads(body)["note"]) == ("control", "note", "policy_proved")
    assert receipts_in([make_record(stream, 0, 1, kind, body, GENESIS)], "a" * 64) == (some_receipt(),)


def test_a_receipt_is_fine_when_everything_is_proved() -> None:
    receipt = some_receipt()
    assert not receipt.ok and [theorem.name for theorem in receipt.unproved] == ["observe"]
    assert msgspec.structs.replace(receipt, theorems=receipt.theorems[:1]).ok
    assert not msgspec.structs.replace(receipt, theorems=()).ok


def test_other_notes_are_passed_over() -> None:
    name = "a" * 64
    bodies = [
        canonical_bytes(some_receipt("b" * 64)), canonical_bytes({"note": "release", "policy": name}), b"{}",
        canonical_bytes(NotProved(policy=name, why="w")),
    ]  # fmt: skip
    records = [make_record("control", n, n, "note", body, GENESIS) for n, body in enumerate(bodies)]
    assert receipts_in(records, name) == (NotProved(policy=name, why="w"),)


def test_a_policy_is_proved_once_and_the_ledger_still_verifies(ledger: Ledger) -> None:
    pytest.importorskip("z3")
    assert [start(ledger, GOOD), start(ledger, GOOD), start(ledger, GOOD, production=False)] == ["", "", ""]
    (receipt,) = notes(ledger, GOOD)
    assert isinstance(receipt, Receipt) and receipt.ok and receipt.policy == digest_of(GOOD)
    found = verify(ledger)
    assert found.ok and found.records == 1 and not found.notes


def test_a_base_is_proved_anew(ledger: Ledger) -> None:
    pytest.importorskip("z3")
    assert [start(ledger, GOOD), start(ledger, GOOD, base=GOOD), start(ledger, GOOD, base=GOOD)] == ["", "", ""]
    assert [note.base for note in notes(ledger, GOOD) if isinstance(note, Receipt)] == ["", digest_of(GOOD)]


def test_production_refuses_what_is_disproved(ledger: Ledger) -> None:
    pytest.importorskip("z3")
    assert "which production refuses" in start(ledger, LOOSE, production=False)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"no_inheritance: book goes from deny to allow"):
            start(ledger, LOOSE)
    assert len(notes(ledger, LOOSE)) == 1


@pytest.fixture
def no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    for name in [name for name in sys.modules if name.startswith("voicewarden.proofs.")]:
        if name.rpartition(".")[2] in ("terms", "solver", "world", "theorems", "denial", "inheritance", "monotony",
                                       "severity"):  # fmt: skip
            monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("no_solver")
def test_without_a_solver_that_is_noted_once(ledger: Ledger) -> None:
    for _ in range(2):
        assert "z3 is not installed (pip install 'voicewarden[proofs]')" in start(ledger, GOOD)
    assert notes(ledger, GOOD) == (NotProved(policy=digest_of(GOOD), why="z3 is not installed"),)
    assert verify(ledger).ok


@pytest.mark.usefixtures("no_solver")
def test_without_a_solver_what_the_ledger_knows_counts(ledger: Ledger) -> None:
    bad = some_receipt(digest_of(GOOD))
    ledger.append(*_placed(bad))
    ledger.flush()
    with pytest.raises(ConfigError, match="observe: t"):
        start(ledger, GOOD)
    ledger.append(*_placed(msgspec.structs.replace(bad, theorems=bad.theorems[:1])))
    ledger.flush()
    assert start(ledger, GOOD) == ""


def _placed(receipt: Receipt) -> tuple[str, int, Any, bytes]:
    stream, kind, body = receipt_record(receipt)
    return stream, 1, kind, body


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer(pretty_exceptions_enable=False)
    made.command("prove")(prove)
    return made


def test_the_command_prints_json(app: typer.Typer) -> None:
    pytest.importorskip("z3")
    result = RUNNER.invoke(app, ["booking-only", "--config", str(CONFIG), "--json"])
    data = json.loads(result.stdout)
    assert result.exit_code == 0 and data["ok"] is True and data["name"] == "booking-only"
    assert {"name", "proved", "ms"} <= {*data["theorems"][0]} and data["theorems"][-1]["name"] == "narrows_base"


def test_the_command_shows_what_is_not_proved(app: typer.Typer, tmp_path: Path) -> None:
    pytest.importorskip("z3")
    text = (CONFIG / "policies" / "booking-only.yaml").read_text(encoding="utf-8")
    file = tmp_path / "loose.yaml"
    everywhere = "observe: allow, assist: approve, bounded"
    loose = text.replace("observe: log, assist: approve, bounded", everywhere).replace("booking-only", "loose")
    file.write_text(loose, encoding="utf-8")
    result = RUNNER.invoke(app, [str(file), "--config", str(CONFIG)])
    assert result.exit_code == 1
    shown = " ".join(result.stdout.split())
    assert "not proved: observe (book): allowed in the stage that only watches: stage observe" in shown
    data = json.loads(RUNNER.invoke(app, [str(file), "--config", str(CONFIG), "--json"]).stdout)
    (found,) = (item for item in data["theorems"] if item["name"] == "observe")
    assert found["counterexample"]["action"] == "book"
    assert found["counterexample"]["context"]["facts"]["consent.book"][0] == "explicit"
