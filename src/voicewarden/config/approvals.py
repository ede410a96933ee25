"""Approvals: which releases may run in production, and who answered for each.

In: `approvals.yaml` beside the settings. Out: nothing, or a ConfigError that says what to do. Called at the server's
start; the development profile, which listens on loopback only, does without. """

from pathlib import Path
from typing import Annotated

from pydantic import Field

from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import read_yaml
from voicewarden.model.error import ConfigError

FILE = "approvals.yaml"


class Approval(Document):
    """One approved release: its content hash, who proposed it and who else approved it."""

    release: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    proposed_by: Annotated[str, Field(min_length=1, max_length=100)]
    approved_by: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1)]
    on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    why: Annotated[str, Field(min_length=1, max_length=500)]


class ApprovalsDocument(Document):
    """The file."""

    approvals: list[Approval] = Field(default_factory=list)


def demand_approval(config_dir: Path, release: str) -> None:
    """Raise ConfigError unless somebody other than its proposer has approved this very release."""
    path = config_dir / FILE
    what = (
        f"release {release} is not approved; have it read, then list it with proposed_by, approved_by (somebody else), "
        "on and why; or use the development profile, on loopback only"
    )
    if not path.exists():
        raise ConfigError(what, file=str(path), field="approvals")
    for approval in validate(ApprovalsDocument, read_yaml(path)).approvals:
        if approval.release == release and any(name != approval.proposed_by for name in approval.approved_by):
            return
    raise ConfigError(what, file=str(path), field="approvals")
