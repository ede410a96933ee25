"""The blocks of a policy file beside its actions: what the YAML may hold, as closed models.

In: plain data by way of `validation`. Out: documents that `policy_checks` judges and `policy_tree` turns into the AST.
The keys are pinned; the numbers carry their unit in the key.
"""

from typing import Annotated, Literal

from pydantic import Field

from voicewarden.config.validation import Document
from voicewarden.model.action import AnswererVerdict

Why = Annotated[str, Field(min_length=3, max_length=400, pattern=r"\S")]
"""The reason for a number or a rule, for people who did not write it."""
Owner = Annotated[str, Field(min_length=2, max_length=80, pattern=r"^[a-z][a-z0-9._@-]*$")]
"""The role that answers for a block."""
Name = Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
LineName = Annotated[str, Field(max_length=80, pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
FactName = Annotated[str, Field(max_length=80, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
FileName = Annotated[str, Field(max_length=200, pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$")]
"""A path under `config/`; it can't leave the directory."""
Key = Annotated[str, Field(pattern=r"^[02-8]$")]
"""A key that is free to mean something."""
Permille = Annotated[int, Field(ge=0, le=1000)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]


class Reasoned(Document):
    """A block that holds a number or a rule: it says why, and by itself or by what is around it who answers for it."""

    why: Why
    owner: Owner | None = None


class FactEntry(Reasoned):
    """A declared fact. `type` is `bool`, `{enum: [..]}` or `{int: [low, high]}`; `enum [..]` as text is the same."""

    type: str | dict[Literal["enum", "int"], list[str | int]]
    values: list[str] | None = None
    low: int | None = None
    high: int | None = None
    source: Annotated[str, Field(min_length=1, max_length=200)]
    default: str | int | bool | None = None
    """What a call starts with where nothing better is known; absent means that the fact is missing then."""


class BandEntry(Reasoned):
    """Thresholds of one kind of words."""

    accept_permille: Permille
    confirm_permille: Permille


class BandsEntry(Document):
    """Words that decide, and all others; digits (with times and dates) and names may have bands of their own."""

    decide: BandEntry
    content: BandEntry
    digits: BandEntry | None = None
    names: BandEntry | None = None

    def named(self) -> dict[str, BandEntry]:
        """The bands that are given, by their purpose."""
        given = {"decide": self.decide, "content": self.content, "digits": self.digits, "names": self.names}
        return {name: band for name, band in given.items() if band is not None}


class HearingEntry(Reasoned):
    """How the caller is heard."""

    transcriber: Annotated[str, Field(min_length=1, max_length=100)]
    calibration: FileName | None = None
    end_of_turn_ms: Annotated[int, Field(ge=100, le=5_000)]
    end_of_turn_spelling_ms: Annotated[int, Field(ge=100, le=10_000)]
    bands: BandsEntry


class AnswererEntry(Reasoned):
    """Who picked up: deadlines, the default, and what each answer leads to."""

    no_speech_ms: Annotated[int, Field(ge=1_000, le=60_000)]
    decide_by_ms: Annotated[int, Field(ge=200, le=30_000)]
    default: AnswererVerdict
    when: dict[Literal["voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech"], str]


class SilenceStepEntry(Document):
    """One step of the ladder."""

    after_ms: Annotated[int, Field(ge=1_000, le=120_000)]
    do: Literal["reprompt", "rephrase", "offer_keys", "goodbye"]


class SilenceEntry(Reasoned):
    """What silence leads to."""

    ladder: Annotated[list[SilenceStepEntry], Field(min_length=1, max_length=10)]
    backstop_ms: Annotated[int, Field(ge=5_000, le=600_000)]
    hold_ms: Annotated[int, Field(ge=5_000, le=120_000)] | None = None
    filler_ms: Annotated[int, Field(ge=1_000, le=10_000)] | None = None
    times_per_call: Annotated[int, Field(ge=1, le=50)] | None = None


class KeysEntry(Reasoned):
    """What keys of the caller's telephone mean beside 1 and 9, which always mean yes and never again."""

    no: Key | None = None
    person: Key | None = None
    entry_pause_ms: Annotated[int, Field(ge=1_000, le=15_000)] | None = None


class CallEntry(Reasoned):
    """How long a call may take."""

    longest_ms: Annotated[int, Field(ge=10_000, le=7_200_000)]
    warn_before_ms: Annotated[int, Field(ge=0, le=600_000)]


class BudgetEntry(Reasoned):
    """What the language model may use."""

    per_turn_tokens: Annotated[int, Field(ge=1, le=100_000)]
    per_call_tokens: Annotated[int, Field(ge=1, le=10_000_000)]
    tool_calls_per_turn: Annotated[int, Field(ge=0, le=20)]


class QuestionsEntry(Reasoned):
    """How often and how long the caller is asked."""

    answer_within_ms: Annotated[int, Field(ge=1_000, le=120_000)]
    answer_tolerance_ms: Annotated[int, Field(ge=0, le=1_000)]
    times_per_arguments: Annotated[int, Field(ge=1, le=10)]
    times_per_action: Annotated[int, Field(ge=1, le=20)]


class MustSayEntry(Reasoned):
    """A line that must be heard."""

    id: Name
    line: LineName
    within_ms: Annotated[int, Field(ge=500, le=120_000)] | None = None
    before: Name | None = None


class SpeechEntry(Reasoned):
    """What is said and what is not."""

    must_say: list[MustSayEntry]
    facts: FileName
    refuse: list[Literal["denies_ai", "private_data"]] = Field(default_factory=list)


class WindowEntry(Document):
    """So many attempts in so many seconds."""

    at_most: Annotated[int, Field(ge=1, le=1_000)]
    in_s: Seconds


class ContactEntry(Reasoned):
    """What must hold before a number is dialled."""

    jurisdictions: Annotated[str, Field(max_length=80, pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    consent_level: Literal["none", "inquiry", "oral", "written"]
    per_person: list[WindowEntry]


class OversightEntry(Reasoned):
    """Who answers for the policy as a whole."""

    review_days: Annotated[int, Field(ge=1, le=365)]
    contact: Annotated[str, Field(min_length=1, max_length=80)]
    pause_finishes_calls: Literal["politely", "at_once"]
