"""Agreement: generated code, interpreter, Cedar and z3 decide alike, over as many situations as one likes.

In: policies, a seed and how many decisions to compare. Out: what was compared, and every disagreement, made as small as
it gets. Work is cut into blocks whose content depends on the seed and the block's number alone, so that any number of
processes finds the same. Called by `voicewarden policy agreement`, scripts/agreement-campaign and tests.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from time import process_time
from typing import Final

import msgspec

from voicewarden.policy.ast import ActionRule, Policy
from voicewarden.policy.compiler import Decider
from voicewarden.policy.fact import Facts
from voicewarden.policy.interpreter import unmet
from voicewarden.proofs.case import Case, Observation, observe
from voicewarden.proofs.mismatch import Mismatch, smallest
from voicewarden.proofs.points import DIGEST, NOW_MS
from voicewarden.proofs.sampling import CaseSampler, PolicySampler
from voicewarden.proofs.subject import Peer, Subject

PEERS: Final[tuple[Peer, ...]] = ("interpreter", "cedar", "z3")
BLOCK: Final[dict[Peer, int]] = {"interpreter": 100_000, "cedar": 5_000, "z3": 1_000}
"""Decisions a block: half of a block goes to a shipped policy, half to random ones."""

_DRAWN: Final[dict[Peer, int]] = {"interpreter": 4, "cedar": 2, "z3": 1}
"""Random policies a block."""

_WALK: Final = 64
"""Decisions between two fresh starts; within a walk one fact changes at a time."""

_AT_ONCE: Final = 100
_TOLD: Final = 3
"""Mismatches that a block tells: one is enough to fail, and each costs time to make small."""


class Block(msgspec.Struct, frozen=True):
    """A piece of work: so many decisions against one peer."""

    peer: Peer
    number: int
    decisions: int
    seed: int


class Comparison(msgspec.Struct, frozen=True):
    """What a block, or many, came to."""

    peer: Peer
    decisions: int = 0
    policies: int = 0
    """Random policies among them."""
    seconds: float = 0.0
    """Processor time of comparing alone, without making policies and cases ready."""
    mismatches: tuple[Mismatch, ...] = ()

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(
            self.peer, self.decisions + other.decisions, self.policies + other.policies, self.seconds + other.seconds,
            self.mismatches + other.mismatches,
        )  # fmt: skip


def blocks(wanted: dict[Peer, int], seed: int) -> Iterator[Block]:
    """The blocks of a campaign; each peer's are numbered from 0."""
    for peer in PEERS:
        whole, rest = divmod(wanted.get(peer, 0), BLOCK[peer])
        sizes = [BLOCK[peer]] * whole + ([rest] if rest else [])
        yield from (Block(peer, number, size, seed) for number, size in enumerate(sizes))


def totals(tested: Iterable[Comparison]) -> dict[Peer, Comparison]:
    """The sum of all blocks of each peer."""
    sums: dict[Peer, Comparison] = {}
    for one in tested:
        sums[one.peer] = sums.get(one.peer, Comparison(one.peer)) + one
    return sums


class Bench:
    """Compares block after block; what is costly about the shipped policies is made once."""

    def __init__(self, shipped: Iterable[Policy]) -> None:
        self._shipped = [Subject(policy) for policy in shipped]

    def run(self, block: Block) -> Comparison:
        """Compare one block. Raises MissingPart when the peer is not installed."""
        random = Random(f"{block.seed}/{block.peer}/{block.number}")
        first = self._shipped[block.number % len(self._shipped)]
        drawn = min(_DRAWN[block.peer], block.decisions // 2)
        each = block.decisions // 2 // max(drawn, 1)
        sampler = PolicySampler(first.policy, random)
        plan = [(first, block.decisions - drawn * each), *((Subject(sampler.policy()), each) for _ in range(drawn))]
        compare = against_interpreter if block.peer == "interpreter" else against_opinion
        seconds, found = 0.0, list[Mismatch]()
        for subject, count in plan:
            took, wrong = compare(subject, block.peer, count, random)
            seconds += took
            found += [smallest(block.peer, subject.policy, case) for case in wrong[: _TOLD - len(found)]]
        return Comparison(block.peer, block.decisions, drawn, seconds, tuple(found))


Compared = tuple[float, list[Case]]
"""Seconds, and the cases in which the two differ."""


def against_interpreter(subject: Subject, _: Peer, count: int, random: Random) -> Compared:
    """Generated code against the interpreter: masks, over any facts, those of wrong types too."""
    actions = tuple(subject.policy.actions)
    samplers = [subject.sampler(name, random) for name in actions]
    for sampler in samplers:
        sampler.set_traps()
    done, found = 0, list[Case]()
    deciders = subject.compiled.deciders
    started = process_time()
    while done < count:
        index = done // _WALK % len(actions)
        steps = min(_WALK, count - done)
        rule = subject.policy.actions[actions[index]]
        wrong = _walk(samplers[index], rule, deciders[rule.name], steps, random.random)
        found += [] if wrong is None else [wrong]
        done += steps
    return process_time() - started, found


def _walk(
    sampler: CaseSampler, rule: ActionRule, decide: Decider, steps: int, draw: Callable[[], float]
) -> Case | None:
    """Decide again and again while single facts change; the first case that differs. The hot loop, hence so plain."""
    facts: Facts = sampler.facts()
    names, points, counts = sampler.names, sampler.points, sampler.counts
    many, minted = len(names), counts[int(draw() * len(counts))]
    for _ in range(steps):
        if decide(facts, NOW_MS, DIGEST, minted) != unmet(rule, facts, NOW_MS, DIGEST, minted):
            return sampler.case_of(facts, minted)
        name = names[int(draw() * many)]
        some = points[name]
        point = some[int(draw() * len(some))]
        if point is not None:
            facts[name] = point
        elif name in facts:
            del facts[name]
        if point is None or len(counts) > 3:
            minted = counts[int(draw() * len(counts))]
    return None


def against_opinion(subject: Subject, peer: Peer, count: int, random: Random) -> Compared:
    """Generated code and the gate's own checks against Cedar or z3: whole observations of well-typed cases."""
    cases = [*sampled(subject, count, random)]
    compiled, found = subject.compiled, list[Case]()
    if peer == "cedar":
        assert subject.cedar
    started = process_time()
    for number, start in enumerate(range(0, count, _AT_ONCE)):
        batch = cases[start : start + _AT_ONCE]
        theirs = _theirs(subject, peer, batch, number)
        found += [case for case, told in zip(batch, theirs, strict=True) if observe(compiled, case) != told]
    return process_time() - started, found


def sampled(subject: Subject, count: int, random: Random) -> Iterator[Case]:
    """Well-typed cases: boundary cases as they are for up to half, the rest near one or anywhere."""
    boundary = [case for cases in subject.boundary.values() for case in cases]
    untouched = random.sample(boundary, min(count // 2, len(boundary)))
    yield from untouched
    samplers = [subject.sampler(name, random) for name in subject.policy.actions]
    for number in range(count - len(untouched)):
        yield samplers[number % len(samplers)].case()


def _theirs(subject: Subject, peer: Peer, cases: list[Case], number: int) -> list[Observation]:
    if peer == "cedar":
        # Holding a request against the schema costs as much as deciding it, so one batch in ten is.
        return subject.cedar.observe(cases, validated=number % 10 == 0)
    return [subject.z3.observe(case) for case in cases]
