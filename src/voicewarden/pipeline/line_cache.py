"""Sound of fixed lines on disk, so that a start does not render again what has not changed.

In: a text and the voice that says it. Out: its sound, if it was rendered before. Called by the speech client. What
can't be read or written is rendered anew; the cache holds approved lines only, nothing of a call. """

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".s16"


class LineCache:
    """One folder of sounds; int16 mono at 8 kHz, named by voice and text."""

    def __init__(self, folder: Path, voice: str) -> None:
        self._folder = folder
        self._voice = voice

    def get(self, text: str) -> bytes | None:
        """The sound of a text, None when there is none or it is damaged."""
        with contextlib.suppress(OSError):
            stored = self._path(text).read_bytes()
            digest, pcm = stored[:32], stored[32:]
            if pcm and len(pcm) % 2 == 0 and hashlib.sha256(pcm).digest() == digest:
                return pcm
        return None

    def put(self, text: str, pcm: bytes) -> None:
        """Keep a sound; a disk that refuses costs the next start some seconds and nothing else."""
        path = self._path(text)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_bytes(hashlib.sha256(pcm).digest() + pcm)
            new.replace(path)

    def _path(self, text: str) -> Path:
        name = hashlib.sha256(f"{self._voice}\0{text}".encode()).hexdigest()
        return self._folder / (name + _SUFFIX)
