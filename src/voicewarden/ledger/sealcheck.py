"""What `verify` says about sealed words: whether a call is sealed as a whole, and what became of its key.

In: the records of each stream as they are walked, the notes on what was erased, and the vault where there is one. Out:
problems of a stream, and notes. Called by `verify`, which needs no key; with one, what is sealed is opened and compared
with its clear part.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from voicewarden.ledger.forgetting import ContentErased, Forgotten
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.vault import Vault
from voicewarden.model.content import has_content, is_sealed, shape_of
from voicewarden.model.error import LedgerError

_CALL: Final = "call:"


class SealNote(NamedTuple):
    """Something about sealed words that people should know; `call` is empty where it is about all."""

    call: str
    what: str


class SealedStream:
    """One stream as it is walked."""

    def __init__(self, name: str, vault: Vault | None) -> None:
        self._name = name
        self._vault = vault
        self._key: WordsKey | None = None
        self._open = -1
        self.is_sealed = False

    # Any: the decoded JSON of a body.
    def check(self, seq: int, kind: str, body: bytes, value: Mapping[str, Any]) -> str:
        """Take the next record; what is wrong with it, in words."""
        if is_sealed(body):
            return self._check_box(seq, kind, body)
        if self._open < 0 and self._name.startswith(_CALL):
            shape = shape_of(kind, value)
            if shape is not None and has_content(shape):
                self._open = seq
        return "what it says is not sealed, as that of the call is" if self.is_sealed and self._open == seq else ""

    def _check_box(self, seq: int, kind: str, body: bytes) -> str:
        if not self.is_sealed:
            self.is_sealed = True
            try:
                self._key = None if self._vault is None else self._vault.words(self._name)
            except LedgerError:
                self._key = None
            if self._open >= 0:
                return f"is sealed, while record {self._open} of the call is not"
        return "" if self._key is None else self._key.misfit(kind, seq, body)


def seal_notes(sealed: Sequence[str], forgotten: Iterable[Forgotten], vault: Vault | None) -> Iterator[SealNote]:
    """What to tell of the streams that are sealed."""
    gone: set[str] = set()
    for note in forgotten:
        calls = (note.call,) if isinstance(note, ContentErased) else note.calls
        if "words" in note.classes:
            gone |= {_CALL + call for call in calls}
        what, day = " and ".join(note.classes), datetime.fromtimestamp(note.unix_ms / 1000, UTC).strftime("%Y-%m-%d")
        if isinstance(note, ContentErased):
            who = " and ".join(item.person for item in note.signatures)
            yield SealNote(note.call, f"its {what} were erased on {day} by {who} ({note.reason}): erased, intact")
        elif calls:
            yield SealNote("", f"{what} of {len(calls)} calls were erased on {day}, after {note.days} days: intact")
    lost = [name for name in sealed if name not in gone and (vault is None or not vault.has(name, "words"))]
    if lost and vault is None:
        yield SealNote("", f"what was said in {len(lost)} calls is sealed, and no file of keys lies beside this ledger")
    elif lost:
        what = "its words are sealed, no key of them is kept, and no note says why"
        yield from (SealNote(name.removeprefix(_CALL), what) for name in lost)
