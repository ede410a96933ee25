"""How well a turn was heard: an average hides nothing that a number or a name rests on."""

import msgspec
import pytest
from tests.fakes.rig import Rig, of, shipped, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.directive import ConsultModel
from voicewarden.model.event import CallerSpoke, CallerStartedSpeaking, CallerTurnEnded, Word
from voicewarden.policy.ast import Band, Hearing

DIGITS = Band(accept_permille=600, confirm_permille=350)


def banded(*, digits: Band | None = DIGITS, names: Band | None = None, edition: int = 2) -> Compiled:
    hearing = shipped().policy.policy.hearing
    plain = msgspec.structs.replace(hearing, digits=digits, names=names)
    data = with_policy({"hearing": plain}).data
    return Compiled(msgspec.structs.replace(data, edition=edition))


def told(rig: Rig, text: str, *permille: int | None) -> ConsultModel:
    """Let the caller say something, each word with its confidence; returns what the model is asked."""
    words = tuple(
        Word(word, sure, rig.now_ms + 100 * at, rig.now_ms + 100 * at + 90)
        for at, (word, sure) in enumerate(zip(text.split(), permille, strict=True))
    )
    rig.turn += 1
    rig.happen(CallerStartedSpeaking, turn=rig.turn)
    rig.happen(CallerSpoke, turn=rig.turn, text=text, words=words, speech_ms=1_000)
    (consulted,) = of(rig.happen(CallerTurnEnded, turn=rig.turn), ConsultModel)
    return consulted


def test_a_digit_that_was_hardly_heard_is_not_passed_on() -> None:
    rig = Rig(banded())
    consulted = told(rig, "my number is 5 7", 900, 900, 900, 900, 200)
    assert consulted.heard == "my number is 5 (unclear)"
    assert consulted.unsure
    assert rig.state.facts["hearing_permille"].value == 200


def test_a_doubtful_date_makes_the_turn_doubtful_whatever_the_mean() -> None:
    rig = Rig(banded())
    consulted = told(rig, "can I come on the third of May please", 990, 990, 990, 990, 990, 500, 990, 990, 990)
    assert consulted.unsure
    assert "third" in consulted.heard
    assert rig.state.facts["hearing_permille"].value == 500


def test_words_that_are_no_digits_do_not_lower_a_number() -> None:
    rig = Rig(banded())
    assert not told(rig, "well it would be 5", 300, 600, 600, 600, 800).unsure
    assert rig.state.facts["hearing_permille"].value == 800


def test_a_turn_without_digits_has_its_mean() -> None:
    rig = Rig(banded())
    assert not told(rig, "tell me more please", 400, 600, 600, 600).unsure
    assert rig.state.facts["hearing_permille"].value == 550


def test_without_a_band_digits_are_words_like_others() -> None:
    rig = Rig(banded(digits=None))
    consulted = told(rig, "my number is 5 7", 900, 900, 900, 900, 200)
    assert consulted.heard == "my number is 5 7"
    assert not consulted.unsure
    assert rig.state.facts["hearing_permille"].value == 760


@pytest.mark.parametrize(
    ("text", "at"),
    [("my name is Smith", 3), ("i want a haircut", 3), ("Hello. I am Jones", 3)],
)
def test_names_have_a_band_of_their_own(text: str, at: int) -> None:
    rig = Rig(banded(digits=None, names=Band(accept_permille=700, confirm_permille=300)))
    permille = [900] * len(text.split())
    permille[at] = 250
    consulted = told(rig, text, *permille)
    assert consulted.heard.split()[at] == "(unclear)"
    assert consulted.unsure


def test_the_caller_is_no_name() -> None:
    rig = Rig(banded(digits=None, names=Band(accept_permille=700, confirm_permille=300)))
    assert told(rig, "well I guess I'm late", 900, 200, 900, 200, 900).heard == "well I guess I'm late"


def test_unknown_confidence_is_neither_low_nor_high() -> None:
    rig = Rig(banded())
    told(rig, "tell me more", 900, 900, 900)
    consulted = told(rig, "my number is 5", 900, 900, 900, None)
    assert consulted.heard == "my number is 5"
    assert consulted.unsure
    assert "hearing_permille" not in rig.state.facts


def test_a_turn_of_an_older_release_keeps_what_was_known_before() -> None:
    rig = Rig(banded(digits=None, edition=1))
    told(rig, "tell me more", 900, 900, 900)
    told(rig, "and more", None, None)
    assert rig.state.facts["hearing_permille"].value == 900
    told(rig, "and more", None, 700)
    assert rig.state.facts["hearing_permille"].value == 700


def test_half_known_words_are_unknown_by_now() -> None:
    rig = Rig(banded(digits=None))
    told(rig, "and more", None, 700)
    assert "hearing_permille" not in rig.state.facts


def test_old_bytes_know_no_such_bands() -> None:
    hearing = Hearing(transcriber="t", end_of_turn_ms=500, end_of_turn_spelling_ms=800, decide=DIGITS, content=DIGITS)
    assert b"digits" not in msgspec.json.encode(hearing)
