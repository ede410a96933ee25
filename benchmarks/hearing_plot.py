"""What was known by when: the answers of each rule in, one SVG with two panels out. Called by `hearing`.

Left, people: the share that was known for people so long after the greeting's end, and dashed the share taken for a
machine. Right, machines: the share that was known for machines so long after their first word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.answers.scoring import NO_PERSON, TALKING, Answer

_COLOURS: Final = ("#1f5fa8", "#c2571a", "#d9a441", "#2a7d4f", "#8a3f9e", "#6b6b6b")
_WIDTH: Final = 400
_HEIGHT: Final = 240
_TOP: Final = 44
_LEFT: Final = 46
_GAP: Final = 60
_PERSON_MS: Final = (-4_000, 4_000)
_MACHINE_MS: Final = (0, 12_000)


def draw(answers: Mapping[str, Sequence[Answer]]) -> str:
    """The picture as SVG that needs nothing else."""
    parts = [_axes(_LEFT, "people: known so long after the greeting's end", _PERSON_MS)]
    right = _LEFT + _WIDTH + _GAP
    parts.append(_axes(right, "machines: known so long after the first word", _MACHINE_MS))
    for number, (name, some) in enumerate(answers.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        people = [one for one in some if one.label.verdict == "human" and one.label.greeting_end_ms is not None]
        machines = [one for one in some if one.label.verdict in TALKING and one.label.onset_ms is not None]
        ends = [one.label.greeting_end_ms or 0 for one in people]
        onsets = [one.label.onset_ms or 0 for one in machines]
        parts.append(_curve(_LEFT, _PERSON_MS, _known(people, ends, ("human",)), len(people), colour))
        parts.append(_curve(_LEFT, _PERSON_MS, _known(people, ends, NO_PERSON), len(people), colour, is_dashed=True))
        parts.append(_curve(right, _MACHINE_MS, _known(machines, onsets, NO_PERSON), len(machines), colour))
        x, y = _LEFT + (number % 3) * 250, _TOP + _HEIGHT + 46 + number // 3 * 18
        parts.append(f'<rect x="{x}" y="{y - 8}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="{y}">{escape(name)}</text>')
    width, height = right + _WIDTH + 20, _TOP + _HEIGHT + 80
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def _known(answers: Iterable[Answer], since: Iterable[int], among: Iterable[AnswererVerdict]) -> list[int]:
    """When the verdict was reached, counted from a moment of each clip."""
    wanted = tuple(among)
    moments = ((one.at_ms(wanted), start) for one, start in zip(answers, since, strict=True))
    return sorted(at_ms - start for at_ms, start in moments if at_ms is not None)


def _axes(left: int, title: str, span: tuple[int, int]) -> str:
    parts = [f'<text x="{left}" y="22" font-size="14">{escape(title)}</text>']
    for percent in (0, 25, 50, 75, 100):
        y = _TOP + _HEIGHT * (100 - percent) / 100
        parts.append(f'<line x1="{left}" y1="{y}" x2="{left + _WIDTH}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{percent} %</text>')
    for at_ms in range(span[0], span[1] + 1, 2_000):
        x = _x(left, span, at_ms)
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + _HEIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle">{at_ms // 1000} s</text>')
    return "".join(parts)


def _x(left: int, span: tuple[int, int], at_ms: int) -> float:
    inside = min(max(at_ms, span[0]), span[1])
    return left + (inside - span[0]) / (span[1] - span[0]) * _WIDTH


def _curve(
    left: int, span: tuple[int, int], moments: Sequence[int], of: int, colour: str, *, is_dashed: bool = False
) -> str:
    """The share of all clips that had been reached by each moment, as a staircase."""
    if not of:
        return ""
    points = [f"{left:.1f},{_TOP + _HEIGHT:.1f}"]
    for number, at_ms in enumerate(moments):
        x = _x(left, span, at_ms)
        for reached in (number, number + 1):
            points.append(f"{x:.1f},{_TOP + _HEIGHT * (1 - reached / of):.1f}")
    points.append(f"{left + _WIDTH:.1f},{_TOP + _HEIGHT * (1 - len(moments) / of):.1f}")
    dashes = ' stroke-dasharray="5 3"' if is_dashed else ""
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}/>'
