"""The sequencer: what is new gets into the tree in order and is signed for, once, and a shorter ledger never is."""

import logging
import threading
from pathlib import Path

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, NOW_S, ORIGIN, PRIVATE, WITNESS, DirectClient, forger, open_witness, sequenced

from voicewarden.ledger import Ledger
from voicewarden.ledger.cosigning import Cosigning
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.tree import CompactRange, leaf_hash
from voicewarden.ledger.treefile import TreeFile, tree_path
from voicewarden.ledger.witness_client import WitnessClient
from voicewarden.model.error import LedgerBroken, LedgerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def root_of(path: Path) -> bytes:
    tree = CompactRange()
    with Ledger.read(path) as view, view.snapshot() as connection:
        for (stored,) in connection.execute("SELECT hash FROM records ORDER BY id"):
            tree.append(leaf_hash(bytes.fromhex(str(stored))))
    return tree.root()


def test_what_is_new_is_signed_for_in_the_order_of_the_file(path: Path) -> None:
    one, two = Chain("call:one"), Chain("contact:two")
    with Ledger.open(path) as ledger:
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        assert sequencer.sequence() is None
        for count in (3, 300, 1_200):
            ledger.submit([*one.events(count), *two.events(2)])
            ledger.flush()
            signed = sequencer.sequence()
            assert signed is not None
            assert signed.demand_signed([LOG]) == LOG
            assert signed.checkpoint.size == one.seq + two.seq
            assert signed.checkpoint.root == root_of(path)
        assert sequencer.sequence() is None
        sequencer.close()


def test_it_goes_on_after_a_restart_and_makes_a_lost_tree_again(path: Path) -> None:
    chain, roots = Chain(), []
    for _ in range(3):
        with Ledger.open(path) as ledger:
            ledger.submit(chain.events(70))
            assert sequenced(ledger).failure is None
        with TreeFile.open(path, ORIGIN) as tree:
            roots.append((tree.size, tree.root()))
    assert [size for size, _ in roots] == [70, 140, 210]
    tree_path(path).unlink()
    with Ledger.open(path) as ledger:
        sequenced(ledger)
        with TreeFile.open(path, ORIGIN) as tree:
            assert (tree.size, tree.root()) == roots[-1]


def test_closing_takes_in_what_was_submitted_last(path: Path) -> None:
    with Ledger.open(path) as ledger:
        with Sequencer(ledger, PRIVATE, ORIGIN, every_s=3_600):
            ledger.submit(Chain().events(10))
        with TreeFile.open(path, ORIGIN) as tree:
            assert tree.size == 10
            assert tree.newest() is not None


def test_a_running_sequencer_signs_by_itself(path: Path) -> None:
    signed = threading.Event()

    def unix_ms() -> int:
        signed.set()
        return 0

    with (
        Ledger.open(path) as ledger,
        Sequencer(ledger, PRIVATE, ORIGIN, every_s=0.001, unix_ms=unix_ms) as sequencer,
    ):
        ledger.submit(Chain().events(10))
        ledger.flush()
        assert signed.wait(60)
        assert sequencer.tree().size == 10
        assert sequencer.failure is None


CUTS = {
    "ledger ends": ("DELETE FROM records WHERE id > 5", "the ledger ends with record 5, its tree holds 10"),
    "not the one": ("UPDATE records SET hash = prev_hash WHERE id = 10", "not the one that its tree holds"),
    "is missing": ("DELETE FROM records WHERE id = 11", "record 11 of the file is missing"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_ledger_that_has_less_than_its_tree_is_not_signed_for(
    path: Path, cut: str, caplog: pytest.LogCaptureFixture
) -> None:
    chain = Chain()
    with Ledger.open(path) as ledger:
        ledger.submit(chain.events(10))
        sequenced(ledger)
        ledger.submit(chain.events(2))
    statement, told = CUTS[cut]
    with forger(path) as connection:
        connection.execute(statement)
    with Ledger.open(path) as ledger, caplog.at_level(logging.ERROR):
        sequencer = sequenced(ledger)
        assert isinstance(sequencer.failure, LedgerBroken)
        assert told in str(sequencer.failure)
        assert "no more checkpoints are signed" in caplog.text
    with TreeFile.open(path, ORIGIN) as tree:
        newest = tree.newest()
        assert newest is not None and newest.checkpoint.size == 10


def test_a_tree_that_was_changed_is_not_signed_for_again(path: Path) -> None:
    chain = Chain()
    with Ledger.open(path) as ledger:
        ledger.submit(chain.events(10))
        sequenced(ledger)
        with forger(tree_path(path)) as connection:
            (tile,) = connection.execute("SELECT hashes FROM tiles").fetchone()
            connection.execute("UPDATE tiles SET hashes = ?", (bytes(32) + tile[32:],))
        ledger.submit(chain.events(1))
        assert "not the one that was signed for" in str(sequenced(ledger).failure)


def test_keys_of_another_installation_do_not_sign(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(3))
        sequenced(ledger)
        other = Sequencer(ledger, PRIVATE, "voicewarden.local/other")
        with pytest.raises(LedgerBroken, match="our keys are those of"):
            other.sequence()
        other.close()


def test_a_full_disk_or_a_busy_file_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(3))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        tree = sequencer.tree()

        def full(_: object) -> None:
            raise apsw.FullError("no room")

        monkeypatch.setattr(tree, "_put", full)
        sequencer.sequence_or_tell()
        sequencer.sequence_or_tell()
        assert (sequencer.failure, tree.size, caplog.text.count("the disk is full")) == (None, 0, 1)
        monkeypatch.undo()
        sequencer.sequence_or_tell()
        assert tree.size == 3
        sequencer.close()


def test_after_a_failed_write_of_the_ledger_nothing_is_signed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed but not synced may be lost; nobody may have a signature for it."""
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(3))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)

        def failed(timeout_s: float = 0.0) -> None:
            raise LedgerBroken("a write failed")

        monkeypatch.setattr(ledger, "flush", failed)
        sequencer.sequence_or_tell()
        assert (sequencer.failure, sequencer.tree().size) == (None, 0)  # slow, perhaps: tried again
        monkeypatch.setattr(type(ledger), "broken", True)
        sequencer.sequence_or_tell()
        assert (str(sequencer.failure), sequencer.tree().size) == ("a write failed", 0)
        monkeypatch.undo()
        sequencer.close()


def test_a_bug_stops_the_signing_and_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(3))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN, unix_ms=lambda: 1 // 0)
        sequencer.close()
        assert isinstance(sequencer.failure, LedgerBroken)
        assert "ZeroDivisionError" in caplog.text


def test_an_installation_is_named_for_its_oldest_key(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(1))
        sequencer = Sequencer.of(
            ledger, PRIVATE, ["fedcba9876543210", "0123456789abcdef"], witness_url="http://127.0.0.1:1",
            witness_key=WITNESS.public.text,
        )  # fmt: skip
        assert sequencer.tree().origin == ORIGIN
        assert len(sequencer.cosigning) == 1
        sequencer.close()
        for url, key in (("ftp://a", WITNESS.public.text), ("http://a", LOG.text), ("http://a", "")):
            with pytest.raises(LedgerError):
                Sequencer.of(ledger, PRIVATE, ["0123456789abcdef"], witness_url=url, witness_key=key)


def test_a_witness_signs_each_checkpoint_and_the_file_keeps_it(path: Path, tmp_path: Path) -> None:
    chain, client = Chain(), DirectClient(open_witness(tmp_path / "w"))
    with Ledger.open(path) as ledger:
        for count in (1, 6, 300):
            ledger.submit(chain.events(count))
            assert sequenced(ledger, client).cosigning[0].failure is None
            with TreeFile.open(path, ORIGIN) as tree:
                newest = tree.newest(cosigned=True)
                assert newest is not None
                assert newest.checkpoint.size == chain.seq
                assert newest.cosigners([WITNESS.public]) == (WITNESS.public,)
                assert newest.note.cosigned_unix_s(WITNESS.public) == NOW_S
    # The client remembered what was signed; a new one asks, and is told.
    assert client.asked == 3
    again = DirectClient(client.witness)
    with Ledger.open(path) as ledger:
        ledger.submit(chain.events(1))
        sequenced(ledger, again)
    assert again.asked == 2


def test_a_witness_that_is_away_delays_nothing(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chain, client = Chain(), DirectClient(None)
    with Ledger.open(path) as ledger:
        for _ in range(2):
            ledger.submit(chain.events(5))
            sequencer = sequenced(ledger, client)
            assert sequencer.failure is None
            assert sequencer.cosigning[0].failure is None
        with TreeFile.open(path, ORIGIN) as tree:
            newest = tree.newest()
            assert newest is not None and newest.checkpoint.size == 10
            assert tree.newest(cosigned=True) is None
        assert "nobody answers" in caplog.text
        client.witness = open_witness(tmp_path / "w")
        ledger.submit(chain.events(5))
        sequenced(ledger, client)
        with TreeFile.open(path, ORIGIN) as tree:
            newest = tree.newest(cosigned=True)
            assert newest is not None and newest.checkpoint.size == 15


def test_a_witness_that_knows_more_stops_the_cosigning(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = DirectClient(open_witness(tmp_path / "w"))
    with Ledger.open(tmp_path / "whole.db") as ledger:
        ledger.submit(Chain().events(10))
        sequenced(ledger, client)
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(7))
        sequencer = sequenced(ledger, DirectClient(client.witness))
        assert "has signed for 10 records of this log, which has 7 now" in str(sequencer.cosigning[0].failure)
        assert "no more checkpoints are co-signed" in caplog.text


def test_a_witness_that_knows_another_history_stops_the_cosigning(path: Path, tmp_path: Path) -> None:
    client = DirectClient(open_witness(tmp_path / "w"))
    with Ledger.open(tmp_path / "one.db") as ledger:
        ledger.submit(Chain("call:other").events(5))
        sequenced(ledger, client)
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(10))
        sequencer = sequenced(ledger, DirectClient(client.witness))
        assert "does not continue what was signed before" in str(sequencer.cosigning[0].failure)
        assert sequencer.failure is None


def test_only_the_newest_checkpoint_is_offered(path: Path, tmp_path: Path) -> None:
    chain, client = Chain(), DirectClient(open_witness(tmp_path / "w"))
    with Ledger.open(path) as ledger:
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[client])
        for _ in range(5):
            ledger.submit(chain.events(2))
            ledger.flush()
            sequencer.sequence()
        sequencer.close()
    assert client.asked == 1


def test_an_answer_without_the_right_signature_is_refused(path: Path, tmp_path: Path) -> None:
    class Confused(DirectClient):
        def _post(self, body: bytes) -> object:  # type: ignore[override]
            return super()._post(body)._replace(text=answer)

    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(2))
        for number, answer in enumerate(("", "nothing\n", f"— {WITNESS.name} AAAAAAAAAA==\n")):
            client: WitnessClient = Confused(open_witness(tmp_path / f"w{number}"))
            tree_path(path).unlink(missing_ok=True)
            failure = sequenced(ledger, client).cosigning[0].failure
            assert isinstance(failure, LedgerError), answer


def test_the_cosigning_thread_tries_again_and_ends(path: Path, tmp_path: Path) -> None:
    client = DirectClient(None)
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(2))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        signed = sequencer.sequence()
        assert signed is not None
        cosigning = Cosigning(sequencer.tree, client, lambda: 0)
        cosigning.start()
        cosigning.offer(signed)
        while not client.asked:
            ledger.flush()
        client.witness = open_witness(tmp_path / "w")
        cosigning.close()
        assert not cosigning.is_alive()
        assert sequencer.tree().newest(cosigned=True) is not None
        sequencer.close()
