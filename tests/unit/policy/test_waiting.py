"""What a policy does when nobody speaks, in English."""

from tests.fakes.rig import release_of, with_policy

from voicewarden.policy.ast import Keys
from voicewarden.policy.waiting import what_keys_mean, when_nobody_speaks


def test_every_number_of_silence_is_told() -> None:
    assert when_nobody_speaks(release_of("inbound-service").policy) == [
        "in silence after 7 s asks whether the caller is still there, then after 8 s offers the keys, then after 10 s "
        "says goodbye and ends the call",
        "ends the call 120 s after the caller's last words or keys",
        "waits 30 s for who asks for a moment or is muted",
        "says that something works after 2.5 s, once a turn",
        "reminds, repeats and says that it did not understand 8 times in all",
        "talks for 600 s at most, and says so 60 s before",
    ]


def test_every_key_is_told() -> None:
    policy = release_of("outbound-sales").policy
    assert what_keys_mean(policy) == (
        "1 agrees to the question that was heard, 2 refuses it, 0 asks for a person, 9 ends it for good"
    )
    assert what_keys_mean(with_policy({"keys": None}).data.policy) == (
        "1 agrees to the question that was heard, 9 ends it for good"
    )
    numbers = with_policy({"keys": Keys(entry_pause_ms=3_000)}).data.policy
    assert what_keys_mean(numbers).endswith("a number that was asked for ends with # or after 3 s")
