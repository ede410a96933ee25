"""Facts that somebody gives by name, as scripts do: a name and a value come in, what is wrong with them goes out.

Called by `embed`. The vocabulary is the policy's; what it does not know is rejected, never ignored.
"""

from collections.abc import Mapping

from voicewarden.config.fact_type import fits, spoken_type
from voicewarden.model.action import Value
from voicewarden.policy.ast import FactType
from voicewarden.policy.vocabulary import BUILT_IN_FACTS, fact_type


class GivenFacts:
    """The facts that may be given under one policy, with their types."""

    def __init__(self, declared: Mapping[str, FactType]) -> None:
        self._declared = dict(declared)
        self._known: dict[str, FactType] = {}

    def problem(self, name: str, value: Value | None) -> str:
        """What is wrong, empty when nothing is; None says that the fact is not known."""
        kind = self._known.get(name)
        if kind is None:
            kind = fact_type(name, self._declared)
            if kind is None:
                accepted = ", ".join(sorted({*self._declared, *BUILT_IN_FACTS}))
                return f"facts.{name}: is no fact of this policy (accepted: {accepted})"
            if len(self._known) < 1_000:  # names of any action and window exist: a stream must not fill the memory
                self._known[name] = kind
        if value is None or fits(kind, value):
            return ""
        return f"facts.{name}: found something else (accepted: {spoken_type(kind)})"
