"""Spent grants without an outcome are listed, and no others."""

import json
from pathlib import Path

import msgspec
import pytest
from tests.fakes.chain import Chain
from typer.testing import CliRunner

from voicewarden.cli.ledger import app
from voicewarden.ledger import Ledger
from voicewarden.ledger.unknown import UnknownGrant, unknown_grants
from voicewarden.model.event import CallStarted, ReceiptReturned


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def granted(ledger: Ledger, chain: Chain, action: str, outcome: str | None, *, spend: bool = True) -> str:
    """A grant of this call, spent unless told otherwise, and what its receipt says."""
    args = {"at": chain.seq}
    ledger.submit([chain.decision(action, args), chain.grant(action, args)])
    grant = f"{chain.call}/{chain.seq - 1}"
    if spend:
        assert ledger.burn(grant, chain.call, 1, 0)
    if outcome is not None:
        receipt = ReceiptReturned(at_ms=0, grant=grant, outcome=outcome)  # type: ignore[arg-type]
        ledger.submit([chain.event(receipt)])
    return grant


def test_a_spent_grant_without_a_receipt_is_unknown(path: Path) -> None:
    started = CallStarted(
        at_ms=0, call="one", agent="booking", direction="inbound", contact="c", stage="bounded", epoch=1, release="r",
        started_unix_ms=1_700_000_000_000, development=True, facts={},
    )  # fmt: skip
    one, two = Chain("call:one"), Chain("call:two")
    with Ledger.open(path) as ledger:
        ledger.submit([one.event(started)])
        granted(ledger, one, "book", "done")
        lost = granted(ledger, one, "send_message", None)
        granted(ledger, one, "book", None, spend=False)
        granted(ledger, two, "book", "failed")
        vague = granted(ledger, two, "transfer_call", "unknown")
        assert ledger.burn("three/7", "three", 1, 0)
        ledger.flush()
        found = unknown_grants(ledger)
    assert [(item.grant, item.why) for item in found] == [
        ("three/7", "no receipt"), (vague, "unknown"), (lost, "no receipt"),
    ]  # fmt: skip
    assert found[-1] == UnknownGrant(lost, "one", 5, "send_message", 100, 1_700_000_000_100, "no receipt")
    assert (found[0].seq, found[0].action) == (-1, "")


def test_the_command_exits_with_1_when_somebody_has_to_look(path: Path) -> None:
    chain, run = Chain(), CliRunner()
    with Ledger.open(path) as ledger:
        granted(ledger, chain, "book", "done")
    clean = run.invoke(app, ["unknown", str(path)])
    assert (clean.exit_code, clean.stdout) == (0, "every spent grant has an outcome\n")
    with Ledger.open(path) as ledger:
        lost = granted(ledger, chain, "book", None)
        told = run.invoke(app, ["unknown", str(path)])  # a server may run
    assert told.exit_code == 1
    assert f"call one, record 4: book, no receipt (grant {lost})" in told.stdout
    said = json.loads(run.invoke(app, ["unknown", str(path), "--json"]).stdout)
    assert said["unknown"] == 1
    assert said["grants"][0] == {
        "grant": lost, "call": "one", "seq": 4, "action": "book", "at_ms": 80, "unix_ms": 0, "why": "no receipt",
    }  # fmt: skip


def test_a_body_that_can_not_be_read_hides_nothing_else(path: Path) -> None:
    chain = Chain()
    with Ledger.open(path) as ledger:
        ledger.submit([chain.raw(b"\xff"), msgspec.structs.replace(chain.raw(b'{"ReceiptReturned'), kind="event")])
        lost = granted(ledger, Chain("call:two"), "book", None)
        ledger.flush()
        assert [item.grant for item in unknown_grants(ledger)] == [lost]
