"""What of the agent's speech counts as heard, what the model is told of it, and what is recorded."""

import asyncio
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.media import FakeSink, Reply, voice_like
from tests.pipeline.conftest import CallMaker

from voicewarden.model.arguments import clean_text, plain_arguments
from voicewarden.model.decision import Reason
from voicewarden.model.directive import (
    AnswerTool,
    ConsultModel,
    HangUp,
    Speak,
    StartRecording,
    StopSpeaking,
    TellModel,
)
from voicewarden.model.event import (
    CallerTurnEnded,
    GenerationEnded,
    MediaEnded,
    RecordingStored,
    SentencePlayed,
    SentenceStarted,
    SpeechFaltered,
)
from voicewarden.pipeline.conversation import (
    UNSURE_NOTE,
    Conversation,
    heard_part,
    outcome_content,
    tool_content,
)
from voicewarden.pipeline.playout import Playout
from voicewarden.pipeline.recorder import Recorder, Track
from voicewarden.pipeline.settings import LineSettings


def _playout(sink: FakeSink, margin_ms: int = 2_000) -> tuple[Playout, list[tuple[str, int]]]:
    told: list[tuple[str, int]] = []
    playout = Playout(
        sink, lambda sentence, share: told.append((sentence, share)), mark_margin_ms=margin_ms, render_deadline_ms=10
    )
    return playout, told


async def test_marks_make_a_sentence_heard() -> None:
    sink = FakeSink()
    playout, told = _playout(sink)
    assert playout.queue("k1") and not playout.queue("k2")
    marks = playout.sounded("k1", 300)
    assert marks == ("s:0:k1", "e:0:k1")
    for mark in marks:
        playout.echoed(mark)
    assert sink.of(SentencePlayed) == [SentencePlayed(at_ms=-1, sentence="k1", played_ms=300, whole=True)]
    assert told == [("k1", 1000)]
    playout.stop()


async def test_echoes_after_an_order_to_be_silent_mean_nothing() -> None:
    sink = FakeSink()
    playout, told = _playout(sink)
    playout.queue("k1")
    marks = playout.sounded("k1", 300)
    assert marks is not None
    playout.stop()
    playout.queue("k1")
    for mark in marks:
        playout.echoed(mark)
    assert [event.whole for event in sink.of(SentencePlayed)] == [False]
    assert told == [("k1", 0)] and not sink.of(SentenceStarted)
    playout.stop()


@pytest.mark.parametrize("mark", ["", "s", "s:0", "x:0:k1:extra", "e:-1:k1", "e:zero:k1", "e:0:k9"])
async def test_foreign_marks_are_ignored(mark: str) -> None:
    sink = FakeSink()
    playout, _ = _playout(sink)
    playout.queue("k1")
    playout.echoed(mark)
    assert sink.events == []
    playout.stop()


async def test_a_mark_that_never_comes_leaves_the_sentence_unheard() -> None:
    sink = FakeSink()
    playout, told = _playout(sink, margin_ms=10)
    playout.queue("k1")
    playout.sounded("k1", 10)
    assert [event.whole for event in await sink.until(SentencePlayed)] == [False]
    assert told == [("k1", 0)] and playout.is_idle


async def test_a_sentence_that_never_gets_a_sound_does_not_wait_for_ever() -> None:
    sink = FakeSink()
    playout, _ = _playout(sink, margin_ms=10)
    playout.queue("k1")
    assert [event.played_ms for event in await sink.until(SentencePlayed)] == [0]


async def test_an_end_mark_alone_is_start_and_end() -> None:
    sink = FakeSink()
    playout, _ = _playout(sink)
    playout.queue("k1")
    playout.sounded("k1", 100)
    playout.echoed("e:0:k1")
    assert [type(event) for event in sink.events] == [SentenceStarted, SentencePlayed]


async def test_a_kernel_that_silences_a_sentence_at_its_start_hears_of_it_once() -> None:
    sink = FakeSink(lambda event: playout.stop() or () if isinstance(event, SentenceStarted) else ())
    playout, _ = _playout(sink)
    playout.queue("k1")
    playout.sounded("k1", 100)
    playout.echoed("e:0:k1")
    assert [event.whole for event in sink.of(SentencePlayed)] == [False]


async def test_a_sentence_without_a_sound_is_reported_and_the_next_is_said(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(
            Speak(sentence="k1", text="This is unspeakable.", purpose="line"),
            Speak(sentence="k2", text="This is not.", purpose="line"),
        )
        played = await call.sink.until(SentencePlayed)
        assert [event.sentence for event in call.sink.of(SpeechFaltered)] == ["k1"]
        assert (played[0].sentence, played[0].whole) == ("k2", True)
        assert call.speech.rendered == [("This is unspeakable.", True), ("This is not.", False)]


@pytest.mark.parametrize("text", ["", "   ", "..."])
async def test_a_text_without_words_is_no_dead_air(make_call: CallMaker, text: str) -> None:
    async with make_call() as call:
        call.order(
            Speak(sentence="k1", text=text, purpose="line"), Speak(sentence="k2", text="Hello.", purpose="line")
        )
        played = await call.sink.until(SentencePlayed)
        settled = [event.sentence for event in (*call.sink.of(SpeechFaltered), *call.sink.of(SentencePlayed))]
        assert settled[0] == "k1" and played[-1].whole


async def test_many_failures_do_not_write_the_speech_service_off(make_call: CallMaker) -> None:
    async with make_call() as call:
        for number in range(6):
            call.order(Speak(sentence=f"k{number}", text="unspeakable", purpose="line"))
        await call.sink.until(SpeechFaltered, 6)
        call.order(Speak(sentence="k9", text="At last.", purpose="line"))
        assert (await call.sink.until(SentencePlayed))[0].whole


async def test_a_carrier_that_echoes_no_marks(make_call: CallMaker) -> None:
    async with make_call(line=LineSettings(mark_margin_ms=50)) as call:
        call.carrier.is_mute = True
        call.order(Speak(sentence="k1", text="Hello.", purpose="line"))
        assert not (await call.sink.until(SentencePlayed))[0].whole


async def test_the_model_reads_what_was_heard_and_no_more(make_call: CallMaker) -> None:
    words = " ".join(["One two three four five six seven eight nine ten"] * 8) + "."
    async with make_call(Reply([words])) as call:
        call.order(ConsultModel(turn=1, heard="count", unsure=True))
        await call.sink.until(SentenceStarted)
        await asyncio.sleep(0.1)
        call.order(StopSpeaking(), ConsultModel(turn=2, heard="stop"))
        await call.sink.until(GenerationEnded, 2)
        messages = call.model.requests[1]["messages"]
        assert [message["role"] for message in messages] == ["system", "user", "developer", "assistant", "user"]
        assert messages[2]["content"] == UNSURE_NOTE
        heard = messages[3]["content"]
        assert heard.endswith("...") and words.startswith(heard.removesuffix("...")) and len(heard) < len(words)


async def test_a_lost_socket_is_no_clean_end(make_call: CallMaker) -> None:
    async with make_call() as call:
        pass
    assert [event.clean for event in call.sink.of(MediaEnded)] == [False]


async def test_sentences_that_the_end_of_the_line_cut_are_reported_before_it(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(Speak(sentence="k1", text="x" * 300, purpose="line"))
        await call.sink.until(SentenceStarted)
    assert [event.whole for event in call.sink.of(SentencePlayed)] == [False]
    assert isinstance(call.sink.events[-1], MediaEnded)


async def test_the_carriers_stop_is_a_clean_end(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.carrier.send("stop", callSid="CA1")
        assert (await call.sink.until(MediaEnded))[0].clean


async def test_bad_messages_do_not_end_the_call(make_call: CallMaker) -> None:
    async with make_call(heard=("hello",)) as call:
        for text in ("{", "[]", '{"event":"media","media":{"payload":"%"}}', '{"event":"mark"}'):
            call.carrier.send_raw(text)
        call.carrier.speaks(voice_like(300))
        await call.sink.until(CallerTurnEnded)
        assert call.line.serializer.bad_messages == 4


async def test_a_voice_a_thousand_steps_behind_closes_the_line(make_call: CallMaker) -> None:
    async with make_call() as call:
        for number in range(1_100):
            call.order(Speak(sentence=f"k{number}", text="x", purpose="line"))
        await call.sink.until(MediaEnded)


async def test_nothing_is_stored_before_the_order_to_record(make_call: CallMaker, tmp_path: Path) -> None:
    path = tmp_path / "calls" / "one.wav"
    async with make_call(recording=path, heard=("hello", "again")) as call:
        call.carrier.speaks(voice_like(300))
        call.order(Speak(sentence="k1", text="Not recorded.", purpose="must_say"))
        await call.sink.until(SentencePlayed)
        await call.sink.until(CallerTurnEnded)
        assert not call.line.recorder._caller.bytes and not call.line.recorder._agent.bytes
        began_ms = call.sink.now_ms()
        call.order(StartRecording(), Speak(sentence="k2", text="This is recorded.", purpose="line"))
        call.carrier.speaks(voice_like(300))
        await call.sink.until(CallerTurnEnded, 2)
        call.order(HangUp(reason="done"))
        await call.sink.until(MediaEnded)
    stored = call.sink.of(RecordingStored)[0]
    assert stored.from_ms >= began_ms and path.stat().st_mode & 0o777 == 0o600
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16).reshape(-1, 2)
    assert len(samples) // 8 == stored.ms
    assert [round(np.count_nonzero(np.abs(samples[:, side]) > 500), -1) > 500 for side in (0, 1)] == [True, True]
    kinds = [type(event) for event in call.sink.events]
    assert kinds.index(RecordingStored) < kinds.index(MediaEnded)


async def test_nothing_is_stored_after_the_order_to_stop(tmp_path: Path) -> None:
    sink = FakeSink()
    sink.clock_ms = 0
    recorder = Recorder(sink, tmp_path / "one.wav")
    recorder.start()
    recorder.caller_heard(voice_like(20), 0)
    recorder.stop()
    recorder.caller_heard(voice_like(20), 20)
    recorder.agent_sent(voice_like(20).tobytes(), 0)
    await recorder.store()
    assert sink.of(RecordingStored)[0].ms == 20


async def test_closing_waits_for_the_recording(make_call: CallMaker, tmp_path: Path) -> None:
    async with make_call(recording=tmp_path / "one.wav") as call:
        call.order(StartRecording(), Speak(sentence="k1", text="Hello.", purpose="line"))
        await call.sink.until(SentencePlayed)
        await call.line.voice.close()
        assert call.sink.of(RecordingStored) and call.sink.of(MediaEnded)[0].clean


async def test_no_order_no_file(make_call: CallMaker, tmp_path: Path) -> None:
    async with make_call(recording=tmp_path / "one.wav") as call:
        call.order(HangUp(reason="done"))
        await call.sink.until(MediaEnded)
    assert not call.sink.of(RecordingStored) and not os.listdir(tmp_path)


async def test_cleared_sound_is_taken_out_of_the_recording(tmp_path: Path) -> None:
    sink = FakeSink()
    sink.clock_ms = 1_000
    recorder = Recorder(sink, tmp_path / "one.wav")
    recorder.start()
    for step in range(10):
        recorder.agent_sent(voice_like(20).tobytes(), 20 * step)
    sink.clock_ms = 1_060
    recorder.agent_cleared()
    await recorder.store()
    assert sink.of(RecordingStored)[0].ms == 60


def test_a_track_places_sound_in_time() -> None:
    track = Track()
    track.put(10, b"a" * 160)
    assert len(track.bytes) == 80 + 160
    track.put(32, b"b" * 160)
    assert len(track.bytes) == 80 + 320
    track.put(200, b"c" * 160)
    assert len(track.bytes) == 1600 + 160
    track.cut(100)
    assert len(track.bytes) == 800


def test_sentences_stand_before_the_tool_calls_of_their_generation() -> None:
    talk = Conversation()
    talk.hear("book me in", unsure=False)
    talk.ask(1, [("a", "book", "{}"), ("b", "look_up", "{}")])
    talk.say("m1.1", "Let me book that.", 1)
    talk.say("k1", "Is that right?", None)
    assert talk.answer("a", "{}") and not talk.answer("zz", "{}")
    roles = [(message["role"], message.get("content")) for message in talk.messages()]
    assert roles == [
        ("user", "book me in"),
        ("assistant", "Let me book that."),
        ("assistant", None),
        ("tool", "{}"),
        ("tool", '{"status":"not_run"}'),
        ("assistant", "Is that right?"),
    ]
    talk.played("m1.1", 0)
    talk.played("k1", 400)
    assert [message.get("content") for message in talk.messages()][-1] == "Is..."


def test_the_words_that_were_heard() -> None:
    assert heard_part("one two three four", 1000) == "one two three four"
    assert heard_part("one two three four", 500) == "one two..."
    assert heard_part("one two three four", 100) == ""


def test_results_tell_reasons_but_not_those_that_were_met() -> None:
    reasons = (Reason("r1", "consent.book", "explicit", "none", "confirm"), Reason("r2", "x", "y", "z", "allow"))
    denied = AnswerTool(request="a", action="book", status="denied", reasons=reasons, offer="schedule_callback")
    assert tool_content(denied) == (
        '{"status":"denied","offer":"schedule_callback",'
        '"reasons":[{"rule":"r1","fact":"consent.book","needed":"explicit","found":"none"}]}'
    )
    outcome = TellModel(action="book", status="done", result={"id": 7})
    assert outcome_content(outcome) == '{"status":"done","action":"book","result":{"id":7}}'


def test_arguments_become_plain_values() -> None:
    raw = {"a": 1.5, "b": None, "c": [1, {"x": 2}], "d": True, "e": 2**60, "f": "\ud800ok", "g": float("inf")}
    assert plain_arguments(raw) == {
        "a": "1.5",
        "c": '[1,{"x":2}]',
        "d": True,
        "e": str(2**60),
        "f": "?ok",
        "g": "not a number",
    }
    assert plain_arguments([1]) is None and plain_arguments({str(n): n for n in range(99)}) is None
    assert plain_arguments({"a": "x" * 5_000}) is None
    assert clean_text("caf\u00e9") == "caf\u00e9"


def test_old_entries_go_first() -> None:
    talk = Conversation()
    for number in range(500):
        talk.hear(str(number), unsure=False)
    assert len(talk.messages()) == 400 and talk.messages()[0]["content"] == "100"
