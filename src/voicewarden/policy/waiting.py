"""What a policy does when nobody speaks, and what keys mean, in English.

In: a policy. Out: sentences for people who do not program. Called by `voicewarden policy explain`.
"""

from typing import Final

from voicewarden.policy.ast import Policy

_DOES: Final = {
    "reprompt": "asks whether the caller is still there", "rephrase": "says it in another way",
    "offer_keys": "offers the keys", "goodbye": "says goodbye and ends the call",
}  # fmt: skip


def when_nobody_speaks(policy: Policy) -> list[str]:
    """One sentence for each way in which a call waits."""
    silence, length = policy.silence, policy.call
    steps = [f"after {_s(step.after_ms)} {_DOES[step.do]}" for step in silence.ladder]
    told = [f"in silence {', then '.join(steps)}"] if steps else []
    told.append(f"ends the call {_s(silence.backstop_ms)} after the caller's last words or keys")
    if silence.hold_ms:
        told.append(f"waits {_s(silence.hold_ms)} for who asks for a moment or is muted")
    if silence.filler_ms:
        told.append(f"says that something works after {_s(silence.filler_ms)}, once a turn")
    if silence.times_per_call:
        told.append(f"reminds, repeats and says that it did not understand {silence.times_per_call} times in all")
    told.append(f"talks for {_s(length.longest_ms)} at most" + _warning(length.warn_before_ms))
    return told


def what_keys_mean(policy: Policy) -> str:
    """The keys of the caller's telephone, in one sentence."""
    told = ["1 agrees to the question that was heard"]
    keys = policy.keys
    if keys is not None:
        told += [f"{keys.no} refuses it"] if keys.no else []
        told += [f"{keys.person} asks for a person"] if keys.person else []
    told.append("9 ends it for good")
    if keys is not None and keys.entry_pause_ms:
        told.append(f"a number that was asked for ends with # or after {_s(keys.entry_pause_ms)}")
    return ", ".join(told)


def _warning(before_ms: int) -> str:
    return f", and says so {_s(before_ms)} before" if before_ms else ""


def _s(ms: int) -> str:
    """Seconds as people write them."""
    whole, rest = divmod(ms, 1_000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") + " s" if rest else f"{whole} s"
