"""The rhythm of speech as features: a measurement in, named integers out, each of which has its weights.

Called by the answerer facet and by whatever fits its weights, so that both see the same.
"""

from typing import Final

from voicewarden.model.event import CadenceMeasured

QUIET_MS: Final = 400
"""Longer than the pauses within a sentence: what was said stands by itself, and somebody waits or breathes."""


def features(event: CadenceMeasured) -> dict[str, int]:
    """What a measurement says; nothing as long as nobody spoke.

    Speech that goes on and speech that has stopped are told apart, since a short word means nothing before it has
    ended: `saying_ms` is the speech so far in the one case, `said_ms` in the other, which also has `quiet_ms`.
    """
    if event.speech_ms <= 0:
        return {}
    found = {
        "onset_ms": event.onset_ms,
        "longest_run_ms": event.longest_run_ms,
        "bursts": event.bursts,
        "longest_gap_ms": event.longest_gap_ms,
    }
    if event.trailing_silence_ms < QUIET_MS:
        return {**found, "saying_ms": event.speech_ms}
    return {**found, "said_ms": event.speech_ms, "quiet_ms": event.trailing_silence_ms}
