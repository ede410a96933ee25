"""The transcript in time order: caller's words with how sure the transcriber was, agent's sentences with what became of
them, decisions and signals between.

In: timeline, cases, entries, the policy's confidence bands. Out: HTML. Used by the call report.
"""

from collections.abc import Sequence

from voicewarden.model.decision import Grant
from voicewarden.model.event import ReceiptReturned, Word
from voicewarden.replay.cases import Case
from voicewarden.replay.entries import Entries
from voicewarden.replay.markup import Html, join, record_link, tag
from voicewarden.replay.timeline import Mark, Segment, Sentence, Timeline
from voicewarden.replay.wording import PURPOSES, SIGNS, VERDICTS, clock, plain, sentence_state, summary

Bands = tuple[int, int]
"""Per mille from which a word counts, and under which it was not heard."""


def show_transcript(timeline: Timeline, cases: Sequence[Case], entries: Entries, bands: Bands) -> Html:
    """All rows, the legend first."""
    rows: list[tuple[int, int, Html]] = []
    for item in timeline.items:
        match item:
            case Segment():
                row = _segment(item, bands)
            case Sentence():
                row = _sentence(item)
            case Mark():
                row = _mark(item, entries)
        rows.append((item.from_ms, item.seq, row))
    rows += [(case.at_ms, case.seq, _decision(case)) for case in cases if case.weight in ("action", "held")]
    if not rows:
        return tag("p", "Nothing was said that any record holds.", class_="missing")
    return join((_legend(bands), tag("ol", join(row for *_, row in sorted(rows, key=_order)), class_="rows")))


def _order(row: tuple[int, int, Html]) -> tuple[int, int]:
    return row[0], row[1]


def _legend(bands: Bands) -> Html:
    accept, confirm = bands
    items = (
        tag("span", "sure", class_="w sure"), f" enough to decide, from {accept / 10:g} % · ",
        tag("span", "unsure", class_="w unsure"), f" from {confirm / 10:g} % · ",
        tag("span", "not heard", class_="w lost"), " below · ",
        tag("span", "no figure", class_="w none"), " not measured. ",
    )  # fmt: skip
    hint = "The figure shows when a line is pointed at or focused. "
    switch = tag("label", tag("input", type="checkbox", id="figures"), " always show figures", class_="script-only")
    return tag("p", join(items), hint, switch, class_="legend")


def _row(seq: int, from_ms: int, to_ms: int, who: str, class_: str, *content: object) -> Html:
    play = tag("button", clock(from_ms), type="button", class_="time", data_ms=from_ms, title="Go to this moment")
    body = tag("div", tag("span", who, class_="who"), *content, class_="body")
    return tag("li", play, body, class_=class_, data_from=from_ms, data_to=to_ms, id=f"t{seq}")


def _segment(item: Segment, bands: Bands) -> Html:
    known = [word for word in item.words if word.permille is not None]
    notes: list[object] = []
    if known:
        least = min(known, key=lambda word: word.permille or 0)
        notes.append(f"least sure: “{least.text.strip()}” {_percent(least)}")
    notes += [f"doubted: {plain(reason)}" for reason in item.suspect]
    words: object = join((_word(word, bands) for word in item.words), " ")
    if not item.words:
        words = tag("span", item.text or "(a sound without words)", class_="" if item.text else "missing")
    said = tag("span", words, class_="said", tabindex="0" if item.words else None, lang="")
    meta = tag("span", join((*notes, f"turn {item.turn}", record_link(item.seq)), " · "), class_="meta")
    return _row(item.seq, item.from_ms, item.to_ms, "Caller", "caller", said, meta)


def _word(word: Word, bands: Bands) -> Html:
    class_ = "none" if word.permille is None else "sure"
    if word.permille is not None and word.permille < bands[0]:
        class_ = "unsure" if word.permille >= bands[1] else "lost"
    figure = "?" if word.permille is None else str(round(word.permille / 10))
    title = "no figure" if word.permille is None else f"{_percent(word)} sure"
    return tag("span", word.text.strip(), class_=f"w {class_}", data_p=figure, data_ms=word.from_ms, title=title)


def _percent(word: Word) -> str:
    return f"{(word.permille or 0) / 10:g} %"


def _sentence(item: Sentence) -> Html:
    meta: list[object] = [PURPOSES.get(item.purpose, item.purpose), sentence_state(item)]
    if item.line:
        meta.append(tag("code", item.line))
    meta.append(record_link(item.seq))
    changed = tag("span", "The model had: “", item.proposed, "”", class_="meta") if item.proposed else None
    heard = tag("span", join(meta, " · "), class_="meta")
    return _row(
        item.seq, item.from_ms, item.to_ms, "Agent", f"agent {item.heard} {item.purpose}",
        tag("span", item.text, class_="said"), changed, heard,
    )  # fmt: skip


def _mark(item: Mark, entries: Entries) -> Html:
    entry = entries.by_seq[item.seq]
    said = summary(entry)
    if isinstance(entry.value, ReceiptReturned) and (action := _action_of(entry.value.grant, entries)):
        said = f"{plain(action)}: {plain(entry.value.outcome)}"
    return _row(item.seq, item.from_ms, item.from_ms, "", "mark", said, " ", record_link(item.seq))


def _action_of(grant: str, entries: Entries) -> str:
    """What a grant permitted; its id ends with the number of its record."""
    number = grant.rpartition("/")[2]
    entry = entries.by_seq.get(int(number)) if number.isascii() and number.isdigit() else None
    return entry.value.action if entry is not None and isinstance(entry.value, Grant) else ""


def _decision(case: Case) -> Html:
    verdict = case.decision.verdict
    link = tag("a", f"{case.title} {VERDICTS[verdict]}", href=f"#r{case.seq}-d")
    wanted = tag("span", "“", case.proposed, "”", class_="struck") if case.proposed else None
    return _row(
        case.seq, case.at_ms, case.at_ms, "", f"mark decision {verdict}", badge(verdict), " ", link, " ", wanted
    )


def badge(verdict: str) -> Html:
    """A verdict's sign in its colour."""
    return tag("span", SIGNS[verdict], class_=f"badge {verdict}", aria_hidden="true")
