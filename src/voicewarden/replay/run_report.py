"""The QA report: many calls on one page, what to look at first and why.

In: `Run`, and `Drift` where there is an earlier one. Out: one self-contained HTML file. Used by `voicewarden qa`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voicewarden.replay.drift import Drift
from voicewarden.replay.markup import Html, join, tag
from voicewarden.replay.page import document, findings, section
from voicewarden.replay.report import write_page
from voicewarden.replay.run import Run
from voicewarden.replay.run_call import CallFigures
from voicewarden.replay.run_tables import (
    asked_table,
    drift_tables,
    gaps_picture,
    outcomes_table,
    refusals_table,
    reviewers_tables,
    unclear_text,
)
from voicewarden.replay.wording import clock, date, duration, plain

_SMALL: Final = 30
_KEEP: Final = "It holds no word that anybody said, and the names of reviewers."
_METHOD: Final = (
    "Every figure comes from recorded events and decisions. Nothing was heard again, and no model judged anything.",
    "A share stands with its 95 % interval (Wilson): with so many calls, the true share may well lie anywhere in it.",
    "Shares are shares of calls, because what happens within one call hangs together.",
    "A wait is the time from the caller's last word to the first sound of the agent. Turns that the agent did not "
    "answer before the caller spoke again are left out. Network and handset come on top.",
    "The order of the calls to look at is a sum of weights that the manual lists. It sorts work; it measures nothing.",
    "Which rules were right is what reviewers said (voicewarden label), and only where they were of one mind.",
)


def write_run_report(
    run: Run, drift: Drift | None, target: Path, *, ledger: str, first: int, reports: Mapping[str, str]
) -> Path:
    """Write the page; `reports` holds the address of each call's own report, where there is one."""
    notes = [*run.notes]
    if len(run.calls) < _SMALL:
        notes.append(f"Only {len(run.calls)} calls: the shares below say little about the next calls.")
    shown = run.first(first)
    parts = (
        findings(notes),
        section("first", "Look at these calls first", _first(run, shown, reports)),
        section("outcomes", "How the calls ended", outcomes_table(run)),
        section("asked", "What was asked for, and what came of it", asked_table(run)),
        section("refusals", "Refusals by rule", refusals_table(run)),
        section("consent", "Answers that were not a clear yes", unclear_text(run)),
        section("waits", "How long callers waited for an answer", gaps_picture(run)),
        section("drift", "Against the earlier run", *drift_tables(drift)),
        section("reviewers", "What reviewers said", *reviewers_tables(run)),
        section("method", "How to read this", tag("ul", join(tag("li", line) for line in _METHOD))),
    )
    body = join((_header(run, ledger), tag("main", *parts)))
    return write_page(target, document("QA report", body, keep=_KEEP))


def _header(run: Run, ledger: str) -> Html:
    times = [call.started_unix_ms for call in run.calls if call.started_unix_ms > 0]
    facts = [("Ledger", ledger), ("Calls", str(len(run.calls)))]
    if times:
        facts += [("From", date(min(times))), ("To", date(max(times)))]
    policies = dict.fromkeys(call.policy[:12] for call in run.calls if call.policy)
    facts.append(("Policies" if len(policies) > 1 else "Policy", ", ".join(policies) or "not known"))
    facts.append(("Calls with something to look at", str(sum(bool(call.findings) for call in run.calls))))
    rows = join(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts)
    return tag("header", tag("h1", "QA report"), tag("dl", rows), class_="top")


def _first(run: Run, shown: tuple[CallFigures, ...], reports: Mapping[str, str]) -> Html:
    if not shown:
        return tag("p", "Nothing stands out in any call.", class_="missing")
    items = join(_call(call, reports.get(call.call, "")) for call in shown)
    worth = sum(bool(call.findings) for call in run.calls)
    rest = tag("p", f"{worth - len(shown)} more calls have something to look at.", class_="meta")
    return join((tag("ol", items, class_="first"), rest if worth > len(shown) else ""))


def _call(call: CallFigures, address: str) -> Html:
    name = tag("a", call.call, href=address) if address else tag("span", call.call)
    facts = (date(call.started_unix_ms), call.agent, call.direction, duration(call.length_ms),
             plain(call.outcome) if call.outcome else "no end is recorded")  # fmt: skip
    why = join(_why(finding.what, finding.at_ms, finding.seq, address) for finding in call.findings)
    return tag(
        "li", tag("h3", name), tag("p", join((fact for fact in facts if fact), " · "), class_="meta"),
        tag("ul", why, class_="why"),
    )  # fmt: skip


def _why(what: str, at_ms: int, seq: int, address: str) -> Html:
    if seq < 0:
        return tag("li", what)
    place = f"{clock(at_ms)}, record {seq}"
    return tag("li", what, " (", tag("a", place, href=f"{address}#r{seq}") if address else place, ")")
