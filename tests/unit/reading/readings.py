"""Readings: what is made of sentences, written beside them in `data/readings.txt`.

A line says which function reads what, and behind `=>` what comes out. After a change that was meant:
`python -m tests.unit.reading.readings` writes all outcomes anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import yaml

from voicewarden.reading import answering, consent, heard
from voicewarden.reading.asking import asks_for_spelling
from voicewarden.reading.claims import claims, values
from voicewarden.reading.honesty import refusals
from voicewarden.reading.lexicon import Lexicon, Reader
from voicewarden.reading.sentence import Cutter, split
from voicewarden.reading.speakable import say_value
from voicewarden.reading.text import fold, fold_with_offsets, tokens
from voicewarden.reading.utterance import utterance_of

READINGS: Final = Path(__file__).parent / "data" / "readings.txt"
LEXICON: Final = Path(__file__).resolve().parents[3] / "config" / "lexicons" / "en.yaml"
ARROW: Final = " => "


def shipped_reader() -> Reader:
    """A reader of the lexicon as it ships, made now."""
    return Reader(msgspec.convert(yaml.safe_load(LEXICON.read_text(encoding="utf-8")), Lexicon))


def _consent(reader: Reader, text: str) -> str:
    """`consent QUESTION / ANSWER`"""
    question, _, answer = text.partition(" / ")
    read = consent.read(reader, question, tuple(answer.split()))
    return f"{read.kind} by {read.rule}, words {_shown(read.deciding)}"


def _claims(reader: Reader, text: str) -> str:
    return _shown(f"{found.kind} {found.value}[{found.start}:{found.end}]" for found in claims(reader, text))


def _signals(reader: Reader, text: str) -> str:
    found = heard.signals(reader, tuple(text.split()))
    return _shown(f"{signal.kind} by {signal.rule} {signal.words}" for signal in found)


def _answering(reader: Reader, text: str) -> str:
    found = answering.read(reader, tuple(text.split()))
    return _shown(f"{cue.kind} by {cue.rule} {cue.words}" for cue in found)


def _utterance(reader: Reader, text: str) -> str:
    said = utterance_of(reader, text)
    return f"{' '.join(said.tokens)} at {said.at} clauses {sorted(said.clauses)} asks {said.has_question_mark}"


def _stream(text: str, *, max_chars: int, first_clause: bool, chunk: int) -> str:
    cutter = Cutter(max_chars=max_chars, first_clause=first_clause)
    units: list[str] = []
    for start in range(0, len(text), chunk):
        units += [*cutter.feed(text[start : start + chunk]), "+"]
    return " | ".join([*units, *cutter.flush()]).replace("+ | +", "+").replace("\n", "\\n")


def _fold(text: str) -> str:
    plain, offsets = fold_with_offsets(text)
    return f"{fold(text)} / {plain} {list(offsets)} / {' '.join(tokens(text))}"


def _shown(items: object) -> str:
    return ", ".join(map(str, items)) or "nothing"  # type: ignore[call-overload]  # whatever is iterable


FUNCTIONS: Final[dict[str, Callable[[Reader, str], str]]] = {
    "consent": _consent,
    "claims": _claims,
    "values": lambda reader, text: _shown(sorted(values(reader, text))),
    "signals": _signals,
    "answering": _answering,
    "refusals": lambda reader, text: _shown(
        f"{found.kind} by {found.rule}" for found in refusals(reader, text, ("denies_ai", "private_data"))
    ),
    "utterance": _utterance,
    "asks": lambda _, text: str(asks_for_spelling(text)),
    "say": lambda _, text: say_value(text),
    "split": lambda _, text: _shown(split(text.replace("\\n", "\n"))),
    "stream": lambda _, text: _stream(text.replace("\\n", "\n"), max_chars=40, first_clause=False, chunk=7),
    "clause": lambda _, text: _stream(text.replace("\\n", "\n"), max_chars=160, first_clause=True, chunk=1000),
    "fold": lambda _, text: _fold(text),
}


def outcome(reader: Reader, line: str) -> str:
    """The whole line as it has to be."""
    told = line.partition(ARROW)[0]
    name, _, text = told.partition(" ")
    return f"{told}{ARROW}{FUNCTIONS[name](reader, text)}"


def write() -> None:
    """Write the outcomes of all lines anew."""
    reader = shipped_reader()
    lines = READINGS.read_text(encoding="utf-8").splitlines()
    READINGS.write_text("".join(f"{outcome(reader, line)}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    write()
