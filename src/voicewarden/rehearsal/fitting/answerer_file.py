"""`config/calibration/answerer.yaml`: what was fitted comes in, the text of the file goes out, each number with why.

Called by `__main__`. What nobody can fit here, because no clip holds it, is given in this module with its source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from voicewarden.kernel.weights import Steps
from voicewarden.rehearsal.fitting.moments import HEARD_OUT_MS
from voicewarden.rehearsal.fitting.regression import Fitted
from voicewarden.rehearsal.fitting.thresholds import COST_OF_LOSING_A_PERSON, Thresholds

RHYTHM_AT_MOST: Final = 229
_REVISE_AT: Final = 350
_HEAD: Final = "# yaml-language-server: $schema=../../schema/answerer.json\n# Written by scripts/fit-answerer.\n"
_WHY_RHYTHM: Final = {
    "saying_ms": "Speech so far while somebody speaks; people stop soon.",
    "said_ms": "Speech before a pause of 400 ms and more; a word or two and a wait is how people pick up.",
    "quiet_ms": "How long the pause is; recordings breathe, people wait.",
    "longest_run_ms": "The longest speech without a gap of 160 ms.",
    "bursts": "How many runs of speech there were.",
    "longest_gap_ms": "The longest gap between two of them.",
}
_WHY_CUES: Final = {
    "mailbox": "Words of a mailbox.", "menu": "Words of a menu.", "screening": "Words of a call screen.",
    "unavailable": "Words of an announcement that somebody or a number can't be reached.",
    "announcing": "How recordings begin, and reception desks.", "decline": "A refusal in the first person.",
    "receptionist": "An offer of help, or a question who calls.", "greeting": "A short greeting that has ended.",
    "greeting_so_far": "A greeting that may go on: most recordings begin with one.",
}  # fmt: skip
_TONES: Final = {
    "fax": (1_000, "Decides alone: only a fax sends these tones (ITU-T T.30)."),
    "busy": (1_000, "Decides alone: tones of the network."),
    "sit": (1_000, "Decides alone: tones of the network (ITU-T E.180)."),
    "beep": (100, "A beep before a greeting may be call waiting or a key: a hint."),
    "beep_after_speech": (
        500,
        "Decides alone: one false beep in 2.6 hours of prompts.",
    ),
}
_CARRIER: Final = {
    "human": (-90, "Its accuracy is not published; users report 65 to 80 %, and ln(0.72/0.28) is 0.94."),
    "voicemail": (90, "As for a person."),
    "fax": (90, "As for a person."),
}
_TIMES: Final = {
    "beep_after_speech_ms": (1_500, "The shortest greetings of mailboxes last longer, a hello does not."),
    "revisable_ms": (30_000, "Greetings of mailboxes last up to half a minute; after that a beep is something else."),
    "message_pause_ms": (2_500, "Three of seven greetings seen had no beep; pauses within one were shorter."),
    "heard_out_ms": (HEARD_OUT_MS, "Nobody waits while they speak; many recordings tell by their words only then."),
    "opens_after_ms": (1_500, "In babble nobody falls silent; 2 s without a word are a lost call (16 CFR 310.4)."),
    "message_by_ms": (30_000, "No greeting is longer; an endless one must not keep the line."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the numbers rest on."""

    version: str
    seed: int
    date: str
    packages: tuple[str, ...]
    fit: Mapping[str, int]
    test: Mapping[str, int]
    found: Mapping[str, str]


def text_of(fitted: Fitted, thresholds: Thresholds, evidence: Evidence) -> str:
    """The whole file."""
    return _HEAD + "\n".join((*_origin(evidence), *_thresholds(thresholds), *_weights(fitted, thresholds))) + "\n"


def _origin(evidence: Evidence) -> Iterable[str]:
    yield f"version: {_quoted(evidence.version)}"
    yield "owner: operations"
    about = "Weights of the evidence of who answered, in hundredths of a nat: above zero for a machine, below a person."
    yield f"about: {_quoted(about)}"
    yield "fitted:"
    yield "  script: scripts/fit-answerer"
    yield f"  seed: {evidence.seed}"
    yield f"  date: {_quoted(evidence.date)}"
    yield "  packages:"
    yield from (f"    - {_quoted(package)}" for package in evidence.packages)
    for side, made_of in (("fit", evidence.fit), ("test", evidence.test)):
        yield f"  {side}: {{{', '.join(f'{name}: {count}' for name, count in made_of.items())}}}"
    yield "  found:"
    yield from (f"    {name}: {_quoted(result)}" for name, result in evidence.found.items())
    yield "  provisional: true"
    why = "Few voices, most of them synthetic, and no greeting of a real mailbox: fit again on recordings of your own."
    yield f"  why: {_quoted(why)}"


def _thresholds(found: Thresholds) -> Iterable[str]:
    price = f"cheapest on held-out families of text, a lost person costing {COST_OF_LOSING_A_PERSON} fooled machines"
    yield _weight("human_at", found.human_at, f"With machine_at the {price}.")
    yield _weight("machine_at", found.machine_at, "As human_at; never below ln 10, where that price is even.")
    why = "Nearly what a mailbox's words weigh; one piece that is weaker must not take a conversation away."
    yield _weight("revise_at", max(found.machine_at, _REVISE_AT), why)
    why = "Under ln 10: the clips hold few people who speak at length, so that rhythm alone never says machine."
    yield _weight("rhythm_at_most", RHYTHM_AT_MOST, why)


def _weights(fitted: Fitted, thresholds: Thresholds) -> Iterable[str]:
    yield "rhythm:"
    yield from (f"  {_steps(name, steps, _WHY_RHYTHM[name])}" for name, steps in fitted.rhythm.items())
    yield "cues:"
    yield from (f"  {_weight(name, weight, f'{_WHY_CUES[name]} Fitted.')}" for name, weight in fitted.cues.items())
    yield _steps("words", fitted.words, "So many words and none of them a cue.")
    for block, entries in (("tones", _TONES), ("carrier", _CARRIER)):
        yield f"{block}:"
        yield from (f"  {_weight(name, weight, why)}" for name, (weight, why) in entries.items())
    why = "In a call in writing, where nothing has a rhythm, a first turn that is short is a person's."
    yield _steps("turn_ms", ((-10_000_000, thresholds.human_at), (2_501, 0)), why, fitted=False)
    yield from (f"{name}: {{ms: {ms}, why: {_quoted(why)}}}" for name, (ms, why) in _TIMES.items())


def _weight(name: str, weight: int, why: str) -> str:
    return f"{name}: {{weight: {weight}, why: {_quoted(why)}}}"


def _steps(name: str, steps: Steps, why: str, *, fitted: bool = True) -> str:
    told = ", ".join(f"[{start}, {weight}]" for start, weight in steps)
    return f"{name}: {{steps: [{told}], why: {_quoted(f'{why} Fitted.' if fitted else why)}}}"


def _quoted(text: str) -> str:
    """A text that YAML reads back as it is, whatever signs it holds."""
    return json.dumps(text, ensure_ascii=False)
