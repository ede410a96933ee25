"""Kills: a writer with its sequencer, and its witness, are killed without warning; what they said stays true.

In: a folder, a number of rounds, a seed. Out: how many kills and acknowledgements there were; an AssertionError for
anything that was lost. Run by `scripts/crash-campaign`; `python -m tests.campaign.kills write ...` is the writer.
"""

import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.fakes.chain import Chain
from tests.fakes.log import LOG, ORIGIN, PRIVATE

from voicewarden.ledger import Claim, Ledger, verify
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.treecheck import TreeCheck
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.witness_client import WitnessClient

STREAMS: Final = 4
ROUNDS_A_LEDGER: Final = 50
_TOP: Final = Path(__file__).resolve().parents[2]
_ANSWER_S: Final = 120


class Killed(NamedTuple):
    """What a campaign has done so far."""

    writers: int
    witnesses: int
    acknowledged: int
    cosigned: int
    """Of these, words of the writer that a witness has co-signed so much."""
    records: int


def write(path: Path, url: str, witness: str) -> None:
    """Write for ever, be signed for every 20 ms, and say on standard output what is certain."""
    ledger = Ledger.open(path)
    chains = [Chain(name, *ledger.head(name)) for name in (f"call:{number}" for number in range(STREAMS))]
    client = WitnessClient(url, VerifierKey.parse(witness))
    with Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[client], every_s=0.02) as sequencer:
        for turn in range(10**9):
            chain = chains[turn % STREAMS]
            ledger.submit(chain.events(3))
            _grant(ledger, chain, turn)
            if turn % 5 == 0:
                _tell_signed(sequencer.tree())


def _grant(ledger: Ledger, chain: Chain, turn: int) -> None:
    seq = chain.seq + 1
    records = [chain.decision("book", {"turn": turn}), chain.grant("book", {"turn": turn})]
    done = threading.Event()
    line = f"{chain.stream} {seq} {chain.last}"

    def say(error: Exception | None) -> None:
        if error is None:
            _say(line)
        done.set()

    ledger.submit(records, on_durable=say)
    if turn % 3 == 0:
        done.wait()
        ledger.burn(f"{chain.call}/{seq}", chain.call, 1, 0, claims=[Claim("limit", ("all",), None, -1, turn)])
        _say(f"burnt {chain.call}/{seq} -")


def _tell_signed(tree: TreeFile) -> None:
    for what, cosigned in (("signed", False), ("cosigned", True)):
        newest = tree.newest(cosigned=cosigned)
        if newest is not None:
            _say(f"{what} {newest.checkpoint.size} -")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


class Witnessing:
    """A witness process that comes back at the same address after each kill."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self._port = 0
        self.key = ""
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [sys.executable, "-m", "voicewarden.cli.main", "ledger", "witness", "--store", str(self.store)]
        command += ["--listen", f"127.0.0.1:{self._port}", "--log", LOG.text]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment()
        )
        assert self._process.stdout is not None
        self.key = self._process.stdout.readline().removeprefix("key ").strip()
        self._port = int(self._process.stdout.readline().strip().rpartition(":")[2])

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def campaign(folder: Path, rounds: int, seed: int) -> Iterator[Killed]:
    """So many rounds, each with a kill of the writer and some with one of the witness; yields the count so far."""
    chance = random.Random(seed)
    so_far = Killed(0, 0, 0, 0, 0)
    for begin in range(0, rounds, ROUNDS_A_LEDGER):
        place = folder / str(begin)
        place.mkdir()
        witness = Witnessing(place / "witness")
        try:
            for _ in range(min(ROUNDS_A_LEDGER, rounds - begin)):
                said, kills = _round(place / "ledger.db", witness, chance)
                records = _check(place / "ledger.db", witness.store, said)
                cosigned = sum(what == "cosigned" for what, _, _ in said)
                so_far = Killed(
                    so_far.writers + 1, so_far.witnesses + kills, so_far.acknowledged + len(said),
                    so_far.cosigned + cosigned, records,
                )  # fmt: skip
                yield so_far
        finally:
            witness.kill()


def _round(path: Path, witness: Witnessing, chance: random.Random) -> tuple[list[list[str]], int]:
    command = [sys.executable, "-m", "tests.campaign.kills", "write", str(path), witness.url, witness.key]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_TOP, env=_environment())
    assert child.stdout is not None
    lines = [_line(child) for _ in range(chance.randint(1, 25))]
    is_away = chance.random() < 0.4
    kills = int(is_away)
    if is_away:
        witness.kill()
        lines += [_line(child) for _ in range(chance.randint(0, 5))]
        if chance.random() < 0.7:
            witness.start()
            is_away = False
        lines += [_line(child) for _ in range(chance.randint(0, 10))]
    for _ in range(chance.randint(0, 20_000)):
        pass
    os.kill(child.pid, signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    if is_away:
        witness.start()
    return [line.decode().split() for line in lines if line.endswith(b"\n")], kills


def _line(child: "subprocess.Popen[bytes]") -> bytes:
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], _ANSWER_S)
    # What Python has read ahead is not seen by select, so an empty answer is looked at once more.
    return child.stdout.readline() if ready or child.stdout.peek(1) else b""  # type: ignore[attr-defined]


def _check(path: Path, store: Path, said: list[list[str]]) -> int:
    """Everything that was said is true, with the witness's word against ours."""
    cosigned = any(what == "cosigned" for what, _, _ in said)
    check = TreeCheck.open(path, keys=[LOG], witness_store=store) if cosigned else None
    with Ledger.open(path) as ledger:
        result = verify(ledger, check)
        assert result.ok, result.problems[:3]
        with ledger.state() as state:
            assert ledger.counted(["all"], -1) == len(list(state.burns()))
        held = {(name, item.seq): item.hash for name in ledger.streams() for item in ledger.read_stream(name)}
        tree = TreeFile.read(path)
        for what, place, digest in said:
            match what:
                case "burnt":
                    assert ledger.spent(place), "a spent grant is unspent"
                    assert not ledger.burn(place, "again", 1, 0)
                case "signed" | "cosigned":
                    newest = tree.newest(cosigned=what == "cosigned") if tree else None
                    assert newest is not None and int(place) <= newest.checkpoint.size <= result.records
                case stream:
                    assert held[stream, int(place)] == digest, "an acknowledged grant is lost"
        if tree:
            tree.close()
    return result.records


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(_TOP / "src"), str(_TOP)])}


if __name__ == "__main__":
    assert sys.argv[1] == "write"
    write(Path(sys.argv[2]), sys.argv[3], sys.argv[4])
