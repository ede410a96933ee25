"""A lexicon: `lexicons/<language>.yaml` comes in, a `reading.lexicon.Lexicon` goes out; called by `release`."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from voicewarden.config.finding import Findings
from voicewarden.config.yaml_file import Route, read_yaml
from voicewarden.model.error import ConfigError
from voicewarden.reading.lexicon import Lexicon, Reader

_STEP: Final = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def load_lexicon(path: Path, *, thorough: bool = False) -> Lexicon:
    """Read the words of a language. Raises ConfigError.

    `thorough` also makes the patterns, which takes most of a second and is done anyway where a release is compiled.
    """
    source = read_yaml(path)
    findings = Findings()
    try:
        lexicon = msgspec.convert(source.data, Lexicon)
        if thorough:
            Reader(lexicon)
        return lexicon
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        source.complain(findings, _route(where), what)
    except ConfigError as error:
        source.complain(findings, (error.field,) if error.field else (), error.what, error.accepted)
    findings.raise_if_any()
    raise AssertionError("a lexicon failed without a finding")


def lexicon_schema() -> dict[str, Any]:  # Any: a JSON schema is a tree of anything
    """The JSON Schema of a word list; lists that came later may be left out."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Lexicon)}


def _route(where: str) -> Route:
    return tuple(match[1] or int(match[2]) for match in _STEP.finditer(where))
