"""A report of a stream that is cut, altered, empty or from another version: shows what is there, says the rest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.chain import Chain
from tests.fakes.recorded_call import booking_call, two_channels

from voicewarden.ledger.store import Ledger
from voicewarden.model.error import LedgerError
from voicewarden.model.event import CallerSpoke, CallStarted, RecordingStored, SentencePlayed
from voicewarden.model.record import GENESIS, Record, make_record
from voicewarden.replay.report import write_report


class Shelf:
    """A ledger for reading that holds one stream and some blobs, in memory: it may hold what no writer would take."""

    def __init__(self, folder: Path, records: list[Record], blobs: dict[str, bytes]) -> None:
        self.path = folder / "no-such-ledger.db"
        self._records = records
        self._blobs = blobs

    def read_stream(self, stream: str) -> Iterator[Record]:
        yield from (record for record in self._records if stream.startswith("call:"))

    def get_blob(self, sha: str) -> bytes:
        if sha not in self._blobs:
            raise LedgerError("no such blob")
        return self._blobs[sha]

    def get_recording(self, call: str, sha: str) -> bytes:
        return self.get_blob(sha)

    def spent(self, grant_id: str) -> bool:
        return False


SAMPLE = booking_call()


def shown(records: list[Record], folder: Path, recording: Path | None = None, **blobs: bytes) -> str:
    shelf = Shelf(folder, records, {name.removeprefix("b"): data for name, data in blobs.items()})
    # A shelf answers what the report asks a ledger for.
    path = write_report(shelf, "sample-1", folder / "r.html", recording=recording)  # type: ignore[arg-type]
    return path.read_text("utf-8")


def started(release: str = "0" * 64, *, development: bool = False) -> CallStarted:
    return CallStarted(
        at_ms=0, call="one", agent="booking", direction="inbound", contact="", stage="bounded", epoch=0,
        release=release, started_unix_ms=-5, development=development,
    )  # fmt: skip


def test_unknown_call_is_said(tmp_path: Path) -> None:
    source = shown([], tmp_path)
    assert "The ledger holds no record of this call." in source
    assert "nothing to replay" in source


def test_stream_without_its_beginning(tmp_path: Path) -> None:
    source = shown(SAMPLE.records[60:], tmp_path)
    assert "does not begin with CallStarted" in source
    assert "The hash chain is broken at record 60" in source
    assert "Shall I book a haircut" in source


def test_stream_that_stops_in_the_middle(tmp_path: Path) -> None:
    begun = next(place for place, record in enumerate(SAMPLE.records) if b'"SentenceStarted"' in record.body)
    source = shown(SAMPLE.records[: begun + 1], tmp_path)
    assert "no end is recorded" in source
    assert "not known whether heard" in source


def test_altered_record_is_named(tmp_path: Path) -> None:
    records = list(SAMPLE.records)
    kept = records[49]
    records[49] = Record(kept.stream, kept.seq, kept.at_ms, kept.kind, kept.body + b" ", kept.prev_hash, kept.hash)
    assert "The hash chain is broken at record 49" in shown(records, tmp_path)


def test_records_of_another_version_are_shown_raw(tmp_path: Path) -> None:
    chain = Chain()
    records = [chain.event(started()), chain.event()]
    body = b'{"at_ms":9,"event":"CallerTeleported","where":"<b>Mars</b>"}'
    records.append(make_record(chain.stream, chain.seq, 40, "event", body, chain.last))
    source = shown(records, tmp_path)
    assert "1 records can&#x27;t be read by this version (the first is record 2)." in source
    assert "&lt;b&gt;Mars&lt;/b&gt;" in source


def test_release_that_is_missing_or_broken(tmp_path: Path) -> None:
    name = SAMPLE.release.hash
    assert f"Release {name[:12]} is not beside the ledger" in shown(SAMPLE.records, tmp_path)
    source = shown(SAMPLE.records, tmp_path, **{f"b{name}": b'{"name":"old"}'})
    assert f"Release {name[:12]} can&#x27;t be read by this version" in source
    assert "the rule&#x27;s text is not at hand" in source


def test_development_profile_is_a_banner(tmp_path: Path) -> None:
    assert "Development profile" in shown([Chain().event(started(development=True))], tmp_path)
    assert "Development profile" not in shown([Chain().event(started())], tmp_path)


def test_sound_without_words_and_a_cut_that_never_began(tmp_path: Path) -> None:
    chain = Chain()
    events = [
        started(), CallerSpoke(at_ms=300, turn=1, text="", words=(), speech_ms=900),
        SentencePlayed(at_ms=400, sentence="nobody", played_ms=-3, whole=False),
    ]  # fmt: skip
    source = shown([chain.event(event) for event in events], tmp_path)
    assert "(a sound without words)" in source


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no readable PCM WAV file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "is no readable PCM WAV file"),
        (two_channels(1000)[:400], "not the one that the call stored"),
    ],
)
def test_recording_that_is_not_what_it_should_be(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(content)
    chain = Chain()
    stored = RecordingStored(at_ms=2000, blob=hashlib.sha256(b"else").hexdigest(), from_ms=500, ms=1000)
    assert said in shown([chain.event(started()), chain.event(stored)], tmp_path, path)


def test_recording_that_is_not_there(tmp_path: Path) -> None:
    chain = Chain()
    stored = RecordingStored(at_ms=2000, blob="1" * 64, from_ms=0, ms=1000)
    records = [chain.event(started()), chain.event(stored)]
    assert "it is not beside the ledger: name its file" in shown(records, tmp_path)
    assert "can&#x27;t be read (No such file or directory)" in shown(records, tmp_path, tmp_path / "gone.wav")


def test_recording_is_found_among_the_blobs(tmp_path: Path) -> None:
    content = two_channels(1000)
    name = hashlib.sha256(content).hexdigest()
    chain = Chain()
    stored = RecordingStored(at_ms=2000, blob=name, from_ms=500, ms=1000)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.put_blob(content)
        ledger.submit([chain.event(started()), chain.event(stored)])
        ledger.flush()
        source = write_report(ledger, "one", tmp_path / "r.html").read_text("utf-8")
    assert "data:audio/wav" in source
    assert 'data-from="500"' in source


@given(st.data())
def test_no_stream_breaks_a_report(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Records dropped, doubled, reordered, emptied, with wild times: always a page."""
    folder = tmp_path_factory.getbasetemp()
    chosen = data.draw(st.lists(st.sampled_from(SAMPLE.records), max_size=25))
    records = []
    for record in chosen:
        body = data.draw(st.sampled_from([record.body, record.body, b"", b"{}", b"\xff", record.body[:-9]]))
        kind = data.draw(st.sampled_from([record.kind, record.kind, record.kind, "event", "note", "unheard-of"]))
        at_ms = data.draw(st.sampled_from([record.at_ms, -5, 0, 10**12]))
        # Kinds that no version writes are part of the test.
        records.append(Record("call:sample-1", record.seq, at_ms, kind, body, GENESIS, record.hash))  # type: ignore[arg-type]
    assert shown(records, folder).rstrip().endswith("</html>")
