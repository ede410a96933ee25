"""`voicewarden replay` and `voicewarden report`: run recorded calls through the same step again, and show one to a
person.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from voicewarden.replay.exact import Difference, Replayed

_Ledger = Annotated[Path, typer.Argument(help="The ledger's file, such as var/demo/ledger.db.")]
LedgersArgument = Annotated[
    list[Path], typer.Argument(metavar="LEDGER...", help="Ledger files, or folders that hold some.")
]
CallsOption = Annotated[list[str] | None, typer.Option("--call", help="Only this call; may be given again.")]
ProcessesOption = Annotated[int, typer.Option("--processes", min=1, help="How many processes share the work.")]
ProgressOption = Annotated[
    Path | None, typer.Option("--progress", help="File of what is done already: a second run does only the rest.")
]
_MOST_FAILED: Final = 40
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def replay(
    paths: LedgersArgument, call: CallsOption = None, as_json: JsonOption = False, processes: ProcessesOption = 1,
    progress: ProgressOption = None,
) -> None:  # fmt: skip
    """Run every recorded call through the same step and compare bytes: exit 1 with the first record that differs."""
    import time

    from voicewarden.cli.console import print_json
    from voicewarden.cli.console import progress as bar
    from voicewarden.replay.batch import Job, find_ledgers, list_calls, work_off
    from voicewarden.replay.exact import Replayed
    from voicewarden.replay.pool import pool_of

    todo = list_calls(find_ledgers(paths), call or ())
    began = time.perf_counter()
    with bar("replaying", len(todo), quiet=as_json) as one_more:
        done = work_off(Job(), todo, pool_of(processes), Replayed, progress=progress, each=one_more)
    took = max(time.perf_counter() - began, 1e-9)
    results = [item.result for item in done]
    failed = [result for result in results if not result.ok]
    events = sum(result.events for result in results)
    sealed = [result.call for result in results if result.sealed]
    summary: dict[str, object] = {"calls": len(results), "events": events, "mismatches": len(failed),
                                  "events_per_second": round(events / took), "sealed": sealed}  # fmt: skip
    if as_json:
        from voicewarden.replay.side_by_side import as_data

        differing = [result.difference for result in failed if result.difference]
        summary["first_difference"] = as_data(differing[0]) if differing else None
        summary["failed"] = {result.call: why(result) for result in failed}
        print_json(summary)
    else:
        typer.echo(f"{len(results)} calls, {events:,} events, {len(failed)} mismatches, {events / took:,.0f} events/s")
        if sealed:
            typer.echo(f"{len(sealed)} of them are sealed, and no key here opens them: only the structure was checked")
        print_failed(failed)
    raise typer.Exit(1 if failed else 0)


def why(result: "Replayed") -> str:
    """Why a call did not replay, in one line."""
    if result.difference is None:
        return result.note
    seq = result.difference.seq
    return f"differs at record {seq}" + (f": {result.note}" if result.note else "")


def print_failed(failed: "Sequence[Replayed]") -> None:
    """The first difference side by side, and one line for each other call that did not replay, up to a screenful."""
    first = next((result for result in failed if result.difference is not None), None)
    if first is not None and first.difference is not None:
        print_difference(first.difference, first.note)
    others = [result for result in failed if result is not first]
    for result in others[:_MOST_FAILED]:
        typer.echo(f"{result.call}: {why(result)}")
    if len(others) > _MOST_FAILED:
        typer.echo(f"... and {len(others) - _MOST_FAILED} more; --json names them all")


def print_difference(difference: "Difference", note: str = "") -> None:
    """Both versions of a record, field by field; what differs is marked, so that colour alone says nothing."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from voicewarden.replay.side_by_side import side_by_side

    title = f"{difference.call}: record {difference.seq}" + (f" ({note})" if note else "")
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for column in ("", "field", "expected (replayed)", "found (recorded)"):
        table.add_column(column, overflow="fold")
    for row in side_by_side(difference):
        style = "bold red" if row.differs else "dim"
        sign = "≠" if row.differs else ""
        table.add_row(sign, *(escape(cell) for cell in (row.field, row.expected, row.found)), style=style)
    Console(highlight=False).print(table)


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
