"""What a rehearing found, as data: for the terminal, for the page and for other programs.

Made by `rehearing`, read by `page` and by `voicewarden rehear`. Times are milliseconds of the recording.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from voicewarden.model.action import Arguments, Direction, Value, Verdict
from voicewarden.model.decision import Reason
from voicewarden.rehear.answered import Answered
from voicewarden.rehear.hearing import HeardWord
from voicewarden.rehear.permits import Moment


class Heard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was heard on one side."""

    at_ms: int
    to_ms: int
    side: Literal["caller", "agent"]
    text: str = ""
    words: tuple[HeardWord, ...] = ()
    suspect: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """Approved lines that the agent said to the end in it."""
    verdict: Verdict | None = None
    """What our gate would have said to it; None for the caller's words and for approved lines."""
    reasons: tuple[Reason, ...] = ()
    tone: str = ""
    hz: int = 0


class Learned(msgspec.Struct, frozen=True):
    """A fact that changed, and when; None when it is not known any more."""

    at_ms: int
    fact: str
    value: Value | None


class Decided(msgspec.Struct, frozen=True):
    """What our gate would have decided at this moment: at the wish of our kernel itself, such as reaching a person, or
    about one of our questions that the recorded agent asked.
    """

    at_ms: int
    by: Literal["kernel", "question"]
    action: str
    args: Arguments
    verdict: Verdict
    reasons: tuple[Reason, ...]


def decision_title(item: Decided) -> str:
    """What a decision was about, in a few words."""
    args = ", ".join(f"{name} {value}" for name, value in item.args.items())
    asked = "our kernel's own wish: " if item.by == "kernel" else ""
    return f"{asked}{item.action.replace('_', ' ')}" + (f" ({args})" if args else "")


class Ending(msgspec.Struct, frozen=True):
    """When and why our policy would have ended the call; from here on nothing is permitted."""

    at_ms: int
    reason: str


class Reheard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a recording."""

    length_ms: int
    agent: str
    direction: Direction
    policy: str
    policy_hash: str
    release: str
    answerer: Answered
    heard: tuple[Heard, ...]
    learned: tuple[Learned, ...]
    decided: tuple[Decided, ...]
    timeline: tuple[Moment, ...]
    ended: Ending | None
    notes: tuple[str, ...]
