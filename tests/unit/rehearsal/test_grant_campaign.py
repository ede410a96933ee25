"""A slice of the campaign against grants, and proof that the campaign would notice."""

import json
import random
from pathlib import Path

import msgspec
import pytest

from voicewarden.config.release import load_release
from voicewarden.model.decision import Grant
from voicewarden.model.event import Event
from voicewarden.rehearsal.grant_campaign import interleaving, world
from voicewarden.rehearsal.grant_campaign.__main__ import Size, main, run
from voicewarden.rehearsal.grant_campaign.forging import KINDS, LOWERING, fresh, other_args, other_value
from voicewarden.rehearsal.grant_campaign.interleaving import interleave
from voicewarden.rehearsal.grant_campaign.world import World, open_to_all, try_out
from voicewarden.runtime.seal import Sealer

TOP = Path(__file__).resolve().parents[3]
RELEASE = open_to_all(load_release(TOP / "config", TOP / "agents", policy="outbound-sales", approved=False))


@pytest.fixture
def here() -> World:
    return World(RELEASE, random.Random(7))


@pytest.mark.parametrize("kind", KINDS)
def test_law_6_nothing_of_a_kind_is_accepted(here: World, kind: str) -> None:
    assert "" not in {try_out(KINDS[kind](here)) for _ in range(60)}


def test_fresh_grants_are_accepted(here: World) -> None:
    assert {try_out(fresh(here, here.there)) for _ in range(60)} == {""}


def test_law_6_no_interleaving_leads_to_a_stale_effect(here: World) -> None:
    found = interleave(here, 4_000, random.Random(8))
    assert found.ok
    assert 0 < found.lowered < found.n and 0 < found.effects < found.n


def test_every_field_of_a_grant_can_be_altered(here: World) -> None:
    for field in msgspec.structs.fields(Grant):
        for grant in here.pool:
            assert other_value(here, field.name, grant) != getattr(grant, field.name)


def test_altered_arguments_are_other_ones(here: World) -> None:
    for _ in range(500):
        grant = here.grant()
        assert repr(other_args(here, grant.args)) != repr(grant.args)


def test_a_whole_campaign_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--attempts", "640", "--controls", "60", "--interleavings", "500", "--top", str(TOP)]
    assert main([*options, "--races", "0"]) == 0
    assert "all that must be refused" in capsys.readouterr().out
    assert main([*options, "--races", "12", "--json", "--seed", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["accepted"], found["control"]) == (True, 0, {"n": 60, "refused": 0})
    assert found["attempts"] == 640 + 24 + 24 + 12 + 12
    assert set(KINDS) < set(found["kinds"])


def test_the_same_seed_tries_the_same() -> None:
    size = Size(attempts=64, controls=5, interleavings=100, races=0, seed=3)
    assert run(TOP, size) == run(TOP, size)


@pytest.mark.parametrize(
    ("without", "noticed"),
    [("seal", {"altered: arguments and digest", "seal: bits flipped", "seal: foreign key"}),
     ("authority", {"expired", "another call", "wrong epoch", "after: paused", "after: ended"}),
     ("burn", {"replayed by another holder"})],
)  # fmt: skip
def test_the_campaign_notices_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, without: str, noticed: set[str]
) -> None:
    if without != "authority":
        # Altered grants are caught twice, since the call knows what it holds open: take that away, too.
        usual = world.objection

        def forgetful(grant: Grant, **now: object) -> str:
            found = usual(grant, **now)  # type: ignore[arg-type]
            return "" if "no such grant" in found else found

        monkeypatch.setattr(world, "objection", forgetful)
    if without == "seal":
        monkeypatch.setattr(Sealer, "holds_over", lambda *_: True)
    elif without == "authority":
        monkeypatch.setattr(world, "objection", lambda *_, **__: "")
    else:

        async def always(*_: object) -> bool:
            return True

        monkeypatch.setattr(world.MemoryBurner, "burn", always)
    for kind in sorted(noticed):
        # A world of its own: what one kind has spent, another could not show to be accepted.
        fresh = World(RELEASE, random.Random(7))
        assert "" in {try_out(KINDS[kind](fresh)) for _ in range(40)}, kind


def test_interleavings_notice_a_check_that_is_missing(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "objection", lambda *_, **__: "")
    assert interleave(here, 500, random.Random(8)).stale > 0


def test_interleavings_notice_a_grant_that_is_lost(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "objection", lambda *_, **__: "no")
    assert interleave(here, 500, random.Random(8)).lost > 0


def test_interleavings_notice_a_burn_that_forgets(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleaving.HeldBurner, "__init__", lambda self, _, waits: _forget(self, waits))
    assert interleave(here, 800, random.Random(8)).double > 0


def _forget(burner: interleaving.HeldBurner, waits: int) -> None:
    burner._burnt, burner._waits = set(), waits


@pytest.mark.parametrize("event", LOWERING.values(), ids=list(LOWERING))
def test_what_is_said_to_lower_does(here: World, event: Event) -> None:
    grant = here.grant()
    assert here.here.moment().objection(grant) == ""
    here.here.happen(event)
    assert here.here.moment().objection(grant) != ""


@pytest.mark.parametrize("event", interleaving.HARMLESS.values(), ids=list(interleaving.HARMLESS))
def test_what_is_said_to_be_harmless_is(here: World, event: Event) -> None:
    here.here.happen(event)
    assert here.here.moment().objection(here.grant()) == ""
