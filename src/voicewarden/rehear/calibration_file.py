"""A calibration as a file and as a picture: evidence in, JSON and SVG texts out. Called by `voicewarden calibrate`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from voicewarden.config.calibration_document import (
    CalibrationDocument,
    CurvePoint,
    DataEntry,
    Purpose,
    PurposeEvidence,
)
from voicewarden.rehear.calibrating import ENOUGH_SPEAKERS, Items
from voicewarden.rehear.labelled import Row
from voicewarden.replay.markup import Html, join, tag
from voicewarden.sensors.spelling import CONFIDENCE

METHOD: Final = (
    "Learn-then-Test with fixed-sequence testing from the strictest threshold down, exact binomial (Clopper-Pearson) "
    "bounds, one item drawn from each call"
)
_INNERMOST: Final = re.compile(r"\{\s+(\"accept_permille\"[^{}]*?)\s+\}")
_COLOURS: Final[dict[Purpose, str]] = {
    "decide": "#1f5fa8", "content": "#6b6b6b", "digits": "#c2571a", "names": "#2a7d4f",
}  # fmt: skip
_WIDTH: Final = 720
_HEIGHT: Final = 400
_LEFT: Final = 60
_TOP: Final = 44
_RIGHT: Final = 500
_BOTTOM: Final = 350
_HIGHEST_PERMILLE: Final = 400
"""Of the error rate; curves are cut off there."""


def document(
    found: Items, purposes: dict[Purpose, PurposeEvidence], data: DataEntry, *, identity: str, date: str,
    alpha_permille: int, delta_permille: int,
) -> CalibrationDocument:  # fmt: skip
    """Everything that a policy may rest on; provisional where it says too little about people it did not hear."""
    lacking = [name for name, shown in purposes.items() if shown.threshold_permille is None]
    why = []
    if data.speakers < ENOUGH_SPEAKERS:
        why.append(
            f"It rests on {data.speakers} speakers; at least {ENOUGH_SPEAKERS} say something about the next one."
        )
    if lacking:
        why.append(f"No threshold could be shown to hold for {', '.join(lacking)}.")
    if why:
        why.append("Run `voicewarden calibrate` on recordings of your own callers.")
    return CalibrationDocument(
        transcriber=identity, confidence=CONFIDENCE, date=date, method=METHOD, alpha_permille=alpha_permille,
        delta_permille=delta_permille, data=data, provisional=bool(why), why=" ".join(why) or None, purposes=purposes,
    )  # fmt: skip


def data_of(folder: Path, rows: Sequence[Row], about: str) -> DataEntry:
    """What the recordings are; the hash is over labels and sounds, in the order of the labels."""
    digest = sha256()
    for row in rows:
        digest.update(json.dumps([row.file, row.text, row.call, row.speaker, row.purpose, row.slot]).encode())
        digest.update(sha256((folder / row.file).read_bytes()).digest())
    return DataEntry(
        about=about, sha256=digest.hexdigest(), recordings=len(rows), calls=len({row.unit for row in rows}),
        speakers=len({row.speaker for row in rows}),
    )  # fmt: skip


def text(calibration: CalibrationDocument) -> str:
    """The file, a point of a curve on each line."""
    whole = json.dumps(calibration.model_dump(exclude_none=False), indent=1, ensure_ascii=False)
    return _INNERMOST.sub(lambda found: "{" + re.sub(r"\s+", " ", found[1]) + "}", whole) + "\n"


def plot(calibration: CalibrationDocument) -> str:
    """An SVG: which share of the accepted is wrong (up) when so many are accepted (right); a dot at the threshold."""
    parts = [*_frame(calibration)]
    for index, (purpose, shown) in enumerate(calibration.purposes.items()):
        parts += _curve(purpose, shown, _TOP + 20 + 46 * index)
    body = join(parts)
    return tag(
        "svg", tag("rect", width="100%", height="100%", fill="white"), body, xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}", font_family="sans-serif", font_size=11,
    ) + "\n"  # fmt: skip


def _frame(calibration: CalibrationDocument) -> list[Html]:
    title = f"{calibration.transcriber}: errors among what is accepted, {calibration.data.recordings} recordings"
    parts = [tag("text", title, x=_LEFT, y=24, font_size=14)]
    for permille in range(0, 1001, 250):
        x = _x(permille)
        parts.append(tag("line", x1=x, x2=x, y1=_TOP, y2=_BOTTOM, stroke="#ddd"))
        parts.append(tag("text", f"{permille // 10} %", x=x, y=_BOTTOM + 16, text_anchor="middle"))
    for permille in range(0, _HIGHEST_PERMILLE + 1, 100):
        y = _y(permille)
        parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, stroke="#ddd"))
        parts.append(tag("text", f"{permille // 10} %", x=_LEFT - 6, y=y, text_anchor="end"))
    y = _y(calibration.alpha_permille)
    parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, stroke="#a8323e", stroke_dasharray="4 3"))
    parts.append(tag("text", "accepted", x=(_LEFT + _RIGHT) // 2, y=_BOTTOM + 34, text_anchor="middle"))
    return parts


def _curve(purpose: Purpose, shown: PurposeEvidence, y: int) -> list[Html]:
    colour = _COLOURS[purpose]
    points = [(point, *_place(point, shown.items)) for point in shown.curve if point.accepted]
    line = " ".join(f"{at_x},{at_y}" for _, at_x, at_y in points)
    known = "no threshold" if shown.threshold_permille is None else f"accept from {shown.threshold_permille}"
    parts = [
        tag("polyline", points=line, fill="none", stroke=colour, stroke_width="1.6"),
        tag("text", f"{purpose}: {shown.items} items, {shown.wrong} wrong", x=_RIGHT + 14, y=y, fill=colour),
        tag("text", f"{known}; AUROC {_shown(shown.auroc_permille)}", x=_RIGHT + 14, y=y + 15, fill=colour),
    ]
    dots = [place for place in points if place[0].accept_permille == _drawn_level(shown)]
    return parts + [tag("circle", cx=at_x, cy=at_y, r=4, fill=colour) for _, at_x, at_y in dots]


def _drawn_level(shown: PurposeEvidence) -> int | None:
    """The point of the curve that stands for the threshold: the next stricter one."""
    level = shown.threshold_permille
    stricter = [point.accept_permille for point in shown.curve if level is not None and point.accept_permille >= level]
    return min(stricter, default=None)


def _place(point: CurvePoint, items: int) -> tuple[int, int]:
    return _x(1000 * point.accepted // items), _y(1000 * point.wrong // point.accepted)


def _x(permille: int) -> int:
    return _LEFT + permille * (_RIGHT - _LEFT) // 1000


def _y(permille: int) -> int:
    return _BOTTOM - min(permille, _HIGHEST_PERMILLE) * (_BOTTOM - _TOP) // _HIGHEST_PERMILLE


def _shown(permille: int | None) -> str:
    return "unknown" if permille is None else str(permille)


def lacks(purposes: Mapping[Purpose, PurposeEvidence]) -> list[str]:
    """A sentence for each purpose that has no threshold: what It needs, and what there is."""
    return [
        f"{purpose}: no threshold holds. It needs at least {shown.needs} accepted without an error, each from a call "
        f"of its own; there are {shown.drawn} such calls, and {shown.wrong} of all {shown.items} items are wrong"
        for purpose, shown in purposes.items()
        if shown.threshold_permille is None
    ]
