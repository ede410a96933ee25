"""Histograms of samples on a logarithmic axis: a line of blocks for the terminal, a plot as SVG for a report.

In: series of microseconds. Out: text. Called by `cli.bench`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from voicewarden.rehearsal.bench.samples import Series, percentile

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_PER_DECADE: Final = 12
_LABEL: Final = 230
_PLOT: Final = 620
_ROW: Final = 34
_TOP: Final = 46
_KEY: Final = "orange p50, red p99; each histogram to its own height"
_MARKS: Final = ((0.5, "#c2571a"), (0.99, "#a8323e"))


def bounds(rows: Sequence[Series]) -> tuple[int, int]:
    """The decades that hold nearly all samples: powers of ten of microseconds."""
    lowest, highest = [], []
    for row in rows:
        ordered = sorted(row.us)
        lowest.append(percentile(ordered, 0.001))
        highest.append(percentile(ordered, 0.999))
    low = math.floor(math.log10(max(min(lowest), 1e-3)))
    return low, max(low + 1, math.ceil(math.log10(max(*highest, 1e-3))))


def bins(row: Series, low: int, high: int, per_decade: int = _PER_DECADE) -> list[float]:
    """The share of samples in each bin; what lies outside counts in the outermost ones."""
    counts = [0] * ((high - low) * per_decade)
    for value in row.us:
        place = int((math.log10(max(value, 1e-3)) - low) * per_decade)
        counts[min(max(place, 0), len(counts) - 1)] += 1
    return [count / max(1, len(row.us)) for count in counts]


def terminal(rows: Sequence[Series], per_decade: int = 10) -> str:
    """One line a series; each character is a bin, as high as it is full compared with the fullest of its line."""
    shown = [row for row in rows if row.us]
    if not shown:
        return ""
    low, high = bounds(shown)
    width = max(len(row.label) for row in shown)
    axis = "".join(f"{_amount(10.0**power):<{per_decade}}" for power in range(low, high))
    lines = [f"{'':<{width}}  {axis}{_amount(10.0**high)}"]
    for row in shown:
        shares = bins(row, low, high, per_decade)
        most = max(shares)
        blocks = "".join(_BLOCKS[math.ceil(share / most * (len(_BLOCKS) - 1))] for share in shares)
        lines.append(f"{row.label:<{width}}  {blocks}")
    return "\n".join(lines)


def svg(title: str, note: str, rows: Sequence[Series]) -> str:
    """A plot with a histogram a series, p50 and p99 marked."""
    shown = [row for row in rows if row.us]
    if not shown:
        return '<svg xmlns="http://www.w3.org/2000/svg"/>\n'
    low, high = bounds(shown)
    height = _TOP + _ROW * len(shown) + 60
    parts = [f'<text x="10" y="20" font-size="14">{escape(title)}</text>']
    for power in range(low, high + 1):
        x = _x(10.0**power, low, high)
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP - 12}" x2="{x:.1f}" y2="{height - 56}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 42}" text-anchor="middle">{_amount(10.0**power)}</text>')
    for number, row in enumerate(shown):
        parts += _row(row, _TOP + _ROW * (number + 1) - 6, low, high)
    parts.append(f'<text x="10" y="{height - 22}" fill="#555">{_KEY}</text>')
    parts.append(f'<text x="10" y="{height - 8}" fill="#555">{escape(note)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABEL + _PLOT + 30} {height}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
        + "".join(parts) + "</svg>\n"
    )  # fmt: skip


def _row(row: Series, base: int, low: int, high: int) -> list[str]:
    shares = bins(row, low, high)
    most, width = max(shares), _PLOT / len(shares)
    parts = [f'<text x="10" y="{base - 4}">{escape(row.label)}</text>']
    for number, share in enumerate(shares):
        if share:
            tall = max(0.6, share / most * (_ROW - 8))
            x = _LABEL + number * width
            parts.append(
                f'<rect x="{x:.1f}" y="{base - tall:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="#1f5fa8"/>'
            )
    ordered = sorted(row.us)
    for share, colour in _MARKS:
        x = _x(percentile(ordered, share), low, high)
        parts.append(f'<line x1="{x:.1f}" y1="{base - _ROW + 8}" x2="{x:.1f}" y2="{base}" stroke="{colour}"/>')
    return parts


def _x(us: float, low: int, high: int) -> float:
    share = (math.log10(max(us, 1e-3)) - low) / (high - low)
    return _LABEL + _PLOT * min(max(share, 0.0), 1.0)


def _amount(us: float) -> str:
    for limit, unit, name in ((1_000_000, 1_000_000, "s"), (1_000, 1_000, "ms"), (1, 1, "us")):
        if us >= limit:
            return f"{us / unit:g} {name}"
    return f"{us * 1000:g} ns"
