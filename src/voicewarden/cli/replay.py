"""`voicewarden replay` and `voicewarden report`: run recorded calls through the same step again, and show one to a
person.
"""

from pathlib import Path
from typing import Annotated

import typer

_Ledger = Annotated[Path, typer.Argument(help="The ledger's file, such as var/demo/ledger.db.")]


def replay(
    path: _Ledger,
    call: Annotated[list[str] | None, typer.Option("--call", help="Only this call; may be given again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run every recorded call through the same step and compare bytes: exit 1 at the first that differs."""
    import time

    from voicewarden.cli.console import print_json, progress
    from voicewarden.ledger.store import Ledger
    from voicewarden.replay.exact import replay_ledger

    ledger = Ledger.read(path)
    calls = tuple(call or ())
    total = len(calls) or len(ledger.streams("call:"))
    began = time.perf_counter()
    with progress("replaying", total, quiet=as_json) as done:
        results = replay_ledger(ledger, calls=calls, each=lambda _: done())
    took = max(time.perf_counter() - began, 1e-9)
    events = sum(result.events for result in results)
    differing = [result.difference for result in results if result.difference]
    summary = {"calls": len(results), "events": events, "mismatches": len(differing),
               "events_per_second": round(events / took)}  # fmt: skip
    if as_json:
        print_json(summary)
    else:
        typer.echo(f"{len(results)} calls, {events:,} events, {len(differing)} mismatches, "
                   f"{summary['events_per_second']:,} events/s")  # fmt: skip
    for difference in differing:
        typer.echo(f"{difference.call} record {difference.seq}", err=True)
        typer.echo(f"  recorded: {difference.recorded}\n  replayed: {difference.replayed}", err=True)
    raise typer.Exit(1 if differing else 0)


def report(
    path: _Ledger,
    call: Annotated[str, typer.Argument(help="The call's id.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default CALL.html.")] = None,
    recording: Annotated[Path | None, typer.Option("--recording", help="The call's two-channel WAV.")] = None,
) -> None:
    """Write one self-contained HTML page about a call: what was heard, said, decided and done, and why."""
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import LedgerError
    from voicewarden.replay.report import report_name, write_report

    ledger = Ledger.read(path)
    if f"call:{call}" not in ledger.streams("call:"):
        raise LedgerError(f"{path} holds no call of that id; `voicewarden replay {path}` counts those that it has")
    beside = path.parent / "recordings" / f"{call}.wav"
    if recording is None and beside.exists():
        recording = beside
    target = out or Path(report_name(call))
    write_report(ledger, call, target, recording=recording)
    typer.echo(str(target))
