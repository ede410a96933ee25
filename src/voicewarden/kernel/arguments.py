"""Arguments: are they of their declared types, and how are they said aloud?

In: an action's rule, the release's catalogue and the arguments of a request. Out: reasons for denial, or spoken forms.
"""

import re
from typing import Final

from voicewarden.kernel.release import Release
from voicewarden.model.action import Arguments, Value
from voicewarden.model.decision import Reason
from voicewarden.policy.ast import ActionRule, Argument
from voicewarden.reading.speakable import say_value

_LOCAL_TIME: Final = re.compile(
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(\[[A-Za-z_/+-]+\])?$", re.ASCII
)
_LONGEST_TEXT: Final = 500


def argument_reasons(release: Release, rule: ActionRule, args: Arguments) -> list[Reason]:
    """What is wrong with the arguments: missing, unknown, or not of the declared type."""
    declared = {argument.name: argument for argument in rule.args}
    reasons = [
        _reason(name, "is an argument of this action", "unknown argument") for name in args if name not in declared
    ]
    for name, argument in declared.items():
        if name not in args:
            if not argument.optional:
                reasons.append(_reason(name, "is given", "missing"))
            continue
        wanted = _wanted(release, argument, args[name])
        if wanted:
            reasons.append(_reason(name, wanted, "something else"))
    return reasons


def sample_arguments(release: Release, rule: ActionRule, variant: int = 0) -> Arguments:
    """Arguments of the declared types, others for each variant, so that it is the rules that decide. An enum without a
    list stays out, as does what is optional.
    """
    made = {argument.name: _sample(release, argument, variant) for argument in rule.args if not argument.optional}
    return {name: value for name, value in made.items() if value is not None}


def _sample(release: Release, argument: Argument, variant: int) -> Value | None:
    match argument.kind:
        case "enum":
            values = tuple(release.catalogue.get(argument.source, {}))
            return values[variant % len(values)] if values else None
        case "local_time":
            return f"2026-12-01T{9 + variant % 9:02d}:00"
        case "int":
            return 1 + variant
        case "text":
            return f"text {1 + variant}"


def _reason(name: str, needed: str, found: str) -> Reason:
    return Reason("kernel.arguments", f"args.{name}", needed, found, "deny")


def _wanted(release: Release, argument: Argument, value: Value) -> str:
    """What the argument should have been, empty when it is right."""
    match argument.kind:
        case "enum":
            listing = release.catalogue.get(argument.source, {})
            return "" if isinstance(value, str) and value in listing else "is one of " + ", ".join(sorted(listing))
        case "local_time":
            right = isinstance(value, str) and _LOCAL_TIME.fullmatch(value) is not None
            return "" if right else "is a local time such as 2026-12-01T15:00"
        case "int":
            return "" if type(value) is int else "is a whole number"
        case "text":
            right = isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT
            return "" if right else f"is a text of at most {_LONGEST_TEXT} characters"


def spoken_arguments(release: Release, rule: ActionRule, args: Arguments) -> dict[str, str]:
    """How each argument is said in a question."""
    spoken: dict[str, str] = {}
    for argument in rule.args:
        if argument.name in args:
            value = args[argument.name]
            listed = release.catalogue.get(argument.source, {}).get(str(value)) if argument.kind == "enum" else None
            spoken[argument.name] = listed or say_value(str(value))
    return spoken


def render_question(rule: ActionRule, spoken: dict[str, str]) -> str:
    """The question with the real arguments in their places."""
    text = rule.question
    for name, value in spoken.items():
        text = text.replace("{" + name + "}", value)
    return text
