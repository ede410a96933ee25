"""The search: every state of a scene, the nearest first.

In: a scene and a bound. Out: `Found`: how many states and steps, how deep, the shortest call to each broken promise.
Called by `report`, one process a scene. Breadth first, so that the first call that breaks a promise is a shortest one.
"""

from array import array
from collections.abc import Callable, Collection, Iterator
from operator import attrgetter, is_
from typing import Final, NamedTuple

from voicewarden.kernel.state import State
from voicewarden.proofs.model_check.abstraction import Node, Normal
from voicewarden.proofs.model_check.cast import Cast
from voicewarden.proofs.model_check.invariants import INVARIANTS
from voicewarden.proofs.model_check.scene import Scene
from voicewarden.proofs.model_check.taking import beginning, take

_UNKNOWN: Final = -1
_OVER: Final = -2
_TALLY_EVERY: Final = 1_000
_PARTS: Final = attrgetter(*(name for name in State.__struct_fields__ if name != "seq"))
ENDS: Final = "ends"
"""The promise about whole calls."""
PROMISES: Final = {**INVARIANTS, ENDS: "a call that everybody leaves alone comes to its end by deadlines of its parts"}
"""Everything that is checked."""

Tally = Callable[[int], None]
"""Is told now and then how many states were reached."""


class Path(NamedTuple):
    """A call: the letters that lead from the beginning of a scene to a broken promise."""

    broken: str
    letters: tuple[str, ...]


class Found(NamedTuple):
    """What the search of one scene came to."""

    scene: str
    states: int
    """Distinct states: those near the beginning, and those in which calls that are left alone go on from there."""
    near: int
    """Those near the beginning, found by breadth first search."""
    transitions: int
    """Letters that were taken from one state to another."""
    steps: int
    """Calls of `kernel.step`: a letter may hold several events."""
    depth: int
    complete: bool
    """Every state that the scene can reach was looked at."""
    ended: int
    """States from which a call that everybody leaves alone was followed to its end."""
    paths: tuple[Path, ...]


_Level = list[tuple[int, Node]]
"""States by their number."""


class Search:
    """One search; `run` it once."""

    def __init__(
        self, cast: Cast, scene: Scene, most_states: int, *, deepest: int = 1_000, until: Collection[str] = (),
        tally: Tally | None = None,
    ) -> None:  # fmt: skip
        """`until` names promises of which a broken one is enough."""
        self._until = frozenset(until)
        self._tally = tally
        self._cast, self._scene, self._most, self._deepest = cast, scene, most_states, deepest
        self._normal = Normal(cast.release)
        self._known: dict[bytes, int] = {}
        self._parents = array("l")
        self._letters = array("H")
        self._next_by_itself = array("l")
        self._broken: dict[str, tuple[int, int]] = {}
        self._transitions = self._steps = 0
        self._full = self._stopped = False

    def run(self) -> Found:
        """Look at every state within the bounds."""
        start = beginning(self._cast, self._scene)
        root = self._normal.of(start.state, start.watch)
        self._add(self._normal.name(root), _UNKNOWN, 0)
        level, rest, depth = [(0, self._normal.shared(root))], _Level(), 0
        while level and depth < self._deepest and not self._full:
            level, depth = self._expand_all(level, rest), depth + 1
        rest += level
        near = len(self._known)
        if not self._stopped:
            self._leave_alone(rest)
        ended, circle = self._follow()
        if circle is not None:
            self._broken.setdefault(ENDS, (circle, -1))
        paths = tuple(Path(name, self._path(*where)) for name, where in self._broken.items())
        return Found(
            scene=self._scene.name, states=len(self._known), near=near, transitions=self._transitions,
            steps=self._steps, depth=depth, complete=not rest, ended=ended, paths=paths,
        )  # fmt: skip

    def _add(self, name: bytes, parent: int, letter: int) -> int:
        index = self._known[name] = len(self._known)
        if self._tally is not None and not index % _TALLY_EVERY:
            self._tally(index)
        self._parents.append(parent)
        self._letters.append(letter)
        self._next_by_itself.append(_UNKNOWN)
        return index

    def _expand_all(self, level: _Level, rest: _Level) -> _Level:
        """The next level; what no room was left for goes to `rest`."""
        after = _Level()
        for position, (index, node) in enumerate(level):
            if self._full:
                rest += level[position:]
                break
            after += self._expand(index, node)
            if self._full:
                rest.append((index, node))
        return after

    def _expand(self, index: int, node: Node) -> Iterator[tuple[int, Node]]:
        over = is_over(node.state)
        if over:
            self._next_by_itself[index] = _OVER
        for number, letter in enumerate(self._scene.letters):
            taken = take(self._cast, node, letter)
            if taken is None:
                continue
            self._transitions += 1
            self._steps += taken.steps
            if taken.broken:
                for promise in taken.broken:
                    self._broken.setdefault(promise, (index, number))
                self._stopped = self._stopped or not self._until.isdisjoint(taken.broken)
                self._full = self._full or self._stopped
                continue
            if _is_same(node, taken.node):
                known: int | None = index
            else:
                after = self._normal.of(taken.node.state, taken.node.watch)
                name = self._normal.name(after)
                known = self._known.get(name)
            if known is None:
                if len(self._known) >= self._most:
                    self._full = True
                    continue
                known = self._add(name, index, number)
                yield known, self._normal.shared(after)
            if number >= self._scene.by_itself and not over and self._next_by_itself[index] == _UNKNOWN:
                self._next_by_itself[index] = known

    def _leave_alone(self, rest: _Level) -> None:
        """Follow the calls of states that were not looked at further, as they go on when nobody does anything more."""
        for first, node in rest:
            index: int | None = first
            while index is not None and self._next_by_itself[index] == _UNKNOWN:
                index, node = self._go_on(index, node)

    def _go_on(self, index: int, node: Node) -> tuple[int | None, Node]:
        """One thing that happens by itself; None for the index where the way is known from here, or ends."""
        if is_over(node.state):
            self._next_by_itself[index] = _OVER
            return None, node
        for number in range(self._scene.by_itself, len(self._scene.letters)):
            taken = take(self._cast, node, self._scene.letters[number])
            if taken is None:
                continue
            self._transitions, self._steps = self._transitions + 1, self._steps + taken.steps
            for promise in taken.broken:
                self._broken.setdefault(promise, (index, number))
            if taken.broken:
                return None, node
            after = self._normal.of(taken.node.state, taken.node.watch)
            name = self._normal.name(after)
            known = self._known.get(name)
            following = self._next_by_itself[index] = self._add(name, index, number) if known is None else known
            return (following, after) if known is None else (None, after)
        return None, node

    def _follow(self) -> tuple[int, int | None]:
        """How many states lead to an end by themselves, and one that never does (it leads back to itself)."""
        ends = bytearray(len(self._known))  # 0 not seen, 1 on this way, 2 comes to an end, 3 leaves what is known
        for first in range(len(self._known)):
            way, index = [], first
            while index >= 0 and not ends[index]:
                ends[index] = 1
                way.append(index)
                index = self._next_by_itself[index]
            if index >= 0 and ends[index] == 1:
                return ends.count(2), min(way[way.index(index) :])
            outcome = 2 if index == _OVER else 3 if index == _UNKNOWN else ends[index]
            for item in way:
                ends[item] = outcome
        return ends.count(2), None

    def _path(self, index: int, letter: int) -> tuple[str, ...]:
        names = [] if letter < 0 else [self._scene.letters[letter].name]
        while index > 0:
            names.append(self._scene.letters[self._letters[index]].name)
            index = self._parents[index]
        return tuple(reversed(names))


def _is_same(node: Node, other: Node) -> bool:
    """Whether a step has left every part untouched; it only spares work, equal parts are found by the normal form."""
    return all(map(is_, _PARTS(node.state), _PARTS(other.state))) and node.watch == other.watch


def is_over(state: State) -> bool:
    """Whether nothing needs to happen in a call any more."""
    return state.identity.hung_up or state.identity.ended
