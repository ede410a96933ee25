"""The Whisper model that `transcriber` runs: a short encoder window, and confidence that no spelling takes away.

In: what `transcriber` asks of faster-whisper. Out: segments of words. Imported only when a model is loaded, since
faster-whisper is optional.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from faster_whisper import WhisperModel

from voicewarden.sensors.spelling import Spellings, settle
from voicewarden.sensors.transcriber import FULL_WINDOW_MS, MEL_FRAME_MS, OnlySilenceLeft

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ShortWindowModel(WhisperModel):  # type: ignore[misc]  # the base has no types
    """Cuts the padding off the features before encoding; the padding is most of the work for a short utterance."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._frames = threading.local()
        super().__init__(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
        vocabulary = self.hf_tokenizer
        tokens = range(vocabulary.token_to_id("<|endoftext|>"))
        self._spellings = Spellings(vocabulary.decode_batch([[token] for token in tokens]))

    @contextlib.contextmanager
    def window(self, frames: int, silent_frames: int) -> Iterator[None]:
        """In this thread, encode this many 10 ms frames at most, and not the silence at the end by itself."""
        self._frames.limit, self._frames.silent, self._frames.passes = frames, silent_frames, 0
        try:
            yield
        finally:
            self._frames.limit = FULL_WINDOW_MS // MEL_FRAME_MS

    def encode(self, features: Any) -> Any:
        """Called by `transcribe` with 3000 frames, whatever the length of the audio; the padding is zeros."""
        self._frames.passes += 1
        if self._frames.passes > 1 and int(np.any(features, axis=0).sum()) <= self._frames.silent:
            raise OnlySilenceLeft
        return super().encode(features[..., : self._frames.limit])

    # Any: the base class and its tokenizer have no types.
    def find_alignment(
        self, tokenizer: Any, text_tokens: Any, encoder_output: Any, num_frames: int, median_filter_width: int = 7
    ) -> Any:
        """Called by `transcribe` for the words of a segment, with what the encoder made of it."""
        found = super().find_alignment(tokenizer, text_tokens, encoder_output, num_frames, median_filter_width)
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        for words in found:
            settle(words, self._spellings, lambda written: self._next(encoder_output, start + written))
        return found

    def _next(self, encoded: Any, prompt: list[int]) -> NDArray[np.float32]:
        """The logarithm of the probability of every token that may follow, as the alignment reckons it."""
        result = self.model.generate(
            encoded, [prompt], beam_size=1, max_length=len(prompt) + 1, return_logits_vocab=True,
            suppress_blank=False, suppress_tokens=[],
        )[0]  # fmt: skip
        logits: NDArray[np.float32] = np.asarray(result.logits[0], dtype=np.float32).reshape(-1)
        logits = logits - logits.max()
        return np.asarray(logits - np.log(np.exp(logits).sum()), dtype=np.float32)
