"""Validation: a YAML file and a document model come in, the document goes out or every fault with its line.

Called by each module of this room that reads a kind of file; the models are pydantic, strict and closed.
"""

import difflib
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from voicewarden.config.finding import Findings
from voicewarden.config.yaml_file import Route, YamlFile
from voicewarden.model.error import ConfigError

_LONGEST_SHOWN: Final = 60
_ACCEPTED: Final = {
    "int_type": "an integer",
    "string_type": "a text (put it in quotes)",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least {}"),
    "less_than_equal": ("le", "at most {}"),
    "greater_than": ("gt", "more than {}"),
    "less_than": ("lt", "less than {}"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
    "too_short": ("min_length", "at least {} entries"),
    "too_long": ("max_length", "at most {} entries"),
    "literal_error": ("expected", "{}"),
    "enum": ("expected", "{}"),
    "string_pattern_mismatch": ("pattern", "a text matching {}"),
}


class Document(BaseModel):
    """A mapping in a configuration file: closed, strict and unchangeable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


M = TypeVar("M", bound=Document)


def validate(model: type[M], source: YamlFile) -> M:
    """Turn plain data into a document. Raises ConfigError with every fault."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        findings = Findings()
        for detail in error.errors(include_url=False):
            findings.take(_finding(model, source, detail))
        findings.raise_if_any()
        raise AssertionError("pydantic reported an error without details") from error


def shown(value: object) -> str:
    """A value as an error names it: short, and containers only by their kind."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _finding(model: type[Document], source: YamlFile, detail: ErrorDetails) -> ConfigError:
    route = _known_route(source, detail["loc"])
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "missing":
        what, accepted = "is missing", ""
    elif kind == "extra_forbidden":
        keys = _keys_at(model, route[:-1])
        close = difflib.get_close_matches(str(route[-1]), keys, 1)
        what = "unknown key" + (f"; did you mean {close[0]}?" if close else "")
        accepted = ", ".join(keys)
    elif kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        what, accepted = f"found {shown(detail['input'])}", text.format(context[name])
    elif kind in _ACCEPTED:
        what, accepted = f"found {shown(detail['input'])}", _ACCEPTED[kind]
    elif kind == "value_error":
        what, accepted = f"found {shown(detail['input'])}: {context['error']}", ""
    else:
        what, accepted = f"found {shown(detail['input'])}: {detail['msg']}", ""
    findings = Findings()
    source.complain(findings, route, what, accepted)
    return findings.errors[0]


def _known_route(source: YamlFile, loc: tuple[int | str, ...]) -> Route:
    """The location without what pydantic adds of its own (members of a union, `[key]`); a missing last key stays."""
    route: Route = ()
    # Any: the walk goes through data of any shape.
    value: Any = source.data
    for index, part in enumerate(loc):
        in_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if in_list or (isinstance(value, dict) and part in value):
            value = value[part]
        elif index < len(loc) - 1 or not isinstance(value, dict) or part == "[key]":
            continue
        route = (*route, part)
    return route


# Any: a JSON schema is a tree of anything.
def _keys_at(model: type[Document], route: Route) -> list[str]:
    schema: dict[str, Any] = model.model_json_schema(by_alias=True)
    node = schema
    for part in route:
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties") or {}]
            node = node.get("properties", {}).get(part) or others[0]
        node = _resolved(schema, node)
    return sorted(node.get("properties", {}))


def _resolved(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    if not isinstance(node, dict):
        return {}
    for choice in node.get("anyOf", []):
        if choice.get("type") != "null":
            return _resolved(schema, choice)
    if "$ref" in node:
        target: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
        return target
    return node
