"""Reading a policy: a path comes in, a checked document and its tree go out; called by `release`, schema and tests."""

from pathlib import Path

from voicewarden.config.finding import Findings
from voicewarden.config.policy_checks import check_policy
from voicewarden.config.policy_document import PolicyDocument, policy_path, read_layers
from voicewarden.config.policy_layers import merge
from voicewarden.config.policy_tree import to_policy
from voicewarden.config.validation import validate
from voicewarden.config.yaml_file import YamlFile
from voicewarden.model.action import Value
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Policy


def read_policy_document(path: Path) -> tuple[PolicyDocument, YamlFile]:
    """Read a policy file with all it extends. Raises ConfigError with everything that is wrong."""
    findings = Findings()
    layers = read_layers(path)
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
    findings.raise_if_any()
    return document, whole


def load_policy(path: Path) -> Policy:
    """Read a policy file as the tree that is compiled. Raises ConfigError."""
    return to_policy(read_policy_document(path)[0])


def fact_defaults(config_dir: Path, policy: str) -> dict[str, Value]:
    """What the declared facts of a policy start with in a call where nothing better is known. Raises ConfigError."""
    document, _ = read_policy_document(policy_path(config_dir, policy))
    return {name: entry.default for name, entry in document.facts.items() if entry.default is not None}
