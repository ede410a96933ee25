"""A policy file: a path comes in, a `policy.ast.Policy` goes out; called by `release` and by the command line.

A file that extends another is laid over it first (`policy_layers`), then the whole is validated as one document.
"""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.policy_actions import ActionEntry
from voicewarden.config.policy_blocks import (
    AnswererEntry,
    BudgetEntry,
    CallEntry,
    ContactEntry,
    FactEntry,
    FactName,
    HearingEntry,
    Name,
    OversightEntry,
    Owner,
    QuestionsEntry,
    SilenceEntry,
    SpeechEntry,
)
from voicewarden.config.validation import Document
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.model.error import ConfigError

PolicyName = Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9-]*$")]
_MOST_LAYERS: Final = 5


class PolicyDocument(Document):
    """A whole policy file, its layers already merged."""

    policy: PolicyName
    extends: PolicyName | None = None
    owner: Owner | None = None
    about: Annotated[str, Field(min_length=1, max_length=400)]
    facts: dict[FactName, FactEntry] = Field(default_factory=dict)
    hearing: HearingEntry
    answerer: AnswererEntry
    silence: SilenceEntry
    call: CallEntry
    budget: BudgetEntry
    questions: QuestionsEntry
    speech: SpeechEntry
    contact: ContactEntry
    actions: dict[Name, ActionEntry]
    oversight: OversightEntry


def policy_path(config_dir: Path, name: str) -> Path:
    """Where the policy of that name is kept. Raises ConfigError for a name that is none."""
    if not name or not all(part.isalnum() for part in name.split("-")) or not name.isascii():
        raise ConfigError(f"{name!r} is no name of a policy", field="policy", accepted="letters, digits and hyphens")
    return config_dir / "policies" / f"{name}.yaml"


def read_layers(path: Path) -> list[YamlFile]:
    """The file and those it extends, the outermost base first. Raises ConfigError for a missing base or a circle."""
    layers = [read_yaml(path)]
    seen = {path.stem}
    while (base := layers[0].data.get("extends")) is not None:
        place = layers[0].place(("extends",))
        wrong = ""
        if not isinstance(base, str) or not base.replace("-", "").isalnum():
            wrong = "is no name of a policy"
        elif base in seen:
            wrong = f"{base} is extended in a circle"
        elif len(layers) == _MOST_LAYERS:
            wrong = f"more than {_MOST_LAYERS} layers"
        elif not (path.parent / f"{base}.yaml").is_file():
            wrong = f"there is no policy {base} beside this file"
        if wrong:
            accepted = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml") if p.stem not in seen))
            raise ConfigError(wrong, file=place.file, line=place.line, field="extends", accepted=accepted)
        seen.add(base)
        layers.insert(0, read_yaml(path.parent / f"{base}.yaml"))
    name = layers[-1].data.get("policy")
    if isinstance(name, str) and name != path.stem:
        findings = Findings()
        layers[-1].complain(findings, ("policy",), f"found {name!r}, which is not the file's name", path.stem)
        findings.raise_if_any()
    return layers
