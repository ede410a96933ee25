"""Our own questions in what a recorded agent said: its words in, which action it read back with which arguments out.

Called by `rehearing`. A yes is bound to what was read back (law 4), so that only a policy's own question counts, with
its arguments word for word. Arguments are tried from the release's lists; a time has to stand in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import Final

import msgspec

from voicewarden.kernel.arguments import render_question, spoken_arguments
from voicewarden.kernel.release import Release
from voicewarden.model.action import Arguments, Value
from voicewarden.model.event import Word
from voicewarden.rehear.approved_lines import said_lines, tokens_between, tokens_of

_MOST_TRIED: Final = 500
"""Combinations of arguments of one action."""
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)


class AskedQuestion(msgspec.Struct, frozen=True):
    """A question of the policy that the agent asked to the end."""

    action: str
    args: Arguments
    from_ms: int
    to_ms: int
    close_permille: int


def asked_questions(words: Sequence[Word], release: Release) -> tuple[AskedQuestion, ...]:
    """All questions of the policy within these words, in order; the closest where several fit one place."""
    found = sorted(_candidates(words, release), key=lambda asked: -asked.close_permille)
    kept: list[AskedQuestion] = []
    for asked in found:
        if all(asked.to_ms <= other.from_ms or other.to_ms <= asked.from_ms for other in kept):
            kept.append(asked)
    return tuple(sorted(kept, key=lambda asked: asked.from_ms))


def _candidates(words: Sequence[Word], release: Release) -> Iterator[AskedQuestion]:
    for action, rule in release.policy.actions.items():
        if not rule.question:
            continue
        for args in islice(_tried(release, action), _MOST_TRIED):
            spoken = spoken_arguments(release, rule, args)
            for said in said_lines(words, {action: render_question(rule, spoken)}):
                heard = tokens_between(words, said.from_ms, said.to_ms)
                if all(_holds(heard, list(tokens_of(text))) for text in spoken.values()):
                    yield AskedQuestion(action, args, said.from_ms, said.to_ms, said.close_permille)


def _holds(heard: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether these words were said in a row."""
    return any(list(heard[at : at + len(wanted)]) == list(wanted) for at in range(len(heard) - len(wanted) + 1))


def _tried(release: Release, action: str) -> Iterator[Arguments]:
    """Every combination of arguments that the release knows values for."""
    declared = [argument for argument in release.policy.actions[action].args if not argument.optional]
    times = sorted(set(_times(release)))
    values: list[Sequence[Value]] = [
        sorted(release.catalogue.get(argument.source, {})) if argument.kind == "enum"
        else times if argument.kind == "local_time" else ()
        for argument in declared
    ]  # fmt: skip
    for chosen in product(*values):
        yield {argument.name: value for argument, value in zip(declared, chosen, strict=True)}


def _times(release: Release) -> Iterator[str]:
    """Times that the release names anywhere: in its lists, and in what can be looked up."""
    named = [value for listing in release.catalogue.values() for value in listing]
    named += [str(value) for answer in release.lookups.values() for value in answer.values()]
    return (value for value in named if _TIME.fullmatch(value))
