"""A run as JSON: figures for programs, and the calls from which a later run is compared.

In: `Run`, and `Drift` where there is an earlier one. Out: plain data. No word that anybody said is in it; reviewers'
names are. Used by `voicewarden qa --json`.
"""

from typing import Any

import msgspec

from voicewarden.replay.drift import Drift
from voicewarden.replay.interval import Rate
from voicewarden.replay.run import RUN_FORMAT, Run


# Any: plain data on its way into JSON.
def run_data(run: Run, drift: Drift | None, *, first: int) -> dict[str, Any]:
    """The whole document."""
    answers = run.answers()
    return {
        "format": RUN_FORMAT,
        "summary": {
            "calls": len(run.calls),
            "outcomes": {outcome: _rate(found) for outcome, found in run.outcomes()},
            "actions": {item.action: _counts(item) for item in run.asked()},
            "refusals_by_rule": {rule: {"decisions": n, "calls": _rate(found)} for rule, n, found in run.refusals()},
            "consent": {
                "questions": answers.questions, "unclear_answers": answers.unclear,
                "unheard_answers": answers.unheard, "calls_with_unclear": _rate(answers.calls),
            },
            "turn_gaps": msgspec.to_builtins(run.gaps()),
            "look_at_first": [
                {"call": call.call, "score": call.score, "why": [finding.what for finding in call.findings]}
                for call in run.first(first)
            ],
            "labels": {
                "count": run.labels, "superseded": run.superseded,
                "agreement": msgspec.to_builtins(run.agreements),
                "precision": {
                    item.rule: {"right": _rate(item.right), "disputed": item.disputed} for item in run.precision
                },
            },
        },
        "drift": _drift(drift) if drift else None,
        "notes": list(run.notes),
        "calls": msgspec.to_builtins(run.calls),
    }  # fmt: skip


def _drift(drift: Drift) -> dict[str, Any]:
    rows = [
        {"name": row.name, "old": _rate(row.old), "new": _rate(row.new), "says": row.says,
         "change_permille": [row.low_permille, row.high_permille]}
        for row in drift.rows
    ]  # fmt: skip
    return {
        "old_calls": drift.old_calls, "new_calls": drift.new_calls, "in_both": drift.in_both,
        "old_turn_gaps": msgspec.to_builtins(drift.old_gaps), "new_turn_gaps": msgspec.to_builtins(drift.new_gaps),
        "old_policies": list(drift.policies[0]), "new_policies": list(drift.policies[1]), "rates": rows,
    }  # fmt: skip


def _rate(found: Rate) -> dict[str, Any]:
    return {
        "hits": found.hits, "of": found.of, "permille": found.permille,
        "low_permille": found.low_permille, "high_permille": found.high_permille,
    }  # fmt: skip


def _counts(item: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(item).items() if name != "action"}
