"""Consent: the question asked and the words answered in, one reading out. Called by the kernel's consent facet.

An answer is explicit only if phrases of the lexicon cover every word of it, one of them is a yes, and nothing in it
lowers it. Whatever is not covered keeps it from being a yes, so that an unknown wording can cost a repeated question
but never make a booking. Checks run downwards: revoked, refused, conditional, question, ambiguous, explicit.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from voicewarden.reading.heard import opts_out
from voicewarden.reading.lexicon import Reader
from voicewarden.reading.pattern import EDGE
from voicewarden.reading.phrase import Match, maximal
from voicewarden.reading.question import Asked, asked
from voicewarden.reading.utterance import Utterance, spans, utterance

Kind = Literal["explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other"]

_AGREES = frozenset({"yes", "echo", "accept"})
_COVERS = _AGREES | {"support", "polite", "okay", "filler"}
_BEFORE_NO = frozenset({"yes", "okay", "filler", "polite", "lead", "no"})


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer means, by which rule, and the indexes of the words whose being misheard would change it."""

    kind: Kind
    rule: str
    deciding: tuple[int, ...]


class _Answer(NamedTuple):
    """An answer with all phrases found in it, and those not inside a longer one, by list."""

    heard: Utterance
    asked: Asked
    found: list[Match]
    lists: dict[str, list[Match]]


def read(reader: Reader, question: str, words: tuple[str, ...]) -> Reading:
    """Read `words`, all words of a caller's turn, as the answer to `question`."""
    heard = utterance(reader, words)
    if len(heard.tokens) < 2:
        return Reading("ambiguous", "nothing_said", ())
    answer = _answer(reader, heard, asked(reader, question))
    # 1 revoked, 2 refused, 3 conditional, 4 question, 5 ambiguous and explicit, each only if none above applies.
    return (
        _revoked(reader, answer)
        or _refused(answer)
        or _conditional(answer)
        or _question(answer)
        or _agreed(reader, answer)
    )


def _answer(reader: Reader, heard: Utterance, question: Asked) -> _Answer:
    found: list[Match] = []
    for match in reader.consent.find(heard.tokens):
        keys = reader.echo_keys.get(match.label)
        if keys is None:
            found.append(match)
        elif not keys.isdisjoint(question.tokens):
            found.append(match._replace(label="echo"))
    lists: dict[str, list[Match]] = {}
    for match in maximal(found):
        lists.setdefault(match.label, []).append(match)
    return _Answer(heard, question, found, lists)


def _reading(kind: Kind, rule: str, answer: _Answer, matches: Iterable[Match]) -> Reading:
    deciding = answer.heard.words(spans(matches))
    return Reading(kind, rule, deciding or answer.heard.every_word())


def _revoked(reader: Reader, answer: _Answer) -> Reading | None:
    """1: an opt-out, or a consent taken back in so many words."""
    told = opts_out(reader, answer.heard)
    if told:
        return _reading("revoked", "opt_out", answer, told)
    if taken_back := answer.lists.get("withdrawal"):
        return _reading("revoked", "withdrawal", answer, taken_back)
    return None


def _refused(answer: _Answer) -> Reading | None:
    """2: a phrase that refuses, or a no at the edge of a clause."""
    echoed = {(match.start, match.end) for match in answer.lists.get("echo", ())}
    phrases = [match for match in answer.lists.get("refusal", ()) if (match.start, match.end) not in echoed]
    if phrases:
        return _reading("refused", "refusal", answer, phrases)
    plain = [match for match in answer.lists.get("no", ()) if _at_edge(answer, match)]
    return _reading("refused", "no", answer, plain) if plain else None


def _at_edge(answer: _Answer, no: Match) -> bool:
    tokens = answer.heard.tokens
    if tokens[no.start - 1] == EDGE or tokens[no.end] == EDGE or no.start in answer.heard.clauses:
        return True
    return any(match.end == no.start and match.label in _BEFORE_NO for match in answer.found)


def _conditional(answer: _Answer) -> Reading | None:
    """3: a condition anywhere, or a yes with a reservation."""
    if conditions := answer.lists.get("condition"):
        return _reading("conditional", "condition", answer, conditions)
    reserved = answer.lists.get("reservation")
    if reserved and any(match.label in _AGREES or match.label == "okay" for match in answer.found):
        return _reading("conditional", "reservation", answer, reserved)
    return None


def _question(answer: _Answer) -> Reading | None:
    """4: a question back, by its words or by a question mark on words that are no known answer."""
    if leads := answer.lists.get("asking"):
        return _reading("question", "asking", answer, leads)
    known = {step for matches in answer.lists.values() for match in matches for step in range(match.start, match.end)}
    unknown = [step for step, token in enumerate(answer.heard.tokens) if token != EDGE and step not in known]
    if answer.heard.has_question_mark and unknown:
        return Reading("question", "question_mark", answer.heard.every_word())
    return None


def _agreed(reader: Reader, answer: _Answer) -> Reading:
    """5: a yes that covers every word, unless something makes it doubtful; else ambiguous or about something else."""
    for label in ("sarcasm", "hedge", "mixed"):
        if matches := answer.lists.get(label):
            return _doubtful(reader, answer, label, matches)
    tiles = _cover(answer, ())
    if tiles is None and (repeats := _repeats(reader, answer)):
        tiles = _cover(answer, repeats)
    if tiles is None:
        return _uncovered(reader, answer)
    agreeing = [tile for tile in tiles if tile.label in _AGREES]
    if not agreeing:
        return Reading("ambiguous", "acknowledgement", answer.heard.every_word())
    deciding = _deciding(reader, answer.heard, agreeing)
    if _is_doubted(answer.asked, agreeing):
        return Reading("ambiguous", answer.asked.doubt, deciding)
    if answer.heard.has_question_mark:
        return Reading("ambiguous", "asked_back", deciding)
    return Reading("explicit", agreeing[0].label, deciding)


def _is_doubted(question: Asked, agreeing: list[Match]) -> bool:
    """A yes settles a statement that waits for one ("I'll book it then."); "that's great" may only comment on it."""
    if question.doubt == "nothing_asked":
        return all(tile.label == "accept" for tile in agreeing)
    return bool(question.doubt)


def _deciding(reader: Reader, heard: Utterance, agreeing: list[Match]) -> tuple[int, ...]:
    """A yes and an echoed phrase decide whole; a statement decides only without them, by its telling words."""
    firm = [tile for tile in agreeing if tile.label != "accept"]
    if firm:
        return heard.words(spans(firm))
    return heard.words(spans(agreeing), reader.light)


def _doubtful(reader: Reader, answer: _Answer, rule: str, matches: list[Match]) -> Reading:
    if _wants_something_else(reader, answer):
        return Reading("other", "correction", answer.heard.every_word())
    return _reading("ambiguous", rule, answer, matches)


def _uncovered(reader: Reader, answer: _Answer) -> Reading:
    """Words remain that no phrase explains."""
    everything = answer.heard.every_word()
    if _wants_something_else(reader, answer):
        return Reading("other", "correction", everything)
    if any(match.label in _AGREES or match.label == "okay" for match in answer.found):
        negated = not reader.negation.isdisjoint(answer.heard.tokens)
        return Reading("ambiguous", "negated_yes" if negated else "yes_and_more", everything)
    return Reading("other", "unrelated", everything)


def _wants_something_else(reader: Reader, answer: _Answer) -> bool:
    """Say whether the answer brings a day, a number or a wish that the question did not have."""
    if "correction" in answer.lists:
        return True
    plain, counting, asked_for = reader.plain, reader.counting, answer.asked.words
    return any(
        plain.get(token, token) not in asked_for
        for token in answer.heard.tokens
        if token in counting or token[0].isdigit()
    )


def _repeats(reader: Reader, answer: _Answer) -> tuple[Match, ...]:
    """Find where the answer repeats two or more words of the question in a row, or a day of it."""
    asked_for = answer.asked.plain
    said = [reader.plain.get(token, token) for token in answer.heard.tokens]
    found: list[Match] = []
    for start, word in enumerate(said):
        if word == EDGE or word not in answer.asked.words:
            continue
        for place in (step for step, token in enumerate(asked_for) if token == word):
            length = 1
            while said[start + length] == asked_for[place + length] != EDGE:
                length += 1
            found.extend(Match(start, start + size, "repeat") for size in range(2, length + 1))
            if word in reader.weekdays:
                found.append(Match(start, start + 1, "repeat"))
    return tuple(found)


def _cover(answer: _Answer, repeats: tuple[Match, ...]) -> list[Match] | None:
    """Cover all tokens with agreeing and neutral phrases, as much as possible with agreeing ones; None if it can't be.

    Repeated words of the question count only beside a yes or an echoed phrase.
    """
    if repeats and not any(match.label in ("yes", "echo") for match in answer.found):
        return None
    by_start: dict[int, list[Match]] = {}
    for match in (*answer.found, *repeats):
        if match.label in _COVERS or match.label == "repeat":
            by_start.setdefault(match.start, []).append(match)
    tokens = answer.heard.tokens
    best: list[tuple[int, Match | None] | None] = [None] * len(tokens) + [(0, None)]
    for start in range(len(tokens) - 1, -1, -1):
        tiles = [Match(start, start + 1, EDGE)] if tokens[start] == EDGE else by_start.get(start, [])
        for tile in tiles:
            rest = best[tile.end]
            if rest is None:
                continue
            gain = tile.end - start if tile.label in _AGREES else 0
            here = best[start]
            if here is None or rest[0] + gain > here[0]:
                best[start] = (rest[0] + gain, tile)
    return _chain(best)


def _chain(best: list[tuple[int, Match | None] | None]) -> list[Match] | None:
    tiles: list[Match] = []
    at = 0
    while at < len(best) - 1:
        step = best[at]
        if step is None or step[1] is None:
            return None
        tiles.append(step[1])
        at = step[1].end
    return tiles
