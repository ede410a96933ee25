"""Who answered: how often, how fast and how surely it is found out, beside the rules of others on the same clips.

    python benchmarks/hearing.py [--clips N] [--beeps N] [--split test|fit] [--recordings FOLDER] [--errors]
                                 [--json FILE] [--plot FILE] [--quick] [--strict] [--out FOLDER]

The clips are made from the voices that are installed (see docs/hearing.md), perturbed as telephone lines do, and played
through the sensors and the kernel of live calls. Transcripts come from the shipped transcriber and are kept under
var/answers. With --recordings, recordings of yours with a labels file are played instead.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import frame_cost
import hearing_plot
import measure
import msgspec
import numpy as np

from voicewarden.cli.recordings import release_and_defaults
from voicewarden.kernel.release import Compiled
from voicewarden.rehearsal.answers import beeps, installed, scoring, speakers
from voicewarden.rehearsal.answers.baselines import SHORT_GREETING, TWILIO, AppAmd, Judged, nine_words
from voicewarden.rehearsal.answers.casting import roles
from voicewarden.rehearsal.answers.clip import Clip
from voicewarden.rehearsal.answers.making import Studio, clips
from voicewarden.rehearsal.answers.own import own_clips
from voicewarden.rehearsal.answers.playing import Outcome, play
from voicewarden.rehearsal.answers.remembered import RememberedHearing
from voicewarden.rehearsal.answers.scoring import Answer, Score
from voicewarden.replay.interval import Rate, rate
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.transcriber import Transcript
from voicewarden.sensors.voice import voiced_frames

OURS: Final = "voicewarden"
SNRS_DB: Final = (20, 10, 6, 3)
GOAL_SNR_DB: Final = 6
USUAL_MS: Final = 160
"""Beeps of mailboxes are seldom shorter."""
CHUNKS_MS: Final = (10, 20, 60)
_FRAMES_TIMED: Final = 120 * 8_000
_TOLD_EVERY: Final = 100
_PATIENCE: Final = np.zeros(10 * 8_000, dtype=np.int16)

Rule = Callable[[Clip, Outcome], Judged]
PEERS: Final[dict[str, Rule]] = {
    "app_amd, 2 words": lambda clip, _: AppAmd(max_words=2).judge(clip.pcm),
    "app_amd, 3 words": lambda clip, _: AppAmd(max_words=3).judge(clip.pcm),
    "Twilio's thresholds": lambda clip, _: TWILIO.judge(voiced_frames(clip.pcm)),
    "nine words (jambonz)": lambda _, outcome: nine_words(outcome.utterances),
    "short greeting (LiveKit)": lambda clip, _: SHORT_GREETING.judge(voiced_frames(clip.pcm)),
}


class Deaf:
    """Understands nothing: for runs that only show that they run."""

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        """No words."""
        return Transcript("", (), None, None, None, 0, fallback=False, took_ms=0, speech_ms=speech_ms or 0, suspect=())


def material(options: argparse.Namespace) -> Iterator[Clip]:
    """The clips of this run."""
    if options.recordings is not None:
        return own_clips(options.recordings)
    if options.quick:
        studio = Studio(options.split, has_babble=False)
        wordless = (role for role in roles(options.split) if role.speaker is None)
        return (studio.make(role) for role in itertools.islice(wordless, 8))
    made = itertools.count(1)
    return clips(options.split, options.seed, options.clips, on_spoken=lambda _: _progress("speaking", next(made)))


def _progress(what: str, number: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what} {number} ", end="", file=sys.stderr, flush=True)
    elif number % _TOLD_EVERY == 0:
        print(what, number, file=sys.stderr, flush=True)


def listen(options: argparse.Namespace, release: Compiled) -> tuple[dict[str, list[Answer]], list[str], list[Samples]]:
    """Play every clip to every rule. Returns the answers, what differed between chunk sizes, and some of the sound."""
    hearing: Hearing = Deaf() if options.quick else RememberedHearing()
    answers: dict[str, list[Answer]] = {name: [] for name in (OURS, *PEERS)}
    differing: list[str] = []
    sound: list[Samples] = []
    for number, clip in enumerate(material(options), start=1):
        _progress("clip", number)
        outcome = play(clip, release, hearing)
        answers[OURS].append(scoring.ours(clip, outcome))
        # A recording may end before a rule with patience has decided; as for ours, silence follows.
        waited = msgspec.structs.replace(clip, pcm=np.concatenate((clip.pcm, _PATIENCE)))
        for name, rule in PEERS.items():
            answers[name].append(scoring.theirs(clip, rule(waited, outcome)))
        if number <= options.chunks:
            others = [play(clip, release, hearing, chunk_ms=ms) for ms in CHUNKS_MS]
            differing += [clip.name] if any(other != outcome for other in others) else []
        if sum(map(len, sound)) < _FRAMES_TIMED:
            sound.append(clip.pcm)
    return answers, differing, sound


def shown(found: Rate) -> str:
    """A rate with its interval and its counts."""
    if not found.of:
        return "-"
    share = 100 * found.hits / found.of
    return f"{share:5.2f} % [{found.low_permille / 10:.1f}, {found.high_permille / 10:.1f}] {found.hits}/{found.of}"


def print_table(scores: dict[str, Score]) -> None:
    """One line a rule; intervals are Wilson's at 95 %."""
    heads = ("person taken for machine", "machine taken for person", "... in the end", "> 2 s of dead air")
    print(f"\n{'':26}" + "".join(f"{head:>30}" for head in heads) + f"{'person p50/p95':>18}{'machine p50/p95':>18}")
    for name, found in scores.items():
        rates = (found.human_to_machine, found.machine_to_human, found.machine_to_human_in_the_end, found.dead_air)
        times = (found.human_after_greeting_ms, found.machine_after_onset_ms)
        print(f"{name:26}" + "".join(f"{shown(one):>30}" for one in rates) + "".join(f"{_p(t):>18}" for t in times))
    print("person: ms after the greeting's end, machine: ms after the first word; each where it was recognised")


def _p(times: Sequence[int]) -> str:
    spread = measure.spread(times)
    return f"{spread['p50']:.0f} / {spread['p95']:.0f} ms" if times else "-"


def print_confusion(answers: Sequence[Answer]) -> None:
    """What each class was taken for in the end."""
    table = scoring.confusion(answers)
    columns = list(dict.fromkeys([*table, *(kind for counts in table.values() for kind in counts)]))
    print(f"\n{'truth, and what we say':26}{'n':>6}" + "".join(f"{kind:>12}" for kind in columns))
    for verdict, counts in table.items():
        print(f"{verdict:26}{counts.total():>6}" + "".join(f"{counts[kind] or '.':>12}" for kind in columns))


def print_kinds(answers: Sequence[Answer]) -> dict[str, Any]:
    """The two error rates by what the line did, by kind of voice, and by what was said."""
    kinds = {speaker.id: speaker.kind for speaker in speakers.SPEAKERS}
    groups = dict(sorted(scoring.by_kind(answers).items()))
    for one in answers:
        if one.label.voice in kinds:
            groups.setdefault(f"voice: {kinds[one.label.voice]}", []).append(one)
    for one in sorted(answers, key=lambda one: (one.label.verdict != "human", one.label.verdict, one.label.shape)):
        if one.label.onset_ms is not None:
            groups.setdefault(f"{one.label.verdict}: {one.label.shape}", []).append(one)
    print(f"\n{'by line and voice':26}{'person taken for machine':>30}{'machine taken for person':>30}{'dead air':>30}")
    for name, members in groups.items():
        found = scoring.score(members)
        rates = (found.human_to_machine, found.machine_to_human, found.dead_air)
        print(f"{name:26}" + "".join(f"{shown(one):>30}" for one in rates))
    return {name: _builtin(scoring.score(members)) for name, members in groups.items()}


def print_errors(answers: Sequence[Answer]) -> None:
    """Every clip that is not what we say, with what we said when."""
    print("\nclips that were taken for something else at first or in the end")
    for one in answers:
        if {one.first, one.last} != {one.label.verdict}:
            said = ", ".join(f"{verdict.verdict} at {verdict.at_ms} ms" for verdict in one.verdicts)
            print(f"{one.name}: {one.label.verdict}, speaks from {one.label.onset_ms} ms; {said or 'no verdict'}")


def _builtin(found: Score) -> dict[str, Any]:
    """Counts and percentiles of a score, as JSON has them."""
    rates = {name: getattr(found, name) for name in Score.__struct_fields__ if name not in ("people", "machines")}
    return {
        name: [value.hits, value.of] if isinstance(value, Rate) else measure.spread(value)
        for name, value in rates.items()
    }


def beep_recall(report: measure.Report, count: int) -> None:
    """Beeps in noise: how many are heard, by signal-to-noise ratio and by length."""
    print(f"\n{'beeps heard, 350-2200 Hz':26}{'160-800 ms':>30}{'80-160 ms':>30}{'elsewhere':>12}")
    missed = {True: 0, False: 0}
    asked = {True: 0, False: 0}
    for snr_db in SNRS_DB:
        found = list(beeps.trials(snr_db, count))
        rates = {}
        for usual in (True, False):
            these = [one for one in found if (one.beep.ms >= USUAL_MS) == usual]
            rates[usual] = rate(sum(one.heard is not None for one in these), len(these))
            if snr_db >= GOAL_SNR_DB:
                missed[usual] += len(these) - rates[usual].hits
                asked[usual] += len(these)
        elsewhere = sum(one.others for one in found)
        print(f"{f'at {snr_db} dB':26}{shown(rates[True]):>30}{shown(rates[False]):>30}{elsewhere:>12}")
        report.figure(f"beeps at {snr_db} dB", {"usual": rates[True].hits, "of": rates[True].of,
                                                "short": rates[False].hits, "of short": rates[False].of})  # fmt: skip
    report.goal("missed beeps of 160-800 ms at 6 dB and better", _percent(missed[True], asked[True]), 2.0, "%")
    both = sum(missed.values()), sum(asked.values())
    report.goal("missed beeps of 80-800 ms at 6 dB and better", _percent(*both), 2.0, "%")


def _percent(hits: int, of: int) -> float | None:
    return round(100 * hits / of, 3) if of else None


def false_beeps(report: measure.Report, *, is_quick: bool) -> None:
    """Beeps that are heard in speech and in music without any."""
    print()
    for what, files, are_leveled in (
        ("speech", beeps.speech_files(), True),
        ("hold music", speakers.music(), False),
    ):
        found = None
        for found in beeps.false_beeps(files[:3] if is_quick else files, are_leveled=are_leveled):
            _progress(f"{what}, file", found.files)
        if found is None:
            print(f"false beeps in {what}: no recordings are installed")
            continue
        print(f"false beeps in {what}: {found.count} in {found.hours:.2f} h of {found.files} recordings, "
              f"{found.per_hour:.2f} an hour, at most {found.per_hour_at_most:.2f} (95 %)")  # fmt: skip
        print("".join(f"    {place}\n" for place in found.where), end="")
        report.figure(f"false beeps, {what}", {"count": found.count, "hours": round(found.hours, 3)})
        if what == "speech":
            report.goal("false beeps in an hour of speech", round(found.per_hour, 3), 0.999, "")


def hold_to_goals(report: measure.Report, mine: Score) -> None:
    """The goals of who answered."""
    report.figure("people given up as silence", shown(mine.human_to_nobody))
    for label, found, at_most in (
        ("person taken for machine", mine.human_to_machine, 1.0),
        ("machine taken for person at the deadline", mine.machine_to_human, 5.0),
        ("people with more than 2 s of dead air", mine.dead_air, 2.999),
    ):
        report.goal(label, _percent(found.hits, found.of), at_most, "%")
    for label, times, at_most_ms in (
        ("person: verdict after the greeting's end, p95", mine.human_after_greeting_ms, 1_000),
        ("machine: verdict after the first word, p95", mine.machine_after_onset_ms, 3_500),
    ):
        if times:
            report.goal(label, measure.spread(times)["p95"], at_most_ms, "ms")


def options() -> argparse.Namespace:
    """The options of this run."""
    parser = measure.parser(__doc__)
    parser.add_argument("--clips", type=int, default=1_300, help="how many clips are made")
    parser.add_argument(
        "--beeps", type=int, default=500, help="how many beeps at each level of noise; 0 leaves beeps out"
    )
    parser.add_argument("--chunks", type=int, default=200, help="how many clips are also played in other chunks")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another order and other lines")
    parser.add_argument("--split", choices=("test", "fit"), default="test", help="whose voices and texts")
    parser.add_argument("--recordings", type=Path, help="a folder of recordings of yours with labels.csv or .jsonl")
    parser.add_argument("--errors", action="store_true", help="also name every clip that was misjudged")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--plot", type=Path, help="draw what was known by when into this SVG")
    found = parser.parse_args()
    if found.quick:
        found.beeps, found.chunks = 10, 4
    return found


def main() -> int:
    """Measure, print, write."""
    chosen = options()
    report = measure.Report("hearing", "who answered, on clips made from installed voices", "ms")
    release, _ = release_and_defaults("organisation", measure.TOP / "config", None)
    print("made from: " + ", ".join(f"{name} {version}" for name, version in installed.versions().items()))
    for name, needs in speakers.missing().items():
        print(f"without the voice {name}: {needs}")
    print(f"voices of the {chosen.split} set: "
          + ", ".join(f"{count} {name}" for name, count in installed.voices(chosen.split).items()))  # fmt: skip
    answers, differing, sound = listen(chosen, release)
    english = {name: [one for one in some if one.label.language in ("en", "")] for name, some in answers.items()}
    scores = {name: scoring.score(some) for name, some in english.items()}
    print_table(scores)
    foreign = [one for one in answers[OURS] if one.label.language not in ("en", "")]
    if foreign:
        print("\nthe same in other languages, whose words the shipped transcriber does not know:")
        print_table({OURS: scoring.score(foreign)})
    print_confusion(english[OURS])
    kinds = print_kinds(english[OURS])
    if chosen.errors:
        print_errors(answers[OURS])
    if chosen.beeps:
        beep_recall(report, chosen.beeps)
        false_beeps(report, is_quick=chosen.quick)
    hold_to_goals(report, scores[OURS])
    cost = frame_cost.measure(np.concatenate(sound)[:_FRAMES_TIMED])["all"]
    report.figure("us a frame, sensors", cost)
    report.goal("us a frame, p50", cost["p50_us"], 25.0, "us")
    played = min(chosen.chunks, len(answers[OURS]))
    print(f"\nplayed in chunks of 10, 20 and 60 ms: {played} clips, {len(differing)} with a difference")
    report.goal("clips that differ between chunk sizes", float(len(differing)), 0.0, f"of {played}")
    first = [one.verdicts[0].at_ms for one in answers[OURS] if one.verdicts]
    report.row("all: first verdict after the answer", first)
    report.row("person: verdict after the greeting", scores[OURS].human_after_greeting_ms)
    report.row("machine: verdict after its first word", scores[OURS].machine_after_onset_ms)
    code = report.finish(chosen)
    # Only into the file: on the terminal they are tables.
    report.figure("scores", {name: _builtin(found) for name, found in scores.items()})
    report.figure("by line and voice", kinds)
    report.write(chosen.out)
    if chosen.plot is not None:
        chosen.plot.write_text(hearing_plot.draw(english), encoding="utf-8")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(report.figures, indent=1) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
