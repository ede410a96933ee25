"""Each processor of the line alone, in pipecat's own test pipeline."""

from pipecat.frames.frames import (
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.worker import PipelineParams
from pipecat.tests.utils import SleepFrame, run_test
from tests.fakes.media import FakeCutter, FakeSink, FakeSpeech, FakeTranscriber

from voicewarden.model.event import CadenceMeasured, SentencePlayed, SentenceProposed
from voicewarden.pipeline.conversation import Conversation
from voicewarden.pipeline.ear import Ear
from voicewarden.pipeline.frames import MarkEchoed, MarkFrame, SentenceFrame, SpeechFrame
from voicewarden.pipeline.generation import Generations
from voicewarden.pipeline.mouth import Mouth
from voicewarden.pipeline.playout import Playout
from voicewarden.pipeline.recorder import Recorder
from voicewarden.pipeline.serializer import CHUNK_MS
from voicewarden.pipeline.settings import LineSettings
from voicewarden.pipeline.speech import SpeechTTS

PARAMS = PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000, send_initial_empty_metrics=False)


def _playout(sink: FakeSink) -> Playout:
    return Playout(sink, lambda *_: None, mark_margin_ms=1_000, render_deadline_ms=1_000)


async def test_the_ear_keeps_sound_and_marks_and_passes_the_rest() -> None:
    sink = FakeSink()
    marks: list[str] = []
    ear = Ear(
        sink,
        FakeTranscriber(),
        Recorder(sink, None),
        LineSettings(cadence_every_ms=20),
        on_mark=marks.append,
        on_stop=lambda: None,
    )
    sound = InputAudioRawFrame(audio=bytes(320), sample_rate=8000, num_channels=1)
    frames = [sound, MarkEchoed(mark="e:0:k1"), InterruptionFrame()]
    await run_test(ear, frames_to_send=frames, expected_down_frames=[InterruptionFrame], pipeline_params=PARAMS)
    assert marks == ["e:0:k1"] and len(sink.of(CadenceMeasured)) == 1


async def test_the_mouth_lets_no_text_of_the_model_through() -> None:
    sink = FakeSink()
    generations = Generations(sink, tokens_wanted=10, answer_ms=10)
    generations.begin(4, "booking").complete = True
    mouth = Mouth(sink, generations, Conversation(), FakeCutter)
    frames = [
        LLMFullResponseStartFrame(),
        LLMTextFrame("One. "),
        LLMTextFrame("Tw"),
        LLMTextFrame("o"),
        LLMFullResponseEndFrame(),
        TTSTextFrame("not ours", text_type="word"),
    ]
    await run_test(mouth, frames_to_send=frames, expected_down_frames=[TTSTextFrame], pipeline_params=PARAMS)
    assert [(event.sentence, event.text) for event in sink.of(SentenceProposed)] == [("m1.1", "One."), ("m1.2", "Two")]


async def test_half_a_sentence_is_never_proposed() -> None:
    sink = FakeSink()
    generations = Generations(sink, tokens_wanted=10, answer_ms=10)
    generations.begin(4, "booking")
    frames = [LLMFullResponseStartFrame(), LLMTextFrame("One. Tw"), LLMFullResponseEndFrame()]
    await run_test(
        Mouth(sink, generations, Conversation(), FakeCutter),
        frames_to_send=frames,
        expected_down_frames=[],
        pipeline_params=PARAMS,
    )
    assert [event.text for event in sink.of(SentenceProposed)] == ["One."]


async def test_sound_stands_between_its_marks_in_whole_chunks() -> None:
    sink = FakeSink()
    playout = _playout(sink)
    tts = SpeechTTS(FakeSpeech(), playout, stream_sid="MZ1", deadline_ms=1_000)
    playout.queue("k1")
    frames = [SentenceFrame(text="x" * 33, append_to_context=False, sentence="k1"), SleepFrame(0.1)]
    down, _ = await run_test(tts, frames_to_send=frames, pipeline_params=PARAMS)
    kinds = [type(frame) for frame in down if isinstance(frame, MarkFrame | SpeechFrame | TTSStoppedFrame)]
    assert kinds == [MarkFrame, SpeechFrame, SpeechFrame, MarkFrame, TTSStoppedFrame]
    assert sum(isinstance(frame, TTSStartedFrame) for frame in down) == 1
    names = [frame.message["mark"]["name"] for frame in down if isinstance(frame, MarkFrame)]
    assert names == ["s:0:k1", "e:0:k1"]
    sound_ms = sum(len(frame.audio) for frame in down if isinstance(frame, SpeechFrame)) // 16
    assert sound_ms == -(-330 // CHUNK_MS) * CHUNK_MS
    playout.stop()


async def test_a_sentence_that_became_void_makes_no_sound() -> None:
    sink = FakeSink()
    playout = _playout(sink)

    class Slow(FakeSpeech):
        """Is silenced while it renders."""

        async def render(self, text: str, *, first: bool) -> bytes:
            playout.stop()
            return await super().render(text, first=first)

    playout.queue("k1")
    tts = SpeechTTS(Slow(), playout, stream_sid="MZ1", deadline_ms=1_000)
    frames = [
        SentenceFrame(text="Hello.", append_to_context=False, sentence="k1", epoch=0),
        SentenceFrame(text="Stale.", append_to_context=False, sentence="k0", epoch=-1),
        SleepFrame(0.1),
    ]
    down, _ = await run_test(tts, frames_to_send=frames, pipeline_params=PARAMS)
    assert not [frame for frame in down if isinstance(frame, MarkFrame | SpeechFrame)]
    assert [event.whole for event in sink.of(SentencePlayed)] == [False]


