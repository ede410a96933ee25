"""A language model that hangs, dribbles, breaks off, fails or asks with broken arguments: the caller always hears
something, the call always ends, nothing is booked that was not agreed to, and the ledger holds all of it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.server import House, Tongue, hello, open_house

from voicewarden.model.event import ActionRequested, CallEnded, Event, ModelFaltered, ReceiptReturned
from voicewarden.rehearsal.carrier import Line, SimulatedCall
from voicewarden.rehearsal.scripted_model import Pace

FAULTS = {"hang": "timeout", "dribble": "stalled", "cut": "error", "http_500": "error"}
UNKNOWN = "scripted+nonsense"
LIMITS = {
    "VOICEWARDEN_MODEL_FIRST_TOKEN_MS": "700", "VOICEWARDEN_MODEL_FIRST_SENTENCE_MS": "1500",
    "VOICEWARDEN_MODEL_IDLE_MS": "500",
}  # fmt: skip


@dataclass
class Over:
    """A call that has ended."""

    reason: str
    line: SimulatedCall
    events: list[Event]
    said: list[str]

    def of(self, kind: type) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


async def patient(line: Line, tongue: Tongue) -> None:
    """Agree to talk, wait for whatever comes, try once more, and leave when the agent has nothing to say."""
    await hello(line, tongue)
    await line.say(tongue.say("Yes, Tuesday at three works for me."))
    await line.agent_finished(silence_ms=400, timeout_ms=5_000)
    await line.say(tongue.say("Yes, book it please."))
    await line.agent_finished(silence_ms=400, timeout_ms=5_000)
    await line.say(tongue.say("No, thank you. Goodbye."))
    await line.wait(3_000)
    await line.hang_up()


async def play(house: House, number: int, model: str) -> Over:
    """One call with a model that fails in its own way."""
    call = await house.place(patient, number=f"+1555555{200 + number:04d}", model=model)
    reason = await house.end(call)
    line = house.line(call)
    assert line is not None
    return Over(reason, line, house.events[call], house.speech.said)


async def play_all(folder: Path) -> dict[str, Over]:
    """Every fault in a call of its own, all at once; verified and replayed afterwards."""
    models = [*(f"scripted/booking+{fault}" for fault in FAULTS), "scripted/booking+hang@2", UNKNOWN]
    models += ["scripted/booking+bad_args", "http://127.0.0.1:1/v1#nobody"]
    async with open_house(folder, environment=LIMITS, pace=Pace(dribble_ms=2_000)) as house:
        played = await asyncio.gather(*(play(house, at, model) for at, model in enumerate(models)))
    return dict(zip((model.rpartition("/")[2] for model in models), played, strict=True))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Over]:
    """The calls, when all of them are over."""
    return asyncio.run(play_all(tmp_path_factory.mktemp("house")))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_always_fails_ends_the_call_with_the_safe_line(calls: dict[str, Over], fault: str) -> None:
    over = calls[f"booking+{fault}"]
    faltered = [event for event in over.of(ModelFaltered) if isinstance(event, ModelFaltered)]
    assert {event.what for event in faltered} <= {FAULTS[fault], "timeout", "stalled"} and faltered
    assert over.reason in ("model_failed", "agent_ended")
    assert over.line.status == "completed"


def test_a_model_that_nobody_serves_ends_the_call_with_the_safe_line(calls: dict[str, Over]) -> None:
    for name in ("v1#nobody", UNKNOWN):
        over = calls[name]
        assert over.reason == "model_failed"
        assert all(isinstance(event, ModelFaltered) and event.what == "error" for event in over.of(ModelFaltered))


def test_a_model_that_hangs_once_costs_an_apology_and_not_the_call(calls: dict[str, Over]) -> None:
    over = calls["booking+hang@2"]
    assert [event.what for event in over.of(ModelFaltered) if isinstance(event, ModelFaltered)] == ["timeout"]
    assert "I am sorry, something went wrong on our side." in over.said
    assert over.reason != "model_failed"


def test_broken_arguments_are_answered_and_nothing_is_asked_of_the_kernel(calls: dict[str, Over]) -> None:
    over = calls["booking+bad_args"]
    assert "invalid_arguments" in [e.what for e in over.of(ModelFaltered) if isinstance(e, ModelFaltered)]
    booked = [event for event in over.of(ActionRequested) if isinstance(event, ActionRequested)]
    assert all(event.args for event in booked if event.action == "book")


def test_no_call_with_a_failing_model_books_without_a_yes_and_each_ends_once(calls: dict[str, Over]) -> None:
    for name, over in calls.items():
        assert len(over.of(CallEnded)) == 1, name
        assert isinstance(over.events[-1], CallEnded), name
        assert not over.line.errors, (name, over.line.errors)
        done = [event for event in over.of(ReceiptReturned) if isinstance(event, ReceiptReturned)]
        assert all(event.outcome == "done" for event in done), name
