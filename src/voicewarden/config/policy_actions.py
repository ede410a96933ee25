"""The actions of a policy file: arguments, requirements and limits, as closed models.

In: plain data by way of `validation`. Out: documents that `policy_checks` judges and `policy_tree` turns into the AST.
"""

from typing import Annotated, Literal

from pydantic import Field

from voicewarden.config.policy_blocks import FactName, Name, Reasoned, Seconds
from voicewarden.config.validation import Document
from voicewarden.model.action import Stage, StageEffect
from voicewarden.policy.ast import LimitScope

Otherwise = Literal["deny", "confirm", "escalate"]
_OPERATORS = ("is_", "in_", "at_least", "at_most", "between", "within_ms", "known")


class ConditionEntry(Document):
    """A test of one fact (`fact` with operators), or `any` or `all` of several; exactly one of the three."""

    fact: FactName | None = None
    is_: Annotated[str | int | bool | None, Field(alias="is")] = None
    in_: Annotated[list[str | int] | None, Field(alias="in", min_length=1)] = None
    at_least: int | None = None
    at_most: int | None = None
    between: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    within_ms: Annotated[int, Field(ge=1, le=86_400_000)] | None = None
    known: bool | None = None
    any: Annotated[list["ConditionEntry"], Field(min_length=1)] | None = None
    all: Annotated[list["ConditionEntry"], Field(min_length=1)] | None = None

    def operators(self) -> tuple[str, ...]:
        """The operators that are given, as the file spells them."""
        return tuple(name.rstrip("_") for name in _OPERATORS if getattr(self, name) is not None)


class RuleEntry(ConditionEntry, Reasoned):
    """A requirement and what follows when it does not hold."""

    otherwise: Annotated[Otherwise, Field(alias="else")]
    offer: Name | None = None
    shadow: bool = False


class LimitEntry(Reasoned):
    """At most so many grants: in one call, or within `in_s` seconds for a person, a campaign or an agent role."""

    per: LimitScope
    at_most: Annotated[int, Field(ge=0, le=1_000_000)]
    in_s: Seconds | None = None
    otherwise: Annotated[Literal["deny", "escalate"], Field(alias="else")]
    shadow: bool = False


class ArgumentEntry(Document):
    """The type of an argument; `from` names the catalogue list of an enum."""

    type: Literal["enum", "local_time", "int", "text"]
    source: Annotated[Name | None, Field(alias="from")] = None
    optional: bool = False


class ActionEntry(Reasoned):
    """Everything that a policy says about one action."""

    args: dict[Name, ArgumentEntry] = Field(default_factory=dict)
    requested_by: list[Name] = Field(default_factory=list)
    stages: dict[Stage, StageEffect] = Field(default_factory=dict)
    effect: bool = True
    read_back: list[Name] = Field(default_factory=list)
    question: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    expires_ms: Annotated[int, Field(ge=1_000, le=600_000)] = 30_000
    cooldown_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    require: list[RuleEntry] = Field(default_factory=list)
    limits: list[LimitEntry] = Field(default_factory=list)


class RoleActionEntry(Document):
    """What one action needs beside the policy's own rules when a certain role asks for it."""

    require: Annotated[list[RuleEntry], Field(min_length=1)]


class RoleEntry(Reasoned):
    """A layer for one agent role: it adds requirements and takes none away."""

    actions: dict[Name, RoleActionEntry]
