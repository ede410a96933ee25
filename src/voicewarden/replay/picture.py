"""The frame of the call's picture: lanes under one another on one time axis, their names beside them.

In: lanes as SVG parts. Out: SVG whose width may change freely, since every place on it is a percentage. Used by the
modules that draw lanes.
"""

from collections.abc import Iterable
from typing import Final

from voicewarden.replay.markup import Html, join, tag

PX_A_SECOND: Final = 14
_GAP: Final = 8


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
