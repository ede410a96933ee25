"""A backup is one state of a ledger that goes on being written, and going back to it loses only what came after."""

import json
import threading
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.log import ORIGIN, PRIVATE
from typer.testing import CliRunner

from voicewarden.cli.ledger import app
from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.backup import back_up
from voicewarden.ledger.blobs import blob_folder
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.treefile import TreeFile, tree_path
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.vaultfile import vault_path
from voicewarden.model.error import LedgerBroken, LedgerError


class Filled(NamedTuple):
    """A closed ledger with a tree and blobs."""

    path: Path
    blobs: tuple[str, ...]


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    path = tmp_path / "var" / "ledger.db"
    chain = Chain()
    with Ledger.open(path) as ledger:
        ledger.submit(chain.events(700))
        names = tuple(ledger.put_blob(bytes([number]) * 3_000) for number in range(5))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        sequencer.sequence()
        sequencer.close()
        ledger.submit(chain.events(10))
    return Filled(path, names)


def test_a_copy_holds_and_can_be_written_on(filled: Filled, tmp_path: Path) -> None:
    found = back_up(filled.path, tmp_path / "copy")
    assert not found.problems
    assert (found.records, found.has_tree, found.has_keys) == (710, True, False)
    assert (found.blobs_copied, found.blobs_kept) == (5, 0)
    copied = [*(tmp_path / "copy").rglob("*")]
    files = {path.relative_to(tmp_path / "copy").as_posix() for path in copied if path.is_file()}
    assert files == {"ledger.db", "ledger.db.tree", *(f"ledger.db.blobs/{name[:2]}/{name}" for name in filled.blobs)}
    assert {oct(path.stat().st_mode & 0o077) for path in copied} == {"0o0"}
    with Ledger.read(filled.path) as old, Ledger.open(found.ledger) as new:
        assert new.head("call:one") == old.head("call:one")
        assert list(new.read_stream("call:one")) == list(old.read_stream("call:one"))
        assert new.get_blob(filled.blobs[0])
        chain = Chain("call:one", *new.head("call:one"))
        new.submit(chain.events(3))
        new.flush()
        sequencer = Sequencer(new, PRIVATE, ORIGIN)
        assert sequencer.sequence() is not None
        sequencer.close()
        assert verify(new).ok


def test_a_copy_is_one_state_while_a_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "var" / "ledger.db"
    chains = [Chain(f"call:{number}") for number in range(4)]
    done, going = threading.Event(), threading.Event()

    def write(ledger: Ledger) -> None:
        while not done.is_set():
            for chain in chains:
                ledger.submit(chain.events(20))
            ledger.flush()
            if min(chain.seq for chain in chains) > 1_000:
                going.set()

    with Ledger.open(path) as ledger, Sequencer(ledger, PRIVATE, ORIGIN, every_s=0.01):
        writing = threading.Thread(target=write, args=(ledger,))
        writing.start()
        assert going.wait(30)
        steps: list[tuple[str, int, int]] = []
        found = [back_up(path, tmp_path / "copy", told=lambda *step: steps.append(step)) for _ in range(3)]
        done.set()
        writing.join(30)
        assert [item.problems for item in found] == [(), (), ()]
        assert 4_000 < found[0].records < found[1].records < found[2].records
        assert all(done <= total for _, done, total in steps)
        with Ledger.read(found[2].ledger) as copy:
            for chain in chains:
                kept = list(copy.read_stream(chain.stream))
                assert kept == list(ledger.read_stream(chain.stream))[: len(kept)]


def test_keys_come_along_on_demand_only_and_open_what_was_sealed(filled: Filled, tmp_path: Path) -> None:
    wrapping = {"w": bytes(32)}
    vault = Vault.open(filled.path, wrapping, tmp_path / "keys")
    words = vault.make("call:sealed", 1).words
    vault.close()
    plain = back_up(filled.path, tmp_path / "copy")
    assert not plain.has_keys and not vault_path(plain.ledger).exists()
    found = back_up(filled.path, tmp_path / "copy", with_keys=True)
    assert found.has_keys and not found.problems
    again = Vault.open(found.ledger, wrapping, tmp_path / "keys")
    kept = again.words("call:sealed")
    assert kept is not None and kept.blind("text") == words.blind("text")
    again.close()
    assert back_up(filled.path, tmp_path / "copy").has_keys, "that they lie there still has to be told"


def test_blobs_that_came_across_stay(filled: Filled, tmp_path: Path) -> None:
    first = back_up(filled.path, tmp_path / "copy")
    lost = blob_folder(first.ledger) / filled.blobs[2][:2] / filled.blobs[2]
    lost.write_bytes(b"half of")
    with Ledger.open(filled.path) as ledger:
        ledger.put_blob(b"new")
    again = back_up(filled.path, tmp_path / "copy")
    assert (again.blobs_copied, again.blobs_kept) == (2, 4)
    assert len(lost.read_bytes()) == 3_000


def test_a_blob_that_was_changed_is_told_and_not_copied(filled: Filled, tmp_path: Path) -> None:
    name = filled.blobs[1]
    (blob_folder(filled.path) / name[:2] / name).write_bytes(b"other bytes")
    found = back_up(filled.path, tmp_path / "copy")
    told = f"blob {name[:12]} is not what was stored, and was not copied"
    assert [problem.what for problem in found.problems] == [told]
    assert not (blob_folder(found.ledger) / name[:2] / name).exists()


@pytest.mark.parametrize("other", ["another ledger", "a shorter one"])
def test_a_good_copy_is_not_replaced_by_another_history(filled: Filled, tmp_path: Path, other: str) -> None:
    found = back_up(filled.path, tmp_path / "copy")
    before = found.ledger.read_bytes(), tree_path(found.ledger).read_bytes()
    path = tmp_path / "else" / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.submit(Chain("call:one" if other == "a shorter one" else "call:two").events(300))
    with pytest.raises(LedgerBroken, match="does not begin with them"):
        back_up(path, tmp_path / "copy")
    assert (found.ledger.read_bytes(), tree_path(found.ledger).read_bytes()) == before
    assert not back_up(filled.path, tmp_path / "copy").problems


def test_a_copy_that_does_not_hold_is_told(filled: Filled, tmp_path: Path) -> None:
    connection = apsw.Connection(str(filled.path))
    connection.execute("DROP TRIGGER records_keep_update")
    connection.execute("UPDATE records SET at_ms = at_ms + 1 WHERE id = 44")
    connection.close()
    found = back_up(filled.path, tmp_path / "copy")
    assert found.problems and found.problems[0].seq == 43


def test_what_can_not_be_copied_is_named(filled: Filled, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="own folder"):
        back_up(filled.path, filled.path.parent)
    with pytest.raises(LedgerError, match="no ledger here"):
        back_up(tmp_path / "none.db", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LedgerError, match="can't be written"):
        back_up(filled.path, tmp_path / "file")


def test_the_tree_of_a_copy_is_never_ahead_of_its_ledger(filled: Filled, tmp_path: Path) -> None:
    found = back_up(filled.path, tmp_path / "copy")
    tree = TreeFile.read(found.ledger)
    assert tree is not None
    with tree:
        assert tree.size == 700 <= found.records


def test_the_command_prints_what_it_found(filled: Filled, tmp_path: Path) -> None:
    run = CliRunner()
    result = run.invoke(app, ["backup", str(filled.path), str(tmp_path / "copy"), "--json"])
    said = json.loads(result.stdout)
    assert (result.exit_code, said["ok"], said["records"], said["blobs_copied"]) == (0, True, 710, 5)
    result = run.invoke(app, ["backup", str(filled.path), str(tmp_path / "copy")])
    assert result.exit_code == 0
    assert "710 records, with tree, 0 blobs copied, 5 were there" in result.stdout
    assert "the copy holds" in result.stdout
    name = filled.blobs[1]
    (blob_folder(filled.path) / name[:2] / name).write_bytes(b"other bytes")
    (blob_folder(tmp_path / "copy" / "ledger.db") / name[:2] / name).unlink()
    result = run.invoke(app, ["backup", str(filled.path), str(tmp_path / "copy")])
    assert result.exit_code == 1
    assert "do not rely on it" in result.stdout
