"""The register of contacts: who wants no calls, who agreed to them, and how often somebody was called.

In: keyed hashes of numbers and what happened. Out: notes in the ledger, durable before the call returns, and facts for
the next call. Called by the runtime before dialling and when a call ends an acquaintance. Not for several threads.
"""

import asyncio
from collections.abc import Awaitable

from voicewarden.contacts.history import CONSENT_LEVELS, Attempt, Consent, ConsentLevel, Note, OptOut, facts_of
from voicewarden.contacts.number import check_pepper, e164, keyed_hash
from voicewarden.ledger import Ledger, awaiting
from voicewarden.model.action import Value
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import ConfigError
from voicewarden.model.record import Record, make_record


class Contacts:
    """Contacts of one ledger, named by one pepper; another pepper knows none of them."""

    def __init__(
        self, ledger: Ledger, pepper: bytes, *, older: tuple[bytes, ...] = (), default_region: str = "US"
    ) -> None:
        """`pepper` names new contacts; with the `older` ones contacts from before a rotation are still found."""
        for secret in (pepper, *older):
            check_pepper(secret)
        self._older = older
        self._ledger = ledger
        self._pepper = pepper
        self._region = default_region
        self._underway: dict[str, list[Record]] = {}
        self._opted_out: set[str] = set()

    def contact_id(self, number: str) -> str:
        """The keyed hash of a number however it is spelt; raises ConfigError, without the number, when it is none."""
        return keyed_hash(e164(number, self._region), self._pepper)

    def names(self, number: str) -> tuple[str, ...]:
        """All keyed hashes of a number, the newest first: under the older ones it was known before a rotation."""
        spelt = e164(number, self._region)
        return tuple(keyed_hash(spelt, pepper) for pepper in (self._pepper, *self._older))

    def record_opt_out(self, contact: str, *, call: str, unix_ms: int, how: str) -> Awaitable[None]:
        """No more calls to this person. `facts` knows at once; durable when the answer was awaited."""
        # Kept here too: a disk that fails must not make the process forget what a person said.
        self._opted_out.add(contact)
        return self._note(contact, OptOut(call=call, unix_ms=unix_ms, how=how))

    def record_attempt(self, contact: str, *, call: str, unix_ms: int) -> Awaitable[None]:
        """This person is about to be called: counts at once, whether or not anybody answers; durable when awaited."""
        return self._note(contact, Attempt(call=call, unix_ms=unix_ms))

    async def record_consent(
        self, contact: str, level: ConsentLevel, *, unix_ms: int, source: str, call: str = ""
    ) -> None:
        """This person agreed to be called at this level, or took it back with `none`."""
        if level not in CONSENT_LEVELS:
            raise ConfigError("unknown level of consent", field="level", accepted=", ".join(CONSENT_LEVELS))
        await self._note(contact, Consent(call=call, unix_ms=unix_ms, level=level, source=source))

    def facts(self, contact: str, *, now_unix_ms: int, windows_s: tuple[int, ...] = ()) -> dict[str, Value]:
        """`opted_out`, `contact.consent` and `contact.attempts_<s>` as they stand; reads the ledger without waiting."""
        stream = _stream(contact)
        records = {record.seq: record for record in self._ledger.read_stream(stream)}
        # What is being written counts too: nobody is dialled while an opt-out is on its way to the disk.
        records.update((record.seq, record) for record in self._underway.get(contact, ()))
        history = [records[seq] for seq in sorted(records)]
        facts = facts_of(history, now_unix_ms=now_unix_ms, windows_s=windows_s)
        return {**facts, "opted_out": True} if contact in self._opted_out else facts

    def facts_of_number(
        self, number: str, *, now_unix_ms: int, windows_s: tuple[int, ...] = ()
    ) -> dict[str, Value]:
        """The same for a number, over all its names: an opt-out under any of them holds, attempts add up."""
        newest, *older = self.names(number)
        known = self.facts(newest, now_unix_ms=now_unix_ms, windows_s=windows_s)
        for contact in older:
            for name, value in self.facts(contact, now_unix_ms=now_unix_ms, windows_s=windows_s).items():
                known[name] = _joined(name, known.get(name), value)
        return known

    def _note(self, contact: str, note: Note) -> Awaitable[None]:
        stream = _stream(contact)
        seq, last = self._ledger.head(stream)
        record = make_record(stream, seq, note.unix_ms, "note", canonical_bytes(note), last)
        # INVARIANT: no await between head and submit (test_register.py, test_notes_at_once_keep_one_chain).
        durable = awaiting.submitted(self._ledger, (record,))
        self._underway.setdefault(contact, []).append(record)
        return self._settled(contact, record, durable)

    async def _settled(self, contact: str, record: Record, durable: asyncio.Future[bool]) -> None:
        underway = self._underway[contact]
        try:
            await durable
        finally:
            underway.remove(record)
            if not underway:
                self._underway.pop(contact, None)


def _joined(name: str, newer: Value | None, older: Value) -> Value:
    if name == "opted_out":
        return newer is True or older is True
    if name.startswith("contact.attempts_"):
        return int(newer or 0) + int(older)
    return older if newer in (None, "none") else newer


def _stream(contact: str) -> str:
    return f"contact:{contact}"
