"""A page about a recorded call under our policy: sound, words and what was permitted on one time axis, and why not.

In: what `rehearing` found, and both sides. Out: one HTML file that opens from disk without any request, in the looks of
the call report. Called by `voicewarden rehear --html`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from voicewarden.model.action import Verdict
from voicewarden.rehear.permits import Moment
from voicewarden.rehear.result import Heard, Reheard, decision_title
from voicewarden.rehear.sides import Sides
from voicewarden.replay.english import fact_in_words, reasons_in_words
from voicewarden.replay.markup import Html, join, tag
from voicewarden.replay.page import controls, document, keyboard, player, section
from voicewarden.replay.picture import Picture
from voicewarden.replay.recording import LARGEST_SOUND_BYTES
from voicewarden.replay.report import write_page as write
from voicewarden.replay.sound import Sound, mulaw_wav
from voicewarden.replay.transcript import badge
from voicewarden.replay.waveform import peaks_of
from voicewarden.replay.wording import SIGNS, VERDICTS, clock, duration, plain

_RULER, _WAVE, _BAR = 24, 56, 24
_RULER_PX: Final = 70
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 3600, 36_000, 360_000)
_RATE_HZ: Final = 8_000


def write_page(target: Path, name: str, found: Reheard, sides: Sides) -> Path:
    """Write the page; raises OSError when the file can't be written."""
    sound = Sound(array("h", np.stack(sides, axis=1).tobytes()), 2, _RATE_HZ)
    wav = mulaw_wav(sound) if len(sound.samples) <= LARGEST_SOUND_BYTES else b""
    main = tag(
        "main",
        section("notes", "To keep in mind", tag("ul", join(tag("li", note) for note in found.notes))),
        section("time", "Time", controls(), _picture(found, sound)),
        tag(
            "div", section("said", "What was heard", _transcript(found)),
            section("permitted", "What was permitted", _permits(found), _decided(found)), class_="columns",
        ),
        player(wav, 0) if wav else tag("p", "The recording is too long to be carried by this page.", class_="meta"),
        keyboard(),
    )  # fmt: skip
    return write(target, document(f"Rehearing of {name}", join((_header(name, found), main))))


def _header(name: str, found: Reheard) -> Html:
    answerer, ended = found.answerer, found.ended
    at = "" if answerer.decided_at_ms is None else f", from {clock(answerer.decided_at_ms)}"
    facts = [
        ("Agent", found.agent), ("Direction", found.direction), ("Length", duration(found.length_ms)),
        ("Policy", f"{found.policy} {found.policy_hash[:12]}"), ("Answered by", plain(answerer.verdict) + at),
        ("Our policy would have ended it", "no" if ended is None else f"{clock(ended.at_ms)}, {plain(ended.reason)}"),
    ]  # fmt: skip
    rows = join(tag("div", tag("dt", label), tag("dd", value)) for label, value in facts)
    return tag("header", tag("h1", "Rehearing of ", tag("span", name, class_="id")), tag("dl", rows), class_="top")


def _picture(found: Reheard, sound: Sound) -> Html:
    picture = Picture(found.length_ms)
    picture.lane("", _RULER, _ruler(picture), class_="ruler")
    for side, peaks in zip(("caller", "agent"), peaks_of(sound), strict=True):
        columns = max(1, len(peaks.high))
        wave = tag(
            "svg", tag("path", d=peaks.path()), x="0", y="0", width="100%", height=_WAVE,
            viewBox=f"0 0 {columns} 200", preserveAspectRatio="none",
        )  # fmt: skip
        picture.lane(f"{side} ♪", _WAVE, [wave], class_=f"wave {side}")
        said = [item for item in found.heard if item.side == side]
        picture.lane(side, _BAR, (_bar(picture, item) for item in said), class_=side)
    for number, action in enumerate(sorted({*found.timeline[0].allowed, *found.timeline[0].refused})):
        stretches = list(_stretches(picture, found, action))
        picture.lane("" if number else "permitted", _BAR, stretches, class_="decisions")
    return picture.svg()


def _bar(picture: Picture, item: Heard) -> Html:
    return _box(picture, item.at_ms, item.to_ms, _said(item), "bar said" if item.text else "bar wordless", "")


def _stretches(picture: Picture, found: Reheard, action: str) -> Iterator[Html]:
    """For how long an action was permitted, or would have been with the caller's yes or a person."""
    begin_ms, verdict = 0, _verdict(found.timeline[0], action)
    for moment in found.timeline[1:]:
        if _verdict(moment, action) != verdict:
            yield _stretch(picture, action, begin_ms, moment.at_s * 1000, verdict)
            begin_ms, verdict = moment.at_s * 1000, _verdict(moment, action)
    yield _stretch(picture, action, begin_ms, found.length_ms, verdict)


def _stretch(picture: Picture, action: str, from_ms: int, to_ms: int, verdict: Verdict) -> Html:
    if verdict == "deny":
        return _box(picture, from_ms, to_ms, f"{SIGNS[verdict]} {plain(action)}", "badge deny", "")
    label = f"{SIGNS[verdict]} {plain(action)}: {VERDICTS[verdict]}"
    return _box(picture, from_ms, to_ms, label, f"badge {verdict}", "sign")


def _box(picture: Picture, from_ms: int, to_ms: int, label: str, class_: str, text_class: str) -> Html:
    width = f"{max(to_ms - from_ms, 80) * 100 / picture.length_ms:.3f}%"
    words = tag("text", label, x="4", y="16", class_=text_class or None)
    # What is refused has no box: it must not outshine what is not.
    box = tag("rect", x="0", y="1", width="100%", height=_BAR - 2, rx="3") if class_ != "badge deny" else None
    inner = tag("svg", box, words, x=picture.percent(from_ms), y="0", width=width, height=_BAR)
    return tag("g", tag("title", f"{clock(from_ms)} {label}"), inner, class_=class_, data_ms=from_ms)


def _ruler(picture: Picture) -> Iterator[Html]:
    step_s = next(step for step in _STEPS_S if step * picture.width_px * 1000 >= _RULER_PX * picture.length_ms)
    for second in range(0, picture.length_ms // 1000 + 1, step_s):
        at = picture.percent(second * 1000)
        yield tag("line", x1=at, x2=at, y1="0", y2="6")
        yield tag("text", f"{second // 60}:{second % 60:02d}", x=at, y="18", dx="2")


def _verdict(moment: Moment, action: str) -> Verdict:
    return moment.verdicts.get(action, "allow")


def _transcript(found: Reheard) -> Html:
    rows = [(item.at_ms, _row(item)) for item in found.heard]
    rows += [(item.at_ms, _mark(item.at_ms, _learned(item.fact, item.value))) for item in found.learned if item.at_ms]
    if found.ended is not None:
        told = f"our policy would have ended the call: {plain(found.ended.reason)}"
        rows.append((found.ended.at_ms, _mark(found.ended.at_ms, told)))
    return tag("ol", join(row for _, row in sorted(rows, key=lambda row: row[0])), class_="rows")


def _row(item: Heard) -> Html:
    known = [word.permille for word in item.words if word.permille is not None]
    meta = [f"least sure word {min(known) / 10:g} %"] if known else []
    meta += [f"approved line {line}" for line in item.lines]
    meta += [f"doubted: {plain(doubt)}" for doubt in item.suspect]
    gate: Html | None = None
    if item.verdict == "deny":
        gate = tag("div", badge("deny"), " our gate would have refused it. ", reasons_in_words(item.reasons))
    return tag(
        "li", tag("button", clock(item.at_ms), type="button", class_="time", data_ms=item.at_ms),
        tag(
            "div", tag("span", item.side.capitalize(), class_="who"), tag("span", _said(item), class_="said"),
            tag("span", " · ".join(meta), class_="meta") if meta else None, gate, class_="body",
        ),
        class_=item.side, data_from=item.at_ms, data_to=item.to_ms,
    )  # fmt: skip


def _mark(at_ms: int, told: str) -> Html:
    time = tag("button", clock(at_ms), type="button", class_="time", data_ms=at_ms)
    return tag("li", time, tag("div", told, class_="body"), class_="mark", data_from=at_ms, data_to=at_ms)


def _learned(fact: str, value: object) -> str:
    said = "not known any more" if value is None else "yes" if value is True else "no" if value is False else value
    return f"{fact_in_words(fact)}: {plain(str(said))}"


def _said(item: Heard) -> str:
    if item.tone:
        return f"[{item.tone}, {item.hz} Hz, {duration(item.to_ms - item.at_ms)}]"
    return item.text or "(a sound without words)"


def _permits(found: Reheard) -> Html:
    names = ("From", "Permitted", "Not permitted, and why")
    head = tag("thead", tag("tr", join(tag("th", name, scope="col") for name in names)))
    before: Moment | None = None
    rows = []
    for moment in found.timeline:
        rows.append(_moment(moment, before))
        before = moment
    return tag("div", tag("table", head, tag("tbody", join(rows))), class_="scroll", tabindex="0", role="region",
               aria_label="What was permitted")  # fmt: skip


def _moment(moment: Moment, before: Moment | None) -> Html:
    time = tag("button", clock(moment.at_s * 1000), type="button", class_="time", data_ms=moment.at_s * 1000)
    allowed = tag("ul", join(tag("li", badge("allow"), " ", plain(name)) for name in moment.allowed), class_="plain")
    refused = [_refused(moment, name) for name in moment.news(before)]
    same = [plain(name) for name in moment.refused if name not in moment.news(before)]
    kept = tag("p", f"As before: {', '.join(same)}.", class_="meta") if same else None
    return tag("tr", tag("th", time, scope="row"), tag("td", allowed),
               tag("td", tag("ul", join(refused), class_="plain"), kept))  # fmt: skip


def _refused(moment: Moment, action: str) -> Html:
    verdict = moment.verdicts[action]
    said = f" {VERDICTS[verdict]}. {reasons_in_words(moment.refused[action])}"
    return tag("li", badge(verdict), " ", tag("strong", plain(action)), said)


def _decided(found: Reheard) -> Html | None:
    if not found.decided:
        return None
    items: Sequence[Html] = [
        tag(
            "li", clock(item.at_ms), " ", badge(item.verdict), f" {decision_title(item)} {VERDICTS[item.verdict]}. ",
            reasons_in_words(item.reasons),
        )
        for item in found.decided
    ]  # fmt: skip
    return join((tag("h4", "What our gate would have decided"), tag("ul", join(items), class_="plain")))
