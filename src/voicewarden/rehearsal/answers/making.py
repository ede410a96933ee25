"""Clips made of roles: speech, pauses, tones and what the line does to them, all decided by the clip's name.

In: a split, a seed, how many. Out: `Clip`s, the same bytes wherever the same packages are installed. Called by whoever
fits weights and by `benchmarks/hearing.py`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from voicewarden.rehearsal.answers import line, signals, speakers
from voicewarden.rehearsal.answers.casting import Role, digest, roles
from voicewarden.rehearsal.answers.clip import Beep, Clip, Label, Split
from voicewarden.rehearsal.answers.signals import Sound
from voicewarden.rehearsal.answers.speakers import Speaker
from voicewarden.rehearsal.answers.speech import SpokenLines, prompt, voiced_span
from voicewarden.rehearsal.answers.texts import Text
from voicewarden.rehearsal.callers.engines import read_wav

CACHE: Final = Path("var/answers")
TAIL_MS: Final = 6_000
"""How long whoever answered waits at the end."""

_BREATH_MS: Final = 350
_WAIT_MS: Final = 1_300
_BABBLE: Final = (
    "So I told her that we would be there by eight, but the train was late again.",
    "Could you pass me the other one, no, the blue one, next to the window.",
    "They said it would rain all week, and then it was sunny the whole time.",
    "I think the meeting starts in ten minutes, we should really get going now.",
)
_PAUSE: Final = re.compile(r"(\|\|?)")
_EMPTY: Final = np.zeros(0)


def clips(
    split: Split, seed: int = 0, limit: int = 500, *, cache: Path = CACHE,
    on_spoken: Callable[[int], None] | None = None,
) -> Iterator[Clip]:  # fmt: skip
    """The first `limit` clips of a split. Synthesises first what is not in the cache yet.

    `on_spoken` is told how many lines of speech were made. Raises MissingPart or SpeechFailed when an engine breaks.
    """
    cast = list(itertools.islice(roles(split, seed), limit))
    studio = Studio(split, cache, seed)
    for made in studio.spoken.prepare(itertools.chain(studio.babble_lines(), *(_lines(role) for role in cast))):
        if on_spoken is not None:
            on_spoken(made)
    for role in cast:
        yield studio.make(role)


def _lines(role: Role) -> Iterator[tuple[Speaker, str]]:
    if role.speaker is not None and role.text is not None and role.text.words:
        for part in _PAUSE.split(role.text.words)[::2]:
            yield role.speaker, part.strip()


class Studio:
    """Makes the clips of one split."""

    def __init__(self, split: Split, cache: Path = CACHE, seed: int = 0, *, has_babble: bool = True) -> None:
        """Without `has_babble` pink noise stands for voices in the background, and no engine is needed for sounds."""
        self.spoken = SpokenLines(cache)
        self._seed = seed
        self._talkers = [one for one in speakers.speakers(split) if one.kind != "recorded"] if has_babble else []
        self._babble: Sound | None = None
        self._music: list[Sound] = []

    def babble_lines(self) -> Iterator[tuple[Speaker, str]]:
        """What the voices in the background say."""
        for number, speaker in enumerate(self._talkers):
            yield speaker, _BABBLE[number % len(_BABBLE)]

    def make(self, role: Role) -> Clip:
        """One clip."""
        random = np.random.default_rng(digest(self._seed, role.name))
        done = line.draw(random)
        sound, speech, beep = self._sound(role, random)
        length = sound.size + done.lead_ms * 8
        babble = self._talk(length, random) if done.noise == "babble" else _EMPTY
        music = _EMPTY if done.music_snr_db is None else self._hold_music(length, random)
        pcm = line.through(sound, done, random, babble=babble, music=music)
        label = Label(
            verdict=role.verdict,
            shape=role.text.shape if role.text else role.sound,
            family=role.text.family if role.text else role.sound,
            voice=role.speaker.id if role.speaker else "", origin=role.speaker.origin if role.speaker else "",
            language=role.speaker.language if role.speaker else "", split=role.split, perturbation=done,
            onset_ms=None if speech is None else speech[0] + done.lead_ms,
            greeting_end_ms=None if speech is None else speech[1] + done.lead_ms,
            beep=None if beep is None else Beep(beep.hz, beep.at_ms + done.lead_ms, beep.ms),
        )  # fmt: skip
        return Clip(role.name, pcm, label)

    def _sound(self, role: Role, random: np.random.Generator) -> tuple[Sound, tuple[int, int] | None, Beep | None]:
        """The whole answer with its tail, when speech begins and ends, and its beep."""
        if role.speaker is None or role.text is None:
            return self._wordless(role.sound, random), None, None
        words = self._words(role.speaker, role.text, random)
        tones = signals.information(role.information) if role.information else _EMPTY
        front = np.concatenate((tones, signals.silence(250))) if tones.size else _EMPTY
        first, last = voiced_span(np.rint(words * 32_767).astype(np.int16))
        lead = front.size // 8
        sound, beep = np.concatenate((front, words)), None
        if role.text.has_beep and random.random() < 0.8:
            sound, beep = _with_beep(sound, random)
        return np.concatenate((sound, signals.silence(TAIL_MS))), (first + lead, last + lead), beep

    def _words(self, speaker: Speaker, text: Text, random: np.random.Generator) -> Sound:
        if text.prompts:
            parts = [prompt(speaker, name) for name in text.prompts]
            gaps = [int(random.integers(60, 250)) for _ in parts]
        else:
            split = _PAUSE.split(text.words)
            parts = [self.spoken.sound(speaker, words.strip()) for words in split[::2]]
            stretch = random.uniform(0.8, 1.25)
            gaps = [int((_WAIT_MS if mark == "||" else _BREATH_MS) * stretch) for mark in split[1::2]] + [0]
        joined = [part for pcm, gap in zip(parts, gaps, strict=True) for part in (pcm / 32_768, signals.silence(gap))]
        return np.concatenate(joined[:-1]) if joined else _EMPTY

    def _wordless(self, sound: str, random: np.random.Generator) -> Sound:
        if sound == "music":
            return self._hold_music(20 * signals.RATE_HZ, random) * 0.8
        made: dict[str, Callable[[], Sound]] = {
            "fax calls": lambda: signals.fax_calls(5), "fax answers": signals.fax_answers,
            "busy": lambda: signals.busy(10), "reorder": lambda: signals.reorder(20),
            "ringing on": lambda: signals.ringback(4), "nothing": lambda: signals.silence(12_000),
            "noise": lambda: line.noise("pink", 96_000, random) * 10 ** (random.uniform(-55, -30) / 20),
            "clicks": lambda: _clicks(random),
        }  # fmt: skip
        return np.concatenate((made[sound](), signals.silence(2_000)))

    def _talk(self, samples: int, random: np.random.Generator) -> Sound:
        """Several voices at once, from anywhere in an endless loop of them."""
        if self._babble is None:
            voices = [self.spoken.sound(*said) / 32_768 for said in self.babble_lines()]
            length = max((voice.size for voice in voices), default=signals.RATE_HZ)
            loops = [np.resize(np.roll(voice, 3_001 * number), length) for number, voice in enumerate(voices)]
            self._babble = np.sum(loops, axis=0) if loops else line.noise("pink", length, np.random.default_rng(1))
        return _looped(self._babble, samples, int(random.integers(self._babble.size)))

    def _hold_music(self, samples: int, random: np.random.Generator) -> Sound:
        if not self._music:
            self._music = [read_wav(path)[0] / 32_768 for path in speakers.music()] or [np.zeros(signals.RATE_HZ)]
        piece = self._music[int(random.integers(len(self._music)))]
        return _looped(piece, samples, int(random.integers(piece.size)))


def _looped(sound: Sound, samples: int, start: int) -> Sound:
    return np.resize(np.roll(sound, -start), samples)


def _with_beep(sound: Sound, random: np.random.Generator) -> tuple[Sound, Beep]:
    """A beep of any frequency, length and usual level, some time after the greeting."""
    gap_ms = int(random.integers(150, 1_500))
    hz = round(350 * (2_200 / 350) ** random.random())
    ms = int(random.integers(80, 801))
    level_dbfs = float(random.uniform(-26, -12))
    at_ms = sound.size // 8 + gap_ms
    made = np.concatenate((sound, signals.silence(gap_ms), signals.tone((float(hz),), ms, level_dbfs)))
    return made, Beep(hz, at_ms, ms)


def _clicks(random: np.random.Generator) -> Sound:
    """A microphone that is touched: bursts of noise too short for a word."""
    sound = signals.silence(12_000)
    for _ in range(int(random.integers(3, 12))):
        ms = int(random.integers(5, 50))
        at = int(random.integers(0, sound.size - ms * 8))
        sound[at : at + ms * 8] += line.noise("white", ms * 8, random) * 10 ** (random.uniform(-40, -15) / 20)
    return sound
