"""Sounds for tests, made here: voices, tones, noise, silence. All int16 at 8 kHz, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voicewarden.sensors import mulaw

Wave = NDArray[np.float64]


def silence(ms: int) -> Wave:
    """Nothing."""
    return np.zeros(8 * ms)


def noise(ms: int, rms: float, seed: int = 4) -> Wave:
    """White noise."""
    return np.random.default_rng(seed).normal(0, rms, 8 * ms)


def tone(hz: float, ms: int, amplitude: float = 6000) -> Wave:
    """A sine."""
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * np.arange(8 * ms) / 8000))


def voice(ms: int, amplitude: float = 3000) -> Wave:
    """A vowel: a gliding pitch with two formants and four syllables a second."""
    t = np.arange(8 * ms) / 8000
    pitch = 130 * (1 + 0.05 * np.sin(2 * np.pi * 3 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    weight = {
        k: np.exp(-(((130 * k - 600) / 300) ** 2)) + 0.5 * np.exp(-(((130 * k - 1400) / 400) ** 2))
        for k in range(1, 20)
    }
    sound = np.asarray(sum((w + 0.1) * np.sin(k * phase) for k, w in weight.items()))
    return amplitude * sound / np.abs(sound).max() * (0.7 + 0.3 * np.sin(2 * np.pi * 4 * t))


def line(*parts: Wave, hiss: float = 0.0) -> mulaw.Samples:
    """Parts in a row, as they come out of a mu-law line."""
    sound = np.concatenate(parts)
    if hiss:
        sound = sound + noise(sound.size // 8 + 1, hiss, seed=7)[: sound.size]
    return mulaw.decode(mulaw.encode(np.clip(sound, -32768, 32767).astype(np.int16)))
