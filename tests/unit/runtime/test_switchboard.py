"""The switchboard: calls begin on record, are dialled only by a grant, and are over for everybody at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.effect import FakeCarrier
from tests.fakes.journal import FakeEffector, FakeVoice
from tests.fakes.rig import FACTS, shipped
from tests.fakes.sealed import open_vault

from voicewarden.contacts.register import Contacts
from voicewarden.ledger.forgetting import recordings_of
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.model import event as events
from voicewarden.model.error import LedgerError, LedgerFull
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.runtime import switchboard as board_module
from voicewarden.runtime.calls import Calls, LiveCall
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.switchboard import Switchboard

NUMBER = "+12025550123"


class Deployment:
    """A switchboard on a real ledger, with a carrier and effectors that only note what they are asked."""

    def __init__(self, ledger: Ledger, vault: Vault | None = None) -> None:
        self.ledger = ledger
        self.diary: list[str] = []
        self.effector = FakeEffector(self.diary)
        self.carrier = FakeCarrier()
        self.contacts = Contacts(ledger, pepper=b"p" * 32)
        self.calls = Calls()
        self.board = Switchboard(
            shipped(), ledger=ledger, contacts=self.contacts, sealer=Sealer(bytes(range(32))), calls=self.calls,
            carrier=self.carrier, effectors=lambda _: dict.fromkeys(("place_call", "look_up"), self.effector),
            vault=vault,
        )  # fmt: skip

    def open(self, **facts: bool) -> LiveCall:
        """A call of ours, not dialled yet."""
        return self.board.open_call(NUMBER, "booking", "outbound", {**FACTS, **facts})

    async def over(self) -> None:
        """Wait until every call is over and everything that its end leads to is done."""
        async with asyncio.timeout(10):
            for live in self.calls.live:
                await live.loop.ended.wait()
            while self.board._tasks:
                await asyncio.wait(tuple(self.board._tasks))


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        yield Deployment(ledger)


async def test_a_call_is_dialled_only_with_a_grant(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    live = deployment.open()
    deployment.board.dial(live)
    await live.loop.quiet()
    assert deployment.diary == ["effect place_call"]
    await deployment.board.close()


async def test_nobody_is_called_more_often_than_the_policy_allows(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    for _ in range(5):
        live = deployment.open()
        deployment.board.dial(live)
        await live.loop.quiet()
    await deployment.board.close()
    assert deployment.diary == ["effect place_call"] * 3


async def test_calls_that_are_placed_in_one_breath_are_counted_too(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    lives = []
    for _ in range(5):
        lives.append(deployment.open())
        deployment.board.dial(lives[-1])
    for live in lives:
        await live.loop.quiet()
    await deployment.board.close()
    assert deployment.diary.count("effect place_call") == 3


async def test_calls_that_were_opened_before_any_was_placed_are_counted_too(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    lives = [deployment.open() for _ in range(5)]
    for live in lives:
        deployment.board.dial(live)
    for live in lives:
        await live.loop.quiet()
    await deployment.board.close()
    assert deployment.diary.count("effect place_call") == 3


async def test_a_no_between_the_opening_and_the_dialling_is_heard(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    live = deployment.open()
    await deployment.contacts.record_opt_out(contact, call="other", unix_ms=2, how="words")
    deployment.board.dial(live)
    await live.loop.quiet()
    await deployment.board.close()
    assert deployment.diary == []


async def test_a_call_that_is_over_before_its_burn_is_not_dialled(deployment: Deployment) -> None:
    contact = deployment.contacts.contact_id(NUMBER)
    await deployment.contacts.record_consent(contact, "written", unix_ms=1, source="form")
    deployment.board.dial(deployment.open())
    await deployment.board.close()
    assert deployment.diary == []


async def test_a_new_call_starts_in_the_control_epoch_of_the_ledger(deployment: Deployment) -> None:
    old = deployment.open()
    await asyncio.to_thread(deployment.ledger.raise_epoch, 4)
    live = deployment.open()
    assert (old.loop.state.identity.epoch, live.loop.state.identity.epoch) == (0, 4)
    for item, outcome in ((old, b"refused"), (live, b"done")):
        item.loop.post(
            events.ActionRequested(
                at_ms=-1, request="r", action="look_up", args={"what": "quote"}, principal="booking"
            )
        )
        await item.loop.quiet()
        await asyncio.to_thread(deployment.ledger.flush)
        stream = deployment.ledger.read_stream(f"call:{item.id}")
        receipt = next(record for record in stream if b"ReceiptReturned" in record.body)
        assert b'"outcome":"' + outcome in receipt.body
    await deployment.board.close()


async def test_a_server_that_stops_lets_its_calls_say_goodbye(deployment: Deployment) -> None:
    live = deployment.open()
    voice = FakeVoice([])
    live.loop.attach(voice)
    live.loop.post(events.CallAnswered(at_ms=-1))
    await deployment.board.finish(within_s=0.01)
    assert live.loop.state.identity.ending == "paused"
    with pytest.raises(LedgerFull, match="stopping"):
        deployment.open()
    await deployment.board.close()
    assert live.loop.ended.is_set()


async def test_without_a_recorded_consent_nobody_is_dialled(deployment: Deployment) -> None:
    live = deployment.open()
    deployment.board.dial(live)
    await deployment.over()
    assert deployment.diary == []


async def test_a_call_that_may_not_be_dialled_is_over(deployment: Deployment) -> None:
    await deployment.contacts.record_opt_out(
        deployment.contacts.contact_id(NUMBER), call="earlier", unix_ms=1, how="call"
    )
    live = deployment.open()
    deployment.board.dial(live)
    await deployment.over()
    assert deployment.diary == []
    assert live.loop.state.identity.ending == "not_permitted"


async def test_an_opt_out_is_remembered_for_the_next_call(deployment: Deployment) -> None:
    live = deployment.open()
    live.loop.post(events.CallAnswered(at_ms=-1))
    live.loop.post(events.DtmfPressed(at_ms=-1, digit="9"))
    await deployment.board.close()
    facts = deployment.contacts.facts(live.contact, now_unix_ms=10**12)
    assert facts["opted_out"] is True


async def test_a_consent_is_no_good_for_a_number_where_somebody_else_answers(deployment: Deployment) -> None:
    live = deployment.open()
    await deployment.contacts.record_consent(live.contact, "written", unix_ms=1, source="form")
    live.loop.post(events.CallAnswered(at_ms=-1))
    live.loop.post(events.CallerStartedSpeaking(at_ms=-1, turn=1))
    words = tuple(events.Word(word, 900, 0, 1) for word in "you have the wrong number".split())
    live.loop.post(events.CallerSpoke(at_ms=-1, turn=1, text="you have the wrong number", words=words, speech_ms=900))
    await deployment.board.close()
    facts = deployment.contacts.facts(live.contact, now_unix_ms=10**12)
    assert (facts["contact.consent"], facts["opted_out"]) == ("none", False)


async def test_a_hang_up_reaches_the_carrier_and_ends_the_call(deployment: Deployment) -> None:
    live = deployment.open()
    voice = FakeVoice([])
    live.loop.attach(voice)
    live.loop.post(events.LeaseLost(at_ms=-1))
    await deployment.over()
    assert deployment.carrier.asked == [("hang_up", live.id)]
    assert live.loop.ended.is_set()
    assert voice.closed == 1


async def test_a_carrier_that_refuses_to_hang_up_does_not_keep_the_call(deployment: Deployment) -> None:
    deployment.carrier.failing = True
    live = deployment.open()
    live.loop.post(events.LeaseLost(at_ms=-1))
    await deployment.over()
    assert live.loop.ended.is_set()


async def test_closing_ends_every_call(deployment: Deployment) -> None:
    lives = [deployment.open() for _ in range(3)]
    await deployment.board.close()
    assert all(live.loop.ended.is_set() for live in lives)
    assert len(deployment.calls) == 0


async def test_what_was_recorded_replays(deployment: Deployment) -> None:
    live = deployment.open()
    live.loop.post(events.CallAnswered(at_ms=-1))
    live.loop.post(events.DtmfPressed(at_ms=-1, digit="9"))
    await deployment.board.close()
    await asyncio.to_thread(deployment.ledger.flush)
    releases = Releases(lambda name: b"")
    releases._compiled[shipped().hash] = shipped()
    replayed = replay_call(deployment.ledger.read_stream(f"call:{live.id}"), releases)
    assert replayed.difference is None
    assert replayed.events >= 4


async def test_no_number_stands_in_the_records(deployment: Deployment) -> None:
    live = deployment.open()
    await deployment.board.close()
    digits = NUMBER.removeprefix("+").encode()
    assert not [record for record in deployment.ledger.read_stream(f"call:{live.id}") if digits in record.body]
    assert NUMBER not in repr(live)


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_a_prepared_call_is_sealed_from_its_first_record(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        vault = open_vault(path)
        ledger.seal_with(vault)
        sealed = Deployment(ledger, vault)
        with pytest.raises(LedgerError, match="await `prepare`"):
            sealed.open()
        assert len(sealed.calls) == 0
        prepared = await sealed.board.prepare()
        assert prepared.keep_recording is not None
        live = sealed.board.open_call(NUMBER, "booking", "outbound", FACTS, prepared)
        assert live.id == prepared.id and vault.has(f"call:{live.id}", "words")
        blob = prepared.keep_recording(b"RIFF sound")
        live.loop.post(events.RecordingStored(at_ms=-1, blob=blob, from_ms=0, ms=9))
        live.loop.post(events.DtmfPressed(at_ms=-1, digit="9"))
        await sealed.board.close()
        await asyncio.to_thread(ledger.flush)
        records = list(ledger.read_stream(f"call:{live.id}"))
        digits = NUMBER.removeprefix("+").encode()
        assert records[0].stored and not any(digits in record.body + record.stored for record in records)
        assert b'"digit"' not in b"".join(record.stored for record in records)
        assert ledger.get_recording(live.id, blob) == b"RIFF sound"
        assert recordings_of(ledger, live.id) == (blob,)
        assert not any(digits in content for content in await asyncio.to_thread(contents, tmp_path))


async def test_a_call_whose_keys_can_not_be_kept_does_not_begin(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        vault = open_vault(path)
        board = Deployment(ledger, vault).board
        vault.close()
        with pytest.raises(LedgerError, match="keys can't be used"):
            await board.prepare()


async def test_too_many_calls_are_not_taken(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_CALLS", 1)
    deployment.open()
    with pytest.raises(LedgerFull, match="no new call"):
        deployment.open()
    await deployment.board.close()


def test_calls_are_found_by_both_names() -> None:
    calls = Calls()
    live = LiveCall("c1", "booking", "inbound", "k", NUMBER, loop=None)  # type: ignore[arg-type]
    calls.add(live)
    calls.name(live, "CA1")
    assert calls.get("c1") is live is calls.by_sid("CA1")
    assert (calls.live, len(calls)) == ((live,), 1)
    assert live.first_time("answered") and not live.first_time("answered")
    calls.remove(live)
    assert calls.get("c1") is None is calls.by_sid("CA1")
    calls.remove(live)
