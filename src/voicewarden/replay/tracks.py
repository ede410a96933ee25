"""The lanes beside the conversation: who answered, silences, the budget.

In: `Course`, the limits of the policy. Out: lanes of a `Picture`. Used by `lanes.draw`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from voicewarden.replay.course import Course, Nudge, Spending, Stretch
from voicewarden.replay.markup import Html, tag
from voicewarden.replay.picture import Picture
from voicewarden.replay.rules import Rules
from voicewarden.replay.wording import clock, duration, plain

_BAR, _BUDGET, _LETTER_PX = 22, 40, 7
_LONG_SILENCE_MS: Final = 3_000
"""From here on a caller wonders whether the line is dead."""
_WHO: Final = {"": "ringing", "unknown": "not known yet", "human": "a person", "no_speech": "nobody spoke"}
_NUDGES: Final = {"silence.reprompt": "asked again", "silence.rephrase": "rephrased", "silence.goodbye": "goodbye"}


def draw_tracks(picture: Picture, course: Course, rules: Rules) -> None:
    """Add the lanes."""
    if course.who:
        picture.lane("who answered", _BAR, (_who(picture, item) for item in course.who), class_="answerer")
    else:
        nothing = tag("text", "not known: the call could not be replayed", x="4", y="15")
        picture.lane("who answered", _BAR, [nothing], class_="answerer")
    picture.lane("silence", _BAR, _silences(picture, course.silences, course.nudges), class_="silence")
    picture.lane("budget", _BUDGET, _budget(picture, course.spending, rules), class_="budget")


def _stretch(picture: Picture, item: Stretch, label: str, title: str, class_: str) -> Html:
    width = f"{max(item.to_ms - item.from_ms, 60) * 100 / picture.length_ms:.3f}%"
    box = tag("rect", x="0", y="2", width="100%", height=_BAR - 4, rx="3")
    room_px = (item.to_ms - item.from_ms) * picture.width_px // picture.length_ms
    words = tag("text", label, x="4", y="15") if len(label) * _LETTER_PX <= room_px else None
    inner = tag("svg", box, words, x=picture.percent(item.from_ms), y="0", width=width, height=_BAR)
    return tag("g", tag("title", title), inner, class_=class_, data_ms=item.from_ms)


def _who(picture: Picture, item: Stretch) -> Html:
    name = _WHO.get(item.what, plain(item.what))
    title = f"from {clock(item.from_ms)}: {name}"
    known = item.what not in ("", "unknown")
    return _stretch(picture, item, name, title, f"party {'known' if known else 'open'} {item.what}".strip())


def _silences(picture: Picture, silences: Sequence[Stretch], nudges: Sequence[Nudge]) -> Iterator[Html]:
    for item in silences:
        ms = item.to_ms - item.from_ms
        after = "after the answer" if item.what == "nobody" else f"after the {item.what} had spoken"
        label = duration(ms) if ms >= _LONG_SILENCE_MS else ""
        title = f"{clock(item.from_ms)} {duration(ms)} of silence {after}"
        yield _stretch(picture, item, label, title, "hush long" if label else "hush")
    for nudge in nudges:
        at = picture.percent(nudge.at_ms)
        said = _NUDGES.get(nudge.line, plain(nudge.line))
        title = tag("title", f"{clock(nudge.at_ms)} because of silence: {said}")
        yield tag("g", title, tag("line", x1=at, x2=at, y1="0", y2=_BAR), class_="nudge")


def _budget(picture: Picture, spending: Sequence[Spending], rules: Rules) -> Iterable[Html]:
    """Tokens used as a rising line, promised ones above it; the top is the limit, or the most that was used."""
    policy = rules.release.policy if rules.release else None
    limit = policy.budget.per_call_tokens if policy else 0
    most = max((item.spent + item.promised for item in spending), default=0)
    # Two of a hundred would not be seen.
    top = max(limit if most * 4 >= limit else most * 2, most, 1)
    used = spending[-1].spent if spending else 0
    said = f"{used} of {limit} tokens used" if limit else f"{used} tokens used; the limit is not known"
    if top < limit and most:
        said += f"; drawn up to {top}"
    for class_, heights in (
        ("promised", [item.spent + item.promised for item in spending]), ("spent", [item.spent for item in spending]),
    ):  # fmt: skip
        path = _steps(picture, [item.at_ms for item in spending], heights, top)
        shape = tag(
            "svg", tag("path", d=path), x="0", y="0", width="100%", height=_BUDGET,
            viewBox=f"0 0 {picture.length_ms} 1000", preserveAspectRatio="none",
        )  # fmt: skip
        yield tag("g", tag("title", said), shape, class_=class_)
    for item in spending:
        if item.refused:
            at = picture.percent(item.at_ms)
            title = tag("title", f"{clock(item.at_ms)} the model was not let go on")
            yield tag("g", title, tag("line", x1=at, x2=at, y1="0", y2=_BUDGET), class_="stopped")
    yield tag("text", said, x="4", y="12")


def _steps(picture: Picture, times_ms: Sequence[int], heights: Sequence[int], top: int) -> str:
    """A filled staircase in a box of the call's milliseconds by 1000."""
    path, level = ["M0 1000"], 1000
    for at_ms, height in zip(times_ms, heights, strict=True):
        at = min(max(at_ms, 0), picture.length_ms)
        path.append(f"L{at} {level}")
        level = 1000 - height * 1000 // top
        path.append(f"L{at} {level}")
    return "".join([*path, f"L{picture.length_ms} {level}", f"L{picture.length_ms} 1000Z"])
