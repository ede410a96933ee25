"""`voicewarden qa`: many calls on one page, what to look at first, and what changed since an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.ledger.view import LedgerView
    from voicewarden.replay.drift import Drift
    from voicewarden.replay.run import Run


def qa(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file, such as var/demo/ledger.db.")],
    against: Annotated[Path | None, typer.Option("--against", help="JSON of an earlier run, to compare with.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="HTML file to write.")] = None,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="With --out: write the reports of the calls to look at in here.")
    ] = None,
    first: Annotated[int, typer.Option("--first", min=1, help="How many calls to look at first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; keep it for --against.")] = False,
) -> None:
    """Count the calls of a ledger: endings, refusals by rule, unclear answers, waits, and calls to look at first."""
    from voicewarden.cli.console import print_json, progress
    from voicewarden.ledger.store import Ledger
    from voicewarden.replay.drift import drift_between
    from voicewarden.replay.run import load_run, read_run
    from voicewarden.replay.run_data import run_data

    if reports is not None and out is None:
        raise typer.BadParameter("reports are linked from a page: name it with --out", param_hint="--reports")
    older = load_run(against) if against else None
    with Ledger.read(path) as ledger:
        with progress("counting", len(ledger.streams("call:")), quiet=as_json) as done:
            run = read_run(ledger, each=done)
        drift = drift_between(older, run) if older is not None else None
        if out is not None:
            _write(ledger, run, drift, out, reports, first, quiet=as_json)
    if as_json:
        print_json(run_data(run, drift, first=first))
    else:
        _tell(run, drift, first)
        if out is not None:
            typer.echo(str(out))


def _write(
    ledger: LedgerView, run: Run, drift: Drift | None, out: Path, reports: Path | None, first: int, *, quiet: bool
) -> None:
    import os

    from voicewarden.cli.console import progress
    from voicewarden.model.error import ConfigError
    from voicewarden.replay.report import report_name, write_report
    from voicewarden.replay.run_report import write_run_report

    addresses = {}
    try:
        if reports is not None:
            shown = run.first(first)
            with progress("reports", len(shown), quiet=quiet) as done:
                for call in shown:
                    beside = ledger.path.parent / "recordings" / f"{call.call}.wav"
                    target = reports / report_name(call.call)
                    write_report(ledger, call.call, target, recording=beside if beside.exists() else None)
                    addresses[call.call] = Path(os.path.relpath(target, out.parent)).as_posix()
                    done()
        write_run_report(run, drift, out, ledger=ledger.path.name, first=first, reports=addresses)
    except OSError as error:
        where = str(error.filename or out)
        raise ConfigError(f"the page can't be written ({error.strerror}); name another place", file=where) from error


def _tell(run: Run, drift: Drift | None, first: int) -> None:
    from voicewarden.replay.wording import clock, duration, plain

    ends = ", ".join(f"{plain(name or 'no end')} {share.hits}" for name, share in run.outcomes())
    answers = run.answers()
    gaps = run.gaps()
    waits = f"p50 {duration(gaps.p50_ms)}, p95 {duration(gaps.p95_ms)} of {gaps.count}" if gaps else "none measured"
    rules = ", ".join(f"{rule} {count}" for rule, count, _ in run.refusals()[:8]) or "none"
    typer.echo(f"{len(run.calls)} calls: {ends or 'none'}")
    typer.echo(f"refusals by rule: {rules}")
    typer.echo(f"questions to callers: {answers.questions}, unclear answers: {answers.unclear}, "
               f"not heard: {answers.unheard}")  # fmt: skip
    typer.echo(f"waits for an answer: {waits}")
    typer.echo(f"labels: {run.labels}")
    for note in run.notes:
        typer.echo(f"note: {note}")
    if drift is not None:
        _tell_drift(drift)
    for call in run.first(first):
        typer.echo(f"{call.call}  {plain(call.outcome) if call.outcome else 'no end'}")
        for finding in call.findings:
            place = f" ({clock(finding.at_ms)}, record {finding.seq})" if finding.seq >= 0 else ""
            typer.echo(f"    {finding.what}{place}")


def _tell_drift(drift: Drift) -> None:
    changed = [row for row in drift.rows if row.says in ("higher", "lower")]
    few = sum(row.says == "insufficient data" for row in drift.rows)
    typer.echo(f"against {drift.old_calls} calls: {len(changed)} changes shown, {few} with insufficient data")
    for row in changed:
        typer.echo(f"    {row.name}: {row.says} ({row.old.hits} of {row.old.of}, now {row.new.hits} of {row.new.of})")
