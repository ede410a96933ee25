"""One side of a call, frame by frame: turns, segments, and words that are late."""

from itertools import pairwise

import numpy as np
from sound import line, silence, tone, voice

from voicewarden.model.event import CallerStartedSpeaking, CallerStoppedSpeaking, CallerTurnEnded, Event, ToneHeard
from voicewarden.model.event import Word as SpokenWord
from voicewarden.sensors.memory import SoundMemory
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.segments import Rhythm, Segment, Segmenter
from voicewarden.sensors.transcriber import Transcript
from voicewarden.sensors.turns import Turns
from voicewarden.sensors.voice import Framer


class Side:
    """A side whose transcriber answers when the test says so."""

    def __init__(self, *, pause_ms: int = 500) -> None:
        self.events: list[Event] = []
        self.submitted: list[Segment] = []
        self.waiting: list[Segment] = []
        self.segmenter = Segmenter(self, self.events.append, Rhythm(), pause_ms=pause_ms)

    def submit(self, segment: Segment) -> None:
        self.submitted.append(segment)
        self.waiting.append(segment)

    def revoke(self, number: int) -> Segment | None:
        if self.waiting and self.waiting[-1].number == number:
            return self.waiting.pop()
        return None

    def hear(self, *parts: np.ndarray) -> None:
        for frame in Framer().cut(line(*parts)):
            self.segmenter.feed(frame)

    def settle(self) -> None:
        self.segmenter.settled(self.waiting.pop(0).turn)

    def turns_ended(self) -> list[int]:
        return [event.turn for event in self.events if isinstance(event, CallerTurnEnded)]


def loud_ms(pcm: Samples) -> int:
    """From the first to the last loud sample."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
    return int(loud[-1] - loud[0]) // 8 if loud.size else 0


def test_a_turn_ends_when_its_pause_has_lasted_and_its_words_are_out() -> None:
    side = Side()
    side.hear(silence(400), voice(600), silence(900))
    assert not side.turns_ended()
    side.settle()
    assert side.turns_ended() == [1]
    side.segmenter.settled(1)
    assert side.turns_ended() == [1]


def test_words_that_are_out_early_end_the_turn_at_the_pause() -> None:
    side = Side()
    side.hear(silence(400), voice(600), silence(300))
    side.settle()
    assert not side.turns_ended()
    side.hear(silence(300))
    assert side.turns_ended() == [1]


def test_a_piece_whose_words_are_late_is_heard_as_one_with_what_follows_even_after_a_long_pause() -> None:
    """The pause between the two is kept, so that the words of the second have their true times."""
    side = Side()
    side.hear(silence(400), voice(500), silence(2_500), voice(500), silence(400))
    first, both = side.submitted
    assert [event.turn for event in side.events if isinstance(event, CallerStartedSpeaking)] == [1, 1]
    assert (both.from_ms, both.voice_ms, both.turn) == (first.from_ms, first.voice_ms, 1)
    assert abs(loud_ms(both.pcm) - 3_500) <= 100
    assert side.waiting == [both]
    side.hear(silence(200))
    side.settle()
    assert side.turns_ended() == [1]


def test_a_piece_whose_words_are_out_is_not_taken_back() -> None:
    side = Side()
    side.hear(silence(400), voice(500), silence(300))
    side.settle()
    side.hear(voice(500), silence(400))
    assert [segment.turn for segment in side.submitted] == [1, 1]
    assert side.submitted[1].from_ms > side.submitted[0].to_ms - 400


def test_a_piece_begins_before_its_first_voice() -> None:
    side = Side()
    side.hear(silence(1_000), voice(600), silence(400))
    (segment,) = side.submitted
    assert abs(segment.voice_ms - 1_000) <= 60 and segment.from_ms == segment.voice_ms - Rhythm().preroll_ms
    (stopped,) = [event for event in side.events if isinstance(event, CallerStoppedSpeaking)]
    assert stopped.speech_ms == segment.speech_ms


def test_long_speech_is_cut_and_nothing_of_it_is_lost() -> None:
    side = Side()
    side.hear(silence(400), voice(12_000), silence(400))
    assert len(side.waiting) >= 3
    assert all(after.from_ms == before.to_ms for before, after in pairwise(side.waiting))
    assert sum(segment.pcm.size for segment in side.waiting) // 8 >= 12_000


def test_tones_are_told_with_their_places() -> None:
    side = Side()
    found = [
        item for frame in Framer().cut(line(silence(600), tone(900, 400), silence(400)))
        for item in side.segmenter.feed(frame)
    ]  # fmt: skip
    assert [item.kind for item in found] == ["beep"]
    assert [event.tone for event in side.events if isinstance(event, ToneHeard)] == ["beep"]


def test_words_are_dated_on_the_clock_that_the_segment_is_on() -> None:
    said = Transcript(
        "yes", (SpokenWord("yes", 900, 100, 300),), logprob_permille=-100, no_speech_permille=10,
        compression_permille=500, window_ms=10_000, fallback=False, took_ms=1, speech_ms=200, suspect=("too fast",),
    )  # fmt: skip
    segment = Segment(1, 4, np.zeros(8, dtype=np.int16), 2_000, 2_300, 2_600, 300, offset_ms=70)
    event = segment.spoken(said, 3_000)
    assert event.words == (SpokenWord("yes", 900, 2_170, 2_370),)
    assert (event.at_ms, event.turn, event.text, event.suspect) == (3_000, 4, "yes", ("too fast",))


def test_speech_within_the_pause_continues_the_turn() -> None:
    turns = Turns(pause_ms=500)
    assert turns.start() == 1
    turns.stop(1_000)
    assert not turns.ends(1_400)
    assert turns.start() == 1
    turns.stop(2_000)
    turns.wait_for_segment()
    assert not turns.ends(2_600)
    turns.settle_segment()
    assert turns.ends(2_600) and not turns.ends(2_700)
    assert turns.start() == 2


def test_the_sound_memory_keeps_what_is_held() -> None:
    memory = SoundMemory(keep_ms=40)
    for value in range(5):
        memory.add(np.full(160, value, dtype=np.int16))
    assert memory.hold(0) == 60
    for value in range(5, 10):
        memory.add(np.full(160, value, dtype=np.int16))
    taken = memory.take(160)
    assert [int(value) for value in taken[::160]] == [3, 4, 5, 6, 7]
