"""What hearing costs for each 20 ms of a call: decode, voice, cadence, tones, one after the other and together.

    python benchmarks/frame_cost.py [--json FILE] [--seconds 120] [--audio FOLDER_OF_WAVS]

The sound is 8 kHz mono wavs if a folder is given, otherwise bursts of harmonics and noise made here (the same on every
machine). The goal is a p50 of 25 us for all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
import wave
from pathlib import Path

import numpy as np

from voicewarden.sensors import mulaw
from voicewarden.sensors.cadence import CadenceMeter
from voicewarden.sensors.tones import ToneDetector
from voicewarden.sensors.voice import FRAME_MS, FRAME_SAMPLES, VoiceActivity

GOAL_P50_US = 25.0


def synthetic(seconds: int) -> mulaw.Samples:
    """Syllable-like bursts of a harmonic series with pauses, over faint noise."""
    rng = np.random.default_rng(20)
    parts = []
    for _ in range(seconds * 2):
        n = int(rng.integers(1200, 2800))
        t = np.arange(n) / 8000
        f0 = rng.uniform(90, 220)
        voice = np.asarray(sum(np.sin(2 * np.pi * f0 * k * t + k) / k for k in range(1, 12)))
        parts += [2500 * voice * np.hanning(n), np.zeros(4000 - n)]
    sound = np.concatenate(parts)
    return np.clip(sound + rng.normal(0, 30, sound.size), -32768, 32767).astype(np.int16)


def recorded(folder: Path, seconds: int) -> mulaw.Samples:
    """Wavs of a folder in a row, up to so many seconds."""
    parts: list[mulaw.Samples] = []
    for path in sorted(folder.rglob("*.wav")):
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2):
                parts.append(np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16))
        if sum(map(len, parts)) >= seconds * 8000:
            break
    if not parts:
        raise SystemExit(f"no 8 kHz mono 16-bit wav under {folder}; give another folder, or leave --audio out")
    return np.concatenate(parts)[: seconds * 8000]


def measure(pcm: mulaw.Samples) -> dict[str, dict[str, float]]:
    """Cost of each part and of the sum, in microseconds."""
    payloads = [mulaw.encode(pcm[at : at + FRAME_SAMPLES]) for at in range(0, pcm.size - FRAME_SAMPLES, FRAME_SAMPLES)]
    voice, meter, tones = VoiceActivity(), CadenceMeter(), ToneDetector()
    costs = np.empty((len(payloads), 4))
    clock = time.perf_counter_ns
    for row, payload in zip(costs, payloads, strict=True):
        t0 = clock()
        frame = mulaw.decode(payload)
        t1 = clock()
        voice.feed(frame)
        t2 = clock()
        for voiced in voice.last_frames:
            meter.feed(voiced=voiced)
        t3 = clock()
        tones.feed(frame)
        row[:] = (t1 - t0, t2 - t1, t3 - t2, clock() - t3)
    parts = {name: costs[:, at] for at, name in enumerate(("decode", "voice", "cadence", "tones"))}
    return {name: figures(ns / 1000) for name, ns in {**parts, "all": costs.sum(axis=1)}.items()}


def figures(us: np.ndarray) -> dict[str, float]:
    """Mean and percentiles of one part."""
    p50, p99, p999 = np.percentile(us, (50, 99, 99.9)).round(2).tolist()
    return {"mean_us": round(float(us.mean()), 2), "p50_us": p50, "p99_us": p99, "p999_us": p999}


def commit() -> str:
    """Short id of the commit that was measured."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "uncommitted"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--audio", type=Path, help="folder of 8 kHz wavs")
    options = parser.parse_args()
    pcm = recorded(options.audio, options.seconds) if options.audio else synthetic(options.seconds)
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commit": commit(),
        "sound": "recorded" if options.audio else "synthetic",
        "n": pcm.size // FRAME_SAMPLES,
        "frame_ms": FRAME_MS,
        "parts": measure(pcm),
    }
    print(
        f"{result['machine']}; commit {result['commit']}; n = {result['n']} frames of {FRAME_MS} ms, {result['sound']}"
    )
    for name, costs in result["parts"].items():
        print(f"{name:8} " + "  ".join(f"{key[:-3]} {value:8.2f} us" for key, value in costs.items()))
    total = result["parts"]["all"]["p50_us"]
    print(f"goal: p50 <= {GOAL_P50_US:.0f} us: {'met' if total <= GOAL_P50_US else 'MISSED'}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
