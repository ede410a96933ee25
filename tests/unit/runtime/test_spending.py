"""Seals and spending: a grant is spent at most once, by the call that minted it, and only as it was minted (law 6)."""

import asyncio

import msgspec
import pytest
from tests.fakes.chain import make_grant
from tests.fakes.journal import FakeBurner

from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
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
