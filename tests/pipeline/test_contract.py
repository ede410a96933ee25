"""What this room uses of pipecat that pipecat does not promise: if a release changes it, these fail first."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

from pipecat.frames.frames import InterruptionFrame, LLMUpdateSettingsFrame
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import FunctionCallRunnerItem, LLMService
from pipecat.services.openai.base_llm import BaseOpenAILLMService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.websocket.fastapi import FastAPIWebsocketOutputTransport, FastAPIWebsocketTransport
from pipecat.turns.speculation_gate import SpeculationGate
from pipecat.utils import deprecation
from tests.fakes.media import Reply, voice_like
from tests.pipeline.conftest import CallMaker

import voicewarden
from voicewarden.model.directive import ConsultModel, SwitchAgent
from voicewarden.model.event import CallerTurnEnded, GenerationEnded, SentencePlayed


def test_all_tool_calls_pass_the_two_methods_that_the_gate_overrides() -> None:
    for name in ("_run_parallel_function_calls", "_sequential_runner_handler"):
        assert "self._run_function_call(" in inspect.getsource(getattr(LLMService, name))
    assert "self.run_function_calls(" in inspect.getsource(BaseOpenAILLMService._process_context)
    assert list(inspect.signature(LLMService._run_function_call).parameters) == ["self", "runner_item"]
    assert {"tool_call_id", "function_name", "arguments", "settled", "group_id"} <= set(
        FunctionCallRunnerItem.__dataclass_fields__
    )


def test_a_missing_handler_is_reported_by_the_method_that_the_gate_silences() -> None:
    assert list(inspect.signature(LLMService._log_missing_function_call).parameters) == [
        "self", "function_name", "context",
    ]  # fmt: skip


def test_the_speculation_gate_says_whether_it_speculates() -> None:
    assert "_speculation_gate" in inspect.getsource(LLMService.__init__)
    assert isinstance(SpeculationGate.is_speculating, property)


def test_the_model_service_streams_through_the_methods_that_the_meter_overrides() -> None:
    source = inspect.getsource(BaseOpenAILLMService._process_context)
    assert "await self.get_chat_completions(context)" in source and "__aiter__" in source
    assert "self.build_chat_completion_params(" in inspect.getsource(BaseOpenAILLMService.get_chat_completions)
    assert "self.build_chat_completion_params(" in inspect.getsource(BaseOpenAILLMService.run_inference)
    assert "self._client" in inspect.getsource(BaseOpenAILLMService.get_chat_completions)


def test_the_output_sleeps_where_the_pacing_is() -> None:
    assert "await self._write_audio_sleep()" in inspect.getsource(FastAPIWebsocketOutputTransport.write_audio_frame)
    assert "_next_send_time" in inspect.getsource(FastAPIWebsocketOutputTransport._write_audio_sleep)
    assert "self._output" in inspect.getsource(FastAPIWebsocketTransport.output)
    assert "self._client" in inspect.getsource(FastAPIWebsocketTransport.__init__)
    assert "_audio_queue.reset()" in inspect.getsource(BaseOutputTransport.MediaSender.handle_interruptions)


def test_a_sentence_is_a_context_of_its_own() -> None:
    source = inspect.getsource(TTSService._handle_tts_speak)
    assert "self._turn_context_id = None" in source and "on_turn_context_completed" in source


def test_direct_mode_runs_in_the_task_of_the_one_who_pushes() -> None:
    assert "if self._enable_direct_mode" in inspect.getsource(FrameProcessor.queue_frame)
    assert "interruptible" in inspect.getsource(FrameProcessor._start_interruption)
    # A barge-in must not leave a new role with the prompt of the old one.
    assert InterruptionFrame().interruptible and not LLMUpdateSettingsFrame().interruptible


async def test_a_whole_run_calls_no_deprecated_name(make_call: CallMaker) -> None:
    async with make_call(Reply(["Hello there."]), heard=("hello",)) as call:
        call.carrier.speaks(voice_like(300))
        await call.sink.until(CallerTurnEnded)
        call.order(SwitchAgent(agent="closing"), ConsultModel(turn=1, heard="hello"))
        await call.sink.until(SentencePlayed)
        await call.sink.until(GenerationEnded)
    assert not deprecation._warned_sites


def test_importing_the_room_silences_pipecat() -> None:
    code = "import voicewarden.pipeline.line, loguru; loguru.logger.warning('the caller said {}', 'secret')"
    env = {**os.environ, "PYTHONPATH": str(Path(voicewarden.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=env)
    assert "secret" not in done.stderr + done.stdout and "WARNING" in done.stderr
