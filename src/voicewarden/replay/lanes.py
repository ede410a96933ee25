"""The call as one picture on one time axis: both channels' sound, who spoke, decisions, everything else.

In: timeline, cases, peaks, tracks. Out: one SVG. Used by the call report.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from voicewarden.replay.cases import Case
from voicewarden.replay.course import Course
from voicewarden.replay.markup import Html, tag
from voicewarden.replay.picture import BAR, RULER, WAVE, Picture, bar, ruler, wave
from voicewarden.replay.recording import Recording
from voicewarden.replay.rules import Rules
from voicewarden.replay.timeline import Mark, Segment, Sentence, Timeline
from voicewarden.replay.tracks import draw_tracks
from voicewarden.replay.waveform import peaks_of
from voicewarden.replay.wording import PURPOSES, SIGNS, VERDICTS, clock, sentence_state

_ROW, _TICKS = 24, 16
_MOST_ROWS: Final = 5
_LABEL_PX: Final = 8
"""Width of a letter in a decision's label, generously."""
_NAMES: Final = {
    "ToneHeard": "tone", "DtmfPressed": "key", "HangUp": "hang-up", "StartRecording": "recording on",
    "StopRecording": "recording off", "ReceiptReturned": "receipt", "CallAnswered": "answered",
    "CallEnded": "ended", "SwitchAgent": "hand-over", "CarrierJudgedAnswerer": "carrier's verdict",
    "ModelFaltered": "model failed", "SpeechFaltered": "speech failed", "HearingFaltered": "not transcribed",
    "SoundStopped": "muted", "SoundResumed": "sound again",
    "OperatorApproved": "approved", "PolicyActivated": "new release", "AuthorityTightened": "tightened",
    "AuthorityRevoked": "revoked", "CallsPaused": "paused", "LeaseLost": "lease lost",
    "LedgerFaltered": "ledger failed", "MediaEnded": "audio ended",
}  # fmt: skip


def draw(timeline: Timeline, cases: Sequence[Case], recording: Recording, course: Course, rules: Rules) -> Html:
    """The whole picture of a call."""
    picture = Picture(timeline.length_ms)
    picture.lane("", RULER, ruler(picture), class_="ruler")
    for name, class_, path in _waves(recording):
        picture.lane(name, WAVE, _wave(picture, recording, path), class_=f"wave {class_}")
    if recording.sound is None:
        absent = tag("text", "no sound: this call's recording is not here (see the top)", x="4", y="16")
        picture.lane("sound", BAR, [absent], class_="absent")
    picture.lane("caller", BAR, (_segment(picture, item) for item in timeline.segments), class_="caller")
    picture.lane("agent", BAR, (_sentence(picture, item) for item in timeline.sentences), class_="agent")
    weighty = [case for case in cases if case.weight in ("action", "held")]
    rows = _rows(picture, weighty)
    height = _ROW * (max((row for row, _ in rows), default=0) + 1)
    picture.lane("decisions", height, (_decision(picture, row, case) for row, case in rows), class_="decisions")
    minor = [case for case in cases if case.weight in ("late", "said")]
    picture.lane("sentences", _TICKS, (_tick(picture, case) for case in minor), class_="minor")
    draw_tracks(picture, course, rules)
    picture.lane("signals", _ROW, _marks(picture, timeline.marks), class_="signals")
    return picture.svg()


def _waves(recording: Recording) -> list[tuple[str, str, str]]:
    if recording.sound is None:
        return []
    paths = [peaks.path() for peaks in peaks_of(recording.sound)]
    names = (("caller ♪", "caller"), ("agent ♪", "agent")) if len(paths) == 2 else (("both ♪", "both"),)
    return [(name, class_, path) for (name, class_), path in zip(names, paths, strict=True)]


def _wave(picture: Picture, recording: Recording, path: str) -> Iterable[Html]:
    if recording.sound is None:
        return
    if recording.from_ms > 0:
        until = picture.percent(recording.from_ms)
        yield tag(
            "rect", tag("title", "not recorded: the notice had not been heard"), x="0", y="4", width=until,
            height=WAVE - 8, class_="unrecorded",
        )  # fmt: skip
    yield wave(picture, path, recording.from_ms, recording.sound.ms)


def _segment(picture: Picture, item: Segment) -> Html:
    said = item.text or "(no words)"
    title = f"{clock(item.from_ms)} caller: {said}"
    return bar(picture, item.from_ms, item.to_ms, said, title, "said" if item.text else "wordless")


def _sentence(picture: Picture, item: Sentence) -> Html:
    how = f"{PURPOSES.get(item.purpose, item.purpose)}, {sentence_state(item)}"
    title = f"{clock(item.from_ms)} agent ({how}): {item.text}"
    return bar(picture, item.from_ms, item.to_ms, item.text, title, item.heard)


def _rows(picture: Picture, cases: Sequence[Case]) -> list[tuple[int, Case]]:
    """Put each decision into the first row where its label has room; the last row takes what is left."""
    ends = [-12] * _MOST_ROWS
    placed = []
    for case in cases:
        begin, end = picture.span_px(case.at_ms, 22 + _LABEL_PX * len(case.title))
        row = next((row for row, taken in enumerate(ends) if taken <= begin), _MOST_ROWS - 1)
        ends[row] = end
        placed.append((row, case))
    return placed


def _decision(picture: Picture, row: int, case: Case) -> Html:
    verdict = case.decision.verdict
    label = f"{clock(case.at_ms)} {case.title}: {VERDICTS[verdict]}"
    late = picture.is_late(case.at_ms)
    words = tag("text", case.title, x="-12" if late else "12", y="4", text_anchor="end" if late else "start")
    shape = tag("circle", r="8") if verdict != "deny" else tag("rect", x="-8", y="-8", width="16", height="16", rx="2")
    sign = tag("text", SIGNS[verdict], x="0", y="4", text_anchor="middle", class_="sign")
    place = tag("svg", shape, sign, words, x=picture.percent(case.at_ms), y=row * _ROW + 12, overflow="visible")
    return tag("a", tag("title", label), place, href=f"#r{case.seq}-d", class_=verdict, aria_label=label)


def _tick(picture: Picture, case: Case) -> Html:
    at = picture.percent(case.at_ms)
    top = "2" if case.weight == "said" else "8"
    title = f"{clock(case.at_ms)} sentence {VERDICTS[case.decision.verdict]}"
    line = tag("line", x1=at, x2=at, y1=top, y2=_TICKS)
    return tag("g", tag("title", title), line, class_=case.decision.verdict)


def _marks(picture: Picture, marks: Sequence[Mark]) -> Iterable[Html]:
    taken_px = -12
    for mark in marks:
        at = picture.percent(mark.from_ms)
        name = _NAMES.get(mark.kind, mark.kind)
        begin, end = picture.span_px(mark.from_ms, _LABEL_PX * len(name))
        yield tag("g", tag("title", f"{clock(mark.from_ms)} {name}"), tag("line", x1=at, x2=at, y1="0", y2="8"))
        if begin >= taken_px:
            late = picture.is_late(mark.from_ms)
            anchor = "end" if late else "start"
            yield tag("text", name, x=at, y="20", dx="-2" if late else "2", text_anchor=anchor)
            taken_px = end
