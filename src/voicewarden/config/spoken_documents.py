"""What may be said: `lines.yaml` and `approved-facts.yaml` come in, lines and facts of a release go out.

Called by `release`. Lines are said word for word; facts are what the model's own figures are compared with.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.policy_blocks import LineName, Owner, Why
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.kernel.release import ApprovedFact

REQUIRED_LINES: Final = (
    "disclosures.ai", "screening.identify", "not_heard", "no_figure", "not_allowed", "trouble", "safe", "model_slow",
    "silence.reprompt", "silence.rephrase", "silence.goodbye", "warn_time", "goodbye", "opt_out.goodbye",
    "transfer.now", "transfer.failed", "callback.offer", "callback.done", "voicemail.message",
)  # fmt: skip
"""Lines that the kernel says by itself; a release without one of them is refused."""

PLACES: Final = {"transfer.now": "{desk}"}
"""The only lines with a place for an argument; a brace in another one would be read aloud."""


class LinesDocument(Document):
    """The approved lines by dotted name."""

    owner: Owner
    about: Annotated[str, Field(min_length=1, max_length=400)]
    lines: dict[LineName, Annotated[str, Field(min_length=2, max_length=300, pattern=r"^[^\x00-\x1f\x7f<>]+$")]]


class ApprovedFactEntry(Document):
    """One fact and where it comes from."""

    id: LineName
    text: Annotated[str, Field(min_length=2, max_length=300)]
    valid_until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    source: Annotated[str, Field(min_length=2, max_length=200)]
    why: Why
    owner: Owner | None = None


class ApprovedFactsDocument(Document):
    """All facts that may be said."""

    owner: Owner
    about: Annotated[str, Field(min_length=1, max_length=400)]
    facts: list[ApprovedFactEntry]


class LinesFile:
    """The lines and where they stand."""

    def __init__(self, path: Path) -> None:
        self.source: YamlFile = read_yaml(path)
        self.document = validate(LinesDocument, self.source)

    def demand(self, name: str, findings: Findings, needed_by: str) -> None:
        """Note a finding when there is no line of that name."""
        if name not in self.document.lines:
            self.source.complain(findings, ("lines", name), f"is missing; {needed_by} says it")

    def check(self, findings: Findings) -> None:
        """Note lines that are missing, and places that nothing fills."""
        for name in REQUIRED_LINES:
            self.demand(name, findings, "the kernel")
        for name, text in self.document.lines.items():
            rest = text.replace(PLACES.get(name, "{}"), "")
            if "{" in rest or "}" in rest:
                accepted = PLACES.get(name, "a line without braces")
                self.source.complain(findings, ("lines", name), "has a place that nothing fills", accepted)


def load_facts(path: Path) -> tuple[ApprovedFact, ...]:
    """All facts, those included that hold no more: a call looks at its own date. Raises ConfigError."""
    source = read_yaml(path)
    document = validate(ApprovedFactsDocument, source)
    findings = Findings()
    facts: list[ApprovedFact] = []
    seen: set[str] = set()
    for index, entry in enumerate(document.facts):
        if entry.id in seen:
            source.complain(findings, ("facts", index, "id"), f"found '{entry.id}', which is given twice")
        seen.add(entry.id)
        try:
            if entry.valid_until is not None:
                date.fromisoformat(entry.valid_until)
        except ValueError:
            route = ("facts", index, "valid_until")
            source.complain(findings, route, f"found '{entry.valid_until}'", "a date such as 2027-06-30")
            continue
        facts.append(ApprovedFact(id=entry.id, text=entry.text, valid_until=entry.valid_until or ""))
    findings.raise_if_any()
    return tuple(facts)
