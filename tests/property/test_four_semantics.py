"""Four semantics, one meaning: generated code, interpreter, Cedar and z3 decide alike in every situation.

A slice of scripts/agreement-campaign, which compares far more.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicewarden.config.policy_reader import read_policy
from voicewarden.proofs.agreement import Bench, Block
from voicewarden.proofs.case import observe
from voicewarden.proofs.sampling import PolicySampler
from voicewarden.proofs.subject import Peer, Subject

SHIPPED = tuple(read_policy(name) for name in ("outbound-sales", "inbound-service", "booking-only"))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(SHIPPED)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(("peer", "decisions"), [("interpreter", 15_000), ("cedar", 400), ("z3", 100)])
def test_two_semantics_decide_alike(bench: Bench, peer: Peer, decisions: int, number: int) -> None:
    tested = bench.run(Block(peer, number, decisions, 20261123))
    assert tested.decisions == decisions
    assert not tested.mismatches, tested.mismatches[0].told()


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_all_four_say_the_same_about_any_policy(seed: int) -> None:
    random = Random(seed)
    subject = Subject(PolicySampler(SHIPPED[0], random).policy())
    for action in subject.policy.actions:
        sampler = subject.sampler(action, random)
        for _ in range(5):
            case = sampler.case()
            ours = observe(subject.compiled, case)
            assert subject.ours("interpreter", case) == subject.theirs("interpreter", case)
            assert ours == subject.theirs("cedar", case) == subject.theirs("z3", case)
