"""Safe HTML from parts: whatever is not markup already is escaped, so that no caller and no model can write markup.

In: tag names, children, attributes. Out: `Html`. Used by the modules that build a report page.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that HTML forbids or UTF-8 has no form for."""
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})

Attribute = str | int | bool | None


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> Html:
    """Any value as escaped text."""
    return value if isinstance(value, Html) else Html(escape(_CONTROL.sub("\ufffd", str(value))))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Parts one after another, each escaped unless it is markup."""
    return Html(text(between).join(text(part) for part in parts))


def tag(name: str, *children: object, **attributes: Attribute) -> Html:
    """One element. `class_` is `class`, `aria_label` is `aria-label`; None and False leave a child or attribute out."""
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(opened)
    return Html(f"{opened}{join(child for child in children if child is not None)}</{name}>")


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def record_link(seq: int, label: object = None) -> Html:
    """A link to a record in the log of the page."""
    return tag("a", f"record {seq}" if label is None else label, href=f"#r{seq}", class_="record")
