"""Limits over a window in a running call: the kernel knows the counts in time, and the burn has the last word."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest
from tests.fakes.journal import NOW, FakeEffector
from tests.fakes.rig import FACTS, shipped, with_policy

from voicewarden.contacts import Counts
from voicewarden.kernel.release import Compiled
from voicewarden.ledger import Ledger, verify
from voicewarden.model import event as events
from voicewarden.model.error import LedgerBroken
from voicewarden.model.ports import Effector, Receipt, Spending
from voicewarden.policy.ast import Limit
from voicewarden.rehearsal.virtual_time import VirtualTime
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.runtime.burning import LedgerBurner
from voicewarden.runtime.counting import CallCounts, caps_of
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.seal import Sealer

DAY = 86_400
TODAY = 1_790_000_000_000
PERSON = Limit(id="look_up.limits.1", at_most=2, otherwise="deny", per="person", in_s=DAY)
CAMPAIGN = Limit(id="look_up.limits.2", at_most=3, otherwise="deny", per="campaign", in_s=DAY)
AGENT = Limit(id="look_up.limits.3", at_most=9, otherwise="deny", per="agent", in_s=DAY)


def limited(*limits: Limit) -> Compiled:
    """The shipped release with limits on its harmless action."""
    actions = shipped().data.policy.actions
    look_up = msgspec.structs.replace(actions["look_up"], limits=limits)
    return with_policy({"actions": {**actions, "look_up": look_up}})


class Refusing:
    """An effector that starts and is turned down by the world, once `hold` lets it."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def spend(self, spending: Spending) -> Receipt:
        """No."""
        await spending.burn()
        spending.start()
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        return Receipt("refused", {"why": "closed"})


class House:
    """Several calls on one ledger, under one release, on a day that can be chosen."""

    def __init__(self, ledger: Ledger, release: Compiled) -> None:
        self.ledger = ledger
        self.release = release
        self.today = TODAY
        self.diary: list[str] = []
        self.effector: Effector = FakeEffector(self.diary)
        self.loops: list[CallLoop] = []

    def call(self, name: str, *, contact: str = "k", campaign: str = "", agent: str = "booking") -> CallLoop:
        """A call that was answered."""
        counting = CallCounts(self.release, Counts(self.ledger), now_unix_ms=lambda: self.today)
        loop = CallLoop(
            name, self.release, journal=self.ledger, burner=LedgerBurner(self.ledger, counting.claims),
            sealer=Sealer(bytes(range(32))), effectors=self._effectors, scheduler=VirtualTime(), counting=counting,
        )  # fmt: skip
        facts = {**FACTS, "campaign": campaign} if campaign else FACTS
        loop.post(
            events.CallStarted(
                at_ms=0, call=name, agent=agent, direction="inbound", contact=contact, stage="bounded", epoch=0,
                release=self.release.hash, started_unix_ms=self.today, facts=facts,
            )
        )  # fmt: skip
        loop.post(events.CallAnswered(at_ms=NOW))
        self.loops.append(loop)
        return loop

    def _effectors(self, _: object) -> Mapping[str, Effector]:
        return {"look_up": self.effector}

    async def look_up(self, loop: CallLoop, request: str = "r") -> str:
        """Ask for the limited action; returns how it ended: a verdict, or the outcome of its effect."""
        self.ask(loop, request)
        await loop.quiet()
        await asyncio.to_thread(self.ledger.flush)
        bodies = [msgspec.json.decode(record.body) for record in self.ledger.read_stream(loop.stream)]
        receipts = [body["outcome"] for body in bodies if body.get("event") == "ReceiptReturned"]
        verdict = [body["verdict"] for body in bodies if "verdict" in body][-1]
        return str(receipts[-1] if verdict == "allow" else verdict)

    def ask(self, loop: CallLoop, request: str = "r") -> None:
        """Ask for the limited action."""
        principal = loop.state.identity.agent
        loop.post(
            events.ActionRequested(
                at_ms=NOW, request=request, action="look_up", args={"what": "quote"}, principal=principal
            )
        )


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def counted(loop: CallLoop, limit: Limit = PERSON) -> object:
    """What the kernel knows of a limit."""
    fact = loop.state.facts.get(limit.counted)
    return None if fact is None else fact.value


async def test_a_call_starts_with_the_counts_of_its_subject(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON, CAMPAIGN, AGENT))
    first = house.call("a", campaign="spring")
    assert [counted(first, limit) for limit in (PERSON, CAMPAIGN, AGENT)] == [0, 0, 0]
    assert await house.look_up(first) == "done"
    second = house.call("b", campaign="spring", contact="other")
    assert [counted(second, limit) for limit in (PERSON, CAMPAIGN, AGENT)] == [0, 1, 1]
    third = house.call("c", agent="closing")
    assert [counted(third, limit) for limit in (PERSON, CAMPAIGN, AGENT)] == [1, 0, 0]


async def test_over_all_calls_no_more_than_the_limit(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    outcomes = [await house.look_up(house.call(name)) for name in "abcd"]
    assert outcomes == ["done", "done", "deny", "deny"]
    assert await house.look_up(house.call("e", contact="other")) == "done"
    house.today += DAY * 1000
    assert await house.look_up(house.call("f")) == "done"
    assert verify(ledger).ok


async def test_ones_own_grants_are_counted_once(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    loop = house.call("a")
    assert [await house.look_up(loop, f"r{n}") for n in range(3)] == ["done", "done", "deny"]
    assert counted(loop) == 0


async def test_a_request_is_decided_by_fresh_counts(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    early = house.call("early")
    for name in "ab":
        await house.look_up(house.call(name))
    assert counted(early) == 0
    assert await house.look_up(early) == "deny"
    assert counted(early) == 2


async def test_of_calls_that_race_for_the_last_place_one_wins(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    loops = [house.call(name) for name in "abcdef"]
    for loop in loops:
        house.ask(loop)
    for loop in loops:
        await loop.quiet()
    assert house.diary == ["effect look_up"] * 2
    losers = [loop for loop in loops if loop.state.grants.minted["look_up"] == 0]
    assert len(losers) == 4
    for loop in losers:
        assert counted(loop) == 2, "the kernel is told before it gives the count back"
    await asyncio.to_thread(ledger.flush)
    bodies = [record.body for loop in losers for record in ledger.read_stream(loop.stream)]
    refused = [body for body in bodies if b"ReceiptReturned" in body]
    assert all(b"look_up.person.86400 is full by now" in body and b'"outcome":"refused"' in body for body in refused)
    told = [index for index, body in enumerate(bodies) if b"CountReserved" in body or b"ReceiptReturned" in body]
    assert b"ReceiptReturned" in bodies[told[-1]] and b'"used":2' in bodies[told[-2]]
    assert verify(ledger).ok


async def test_an_effect_that_was_refused_gives_its_place_back(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    house.effector = Refusing()
    for name in "abc":
        assert await house.look_up(house.call(name)) == "refused"
    house.effector = FakeEffector(house.diary)
    assert [await house.look_up(house.call(name)) for name in "def"] == ["done", "done", "deny"]
    assert verify(ledger) == (True, verify(ledger).records, (), verify(ledger).notes)
    assert not [note for note in verify(ledger).notes if "place" in note.what]


async def test_an_effect_whose_outcome_is_unknown_keeps_its_place(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    effector = FakeEffector(house.diary)
    effector.fault = OSError("the line broke")
    house.effector = effector
    assert [await house.look_up(house.call(name)) for name in "abc"] == ["unknown", "unknown", "deny"]


async def test_authority_that_falls_during_the_burn_gives_the_place_back(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    loop = house.call("a")
    house.ask(loop)
    for _ in range(20):
        # Somewhere between the request and the start of the effect, wherever the writer is by then.
        await asyncio.sleep(0)
        if house.diary:
            break
    loop.post(events.AuthorityTightened(at_ms=NOW, stage="assist", epoch=0, operator="o"))
    await loop.quiet()
    await asyncio.to_thread(ledger.flush)
    assert ledger.counted(["person:look_up:k"], 0) == len(house.diary)
    assert verify(ledger).ok


async def test_a_receipt_after_the_end_gives_nothing_back(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    effector = Refusing()
    effector.hold = asyncio.Event()
    house.effector = effector
    loop = house.call("a")
    house.ask(loop)
    await effector.began.wait()
    loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    effector.hold.set()
    await loop.quiet()
    await asyncio.to_thread(ledger.flush)
    assert ledger.counted(["person:look_up:k"], 0) == 1
    assert verify(ledger).ok


async def test_a_role_that_takes_over_brings_its_own_counts(ledger: Ledger) -> None:
    house = House(ledger, limited(AGENT))
    for name in "ab":
        await house.look_up(house.call(name, agent="closing"))
    loop = house.call("c")
    assert counted(loop, AGENT) == 0
    loop.post(
        events.ActionRequested(
            at_ms=NOW, request="h", action="hand_over", args={"to": "closing"}, principal="booking"
        )
    )
    assert loop.state.identity.agent == "closing"
    assert counted(loop, AGENT) == 2
    assert await house.look_up(loop) == "done"
    assert ledger.counted(["agent:look_up:closing"], 0) == 3


async def test_without_anybody_who_counts_the_limit_is_not_met(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON))
    loop = house.call("a")
    loop._counting = None
    other = CallLoop(
        "b", house.release, journal=ledger, burner=LedgerBurner(ledger), sealer=Sealer(bytes(32)),
        effectors=house._effectors, scheduler=VirtualTime(),
    )  # fmt: skip
    other.post(
        events.CallStarted(
            at_ms=0, call="b", agent="booking", direction="inbound", contact="k", stage="bounded", epoch=0,
            release=house.release.hash, started_unix_ms=0, facts=FACTS,
        )
    )  # fmt: skip
    assert await house.look_up(other) == "deny"


async def test_counts_that_can_t_be_read_deny(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise LedgerBroken("the ledger can't be read (injected)")

    house = House(ledger, limited(PERSON))
    monkeypatch.setattr(Ledger, "counted", broken)
    assert await house.look_up(house.call("a")) == "deny"


async def test_limits_that_only_log_are_counted_and_let_everything_pass(ledger: Ledger) -> None:
    house = House(ledger, limited(msgspec.structs.replace(PERSON, at_most=1, shadow=True)))
    loops = [house.call(name) for name in "abc"]
    for loop in loops:
        house.ask(loop)
    for loop in loops:
        await loop.quiet()
    assert house.diary == ["effect look_up"] * 3
    assert counted(house.call("d")) == 1, "more than the limit are not looked for"
    assert ledger.counted(["person:look_up:k"], 0) == 3


async def test_a_policy_without_such_limits_posts_nothing(ledger: Ledger) -> None:
    house = House(ledger, shipped())
    assert caps_of(house.release) == ()
    loop = house.call("a")
    assert await house.look_up(loop) == "done"
    assert not [record for record in ledger.read_stream("call:a") if b"CountReserved" in record.body]


async def test_limits_of_a_policy_in_the_shadow_are_counted_and_never_refuse() -> None:
    shadow = limited(PERSON, CAMPAIGN).data.policy
    release = Compiled(msgspec.structs.replace(limited(PERSON).data, shadow=shadow))
    caps = [(cap.limit, cap.is_enforced) for cap in caps_of(release)]
    assert caps == [(PERSON.window, True), (CAMPAIGN.window, False)]


async def test_a_call_with_counts_replays_without_a_ledger(ledger: Ledger) -> None:
    house = House(ledger, limited(PERSON, AGENT))
    await house.look_up(house.call("a"))
    loop = house.call("b")
    await house.look_up(loop)
    loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    await asyncio.to_thread(ledger.flush)
    releases = Releases(lambda name: b"")
    releases._compiled[house.release.hash] = house.release
    replayed = replay_call(ledger.read_stream("call:b"), releases)
    assert replayed.difference is None
    assert sum(b"CountReserved" in record.body for record in ledger.read_stream("call:b")) == 2
