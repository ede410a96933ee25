"""A strict YAML file: bytes come in, plain data with the line of every key goes out; called by all of this room.

YAML 1.2 core types (yes, no, on and off are texts), no tags, no merge keys, no duplicate keys, one document. Aliases
are allowed but count as what they stand for, so that a small file can't grow into a large one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from voicewarden.config.finding import Findings
from voicewarden.model.error import ConfigError

LARGEST_BYTES: Final = 1_048_576
DEEPEST: Final = 40
MOST_NODES: Final = 100_000
_LONGEST_INTEGER: Final = 16
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Final[dict[str, bool | None]] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
}  # fmt: skip
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Route = tuple[str | int, ...]
"""Keys and list indexes from the root of a file to a value."""

# Any: what a YAML file holds is unknown until a document model has looked at it.
Data = dict[str, Any]


class Place(NamedTuple):
    """Where a value stands."""

    file: str
    line: int


def field_of(route: Route) -> str:
    """A route as people read it: dotted, list items counted from 1 as in the ids of rules."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in route)


class YamlFile:
    """Plain data and the place of every key and list item in it (a merged policy has places in several files)."""

    def __init__(self, data: Data, places: dict[Route, Place]) -> None:
        self.data = data
        self.places = places

    @property
    def file(self) -> str:
        """Name of the file that the root stands in."""
        return self.places[()].file

    def place(self, route: Route) -> Place:
        """Where the value at `route` stands, or what holds it where it is absent or comes from an alias."""
        while route not in self.places:
            route = route[:-1]
        return self.places[route]

    def complain(self, findings: Findings, route: Route, what: str, accepted: str = "") -> None:
        """Note a finding about the value at `route`."""
        place = self.place(route)
        findings.add(what, file=place.file, line=place.line, field=field_of(route), accepted=accepted)


def read_yaml(path: Path) -> YamlFile:
    """Read and parse a file. Raises ConfigError with everything that is wrong with it as YAML."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError("the file does not exist; create it or correct the path", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"the file can't be read: {error.strerror}", file=str(path)) from None
    return parse_yaml(content, str(path))


def parse_yaml(content: bytes, file: str) -> YamlFile:
    """Parse the bytes of a file. Raises ConfigError."""
    text = _text_of(content, file)
    findings = Findings()
    composer = _Composer(file, findings)
    try:
        data = composer.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 0 if mark is None else mark.line + 1
        raise ConfigError(f"not valid YAML: {error.problem or 'syntax error'}", file=file, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError("a control character is not allowed in YAML; remove it", file=file, line=line) from None
    findings.raise_if_any()
    return YamlFile(data, composer.places)


def _text_of(content: bytes, file: str) -> str:
    if len(content) > LARGEST_BYTES:
        raise ConfigError("the file is too large; split it", file=file, accepted=f"at most {LARGEST_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file is not UTF-8; save it as UTF-8", file=file, line=line) from None
    if not text.strip():
        raise ConfigError("the file is empty", file=file, line=1, accepted="a mapping of keys to values")
    for number, line_text in enumerate(text.split("\n"), 1):
        if "\t" in line_text[: len(line_text) - len(line_text.lstrip())]:
            raise ConfigError("a tab is used for indentation", file=file, line=number, accepted="spaces")
    return text


class _Composer:
    """Builds plain data from parse events, with bounds on depth and on what aliases unfold to."""

    def __init__(self, file: str, findings: Findings) -> None:
        self.places: dict[Route, Place] = {}
        self._file = file
        self._findings = findings
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        # Any: the event classes of PyYAML carry no common typed attributes.
        self._events: Iterator[Any] = iter(())

    def document(self, events: Iterator[Any]) -> Data:
        """The one document of a stream, which must be a mapping."""
        self._events = events
        event = self._next_content()
        if event is None or not isinstance(event, yaml.MappingStartEvent):
            raise self._error(event, "the file holds no mapping", "a mapping of keys to values")
        data: Data = self._value(event, (), 0)
        following = self._next_content()
        if following is not None:
            raise self._error(following, "the file holds a second document", "one document a file")
        return data

    def _next_content(self) -> Any:
        frame = yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentStartEvent | yaml.DocumentEndEvent
        return next((event for event in self._events if not isinstance(event, frame)), None)

    def _error(self, event: Any, what: str, accepted: str = "") -> ConfigError:
        line = _line(event) if event is not None else 1
        return ConfigError(what, file=self._file, line=line, accepted=accepted)

    def _value(self, event: Any, route: Route, depth: int) -> Any:
        self._count(event, 1)
        if depth > DEEPEST:
            raise self._error(event, "nested too deeply", f"at most {DEEPEST} levels")
        self.places.setdefault(route, Place(self._file, _line(event)))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None and event.tag != "!":
            self._findings.take(self._error(event, "a YAML tag is not accepted; remove it"))
        before = self._nodes
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._mapping(route, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(route, depth)
        else:
            value = self._scalar(event, route)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._nodes - before + 1)
        return value

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise self._error(event, "the file unfolds to too many values", f"at most {MOST_NODES}")

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise self._error(event, f"alias *{event.anchor} has no finished anchor before it")
        value, nodes = self._anchors[event.anchor]
        self._count(event, nodes)
        return value

    def _mapping(self, route: Route, depth: int) -> Data:
        data: Data = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key must be a text")
            key, line = event.value, _line(event)
            inner = (*route, key)
            if key in data:
                what = f"the key is given twice; it stands on line {lines[key]} already"
                self._findings.add(what, file=self._file, line=line, field=field_of(inner))
                self._value(next(self._events), (*route, key, "(again)"), depth + 1)
                continue
            if key == "<<" and not event.style:
                self._findings.take(self._error(event, "a merge key is not YAML 1.2; write the keys out"))
            lines[key] = line
            self.places[inner] = Place(self._file, line)
            data[key] = self._value(next(self._events), inner, depth + 1)
        return data

    def _sequence(self, route: Route, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*route, len(items)), depth + 1))
        return items

    def _scalar(self, event: Any, route: Route) -> str | int | float | bool | None:
        text: str = event.value
        if event.style in ("'", '"', "|", ">"):
            return text
        if _INTEGER.fullmatch(text) and len(text) > _LONGEST_INTEGER:
            self._findings.add(
                "the integer is too large; quote it if it is a text",
                file=self._file, line=_line(event), field=field_of(route),
            )  # fmt: skip
            return 0
        return plain_scalar(text)


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def plain_scalar(text: str) -> str | int | float | bool | None:
    """The YAML 1.2 core value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        prefix = text[:2]
        return int(text, 8 if prefix == "0o" else 16) if prefix in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
