"""The model check's abstraction: states that it merges have equal successors, and it does merge what only looks new."""

import random

import msgspec
import pytest
from tests.fakes.rig import shipped

from voicewarden.proofs.model_check.abstraction import Node, Normal
from voicewarden.proofs.model_check.cast import cast_of
from voicewarden.proofs.model_check.scene import Scene, scenes
from voicewarden.proofs.model_check.taking import beginning, take

CAST = cast_of(shipped())
SCENES = scenes(CAST)
WALKS, STEPS = 12, 14


def a_walk(scene: Scene, seed: int) -> list[Node]:
    """States of one call as they really are: sequence numbers, times and versions grow as they come."""
    chance = random.Random(f"{scene.name} {seed}")
    node, seen = beginning(CAST, scene), []
    for _ in range(STEPS):
        taken = take(CAST, node, chance.choice(scene.letters))
        if taken is not None:
            node = taken.node
            seen.append(node)
    return seen


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_state_and_its_normal_form_have_equal_successors(scene: Scene) -> None:
    """A bisimulation, sampled: whatever happens next leads both to one normal form and breaks the same promises."""
    for seed in range(WALKS):
        for node in a_walk(scene, seed):
            normal = Normal(CAST.release)
            form = normal.shared(normal.of(node.state, node.watch))
            for letter in scene.letters:
                real, abstract = take(CAST, node, letter), take(CAST, form, letter)
                assert (real is None) == (abstract is None), letter.name
                if real is None or abstract is None:
                    continue
                assert real.broken == abstract.broken, letter.name
                assert normal.of(*real.node) == normal.of(*abstract.node), (letter.name, seed)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_normal_form_of_a_normal_form_is_itself(scene: Scene) -> None:
    normal = Normal(CAST.release)
    for node in a_walk(scene, 1):
        form = normal.of(node.state, node.watch)
        assert normal.of(form.state, form.watch) == form
        assert normal.name(form) == normal.name(normal.of(*normal.shared(form)))


def test_what_is_only_later_or_numbered_otherwise_is_one_state() -> None:
    normal, node = Normal(CAST.release), beginning(CAST, SCENES[0])
    later = msgspec.structs.replace(
        node.state, seq=node.state.seq + 90, now_ms=node.state.now_ms + 5_000, version=node.state.version + 3
    )
    assert normal.name(normal.of(later, node.watch)) == normal.name(normal.of(node.state, node.watch))


@pytest.mark.parametrize("letter", ["wish", "key 9", "says stop", "tighten to assist", "revoke", "lease lost"])
def test_what_changes_authority_is_another_state(letter: str) -> None:
    normal = Normal(CAST.release)
    scene = next((item for item in SCENES if letter in {other.name for other in item.letters}), SCENES[0])
    node = beginning(CAST, scene)
    if letter == "says stop":
        node = taken.node if (taken := take(CAST, node, scene.letter("voice"))) else node
    taken = take(CAST, node, scene.letter(letter))
    assert taken is not None
    assert normal.of(*taken.node) != normal.of(*node)


def test_a_field_of_the_state_that_nobody_thought_of_keeps_states_apart() -> None:
    """Only what is named in the abstraction is merged: every field of the state is in the normal form's bytes."""
    normal, node = Normal(CAST.release), beginning(CAST, SCENES[0])
    form = normal.of(node.state, node.watch)
    other = Node(msgspec.structs.replace(form.state, desk="another"), form.watch)
    assert normal.name(form) != normal.name(other)
