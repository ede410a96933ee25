"""Policies of one action that tests write in a line, read as a user's file would be: over the shipped floor."""

import json
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from voicewarden.config.policy_reader import read_policy
from voicewarden.policy.ast import Policy

ROOT: Final = Path(__file__).resolve().parents[3]
CONFIG: Final = ROOT / "config"
STAGES: Final = {"observe": "log", "assist": "approve", "bounded": "allow", "autonomous": "allow"}
FACTS: Final[dict[str, Any]] = {
    "amount": {"type": {"int": [0, 100]}, "source": "crm", "why": "How much it is."},
    "tier": {"type": {"enum": ["a", "b", "c"]}, "source": "crm", "why": "Which tier it is."},
    "flag": {"type": "bool", "source": "crm", "why": "Set by a person."},
    "flog": {"type": "bool", "source": "crm", "why": "Set by another person."},
}
_FOLDER: Final = TemporaryDirectory()
_NUMBER: Final = count(1)

# Any: parts of a YAML document.
Part = dict[str, Any]


def atom(fact: str, **operators: Any) -> Part:
    """A test of a fact; `is_` and `in_` are the operators whose names Python keeps for itself."""
    return {"fact": fact, **{name.rstrip("_"): value for name, value in operators.items()}}


def rule(part: Part) -> Part:
    """A whole rule from a test."""
    return {"else": "deny", "why": "Because it matters.", **part}


def written(
    *require: Part, limits: tuple[Part, ...] = (), stages: dict[str, str] | None = None,
    requested_by: tuple[str, ...] = ("booking",), facts: Part | None = None, roles: Part | None = None,
    name: str = "", extends: str = "organisation", **action: Any,
) -> Path:  # fmt: skip
    """A policy file with one action `act`."""
    name = name or f"p{next(_NUMBER)}"
    entry: Part = {
        "why": "An action of our own.", "stages": STAGES if stages is None else stages,
        "requested_by": list(requested_by), "require": [rule(part) for part in require],
        "limits": [{"else": "deny", "why": "Not too often.", **limit} for limit in limits], **action,
    }  # fmt: skip
    document: Part = {
        "policy": name, "extends": extends, "owner": "operations", "about": "A policy for a test.",
        "facts": {**FACTS, **(facts or {})}, "actions": {"act": entry},
    }  # fmt: skip
    if roles is not None:
        document["roles"] = roles
    file = Path(_FOLDER.name) / f"{name}.yaml"
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return file


def read(file: Path) -> Policy:
    """The policy of a file. Raises ConfigError."""
    return read_policy(str(file), CONFIG)


def policy(*require: Part, **parts: Any) -> Policy:
    """The policy that `written` writes."""
    return read(written(*require, **parts))


def for_role(role: str, *require: Part) -> Part:
    """A `roles` block that adds to `act`."""
    actions = {"act": {"require": [rule(part) for part in require]}}
    return {role: {"owner": "operations", "why": "This role needs more.", "actions": actions}}
