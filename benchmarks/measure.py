"""What every benchmark shares: percentiles, the line about the machine, goals, and where results go.

In: samples and goals of one benchmark. Out: lines on the terminal, and `var/benchmarks/NAME.json` and `NAME.svg` (how
much of the samples lies below each value). Called by the other scripts of this folder.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from voicewarden.rehearsal.bench.machine import load, machine

TOP: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = TOP / "var" / "benchmarks"
_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
_COLOURS: Final = ("#1f5fa8", "#c2571a", "#2a7d4f", "#8a3f9e", "#a8323e", "#6b6b6b", "#b08d00", "#008b8b")
_WIDTH: Final = 760
_HEIGHT: Final = 360
_LEFT: Final = 50
_RIGHT: Final = 250
_BOTTOM: Final = 40


def commit() -> str:
    """Short id of the commit that is measured, with a plus when files differ from it."""
    found, changed = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    return (found or "uncommitted") + ("+" if changed else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=TOP, capture_output=True, text=True, check=False).stdout.strip()


_LOAD_AT_START: Final = load()


def spread(values: Sequence[float]) -> dict[str, float]:
    """n, mean, p50, p95, p99, p99.9 and max (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    last = len(ordered) - 1
    found = {name: round(ordered[min(last, math.ceil(len(ordered) * share) - 1)], 2) for name, share in _SHARES.items()}
    return {"n": len(ordered), "mean": round(sum(ordered) / len(ordered), 2), **found, "max": round(ordered[-1], 2)}


@dataclass
class Report:
    """What one benchmark found: rows of samples, single figures, goals."""

    name: str
    about: str
    unit: str
    load_before: str = _LOAD_AT_START
    rows: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)  # Any: whatever JSON can hold
    goals: list[tuple[str, float, float, str]] = field(default_factory=list)

    def row(self, label: str, samples: Sequence[float]) -> dict[str, float]:
        """Keep samples under a label; returns their spread."""
        self.rows[label] = list(samples)
        return spread(samples)

    def figure(self, label: str, value: object) -> None:
        """Keep one figure or a small table of them."""
        self.figures[label] = value

    def goal(self, label: str, found: float | None, at_most: float, unit: str) -> None:
        """Hold a figure against its goal; nothing is said where nothing was measured."""
        if found is not None:
            self.goals.append((label, found, at_most, unit))

    def print(self) -> None:
        """Print everything; the load of the machine stands beside the figures."""
        print(f"{self.about}\n{machine()}; commit {commit()}; load {self.load_before} before, {load()} after")
        width = max([len(label) for label in (*self.rows, *self.figures)], default=0)
        for label, samples in self.rows.items():
            shown = "  ".join(
                f"{key} {value:g}" + ("" if key == "n" else f" {self.unit}") for key, value in spread(samples).items()
            )
            print(f"{label:<{width}}  {shown}")
        for label, value in self.figures.items():
            print(f"{label:<{width}}  {_shown(value)}")
        for label, found, at_most, unit in self.goals:
            verdict = "met" if found <= at_most else "MISSED"
            print(f"goal: {label} <= {at_most:g} {unit}: {verdict} ({found:g})")

    def write(self, folder: Path = RESULTS) -> None:
        """Write JSON and plot."""
        folder.mkdir(parents=True, exist_ok=True)
        result = {
            "benchmark": self.name, "machine": machine(), "commit": commit(),
            "load_before": self.load_before, "load_after": load(), "unit": self.unit,
            "rows": {label: spread(samples) for label, samples in self.rows.items()}, **self.figures,
            "goals": [
                {"goal": label, "found": found, "at_most": at_most, "unit": unit, "met": found <= at_most}
                for label, found, at_most, unit in self.goals
            ],
        }  # fmt: skip
        (folder / f"{self.name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (folder / f"{self.name}.svg").write_text(plot(self.about, self.unit, self.rows), encoding="utf-8")

    def finish(self, options: argparse.Namespace) -> int:
        """Print, write, and return the exit code: a missed goal is a finding only where `--strict` asks for it."""
        if options.quick:
            self.goals.clear()
            self.figure("quick run", "shows that it runs, and measures nothing")
        self.print()
        self.write(options.out)
        missed = any(found > at_most for _, found, at_most, _ in self.goals)
        return 1 if missed and options.strict else 0


def parser(about: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="a few seconds, no speech models: shows only that it runs")
    made.add_argument("--out", type=Path, default=RESULTS, help="folder for JSON and plot")
    made.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    return made


def plot(title: str, unit: str, rows: dict[str, list[float]]) -> str:
    """An SVG: for each row the share of samples below each value, on a logarithmic scale."""
    drawn = {label: sorted(max(value, 1e-3) for value in samples) for label, samples in rows.items() if samples}
    if not drawn:
        return '<svg xmlns="http://www.w3.org/2000/svg"/>\n'
    low = math.floor(math.log10(min(samples[0] for samples in drawn.values())))
    high = max(low + 1, math.ceil(math.log10(max(samples[-1] for samples in drawn.values()))))
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def at(value: float, share: float) -> str:
        x = _LEFT + (math.log10(value) - low) / (high - low) * (right - _LEFT)
        return f"{x:.1f},{bottom - share * (bottom - 40):.1f}"

    parts = [f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>']
    for power in range(low, high + 1):
        x = at(10.0**power, 0).partition(",")[0]
        parts.append(f'<line x1="{x}" y1="40" x2="{x}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{10.0**power:g} {unit}</text>')
    for share in (0.5, 0.95, 1.0):
        y = at(1.0, share).partition(",")[2]
        parts.append(f'<line x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end">{share:.0%}</text>')
    for index, (label, samples) in enumerate(drawn.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        ranks = sorted({round(step / 300 * (len(samples) - 1)) for step in range(301)})
        points = " ".join(at(samples[rank], (rank + 1) / len(samples)) for rank in ranks)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts.append(f'<text x="{right + 12}" y="{54 + 17 * index}" fill="{colour}">{escape(label)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="11"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return f"{value:,g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
