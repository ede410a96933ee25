"""A release: everything that a step looks at beside state and event, as data with one content hash.

In: built by the config room from files, or decoded from a ledger blob by replay. Out: `Release` (plain data that can be
stored) and `Compiled` (the same with rules and word lists made ready), which `kernel.step` takes.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from voicewarden.kernel.weights import AnswererWeights
from voicewarden.model.action import Stage, Value
from voicewarden.model.canonical import canonical_bytes, digest_of
from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.reading import answering, consent, heard
from voicewarden.reading.claims import claims, values
from voicewarden.reading.honesty import refusals
from voicewarden.reading.lexicon import Lexicon, Reader

_ORDINARY_WORDS: Final = (
    ("Hello?",), ("Yes,", "please."), ("Yes,", "go", "ahead."), ("No,", "thank", "you."), ("Who", "is", "this?"),
    ("Can", "I", "talk", "to", "a", "person?"), ("Please", "stop", "calling", "me."),
    ("What", "does", "it", "cost", "on", "Tuesday", "at", "three?"),
)  # fmt: skip
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A tool that the model sees, and the one action it asks for."""

    name: str
    action: str
    about: str


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """An agent role: what it says by itself, what it may ask for, and how far it may go."""

    name: str
    stage: Stage
    prompt: str
    opening: str
    """Name of the line it opens with."""
    tools: tuple[Tool, ...]
    desk: str
    """Where a caller is put who asks for a person."""
    callback: str
    """When a person calls back if nobody can be reached now."""


class ApprovedFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Something that may be said as a fact, such as a price."""

    id: str
    text: str
    valid_until: str = ""
    """ISO date after which it may not be said any more, empty for no end."""


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Policy, words, lines and agents that govern a call."""

    name: str
    approved: bool
    """False for unapproved files, which only a development profile may run."""
    policy: Policy
    shadow: Policy | None = None
    """A policy that runs beside the active one in log-only mode: what it would have decided otherwise is recorded."""
    lexicon: Lexicon
    lines: dict[str, str]
    """Approved lines by name, such as `disclosures.ai`; with `{argument}` places where a line has them."""
    facts: tuple[ApprovedFact, ...]
    catalogue: dict[str, dict[str, str]]
    """Named lists for enum arguments: list name to value to how it is said (`services`, `desks`, `lookups`, ...)."""
    destinations: dict[str, str]
    """Desk to the number that a transfer dials. Never chosen by a model."""
    lookups: dict[str, dict[str, Value]]
    """What `look_up` answers, by name."""
    agents: dict[str, Agent]
    edition: int = 1
    """Which edition of the kernel's own rules governs. A rule that changes asks for the edition it came with, so that a
    call of an older release goes on as it went."""
    answerer: AnswererWeights | None = None
    """How evidence of who answered is weighed; None in releases that are older than such tables."""


class Compiled:
    """A release made ready for `kernel.step`; built once, shared by all calls."""

    def __init__(self, release: Release, *, second_opinion: bool = False) -> None:
        """`second_opinion` asks the reference interpreter too, at every decision."""
        self.data = release
        self.hash = digest_of(release)
        self.policy = CompiledPolicy(release.policy, second_opinion=second_opinion)
        self.shadow = None if release.shadow is None else CompiledPolicy(release.shadow)
        self.declared = {**(release.shadow.facts if release.shadow else {}), **release.policy.facts}
        self.reader = Reader(release.lexicon)
        self._timeless = self._figures_of(
            text
            for listing in release.catalogue.values()
            for item in listing.items()
            for text in item
        ) | self._figures_of(release.lines.values())
        self._grounded: dict[int, frozenset[str]] = {}

    def grounded(self, day: int) -> frozenset[str]:
        """Canonical claims that may be made on this day (days since 1970, UTC): those of the facts that still hold, the
        catalogue and the approved lines.
        """
        known = self._grounded.get(day)
        if known is None:
            today = date.fromordinal(min(_EPOCH + day, date.max.toordinal())).isoformat()
            holding = (fact.text for fact in self.data.facts if not fact.valid_until or fact.valid_until >= today)
            known = self._grounded[day] = self._timeless | self._figures_of(holding)
        return known

    def warm_up(self) -> None:
        """Read once what will be read in every call: the first caller shall not pay for what is made on first use."""
        release, kinds = self.data, self.data.policy.speech.refuse
        for text in release.lines.values():
            claims(self.reader, text)
            refusals(self.reader, text, kinds)
        for rule in release.policy.actions.values():
            for words in _ORDINARY_WORDS:
                consent.read(self.reader, rule.question, words)
                heard.signals(self.reader, words)
                answering.read(self.reader, words)

    def _figures_of(self, texts: Iterable[str]) -> frozenset[str]:
        return frozenset(claim for text in texts for claim in values(self.reader, text))


def encode_release(release: Release) -> bytes:
    """Canonical bytes of a release, whose SHA-256 is its name in every record."""
    return canonical_bytes(release)


def decode_release(data: bytes) -> Release:
    """Read a release back from its canonical bytes."""
    return msgspec.json.decode(data, type=Release)
