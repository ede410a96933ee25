"""`voicewarden read`: what an answer means for a question, for one answer or for rows of JSON lines.

A row: {"question", "answer", "confidence"?}; what comes out: {"reading", "rule", "words"}. The words are those that
decide. With a confidence the policy's bands are laid over the reading, as a call does.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicewarden.policy.ast import Band
    from voicewarden.reading.lexicon import Reader

    Confidence = Sequence[int | float | None] | int | float | None
    Found = tuple[str, str, tuple[str, ...]]

_KEPT = 1 << 14
"""So many answers are remembered: most rows of a day hold one of a few hundred."""


def read(
    question: Annotated[str | None, typer.Option("--question", help="What was asked; empty for nothing.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="What was said. Without it rows are read.")] = None,
    confidence: Annotated[
        str | None, typer.Option("--confidence", help="Per mille, for all words or one for each, with commas between.")
    ] = None,
    policy: Annotated[str, typer.Option("--policy", help="Whose confidence bands hold.")] = "organisation",
    language: Annotated[str, typer.Option("--language", help="Which word list: CONFIG/lexicons/LANGUAGE.yaml.")] = "en",
    config: Annotated[Path, typer.Option("--config", help="The configuration folder.")] = Path("config"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read an answer, or rows of JSON lines from stdin: exit 1 when a row was none.

    A row: {"question", "answer", "confidence"}; a confidence is a whole number per mille or a share between 0 and 1,
    for all words or a list with one for each (null where it is not known). Without one the words alone count.
    """
    import gc

    reader, band = _reader(policy, language, config)
    gc.freeze()  # the lists live as long as the process: the collector need not look at them again
    if answer is not None:
        try:
            found = _judge(reader, band)(question or "", answer, _given(confidence))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--confidence") from None
        _print(found, as_json=as_json)
        return
    if question is not None or confidence is not None:
        raise typer.BadParameter("belongs to --answer, which is missing", param_hint="--question, --confidence")
    from voicewarden.cli.json_lines import answer_all

    bad = answer_all(_answering(reader, band))
    if bad:
        typer.echo(f"voicewarden: {bad} of the lines were no rows; each has its error on its own line", err=True)
    raise typer.Exit(1 if bad else 0)


def _reader(policy: str, language: str, config: Path) -> tuple[Reader, Band]:
    """The words of a language and the band for words that decide, from here or from what ships."""
    from voicewarden.cli.policy import config_around, tree_of
    from voicewarden.config.lexicon_file import load_lexicon
    from voicewarden.config.shipped import shipped_config
    from voicewarden.reading.lexicon import Reader

    around = config_around(policy, config)
    folder = around if (around / "policies").is_dir() else shipped_config()
    lexicon = folder / "lexicons" / f"{language}.yaml"
    if not language.isalnum() or not lexicon.is_file():
        known = ", ".join(sorted(path.stem for path in lexicon.parent.glob("*.yaml")))
        raise typer.BadParameter(f"there is no word list {language!r} here; one of {known}", param_hint="--language")
    return Reader(load_lexicon(lexicon)), tree_of(policy, folder).hearing.decide


def _judge(reader: Reader, band: Band) -> Callable[[str, str, Confidence], Found]:
    """The function that reads one answer."""
    from voicewarden.kernel.facets.answers import read_answer
    from voicewarden.model.event import Word
    from voicewarden.reading.consent import read as read_words

    @lru_cache(maxsize=_KEPT)
    def of_words(question: str, answer: str) -> Found:
        said = tuple(answer.split())
        found = read_words(reader, question, said)
        return found.kind, found.rule, tuple([said[index] for index in found.deciding])

    def judge(question: str, answer: str, confidence: Confidence) -> Found:
        found = of_words(question, answer)
        if confidence is None or found[0] != "explicit":
            return found
        said = answer.split()
        sureness = _permille(confidence, len(said))
        words = (Word(text=text, permille=sure, from_ms=0, to_ms=0) for text, sure in zip(said, sureness, strict=True))
        sure = read_answer(reader, question, tuple(words)).permille
        if sure is None:
            return "ambiguous", "confidence_unknown", found[2]
        if sure < band.confirm_permille:
            return "ambiguous", "not_heard", found[2]
        return ("ambiguous", "unsure", found[2]) if sure < band.accept_permille else found

    return judge


def _permille(confidence: Confidence, count: int) -> list[int | None]:
    """One confidence a word, per mille: a number with a point, and a lone 1, is a share. Raises ValueError."""
    if not isinstance(confidence, int | float | None):
        if len(confidence) != count:
            raise ValueError(f"the answer has {count} words and {len(confidence)} confidences; give one for each word")
        is_share = all(one is None or one <= 1 for one in confidence)
        return [None if one is None else _whole(one, is_share=is_share) for one in confidence]
    return [None if confidence is None else _whole(confidence, is_share=confidence <= 1)] * count


def _whole(value: int | float, *, is_share: bool) -> int:
    permille = int(value * 1000) if is_share else int(value)
    if not 0 <= permille <= 1000:
        raise ValueError("a confidence is 0 to 1000 per mille, or a share between 0 and 1")
    return permille


def _answering(reader: Reader, band: Band) -> Callable[[bytes, int], tuple[bytes, bool]]:
    """The function that answers one line."""
    import msgspec

    class Row(msgspec.Struct):
        answer: str
        question: str | None = ""
        confidence: list[int | float | None] | int | float | None = None

    decode, encode = msgspec.json.Decoder(Row).decode, msgspec.json.Encoder().encode
    judge = _judge(reader, band)

    def answer(line: bytes, number: int) -> tuple[bytes, bool]:
        try:
            row = decode(line)
            reading, rule, words = judge(row.question or "", row.answer, row.confidence)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return encode({"error": f"line {number}: {error}", "line": number}) + b"\n", False
        return encode({"reading": reading, "rule": rule, "words": words}) + b"\n", True

    return answer


def _given(text: str | None) -> Confidence:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"found {text!r}; numbers per mille", param_hint="--confidence") from None
    return numbers if len(numbers) > 1 else numbers[0]


def _print(found: Found, *, as_json: bool) -> None:
    from voicewarden.cli.console import print_json

    reading, rule, words = found
    if as_json:
        print_json({"reading": reading, "rule": rule, "words": list(words)})
    else:
        typer.echo(f"{reading} ({rule}): {' '.join(words) or 'no words'}")
