"""The witness: it signs only what continues what it signed, remembers before it answers; of two updates one wins."""

import threading
from hashlib import sha256
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes.log import LOG, NOW_S, ORIGIN, WITNESS, Naive, forger, open_witness, request

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import Note, encode64, parse_signature
from voicewarden.ledger.tiles import subtrees
from voicewarden.ledger.tree import consistency_path
from voicewarden.ledger.witness import Reply, Witness, WitnessStore
from voicewarden.ledger.witness_server import WitnessServer
from voicewarden.model.error import LedgerError

TREE = Naive(40)
OTHER = Naive(40, b"another history ")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return open_witness(tmp_path / "w")


def ask(witness: Witness, old: int, size: int, tree: Naive = TREE, *, proof_of: Naive | None = None) -> Reply:
    proof = consistency_path(old, size, subtrees((proof_of or tree).tile)) if old <= size else []
    return witness.add_checkpoint(request(old, proof, tree.signed(size)))


def test_it_signs_what_continues_what_it_signed(witness: Witness) -> None:
    old = 0
    for size in (1, 1, 5, 8, 8, 39):
        reply = ask(witness, old, size)
        assert (reply.status, reply.text.count("\n")) == (200, 1)
        signature = parse_signature(reply.text[:-1])
        signed = TREE.signed(size)
        assert Note(signed.note.text, (signature,)).signed_by([WITNESS.public]) == (WITNESS.public,)
        assert signature.unix_s == NOW_S
        old = size


def test_a_size_that_is_not_the_last_is_a_conflict_that_names_it(witness: Witness) -> None:
    assert ask(witness, 3, 5) == Reply(409, "0\n", "text/x.tlog.size")
    ask(witness, 0, 5)
    for old in (0, 3, 6):
        assert ask(witness, old, 9) == Reply(409, "5\n", "text/x.tlog.size")


@pytest.mark.parametrize(("old", "size"), [(5, 5), (5, 9)])
def test_another_history_is_not_signed(witness: Witness, old: int, size: int) -> None:
    ask(witness, 0, 5)
    assert ask(witness, old, size, OTHER).status == 422
    assert ask(witness, old, size, OTHER, proof_of=TREE).status == 422
    assert ask(witness, 5, 9).status == 200


def test_a_proof_that_is_not_one_is_not_taken(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, [bytes(32)], TREE.signed(5))).status == 422
    ask(witness, 0, 5)
    for proof in ([], [bytes(32)], [b"short"]):
        assert witness.add_checkpoint(request(5, proof, TREE.signed(9))).status == 422
    assert witness.add_checkpoint(request(5, [bytes(32)], TREE.signed(5))).status == 422


def test_an_unknown_log_and_a_wrong_signature_are_told_apart(witness: Witness) -> None:
    unknown = TREE.signed(5, origin="another.log")
    assert witness.add_checkpoint(request(0, [], unknown)).status == 404
    stranger = TREE.signed(5, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert witness.add_checkpoint(request(0, [], stranger)).status == 403
    signed = TREE.signed(5)
    broken = signed.note.signatures[0]._replace(value=bytes(64))
    wrong = SignedCheckpoint(signed.checkpoint, Note(signed.note.text, (broken,)))
    assert witness.add_checkpoint(request(0, [], wrong)).status == 403
    assert ask(witness, 0, 5).status == 200


GOOD = request(0, [], TREE.signed(5))
MALFORMED = [
    b"", b"\n", b"old\n", GOOD[4:], GOOD.replace(b"old 0", b"old 00"), GOOD.replace(b"old 0", b"old -1"),
    GOOD.replace(b"old 0", b"old x"), GOOD.replace(b"old 0", b"new 0"), GOOD.replace(b"old 0\n", b"old 0\n???\n"),
    GOOD.replace(b"old 0\n", b"old 0\n" + 64 * (encode64(bytes(32)).encode() + b"\n")), GOOD[:-1], b"\xff" + GOOD,
    GOOD.replace(b"\n5\n", b"\n05\n"), GOOD.replace(b"\n5\n", b"\n-5\n"), GOOD.split(b"\n\n")[0],
    GOOD.replace(b"\n\n", b"\n"),
    request(6, [], TREE.signed(5)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_what_is_malformed_is_refused(witness: Witness, number: int) -> None:
    assert witness.add_checkpoint(MALFORMED[number]).status == 400
    assert witness.add_checkpoint(GOOD).status == 200


def test_of_two_updates_at_once_one_wins(tmp_path: Path) -> None:
    """Many at once from several witnesses on one store, each continuing size 1: the store never goes back."""
    first = open_witness(tmp_path / "w")
    ask(first, 0, 1)
    witnesses = [first, *(open_witness(tmp_path / "w") for _ in range(3))]
    start, replies = threading.Barrier(16), []

    def update(size: int) -> None:
        start.wait()
        replies.append((ask(witnesses[size % 4], 1, size), size))

    threads = [threading.Thread(target=update, args=(size,)) for size in range(2, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = [size for reply, size in replies if reply.status == 200]
    assert [reply for reply, size in replies if size != won] == [Reply(409, f"{won}\n", "text/x.tlog.size")] * 15
    assert [item.checkpoint.size for item in WitnessStore.read(tmp_path / "w").checkpoints][-1] == won


def test_it_remembers_over_a_restart(tmp_path: Path) -> None:
    first = open_witness(tmp_path / "w")
    ask(first, 0, 5)
    first.close()
    again = Witness.open(tmp_path / "w", name="ignored")
    assert again.key.public == WITNESS.public
    assert ask(again, 0, 5) == Reply(409, "5\n", "text/x.tlog.size")
    again.close()


def test_what_it_can_t_keep_it_does_not_sign(tmp_path: Path) -> None:
    witness = open_witness(tmp_path / "w")
    with forger(tmp_path / "w" / "witness.db") as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON seen BEGIN SELECT RAISE(ABORT, 'no'); END")
        assert ask(witness, 0, 5).status == 503
        connection.execute("DROP TRIGGER no")
    # A write failed: nobody knows what is on the disk, so it signs nothing more until it is started again.
    assert ask(witness, 0, 5).status == 503
    witness.close()
    assert ask(Witness.open(tmp_path / "w"), 0, 5).status == 200


def test_a_store_that_is_busy_for_too_long_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicewarden.ledger.witness._BUSY_MS", 0)
    witness = open_witness(tmp_path / "w")
    with forger(tmp_path / "w" / "witness.db") as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert ask(witness, 0, 5).status == 503
        connection.execute("ROLLBACK")
    assert ask(witness, 0, 5).status == 200


def test_the_newest_checkpoint_can_be_fetched(witness: Witness) -> None:
    name = sha256(ORIGIN.encode()).hexdigest()
    assert witness.newest(name).status == 404
    ask(witness, 0, 5)
    ask(witness, 5, 9)
    reply = witness.newest(name)
    found = SignedCheckpoint.parse(reply.text)
    assert (reply.status, found.checkpoint.size) == (200, 9)
    assert found.demand_signed([LOG]) == LOG
    assert found.cosigners([WITNESS.public]) == (WITNESS.public,)
    assert witness.newest("0" * 64).status == 404


def test_the_store_can_be_read_for_verification(tmp_path: Path) -> None:
    witness = open_witness(tmp_path / "w")
    ask(witness, 0, 5)
    ask(witness, 5, 9)
    store = WitnessStore.read(tmp_path / "w")
    assert (store.key, list(store.logs)) == (WITNESS.public, [LOG])
    # Both came within one minute; the last of each is kept.
    assert [item.checkpoint.size for item in store.checkpoints] == [9]
    with pytest.raises(LedgerError, match="no store of a witness"):
        WitnessStore.read(tmp_path)


def test_it_makes_its_own_key_and_guards_it(tmp_path: Path) -> None:
    first = Witness.open(tmp_path / "w", name="example.com/w")
    assert first.key.name == "example.com/w"
    first.close()
    assert Witness.open(tmp_path / "v").key.name.startswith("witness.local/")
    assert (tmp_path / "w").stat().st_mode & 0o777 == 0o700
    key = tmp_path / "w" / "witness.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(LedgerError, match="others may read"):
        Witness.open(tmp_path / "w")
    key.unlink()
    with pytest.raises(LedgerError, match="the key of this witness is gone"):
        Witness.open(tmp_path / "w")
    with pytest.raises(LedgerError, match="no spaces"):
        Witness.open(tmp_path / "u", name="a b")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="can't be opened"):
        Witness.open(tmp_path / "file")


def test_it_signs_for_logs_only(witness: Witness) -> None:
    with pytest.raises(LedgerError, match="not the key of a log"):
        witness.trust(WITNESS.public)


def test_a_rotated_key_goes_on_with_the_same_history(witness: Witness) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    ask(witness, 0, 5)
    proof = consistency_path(5, 9, subtrees(TREE.tile))
    assert witness.add_checkpoint(request(5, proof, TREE.signed(9, private))).status == 403
    witness.trust(LOG._replace(public=private.public_key().public_bytes_raw()))
    assert witness.add_checkpoint(request(5, proof, TREE.signed(9, private))).status == 200


def test_a_store_from_elsewhere_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "witness.key").write_text(WITNESS.secret_text, encoding="utf-8")
    (tmp_path / "w" / "witness.key").chmod(0o600)
    (tmp_path / "w" / "witness.db").write_bytes(b"no database at all, yet long enough to look at" * 40)
    with pytest.raises(LedgerError, match="can't be opened"):
        Witness.open(tmp_path / "w")
    with pytest.raises((LedgerError, apsw.Error)):
        WitnessStore.read(tmp_path / "w")


def test_a_log_that_went_away_in_mid_request_is_no_news(witness: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    server = WitnessServer(("127.0.0.1", 0), witness)
    try:
        for error, is_told in ((ConnectionResetError(), False), (BrokenPipeError(), False), (ValueError(), True)):
            try:
                raise error
            except (OSError, ValueError):
                server.handle_error(None, ("127.0.0.1", 1))
            assert bool(capsys.readouterr().err) is is_told
    finally:
        server.server_close()
