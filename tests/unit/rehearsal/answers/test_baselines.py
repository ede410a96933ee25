"""The rules of others, on sound whose answer their sources give."""

from __future__ import annotations

import numpy as np
import pytest

from voicewarden.model.event import Word
from voicewarden.rehear.listening import Utterance
from voicewarden.rehearsal.answers.baselines import SHORT_GREETING, TWILIO, AppAmd, Judged, nine_words
from voicewarden.sensors.mulaw import Samples


def sound(*pieces: tuple[int, bool]) -> Samples:
    """Loud and silent stretches in ms."""
    parts = [np.full(ms * 8, 3_000 if loud else 0, dtype=np.int16) for ms, loud in pieces]
    return np.concatenate(parts)


def frames(*pieces: tuple[int, bool]) -> list[bool]:
    return [loud for ms, loud in pieces for _ in range(ms // 20)]


def test_app_amd_hears_a_person_who_says_hello() -> None:
    """With 680 ms of lead and 400 ms of speech: 1.88 s, which is the moment that its source gives."""
    judged = AppAmd().judge(sound((680, False), (400, True), (3_000, False)))
    assert judged == Judged("human", 1_880)


@pytest.mark.parametrize(("max_words", "opinion"), [(2, "machine"), (3, "human")])
def test_app_amd_counts_words(max_words: int, opinion: str) -> None:
    """The published sample stops at two words, the code's default at three."""
    hello_mike = sound((500, False), (300, True), (100, False), (400, True), (3_000, False))
    assert AppAmd(max_words=max_words).judge(hello_mike).opinion == opinion


def test_app_amd_takes_a_long_lead_for_a_machine() -> None:
    assert AppAmd().judge(sound((3_000, False), (400, True), (2_000, False))) == Judged("machine", 2_500)


def test_app_amd_takes_a_long_greeting_for_a_machine() -> None:
    assert AppAmd().judge(sound((200, False), (4_000, True))).opinion == "machine"


def test_app_amd_gives_up_at_its_limit() -> None:
    noisy = sound((200, False), (60, True), *[(40, False), (60, True)] * 60)
    assert AppAmd(max_words=99, greeting=9_000).judge(noisy) == Judged("unknown", 5_000)


def test_twilio_waits_for_the_pause() -> None:
    assert TWILIO.judge(frames((500, False), (1_000, True), (3_000, False))) == Judged("human", 2_700)


def test_twilio_takes_long_speech_for_a_machine() -> None:
    said = frames((500, False), (1_500, True), (400, False), (3_000, True))
    assert TWILIO.judge(said) == Judged("machine", 2_920)


def test_twilio_does_not_know_silence() -> None:
    assert TWILIO.judge(frames((8_000, False))) == Judged("unknown", 5_000)


def test_a_click_is_no_speech() -> None:
    assert TWILIO.judge(frames((500, False), (40, True), (8_000, False))) == Judged("unknown", 5_000)


def test_the_short_greeting_rule_is_quick() -> None:
    assert SHORT_GREETING.judge(frames((500, False), (1_000, True), (3_000, False))) == Judged("human", 2_000)


def said(turn: int, from_ms: int, words: int) -> Utterance:
    heard = tuple(Word("word", 900, from_ms, from_ms) for _ in range(words))
    return Utterance(turn, from_ms, from_ms + 1_000, 1_000, "", heard, None)


@pytest.mark.parametrize(
    ("utterances", "expected"),
    [
        ([said(1, 500, 8)], Judged("human", 1_800)),
        ([said(1, 500, 9)], Judged("machine", 1_800)),
        ([said(1, 500, 5), said(1, 1_500, 4)], Judged("machine", 2_800)),
        ([said(1, 500, 5), said(2, 3_500, 20)], Judged("human", 1_800)),
        ([said(1, 500, 0)], Judged("unknown", 1_800)),
        ([said(1, 6_000, 2)], Judged("unknown", 5_000)),
        ([], Judged("unknown", 5_000)),
    ],
)
def test_nine_words(utterances: list[Utterance], expected: Judged) -> None:
    assert nine_words(utterances) == expected
