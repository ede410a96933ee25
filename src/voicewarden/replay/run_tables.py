"""The tables and pictures of the QA report.

In: `Run` and `Drift`. Out: HTML. Used by `run_report`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from voicewarden.replay.agreement import Agreement
from voicewarden.replay.drift import FEWEST_CALLS, Drift, Drifted
from voicewarden.replay.interval import Rate
from voicewarden.replay.markup import Html, join, tag
from voicewarden.replay.rules import About
from voicewarden.replay.run import Gaps, Run
from voicewarden.replay.wording import duration, plain

_BIN_MS: Final = 200
_MOST_BINS: Final = 25
_WIDTH, _HEIGHT, _FOOT = 900, 150, 24
_SAYS: Final = {
    "higher": "higher", "lower": "lower", "no change shown": "no change that so many calls can show",
    "insufficient data": f"insufficient data (fewer than {FEWEST_CALLS} calls on one side)",
}  # fmt: skip


def table(caption: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table whose first column names the row."""
    head = tag("tr", join(tag("th", name, scope="col") for name in names))
    body = join(
        tag("tr", tag("th", row[0], scope="row"), join(tag("td", cell) for cell in row[1:])) for row in rows
    )
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def share(found: Rate) -> Html:
    """A rate in words, with a bar whose paler part is the interval."""
    if found.permille is None:
        return tag("span", "nothing to count", class_="missing")
    text = f"{found.permille / 10:g} % ({found.hits} of {found.of}; {_interval(found)})"
    span = tag("rect", x=f"{found.low_permille / 10}%", width=f"{(found.high_permille - found.low_permille) / 10}%",
               y="2", height="8", class_="between")  # fmt: skip
    point = tag("rect", x="0", width=f"{found.permille / 10}%", y="4", height="4", class_="point")
    bar = tag("svg", span, point, class_="share", width="140", height="12", aria_hidden="true")
    return join((bar, " ", text))


def _interval(found: Rate) -> str:
    return f"{found.low_permille / 10:g} to {found.high_permille / 10:g} %"


def outcomes_table(run: Run) -> Html:
    """How calls ended."""
    rows = [(plain(name) if name else "no end is recorded", share(found)) for name, found in run.outcomes()]
    return table(f"{len(run.calls)} calls", ("Ending", "Share of calls"), rows)


def asked_table(run: Run) -> Html:
    """What was asked for."""
    names = ("Action", "Allowed", "Had to wait for a yes", "Sent to a person", "Refused", "Done")
    rows = [(plain(i.action), i.allow, i.confirm, i.escalate, i.deny, i.done) for i in run.asked()]
    return table("Decisions on actions, in all calls together", names, rows)


def refusals_table(run: Run) -> Html:
    """Which rules refused, why they are there, and whether reviewers agree."""
    right = {item.rule: item for item in run.precision}
    rows = []
    for rule, decisions, calls in run.refusals():
        judged = right.get(rule)
        word: object = tag("span", "nobody looked yet", class_="missing")
        if judged is not None:
            word = join((share(judged.right), f"; {judged.disputed} disputed" if judged.disputed else ""))
        rows.append((tag("code", rule), _about(run.about.get(rule)), decisions, share(calls), word))
    if not rows:
        return tag("p", "No rule refused anything.", class_="missing")
    names = ("Rule", "Why it is there", "Decisions", "Share of calls", "Found right by reviewers")
    return table("Refused, or sent to a person", names, rows)


def _about(about: About | None) -> Html:
    if about is None:
        return tag("span", "not at hand", class_="missing")
    return join((about.why, tag("span", f" — {about.owner}", class_="owner") if about.owner else ""))


def unclear_text(run: Run) -> Html:
    """Questions and unclear answers."""
    found = run.answers()
    if not found.questions:
        return tag("p", "No question was put to a caller.", class_="missing")
    said = (f"{found.questions} questions were put to callers. {found.unclear} answers were not a clear yes, and "
            f"{found.unheard} times no answer could be heard.")  # fmt: skip
    return join((tag("p", said), tag("p", "Calls with a question and an unclear answer: ", share(found.calls))))


def gaps_picture(run: Run) -> Html:
    """Waits as a histogram."""
    gaps = run.gaps()
    if gaps is None:
        return tag("p", "No wait could be measured: no answer of the agent follows a turn of a caller.",
                   class_="missing")  # fmt: skip
    bins = [0] * (_MOST_BINS + 1)
    for gap in run.gaps_ms():
        bins[min(gap // _BIN_MS, _MOST_BINS)] += 1
    most, width = max(bins), _WIDTH / len(bins)
    bars = []
    for index, count in enumerate(bins):
        height = count * (_HEIGHT - 20) / most
        title = f"{_bin(index)}: {count} waits"
        bars.append(tag("rect", tag("title", title), x=f"{index * width + 1:.1f}", y=f"{_HEIGHT - height:.1f}",
                        width=f"{width - 2:.1f}", height=f"{height:.1f}"))  # fmt: skip
        if index % 5 == 0:
            bars.append(tag("text", _bin(index).partition(" to ")[0], x=f"{index * width:.1f}", y=_HEIGHT + 16))
    for name, ms in (("p50", gaps.p50_ms), ("p95", gaps.p95_ms)):
        x = min(ms / _BIN_MS, _MOST_BINS + 0.5) * width
        bars.append(tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1="0", y2=_HEIGHT))
        bars.append(tag("text", f"{name} {duration(ms)}", x=f"{x + 4:.1f}", y="11" if name == "p50" else "25"))
    picture = tag("svg", join(bars), class_="waits", viewBox=f"0 0 {_WIDTH} {_HEIGHT + _FOOT}", role="img",
                  aria_label=f"Histogram of waits; {_told(gaps)}")  # fmt: skip
    scroll = tag("div", picture, class_="scroll", tabindex="0", role="region", aria_label="Histogram, scrollable")
    return join((tag("p", _told(gaps)), scroll))


def _bin(index: int) -> str:
    low = index * _BIN_MS / 1000
    return f"{low:g} s or more" if index == _MOST_BINS else f"{low:g} s to {low + _BIN_MS / 1000:g} s"


def _told(gaps: Gaps | None) -> str:
    if gaps is None:
        return "nothing measured"
    return (f"{gaps.count} waits: half were at most {duration(gaps.p50_ms)} (p50), 95 of 100 at most "
            f"{duration(gaps.p95_ms)} (p95), the longest {duration(gaps.longest_ms)}")  # fmt: skip


def drift_tables(drift: Drift | None) -> tuple[Html, ...]:
    """What changed, and what did not or can't be told."""
    if drift is None:
        return (tag("p", "No earlier run was given. Keep the output of --json and pass it later with --against.",
                    class_="missing"),)  # fmt: skip
    changed = [row for row in drift.rows if row.says in ("higher", "lower")]
    others = [row for row in drift.rows if row.says not in ("higher", "lower")]
    old, new = (", ".join(names) or "not known" for names in drift.policies)
    lines = [f"{drift.old_calls} calls then, {drift.new_calls} now. Policies then: {old}; now: {new}.",
             f"Waits then: {_told(drift.old_gaps)}. Waits now: {_told(drift.new_gaps)}."]  # fmt: skip
    if drift.in_both:
        lines.insert(1, f"{drift.in_both} calls stand in both runs and were counted then only.")
    judged = sum(row.says != "insufficient data" for row in drift.rows)
    if judged:
        chance = f"About {judged / 20:.1f} of {judged} rows would seem to have changed by chance alone."
        lines.append(f"Compared at 95 %. {chance}")
    shown = _drift_table("What changed", changed) if changed else tag("p", "Nothing is shown to have changed.")
    rest = tag("details", tag("summary", f"{len(others)} rows without a change that can be shown"),
               _drift_table("No change shown", others), class_="group")  # fmt: skip
    return (*(tag("p", line) for line in lines), shown, rest if others else Html(""))


def _drift_table(caption: str, rows: Sequence[Drifted]) -> Html:
    names = ("Share of", "Then", "Now", "Change (95 % interval)", "Says")
    return table(caption, names, ((row.name, share(row.old), share(row.new), _change(row),
                                   tag("strong", _SAYS[row.says])) for row in rows))  # fmt: skip


def _change(row: Drifted) -> str:
    return f"{row.low_permille / 10:+g} to {row.high_permille / 10:+g} points"


def reviewers_tables(run: Run) -> tuple[Html, ...]:
    """How far reviewers agree, and what they found right."""
    if not run.labels:
        return (tag("p", "No decision was labelled yet: voicewarden label LEDGER CALL RECORD right|wrong --reason …",
                    class_="missing"),)  # fmt: skip
    parts = [tag("p", f"{run.labels} labels count; {run.superseded} earlier ones were replaced by their reviewer.")]
    names = ("Two reviewers", "Decisions that both labelled", "Same label", "Agreement beyond chance (kappa)")
    if run.agreements:
        rows = ((f"{a.first} and {a.second}", a.both, f"{a.same} ({a.same * 100 // a.both} %)", _kappa(a))
                for a in run.agreements)  # fmt: skip
        parts.append(table("Agreement", names, rows))
    else:
        parts.append(tag("p", "No decision was labelled by two reviewers, so that agreement can't be told."))
    judged = [(tag("code", item.rule), share(item.right), item.disputed) for item in run.precision]
    parts.append(table("Found right", ("Rule, or action that was allowed", "Right", "Disputed"), judged))
    return tuple(parts)


def _kappa(found: Agreement) -> str:
    if found.kappa_permille is None:
        return "can't be told: both always said the same one thing"
    kappa = f"{found.kappa_permille / 1000:.2f}".replace("-", "\N{MINUS SIGN}")
    return kappa + ("" if found.both >= FEWEST_CALLS else " (few decisions)")
