"""A writer is killed without warning, again and again: what it acknowledged is there, and the chain holds.

Run as a program it is the campaign (`python tests/e2e/test_ledger_crash.py KILLS`, scripts/crash-campaign); with the
word `write` it is the writer that gets killed. A kill shows what survives the process, not what survives the power.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "src")]

import pytest  # noqa: E402
from tests.fakes.chain import Chain  # noqa: E402

from voicewarden.ledger import Claim, Ledger, verify  # noqa: E402
from voicewarden.model.error import GrantRefused, LedgerError  # noqa: E402

STREAMS = 4
KILLS = 30


def write(path: Path) -> None:
    """Write for ever; say on standard output what is durable."""
    ledger = Ledger.open(path)
    chains = [Chain(name, *ledger.head(name)) for name in (f"call:{number}" for number in range(STREAMS))]
    for turn in range(10**9):
        chain = chains[turn % STREAMS]
        ledger.submit(chain.events(3))
        args = {"turn": turn}
        seq = chain.seq + 1
        records = [chain.decision("book", args), chain.grant("book", args)]
        done = threading.Event()

        def say(
            error: Exception | None, line: str = f"{chain.stream} {seq} {chain.last}\n", done: threading.Event = done
        ) -> None:
            if error is None:
                os.write(1, line.encode())
            done.set()

        ledger.submit(records, on_durable=say)
        if turn % 3 == 0:
            done.wait()
            ledger.burn(f"{chain.call}/{seq}", chain.call, 1, 0, claims=[Claim("limit", ("all",), None, -1, turn)])
            os.write(1, f"burnt {chain.call}/{seq} -\n".encode())


def spend(path: Path, grant: str) -> None:
    """Wait for the writer's place and try to spend a grant once."""
    while True:
        try:
            with Ledger.open(path) as ledger:
                os.write(1, b"first\n" if ledger.burn(grant, "one", 1, 0) else b"late\n")
                return
        except LedgerError as error:
            if "is writing" not in str(error):
                raise


def take(path: Path, name: str) -> None:
    """Wait for the writer's place and try to take the last place in a limit with a grant of one's own."""
    while True:
        try:
            with Ledger.open(path) as ledger:
                ledger.burn(f"{name}/1", name, 1, 0, claims=[Claim("book.limits.1", ("person:book:p",), 1, 0, 1)])
                os.write(1, b"taken\n")
                return
        except GrantRefused:
            os.write(1, b"full\n")
            return
        except LedgerError as error:
            if "is writing" not in str(error):
                raise


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start this file as a program."""
    return subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE)


def killed_writer(path: Path, chance: random.Random) -> list[list[str]]:
    """Let a writer acknowledge some work, kill it at some moment and return what it acknowledged."""
    child = start("write", str(path))
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(chance.randint(1, 20))]
    for _ in range(chance.randint(0, 20_000)):
        pass
    os.kill(child.pid, signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


def campaign(path: Path, kills: int, seed: int) -> Iterator[tuple[int, int]]:
    """Kill a writer so many times; yields the count of acknowledged and of stored records after each."""
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(kills):
        said = killed_writer(path, chance)
        acknowledged += len(said)
        with Ledger.open(path) as ledger:
            result = verify(ledger)
            assert result.ok, result.problems[:3]
            with ledger.snapshot() as connection:
                # A place is taken with its burn or not at all.
                assert ledger.counted(["all"], -1) == connection.execute("SELECT count(*) FROM burns").get
            held = {stream: {r.seq: r.hash for r in ledger.read_stream(stream)} for stream in ledger.streams()}
            for what, place, digest in said:
                if what == "burnt":
                    assert ledger.spent(place)
                    assert not ledger.burn(place, "again", 1, 0)
                else:
                    assert held[what][int(place)] == digest
        yield acknowledged, result.records


@pytest.mark.parametrize("part", range(3))
def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, part: int) -> None:
    for acknowledged, records in campaign(tmp_path / "ledger.db", KILLS // 3, seed=part):
        assert records >= acknowledged > 0


def test_one_of_several_processes_burns(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()
    racers = [start("spend", str(path), "one/4") for _ in range(3)]
    said = sorted(racer.communicate()[0].strip() for racer in racers)
    assert said == [b"first", b"late", b"late"]
    with Ledger.read(path) as view:
        assert view.spent("one/4")


def test_one_of_several_processes_takes_the_last_place(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()
    racers = [start("take", str(path), name) for name in "abc"]
    said = sorted(racer.communicate()[0].strip() for racer in racers)
    assert said == [b"full", b"full", b"taken"]
    with Ledger.read(path) as view:
        assert view.counted(["person:book:p"], 0) == 1
        assert [view.spent(f"{name}/1") for name in "abc"].count(True) == 1
        assert verify(view).ok


def test_a_second_process_can_read_but_not_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    child = start("write", str(path))
    assert child.stdout is not None
    child.stdout.readline()
    with pytest.raises(LedgerError, match=f"process {child.pid} is writing"):
        Ledger.open(path)
    with Ledger.read(path) as view:
        assert verify(view).ok
        assert view.streams("call:")
    child.kill()
    child.stdout.close()
    child.wait()


def main() -> None:
    """Be the writer, a racer or the campaign."""
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["spend"]:
        spend(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["take"]:
        take(Path(sys.argv[2]), sys.argv[3])
    else:
        kills = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
        with tempfile.TemporaryDirectory() as folder:
            acknowledged = records = 0
            for done, counts in enumerate(campaign(Path(folder) / "ledger.db", kills, seed=kills), 1):
                acknowledged, records = counts
                print(f"\r{done}/{kills} kills, {acknowledged} acknowledged", end="", file=sys.stderr, flush=True)
        print(f"\n{kills} kills: 0 of {acknowledged} acknowledgements lost, {records} records, chain whole")


if __name__ == "__main__":
    main()
