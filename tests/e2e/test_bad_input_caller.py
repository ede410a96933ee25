"""Callers who make noise, talk over everything or can't be understood, and a voice that fails: nobody is left on a dead
line, and nothing is taken for an agreement.
"""

import functools
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.server import House, Tongue, hello, open_house

from voicewarden.cli import wiring
from voicewarden.model.event import (
    CallerSpoke,
    CallerTurnEnded,
    HearingFaltered,
    SentencePlayed,
    SentenceStarted,
    SpeechFaltered,
    TimerFired,
)
from voicewarden.pipeline.settings import LineSettings
from voicewarden.rehearsal.carrier import Line
from voicewarden.sensors.mulaw import Samples

SAFE = "I am sorry, I have a technical problem and must end this call. Goodbye."


def cough(ms: int = 500) -> Samples:
    """A loud noise without words."""
    burst = np.random.default_rng(7).normal(0, 5_000, ms * 8)
    return np.asarray(np.clip(burst, -20_000, 20_000), dtype=np.int16)


async def test_a_wordless_noise_over_the_agent_is_answered_with_the_sentence_it_cut(house: House) -> None:
    async def coughs(line: Line, tongue: Tongue) -> None:
        await hello(line, tongue)
        await line.say(tongue.say("What are your opening hours?"))
        await line.agent_started()
        await line.say(cough())
        await line.agent_finished(silence_ms=400)
        await line.hang_up()

    call = await house.place(coughs)
    assert await house.end(call) == "caller_left"
    cut = house.of(call, SentencePlayed, lambda event: not event.whole)
    assert cut, "the noise cut nobody off"
    assert house.of(call, CallerSpoke, lambda event: event.text == "")
    noise = house.of(call, CallerTurnEnded)[-1].at_ms
    after = [event for event in house.of(call, SentenceStarted) if event.at_ms >= noise]
    assert after, "nothing was said after the noise"
    said = house.speech.said
    assert max(map(said.count, said)) >= 2, "the cut sentence was not said again"
    line = house.line(call)
    assert line is not None
    assert line.entries("clear")


async def test_who_talks_over_everything_hears_the_keys_and_agrees_to_nothing(house: House) -> None:
    async def talks(line: Line, tongue: Tongue) -> None:
        for _ in range(7):
            await line.say(tongue.say("Well I was thinking about it"))
            await line.wait(240)
        await line.wait(1_000)
        await line.hang_up()

    call = await house.place(talks)
    assert await house.end(call) in ("caller_left", "answered_by_voicemail", "not_understood")
    assert not house.effects(call)


async def test_words_that_could_not_be_transcribed_are_not_silence_and_no_yes(house: House) -> None:
    async def unheard(line: Line, tongue: Tongue) -> None:
        await hello(line, tongue)
        await line.say(tongue.say("Yes, Tuesday at three works for me."))
        await line.agent_finished(silence_ms=400)
        tongue.unheard.add("Yes, book it please.")
        await line.say(tongue.say("Yes, book it please."))
        await line.agent_finished(silence_ms=400, timeout_ms=20_000)
        await line.hang_up()

    call = await house.place(unheard)
    assert await house.end(call) == "caller_left"
    kinds = [type(event) for event in house.of(call, (HearingFaltered, SentenceStarted, TimerFired))]
    # Answered by a sentence, not by the timer of a question that nobody seems to answer.
    assert kinds[kinds.index(HearingFaltered) + 1] is SentenceStarted
    assert not house.effects(call)


async def without_voice(folder: Path, *, hangs: bool) -> None:
    """A call in which nothing but the fixed lines can be spoken after the first answer."""
    async with open_house(folder) as house:

        async def talks(line: Line, tongue: Tongue) -> None:
            await hello(line, tongue)
            house.speech.hangs, house.speech.failures = hangs, 99
            for _ in range(3):
                await line.say(tongue.say("What are your opening hours?"))
                await line.agent_finished(silence_ms=400, timeout_ms=4_000)
            await line.wait(30_000)

        call = await house.place(talks)
        assert await house.end(call) == "speech_failed"
        assert house.of(call, SpeechFaltered)
        assert SAFE in house.speech.said
        assert not house.effects(call)


async def test_a_voice_that_is_gone_ends_the_call_and_every_sentence_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "LineSettings", functools.partial(LineSettings, render_deadline_ms=700))
    for hangs in (False, True):
        await without_voice(tmp_path / str(hangs), hangs=hangs)


async def test_a_voice_that_fails_once_costs_an_apology(house: House) -> None:
    async def talks(line: Line, tongue: Tongue) -> None:
        await hello(line, tongue)
        house.speech.failures = 1
        await line.say(tongue.say("What are your opening hours?"))
        await house.until(call, SpeechFaltered)
        await line.agent_finished(silence_ms=400)
        await line.say(tongue.say("No, thank you. Goodbye."))
        await line.wait(20_000)

    call = await house.place(talks)
    assert await house.end(call) == "agent_ended"
    assert "I am sorry, something went wrong on our side." in house.speech.said


async def test_a_stop_that_is_shouted_over_the_agent_ends_the_call_for_good(house: House) -> None:
    async def shouts(line: Line, tongue: Tongue) -> None:
        await hello(line, tongue)
        await line.say(tongue.say("What are your opening hours?"))
        await line.agent_started()
        await line.say(tongue.say("Please stop calling me."))
        await line.wait(20_000)

    call = await house.place(shouts)
    assert await house.end(call) == "opt_out"
    before = len(house.carrier.calls)
    again = await house.place(shouts)
    assert await house.end(again)
    assert len(house.carrier.calls) == before, "the number was dialled again"
