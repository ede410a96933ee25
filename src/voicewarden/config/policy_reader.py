"""Reading a policy: a path comes in, a checked document and its tree go out; called by `release`, schema and tests."""

from pathlib import Path

from voicewarden.config.finding import Findings
from voicewarden.config.policy_checks import check_governance, check_policy
from voicewarden.config.policy_document import PolicyDocument, find_policy, read_layers
from voicewarden.config.policy_layers import merge
from voicewarden.config.policy_tree import to_policy
from voicewarden.config.validation import validate
from voicewarden.config.yaml_file import YamlFile
from voicewarden.model.action import Value
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Policy


def read_policy_document(path: Path, config_dir: Path | None = None) -> tuple[PolicyDocument, YamlFile]:
    """Read a policy file with all it extends. Raises ConfigError with everything that is wrong."""
    return _checked(read_layers(*_located(path, config_dir)))


def _checked(layers: list[YamlFile], *, draft: bool = False) -> tuple[PolicyDocument, YamlFile]:
    findings = Findings()
    whole = layers[0]
    for layer in layers[1:]:
        whole = merge(whole, layer, findings)
    try:
        document = validate(PolicyDocument, whole)
    except ConfigError as error:
        findings.take(error)
        findings.raise_if_any()
        raise
    check_policy(document, whole, findings)
    if not draft:
        check_governance(document, whole, findings)
    findings.raise_if_any()
    return document, whole


def read_policy(policy: Path | str, config_dir: Path | None = None) -> Policy:
    """The tree of a policy, given by name or as a file anywhere. Raises ConfigError."""
    file, config = _located(policy, config_dir)
    return to_policy(read_policy_document(file, config)[0])


def read_draft(policy: Path | str, config_dir: Path | None = None) -> Policy:
    """The tree of a policy that may still allow what its stages must not: for proofs and comparisons, which show that.
    Raises ConfigError.
    """
    return to_policy(_checked(read_layers(*_located(policy, config_dir)), draft=True)[0])


def read_base(policy: Path | str, config_dir: Path | None = None) -> Policy | None:
    """The tree of what a policy extends; None when it extends nothing. Raises ConfigError."""
    *layers, _ = read_layers(*_located(policy, config_dir))
    return to_policy(_checked(layers)[0]) if layers else None


def _located(policy: Path | str, config_dir: Path | None) -> tuple[Path, Path]:
    """The file of a policy and the folder of its configuration: the one around the file's, unless it is given."""
    file = find_policy(config_dir or Path("config"), policy)
    return file, config_dir or file.parent.parent


def fact_defaults(config_dir: Path, policy: Path | str) -> dict[str, Value]:
    """What the declared facts of a policy start with in a call where nothing better is known. Raises ConfigError."""
    document, _ = _checked(read_layers(find_policy(config_dir, policy), config_dir), draft=True)
    return {name: entry.default for name, entry in document.facts.items() if entry.default is not None}
