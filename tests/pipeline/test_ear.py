"""What the ear makes of sound: turns, segments, faults, keys, lost and late frames."""

import asyncio
import json
from collections.abc import Callable

import numpy as np
import pytest
from pipecat.frames.frames import InputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection
from tests.fakes.media import FakeSink, FakeTranscriber, voice_like

from voicewarden.model.event import (
    CadenceMeasured,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    DtmfPressed,
    HearingFaltered,
    SoundResumed,
    SoundStopped,
    ToneHeard,
)
from voicewarden.pipeline.ear import Ear
from voicewarden.pipeline.frames import MarkEchoed, StreamStopped
from voicewarden.pipeline.recorder import Recorder
from voicewarden.pipeline.serializer import PhoneSerializer
from voicewarden.pipeline.settings import LineSettings
from voicewarden.pipeline.sound_watch import MUTED_AFTER_LOOKS
from voicewarden.pipeline.timeline import AudioTimeline

SILENCE = np.zeros(160, dtype=np.int16)


class Hearing:
    """An ear that is fed by hand, faster than real time; the call clock is the fed audio plus 40 ms of delay."""

    def __init__(self, *texts: str | None, settings: LineSettings | None = None) -> None:
        self.sink = FakeSink()
        self.sink.clock_ms = 40
        self.transcriber = FakeTranscriber(*texts)
        self.marks: list[str] = []
        self.stops = 0
        self.ear = Ear(
            self.sink,
            self.transcriber,
            Recorder(self.sink, None),
            settings or LineSettings(),
            on_mark=self.marks.append,
            on_stop=self._stop,
        )
        self.worker = asyncio.create_task(self.ear.service.run())

    def _stop(self) -> None:
        self.stops += 1

    async def feed(self, pcm: np.ndarray, *, settle: bool = True) -> None:
        for start in range(0, len(pcm), 160):
            assert self.sink.clock_ms is not None
            self.sink.clock_ms += 20
            frame = InputAudioRawFrame(audio=pcm[start : start + 160].tobytes(), sample_rate=8000, num_channels=1)
            await self.ear.process_frame(frame, FrameDirection.DOWNSTREAM)
            if settle:
                for _ in range(4):
                    await asyncio.sleep(0)

    async def quiet(self, ms: int, *, settle: bool = True) -> None:
        await self.feed(np.zeros(ms * 8, dtype=np.int16), settle=settle)


@pytest.fixture
async def hearing():  # type: ignore[no-untyped-def]  # yields a maker
    made: list[Hearing] = []

    def make(*texts: str | None, settings: LineSettings | None = None) -> Hearing:
        made.append(Hearing(*texts, settings=settings))
        return made[-1]

    yield make
    for each in made:
        each.worker.cancel()
        each.ear._sound.cancel()
        if each.ear._backstop is not None:
            each.ear._backstop.cancel()


Maker = Callable[..., Hearing]


async def test_a_pause_shorter_than_the_limit_continues_the_turn(hearing: Maker) -> None:
    ears = hearing("Yes.", "That is correct.")
    await ears.quiet(300)
    await ears.feed(voice_like(400))
    await ears.quiet(400)
    await ears.feed(voice_like(600))
    await ears.quiet(700)
    assert [event.turn for event in ears.sink.of(CallerStartedSpeaking)] == [1, 1]
    assert [(event.turn, event.text) for event in ears.sink.of(CallerSpoke)] == [(1, "Yes."), (1, "That is correct.")]
    assert [event.turn for event in ears.sink.of(CallerTurnEnded)] == [1]
    await ears.feed(voice_like(400))
    await ears.quiet(700)
    assert [event.turn for event in ears.sink.of(CallerTurnEnded)] == [1, 2]


async def test_words_are_dated_on_the_clock_of_the_call(hearing: Maker) -> None:
    ears = hearing("yes indeed")
    await ears.quiet(1000)
    await ears.feed(voice_like(500))
    await ears.quiet(700)
    first, second = ears.sink.of(CallerSpoke)[0].words
    # The segment begins 300 ms before the speech; the audio is 40 ms behind the call's clock.
    assert 700 + 40 <= first.from_ms <= 760 + 40
    assert second.from_ms - first.from_ms == 100


async def test_a_longer_pause_can_be_ordered(hearing: Maker) -> None:
    ears = hearing("five five five")
    ears.ear.listen_for(1_000)
    await ears.feed(voice_like(400))
    await ears.quiet(900)
    assert not ears.sink.of(CallerTurnEnded)
    await ears.quiet(200)
    assert ears.sink.of(CallerTurnEnded)


async def test_the_turn_waits_for_its_transcript(hearing: Maker) -> None:
    ears = hearing("yes")
    await ears.feed(voice_like(400), settle=False)
    await ears.quiet(800, settle=False)
    assert not ears.sink.of(CallerTurnEnded)
    for _ in range(4):
        await asyncio.sleep(0)
    kinds = [type(event) for event in ears.sink.events]
    assert kinds.index(CallerSpoke) < kinds.index(CallerTurnEnded)


async def test_unheard_words_are_not_silence(hearing: Maker) -> None:
    ears = hearing(None)
    await ears.feed(voice_like(400))
    await ears.quiet(800)
    assert ears.sink.of(HearingFaltered) and not ears.sink.of(CallerSpoke)
    assert ears.sink.of(CallerTurnEnded)


async def test_a_noise_without_words_is_a_turn_without_words(hearing: Maker) -> None:
    ears = hearing("")
    await ears.feed(voice_like(300))
    await ears.quiet(700)
    assert [event.text for event in ears.sink.of(CallerSpoke)] == [""]
    assert ears.sink.of(CallerTurnEnded)


async def test_long_speech_is_read_in_pieces_while_it_goes_on(hearing: Maker) -> None:
    ears = hearing("one", "two", "three")
    await ears.feed(voice_like(11_500))
    assert [event.text for event in ears.sink.of(CallerSpoke)] == ["one", "two"]
    assert not ears.sink.of(CallerStoppedSpeaking)
    await ears.quiet(800)
    assert [event.text for event in ears.sink.of(CallerSpoke)] == ["one", "two", "three"]
    assert len(ears.sink.of(CallerTurnEnded)) == 1
    assert sum(ears.transcriber.segments) == pytest.approx(11_500 + 200, abs=100)


async def test_keys_marks_and_the_stop_are_passed_on(hearing: Maker) -> None:
    ears = hearing()
    serializer = PhoneSerializer("MZ1")
    for message in (
        {"event": "dtmf", "dtmf": {"digit": "1"}},
        {"event": "mark", "mark": {"name": "e:0:k1"}},
        {"event": "stop", "stop": {}},
    ):
        frame = await serializer.deserialize(json.dumps(message))
        assert frame is not None
        await ears.ear.process_frame(frame, FrameDirection.DOWNSTREAM)
    assert [event.digit for event in ears.sink.of(DtmfPressed)] == ["1"]
    assert ears.marks == ["e:0:k1"] and ears.stops == 1


async def test_cadence_is_reported_at_transitions_and_twice_a_second(hearing: Maker) -> None:
    ears = hearing("hello", settings=LineSettings(cadence_until_ms=3_000))
    await ears.quiet(1_000)
    assert [event.bursts for event in ears.sink.of(CadenceMeasured)] == [0, 0]
    await ears.feed(voice_like(600))
    await ears.quiet(4_000)
    measured = ears.sink.of(CadenceMeasured)
    assert measured[-1].bursts == 1 and 900 <= measured[-1].onset_ms <= 1_100
    assert len(measured) <= 9


async def test_a_beep_is_heard(hearing: Maker) -> None:
    ears = hearing()
    at = np.arange(8000 * 4 // 10) / 8000
    await ears.quiet(200)
    await ears.feed(np.asarray(6000 * np.sin(2 * np.pi * 1000 * at), dtype=np.int16))
    await ears.quiet(400)
    assert [event.tone for event in ears.sink.of(ToneHeard)] == ["beep"]


async def test_a_turn_ends_although_the_carrier_sends_nothing_any_more(hearing: Maker) -> None:
    ears = hearing("yes", settings=LineSettings(pause_ms=20))
    await ears.feed(voice_like(400))
    ears.ear.listen_for(2_000)
    await ears.quiet(240)
    assert not ears.sink.of(CallerTurnEnded)
    assert ears.ear._backstop is not None
    ears.ear._end_silent_turn(ears.ear._segmenter.now_ms - 20)
    assert not ears.sink.of(CallerTurnEnded)
    ears.ear._end_silent_turn(ears.ear._segmenter.now_ms)
    assert ears.sink.of(CallerTurnEnded)


async def test_a_line_without_any_frame_is_muted_until_the_next_one(hearing: Maker) -> None:
    ears = hearing()
    await ears.quiet(100)
    ears.ear._sound.look()
    ears.ear._sound.look()
    await ears.quiet(20)
    assert not ears.sink.of(SoundStopped)
    for _ in range(MUTED_AFTER_LOOKS + 3):
        ears.ear._sound.look()
    assert len(ears.sink.of(SoundStopped)) == 1 and not ears.sink.of(SoundResumed)
    await ears.quiet(60)
    assert len(ears.sink.of(SoundResumed)) == 1
    ears.ear._sound.look()
    assert len(ears.sink.of(SoundStopped)) == 1


async def test_keys_reach_no_transcriber_and_no_model(hearing: Maker) -> None:
    ears = hearing("never said")
    pushed: list[object] = []
    ears.ear.push_frame = lambda frame, direction: pushed.append(frame)  # type: ignore[method-assign,assignment]
    for digit in "1942#":
        frame = await PhoneSerializer("MZ1").deserialize(json.dumps({"event": "dtmf", "dtmf": {"digit": digit}}))
        assert frame is not None
        await ears.ear.process_frame(frame, FrameDirection.DOWNSTREAM)
    assert [event.digit for event in ears.sink.of(DtmfPressed)] == list("1942#")
    assert not pushed and not ears.transcriber.segments and not ears.sink.of(CallerSpoke)


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "null",
        "7",
        '{"event":"media"}',
        '{"event":"media","media":{"payload":"!!"}}',
        '{"event":"media","media":{"payload":""}}',
        '{"event":"media","media":{"payload":7}}',
        '{"event":"media","media":{"chunk":"x","payload":"AAAA"}}',
        '{"event":"media","media":{"payload":"' + "A" * 20_000 + '"}}',
        '{"event":"mark"}',
        '{"event":"mark","mark":[]}',
        '{"event":"dtmf","dtmf":{"digit":"x"}}',
        '{"event":["a"]}',
        b"\xff\xfe",
        "[" * 100_000,
    ],
)
async def test_a_bad_message_is_dropped(message: str | bytes) -> None:
    serializer = PhoneSerializer("MZ1")
    assert await serializer.deserialize(message) is None


async def test_bad_messages_are_counted_and_unknown_ones_are_not() -> None:
    serializer = PhoneSerializer("MZ1")
    await serializer.deserialize("{")
    assert await serializer.deserialize('{"event":"connected"}') is None
    assert serializer.bad_messages == 1


async def test_late_and_double_frames_are_dropped_and_lost_ones_are_silence(hearing: Maker) -> None:
    ears = hearing()
    serializer = PhoneSerializer("MZ1")
    for chunk in (1, 2, 2, 5, 3, 6):
        media = {"chunk": str(chunk), "timestamp": str(chunk * 20), "payload": "/" * 212 + "/w=="}
        frame = await serializer.deserialize(json.dumps({"event": "media", "media": media}))
        if frame is not None:
            await ears.ear.process_frame(frame, FrameDirection.DOWNSTREAM)
    assert serializer.late_frames == 2
    assert ears.ear._timeline.heard_ms == pytest.approx(6 * 20, abs=4)


def test_the_timeline_takes_the_smallest_delay_and_starts_anew_after_a_long_hole() -> None:
    timeline = AudioTimeline()
    assert timeline.missing_ms(100) == 0
    timeline.advance(20, 90)
    timeline.advance(20, 95)
    timeline.advance(20, 160)
    assert timeline.call_ms(0) == 55
    assert timeline.missing_ms(160) == 0 and timeline.missing_ms(200) == 40
    assert timeline.missing_ms(9_000) == 0
    timeline.advance(20, 9_000)
    assert timeline.call_ms(80) == 9_000


async def test_messages_of_any_kind_do_not_stop_the_stream() -> None:
    assert isinstance(await PhoneSerializer("a").deserialize('{"event":"stop"}'), StreamStopped)
    assert isinstance(await PhoneSerializer("a").deserialize('{"event":"mark","mark":{"name":"x"}}'), MarkEchoed)
