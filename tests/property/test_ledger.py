"""Whatever is submitted in whatever order comes back whole and verifies; whatever is changed afterwards is found."""

import tempfile
from pathlib import Path

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.chain import Chain

from voicewarden.ledger import Ledger, verify
from voicewarden.model.record import Record

STREAMS = st.sampled_from(["call:a", "call:b", "contact:c", "control"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), STREAMS, st.integers(1, 5)),
        st.tuples(st.just("append"), STREAMS, st.integers(1, 3)),
        st.tuples(st.just("burn"), STREAMS, st.integers(0, 2)),
        st.tuples(st.just("flush"), STREAMS, st.just(0)),
        st.tuples(st.just("reopen"), STREAMS, st.just(0)),
    ),
    max_size=25,
)


class Model:
    """What a ledger has to hold, beside the ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = Ledger.open(path)
        self.written: dict[str, list[Record]] = {}
        self.spent: set[str] = set()

    def carry_out(self, step: str, stream: str, count: int) -> None:
        """Do one step to both."""
        kept = self.written.setdefault(stream, [])
        if step == "submit":
            records = Chain(stream, *self.ledger.head(stream)).events(count)
            self.ledger.submit(records)
            kept += records
        elif step == "append":
            kept += [self.ledger.append(stream, number, "note", b"{}") for number in range(count)]
        elif step == "burn":
            grant = f"{stream}/{count}"
            assert self.ledger.burn(grant, stream, 1, 0) is (grant not in self.spent)
            self.spent.add(grant)
        elif step == "flush":
            self.ledger.flush()
        else:
            self.ledger.close()
            self.ledger = Ledger.open(self.path)


@settings(max_examples=40)
@given(STEPS)
def test_everything_comes_back(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder) / "ledger.db")
        for step in steps:
            model.carry_out(*step)
        model.ledger.close()
        with Ledger.read(model.path) as view:
            for stream, records in model.written.items():
                assert list(view.read_stream(stream)) == records
            assert all(view.spent(grant) for grant in model.spent)
            assert verify(view).ok
            assert verify(view).records == sum(map(len, model.written.values()))


@settings(max_examples=60)
@given(
    count=st.integers(1, 6),
    victim=st.integers(0, 5),
    column=st.sampled_from(["seq", "at_ms", "kind", "body", "prev_hash", "hash"]),
    noise=st.binary(min_size=1, max_size=40),
)
def test_any_change_of_a_record_is_found(count: int, victim: int, column: str, noise: bytes) -> None:
    victim %= count
    value: int | str | bytes = noise
    if column in ("seq", "at_ms"):
        value = int.from_bytes(noise[:7], "big")
    elif column != "body":
        value = noise.hex()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with Ledger.open(path) as ledger:
            ledger.submit(Chain().events(count))
        connection = apsw.Connection(str(path))
        connection.execute("DROP TRIGGER records_keep_update")
        before = list(connection.execute("SELECT * FROM records ORDER BY id"))
        connection.execute(f"UPDATE OR IGNORE records SET {column} = ? WHERE seq = ?", (value, victim))
        after = list(connection.execute("SELECT * FROM records ORDER BY id"))
        connection.close()
        with Ledger.read(path) as view:
            assert verify(view).ok is (before == after)
