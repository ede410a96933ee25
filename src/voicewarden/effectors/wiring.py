"""Which effector carries out which action.

In: effectors by action, from `cli`. Out: a mapping for the runtime, and a check at start-up that a policy asks for
nothing that nobody can do.
"""

from collections.abc import Iterable, Iterator, Mapping

from voicewarden.model.action import WITHOUT_EFFECTOR
from voicewarden.model.error import ConfigError
from voicewarden.model.ports import Effector


class Effectors(Mapping[str, Effector]):
    """Effectors by action; never changed after it was made."""

    def __init__(self, by_action: Mapping[str, Effector]) -> None:
        self._by_action = dict(by_action)

    def __getitem__(self, action: str) -> Effector:
        return self._by_action[action]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_action)

    def __len__(self) -> int:
        return len(self._by_action)

    def of(self, action: str) -> Effector:
        """The effector of an action; raises ConfigError when there is none."""
        self.check((action,))
        return self._by_action[action]

    def check(self, actions: Iterable[str]) -> None:
        """Raise ConfigError when an action that a policy may allow can't be carried out."""
        missing = sorted(set(actions) - WITHOUT_EFFECTOR - self._by_action.keys())
        if missing:
            known = ", ".join(sorted(self._by_action)) or "none"
            raise ConfigError(
                f"nothing carries out {', '.join(missing)}; connect an effector or take it out of the policy",
                field="actions",
                accepted=known,
            )
