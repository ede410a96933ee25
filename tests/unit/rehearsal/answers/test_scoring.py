"""Rates and times counted by hand."""

from __future__ import annotations

from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.answers.clip import Label, Perturbation
from voicewarden.rehearsal.answers.playing import Verdict
from voicewarden.rehearsal.answers.scoring import Answer, by_kind, confusion, score


def answer(
    truth: AnswererVerdict, *verdicts: tuple[AnswererVerdict, int], opened_at_ms: int | None = None, noise: bool = False
) -> Answer:
    """Speech from 1 s to 3 s."""
    done = Perturbation(noise="white" if noise else None, gain_db=8 if noise else 0)
    label = Label(truth, "", "", "", "", "en", "test", done, onset_ms=1_000, greeting_end_ms=3_000)
    return Answer("", label, tuple(Verdict(*one) for one in verdicts), opened_at_ms)


ANSWERS = [
    answer("human", ("human", 3_600), opened_at_ms=3_600),
    answer("human", ("human", 2_500), opened_at_ms=5_001),
    answer("human", ("human", 3_500), ("voicemail", 4_000), opened_at_ms=3_500),
    answer("human", ("no_speech", 5_000)),
    answer("voicemail", ("voicemail", 3_000)),
    answer("voicemail", ("human", 4_500), ("voicemail", 8_000), opened_at_ms=4_500),
    answer("menu", ("human", 4_500), opened_at_ms=9_000, noise=True),
    answer("fax", ("fax", 900)),
]


def test_rates_are_counted_over_people_and_over_talking_machines() -> None:
    found = score(ANSWERS)
    assert (found.people, found.machines) == (4, 3)
    assert (found.human_to_machine.hits, found.human_to_machine.of) == (1, 4)
    assert found.human_to_nobody.hits == 1
    assert (found.machine_to_human.hits, found.machine_to_human.of) == (2, 3)
    assert found.machine_to_human_in_the_end.hits == 1


def test_dead_air_is_more_than_two_seconds_or_for_ever() -> None:
    found = score(ANSWERS).dead_air
    assert (found.hits, found.of) == (2, 4)


def test_times_count_from_the_right_moments() -> None:
    found = score(ANSWERS)
    assert sorted(found.human_after_greeting_ms) == [0, 500, 600]
    assert sorted(found.machine_after_onset_ms) == [2_000, 7_000]


def test_a_clip_without_a_verdict_passed_for_a_person() -> None:
    assert score([answer("voicemail")]).machine_to_human.hits == 1


def test_the_confusion_shows_what_it_came_to() -> None:
    table = confusion(ANSWERS)
    assert table["human"] == {"human": 2, "voicemail": 1, "no_speech": 1}
    assert table["voicemail"] == {"voicemail": 2}


def test_a_clip_counts_for_everything_that_was_done_to_it() -> None:
    groups = by_kind(ANSWERS)
    assert len(groups["clean"]) == 7
    assert len(groups["white"]) == len(groups["loud"]) == 1
