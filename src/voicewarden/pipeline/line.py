"""Builds the line of one call and runs it: transport, ear, gated model, mouth, speech service, paced output.

In: the carrier's WebSocket after its `start` message, the call's event sink, agents, models. Out: a `Line` with the
voice for the runtime; `run_call` returns when the socket is gone, after `RecordingStored` and `MediaEnded`. Called by
`telephony`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import WebSocket
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.workers.runner import WorkerRunner

from voicewarden.model.event import MediaEnded
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.conversation import Conversation
from voicewarden.pipeline.ear import Ear
from voicewarden.pipeline.gate import ModelGate
from voicewarden.pipeline.generation import Generations
from voicewarden.pipeline.hearing import Transcribing
from voicewarden.pipeline.llm import GatedLLM
from voicewarden.pipeline.mouth import Cutting, Mouth
from voicewarden.pipeline.pacing import PhoneTransport
from voicewarden.pipeline.playout import Playout
from voicewarden.pipeline.recorder import KeepRecording, Recorder
from voicewarden.pipeline.serializer import RATE_HZ, PhoneSerializer
from voicewarden.pipeline.settings import AgentVoice, LineSettings, ModelSettings
from voicewarden.pipeline.speech import Rendering, SpeechTTS
from voicewarden.pipeline.voice import HangUpCall, PhoneVoice

CANCEL_WITHIN_S: Final = 3.0


@dataclass(slots=True)
class Line:
    """One call's pipeline, ready to run."""

    voice: PhoneVoice
    worker: PipelineWorker
    ear: Ear
    recorder: Recorder
    serializer: PhoneSerializer
    ending: LineEnd
    sink: EventSink


class LineEnd:
    """How the media connection ends, and the one way to end it."""

    def __init__(self) -> None:
        self.is_clean = False
        self.is_running = False
        self.finished = asyncio.Event()
        self._worker: PipelineWorker | None = None
        self._task: asyncio.Task[None] | None = None

    def bind(self, worker: PipelineWorker) -> None:
        """Say which worker is to be ended."""
        self._worker = worker

    def carrier_stopped(self) -> None:
        """The carrier said goodbye."""
        self._cancel(clean=True)

    async def carrier_lost(self, *_: object) -> None:
        """The socket is gone; clean only if somebody had said goodbye."""
        self._cancel(clean=False)

    def close(self) -> None:
        """We end it. The goodbye was heard or given up before, so nothing is worth waiting for."""
        self._cancel(clean=True)

    async def wait(self) -> None:
        """Until the last event was posted; at once if the line never ran."""
        if self.is_running:
            await self.finished.wait()

    def _cancel(self, *, clean: bool) -> None:
        if self._task is None and self._worker is not None:
            self.is_clean = clean
            self._task = asyncio.create_task(self._worker.cancel(), name="end of the line")


def build_line(
    websocket: WebSocket,
    start_message: Mapping[str, Any],  # Any: the carrier's JSON
    *,
    sink: EventSink,
    agents: Mapping[str, AgentVoice],
    agent: str,
    model: ModelSettings,
    speech: Rendering,
    transcriber: Transcribing,
    new_cutter: Callable[[], Cutting],
    hang_up: HangUpCall,
    recording_path: Path | None = None,
    keep_recording: KeepRecording | None = None,
    settings: LineSettings | None = None,
) -> Line:
    """Put the line of one call together; raises KeyError when the start message names no stream."""
    settings = settings or LineSettings()
    stream_sid = str(start_message["start"]["streamSid"])
    conversation = Conversation()
    generations = Generations(sink, tokens_wanted=model.tokens_wanted, answer_ms=model.answer_ms)
    playout = Playout(
        sink, conversation.played,
        mark_margin_ms=settings.mark_margin_ms, render_deadline_ms=settings.render_deadline_ms,
    )  # fmt: skip
    recorder = Recorder(sink, recording_path, keep_recording)
    ending = LineEnd()
    serializer = PhoneSerializer(stream_sid)
    transport = PhoneTransport(websocket, serializer, epoch=playout, sent=recorder, lead_ms=settings.lead_ms)
    transport.event_handler("on_client_disconnected")(ending.carrier_lost)
    ear = Ear(
        sink, transcriber, recorder, settings,
        on_mark=playout.echoed, on_stop=ending.carrier_stopped,
    )  # fmt: skip
    llm = GatedLLM(model, ModelGate(sink, generations, conversation, lambda: playout.epoch))
    mouth = Mouth(sink, generations, conversation, new_cutter)
    tts = SpeechTTS(speech, playout, stream_sid=stream_sid, deadline_ms=settings.render_deadline_ms)
    worker = _worker(Pipeline([transport.input(), ear, llm, mouth, tts, transport.output()]))
    ending.bind(worker)
    voice = PhoneVoice(
        ear=ear, llm=llm, mouth=mouth, playout=playout, recorder=recorder, conversation=conversation,
        generations=generations, agents=agents, settings=settings, hang_up=hang_up, end=ending.close, ended=ending.wait,
    )  # fmt: skip
    voice.switch_agent(agent)
    return Line(voice, worker, ear, recorder, serializer, ending, sink)


def _worker(pipeline: Pipeline) -> PipelineWorker:
    """A worker without pipecat's own turn tracking, idle timeout and remote control."""
    return PipelineWorker(
        pipeline,
        params=PipelineParams(
            audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ, send_initial_empty_metrics=False
        ),
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
        cancel_timeout_secs=CANCEL_WITHIN_S,
        check_dangling_tasks=False,
    )


async def run_call(line: Line, on_started: Callable[[], Awaitable[None]] | None = None) -> None:
    """Run the line until its socket is gone; what a broken pipeline leaves is reported like a lost socket."""
    started = asyncio.Event()
    line.ending.is_running = True

    async def begin(*_: object) -> None:
        started.set()

    line.worker.event_handler("on_pipeline_started")(begin)
    helpers = asyncio.create_task(_helpers(line, started, on_started), name="voice and transcripts")
    runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
    try:
        await runner.add_workers(line.worker)
        await runner.run()
    finally:
        helpers.cancel()
        await asyncio.wait({helpers})
        line.voice.fall_silent()
        try:
            await line.recorder.store()
        finally:
            line.sink.post(MediaEnded(at_ms=-1, clean=line.ending.is_clean))
            line.ending.finished.set()
    if not helpers.cancelled():
        helpers.result()


async def _helpers(line: Line, started: asyncio.Event, on_started: Callable[[], Awaitable[None]] | None) -> None:
    """The tasks beside the pipeline; if one breaks, the line ends."""
    await started.wait()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(line.voice.run())
            group.create_task(line.ear.service.run())
            if on_started is not None:
                await on_started()
    finally:
        line.ending.close()
