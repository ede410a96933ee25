"""`voicewarden bench`: what decisions, steps and grants take on this machine, beside other policy engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.rehearsal.bench.grants import Grants
    from voicewarden.rehearsal.bench.run import Bench
    from voicewarden.rehearsal.bench.samples import Series
    from voicewarden.rehearsal.bench.steps import Steps


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Under 30 seconds; the tails are then rough.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for bench.json and bench.svg.")] = Path("var/bench"),
    config: Annotated[Path, typer.Option("--config", help="The configuration folder.")] = Path("config"),
    agents: Annotated[Path, typer.Option("--agents", help="The agents' folder.")] = Path("agents"),
) -> None:
    """Measure the gate: decisions beside other engines on the same policy, steps of calls, grants."""
    import json

    from voicewarden.cli.console import print_json, progress
    from voicewarden.rehearsal.bench.histogram import svg
    from voicewarden.rehearsal.bench.machine import machine
    from voicewarden.rehearsal.bench.run import FULL, QUICK, run
    from voicewarden.rehearsal.bench.run import as_json as tree_of

    plan = QUICK if quick else FULL
    with progress("measuring (seconds)", plan.seconds) as done:
        found = run(plan, config, agents, done)
    tree = tree_of(found)
    _write(out / "bench.json", json.dumps(tree, indent=1) + "\n")
    _write(out / "bench.svg", svg("Decisions, steps and grants", machine(), found.series()))
    if found.skipped:
        typer.echo(f"steps and grants were left out: {found.skipped}", err=True)
    if as_json:
        print_json(tree)
    else:
        _show(found, out)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _show(found: Bench, out: Path) -> None:
    from voicewarden.rehearsal.bench.histogram import terminal
    from voicewarden.rehearsal.bench.machine import machine

    held = found.contest
    typer.echo(
        f"{machine()}; load {found.load_before} before, {found.load_after} after\n"
        f"reading the clock takes {found.clock_us:.3f} us, which is in every sample\n"
        f"{held.answers:,} answers of {len(held.entries)} engines to {held.cases} requests ({held.allowed} allowed) "
        "were compared first: all equal\n\n"
        "the same decision: 8 actions with 10 conditions each over 18 facts, microseconds"
    )
    lines = [(*_figures(entry.series), f"{held.ratio(entry):.1f}", entry.engine.returns) for entry in held.entries]
    _table(("", *_HEADS, "times ours", "returns"), lines)
    if found.steps is not None and found.grants is not None:
        _show_calls(found.steps, found.grants)
    for line in held.missing:
        typer.echo(f"left out: {line}")
    typer.echo(f"\n{terminal(found.series())}\n\n{out / 'bench.json'}, {out / 'bench.svg'}")


_HEADS = ("p50", "p99", "p99.9", "a second", "n")


def _show_calls(steps: Steps, grants: Grants) -> None:
    rows = (
        (steps.others, "reduction, decisions, records, chain, seals; no language"),
        (steps.caller, "the same and reading what the caller said"),
        (steps.agent, "the same and reading what the agent wants to say"),
        (steps.worded, "one request, every reason in words, its record"),
        (grants.spend, "seal, authority, compare-and-set, authority again"),
        (grants.durable, "the same, waiting for the disk"),
    )
    typer.echo(f"\n{steps.events} events of {steps.calls} calls in text, and grants, microseconds")
    _table(("", *_HEADS, "what it is"), [(*_figures(series), about) for series, about in rows])


def _figures(series: Series) -> tuple[str, ...]:
    found = series.spread()
    shown = [f"{found[name]:,.2f}" for name in ("p50_us", "p99_us", "p999_us")]
    return (series.label, *shown, f"{found['per_second']:,.0f}", f"{found['n']:,.0f}")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Plain columns: the first and the last lean to the left, figures to the right."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        figures = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        typer.echo(f"{row[0]:<{widths[0]}}  {figures}  {row[-1]}")
