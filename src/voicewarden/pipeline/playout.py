"""What of the agent's speech was heard: from the carrier's marks, never from what was generated or sent.

In: released sentences, the length of their sound, mark echoes, orders to be silent. Out: `SentenceStarted`,
`SentencePlayed`, `SpeechFaltered`, and to the conversation how much of each sentence was played. Called by the mouth,
the speech service and the ear.

Marks are named `s:<epoch>:<sentence>` before and `e:<epoch>:<sentence>` after the sound. A `clear` echoes the marks of
sound that nobody heard, so that echoes of a past epoch mean nothing. A mark that does not come in time leaves its
sentence unheard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from voicewarden.model.event import SentencePlayed, SentenceStarted, SpeechFaltered
from voicewarden.model.ports import EventSink


@dataclass(slots=True)
class Sentence:
    """A sentence on its way to the caller's ear; times are the loop's, in seconds."""

    id: str
    sound_ms: int = 0
    started_s: float | None = None
    timer: asyncio.TimerHandle | None = None


class Playout:
    """The sentences of one call that are queued or playing, in order."""

    def __init__(
        self, sink: EventSink, on_played: Callable[[str, int], None], *, mark_margin_ms: int, render_deadline_ms: int
    ) -> None:
        self._sink = sink
        self._on_played = on_played
        self._margin_s = mark_margin_ms / 1000
        self._render_s = render_deadline_ms / 1000
        self._sentences: dict[str, Sentence] = {}
        self._ends_s = 0.0
        self.epoch = 0

    @property
    def is_idle(self) -> bool:
        """Nothing is queued or playing."""
        return not self._sentences

    def queue(self, sentence: str) -> bool:
        """Take a released sentence in; true when nothing is before it."""
        self._forget(sentence)
        first = self.is_idle
        found = self._sentences[sentence] = Sentence(sentence)
        # Its sound is overdue when all before it have used up their time to be rendered.
        now_s = asyncio.get_running_loop().time()
        self._await_end(found, max(now_s, self._ends_s) + len(self._sentences) * self._render_s)
        return first

    def sounded(self, sentence: str, sound_ms: int) -> tuple[str, str] | None:
        """The sentence's sound is ready and goes out now: the names of its two marks, None when it is not wanted any
        more.
        """
        found = self._sentences.get(sentence)
        if found is None:
            return None
        now_s = asyncio.get_running_loop().time()
        self._ends_s = max(now_s, self._ends_s) + sound_ms / 1000
        found.sound_ms = sound_ms
        self._await_end(found, self._ends_s)
        return f"s:{self.epoch}:{sentence}", f"e:{self.epoch}:{sentence}"

    def failed(self, sentence: str) -> None:
        """The sentence could not be turned into sound."""
        if self._forget(sentence) is not None:
            self._on_played(sentence, 0)
            self._sink.post(SpeechFaltered(at_ms=-1, sentence=sentence))

    def echoed(self, mark: str) -> None:
        """The carrier reached a mark."""
        side, _, rest = mark.partition(":")
        epoch, _, name = rest.partition(":")
        found = self._sentences.get(name)
        if found is None or epoch != str(self.epoch):
            return
        if found.started_s is None:
            found.started_s = asyncio.get_running_loop().time()
            self._ends_s = max(self._ends_s, found.started_s + found.sound_ms / 1000)
            self._await_end(found, found.started_s + found.sound_ms / 1000)
            # The kernel answers within `post`: after it the sentence may be gone.
            self._sink.post(SentenceStarted(at_ms=-1, sentence=name))
        if side == "e" and self._sentences.get(name) is found:
            self._forget(name)
            self._report(found, found.sound_ms, whole=True)

    def stop(self) -> None:
        """Everything queued is void; what was playing ends here."""
        self.epoch += 1
        self._ends_s = 0.0
        for name in tuple(self._sentences):
            found = self._forget(name)
            if found is not None:
                self._report(found, self._played_ms(found), whole=False)

    def _await_end(self, sentence: Sentence, end_s: float) -> None:
        """Set the deadline of a sentence."""
        if sentence.timer is not None:
            sentence.timer.cancel()
        loop = asyncio.get_running_loop()
        sentence.timer = loop.call_at(end_s + self._margin_s, self._give_up, sentence.id)

    def _give_up(self, name: str) -> None:
        """The end mark did not come in time."""
        found = self._forget(name)
        if found is not None:
            self._report(found, self._played_ms(found), whole=False)

    def _forget(self, name: str) -> Sentence | None:
        found = self._sentences.pop(name, None)
        if found is not None and found.timer is not None:
            found.timer.cancel()
        return found

    def _played_ms(self, sentence: Sentence) -> int:
        """How much of a sentence without an end mark was played, at most."""
        if sentence.started_s is None:
            return 0
        elapsed_s = asyncio.get_running_loop().time() - sentence.started_s
        return min(round(elapsed_s * 1000), sentence.sound_ms)

    def _report(self, sentence: Sentence, played_ms: int, *, whole: bool) -> None:
        share = 1000 if whole else played_ms * 1000 // max(sentence.sound_ms, 1)
        self._on_played(sentence.id, min(share, 1000 if whole else 999))
        self._sink.post(SentencePlayed(at_ms=-1, sentence=sentence.id, played_ms=played_ms, whole=whole))
