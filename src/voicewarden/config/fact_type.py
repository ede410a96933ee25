"""The type of a declared fact: an entry of `facts` comes in, a `FactType` goes out; called by checks and tree."""

import re
from typing import Final

from voicewarden.config.policy_blocks import FactEntry
from voicewarden.model.action import Value
from voicewarden.policy.ast import FactType

_AS_TEXT: Final = re.compile(r"(enum|int)\s*\[([^\[\]]*)\]")
ACCEPTED_TYPES: Final = "bool, {enum: [a, b]}, {int: [low, high]}"

SUPPLIED_FACTS: Final = {
    "desk_open": FactType(kind="bool", source="the deployment: opening hours of the desk"),
    "voicemail_permitted": FactType(kind="bool", source="the deployment: the contact's wishes"),
}
"""Facts that a deployment gives at the start of a call without any policy declaring them; one may declare them anew."""


def declared_type(entry: FactEntry) -> FactType | None:
    """The type that an entry declares, or None when it declares none that exists."""
    kind, listed = _parts(entry)
    if kind == "bool" and not listed:
        return FactType(kind="bool", source=entry.source, why=entry.why)
    if kind == "enum" and listed and all(isinstance(item, str) and item for item in listed):
        values = tuple(str(item) for item in listed)
        return FactType(kind="enum", values=values, source=entry.source, why=entry.why)
    if kind == "int" and len(listed) == 2:
        low, high = listed
        if isinstance(low, int) and isinstance(high, int) and low <= high:
            return FactType(kind="int", low=low, high=high, source=entry.source, why=entry.why)
    return None


def fits(fact: FactType, value: Value) -> bool:
    """Whether a fact of this type can hold the value."""
    if fact.kind == "bool":
        return isinstance(value, bool)
    if fact.kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and fact.low <= value <= fact.high
    return isinstance(value, str) and (fact.kind == "text" or value in fact.values)


def spoken_type(fact: FactType) -> str:
    """What such a fact can hold, for an error text."""
    if fact.kind == "bool":
        return "true or false"
    if fact.kind == "int":
        return f"an integer from {fact.low} to {fact.high}"
    return ", ".join(fact.values) if fact.kind == "enum" else "a text"


def _parts(entry: FactEntry) -> tuple[str, list[str | int]]:
    if isinstance(entry.type, dict):
        if len(entry.type) != 1:
            return "", []
        kind, listed = next(iter(entry.type.items()))
        return kind, listed
    match = _AS_TEXT.fullmatch(entry.type.strip())
    if match:
        items = [item.strip() for item in match[2].split(",") if item.strip()]
        if match[1] == "enum":
            return "enum", list(items)
        return "int", [int(item) for item in items if re.fullmatch(r"-?[0-9]{1,15}", item)]
    if entry.type == "enum":
        return "enum", list(entry.values or [])
    if entry.type == "int" and entry.low is not None and entry.high is not None:
        return "int", [entry.low, entry.high]
    return entry.type, []
