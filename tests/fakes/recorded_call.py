"""A call for reports, made by the real kernel through the public API, with a voice that plays what it is told to."""

import io
import math
import wave
from array import array
from functools import cache
from pathlib import Path

from voicewarden.config.release import load_release
from voicewarden.embed import Call
from voicewarden.kernel.release import Compiled, encode_release
from voicewarden.kernel.step import Step
from voicewarden.ledger.store import Ledger
from voicewarden.model.action import Arguments
from voicewarden.model.decision import Grant
from voicewarden.model.directive import Speak, StopSpeaking
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    CallEnded,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    Event,
    GenerationEnded,
    ReceiptReturned,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    TokensReserved,
    TokensSpent,
    Word,
)
from voicewarden.model.record import Record

TOP = Path(__file__).resolve().parents[2]
MS_A_CHARACTER = 55


@cache
def _release() -> Compiled:
    return Compiled(load_release(TOP / "config", TOP / "agents", policy="outbound-sales", approved=False))


class SampleCall:
    """Drives a call: the agent's sentences are played one after another, the caller speaks between them."""

    def __init__(self, call: str = "sample-1", **facts: bool) -> None:
        self.release = _release()
        self.now_ms = 0
        self.turn = 0
        self.generation = 0
        self._queue: list[Speak] = []
        self.call = Call(
            self.release, call=call, agent="booking", direction="inbound", facts={"desk_open": True, **facts},
            started_unix_ms=1_795_000_000_000,
        )  # fmt: skip

    @property
    def records(self) -> list[Record]:
        """What was recorded."""
        return self.call.records

    def happen(self, event: Event) -> Step:
        """Something happens, and what the kernel wants said is queued."""
        taken = self.call.observe(event)
        for directive in taken.directives:
            if isinstance(directive, Speak):
                self._queue.append(directive)
            if isinstance(directive, StopSpeaking):
                self._queue.clear()
        return taken

    def answered(self) -> None:
        """The line is open and the opening is played."""
        self.now_ms += 400
        self.happen(CallAnswered(at_ms=self.now_ms))
        self.play()

    def play(self) -> None:
        """Play all that is queued to its end."""
        while self._queue:
            speak = self._queue.pop(0)
            self.now_ms += 250
            self.happen(SentenceStarted(at_ms=self.now_ms, sentence=speak.sentence))
            played_ms = len(speak.text) * MS_A_CHARACTER
            self.now_ms += played_ms
            self.happen(SentencePlayed(at_ms=self.now_ms, sentence=speak.sentence, played_ms=played_ms, whole=True))

    def cut(self) -> None:
        """The first queued sentence is broken off, the others are never heard."""
        heard_ms = 700
        for speak in tuple(self._queue):
            if heard_ms:
                self.happen(SentenceStarted(at_ms=self.now_ms, sentence=speak.sentence))
                self.now_ms += heard_ms
            self.happen(SentencePlayed(at_ms=self.now_ms, sentence=speak.sentence, played_ms=heard_ms, whole=False))
            heard_ms = 0
        self._queue.clear()

    def says(self, text: str, *permille: int | None) -> Step:
        """The caller says something; the last score stands for all words that have none of their own."""
        self.turn += 1
        self.now_ms += 600
        self.happen(CallerStartedSpeaking(at_ms=self.now_ms, turn=self.turn))
        words, began_ms = [], self.now_ms
        for index, word in enumerate(text.split()):
            score = permille[min(index, len(permille) - 1)] if permille else 930
            words.append(Word(word, score, self.now_ms, self.now_ms + 260))
            self.now_ms += 300
        if not words:
            self.now_ms += 500
        speech_ms = self.now_ms - began_ms
        self.happen(CallerStoppedSpeaking(at_ms=self.now_ms, turn=self.turn, speech_ms=speech_ms))
        self.now_ms += 200
        self.happen(
            CallerSpoke(at_ms=self.now_ms, turn=self.turn, text=text, words=tuple(words), speech_ms=speech_ms)
        )
        self.now_ms += 300
        return self.happen(CallerTurnEnded(at_ms=self.now_ms, turn=self.turn))

    def thinks(self, *sentences: str, action: str = "", args: Arguments | None = None) -> list[Grant]:
        """The model speaks and asks for an action; returns the grants."""
        self.generation += 1
        generation, grants = self.generation, []
        self.happen(TokensReserved(at_ms=self.now_ms, inference=generation, tokens=80))
        self.now_ms += 300
        for index, text in enumerate(sentences):
            name = f"m{generation}.{index + 1}"
            self.happen(
                SentenceProposed(at_ms=self.now_ms, sentence=name, generation=generation, turn=self.turn, text=text)
            )
        if action:
            asked = ActionRequested(
                at_ms=self.now_ms, request=f"call{generation}", action=action, args=args or {}, principal="booking",
                turn=self.turn,
            )  # fmt: skip
            grants += self.happen(asked).grants
        self.happen(TokensSpent(at_ms=self.now_ms, inference=generation, tokens=20))
        self.happen(GenerationEnded(at_ms=self.now_ms, generation=generation))
        return grants

    def done(self, grant: Grant) -> None:
        """An effect succeeded."""
        self.now_ms += 120
        self.happen(ReceiptReturned(at_ms=self.now_ms, grant=grant.id, outcome="done", detail={"uid": "event-7"}))

    def end(self) -> None:
        """The call is over."""
        self.now_ms += 300
        self.happen(CallEnded(at_ms=self.now_ms, reason="caller_hung_up"))

    def store(self, ledger: Ledger) -> None:
        """Write records and release into a ledger."""
        ledger.put_blob(encode_release(self.release.data))
        ledger.submit(self.records)
        ledger.flush()


def booking_call(call: str = "sample-1") -> SampleCall:
    """A price that nobody approved is held back, a mumbled yes is asked again, then the appointment is booked once."""
    sample = SampleCall(call, quote_open=True)
    sample.answered()
    sample.says("hello I got your quote <script>alert(1)</script> for the haircut", 930, 960, 610, 420, 310)
    sample.thinks("A haircut costs 19 dollars.")
    sample.play()
    sample.says("can you book me in on Wednesday December second at ten", 900, 870, 950, 880, 720, 640, 500, 910)
    sample.thinks("Let me see.", action="look_up", args={"what": "free_slots"})
    sample.thinks(action="book", args={"service": "haircut", "start": "2026-12-02T10:00"})
    sample.play()
    sample.says("yes", 480)
    sample.play()
    for grant in sample.says("yes book it", 950).grants:
        sample.done(grant)
    sample.thinks("It is booked.", "Is there anything else?")
    sample.cut()
    sample.says("please put me through to a person", 900)
    sample.play()
    sample.end()
    return sample


def two_channels(length_ms: int, rate: int = 8000) -> bytes:
    """A two-channel WAV: bursts of a tone, caller and agent in turns."""
    samples = array("h")
    for index in range(length_ms * rate // 1000):
        level = int(9000 * abs(math.sin(index / 900)) * math.sin(index * 0.6))
        is_agent = (index // (rate * 3)) % 2 == 0
        samples.extend((0 if is_agent else level // 2, level if is_agent else 0))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
