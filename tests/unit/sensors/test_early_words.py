"""While it is open who answered: words come early, and what the line itself sends is nobody's speech."""

import numpy as np
from sound import Wave, line, silence, tone, voice

from voicewarden.model.event import CadenceMeasured, CallerStartedSpeaking, Event, ToneHeard
from voicewarden.sensors.segments import Rhythm, Segment, Segmenter
from voicewarden.sensors.voice import Framer


class Noted:
    """A transcriber that notes what it was given."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def submit(self, segment: Segment) -> None:
        """Take a segment in."""
        self.segments.append(segment)

    def revoke(self, number: int) -> Segment | None:
        """Its words are out already."""
        return None


def heard(*parts: Wave, finds_out: bool) -> tuple[list[Segment], list[Event]]:
    words, events = Noted(), list[Event]()
    segmenter = Segmenter(words, events.append, Rhythm(), pause_ms=500)
    segmenter.finds_out = finds_out
    for frame in Framer().cut(line(*parts)):
        segmenter.feed(frame)
    return words.segments, events


def test_words_of_a_long_greeting_are_handed_in_before_the_deadline() -> None:
    early, _ = heard(silence(1_000), voice(7_000), silence(800), finds_out=True)
    late, _ = heard(silence(1_000), voice(7_000), silence(800), finds_out=False)
    assert early[0].to_ms - 1_000 <= Rhythm().early_cut_latest_ms < 3_000 < late[0].to_ms - 1_000
    assert len(early) > len(late)
    assert sum(segment.speech_ms for segment in early) == sum(segment.speech_ms for segment in late)


def test_ring_back_is_nobodys_speech() -> None:
    ring = tone(440, 2_000, 3_000) + tone(480, 2_000, 3_000)
    segments, events = heard(ring, silence(1_500), voice(600), silence(800), finds_out=True)
    assert [item.tone for item in events if isinstance(item, ToneHeard)] == ["ringback"]
    assert [segment.voice_ms >= 3_000 for segment in segments] == [True]
    last = [item for item in events if isinstance(item, CadenceMeasured)][-1]
    assert abs(last.onset_ms - 3_500) <= 100
    assert last.speech_ms <= 700


def test_a_pure_tone_starts_no_turn() -> None:
    segments, events = heard(silence(500), tone(2_100, 3_000), silence(600), finds_out=True)
    assert segments == []
    assert not [item for item in events if isinstance(item, CallerStartedSpeaking)]
    assert np.all([item.tone == "fax" for item in events if isinstance(item, ToneHeard)])
