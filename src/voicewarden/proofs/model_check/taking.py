"""Taking a letter: the real `kernel.step` for each of its events, each step judged.

In: a state of the check and a letter. Out: the state behind it and the promises that were broken on the way. Called by
`search` for every transition, by `telling` once more for what is told.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from voicewarden.kernel import step as stepping
from voicewarden.kernel.state import EMPTY
from voicewarden.model import event as events
from voicewarden.proofs.model_check.abstraction import Node
from voicewarden.proofs.model_check.alphabet import Letter, is_heard
from voicewarden.proofs.model_check.cast import Cast
from voicewarden.proofs.model_check.invariants import Moment, judge
from voicewarden.proofs.model_check.scene import Scene, opening
from voicewarden.proofs.model_check.watch import Watch

_SETTLED_MS: Final = 60_000
"""How long after its opening lines an inbound call of a scene begins: past every deadline of a must-say line."""
Look = Callable[[Moment, tuple[str, ...]], None]
"""Sees every step and what it broke."""


class Taken(NamedTuple):
    """Where a letter leads, and which promises that breaks."""

    node: Node
    broken: tuple[str, ...]
    steps: int


def take(cast: Cast, node: Node, letter: Letter, look: Look | None = None) -> Taken | None:
    """Let a letter happen in a state; None where it can't. The result is not in normal form."""
    if letter.wait_ms:
        later = msgspec.structs.replace(node.state, now_ms=node.state.now_ms + letter.wait_ms)
        return Taken(Node(later, node.watch), (), 0)
    broken: tuple[str, ...] = ()
    steps = 0
    for make in letter.makers:
        event = make(cast, node.state)
        if event is not None:
            node, found = happen(cast, node, event, look)
            broken, steps = (*broken, *found), steps + 1
    return Taken(node, broken, steps) if steps else None


def happen(cast: Cast, node: Node, event: events.Event, look: Look | None = None) -> tuple[Node, tuple[str, ...]]:
    """One event through the real step, judged."""
    taken = stepping.step(cast.release, node.state, event)
    moment = Moment(cast.release, node.watch, node.state, event, taken)
    broken, watch = judge(moment)
    if look is not None:
        look(moment, broken)
    return Node(taken.state, watch), broken


def beginning(cast: Cast, scene: Scene, look: Look | None = None) -> Node:
    """The state in which the calls of a scene begin."""
    node = Node(EMPTY, Watch())
    for event in opening(cast, scene):
        node, _ = happen(cast, node, event, look)
    if scene.direction == "inbound":
        while (heard := is_heard(cast, node.state)) is not None:
            node, _ = happen(cast, node, heard, look)
        node = Node(msgspec.structs.replace(node.state, now_ms=node.state.now_ms + _SETTLED_MS), node.watch)
    for name in scene.prelude:
        taken = take(cast, node, scene.letter(name), look)
        node = node if taken is None else taken.node
    return node

