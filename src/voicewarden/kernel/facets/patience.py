"""Patience: a caller who asked for a moment, a line without sound, and an agent that works while nobody speaks.

In: words that ask for time, `SoundStopped` and `SoundResumed`, the moments in which a pause may get long. Out: longer
waits, and an approved line that says that the agent is still there. All of it is the policy's (`silence.hold_ms`,
`silence.filler_ms`); a policy without these keys knows none of it. Called by `turn`, `speech`, `keypad` and `step`.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import silence
from voicewarden.model.event import SoundResumed, SoundStopped
from voicewarden.policy.ast import Silence
from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Reader
from voicewarden.reading.utterance import spans, utterance

FILLER: Final = "model_slow"
"""The line that fills a pause of the agent's own."""
_REST_WORDS: Final = 6
"""So many words beside those that ask for time still say nothing else (`one moment, my calendar is upstairs`)."""
_ANSWERS: Final = frozenset(
    {"yes", "echo", "accept", "no", "refusal", "withdrawal", "condition", "reservation", "asking", "correction"}
)
"""Lists of the lexicon whose words are an answer or a question: whoever says one does not only ask for time."""


def _rules(draft: Draft) -> Silence:
    return draft.release.policy.policy.silence


def asked_for_time(draft: Draft) -> bool:
    """The caller's turn asks for a moment and for nothing else. A question that was cut is asked again all the same."""
    pending = draft.consent.pending
    if not _rules(draft).hold_ms or (pending is not None and (pending.voided or pending.armed_ms is None)):
        return False
    words = tuple(word.text for word in draft.turn.words)
    found = signals(draft.release.reader, words)
    if not found or any(signal.kind != "hold_on" for signal in found):
        return False
    asking = {index for signal in found for index in signal.words}
    return len(words) - len(asking) <= _REST_WORDS and not _answers(draft.release.reader, words, asking)


def _answers(reader: Reader, words: tuple[str, ...], asking: set[int]) -> bool:
    """Whether the words beside those that ask for time answer or ask something."""
    heard = utterance(reader, words)
    beside = [token for token, at in zip(heard.tokens, heard.at, strict=True) if at >= 0 and at not in asking]
    if heard.has_question_mark or not reader.negation.isdisjoint(beside):
        return True
    said = [match for match in reader.consent.find(heard.tokens) if match.label.partition(" ")[0] in _ANSWERS]
    return any(asking.isdisjoint(heard.words(spans([match]))) for match in said)


def hold(draft: Draft) -> None:
    """Give the caller time: an open question stays open, and nobody presses."""
    draft.turn = replace(draft.turn, held=True)
    if not draft.floor.queue:
        draft.say_line("silence.hold", "line")
    wait(draft)


def wait(draft: Draft) -> None:
    """Wait on for a caller who has time: for the answer to the open question, or for anything."""
    if draft.consent.pending is not None:
        draft.start_timer("answer", answer_ms(draft))
    silence.arm(draft)


def answer_ms(draft: Draft) -> int:
    """How long an answer may take."""
    return _rules(draft).hold_ms if draft.turn.held else draft.release.policy.policy.questions.answer_within_ms


def on_sound_stopped(draft: Draft, event: SoundStopped) -> None:
    """Nothing comes from the caller's side, not even silence: whoever is muted can't answer."""
    if _rules(draft).hold_ms:
        draft.turn = replace(draft.turn, held=True)
        _wait_anew(draft)


def on_sound_resumed(draft: Draft, event: SoundResumed) -> None:
    """The caller can be heard again."""
    if draft.turn.held:
        draft.turn = replace(draft.turn, held=False)
        _wait_anew(draft)


def _wait_anew(draft: Draft) -> None:
    """Whatever is waited for is waited for as long as the caller may now take."""
    if "answer" in draft.timers:
        draft.start_timer("answer", answer_ms(draft))
    if "silence" in draft.timers:
        silence.arm(draft)


def watch_pause(draft: Draft) -> None:
    """From now on nobody speaks: should that last while something works, the caller is told."""
    filler_ms = _rules(draft).filler_ms
    if not filler_ms:
        return
    over = draft.turn.filled or draft.identity.ending or draft.identity.ended or not draft.answerer.opened
    if over or not _works(draft):
        draft.cancel_timer("filler")
    else:
        draft.start_timer("filler", filler_ms)


def on_pause(draft: Draft) -> None:
    """Nobody has spoken for long; once a turn the caller hears that something works."""
    quiet = not (draft.floor.queue or draft.turn.speaking or draft.turn.filled or draft.identity.ending)
    if quiet and draft.answerer.opened and _works(draft):
        draft.turn = replace(draft.turn, filled=True)
        draft.say_line(FILLER, "line")


def _works(draft: Draft) -> bool:
    """Words are being transcribed, the model thinks, or an effect is under way."""
    return (
        draft.turn.open or draft.floor.thinking or any(item.handed for item in draft.grants.open.values())
    )


def says_something(draft: Draft) -> bool:
    """More is queued to be said than that something works."""
    return any(item.line != FILLER for item in draft.floor.queue)
