"""Is a spoken yes heard, and is anything else taken for one? Sound through the shipped transcriber and bands.

Each answer of `spoken_answers.py` is said by synthetic voices, clean and with noise at 20 and 10 dB, through 8 kHz
mu-law. It goes the way of a call: the voice detector cuts it, tiny.en transcribes it, and the kernel's own reading says
whether it is a yes and how sure (`kernel.facets.answers.read_answer`); it counts from the policy's `decide` band on.
Voices are split: on those for fitting thresholds may be looked for, the figures are those of the others. A key always
counts 1000. All voices are synthetic, and few: people will be heard otherwise.

Usage: python benchmarks/spoken_consent.py [--clips N] [--plot FILE] [--recordings FOLDER] [--quick] [--strict]

`--recordings` writes the answers as WAV files with labels instead, for `voicewarden calibrate`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import wave
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measure import TOP, Report, parser
from spoken_answers import ANSWERS, DIGITS, NAMES, QUESTION, YES_KINDS

from voicewarden.config.release import load_release
from voicewarden.kernel.facets.answers import read_answer
from voicewarden.kernel.release import Compiled
from voicewarden.rehear.listening import Listening, settled
from voicewarden.rehearsal.callers.noise import Noise, level_for_snr, mixed
from voicewarden.rehearsal.callers.voices import installed_voices, synthesise_all
from voicewarden.replay.interval import rate
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.transcriber import Transcriber

FIT_VOICES = ("joe", "slt", "espeak-us")
TEST_VOICES = ("awb", "rms", "kal")
CONDITIONS = (None, 20, 10)
THRESHOLDS = tuple(range(0, 1000, 50))
LEAD_MS = 2_000
"""Noise is there before the answer, so that the voice detector knows it when speech begins."""
CACHE = TOP / "var" / "voices"
COLOURS = {"bare": "#1f5fa8", "invited": "#2a7d4f", "other yes": "#8a3f9e", "no yes": "#a8323e", "near": "#c2571a"}


class Clip(NamedTuple):
    """An answer as sound on the line."""

    kind: str
    text: str
    voice: str
    snr_db: int | None
    pcm: Samples

    @property
    def name(self) -> str:
        """Names it in files and lots."""
        return hashlib.sha256(f"{self.text}/{self.voice}/{self.snr_db}".encode()).hexdigest()[:16]


class Outcome(NamedTuple):
    """What an answer was heard as: how sure the yes is, or -1 for no yes."""

    clip: Clip
    permille: int


def clips(kinds: Sequence[tuple[str, str]], voices: Sequence[str], conditions: Sequence[int | None]) -> Iterator[Clip]:
    """Every text by every voice under every condition, in an order drawn by lot."""
    sounds = synthesise_all([(text, voice) for _, text in kinds for voice in voices], CACHE)
    made = [
        Clip(kind, text, voice, snr_db, np.zeros(0, dtype=np.int16))
        for kind, text in kinds
        for voice in voices
        for snr_db in conditions
    ]
    for clip in sorted(made, key=lambda one: one.name):
        yield clip._replace(pcm=on_the_line(sounds[clip.text, clip.voice], clip.snr_db, int(clip.name[:8], 16)))


def on_the_line(speech: Samples, snr_db: int | None, seed: int) -> Samples:
    """An answer after two seconds of the line's noise, through mu-law."""
    lead = np.zeros(LEAD_MS * 8, dtype=np.int16)
    whole = np.concatenate([lead, speech, lead[: 1_000 * 8]])
    noisy = whole if snr_db is None else mixed(whole, "babble" if seed % 2 else "white", snr_db, seed)
    return mulaw.decode(mulaw.encode(noisy))


def texts(*, is_near_too: bool) -> list[tuple[str, str]]:
    """Kind and text of every answer."""
    return [(kind, text) for kind, told in ANSWERS.items() for text in told if is_near_too or kind != "near"]


def outcome(clip: Clip, release: Compiled, hearing: Hearing) -> Outcome:
    """Hear one answer as the kernel would."""
    listening = Listening(hearing, pause_ms=release.policy.policy.hearing.end_of_turn_ms)
    # The recording ends in the noise it began with, so that its end is no event of its own.
    tail = np.zeros(0, dtype=np.int16)
    if clip.snr_db is not None:
        noise = Noise("white", level_for_snr(clip.snr_db), 1)
        tail = np.concatenate([noise.next_frame() for _ in range(50)])
    listening.feed(settled(np.concatenate([clip.pcm, tail])))
    found = [said for said in listening.utterances if said.to_ms > LEAD_MS]
    words = tuple(word for said in found for word in said.words)
    if not words or any(said.transcript is None or said.transcript.suspect for said in found):
        return Outcome(clip, -1)
    answer = read_answer(release.reader, QUESTION, words)
    sure = answer.permille if answer.kind == "explicit" and answer.permille is not None else -1
    return Outcome(clip, sure)


def group(kind: str) -> str:
    """Yeses by kind, what sounds like one by itself, all else together."""
    return kind if kind in (*YES_KINDS, "near") else "no yes"


def shown(outcomes: Sequence[Outcome], at_least: int) -> str:
    """How many count from a threshold on, with the Wilson interval."""
    found = rate(sum(one.permille >= at_least for one in outcomes), len(outcomes))
    share = "-" if found.permille is None else f"{found.permille / 10:.1f} %"
    return f"{share} [{found.low_permille / 10:.1f}, {found.high_permille / 10:.1f}] ({found.hits}/{found.of})"


def table(report: Report, outcomes: Sequence[Outcome], accept: int) -> None:
    """Yes-recall and false-yes by condition, of the voices that nothing was fitted on."""
    tested = [one for one in outcomes if one.clip.voice in TEST_VOICES]
    for snr_db in CONDITIONS:
        name = "clean" if snr_db is None else f"{snr_db} dB"
        for kind in COLOURS:
            part = [one for one in tested if one.clip.snr_db == snr_db and group(one.clip.kind) == kind]
            report.figure(f"{name}, {kind}", shown(part, accept))
    for voice in (*FIT_VOICES, *TEST_VOICES):
        part = [one for one in outcomes if one.clip.voice == voice and one.clip.kind in YES_KINDS]
        report.figure(f"all yeses by {voice}", shown(part, accept))
    for level in (0, 300, 400, 500, 600, 700, 800):
        parts = {kind: [one for one in tested if group(one.clip.kind) == kind] for kind in COLOURS}
        told = {kind: f"{sum(one.permille >= level for one in part)}/{len(part)}" for kind, part in parts.items()}
        report.figure(f"accept from {level}", "  ".join(f"{kind} {count}" for kind, count in told.items()))
    false = [one for one in tested if group(one.clip.kind) == "no yes"]
    wrong = sum(one.permille >= accept for one in false)
    report.goal("false yes among answers that are none", 100 * wrong / len(false) if false else None, 1, "%")
    report.figure("key 1 (for comparison)", "1000: no sound decides, so none is misheard")


def plot(outcomes: Sequence[Outcome], accept: int) -> str:
    """An SVG: how much of each group counts as a yes from each threshold on."""
    left, top, right, bottom = 60, 44, 500, 340
    parts = [f'<text x="{left}" y="24" font-size="14">Taken for a yes, by the threshold on confidence</text>']
    for share in (0, 25, 50, 75, 100):
        y = bottom - share * (bottom - top) / 100
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y:.0f}" text-anchor="end">{share} %</text>')
    for level in range(0, 1001, 200):
        x = left + level * (right - left) / 1000
        parts.append(f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="middle">{level}</text>')
    x = left + accept * (right - left) / 1000
    parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top}" y2="{bottom}" stroke="#888" stroke-dasharray="4 3"/>')
    for index, (kind, colour) in enumerate(COLOURS.items()):
        part = [one.permille for one in outcomes if group(one.clip.kind) == kind]
        shares = [(level, sum(sure >= level for sure in part) / max(1, len(part))) for level in THRESHOLDS]
        line = " ".join(
            f"{left + level * (right - left) / 1000:.0f},{bottom - share * (bottom - top):.0f}"
            for level, share in shares
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        label = escape(f"{kind} (n = {len(part)})")
        parts.append(f'<text x="{right + 14}" y="{top + 18 + 18 * index}" fill="{colour}">{label}</text>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 380" font-family="sans-serif" font-size="11">'
        '<rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def write_recordings(folder: Path, most: int) -> int:
    """Answers, numbers and names as WAV files with labels; words that only sound like a yes are no answers."""
    folder.mkdir(parents=True, exist_ok=True)
    told = [*texts(is_near_too=False), *(("digits", text) for text in DIGITS), *(("names", text) for text in NAMES)]
    voices = [voice for voice in (*FIT_VOICES, *TEST_VOICES) if voice in installed_voices()]
    rows = []
    for clip in list(clips(told, voices, (None, 20)))[:most]:
        with wave.open(str(folder / f"{clip.name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8_000)
            file.writeframes(clip.pcm.astype("<i2").tobytes())
        purpose = clip.kind if clip.kind in ("digits", "names") else "decide"
        slot = {"digits": DIGITS, "names": NAMES}.get(purpose, {}).get(clip.text, "")
        row = {"file": f"{clip.name}.wav", "text": clip.text, "speaker": clip.voice, "purpose": purpose}
        rows.append({**row, **({"slot": slot} if slot else {"question": QUESTION})})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "labels.jsonl").write_text(lines, encoding="utf-8")
    print(f"{len(rows)} recordings in {folder}; now run: voicewarden calibrate {folder}")
    return 0


def main() -> int:
    """Measure, print, write."""
    options = parser(__doc__)
    options.add_argument("--clips", type=int, default=900, help="so many answers at most, drawn by lot")
    options.add_argument("--plot", type=Path, help="write the trade-off curve here")
    options.add_argument("--recordings", type=Path, help="write WAV files with labels here, and measure nothing")
    chosen = options.parse_args()
    if chosen.recordings:
        return write_recordings(chosen.recordings, chosen.clips)
    release = Compiled(load_release(TOP / "config", TOP / "agents", policy="outbound-sales", approved=True))
    voices = [voice for voice in (*FIT_VOICES, *TEST_VOICES) if voice in installed_voices()]
    transcriber = Transcriber.load()
    picked = list(clips(texts(is_near_too=True), voices, CONDITIONS))[: 12 if chosen.quick else chosen.clips]
    outcomes = [outcome(clip, release, transcriber) for clip in picked]
    accept = release.policy.policy.hearing.decide.accept_permille
    report = Report("spoken_consent", "A spoken yes, from sound to the kernel's reading", "per mille")
    report.figure("answers", f"{len(picked)} of {len(texts(is_near_too=True))} texts, voices {', '.join(voices)}")
    report.figure("accepted from", accept)
    report.row("confidence of a yes", [float(one.permille) for one in outcomes if one.permille >= 0])
    table(report, outcomes, accept)
    if chosen.plot:
        tested = [one for one in outcomes if one.clip.voice in TEST_VOICES]
        chosen.plot.write_text(plot(tested, accept), encoding="utf-8")
    return report.finish(chosen)


if __name__ == "__main__":
    sys.exit(main())
