"""Keys: yes, no, a person, never again, and numbers that were asked for. None of it is ever taken for speech."""

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, release_of, shipped, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.directive import ConsultModel, HangUp, StopSpeaking, TellModel
from voicewarden.policy.ast import Keys

PAUSE_MS = 3_000


def numbers(**more: str) -> Compiled:
    return with_policy({"keys": Keys(no="2", person="0", entry_pause_ms=PAUSE_MS, **more)})


def asked_for_number(release: Compiled | None = None) -> Rig:
    rig = Rig(release or numbers())
    rig.hear("where is my order?")
    rig.propose("What is your order number?", ends=True)
    rig.play()
    return rig


def keyed(rig: Rig, digits: str) -> None:
    for digit in digits:
        rig.press(digit)


def told(rig: Rig) -> list[dict[str, object]]:
    return [dict(item.result) for item in rig.outputs if isinstance(item, TellModel) and item.action == "keypad"]


# single keys


def test_the_key_for_no_refuses_these_arguments() -> None:
    rig = Rig()
    rig.question()
    taken = rig.press("2")
    assert rig.state.consent.pending is None and rig.value("consent.book") == "refused"
    assert of(taken, ConsultModel)
    assert rig.ask("book", **BOOK).verdict == "deny"


def test_the_key_for_no_counts_before_the_question_was_heard() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    taken = rig.press("2")
    assert of(taken, StopSpeaking)
    assert rig.ask("book", **BOOK).verdict == "deny"


def test_the_key_for_no_without_a_question_is_nothing() -> None:
    rig = Rig()
    assert not of(rig.press("2"), ConsultModel)


def test_the_key_for_a_person_reaches_one() -> None:
    rig = Rig()
    rig.question()
    rig.press("0")
    assert rig.value("asked_for_person") is True
    assert [grant.action for grant in rig.grants] == ["transfer"]
    rig.press("0")
    assert len(rig.grants) == 1


def test_the_key_for_a_person_within_a_turn_waits_for_its_end() -> None:
    rig = Rig()
    rig.begin()
    rig.press("0")
    assert not rig.grants
    rig.segment("hello?")
    rig.end()
    assert [grant.action for grant in rig.grants] == ["transfer"]


def test_the_key_for_a_person_before_anybody_is_spoken_to_is_remembered() -> None:
    rig = Rig(direction="outbound")
    rig.press("0")
    assert not rig.grants and not rig.queue
    rig.hear("hello?")
    assert [grant.action for grant in rig.grants] == ["transfer"]


@pytest.mark.parametrize("digit", ["0", "2"])
def test_an_older_policy_knows_only_one_and_nine(digit: str) -> None:
    rig = Rig(with_policy({"keys": None}))
    pending = rig.question()
    taken = rig.press(digit)
    assert rig.state.consent.pending == pending
    assert not of(taken, TellModel) and not rig.grants


# numbers


def test_a_number_is_told_to_the_model_as_an_outcome_and_never_as_words() -> None:
    rig = asked_for_number()
    keyed(rig, "1942")
    assert not told(rig)
    rig.wait(PAUSE_MS)
    assert told(rig) == [{"digits": "1942"}]
    consulted = [item for item in rig.outputs if isinstance(item, ConsultModel)][-1]
    assert consulted.heard == ""
    assert rig.value("opted_out") is False


def test_every_digit_gives_the_pause_anew_and_the_hash_key_ends_it() -> None:
    rig = asked_for_number()
    rig.press("4")
    rig.wait(PAUSE_MS - 500)
    rig.press("2")
    rig.wait(PAUSE_MS - 500)
    assert not told(rig)
    rig.press("#")
    assert told(rig) == [{"digits": "42"}]
    rig.wait(PAUSE_MS)
    assert len(told(rig)) == 1


def test_the_star_key_begins_the_number_anew() -> None:
    rig = asked_for_number()
    keyed(rig, "12*34#")
    assert told(rig) == [{"digits": "34"}]


def test_the_ladder_waits_while_a_number_is_keyed_in() -> None:
    rig = asked_for_number()
    rig.press("4")
    assert "silence" not in rig.state.timers and "keypad" in rig.state.timers


def test_keys_interrupt_the_agent() -> None:
    rig = asked_for_number()
    rig.hear("the order number?")
    rig.propose("Yes, the number on your letter.")
    assert of(rig.press("4"), StopSpeaking)


def test_a_nine_that_stays_alone_opts_out() -> None:
    for end in ("#", ""):
        rig = asked_for_number()
        keyed(rig, "9" + end)
        rig.wait(PAUSE_MS)
        assert rig.value("opted_out") is True
        assert rig.state.identity.ending == "opt_out"


def test_the_first_nine_of_a_number_lowers_authority_at_once() -> None:
    rig = asked_for_number()
    before = rig.state.version
    rig.press("9")
    assert rig.state.version > before
    keyed(rig, "42#")
    assert told(rig) == [{"digits": "942"}] and rig.value("opted_out") is False


def test_a_zero_that_stays_alone_reaches_a_person() -> None:
    rig = asked_for_number()
    keyed(rig, "0#")
    assert [grant.action for grant in rig.grants] == ["transfer"] and not told(rig)


def test_while_a_question_is_open_keys_answer_it() -> None:
    rig = asked_for_number()
    rig.question()
    rig.press("1")
    assert [grant.action for grant in rig.grants] == ["book"]


@pytest.mark.parametrize("release", [None, with_policy({"keys": None})])
def test_where_no_number_is_taken_nine_is_never_again(release: Compiled | None) -> None:
    rig = asked_for_number(release or shipped())
    rig.press("9")
    assert rig.value("opted_out") is True


def test_a_number_that_was_not_asked_for_is_none() -> None:
    rig = Rig(numbers())
    keyed(rig, "42#")
    assert not told(rig)


def test_a_number_has_a_longest_length() -> None:
    rig = asked_for_number()
    keyed(rig, "4" * 40)
    assert told(rig)[0] == {"digits": "4" * 32}


def test_the_agent_may_name_what_was_keyed_in() -> None:
    rig = asked_for_number()
    keyed(rig, "1942#")
    rig.propose("I look up order 1942.", ends=True)
    assert [speak.text for speak in rig.queue] == ["I look up order 1942."]


def test_nothing_is_keyed_in_after_the_end() -> None:
    rig = asked_for_number()
    rig.press("4")
    rig.hear("stop calling me")
    rig.wait(PAUSE_MS)
    assert not told(rig)
    rig.wait(20_000)
    assert any(isinstance(item, HangUp) for item in rig.outputs)


def test_keys_of_the_shipped_policies() -> None:
    for policy in ("outbound-sales", "inbound-service", "booking-only"):
        keys = release_of(policy).policy.keys
        assert keys is not None and (keys.no, keys.person, keys.entry_pause_ms) == ("2", "0", 0)
        assert msgspec.to_builtins(keys) == {"no": "2", "person": "0"}
