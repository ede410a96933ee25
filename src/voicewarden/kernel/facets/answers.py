"""Answers: what the caller's turn or key means for the pending question.

In: a draft whose turn has ended with words, or a key press. Out: the answer as a fact bound to the question's
arguments, and what follows from it (`policy-format`, Answers): decide again, ask again, refuse, or leave the turn to
the model.
"""

import msgspec

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, question
from voicewarden.kernel.gate import Request
from voicewarden.kernel.state import Pending
from voicewarden.model.action import Consent
from voicewarden.model.canonical import digest_of
from voicewarden.model.event import Word
from voicewarden.reading.consent import read
from voicewarden.reading.lexicon import Reader

_RESTRAINING = ("refused", "revoked")


class Answer(msgspec.Struct, frozen=True):
    """An answer with the confidence and the times of its deciding words."""

    kind: Consent
    permille: int | None
    from_ms: int
    to_ms: int


def read_turn(draft: Draft, pending: Pending) -> Answer:
    """Read all words of the turn against the question."""
    return read_answer(draft.release.reader, pending.question, draft.turn.words)


def read_answer(reader: Reader, question: str, words: tuple[Word, ...]) -> Answer:
    """Read words, of which there are some, as the answer to a question; confidence is the least sure deciding word's.

    A yes that is said twice over ("yes, go ahead") is as sure as its surest part that suffices alone: of every run of
    deciding words that reads as explicit by itself the least sure word counts, and the best run decides.
    """
    kind, deciding = _read(reader, question, words)
    best = _answer_of(kind, deciding or words)
    if kind != "explicit":
        return best
    for first in range(len(deciding)):
        for last in range(first + 1, len(deciding) + 1):
            run = deciding[first:last]
            answer = _answer_of(kind, run)
            # Only a surer run is read at all: reading is what takes time here.
            if _sureness(answer) > _sureness(best) and _read(reader, question, run)[0] == "explicit":
                best = answer
    return best


def _read(reader: Reader, question: str, words: tuple[Word, ...]) -> tuple[Consent, tuple[Word, ...]]:
    reading = read(reader, question, tuple(word.text for word in words))
    return reading.kind, tuple(words[index] for index in reading.deciding)


def _answer_of(kind: Consent, words: tuple[Word, ...]) -> Answer:
    known = [word.permille for word in words if word.permille is not None]
    permille = min(known) if known and len(known) == len(words) else None
    return Answer(kind, permille, min(word.from_ms for word in words), max(word.to_ms for word in words))


def _sureness(answer: Answer) -> tuple[int, int]:
    # The later of two equally sure parts: what was said last is what is meant.
    return (-1 if answer.permille is None else answer.permille, answer.from_ms)


def settle_turn(draft: Draft, pending: Pending) -> bool:
    """Let the turn settle the question. False: the question is void and the turn belongs to the model."""
    answer = read_turn(draft, pending)
    if answer.kind in _RESTRAINING:
        _refused(draft, pending, answer)
        return True
    if pending.voided or pending.armed_ms is None:
        ask_again(draft, pending)
        return True
    counted = _counted(draft, pending, answer)
    match counted:
        case "explicit":
            accept(draft, pending, answer, tuple(word.text for word in draft.turn.words))
        case "ambiguous" | "none":
            _ask_again(draft, pending, counted, answer.to_ms)
        case _:
            question.void(draft)
            _note(draft, pending, counted, answer.to_ms)
            return False
    return True


def _counted(draft: Draft, pending: Pending, answer: Answer) -> Consent:
    """What the answer counts as, after its time and its confidence were looked at."""
    rules = draft.release.policy.policy
    armed = pending.armed_ms if pending.armed_ms is not None else draft.now_ms
    if answer.kind not in ("explicit", "ambiguous"):
        return answer.kind
    if answer.from_ms < armed - rules.questions.answer_tolerance_ms:
        return "ambiguous"
    if draft.turn.suspect or draft.turn.faltered or answer.permille is None:
        return "ambiguous"
    if answer.permille < rules.hearing.decide.confirm_permille:
        return "none"
    if answer.permille < rules.hearing.decide.accept_permille:
        return "ambiguous"
    return answer.kind


def accept(draft: Draft, pending: Pending, answer: Answer, said: tuple[str, ...]) -> None:
    """An explicit yes to exactly these arguments: decide the pending request again."""
    question.void(draft)
    _note(draft, pending, "explicit", answer.to_ms)
    rests_on = digest_of([pending.question, pending.digest, said])
    draft.consent = replace(draft.consent, confirmed={**draft.consent.confirmed, pending.action: rests_on})
    actions.redecide(draft, _request(pending))


def on_confirm_key(draft: Draft) -> None:
    """Key 1: an explicit yes, if the question's arguments have been heard."""
    pending = draft.consent.pending
    if pending is None or pending.voided or pending.armed_ms is None:
        return
    accept(draft, pending, Answer("explicit", 1000, draft.now_ms, draft.now_ms), ("key 1",))


def on_refuse_key(draft: Draft) -> None:
    """A key that means no: it refuses the open question at any time, heard to its end or not."""
    pending = draft.consent.pending
    if pending is not None:
        _refused(draft, pending, Answer("refused", 1000, draft.now_ms, draft.now_ms))


def on_no_answer(draft: Draft) -> None:
    """The question's time is over: silence is no yes."""
    pending = draft.consent.pending
    if pending is not None and not draft.turn.open:
        _ask_again(draft, pending, "none", draft.now_ms)


def _refused(draft: Draft, pending: Pending, answer: Answer) -> None:
    question.void(draft)
    question.refuse_digest(draft, pending)
    _note(draft, pending, answer.kind, answer.to_ms)
    actions.tell(draft, pending.action, "refused")


def _note(draft: Draft, pending: Pending, kind: Consent, at_ms: int) -> None:
    draft.know(f"consent.{pending.action}", kind, at_ms=at_ms, digest=pending.digest)


def _ask_again(draft: Draft, pending: Pending, kind: Consent, at_ms: int) -> None:
    """The answer was none that decides: it stays on record, and the request is decided again with it."""
    question.void(draft)
    _note(draft, pending, kind, at_ms)
    actions.redecide(draft, _request(pending))


def ask_again(draft: Draft, pending: Pending) -> None:
    """Ask the same question once more, if it may still be asked: nothing that was said counts as an answer."""
    question.void(draft)
    actions.redecide(draft, _request(pending))


def _request(pending: Pending) -> Request:
    return Request(id=pending.request, action=pending.action, args=pending.args, principal=pending.principal)
