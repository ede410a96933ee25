"""Caller lines as sound: a text and the name of a voice in, 8 kHz int16 at telephone level out, kept in a cache.

Called by caller scripts, the demo and the benchmarks. The cache is a folder that the caller of the function names; a
file in it is named by the hash of everything that shapes the sound.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import wave
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from voicewarden.model.error import MissingPart
from voicewarden.rehearsal.callers.engines import NEEDS, Voice, is_installed, read_wav, speak
from voicewarden.rehearsal.callers.loudness import LINE_HZ, Pcm, to_line

CACHE_VERSION: Final = 1

VOICES: Final[dict[str, Voice]] = {
    "joe": Voice("piper", "joe"),
    "joe-deep": Voice("piper", "joe", pace_permille=1150, pitch_permille=920),
    "joe-light": Voice("piper", "joe", pace_permille=1200, pitch_permille=1100),
    "awb": Voice("flite", "awb", pace_permille=1100),
    "rms": Voice("flite", "rms", pace_permille=1100),
    "slt": Voice("flite", "slt"),
    "kal": Voice("flite", "kal16"),
    "espeak-us": Voice("espeak-ng", "en-us"),
    "espeak-gb": Voice("espeak-ng", "en-gb"),
}
"""Every speaker by name, in the order in which a small recogniser understands them on 8 kHz mu-law, best first."""

Line = tuple[str, str]
"""A text and the name of the voice that says it."""


def installed_voices() -> tuple[str, ...]:
    """Return the names of the voices that can speak here."""
    return tuple(name for name, voice in VOICES.items() if is_installed(voice.engine))


def first_installed(*preferred: str) -> str:
    """Return the first of the preferred voices, or else of all, that can speak here; raises MissingPart."""
    installed = installed_voices()
    for name in (*preferred, *VOICES):
        if name in installed:
            return name
    raise MissingPart(f"no speech engine is installed; run {NEEDS['flite']}, or {NEEDS['piper']}")


def synthesise(text: str, voice: str, cache_dir: Path) -> Pcm:
    """Return one line as sound, from the cache when it is there; raises MissingPart or SpeechFailed."""
    return synthesise_all([(text, voice)], cache_dir)[text, voice]


def synthesise_all(lines: Iterable[Line], cache_dir: Path) -> dict[Line, Pcm]:
    """Return several lines as sound; those missing from the cache are spoken with one engine start a voice."""
    wanted = dict.fromkeys(lines)
    missing: dict[str, list[str]] = defaultdict(list)
    for text, voice in wanted:
        if not _cached(text, voice, cache_dir).exists():
            missing[voice].append(text)
    for voice, texts in missing.items():
        for text, (pcm, rate_hz) in zip(texts, speak(named(voice), texts), strict=True):
            _store(_cached(text, voice, cache_dir), to_line(pcm, rate_hz))
    return {line: read_wav(_cached(*line, cache_dir))[0] for line in wanted}


def named(voice: str) -> Voice:
    """Return a voice by its name; raises ValueError for an unknown one."""
    try:
        return VOICES[voice]
    except KeyError:
        raise ValueError(f"the voice {voice!r} is unknown; known are {', '.join(VOICES)}") from None


def _cached(text: str, voice: str, cache_dir: Path) -> Path:
    speaker = named(voice)
    shape = [CACHE_VERSION, speaker.engine, speaker.speaker, speaker.pace_permille, speaker.pitch_permille, text]
    return cache_dir / f"{hashlib.sha256(json.dumps(shape).encode()).hexdigest()}.wav"


def _store(path: Path, pcm: Pcm) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several demo calls may want the same line at once: a reader must never see half a file.
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(LINE_HZ)
        wav.writeframes(pcm.astype("<i2").tobytes())
    os.replace(name, path)
