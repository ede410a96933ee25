"""Each effector does its one thing, from configuration and never from what a model made up."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.fakes.effect import FakeCarrier, FakePlayout, FakeSpending

from voicewarden.effectors import Effectors
from voicewarden.effectors.calendar_store import CalendarStore
from voicewarden.effectors.callback import Callback
from voicewarden.effectors.commitment import Commitment
from voicewarden.effectors.dial import Dial
from voicewarden.effectors.look_up import LookUp
from voicewarden.effectors.message import Message
from voicewarden.effectors.transfer import Transfer
from voicewarden.effectors.voicemail import Voicemail
from voicewarden.model.action import Arguments
from voicewarden.model.error import ConfigError, GrantRefused
from voicewarden.model.ports import Effector, Receipt

ZONE = ZoneInfo("America/New_York")
NUMBER = "+14155550123"


async def test_a_transfer_brings_the_carriers_receipt() -> None:
    carrier = FakeCarrier()
    transfer = Transfer(carrier, ["sales", "support"])
    assert await transfer.spend(FakeSpending("transfer", {"desk": "sales"})) == carrier.answer
    carrier.answer = Receipt("failed", {"why": "busy"})
    assert (await transfer.spend(FakeSpending("transfer", {"desk": "support"}))).outcome == "failed"
    assert carrier.asked == [("transfer", "one", "sales"), ("transfer", "one", "support")]


@pytest.mark.parametrize("args", [{"desk": NUMBER}, {}, {"desk": "sales ", "number": NUMBER}])
async def test_a_transfer_goes_to_a_configured_desk_only(args: Arguments) -> None:
    carrier = FakeCarrier()
    receipt = await Transfer(carrier, ["sales"]).spend(FakeSpending("transfer", args))
    assert receipt == Receipt("refused", {"invalid": "desk"})
    assert carrier.asked == []


async def test_a_message_has_the_approved_words() -> None:
    carrier = FakeCarrier()
    message = Message(carrier, {"confirmation": "It is booked."})
    spending = FakeSpending("send_message", {"template": "confirmation", "text": "Buy now!"})
    assert (await message.spend(spending)).detail == {"message": "SM-one", "template": "confirmation"}
    assert carrier.asked == [("send_text", "one", "It is booked.")]
    other = await message.spend(FakeSpending("send_message", {"template": "Buy now!"}))
    assert other == Receipt("refused", {"invalid": "template"})
    assert len(carrier.asked) == 1


async def test_dialling_takes_the_number_from_the_resolver() -> None:
    carrier = FakeCarrier()
    dial = Dial(carrier, {"one": NUMBER}.get)
    receipt = await dial.spend(FakeSpending("place_call", {"number": "+19005550100"}))
    assert receipt == Receipt("done", {"carrier_call": "CA-one"})
    assert carrier.asked == [("dial", "one", NUMBER)]
    assert (await dial.spend(FakeSpending("place_call", call="two"))).outcome == "failed"
    assert len(carrier.asked) == 1


async def test_a_look_up_gives_the_releases_answer() -> None:
    look_up = LookUp({"quote": {"price": "45 dollars"}})
    assert await look_up.spend(FakeSpending("look_up", {"what": "quote"})) == Receipt("done", {"price": "45 dollars"})
    assert (await look_up.spend(FakeSpending("look_up", {"what": "secrets"}))).outcome == "refused"


async def test_a_voicemail_is_done_when_all_of_it_was_played() -> None:
    for whole, outcome in ((True, "done"), (False, "unknown")):
        playout = FakePlayout(whole=whole)
        receipt = await Voicemail(lambda _, p=playout: p, "Hello.").spend(FakeSpending("leave_voicemail"))
        assert (receipt.outcome, playout.said) == (outcome, ["Hello."])


async def test_a_call_back_is_a_task_in_the_calendar(tmp_path: Path) -> None:
    store = CalendarStore(tmp_path)
    slots = {"tomorrow_morning": "tomorrow morning", "2026-12-02T10:00": "on Wednesday at ten"}
    callback = Callback(store, slots, ZONE)
    for seq, when in enumerate(("tomorrow_morning", "2026-12-02T10:00", "2026-12-02T10:00")):
        receipt = await callback.spend(FakeSpending("schedule_callback", {"when": when}, seq=min(seq, 1)))
        assert receipt.outcome == "done"
    first, second = store.read().walk("VTODO")
    assert str(first["SUMMARY"]) == "Call back: tomorrow morning"
    assert "DUE" not in first
    assert second.decoded("DUE").isoformat() == "2026-12-02T15:00:00+00:00"
    refused = await callback.spend(FakeSpending("schedule_callback", {"when": "at midnight"}))
    assert refused == Receipt("refused", {"invalid": "when"})


async def test_a_commitment_is_written_once(tmp_path: Path) -> None:
    commitment = Commitment(tmp_path / "deep" / "commitments.jsonl")
    assert commitment.lines() == ()
    spend = lambda seq: commitment.spend(FakeSpending("advance_commitment", {"offer": "haircut"}, seq=seq))  # noqa: E731
    receipts = await asyncio.gather(*(spend(seq) for seq in (1, 2, 1, 3, 2, 1)))
    assert {receipt.outcome for receipt in receipts} == {"done"}
    assert sorted(line.grant for line in commitment.lines()) == ["one/1", "one/2", "one/3"]
    assert commitment.lines()[0].args == {"offer": "haircut"}


async def test_a_line_that_a_crash_cut_short_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "commitments.jsonl"
    commitment = Commitment(path)
    await commitment.spend(FakeSpending("advance_commitment", {"offer": "haircut"}, seq=1))
    path.write_bytes(path.read_bytes() + b'{"args":{"off')
    assert [line.grant for line in commitment.lines()] == ["one/1"]
    await commitment.spend(FakeSpending("advance_commitment", {"offer": "haircut"}, seq=2))
    assert [line.grant for line in commitment.lines()] == ["one/1", "one/2"]


async def test_a_commitment_that_can_not_be_written_is_failed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    commitment = Commitment(tmp_path / "file" / "commitments.jsonl")
    assert (await commitment.spend(FakeSpending("advance_commitment", {"offer": "haircut"}))).outcome == "failed"


async def test_a_voicemail_that_nobody_can_speak_is_failed() -> None:
    receipt = await Voicemail(lambda _: None, "Hello.").spend(FakeSpending("leave_voicemail"))
    assert receipt.outcome == "failed"


def every_effector(carrier: FakeCarrier, folder: Path) -> dict[str, tuple[Effector, Arguments]]:
    return {
        "transfer": (Transfer(carrier, ["sales"]), {"desk": "sales"}),
        "send_message": (Message(carrier, {"a": "text"}), {"template": "a"}),
        "place_call": (Dial(carrier, lambda _: NUMBER), {}),
        "look_up": (LookUp({"quote": {}}), {"what": "quote"}),
        "leave_voicemail": (Voicemail(lambda _: FakePlayout(), "Hello."), {}),
        "schedule_callback": (Callback(CalendarStore(folder), {"soon": "soon"}, ZONE), {"when": "soon"}),
        "advance_commitment": (Commitment(folder / "commitments.jsonl"), {"offer": "haircut"}),
    }


ACTIONS = sorted(every_effector(FakeCarrier(), Path("nowhere")))


@pytest.mark.parametrize("action", ACTIONS)
async def test_every_effector_burns_starts_and_acts_once(action: str, tmp_path: Path) -> None:
    effector, args = every_effector(FakeCarrier(), tmp_path)[action]
    spending = FakeSpending(action, args)
    assert (await effector.spend(spending)).outcome == "done"
    assert spending.diary == ["burn", "start"]
    with pytest.raises(GrantRefused):
        await effector.spend(spending)


@pytest.mark.parametrize("action", ACTIONS)
async def test_no_effector_acts_on_a_refused_grant(action: str, tmp_path: Path) -> None:
    carrier = FakeCarrier()
    effector, args = every_effector(carrier, tmp_path)[action]
    spending = FakeSpending(action, args)
    spending.starting = GrantRefused("void")
    with pytest.raises(GrantRefused):
        await effector.spend(spending)
    assert carrier.asked == []
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("action", ["transfer", "send_message", "place_call"])
async def test_a_failing_carrier_leaves_the_outcome_unknown(action: str, tmp_path: Path) -> None:
    carrier = FakeCarrier()
    carrier.failing = True
    effector, args = every_effector(carrier, tmp_path)[action]
    assert (await effector.spend(FakeSpending(action, args))).outcome == "unknown"


async def test_a_cancelled_transfer_keeps_its_receipt() -> None:
    reached = asyncio.Event()
    carrier = FakeCarrier(lambda _: reached.set())
    carrier.hold = asyncio.Event()
    running = asyncio.create_task(Transfer(carrier, ["sales"]).spend(FakeSpending("transfer", {"desk": "sales"})))
    await reached.wait()
    running.cancel()
    await asyncio.sleep(0)
    carrier.hold.set()
    assert await running == carrier.answer


def test_an_action_without_an_effector_is_named(tmp_path: Path) -> None:
    made: Callable[[], dict[str, tuple[Effector, Arguments]]] = lambda: every_effector(FakeCarrier(), tmp_path)  # noqa: E731
    effectors = Effectors({action: effector for action, (effector, _) in made().items()})
    assert sorted(effectors) == ACTIONS
    assert len(effectors) == len(ACTIONS)
    assert effectors.of("transfer") is effectors["transfer"]
    assert effectors.get("book") is None
    effectors.check(["transfer", "speak", "ask", "end_call", "hand_over"])
    with pytest.raises(ConfigError, match=r"book, notify.*transfer"):
        effectors.check(["transfer", "notify", "book"])
    with pytest.raises(ConfigError, match="book"):
        effectors.of("book")
