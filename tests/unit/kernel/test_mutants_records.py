"""The records of a step: numbered without a gap, chained, each of its kind, each with its canonical bytes."""

from voicewarden.kernel.records import records_of
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import StopSpeaking
from voicewarden.model.event import CallAnswered
from voicewarden.model.record import GENESIS, chain_hash

DECISION = Decision(
    seq=4, at_ms=9, request="r", action="book", digest="d", principal="p", verdict="allow", reasons=(), policy="p",
    version=0, epoch=0, stage="bounded",
)  # fmt: skip
GRANT = Grant(
    id="c1/5", call="c1", seq=5, action="book", args={}, digest="d", version=0, policy="p", epoch=0, principal="p",
    confirmed="", minted_at_ms=9, expires_at_ms=10,
)  # fmt: skip
SHADOWED = Shadowed(
    seq=6, at_ms=9, request="r", action="book", source="rules", policy="p", verdict="deny", active="allow", reasons=()
)


def test_a_step_becomes_its_event_and_its_outputs_in_order() -> None:
    event, outputs = CallAnswered(at_ms=8), (DECISION, GRANT, SHADOWED, StopSpeaking())
    records = records_of("call:c1", 3, GENESIS, event, outputs, 9)
    assert [(record.seq, record.kind) for record in records] == [
        (3, "event"), (4, "decision"), (5, "grant"), (6, "shadow"), (7, "directive")
    ]  # fmt: skip
    assert [record.body for record in records] == [canonical_bytes(item) for item in (event, *outputs)]
    assert {(record.stream, record.at_ms) for record in records} == {("call:c1", 9)}
    before = GENESIS
    for record in records:
        assert record.prev_hash == before
        before = chain_hash("call:c1", record.seq, 9, record.kind, record.body, before)
        assert record.hash == before


def test_a_step_without_outputs_is_one_record() -> None:
    (record,) = records_of("call:c1", 0, GENESIS, CallAnswered(at_ms=0), (), 0)
    assert (record.seq, record.kind) == (0, "event")
