"""Chains of records to write into a ledger in tests."""

import msgspec

from voicewarden.model.action import Arguments
from voicewarden.model.canonical import canonical_bytes, digest_of
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.event import CallerSpoke, Event, ReceiptReturned
from voicewarden.model.record import GENESIS, Record, make_record


class Chain:
    """Makes the records of one stream, each behind the one before."""

    def __init__(self, stream: str = "call:one", seq: int = 0, last: str = GENESIS) -> None:
        self.stream = stream
        self.seq = seq
        self.last = last

    @property
    def call(self) -> str:
        """The call that the stream is named for."""
        return self.stream.removeprefix("call:")

    def event(self, event: Event | None = None) -> Record:
        """The next record, holding an event."""
        said = CallerSpoke(at_ms=20 * self.seq, turn=1, text="yes", words=(), speech_ms=300)
        return self._next("event", canonical_bytes(event or said))

    def events(self, count: int) -> list[Record]:
        """The next records."""
        return [self.event() for _ in range(count)]

    def raw(self, body: bytes) -> Record:
        """The next record, holding any bytes."""
        return self._next("note", body)

    def decision(self, action: str, args: Arguments, verdict: str = "allow") -> Record:
        """The next record, holding a decision."""
        decision = Decision(
            seq=self.seq, at_ms=0, request="r", action=action, digest=digest_of(args), principal="booking",
            verdict=verdict, reasons=(), policy="p", version=1, epoch=1, stage="bounded",  # type: ignore[arg-type]
        )  # fmt: skip
        return self._next("decision", canonical_bytes(decision))

    def grant(self, action: str, args: Arguments, *, escape: bool = False) -> Record:
        """The next record, holding a grant."""
        grant = msgspec.structs.replace(make_grant(self.call, self.seq, action, args), escape=escape)
        return self._next("grant", canonical_bytes(grant))

    def receipt(self, grant: str) -> Record:
        """The next record, holding a receipt."""
        return self.event(ReceiptReturned(at_ms=0, grant=grant, outcome="done"))

    def _next(self, kind: str, body: bytes) -> Record:
        record = make_record(self.stream, self.seq, 20 * self.seq, kind, body, self.last)  # type: ignore[arg-type]
        self.seq, self.last = self.seq + 1, record.hash
        return record


def make_grant(call: str, seq: int, action: str, args: Arguments) -> Grant:
    """A grant as the kernel mints it."""
    return Grant(
        id=f"{call}/{seq}", call=call, seq=seq, action=action, args=args, digest=digest_of(args), version=1,
        policy="p", epoch=1, principal="booking", confirmed="", minted_at_ms=0, expires_at_ms=30_000,
    )  # fmt: skip
