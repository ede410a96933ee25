"""What shadow rules and shadow policies would have changed, counted by rule over all calls of a ledger.

In: a ledger. Out: `Flip`, one for each source, action, change and set of rules, with the calls in which it happened.
Called by `voicewarden policy flips`.
"""

from collections import Counter

import msgspec

from voicewarden.ledger.view import LedgerView
from voicewarden.model.action import Verdict
from voicewarden.model.content import readable
from voicewarden.model.decision import Shadowed

_SHADOW = msgspec.json.Decoder(Shadowed)


class Change(msgspec.Struct, frozen=True):
    """One way in which a shadow differs from what was decided."""

    source: str
    """`rules`, or the name of the shadow policy."""
    action: str
    active: Verdict
    verdict: Verdict
    rules: tuple[str, ...]
    """The rules on which the shadow's verdict rests."""


class Flip(msgspec.Struct, frozen=True):
    """A change, how often it happened, and where."""

    change: Change
    decisions: int
    calls: tuple[str, ...]
    first: tuple[str, int]
    """Call and record number of the first one: what to look at."""


def flips_of(ledger: LedgerView) -> tuple[int, list[Flip]]:
    """Number of decisions in the ledger, and every flip, the most frequent first."""
    counted: Counter[Change] = Counter()
    calls: dict[Change, dict[str, None]] = {}
    first: dict[Change, tuple[str, int]] = {}
    decisions = 0
    for stream in ledger.streams("call:"):
        call = stream.removeprefix("call:")
        for record in ledger.read_stream(stream):
            decisions += record.kind == "decision" and b'"request":"escape:' not in record.body
            if record.kind != "shadow":
                continue
            change = _change(_SHADOW.decode(readable(record.kind, record.body)))
            counted[change] += 1
            calls.setdefault(change, {})[call] = None
            first.setdefault(change, (call, record.seq))
    found = [Flip(change, times, tuple(calls[change]), first[change]) for change, times in counted.most_common()]
    return decisions, found


def _change(shadowed: Shadowed) -> Change:
    verdict = shadowed.verdict
    rules = tuple(reason.rule for reason in shadowed.reasons if reason.verdict != "allow")
    return Change(shadowed.source, shadowed.action, shadowed.active, verdict, rules)
