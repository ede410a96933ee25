"""The cross-checks of a dialogue: every name that one part uses has to be declared in another.

In comes a `Dialogue` that has the right shape, out go problems and where in the file they stand. `loading` calls it.
"""

import re
from collections.abc import Iterable, Iterator

from voicewarden.config.yaml_file import Route
from voicewarden.rehearsal.scripted_model.dialogue import Answer, Dialogue, Rule, When
from voicewarden.rehearsal.scripted_model.phrase import is_regex, pattern, placeholders

PHRASE_FIELDS = ("heard", "not_heard", "asked")
RULE_FIELDS = ("last_said", "said", "not_said")
CHOICE_FIELDS = ("choice", "known")

Problem = tuple[Route, str]


def reference_problems(dialogue: Dialogue) -> Iterator[Problem]:
    """Find every name that nothing declares, every broken pattern, and what only a rogue may do."""
    broken = list(_broken_patterns(dialogue))
    # The other checks look into the patterns, so they wait until all of these can be compiled.
    yield from broken or _broken_references(dialogue)


def _broken_patterns(dialogue: Dialogue) -> Iterator[Problem]:
    for name, phrases in dialogue.phrases.items():
        yield from _regex_problems(phrases, ("phrases", name))
    for name, values in dialogue.choices.items():
        for value, phrases in values.items():
            yield from _regex_problems(phrases, ("choices", name, value))
    for index, rule in enumerate(dialogue.rules):
        for field in PHRASE_FIELDS:
            yield from _regex_problems(getattr(rule.when, field), ("rules", index, "when", field))
        if rule.when.after_tool is not None:
            yield from _regex_problems(rule.when.after_tool.reason, ("rules", index, "when", "after_tool", "reason"))


def _broken_references(dialogue: Dialogue) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, rule in enumerate(dialogue.rules):
        path: Route = ("rules", index)
        if rule.id in seen:
            yield (*path, "id"), f"{rule.id!r} is the id of an earlier rule; give this one another"
        seen.add(rule.id)
        yield from _when_problems(rule.when, dialogue, (*path, "when"))
        yield from _answer_problems(rule, dialogue, path, _fillable(rule, dialogue))
    for who in ("caller", "tool"):
        answer: Answer = getattr(dialogue.otherwise, who)
        yield from _answer_problems(answer, dialogue, ("otherwise", who), {"say"} if who == "tool" else set())


def _when_problems(when: When, dialogue: Dialogue, path: Route) -> Iterator[Problem]:
    for name in PHRASE_FIELDS:
        for phrase in getattr(when, name):
            if phrase.startswith("@") and phrase[1:] not in dialogue.phrases:
                yield (*path, name), f"{phrase!r} is no list under `phrases`; declare it there"
    rules = {rule.id for rule in dialogue.rules}
    for name in RULE_FIELDS:
        for rule in getattr(when, name):
            if rule not in rules:
                yield (*path, name), f"{rule!r} is no rule of this file; use the id of one"
    for name in CHOICE_FIELDS:
        for choice in getattr(when, name):
            if choice not in dialogue.choices:
                yield (*path, name), f"{choice!r} is not under `choices`; declare it there"


def _answer_problems(answer: Answer, dialogue: Dialogue, path: Route, fillable: set[str]) -> Iterator[Problem]:
    texts: list[tuple[Route, str]] = [((*path, "say", i), text) for i, text in enumerate(answer.say)]
    for call in answer.call:
        texts += [((*path, "call"), value) for value in call.args.values() if isinstance(value, str)]
        if call.raw_args is not None and not dialogue.rogue:
            yield (*path, "call"), "raw_args is for files with `rogue: true`; give args"
    if answer.ramble_tokens and not dialogue.rogue:
        yield (*path, "ramble_tokens"), "is for files with `rogue: true`; shorten the answer"
    for where, text in texts:
        for name in placeholders(text):
            if name not in fillable and not (name.startswith("result.") and "say" in fillable):
                yield where, f"nothing fills {{{name}}}; add a choice or a named group that does"


def _fillable(rule: Rule, dialogue: Dialogue) -> set[str]:
    names = {*rule.when.choice, *rule.when.known}
    # A group fills its placeholder only if every alternative has it: one without it would leave a hole.
    groups = [set(pattern(p).groupindex) if is_regex(p) else set() for p in dialogue.expand(rule.when.heard)]
    if groups:
        names |= set.intersection(*groups)
    return names | ({"say"} if rule.when.after_tool else set())


def _regex_problems(phrases: Iterable[str], path: Route) -> Iterator[Problem]:
    for phrase in phrases:
        try:
            pattern(phrase)
        except re.error as error:
            yield path, f"is no regular expression: {error}; correct it"
