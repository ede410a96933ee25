"""Run the campaign: `python -m voicewarden.rehearsal.grant_campaign`, or `scripts/grant-campaign`.

In: how much to try. Out: a table by kind, or JSON, and exit 1 when anything was accepted that must not be, or refused
that has to work.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from voicewarden.config.release import load_release
from voicewarden.rehearsal.grant_campaign import racing
from voicewarden.rehearsal.grant_campaign.forging import KINDS, fresh
from voicewarden.rehearsal.grant_campaign.interleaving import Interleavings, interleave
from voicewarden.rehearsal.grant_campaign.world import GrantedCall, World, open_to_all, try_out

_PORTION: Final = 5_000
_CONTROLS_A_CALL: Final = 50


class Row(NamedTuple):
    """One kind: how many were tried, how many went wrong, and what stopped most of them."""

    kind: str
    n: int
    accepted: int
    stopped_by: str


class Size(NamedTuple):
    """How much is tried."""

    attempts: int = 1_000_000
    controls: int = 20_000
    interleavings: int = 1_000_000
    races: int = 300
    seed: int = 1


class Report(NamedTuple):
    """What came of it."""

    rows: tuple[Row, ...]
    controls: int
    controls_refused: int
    interleavings: Interleavings

    @property
    def attempts(self) -> int:
        """All that must have been refused."""
        return sum(row.n for row in self.rows)

    @property
    def accepted(self) -> int:
        """All that was not."""
        return sum(row.accepted for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether grants did what is promised, and nothing less."""
        return not self.accepted and not self.controls_refused and self.interleavings.ok


Progress = Callable[[str, int, int], None]


def run(top: Path, size: Size, progress: Progress = lambda what, done, of: None) -> Report:
    """Carry the campaign out; `top` holds `config` and `agents`."""
    chance = random.Random(size.seed)
    release = open_to_all(load_release(top / "config", top / "agents", policy="outbound-sales", approved=False))
    world = World(release, chance)
    rows = list(_forged(world, size, progress))
    with tempfile.TemporaryDirectory() as folder:
        rows += [] if not size.races else _raced(world, Path(folder), size, progress)
    refused = _controls(world, size, progress)
    found = Interleavings()
    while found.n < size.interleavings:
        progress("interleavings", found.n, size.interleavings)
        more = interleave(world, min(_PORTION, size.interleavings - found.n), chance)
        found = Interleavings(*(getattr(found, name) + getattr(more, name) for name in Interleavings.__slots__))
    return Report(tuple(rows), size.controls, refused, found)


def _forged(world: World, size: Size, progress: Progress) -> Iterator[Row]:
    share, more = divmod(size.attempts, len(KINDS))
    done = 0
    for index, (name, kind) in enumerate(KINDS.items()):
        reasons: Counter[str] = Counter()
        n = share + (index < more)
        for _ in range(n):
            reasons[try_out(kind(world))] += 1
            done += 1
            if done % _PORTION == 0:
                progress(name, done, size.attempts)
        accepted = reasons.pop("", 0)
        yield Row(name, n, accepted, reasons.most_common(1)[0][0] if reasons else "")


def _raced(world: World, folder: Path, size: Size, progress: Progress) -> Iterator[Row]:
    release = world.release
    kinds: tuple[tuple[str, Callable[[], tuple[int, int]]], ...] = (
        ("race: tasks on a ledger", lambda: racing.tasks(release, folder, size.races)),
        ("race: processes on a ledger", lambda: racing.processes(folder, size.races)),
        ("behind the ledger's epoch", lambda: racing.fenced(release, folder, size.races)),
        ("authority falls in a real loop", lambda: racing.loops(release, folder, size.races, world.chance)),
    )
    for name, race in kinds:
        progress(name, 0, size.races)
        yield Row(name, *race(), "")


def _controls(world: World, size: Size, progress: Progress) -> int:
    refused = 0
    call = world.here
    for number in range(size.controls):
        if number % _CONTROLS_A_CALL == 0:
            call = GrantedCall(world.release, f"c{number}")
            progress("controls", number, size.controls)
        refused += bool(try_out(fresh(world, call)))
    return refused


def _table(report: Report) -> str:
    lines = [f"{'kind':36}{'n':>10}{'accepted':>10}  stopped by"]
    lines += [f"{row.kind:36}{row.n:>10,}{row.accepted:>10,}  {row.stopped_by}" for row in report.rows]
    found = report.interleavings
    lines += [
        f"{'all that must be refused':36}{report.attempts:>10,}{report.accepted:>10,}",
        "",
        f"control: {report.controls - report.controls_refused:,} of {report.controls:,} fresh grants were accepted",
        f"interleavings: {found.n:,}, authority fell in {found.lowered:,}, {found.effects:,} effects; "
        f"{found.stale:,} stale, {found.double:,} double, {found.lost:,} lost",
    ]
    return "\n".join(lines)


# Any: JSON.
def _as_json(report: Report) -> dict[str, Any]:
    found = report.interleavings
    return {
        "ok": report.ok, "attempts": report.attempts, "accepted": report.accepted,
        "kinds": {
            row.kind: {"n": row.n, "accepted": row.accepted, "stopped_by": row.stopped_by} for row in report.rows
        },
        "control": {"n": report.controls, "refused": report.controls_refused},
        "interleavings": {name: getattr(found, name) for name in Interleavings.__slots__},
    }  # fmt: skip


def _show(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what:36} {done:>9,} of {of:>9,}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Read the options, run, print; the exit code."""
    parser = argparse.ArgumentParser(prog="grant-campaign", description="Try to spend grants that must not be spent.")
    usual = Size()
    parser.add_argument("--attempts", type=int, default=usual.attempts, help="grants that must be refused")
    parser.add_argument("--controls", type=int, default=usual.controls, help="fresh grants that must be accepted")
    parser.add_argument("--interleavings", type=int, default=usual.interleavings, help="random orders of steps")
    parser.add_argument("--races", type=int, default=usual.races, help="races on a real ledger, of each kind")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the same seed tries the same")
    parser.add_argument("--top", type=Path, default=Path(), help="folder with config/ and agents/")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    size = Size(given.attempts, given.controls, given.interleavings, given.races, given.seed)
    report = run(given.top, size, _show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(_as_json(report), indent=2) if given.json else _table(report))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
