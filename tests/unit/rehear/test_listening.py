"""One side of a recording through the sensors: the same events as the live ear, whatever the chunks."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from spoken import Texts, quiet, tone, voice

from voicewarden.model.event import (
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    Event,
    HearingFaltered,
    ToneHeard,
)
from voicewarden.rehear.listening import WORDS_MS, Listening, settled
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import Transcript

SOUND = np.concatenate(
    (
        quiet(500), voice(700), quiet(350), voice(900), quiet(900), voice(9_500), quiet(700), tone(900, 300),
        quiet(600), voice(250), quiet(260), voice(400), quiet(520), voice(300),
    )
)  # fmt: skip
WORDS = tuple(f"segment {number} of the call" for number in range(20))


def heard(sound: Samples, chunk_ms: int, *, pause_ms: int = 500, words_ms: int = WORDS_MS) -> list[Event]:
    listening = Listening(Texts(*WORDS), pause_ms=pause_ms, words_ms=words_ms)
    step = 8 * chunk_ms
    sound = settled(sound)
    return [event for at in range(0, sound.size, step) for event in listening.feed(sound[at : at + step])]


@pytest.mark.parametrize("chunk_ms", [10, 60, 7, 1000])
def test_chunks_of_any_size_give_the_same_events(chunk_ms: int) -> None:
    events = heard(SOUND, 20)
    assert heard(SOUND, chunk_ms) == events
    assert {type(event).__name__ for event in events} == {
        "CadenceMeasured", "CallerSpoke", "CallerStartedSpeaking", "CallerStoppedSpeaking", "CallerTurnEnded",
        "ToneHeard",
    }  # fmt: skip
    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)


def of(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_speech_that_goes_on_before_its_words_are_out_is_heard_as_one() -> None:
    texts = Texts("Yes, that is right.")
    listening = Listening(texts, pause_ms=500)
    events = listening.feed(settled(np.concatenate((quiet(400), voice(600), quiet(360), voice(600)))))
    assert len(of(events, CallerStartedSpeaking)) == len(of(events, CallerStoppedSpeaking)) == 2
    (spoke,) = of(events, CallerSpoke)
    assert [event.turn for event in of(events, CallerTurnEnded)] == [1]
    assert isinstance(spoke, CallerSpoke)
    assert 1_100 <= spoke.speech_ms <= 1_300
    (said,) = listening.utterances
    assert 380 <= said.from_ms <= 460 and 1_900 <= said.to_ms <= 2_000
    assert texts.segments_ms[0] >= 1_500


def test_a_turn_ends_with_its_pause_and_waits_for_its_words() -> None:
    events = heard(np.concatenate((quiet(400), voice(600))), 20)
    (stopped,), (ended,) = of(events, CallerStoppedSpeaking), of(events, CallerTurnEnded)
    assert ended.at_ms - stopped.at_ms == 300
    slow = heard(np.concatenate((quiet(400), voice(600))), 20, words_ms=760)
    assert of(slow, CallerTurnEnded)[0].at_ms == of(slow, CallerSpoke)[0].at_ms == stopped.at_ms + 760


def test_a_longer_pause_can_be_ordered() -> None:
    spelled = np.concatenate((quiet(400), voice(500), quiet(700), voice(500)))
    assert len(of(heard(spelled, 20), CallerTurnEnded)) == 2
    assert len(of(heard(spelled, 20, pause_ms=850), CallerTurnEnded)) == 1


def test_long_speech_is_cut_into_pieces_without_a_gap() -> None:
    listening = Listening(Texts(*WORDS), pause_ms=500)
    listening.feed(settled(np.concatenate((quiet(400), voice(13_000)))))
    pieces = listening.utterances
    assert len(pieces) == 4
    assert all(after.from_ms == before.to_ms for before, after in pairwise(pieces))
    assert listening.speech == [(pieces[0].from_ms, pieces[-1].to_ms)]


def test_words_that_could_not_be_had_are_not_silence() -> None:
    listening = Listening(Texts(None), pause_ms=500)
    events = listening.feed(settled(np.concatenate((quiet(400), voice(600)))))
    assert [event.turn for event in of(events, HearingFaltered)] == [1]
    assert len(of(events, CallerTurnEnded)) == 1
    assert listening.utterances[0].transcript is None


def test_tones_are_kept_with_their_places() -> None:
    listening = Listening(Texts(), pause_ms=500)
    events = listening.feed(settled(np.concatenate((quiet(1000), tone(700, 400)))))
    (found,) = listening.tones
    assert found.kind == "beep" and abs(found.hz - 700) <= 5 and abs(found.at_ms - 1000) <= 40
    assert [event.tone for event in of(events, ToneHeard) if isinstance(event, ToneHeard)] == ["beep"]


class _Submitting:
    """The same texts for the live ear."""

    def __init__(self) -> None:
        self._texts = deque(WORDS)

    def submit(self, pcm: Samples, *, speech_ms: int | None = None, deadline_ms: int = 4_000) -> Awaitable[Transcript]:
        return self._answer(Texts(self._texts.popleft()).transcribe(pcm, speech_ms=speech_ms))

    async def _answer(self, found: Transcript) -> Transcript:
        return found


async def test_the_live_ear_hears_the_same() -> None:
    """With words that are there at once, as only a fake transcriber has them."""
    pytest.importorskip("pipecat")
    from pipecat.frames.frames import InputAudioRawFrame
    from pipecat.processors.frame_processor import FrameDirection
    from tests.fakes.media import FakeSink

    from voicewarden.pipeline.ear import Ear
    from voicewarden.pipeline.recorder import Recorder
    from voicewarden.pipeline.settings import LineSettings

    sink = FakeSink()
    sink.clock_ms = 0
    ear = Ear(sink, _Submitting(), Recorder(sink, None), LineSettings(), on_mark=lambda _: None, on_stop=lambda: None)
    worker = asyncio.create_task(ear.service.run())
    sound = settled(SOUND)
    live: list[Event] = []
    for at in range(0, sound.size, 160):
        sink.clock_ms += 20
        frame = InputAudioRawFrame(audio=sound[at : at + 160].tobytes(), sample_rate=8000, num_channels=1)
        await ear.process_frame(frame, FrameDirection.DOWNSTREAM)
        for _ in range(4):
            await asyncio.sleep(0)
        live += [msgspec.structs.replace(event, at_ms=sink.clock_ms) for event in sink.events]
        sink.events.clear()
    worker.cancel()
    await ear.cleanup()
    # In the live call the words come after everything else of their frame, here before it in the next one.
    assert sorted(map(repr, heard(SOUND, 20, words_ms=0))) == sorted(map(repr, live))
