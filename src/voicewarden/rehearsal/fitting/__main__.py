"""Fits the weights of who answered and writes them down: `scripts/fit-answerer`.

    python -m voicewarden.rehearsal.fitting [--clips 600] [--test 300] [--seed 0] [--write] [--json FILE]

Fitted to the fit side of `rehearsal.answers`, thresholds chosen on held-out families of text of that side, counted on
the test side, whose voices and texts are others. Without `--write` the file is printed and nothing is changed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from voicewarden.config.release import load_release
from voicewarden.kernel.release import Compiled
from voicewarden.rehearsal.answers import RememberedHearing, clips
from voicewarden.rehearsal.answers.clip import Split
from voicewarden.rehearsal.answers.installed import versions
from voicewarden.rehearsal.fitting.answerer_file import RHYTHM_AT_MOST, Evidence, text_of
from voicewarden.rehearsal.fitting.moments import Heard, collect, probing
from voicewarden.rehearsal.fitting.regression import Fitted, fit
from voicewarden.rehearsal.fitting.thresholds import Thresholds, choose, decided, held_out, walk
from voicewarden.replay.interval import rate

FILE: Final = Path("config/calibration/answerer.yaml")
_TELL_EVERY: Final = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, count, write; returns the exit code."""
    options = _parser().parse_args(arguments)
    data = load_release(options.config, options.agents, policy="organisation", approved=False)
    release = probing(data)
    hearing = RememberedHearing()
    fit_side = _listen("fit", options.clips, options.seed, release, hearing)
    test_side = _listen("test", options.test, options.seed, release, hearing)
    thresholds = choose(held_out(fit_side, RHYTHM_AT_MOST))
    fitted = fit(fit_side)
    found = _count(test_side, fitted, thresholds)
    text = text_of(
        fitted, thresholds,
        Evidence(
            version=f"{options.date}.{len(fit_side)}", seed=options.seed, date=options.date, found=found,
            packages=tuple(f"{name} {version}" for name, version in versions().items()),
            fit=_made_of(fit_side), test=_made_of(test_side),
        ),
    )  # fmt: skip
    if options.write:
        options.write_to.parent.mkdir(parents=True, exist_ok=True)
        options.write_to.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    for name, result in found.items():
        print(f"{name.replace('_', ' ')}: {result}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/fit-answerer", description="Fit the weights of who answered.")
    parser.add_argument("--clips", type=int, default=600, help="clips to fit to")
    parser.add_argument("--test", type=int, default=300, help="clips to count on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat(), help="what to write as the date")
    parser.add_argument("--config", type=Path, default=Path("config"))
    parser.add_argument("--agents", type=Path, default=Path("agents"))
    parser.add_argument("--write", action="store_true", help="write the file instead of printing it")
    parser.add_argument("--write-to", type=Path, default=FILE, help="where to")
    parser.add_argument("--json", type=Path, help="write the counts here too")
    return parser


def _listen(split: Split, limit: int, seed: int, release: Compiled, hearing: RememberedHearing) -> list[Heard]:
    heard: list[Heard] = []
    for clip in clips(split, seed, limit):
        heard.append(collect(clip, release, hearing))
        if len(heard) % _TELL_EVERY == 0:
            print(f"listened to {len(heard)} of {limit} clips ({split})", file=sys.stderr)
    return heard


def _made_of(side: Sequence[Heard]) -> dict[str, int]:
    return {
        "clips": len(side), "humans": sum(not clip.is_machine for clip in side),
        "voices": len({clip.voice for clip in side}), "texts": len({clip.family for clip in side}),
    }  # fmt: skip


def _count(side: Sequence[Heard], fitted: Fitted, thresholds: Thresholds) -> dict[str, str]:
    """What the weights make of clips by themselves; tones and revisions, which they leave out, only help."""
    verdicts = [
        (clip, decided(clip, walk(clip, fitted, RHYTHM_AT_MOST), thresholds.human_at, thresholds.machine_at)[0])
        for clip in side
        if not any(moment.tone for moment in clip.moments)
    ]
    people = [verdict for clip, verdict in verdicts if not clip.is_machine]
    machines = [verdict for clip, verdict in verdicts if clip.is_machine and clip.onset_ms is not None]
    return {
        "human_taken_for_machine": _told(sum(one == "machine" for one in people), len(people)),
        "machine_taken_for_human": _told(sum(one != "machine" for one in machines), len(machines)),
        "human_at_the_deadline": _told(sum(one == "deadline" for one in people), len(people)),
    }


def _told(hits: int, of: int) -> str:
    found = rate(hits, of)
    return f"{hits} of {of} (95 %: {found.low_permille / 10:.1f} to {found.high_permille / 10:.1f} %)"


if __name__ == "__main__":
    sys.exit(main())
