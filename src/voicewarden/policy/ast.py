"""A policy as typed data: what the YAML files become after validation, and what everything else is derived from.

In: nothing (the `config` room builds it). Out: one immutable tree with a content hash. The vocabulary is closed: a few
atom kinds over declared facts, combined by all and any; no expressions, so every question about it stays decidable.
"""

from typing import Literal

import msgspec

from voicewarden.model.action import AnswererVerdict, StageEffect, Value, Verdict


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Part of a policy. Its bytes leave defaults out, so that a field which is added later changes no old hash."""


class FactType(_Node, frozen=True, kw_only=True):
    """The declared type of a fact: `bool`, `enum` with its values, `int` with its bounds, or `text`."""

    kind: Literal["bool", "enum", "int", "text"]
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    source: str = ""
    why: str = ""


class Atom(_Node, frozen=True, kw_only=True, tag="atom"):
    """One test of one fact; several operators in one atom must all hold. An absent operator is None."""

    fact: str
    is_: Value | None = None
    in_: tuple[Value, ...] | None = None
    not_in: tuple[Value, ...] | None = None
    """None of these. Files have no word for it: it says whom a rule under `roles` is not about."""
    at_least: int | None = None
    at_most: int | None = None
    between: tuple[int, int] | None = None
    within_ms: int | None = None
    known: bool | None = None


class All(_Node, frozen=True, kw_only=True, tag="all"):
    """Every item must hold."""

    items: tuple["Atom | All | AnyOf", ...]


class AnyOf(_Node, frozen=True, kw_only=True, tag="any"):
    """At least one item must hold."""

    items: tuple["Atom | All | AnyOf", ...]


Condition = Atom | All | AnyOf


class Rule(_Node, frozen=True, kw_only=True):
    """A requirement: what must hold, and what follows when it does not."""

    id: str
    """Unique in the policy, such as `book.require.4`."""
    condition: Condition
    otherwise: Verdict
    offer: str | None = None
    shadow: bool = False
    """Log only: what it would have changed is recorded, and it changes nothing."""
    why: str = ""
    owner: str = ""


LimitScope = Literal["call", "person", "campaign", "agent"]


class Limit(_Node, frozen=True, kw_only=True):
    """At most so many minted grants of this action, in one call or in a window over all calls of its scope.

    Within the call the kernel counts itself. What other calls have used in the window is the fact `counted.<window>`;
    while that is unknown the limit is not met.
    """

    id: str
    at_most: int
    otherwise: Verdict
    per: LimitScope = "call"
    in_s: int = 0
    """Length of the window that ends now; 0 for `per: call`."""
    shadow: bool = False
    why: str = ""
    owner: str = ""

    @property
    def window(self) -> str:
        """What is counted, such as `book.person.86400`: the same in every policy that counts it, whatever its id."""
        return f"{self.id.partition('.')[0]}.{self.per}.{self.in_s}"

    @property
    def counted(self) -> str:
        """Name of the fact that says how much of the window other calls have used."""
        return f"counted.{self.window}"


class Argument(_Node, frozen=True, kw_only=True):
    """The type of one argument: `enum` over a named catalogue list, `local_time`, `int` or `text`."""

    name: str
    kind: Literal["enum", "local_time", "int", "text"]
    source: str = ""
    """Name of the catalogue list that an enum takes its values from."""
    optional: bool = False


class ActionRule(_Node, frozen=True, kw_only=True):
    """Everything a policy says about one action."""

    name: str
    owner: str
    why: str
    args: tuple[Argument, ...] = ()
    requested_by: tuple[str, ...] = ()
    """Agent roles that may ask for it; empty means any."""
    stages: dict[str, StageEffect] = {}
    effect: bool = True
    """Whether it changes anything outside the call."""
    read_back: tuple[str, ...] = ()
    question: str = ""
    expires_ms: int = 30_000
    cooldown_ms: int = 0
    require: tuple[Rule, ...] = ()
    limits: tuple[Limit, ...] = ()


class Band(_Node, frozen=True, kw_only=True):
    """At or over `accept` it counts, under `confirm` it was not heard, between it is ambiguous."""

    accept_permille: int
    confirm_permille: int


class Hearing(_Node, frozen=True, kw_only=True):
    """How the caller is heard; the thresholds hold for this transcriber alone."""

    transcriber: str
    end_of_turn_ms: int
    end_of_turn_spelling_ms: int
    decide: Band
    content: Band
    digits: Band | None = None
    """For numbers, times and dates that the caller says; None counts them with the rest."""
    names: Band | None = None
    """For names; None counts them with the rest."""


class AnswererRules(_Node, frozen=True, kw_only=True):
    """Deadlines for finding out who answered, and what each answer leads to."""

    no_speech_ms: int
    decide_by_ms: int
    default: AnswererVerdict
    when: dict[str, str]


class SilenceStep(_Node, frozen=True, kw_only=True):
    """What to do after so much silence."""

    after_ms: int
    do: Literal["reprompt", "rephrase", "offer_keys", "goodbye"]


class Silence(_Node, frozen=True, kw_only=True):
    """The ladder of silence; each step counts from the end of the last playout."""

    ladder: tuple[SilenceStep, ...]
    backstop_ms: int
    hold_ms: int = 0
    """Patience with a caller who asked for a moment or whose line is muted; 0 makes no difference."""
    filler_ms: int = 0
    """So long without a word of the agent while something works, and the caller is told; 0 for never."""
    times_per_call: int = 0
    """The caller is reminded, told that they were not understood, or told the same again so often; 0 for any number."""


class Keys(_Node, frozen=True, kw_only=True):
    """What keys of the caller's telephone mean beside 1 (yes) and 9 (never call again)."""

    no: str = ""
    person: str = ""
    entry_pause_ms: int = 0
    """A pause of this length ends a number that is keyed in after it was asked for; 0 takes no numbers."""


class CallLength(_Node, frozen=True, kw_only=True):
    """The longest a call may take, and when to warn."""

    longest_ms: int
    warn_before_ms: int


class Budget(_Node, frozen=True, kw_only=True):
    """Completion tokens a turn and a call may use, and tool calls a turn."""

    per_turn_tokens: int
    per_call_tokens: int
    tool_calls_per_turn: int


class Questions(_Node, frozen=True, kw_only=True):
    """How confirmation questions are asked and answered."""

    answer_within_ms: int
    answer_tolerance_ms: int
    times_per_arguments: int
    times_per_action: int


class MustSay(_Node, frozen=True, kw_only=True):
    """A line that must be heard: before anything else within a deadline, or before something may start."""

    id: str
    line: str
    within_ms: int | None = None
    before: str = ""


class Speech(_Node, frozen=True, kw_only=True):
    """What the agent must say and must never say."""

    must_say: tuple[MustSay, ...]
    refuse: tuple[str, ...]


class Window(_Node, frozen=True, kw_only=True):
    """At most so many in so many seconds."""

    at_most: int
    in_s: int


class Contact(_Node, frozen=True, kw_only=True):
    """What must hold before a number is dialled."""

    consent_level: str
    jurisdictions: str = ""
    per_person: tuple[Window, ...] = ()


class Oversight(_Node, frozen=True, kw_only=True):
    """Who answers for the policy."""

    owner: str
    review_days: int
    contact: str
    pause_finishes_calls: Literal["politely", "at_once"]


class Policy(_Node, frozen=True, kw_only=True):
    """A whole policy. `content_hash` is not part of it: it is the digest of its canonical bytes."""

    name: str
    owner: str
    about: str
    facts: dict[str, FactType]
    hearing: Hearing
    answerer: AnswererRules
    silence: Silence
    call: CallLength
    budget: Budget
    questions: Questions
    speech: Speech
    contact: Contact
    oversight: Oversight
    actions: dict[str, ActionRule]
    keys: Keys | None = None
