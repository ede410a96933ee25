"""Transcripts kept on disk: the same samples are understood once, however often the weights are tried on them.

In: an utterance. Out: its transcript, from the cache or from the shipped transcriber, which is loaded at the first
utterance that is not there. Called by `playing` through the port `Hearing`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from voicewarden.rehearsal.answers.making import CACHE
from voicewarden.sensors import doubt, short_window, spelling, transcriber
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.transcriber import IDENTITY, Transcriber, Transcript

WORDS: Final = CACHE / "words"


class RememberedHearing:
    """A transcriber with a memory on disk. A memory is void once the code that made it has changed."""

    def __init__(self, folder: Path = WORDS, load: Callable[[], Hearing] = Transcriber.load) -> None:
        self._folder = folder
        self._load = load
        self._hearing: Hearing | None = None
        self.asked = 0
        self.understood = 0
        """How many utterances were asked for, and how many of them were not remembered."""

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        """Understand one utterance, or remember it. Raises what the transcriber raises."""
        self.asked += 1
        path = self._folder / f"{_key(pcm, speech_ms)}.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=Transcript)
        self.understood += 1
        if self._hearing is None:
            self._hearing = self._load()
        found = self._hearing.transcribe(pcm, speech_ms=speech_ms)
        self._keep(path, msgspec.json.encode(found))
        return found

    def _keep(self, path: Path, found: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several programs may understand the same utterance at once: a reader must never see half a file.
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(found)
        os.replace(name, path)


def _key(pcm: Samples, speech_ms: int | None) -> str:
    made = hashlib.sha256(f"{IDENTITY}|{_code()}|{speech_ms}|".encode())
    made.update(pcm.tobytes())
    return made.hexdigest()[:40]


@cache
def _code() -> str:
    """The modules that turn sound into a transcript, by their content."""
    files = (Path(str(module.__file__)) for module in (transcriber, short_window, spelling, doubt))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
