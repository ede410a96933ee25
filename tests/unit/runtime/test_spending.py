"""Seals and spending: a grant is spent at most once, by the call that minted it, and only as it was minted (law 6)."""

import asyncio

import msgspec
import pytest
from tests.fakes.chain import make_grant
from tests.fakes.journal import FakeBurner

from voicewarden.kernel.standing import objection
from voicewarden.kernel.state import GrantPart, Identity, OpenGrant, State
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
from voicewarden.runtime.burning import MemoryBurner
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.spending import SealedGrant

SEALER = Sealer(bytes(range(32)))
GRANT = make_grant("c1", 7, "book", {"service": "haircut"})


class Agreeable:
    """Authority that has nothing against a grant until it is told so."""

    def __init__(self) -> None:
        self.against = ""

    def objection(self, grant: Grant) -> str:
        """What was told."""
        return self.against


def sealed(
    grant: Grant = GRANT, *, seal: bytes | None = None, burner: FakeBurner | None = None,
    authority: Agreeable | None = None,
) -> SealedGrant:
    """A grant in somebody's hands."""
    found = SEALER.seal(grant) if seal is None else seal
    return SealedGrant(grant, found, SEALER, burner or FakeBurner(), authority or Agreeable())


async def test_burn_and_start_give_the_arguments() -> None:
    spending = sealed()
    await spending.burn()
    assert spending.start() == {"service": "haircut"}


async def test_nothing_starts_before_it_was_burnt() -> None:
    with pytest.raises(GrantRefused, match="burnt first"):
        sealed().start()


async def test_a_burnt_grant_starts_one_effect_only() -> None:
    spending = sealed()
    await spending.burn()
    spending.start()
    with pytest.raises(GrantRefused, match="one effect"):
        spending.start()


async def test_a_grant_is_burnt_once() -> None:
    spending = sealed()
    await spending.burn()
    with pytest.raises(GrantRefused, match="spent before"):
        await spending.burn()


async def test_a_replayed_grant_is_refused() -> None:
    burner = FakeBurner()
    await sealed(burner=burner).burn()
    replayed = sealed(burner=burner)
    with pytest.raises(GrantRefused, match="spent before"):
        await replayed.burn()
    with pytest.raises(GrantRefused):
        replayed.start()


async def test_two_who_burn_at_the_same_time_are_one() -> None:
    burner = FakeBurner()
    burner.hold = asyncio.Event()
    both = [asyncio.ensure_future(sealed(burner=burner).burn()) for _ in range(2)]
    await asyncio.sleep(0)
    burner.hold.set()
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["GrantRefused", "NoneType"]


@pytest.mark.parametrize(
    "change",
    [{"args": {"service": "everything"}}, {"action": "transfer"}, {"expires_at_ms": 10**9}, {"call": "c2"},
     {"version": 99}, {"principal": "closing"}, {"digest": "0" * 64}, {"escape": True}],
)  # fmt: skip
async def test_an_altered_grant_is_refused_and_not_burnt(change: dict[str, object]) -> None:
    burner = FakeBurner()
    spending = sealed(msgspec.structs.replace(GRANT, **change), seal=SEALER.seal(GRANT), burner=burner)
    with pytest.raises(GrantRefused, match="seal"):
        await spending.burn()
    assert burner.burnt == []


async def test_a_grant_of_another_process_is_refused() -> None:
    with pytest.raises(GrantRefused, match="seal"):
        await sealed(seal=Sealer(bytes(32)).seal(GRANT)).burn()


async def test_an_objection_before_the_burn_keeps_the_grant_whole() -> None:
    burner, authority = FakeBurner(), Agreeable()
    authority.against = "authority was lowered since"
    with pytest.raises(GrantRefused, match="lowered"):
        await sealed(burner=burner, authority=authority).burn()
    assert burner.burnt == []


async def test_an_objection_after_the_burn_keeps_the_effect_from_starting() -> None:
    authority = Agreeable()
    spending = sealed(authority=authority)
    await spending.burn()
    authority.against = "authority was lowered since"
    with pytest.raises(GrantRefused, match="lowered"):
        spending.start()


def test_a_key_of_the_wrong_length_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"32 bytes.*voicewarden keys"):
        Sealer(b"short")


def test_seals_of_different_grants_differ() -> None:
    other = msgspec.structs.replace(GRANT, seq=8)
    assert SEALER.seal(GRANT) != SEALER.seal(other)
    assert SEALER.holds(GRANT, SEALER.seal(GRANT)) and not SEALER.holds(other, SEALER.seal(GRANT))


async def test_arguments_that_change_after_the_burn_start_nothing() -> None:
    grant = make_grant("c1", 7, "book", {"service": "haircut"})
    spending = sealed(grant)
    await spending.burn()
    grant.args["service"] = "everything"
    with pytest.raises(GrantRefused, match="altered after"):
        spending.start()


async def test_what_start_gives_is_nobody_elses() -> None:
    grant = make_grant("c1", 7, "book", {"service": "haircut"})
    spending = sealed(grant)
    await spending.burn()
    args = spending.start()
    grant.args["service"] = "everything"
    assert args == {"service": "haircut"}


@pytest.mark.parametrize("args", [{"n": 1}, {"n": True}, {"n": "1"}, {"m": 1}, {}, {"n": 1, "m": 1}], ids=repr)
def test_seals_tell_types_and_names_apart(args: dict[str, str | int | bool]) -> None:
    one = msgspec.structs.replace(GRANT, args={"n": 1})
    assert SEALER.holds(msgspec.structs.replace(GRANT, args=args), SEALER.seal(one)) is (repr(args) == "{'n': 1}")


def test_the_order_of_arguments_does_not_matter() -> None:
    one = msgspec.structs.replace(GRANT, args={"a": 1, "b": 2})
    assert SEALER.holds(msgspec.structs.replace(GRANT, args={"b": 2, "a": 1}), SEALER.seal(one))


@pytest.mark.parametrize("seal", [b"", b"\0" * 32, SEALER.seal(GRANT)[:-1], SEALER.seal(GRANT) + b"\0"])
def test_a_seal_is_whole(seal: bytes) -> None:
    assert not SEALER.holds(GRANT, seal)


async def test_a_burner_in_memory_burns_once() -> None:
    burner = MemoryBurner()
    assert [await burner.burn(GRANT), await burner.burn(GRANT)] == [True, False]


def open_state(grant: Grant, **identity: object) -> State:
    """The state of a call that holds this grant open."""
    opened = OpenGrant(grant=grant, request="r", answered=False, handed=True)
    return State(
        version=grant.version,
        identity=msgspec.structs.replace(Identity(call="c1", epoch=grant.epoch), **identity),
        grants=GrantPart(open={grant.id: opened}),
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [({}, ""), ({"call": "c2"}, "another call"), ({"policy": "q"}, "another policy"), ({"now_ms": 30_000}, "expired"),
     ({"now_ms": 29_999}, ""), ({"grant": {"version": 0}}, "lowered"), ({"grant": {"epoch": 0}}, "moved on"),
     ({"grant": {"id": "c1/8"}}, "no such grant"), ({"grant": {"args": {}}}, "no such grant"),
     ({"identity": {"ended": True}}, "is over"), ({"identity": {"fault": "lease_lost"}}, "lease_lost"),
     ({"identity": {"epoch": 5}}, "moved on")],
    ids=repr,
)  # fmt: skip
def test_every_objection(changed: dict[str, object], words: str) -> None:
    """Law 6: what is looked at again, once before the burn and once after it."""
    fields = {"call": "c1", "policy": "p", "now_ms": 0, **changed}
    altered, identity = fields.pop("grant", {}), fields.pop("identity", {})
    grant = msgspec.structs.replace(GRANT, **altered)  # type: ignore[arg-type]
    found = objection(grant, state=open_state(GRANT, **identity), **fields)  # type: ignore[arg-type]
    assert (words in found) if words else found == ""


def test_a_grant_that_was_closed_is_void() -> None:
    state = msgspec.structs.replace(open_state(GRANT), grants=GrantPart())
    assert objection(GRANT, call="c1", state=state, policy="p", now_ms=0) == "the call holds no such grant open"


async def test_arguments_that_change_before_the_seal_are_not_spent() -> None:
    """The dictionary of a request is shared until it is sealed; its digest was decided on."""
    grant = make_grant("c1", 7, "book", {"service": "haircut"})
    grant.args["service"] = "everything"
    burner = FakeBurner()
    with pytest.raises(GrantRefused, match="decided on"):
        await sealed(grant, burner=burner).burn()
    assert burner.burnt == []
