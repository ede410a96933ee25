"""A policy file: a path comes in, a `policy.ast.Policy` goes out; called by `release` and by the command line.

A file that extends another is laid over it first (`policy_layers`), then the whole is validated as one document.
"""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.policy_actions import ActionEntry, RoleEntry
from voicewarden.config.policy_blocks import (
    AnswererEntry,
    BudgetEntry,
    CallEntry,
    ContactEntry,
    FactEntry,
    FactName,
    HearingEntry,
    KeysEntry,
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
    keys: KeysEntry | None = None
    call: CallEntry
    budget: BudgetEntry
    questions: QuestionsEntry
    speech: SpeechEntry
    contact: ContactEntry
    actions: dict[Name, ActionEntry]
    roles: dict[Name, RoleEntry] = Field(default_factory=dict)
    oversight: OversightEntry


def policy_path(config_dir: Path, name: str) -> Path:
    """Where the policy of that name is kept. Raises ConfigError for a name that is none."""
    if not name or not all(part.isalnum() for part in name.split("-")) or not name.isascii():
        raise ConfigError(f"{name!r} is no name of a policy", field="policy", accepted="letters, digits and hyphens")
    return policy_folder(config_dir) / f"{name}.yaml"


def find_policy(config_dir: Path, policy: Path | str) -> Path:
    """The file of a policy: a path as it stands, or a name in `config_dir`/policies. Raises ConfigError."""
    if isinstance(policy, Path):
        return policy
    if policy.endswith((".yaml", ".yml")):
        return Path(policy)
    return policy_path(config_dir, policy)


def read_layers(path: Path, config_dir: Path) -> list[YamlFile]:
    """The file and those it extends, the outermost base first. Raises ConfigError for a missing base or a circle.

    A base lies beside the file that extends it, or else in `config_dir`/policies.
    """
    layers = [read_yaml(path)]
    if path.resolve().parent == policy_folder(config_dir).resolve():
        _check_name(layers[0], path.stem)
    seen = {path.resolve()}
    while (base := layers[0].data.get("extends")) is not None:
        place = layers[0].place(("extends",))
        file = _base_file(base, path.parent, config_dir)
        wrong = ""
        if not isinstance(base, str) or not base.replace("-", "").isalnum():
            wrong = "is no name of a policy"
        elif file is None:
            wrong = f"there is no policy {base} beside this file"
        elif file.resolve() in seen:
            wrong = f"{base} is extended in a circle"
        elif len(layers) == _MOST_LAYERS:
            wrong = f"more than {_MOST_LAYERS} layers"
        if wrong or file is None:
            others = (found for found in path.parent.glob("*.yaml") if found.resolve() not in seen)
            accepted = ", ".join(sorted(found.stem for found in others))
            raise ConfigError(wrong, file=place.file, line=place.line, field="extends", accepted=accepted)
        seen.add(file.resolve())
        layers.insert(0, read_yaml(file))
        _check_name(layers[0], file.stem)
    return layers


def policy_folder(config_dir: Path) -> Path:
    """Where the policies of a configuration are kept."""
    return config_dir / "policies"


def _base_file(base: object, beside: Path, config_dir: Path) -> Path | None:
    if not isinstance(base, str) or not base.replace("-", "").isalnum():
        return None
    folders = (beside, policy_folder(config_dir))
    return next((file for folder in folders if (file := folder / f"{base}.yaml").is_file()), None)


def _check_name(layer: YamlFile, stem: str) -> None:
    """A policy that others find by its file's name must bear it."""
    name = layer.data.get("policy")
    if isinstance(name, str) and name != stem:
        findings = Findings()
        layer.complain(findings, ("policy",), f"found {name!r}, which is not the file's name", stem)
        findings.raise_if_any()
