"""The model check: a slice of it finds nothing wrong with the kernel, and every kernel that is broken on purpose."""

import json

import msgspec
import pytest
import typer
from tests.fakes.rig import TOP, release_of, shipped, with_policy
from typer.testing import CliRunner

from voicewarden.cli.model_check import model_check
from voicewarden.kernel import step as stepping
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model.event import CallStarted
from voicewarden.proofs.model_check import PROMISES, check, check_controls
from voicewarden.proofs.model_check.cast import cast_of
from voicewarden.proofs.model_check.controls import CONTROLS, broken_kernel
from voicewarden.proofs.model_check.scene import TIMERS, WHOLE_CALL, scenes
from voicewarden.proofs.model_check.search import Search
from voicewarden.proofs.model_check.watch import MEANINGS
from voicewarden.reading import consent, heard

SLICE = 4_000
"""Near states; those in which the calls behind them are left alone are several times as many."""


def test_a_slice_of_every_scene_keeps_every_promise() -> None:
    """Laws 1 to 6 and 9, over the shortest calls."""
    checked = check(shipped(), states=SLICE, processes=1)
    told = "\n".join(line for item in checked.broken for line in (item.call.promise, *item.call.lines))
    assert not checked.broken, told
    assert checked.near >= SLICE * 9 // 10
    assert checked.states >= 3 * SLICE
    assert checked.ended == checked.states, "from every state a call that everybody leaves alone comes to its end"
    assert checked.steps >= checked.transitions // 2
    assert {item.found.scene for item in checked.scenes} == {scene.name for scene in scenes(cast_of(shipped()))}
    assert all(item.found.depth >= 3 for item in checked.scenes)


@pytest.mark.parametrize("policy", ["inbound-service", "booking-only"])
def test_a_slice_of_the_other_policies_keeps_every_promise(policy: str) -> None:
    assert not check(Compiled(release_of(policy)), states=800, processes=1).broken


@pytest.mark.parametrize("name", CONTROLS)
def test_a_kernel_that_is_broken_on_purpose_is_found_out(name: str) -> None:
    (found,) = check_controls(shipped(), (name,))
    assert found.broken is not None, f"{found.about}: not found among {found.states} states"
    assert found.broken.promise in CONTROLS[name].promises
    assert found.broken.call.promise == PROMISES[found.broken.promise]
    assert len(found.broken.letters) <= 8, "a shortest call is a short one"
    assert any("the call starts" in line for line in found.broken.call.lines)


def test_the_kernel_is_whole_again_after_a_control() -> None:
    places = [(place, name) for control in CONTROLS.values() for place, name, _ in control.places]
    before = [getattr(place, name) for place, name in places]
    for control in CONTROLS:
        with pytest.raises(RuntimeError), broken_kernel(control):
            raise RuntimeError
    assert [getattr(place, name) for place, name in places] == before


def test_a_counterexample_is_a_real_call() -> None:
    """Its events, from the empty state through the real step, end in what was told."""
    with broken_kernel("yes-kept"):
        (found,) = check_controls(shipped(), ("yes-kept",))
        assert found.broken is not None
        state, grants = EMPTY, []
        for event in found.broken.call.events:
            taken = step(shipped(), state, event)
            state, grants = taken.state, [*grants, *(grant for grant in taken.grants if not grant.escape)]
    assert isinstance(found.broken.call.events[0], CallStarted)
    assert len(grants) == 2, "one yes has served twice"
    assert grants[0].digest == grants[1].digest
    told = "\n".join(found.broken.call.lines)
    assert 'the caller says "yes"' in told
    assert "book is allowed" in told


def test_more_states_reach_deeper_and_a_search_can_stop_at_the_first_find() -> None:
    cast = cast_of(shipped())
    scene = scenes(cast)[1]
    shallow, deep = Search(cast, scene, 60).run(), Search(cast, scene, 600).run()
    assert shallow.near == 60 < shallow.states
    assert not shallow.complete
    assert deep.depth > shallow.depth
    assert Search(cast, scene, 10**6, deepest=1).run().depth == 1


@pytest.mark.parametrize(("text", "meaning"), MEANINGS.items())
def test_the_words_of_the_alphabet_mean_what_the_onlooker_takes_them_for(text: str, meaning: str) -> None:
    """The onlooker does not read: here it is compared with what the kernel reads."""
    reader, words = shipped().reader, tuple(text.split())
    question = shipped().policy.policy.actions["book"].question
    kinds = {signal.kind for signal in heard.signals(reader, words)}
    reading = consent.read(reader, question, words).kind
    assert ("opt_out" in kinds) == (meaning == "stop")
    assert ("wants_person" in kinds) == (meaning == "person")
    assert (reading == "explicit") == (meaning == "yes")
    assert (reading == "refused") == (meaning == "no") or meaning == "stop"


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(model_check)
    return app


def test_the_command_prints_what_was_checked() -> None:
    options = ["outbound-sales", "--config", str(TOP / "config"), "--agents", str(TOP / "agents"), "--processes", "1"]
    result = CliRunner().invoke(_app(), [*options, "--states", "200", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["ok"] is True
    assert printed["states"] == sum(scene["states"] for scene in printed["scenes"]) >= 200
    assert set(printed["promises"]) == set(PROMISES)
    result = CliRunner().invoke(_app(), [*options, "--states", "200"])
    assert "holds " in result.stdout
    assert "0 of" in result.stdout


def test_scenes_side_by_side_find_what_they_find_one_by_one() -> None:
    """The states have the same names in every process: nothing of this process is in them."""
    told: list[int] = []
    alone = check(shipped(), states=300, processes=1)
    together = check(shipped(), states=300, processes=2, progress=told.append)
    assert [item.found for item in together.scenes] == [item.found for item in alone.scenes]
    assert told


def test_a_call_that_goes_in_circles_is_found() -> None:
    """The ladder of silence without its last rung and without a limit: the agent would ask for ever."""
    policy = shipped().policy.policy
    circle = msgspec.structs.replace(policy.silence, ladder=policy.silence.ladder[:1], times_per_call=0)
    release = with_policy({"silence": circle})
    scene = scenes(cast_of(release))[0]
    found = Search(cast_of(release), scene, 30).run()
    assert "ends" in {path.broken for path in found.paths}


def test_every_timer_of_the_kernel_can_fire() -> None:
    assert set(stepping._TIMERS) <= {*TIMERS, *WHOLE_CALL}
