"""Labels: a reviewer's word on whether a decision was right, kept in the ledger beside the call.

In: a ledger, a decision, a verdict with its reason. Out: a note in the stream `review:<call>`, durable when `add_label`
returns. A call's own stream is never written to by anybody else. Nothing is overwritten: a later label of the same
reviewer on the same decision counts instead of the earlier one, which stays readable. Used by `voicewarden label`, by
the server that holds the ledger (`Reviews`), the call report and the QA report.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from voicewarden.ledger.store import Ledger
from voicewarden.ledger.view import LedgerView
from voicewarden.model.action import Value
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision
from voicewarden.model.error import LedgerError
from voicewarden.model.record import Record
from voicewarden.replay.entries import Entry, read_entries

LabelVerdict = Literal["right", "wrong"]
LONGEST_REASON: Final = 2_000
_REVIEWER: Final = re.compile(r"[^\W\d_][\w.@' -]{0,63}")


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="note", tag="label", kw_only=True):
    """One reviewer's word on one decision."""

    unix_ms: int
    call: str
    seq: int
    hash: str
    """Hash of the decision's record: the label is about these bytes and no others."""
    verdict: LabelVerdict
    reason: str
    reviewer: str


class Labels(msgspec.Struct, frozen=True):
    """What reviewers said about one call."""

    current: tuple[Label, ...]
    """The last word of each reviewer on each decision, in the order of the decisions."""
    superseded: int = 0
    problems: tuple[str, ...] = ()

    def about(self, seq: int) -> tuple[Label, ...]:
        """Labels on one decision."""
        return tuple(label for label in self.current if label.seq == seq)


_DECODE: Final = msgspec.json.Decoder(Label).decode


def review_stream(call: str) -> str:
    """Name of the stream that holds the labels of a call."""
    return f"review:{call}"


def read_labels(ledger: LedgerView, call: str, records: Iterable[Record]) -> Labels:
    """The labels of a call; `records` are the call's own, which the labels must fit."""
    hashes = {record.seq: record.hash for record in records}
    latest: dict[tuple[int, str], Label] = {}
    problems: list[str] = []
    count = 0
    for record in ledger.read_stream(review_stream(call)):
        try:
            label = _DECODE(record.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            problems.append(f"Note {record.seq} of the reviewers can't be read by this version.")
            continue
        if label.call != call or hashes.get(label.seq) != label.hash:
            problems.append(f"Note {record.seq} of the reviewers is about a record that is not there any more.")
            continue
        count += 1
        latest[label.seq, label.reviewer] = label
    current = sorted(latest.values(), key=lambda label: (label.seq, label.unix_ms))
    return Labels(tuple(current), count - len(current), tuple(problems))


def find_decision(ledger: LedgerView, call: str, seq: int) -> tuple[Entry, Decision]:
    """The decision at a record of a call; the error names those that there are."""
    entries = read_entries(ledger.read_stream(f"call:{call}"))
    if not entries.items:
        raise LedgerError(f"{ledger.path} holds no call {call}; `voicewarden qa {ledger.path}` lists those that it has")
    entry = entries.by_seq.get(seq)
    if entry is None or not isinstance(entry.value, Decision):
        known = ", ".join(str(item.seq) for item in entries.items if isinstance(item.value, Decision)) or "none"
        raise LedgerError(f"record {seq} of this call is no decision; its decisions are the records {known}")
    return entry, entry.value


def add_label(
    ledger: Ledger, call: str, seq: int, verdict: LabelVerdict, *, reason: str, reviewer: str, unix_ms: int,
    digest: str = "",
) -> Label:  # fmt: skip
    """Write one label and wait until it is durable; `digest` is the record's hash as the reviewer saw it, if known.

    Raises LedgerError when there is no such decision, or it is another one than the reviewer looked at.
    """
    entry, _ = find_decision(ledger, call, seq)
    if digest not in ("", entry.record.hash):
        raise LedgerError(
            f"record {seq} of {call} is not the one that was looked at: it has another hash in {ledger.path}; "
            "name the ledger that the running server writes, or stop the server"
        )
    label = Label(
        unix_ms=unix_ms, call=call, seq=seq, hash=entry.record.hash, verdict=verdict, reason=_reason(reason),
        reviewer=_reviewer(reviewer),
    )  # fmt: skip
    ledger.append(review_stream(call), unix_ms, "note", canonical_bytes(label))
    ledger.flush()
    return label


class Reviews:
    """What a running server does with labels; implements `model.ports.Reviews`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(
        self, call: str, seq: int, verdict: LabelVerdict, *, reason: str, reviewer: str, digest: str, unix_ms: int
    ) -> dict[str, Value]:
        """Write a label and wait until it is durable."""
        made = add_label(
            self._ledger, call, seq, verdict, reason=reason, reviewer=reviewer, unix_ms=unix_ms, digest=digest
        )
        return msgspec.structs.asdict(made)


def _reason(text: str) -> str:
    found = " ".join(text.split())
    if not 3 <= len(found) <= LONGEST_REASON:
        raise LedgerError(f"a label needs a reason of 3 to {LONGEST_REASON} characters, so that others can follow it")
    return found


def _reviewer(name: str) -> str:
    found = " ".join(name.split())
    if not _REVIEWER.fullmatch(found):
        raise LedgerError("a reviewer is a name of up to 64 letters, digits, spaces and .@_'-, such as ann.lee")
    return found
