"""The call report: one self-contained HTML file that shows a call to a person, and an index over many.

In: a ledger and the id of a call. Out: a file that opens from disk without any request to anywhere. Never fails for
what a stream holds: what is missing is said at the top. Called by `voicewarden report`, the demo and the console.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerError
from voicewarden.replay.card import Card
from voicewarden.replay.cards import show_cards
from voicewarden.replay.cases import Case, read_cases
from voicewarden.replay.course import AnswererWatch, Stretch, read_course
from voicewarden.replay.entries import Entries, read_entries
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.labels import read_labels
from voicewarden.replay.lanes import draw
from voicewarden.replay.markup import Html, join, tag
from voicewarden.replay.page import controls, document, findings, glance, header, keyboard, log, player, section
from voicewarden.replay.provenance import Provenance
from voicewarden.replay.recording import find_recording
from voicewarden.replay.rules import read_rules
from voicewarden.replay.timeline import read_timeline
from voicewarden.replay.transcript import show_transcript
from voicewarden.replay.unsettled import unsettled, unsettled_in_words
from voicewarden.replay.wording import date, duration, plain

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def write_report(ledger: LedgerView, call: str, target: Path, *, recording: Path | None = None) -> Path:
    """Write the report of one call and return where it is; raises OSError when the file can't be written."""
    entries = read_entries(ledger.read_stream(f"call:{call}"))
    with Provenance(ledger) as provenance:
        body = _body(ledger, call, entries, provenance, recording)
    return write_page(target, document(f"Call {call}", body))


def _body(ledger: LedgerView, call: str, entries: Entries, provenance: Provenance, recording: Path | None) -> Html:
    timeline, cases = read_timeline(entries), read_cases(entries)
    rules = read_rules(ledger, entries.started.release if entries.started else "")
    sound = find_recording(ledger, call, timeline.recording, recording)
    labels = read_labels(ledger, call, (entry.record for entry in entries.items))
    replay, replay_note, who = _replayed(ledger, entries, timeline.length_ms)
    course = read_course(entries, timeline, who)
    burnt = frozenset(case.grant.id for case in cases if case.grant is not None and ledger.spent(case.grant.id))
    to_settle = [
        f"{unsettled_in_words(case, ended=bool(timeline.ended))} (record {case.seq})."
        for case in unsettled(cases, burnt.__contains__)
    ]
    notes = (*entries.problems, provenance.problem, rules.note, *sound.notes, replay_note, *labels.problems)
    card = Card(entries, rules, burnt.__contains__, labels, provenance)
    policy = next((case.decision.policy for case in cases), "")
    said = show_transcript(timeline, cases, entries, rules.bands_permille)
    parts = (
        findings(to_settle, "What a person has to settle"),
        findings([note for note in notes if note]),
        section("glance", "At a glance", glance(cases, course, rules, replay)),
        section("time", "Time", controls(), draw(timeline, cases, sound, course, rules)),
        tag(
            "div", section("said", "Transcript", said), section("decisions", "Decisions", show_cards(cases, card)),
            class_="columns",
        ),
        section("log", "Event log", _chain(entries), log(entries)),
        player(sound.wav, sound.from_ms),
    )  # fmt: skip
    return join((header(call, entries, timeline, policy), tag("main", *parts), keyboard()))


def report_name(call: str) -> str:
    """The file name under which an index expects a call's report."""
    return (_UNSAFE.sub("-", call).lstrip(".") or "call") + ".html"


def write_index(ledger: LedgerView, calls: Sequence[str], target: Path) -> Path:
    """Write a table over many calls; their reports are expected beside it, under `report_name`."""
    names = ("Call", "Agent", "Direction", "Started", "Length", "Outcome", "Done", "Refused")
    head = tag("tr", join(tag("th", name, scope="col") for name in names))
    rows = join(_index_row(ledger, call) for call in calls)
    table = tag("table", tag("caption", f"{len(calls)} calls"), tag("thead", head), tag("tbody", rows))
    main = tag("main", tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Table of calls"))
    heading = tag("header", tag("h1", "Calls"), class_="top")
    return write_page(target, document("Calls", join((heading, main)), keep="It holds no word that anybody said."))


def _index_row(ledger: LedgerView, call: str) -> Html:
    entries = read_entries(ledger.read_stream(f"call:{call}"))
    timeline, cases = read_timeline(entries), read_cases(entries)
    started = entries.started
    done = [plain(case.decision.action) for case in cases if case.receipt and case.receipt.outcome == "done"]
    cells = (
        started.agent if started else "not known", started.direction if started else "",
        date(started.started_unix_ms) if started else "", duration(timeline.length_ms),
        plain(timeline.ended) if timeline.ended else "no end is recorded", ", ".join(done) or "nothing",
        _refused(cases) or "nothing",
    )  # fmt: skip
    link = tag("th", tag("a", call, href=f"./{report_name(call)}"), scope="row")
    return tag("tr", link, join(tag("td", cell) for cell in cells))


def _refused(cases: Sequence[Case]) -> str:
    refused = [case for case in cases if case.weight == "action" and case.decision.verdict == "deny"]
    names = [plain(case.decision.action) for case in refused]
    held = sum(case.weight == "held" for case in cases)
    return ", ".join([*dict.fromkeys(names), *([f"sentences ({held})"] if held else [])])


def _replayed(ledger: LedgerView, entries: Entries, end_ms: int) -> tuple[Html, str, tuple[Stretch, ...]]:
    """Whether the call replays to the same bytes, what to say at the top when it does not, and who answered."""
    if not entries.items:
        return tag("span", "nothing to replay"), "", ()
    answerer = AnswererWatch()
    try:
        releases = Releases(ledger.get_blob)
        result = replay_call((entry.record for entry in entries.items), releases, watch=answerer.watch)
    except (LedgerError, msgspec.MsgspecError, UnicodeDecodeError):
        return tag("span", "could not be run: its release is missing or of another version"), "", ()
    if result.sealed:
        return tag("span", "not possible: what was said is sealed, and no key here opens it"), "", ()
    who = answerer.stretches(end_ms)
    if result.difference is None:
        return tag("span", tag("strong", "same bytes"), f", {result.events} events"), "", who
    seq = result.difference.seq
    note = f"Replayed through the kernel, this call differs at record {seq}."
    return tag("strong", f"differs at record {seq}"), note, who


def _chain(entries: Entries) -> Html:
    last = entries.items[-1].record.hash if entries.items else "none"
    whole = not any("chain" in problem for problem in entries.problems)
    state = "The hash chain is whole." if whole else "The hash chain is broken (see the top)."
    return tag("p", state, " Last hash: ", tag("code", last, class_="long"), class_="meta")


def write_page(target: Path, content: str) -> Path:
    """A whole file or none, readable by its owner only: it holds what a caller said."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    unfinished.replace(target)
    return target
