"""From a dialogue file to a `Dialogue` that can be relied on.

In comes a path or a text, out goes a validated and cross-checked `Dialogue`, or a `ConfigError` with file, line and
field for everything that is wrong. `library` and the tests call it.
"""

from pathlib import Path

from voicewarden.config.finding import Findings
from voicewarden.config.validation import validate
from voicewarden.config.yaml_file import YamlFile, parse_yaml, read_yaml
from voicewarden.rehearsal.scripted_model.dialogue import Dialogue
from voicewarden.rehearsal.scripted_model.references import reference_problems


def load_dialogue(path: Path) -> Dialogue:
    """Read, validate and cross-check one file."""
    return _checked(read_yaml(path))


def parse_dialogue(text: str, file: str) -> Dialogue:
    """Validate and cross-check the text of a dialogue file; `file` is its name in errors."""
    return _checked(parse_yaml(text.encode(), file))


def _checked(source: YamlFile) -> Dialogue:
    dialogue = validate(Dialogue, source)
    findings = Findings()
    for route, what in reference_problems(dialogue):
        source.complain(findings, route, what)
    findings.raise_if_any()
    return dialogue
