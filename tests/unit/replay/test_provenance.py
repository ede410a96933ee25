"""The papers of a report: a proof where there is one, the record where there is none, never a claim beyond that."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.log import LOG, WITNESS, DirectClient, forger, open_witness, sequenced
from tests.fakes.recorded_call import booking_call

from voicewarden.ledger.prooffile import check_proof
from voicewarden.ledger.store import Ledger
from voicewarden.model.record import Record, chain_hash
from voicewarden.replay.provenance import Provenance
from voicewarden.replay.report import write_report


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        booking_call().store(opened)
        yield opened


def record(ledger: Ledger, seq: int = 35) -> Record:
    return next(item for item in ledger.read_stream("call:sample-1") if item.seq == seq)


def test_record_that_a_witness_saw_has_a_proof_that_holds(ledger: Ledger, tmp_path: Path) -> None:
    sequenced(ledger, DirectClient(open_witness(tmp_path / "w")))
    with Provenance(ledger) as provenance:
        paper = provenance.paper(record(ledger))
    assert (paper.is_proof, paper.name) == (True, "call-sample-1-proof-35.json")
    assert all(step.ok for step in check_proof(paper.document.encode(), [LOG, WITNESS.public]))
    assert re.fullmatch(
        r"Entry 36 of \d+ in the ledger, which its operator signed and \S+ co-signed as witness\.", paper.says
    )


def test_record_that_only_the_operator_signed(ledger: Ledger) -> None:
    sequenced(ledger)
    with Provenance(ledger) as provenance:
        assert provenance.paper(record(ledger)).says.endswith("no witness co-signed.")


def test_ledger_without_a_tree_gives_the_record_itself(ledger: Ledger) -> None:
    with Provenance(ledger) as provenance:
        paper = provenance.paper(record(ledger))
    assert (paper.is_proof, provenance.problem) == (False, "")
    assert paper.says == "Not proved to outsiders: this ledger has no signed tree."
    kept = json.loads(paper.document)["record"]
    made = chain_hash(
        kept["stream"], kept["seq"], kept["at_ms"], kept["kind"], kept["body"].encode(), kept["prev_hash"]
    )
    assert made == kept["hash"] == record(ledger).hash


def test_record_behind_the_last_checkpoint_says_so(ledger: Ledger) -> None:
    sequenced(ledger)
    booking_call("late").store(ledger)
    late = next(iter(ledger.read_stream("call:late")))
    with Provenance(ledger) as provenance:
        assert provenance.paper(late).says == "Not proved to outsiders: no signed checkpoint covers it yet."


def test_rewritten_record_is_no_proof_and_is_named(ledger: Ledger) -> None:
    sequenced(ledger)
    path = ledger.path
    ledger.close()
    with forger(path) as connection:
        connection.execute("UPDATE records SET hash = ? WHERE seq = 35", ("0" * 64,))
    with Ledger.read(path) as view, Provenance(view) as provenance:
        seen = next(item for item in view.read_stream("call:sample-1") if item.seq == 35)
        paper = provenance.paper(seen)
    assert not paper.is_proof
    assert "THE SIGNED TREE HOLDS ANOTHER RECORD HERE" in paper.says


def test_card_carries_proofs_that_hold(ledger: Ledger, tmp_path: Path) -> None:
    sequenced(ledger, DirectClient(open_witness(tmp_path / "w")))
    source = write_report(ledger, "sample-1", tmp_path / "r.html").read_text("utf-8")
    papers = re.findall(r'href="data:application/json;base64,([^"]+)" download="([^"]+)">([^<]+)<', source)
    assert {label for _, _, label in papers} == {"proof of this decision", "permission", "receipt"}
    for content, name, _ in papers:
        document = base64.b64decode(content)
        assert all(step.ok for step in check_proof(document, [LOG]))
        assert name == f"call-sample-1-proof-{json.loads(document)['record']['seq']}.json"
