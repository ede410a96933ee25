"""The frame of the call's picture: lanes under one another on one time axis, their names beside them, and the parts
that several lanes are made of.

In: lanes as SVG parts. Out: SVG whose width may change freely, since every place on it is a percentage. Used by the
modules that draw lanes, and by the page of a rehearing.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from voicewarden.replay.markup import Html, join, tag

PX_A_SECOND: Final = 14
RULER: Final = 24
WAVE: Final = 56
BAR: Final = 24
"""Heights of lanes."""
_GAP: Final = 8
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_RULER_PX: Final = 70
"""Room for one time on the ruler."""


class Picture:
    """Lays lanes under one another and remembers their names for the column at the left."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = max(1000, length_ms)
        self.width_px = max(320, min(30_000, self.length_ms * PX_A_SECOND // 1000))
        self._top = 0
        self._parts: list[Html] = []
        self._names: list[Html] = []

    def percent(self, ms: int) -> str:
        """Where a moment lies."""
        return f"{min(max(ms, 0), self.length_ms) * 100 / self.length_ms:.3f}%"

    def is_late(self, ms: int) -> bool:
        """So near the end that a label has to stand at the left of its mark."""
        return ms > self.length_ms * 0.85

    def span_px(self, ms: int, label_px: int) -> tuple[int, int]:
        """What a mark with its label covers where the picture is narrowest."""
        at = ms * self.width_px // self.length_ms
        return (at - label_px, at + 12) if self.is_late(ms) else (at - 12, at + label_px)

    def lane(self, name: str, height: int, parts: Iterable[Html], *, class_: str) -> None:
        """Add a lane."""
        place = tag("svg", join(parts), x="0", y=self._top, width="100%", height=height, overflow="visible")
        self._parts.append(tag("g", place, class_=f"lane {class_}"))
        self._names.append(tag("text", name, x="0", y=self._top + height // 2 + 4))
        self._top += height + _GAP

    def svg(self) -> Html:
        """Names and picture beside each other."""
        names = tag("svg", join(self._names), class_="names", width="92", height=self._top, aria_hidden="true")
        cursor = tag("line", id="cursor", x1="0%", x2="0%", y1="0", y2=self._top, class_="cursor")
        picture = tag(
            "svg", join(self._parts), cursor, id="picture", width=self.width_px, height=self._top,
            data_length=self.length_ms, role="group", aria_label="The call on a time axis; decisions are links",
        )  # fmt: skip
        scroll = tag("div", picture, class_="scroll", tabindex="0", role="region", aria_label="Time axis, scrollable")
        return tag("div", names, scroll, class_="picture")


def ruler(picture: Picture) -> Iterator[Html]:
    """The times along the top, no closer than they can be read."""
    room_s = picture.length_ms / 1000 / (picture.width_px / _RULER_PX)
    # A wild time in a record must not lead to a million marks.
    step = next((step for step in _STEPS_S if step >= room_s), math.ceil(room_s))
    for second in range(0, picture.length_ms // 1000 + 1, step):
        at = picture.percent(second * 1000)
        yield tag("line", x1=at, x2=at, y1="0", y2="6")
        if second * 1000 < picture.length_ms * 0.97 or second == 0:
            yield tag("text", f"{second // 60}:{second % 60:02d}", x=at, y="18", dx="2")


def wave(picture: Picture, path: str, from_ms: int, ms: int) -> Html:
    """The sound of one channel, as `Peaks.path` drew it, at its place."""
    columns = max(1, path.count("L") // 2)
    return tag(
        "svg", tag("path", d=path), x=picture.percent(from_ms), y="0", height=WAVE,
        width=f"{ms * 100 / picture.length_ms:.3f}%", viewBox=f"0 0 {columns} 200", preserveAspectRatio="none",
    )  # fmt: skip


def bar(picture: Picture, from_ms: int, to_ms: int, label: str, title: str, class_: str) -> Html:
    """A box from one moment to another with words in it."""
    width = f"{max(to_ms - from_ms, 80) * 100 / picture.length_ms:.3f}%"
    words = tag("text", label, x="4", y="16")
    box = tag("rect", x="0", y="1", width="100%", height=BAR - 2, rx="3")
    inner = tag("svg", box, words, x=picture.percent(from_ms), y="0", width=width, height=BAR)
    return tag("g", tag("title", title), inner, class_=f"bar {class_}", data_ms=from_ms)
