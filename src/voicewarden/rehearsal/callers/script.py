"""A caller as a list of steps: what to say, press and wait for in; a held conversation on a Line out.

Used by the demo, the end-to-end tests and the benchmarks. All sounds are made before the call (`prepare`), so that no
synthesis runs while frames are being paced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

from voicewarden.rehearsal.callers import recordings, voices
from voicewarden.rehearsal.callers.engines import read_wav
from voicewarden.rehearsal.callers.loudness import Pcm, to_line
from voicewarden.rehearsal.callers.noise import Noise, NoiseKind, level_for_snr
from voicewarden.rehearsal.carrier.answerer import Outcome
from voicewarden.rehearsal.carrier.line import Line

AGENT_TIMEOUT_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Say:
    """Say a text, in the caller's own voice unless another is named."""

    text: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay silent for a while."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """Listen until the agent has spoken since the caller's last act and then fell silent."""

    silence_ms: int = 700
    timeout_ms: int = AGENT_TIMEOUT_MS
    least_ms: int = 0
    """Less speech than this is not what is waited for, such as `One moment, please` on a slow machine."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Wait until the agent begins to speak, let it go on for a while, then talk over it."""

    after_ms: int
    text: str
    voice: str | None = None
    timeout_ms: int = AGENT_TIMEOUT_MS


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys."""

    digits: str


@dataclass(frozen=True, slots=True)
class StartNoise:
    """Put noise under the caller from here on, for the rest of the call unless `duration_ms` ends it."""

    snr_db: float
    kind: NoiseKind = "babble"
    duration_ms: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class StopNoise:
    """End the noise."""


@dataclass(frozen=True, slots=True)
class PlayFile:
    """Play a mono 16-bit WAV file."""

    path: Path


@dataclass(frozen=True, slots=True)
class PlayRecordings:
    """Play prompts of the recorded human voice, by name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlayVoicemail:
    """Play a recorded mailbox greeting, with its beep unless told otherwise."""

    has_beep: bool = True


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the call."""


Step = (
    Say
    | Wait
    | WaitForAgent
    | BargeIn
    | Press
    | StartNoise
    | StopNoise
    | PlayFile
    | PlayRecordings
    | PlayVoicemail
    | HangUp
)


@dataclass(slots=True)
class ScriptedCaller:
    """An answerer that follows steps; without HangUp it stays silent on the line at the end.

    `missed` holds the indexes of the steps whose deadline passed, such as a wait for an agent that never spoke.
    """

    steps: Sequence[Step]
    cache_dir: Path
    voice: str = "joe"
    ring_ms: int = 200
    outcome: Outcome = "answer"
    answered_by: str = "human"
    judged_after_ms: int = 1500
    missed: list[int] = field(default_factory=list, init=False)
    _sounds: dict[int, Pcm] = field(default_factory=dict, init=False)

    def prepare(self) -> None:
        """Make every sound of the script; slow when the cache is empty. Raises MissingPart, SpeechFailed, OSError."""
        spoken = {line for step in self.steps if (line := self._line(step)) is not None}
        made = voices.synthesise_all(spoken, self.cache_dir)
        for index, step in enumerate(self.steps):
            line = self._line(step)
            sound = made[line] if line is not None else _played(step)
            if sound is not None:
                self._sounds[index] = sound

    async def talk(self, line: Line) -> None:
        """Follow the steps on a live line."""
        if not self._sounds:
            await asyncio.to_thread(self.prepare)
        for index, step in enumerate(self.steps):
            if not await self._do(index, step, line):
                self.missed.append(index)

    async def _do(self, index: int, step: Step, line: Line) -> bool:
        match step:
            case Say() | PlayFile() | PlayRecordings() | PlayVoicemail():
                return await line.say(self._sounds[index])
            case BargeIn(after_ms=after_ms, timeout_ms=timeout_ms):
                has_begun = await line.agent_started(timeout_ms=timeout_ms)
                await line.wait(after_ms)
                return await line.say(self._sounds[index]) and has_begun
            case WaitForAgent(silence_ms, timeout_ms, least_ms):
                return await line.agent_finished(silence_ms=silence_ms, timeout_ms=timeout_ms, least_ms=least_ms)
            case Wait(duration_ms):
                await line.wait(duration_ms)
            case Press(digits):
                await line.press(digits)
            case StartNoise(snr_db, kind, duration_ms, seed):
                noise = Noise(kind, level_for_snr(snr_db), seed)
                line.start_noise(noise, for_ms=float("inf") if duration_ms is None else duration_ms)
            case StopNoise():
                line.stop_noise()
            case HangUp():
                await line.hang_up()
            case _:
                assert_never(step)
        return True

    def _line(self, step: Step) -> voices.Line | None:
        return (step.text, step.voice or self.voice) if isinstance(step, Say | BargeIn) else None


def _played(step: Step) -> Pcm | None:
    match step:
        case PlayFile(path):
            return to_line(*read_wav(path))
        case PlayRecordings(names):
            return recordings.joined(*names)
        case PlayVoicemail(has_beep):
            return recordings.voicemail_greeting(has_beep=has_beep)
        case _:
            return None
