"""New names for the sentences, grants and requests of a state, numbered in the order in which it names them.

In: a state of the kernel and what the onlooker knows. Out: `Names`, which `abstraction` applies.
"""

from typing import NamedTuple

from voicewarden.kernel.state import State
from voicewarden.proofs.model_check.watch import Watch

_SPEND = "spend:"
_KERNEL = "kernel:"


class Names(NamedTuple):
    """Old name to new name."""

    sentences: dict[str, str]
    grants: dict[str, str]

    def sentence(self, name: str) -> str:
        """The new name of a sentence; empty stays empty."""
        return self.sentences.get(name, name and "s_gone")

    def grant(self, name: str) -> str:
        """The new name of a grant."""
        return self.grants.get(name, "g_gone")

    def timer(self, name: str) -> str:
        """The new name of a timer: those that wait for a grant bear its name."""
        return _SPEND + self.grant(name.removeprefix(_SPEND)) if name.startswith(_SPEND) else name


def names_of(state: State, watch: Watch) -> Names:
    """Number everything that is named."""
    sentences = [item.id for item in state.floor.queue]
    if state.consent.pending is not None:
        sentences += state.consent.pending.sentences
    if state.turn.open:
        sentences += [item.id for item in state.turn.cut]
    sentences += [opened.after for opened in state.grants.open.values() if opened.after]
    if watch.asked is not None:
        sentences += watch.asked.unheard
    numbered = {name: f"s{index}" for index, name in enumerate(dict.fromkeys(sentences))}
    return Names(numbered, {name: f"g{index}" for index, name in enumerate(state.grants.open)})


def request_name(request: str) -> str:
    """All requests of the kernel are one, and all others: only whose they are is ever asked."""
    return _KERNEL if request.startswith(_KERNEL) else "r"
