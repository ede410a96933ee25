"""Ages: from which age on nobody asks any more how much older something is.

In: a policy. Out: `Ages`. Called by `abstraction`, which tells apart no ages that nothing in the kernel tells apart.
"""

from typing import Final, NamedTuple

from voicewarden.kernel.state import State
from voicewarden.model.action import Value
from voicewarden.policy.ast import Atom, Policy
from voicewarden.policy.generator import atoms
from voicewarden.proofs.model_check.alphabet import EARLY_MS

PERSON: Final = "asked_for_person"
OLD_MS: Final = 100_000_000
"""The age of everything that is older than whatever it is compared with."""
_REVISABLE_MS: Final = 30_000
"""How long after the answer `answerer` may still change its mind."""


class Ages(NamedTuple):
    """The age from which on nobody asks how much older something is."""

    atoms: dict[str, tuple[Atom, ...]]
    """Fact to the requirements that look at its age."""
    answered_ms: int

    def of(self, name: str, value: Value) -> int:
        """This age for a fact of this value: none where the value alone fails every requirement."""
        return max([0, *((atom.within_ms or 0) + 1 for atom in self.atoms.get(name, ()) if _takes(atom, value))])


def ages_of(policy: Policy) -> Ages:
    """What a policy asks of ages."""
    aging: dict[str, tuple[Atom, ...]] = {}
    for rule in policy.actions.values():
        for item in rule.require:
            for atom in atoms(item.condition):
                if atom.within_ms is not None:
                    aging[atom.fact] = (*aging.get(atom.fact, ()), atom)
    deadlines = [item.within_ms for item in policy.speech.must_say if item.within_ms is not None]
    return Ages(aging, max([_REVISABLE_MS, *deadlines]) + 1)


def earliest_word_ms(state: State) -> int:
    """When the first word began that still counts: one of the open turn, or one that is yet to be reported."""
    soonest = state.now_ms - EARLY_MS
    return min([soonest, *(word.from_ms for word in state.turn.words)]) if state.turn.open else soonest


def _takes(atom: Atom, value: Value) -> bool:
    """Whether an atom may hold for a value, its age apart; numbers are taken to be right."""
    return (atom.is_ is None or atom.is_ == value) and (atom.in_ is None or value in atom.in_)
