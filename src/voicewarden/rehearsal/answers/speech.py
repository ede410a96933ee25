"""The texts of the test set as sound: speakers and words in, 8 kHz samples at the usual level out, kept on disk.

Called by `making`. A file is named by the hash of voice and words; an engine starts once for all that is missing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from voicewarden.model.error import MissingPart, SpeechFailed
from voicewarden.rehearsal.answers.speakers import FESTIVAL_NEEDS, Speaker
from voicewarden.rehearsal.callers import engines
from voicewarden.rehearsal.callers.loudness import Pcm, to_line

_BATCH: Final = 40
_RATE_HZ: Final = 8_000

Line = tuple[Speaker, str]
"""Who says what."""


class SpokenLines:
    """Synthetic speech by speaker and words, each said once and kept under `cache`."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def prepare(self, lines: Iterable[Line]) -> Iterator[int]:
        """Say what is missing; yields how many lines were made after each batch, for a progress bar."""
        wanted: dict[Speaker, list[str]] = defaultdict(list)
        for speaker, words in dict.fromkeys(lines):
            if not self._path(speaker, words).exists():
                wanted[speaker].append(words)
        for speaker, texts in wanted.items():
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                for words, (pcm, rate_hz) in zip(batch, _say(speaker, batch), strict=True):
                    self._store(self._path(speaker, words), to_line(pcm, rate_hz))
                yield len(batch)

    def sound(self, speaker: Speaker, words: str) -> Pcm:
        """One line as sound; it is said now if it was not prepared."""
        path = self._path(speaker, words)
        if not path.exists():
            for _ in self.prepare([(speaker, words)]):
                pass
        loaded: Pcm = np.load(path)
        return loaded

    def _path(self, speaker: Speaker, words: str) -> Path:
        shape = f"{speaker.engine}|{speaker.festival}|{words}"
        return self._cache / f"{hashlib.sha256(shape.encode()).hexdigest()[:32]}.npy"

    def _store(self, path: Path, pcm: Pcm) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several programs may make the same line at once: a reader must never see half a file.
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, pcm)
        os.replace(name, path)


def _say(speaker: Speaker, texts: list[str]) -> list[tuple[Pcm, float]]:
    if speaker.engine is not None:
        return engines.speak(speaker.engine, texts)
    return [_festival(speaker.festival, words) for words in texts]


def _festival(voice: str, words: str) -> tuple[Pcm, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "line.wav"
        command = ["text2wave", "-eval", f"(voice_{voice})", "-o", str(out)]
        try:
            done = subprocess.run(
                command, input=words, capture_output=True, text=True, timeout=engines.TIMEOUT_S, check=False
            )
        except FileNotFoundError:
            raise MissingPart(f"the speech engine festival is not installed; run {FESTIVAL_NEEDS}") from None
        if done.returncode != 0 or not out.is_file():
            raise SpeechFailed(f"festival ended with {done.returncode}; run {FESTIVAL_NEEDS} again")
        pcm, rate_hz = engines.read_wav(out)
        return pcm, float(rate_hz)


def prompt(speaker: Speaker, name: str) -> Pcm:
    """A recorded prompt at the usual level."""
    pcm, rate_hz = engines.read_wav(speaker.prompt_path(name))
    return to_line(pcm, rate_hz)


def voiced_span(pcm: Pcm, below_loudest_db: float = 30.0) -> tuple[int, int]:
    """First and last moment of voice in ms, by level alone, to 10 ms: what the ear of a person would frame."""
    frame = _RATE_HZ // 100
    frames = pcm[: pcm.size // frame * frame].astype(np.float64).reshape(-1, frame)
    power = np.mean(frames**2, axis=1) if frames.size else np.zeros(0)
    loud = np.flatnonzero(power > power.max() * 10 ** (-below_loudest_db / 10)) if power.size else power
    return (int(loud[0]) * 10, int(loud[-1] + 1) * 10) if len(loud) else (0, pcm.size * 1000 // _RATE_HZ)
