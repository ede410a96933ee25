"""Facts that somebody gives by name, as scripts do: names and values come in, facts go out or what is wrong with them.

Called by `embed`. The vocabulary is the policy's; what it does not know is rejected, never ignored.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from voicewarden.config.fact_type import fits, spoken_type
from voicewarden.model.action import Value
from voicewarden.policy.ast import FactType
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.vocabulary import BUILT_IN_FACTS, fact_type

_MOST_REMEMBERED = 1_000
"""Names without end exist, one for every action and window: a stream of them must not fill the memory."""


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A fact that is some time old; `digest` is for an answer that was given to other arguments."""

    value: Value
    age_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] = 0
    digest: str = ""


class GivenFacts:
    """The facts that may be given under one policy."""

    def __init__(self, declared: Mapping[str, FactType]) -> None:
        self._declared = dict(declared)
        self._known: dict[str, FactType] = {}

    def laid_over(
        self, facts: Facts, given: Mapping[str, Value | Given | None], now_ms: int, digest: str
    ) -> Facts:
        """Facts with those given on top; None makes one unknown, and an answer belongs to the arguments of `digest`.

        Raises ValueError for a name that the policy does not know and for a value of another type.
        """
        laid = dict(facts)
        for name, one in given.items():
            at_ms, answers, value = now_ms, digest if name.startswith("consent.") else "", one
            if isinstance(one, Given):
                at_ms, answers, value = now_ms - one.age_ms, one.digest or answers, one.value
            kind = self._known.get(name) or self._kind(name)
            if value is None:
                laid.pop(name, None)
            elif isinstance(value, Given) or not fits(kind, value):
                raise ValueError(f"facts.{name}: found something else (accepted: {spoken_type(kind)})")
            else:
                laid[name] = Fact(value, at_ms, 0, answers)
        return laid

    def _kind(self, name: str) -> FactType:
        kind = fact_type(name, self._declared)
        if kind is None:
            accepted = ", ".join(sorted({*self._declared, *BUILT_IN_FACTS}))
            raise ValueError(f"facts.{name}: is no fact of this policy (accepted: {accepted})")
        if len(self._known) < _MOST_REMEMBERED:
            self._known[name] = kind
        return kind
