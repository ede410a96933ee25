"""The page around lanes, transcript and cards: who called whom, what came of it, what is missing, every record.

In: the parts of one call's report. Out: one HTML document with its style and script inside and nothing loaded from
anywhere (its own content security policy forbids it). Used by the call report and the index.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from string import Template
from typing import Final

from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision
from voicewarden.model.event import CallStarted
from voicewarden.replay.cases import Case
from voicewarden.replay.course import Course, longest_silence
from voicewarden.replay.entries import Entries, Entry
from voicewarden.replay.markup import Html, join, tag, text
from voicewarden.replay.rules import Rules
from voicewarden.replay.timeline import Timeline
from voicewarden.replay.transcript import badge
from voicewarden.replay.wording import VERDICTS, clock, date, duration, plain, summary

_KEEP_WORDS: Final = "It holds words of a caller: keep it as you keep the recording."


def document(title: str, body: Html, *, made_from: str = "the ledger alone", keep: str = _KEEP_WORDS) -> str:
    """A whole HTML document; its foot says what it was made from and how to keep it."""
    style, script = _asset("report.css"), _asset("report.js")
    return Template(_asset("report.html")).substitute(
        title=text(title), body=body, made_from=text(made_from), keep=text(keep), style=style, script=script,
        style_hash=_hash(style), script_hash=_hash(script),
    )  # fmt: skip


def _asset(name: str) -> str:
    return resources.files("voicewarden.replay").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def section(name: str, title: str, *content: object) -> Html:
    """A part of the page with its heading."""
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def header(call: str, entries: Entries, timeline: Timeline, policy: str) -> Html:
    """Who, when, how long, how it ended, under which policy."""
    started = entries.started
    facts = [*_started(started, _last_stage(entries)), ("Length", duration(timeline.length_ms))]
    if timeline.answered_ms is not None:
        facts.append(("Answered at", clock(timeline.answered_ms)))
    facts.append(("Outcome", plain(timeline.ended) if timeline.ended else "no end is recorded"))
    facts.append(("Policy", policy[:12] or "not known"))
    rows = join(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts)
    banner = None
    if started is not None and started.development:
        banner = tag("p", "Development profile: unapproved files governed this call.", class_="banner", role="note")
    return tag("header", banner, tag("h1", "Call ", tag("span", call, class_="id")), tag("dl", rows), class_="top")


def _last_stage(entries: Entries) -> str:
    """The stage of the last decision: a person, or a hand-over, may have lowered it."""
    return next((entry.value.stage for entry in reversed(entries.items) if isinstance(entry.value, Decision)), "")


def _started(started: CallStarted | None, last_stage: str) -> list[tuple[str, str]]:
    if started is None:
        return [("Agent", "not known")]
    stage = started.stage if last_stage in ("", started.stage) else f"{started.stage}, later {last_stage}"
    return [
        ("Agent", started.agent), ("Direction", started.direction), ("Stage", stage),
        ("Started", date(started.started_unix_ms)), ("Release", started.release[:12]),
    ]  # fmt: skip


def findings(notes: Sequence[str], heading: str = "What is missing or odd") -> Html:
    """What a person has to know before all else, said at the top."""
    if not notes:
        return Html("")
    items = join(tag("li", note) for note in notes)
    return tag("aside", tag("h2", heading), tag("ul", items), class_="findings")


def glance(cases: Sequence[Case], course: Course, rules: Rules, replay: Html) -> Html:
    """What came of the call, in a few lines."""
    weighty = [case for case in cases if case.weight == "action"]
    counts = Counter((case.decision.action, case.decision.verdict) for case in weighty)
    actions = join(
        tag("li", badge(verdict), f" {plain(action)} {VERDICTS[verdict]}" + (f", {count} times" if count > 1 else ""))
        for (action, verdict), count in counts.items()
    )
    held = sum(case.weight == "held" and bool(case.proposed) for case in cases)
    late = sum(case.weight == "late" for case in cases)
    said = sum(case.weight == "said" for case in cases)
    done = [plain(case.decision.action) for case in cases if case.receipt and case.receipt.outcome == "done"]
    rows: list[tuple[str, object]] = [
        ("Done", ", ".join(done) or "nothing"),
        ("Decisions", tag("ul", actions, class_="plain") if weighty else "none on actions"),
        ("Sentences of the model", f"{said} allowed, {held} refused, {late} too late"),
        ("Budget", _budget(course, rules)),
        ("Longest silence", _silence(course)),
    ]
    watching = Counter(shadow.verdict for case in cases for shadow in case.shadows)
    if watching:
        would = ", ".join(f"{VERDICTS[verdict]} {count} times" for verdict, count in watching.items())
        rows.append(("Watching rules would have said", would))
    rows.append(("Exact replay", replay))
    return tag("dl", join(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows), class_="glance")


def _budget(course: Course, rules: Rules) -> str:
    used = course.spending[-1].spent if course.spending else 0
    limit = f" of {rules.release.policy.budget.per_call_tokens}" if rules.release else ""
    stopped = sum(item.refused for item in course.spending)
    return f"{used}{limit} tokens of the model" + (f"; not let go on {stopped} times" if stopped else "")


def _silence(course: Course) -> str:
    longest = longest_silence(course.silences)
    if longest is None:
        return "no pause worth telling"
    return f"{duration(longest.to_ms - longest.from_ms)}, from {clock(longest.from_ms)}"


def player(wav: bytes, from_ms: int) -> Html:
    """The sound itself, inside the page; it begins at `from_ms` of the call."""
    if not wav:
        return Html("")
    source = Html("data:audio/wav;base64," + base64.b64encode(wav).decode())
    label = "Recording: caller left, agent right"
    audio = tag(
        "audio", src=source, controls=True, preload="metadata", id="sound", data_from=from_ms, aria_label=label
    )
    return tag("div", audio, class_="player")


_KEYS: Final = (
    ("j or →", "next decision"), ("k or ←", "decision before"), ("space", "play and pause"),
    ("Enter", "on a time: go there"), ("?", "this list"), ("Esc", "close it"),
)  # fmt: skip


def keyboard() -> Html:
    """What can be done without a mouse."""
    rows = join(tag("div", tag("dt", tag("kbd", keys)), tag("dd", does)) for keys, does in _KEYS)
    close = tag("form", tag("button", "Close"), method="dialog")
    return tag("dialog", tag("h2", "Keys"), tag("dl", rows), close, id="keys")


def controls() -> Html:
    """Buttons that widen and narrow the time axis."""
    buttons = join(
        tag("button", label, type="button", data_zoom=zoom, title=title)
        for label, zoom, title in (("-", "out", "Less wide"), ("fit", "fit", "Whole call"), ("+", "in", "Wider"))
    )
    keys = tag("button", "Keys", type="button", id="show-keys", title="What can be done without a mouse (?)")
    return tag("div", buttons, keys, class_="zoom script-only", role="group", aria_label="Time axis")


def log(entries: Entries) -> Html:
    """Every record, with its hash and its bytes."""
    rows = join(_log_row(entry) for entry in entries.items)
    title = f"All {len(entries.items)} records"
    return tag("details", tag("summary", title), tag("ol", rows, class_="log"), id="records")


def _log_row(entry: Entry) -> Html:
    record = entry.record
    body = (canonical_bytes(entry.value) if entry.is_hidden else record.body).decode("utf-8", "replace")
    name = type(entry.value).__name__ if entry.value is not None else record.kind
    line = tag(
        "summary", tag("span", str(record.seq), class_="seq"), tag("span", clock(record.at_ms), class_="at"),
        tag("span", name, class_=f"kind {record.kind}"), tag("span", summary(entry), class_="what"),
        tag("code", record.hash[:12]),
    )  # fmt: skip
    inner = (
        tag("p", "hash ", tag("code", record.hash, class_="long")),
        tag("p", "before ", tag("code", record.prev_hash, class_="long")),
        tag("pre", body),
    )
    return tag("li", tag("details", line, *inner), id=f"r{record.seq}")
