"""Spending a grant: burn, start, act, in this order, and an outcome that nothing can lose."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes.effect import FakeSpending

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.error import GrantRefused, LedgerBroken
from voicewarden.model.ports import Receipt

DONE = Receipt("done", {"x": 1})


class Watched(FakeSpending):
    """A grant whose effect says when it begins."""

    def __init__(self, action: str, args: Arguments | None = None) -> None:
        super().__init__(action, args)
        self.acting = asyncio.Event()


def effect_of(spending: Watched, hold: asyncio.Event | None = None) -> Callable[[Arguments], Awaitable[Receipt]]:
    async def effect(args: Arguments) -> Receipt:
        spending.diary.append(f"effect {args}")
        spending.acting.set()
        if hold is not None:
            await hold.wait()
        spending.diary.append("end")
        return DONE

    return effect


async def test_the_order_is_burn_start_effect() -> None:
    spending = Watched("book", {"a": 1})
    assert await act(spending, effect_of(spending)) == DONE
    assert spending.diary == ["burn", "start", "effect {'a': 1}", "end"]


async def test_nothing_is_awaited_between_start_and_the_effect() -> None:
    spending = Watched("book")
    asyncio.get_running_loop().call_soon(spending.diary.append, "another task")
    await act(spending, effect_of(spending))
    start = spending.diary.index("start")
    assert spending.diary[start + 1].startswith("effect")


@pytest.mark.parametrize("where", ["burning", "starting"])
async def test_a_refused_grant_acts_on_nothing(where: str) -> None:
    spending = Watched("book")
    setattr(spending, where, GrantRefused("void"))
    with pytest.raises(GrantRefused):
        await act(spending, effect_of(spending))
    assert not any(entry.startswith("effect") for entry in spending.diary)


@pytest.mark.parametrize("where", ["burning", "starting"])
@pytest.mark.parametrize(("error", "why"), [(LedgerBroken("disk"), "disk"), (ValueError("private"), "ValueError")])
async def test_a_failure_before_the_start_is_failed(where: str, error: Exception, why: str) -> None:
    spending = Watched("book")
    setattr(spending, where, error)
    assert await act(spending, effect_of(spending)) == Receipt("failed", {"why": why})
    assert not any(entry.startswith("effect") for entry in spending.diary)


async def test_a_failure_after_the_start_is_unknown(caplog: pytest.LogCaptureFixture) -> None:
    async def effect(_: Arguments) -> Receipt:
        raise OSError("private words")

    assert await act(FakeSpending("book"), effect) == Receipt("unknown", {"why": "OSError"})
    assert "private words" not in caplog.text


async def test_a_grant_acts_once() -> None:
    spending = Watched("book")
    assert await act(spending, effect_of(spending)) == DONE
    with pytest.raises(GrantRefused):
        await act(spending, effect_of(spending))
    assert spending.diary.count("end") == 1


async def test_cancelling_in_the_middle_does_not_lose_the_outcome() -> None:
    spending, hold = Watched("book"), asyncio.Event()
    caller = asyncio.create_task(act(spending, effect_of(spending, hold)))
    await spending.acting.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    hold.set()
    assert await caller == DONE
    assert spending.diary[-1] == "end"


async def test_cancelling_twice_gives_up_with_an_unknown_outcome() -> None:
    spending, hold = Watched("book"), asyncio.Event()
    caller = asyncio.create_task(act(spending, effect_of(spending, hold)))
    await spending.acting.wait()
    for _ in range(2):
        caller.cancel()
        await asyncio.sleep(0)
    receipt = await caller
    assert receipt.outcome == "unknown"


async def test_cancelling_before_the_start_passes_through() -> None:
    spending = Watched("book")
    spending.hold = asyncio.Event()
    caller = asyncio.create_task(act(spending, effect_of(spending)))
    await spending.began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    spending.hold.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert spending.diary == ["burn"]


async def test_a_deadline_of_the_caller_still_gets_the_outcome() -> None:
    spending, hold = Watched("book"), asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, hold.set)
    async with asyncio.timeout(0.01):
        receipt = await act(spending, effect_of(spending, hold))
    assert receipt == DONE
