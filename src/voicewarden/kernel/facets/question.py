"""The one pending question: rendered with the real arguments, bound to their digest, voided when anything changes.

In: a request that the gate wants confirmed. Out: the question's sentences to the voice and the pending question in the
state. `answers` settles it.
"""

from functools import lru_cache

from voicewarden.kernel.arguments import render_question, spoken_arguments
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.gate import Request, digest_key
from voicewarden.kernel.state import Pending
from voicewarden.reading.sentence import split

_ASK_AGAIN_MS = 1_500


def ask(draft: Draft, request: Request, digest: str) -> None:
    """Ask the caller to confirm exactly these arguments; another pending question is void."""
    void(draft)
    rule = draft.release.policy.policy.actions[request.action]
    spoken = spoken_arguments(draft.release.data, rule, request.args)
    text = render_question(rule, spoken)
    parts = split(text) or (text,)
    seq = draft.next_seq()
    ids = tuple(draft.say(part, "question", f"{request.action}.question") for part in parts)
    last = _last_argument(rule.question, rule.read_back, len(ids))
    draft.consent = replace(
        draft.consent,
        pending=Pending(
            seq=seq, request=request.id, action=request.action, args=request.args, digest=digest,
            principal=request.principal, sentences=ids, last_argument=ids[last], question=text,
        ),
        asked=_count(draft.consent.asked, digest_key(request.action, digest)),
        asked_action=_count(draft.consent.asked_action, request.action),
    )  # fmt: skip
    draft.forget(f"consent.{request.action}")


def _last_argument(template: str, read_back: tuple[str, ...], count: int) -> int:
    """Index of the question's last sentence that holds an argument; the very last where that is not certain."""
    parts = _template_sentences(template)
    if len(parts) != count:
        return count - 1
    holding = [index for index, part in enumerate(parts) if any("{" + name + "}" in part for name in read_back)]
    return holding[-1] if holding else count - 1


@lru_cache(maxsize=64)
def _template_sentences(template: str) -> tuple[str, ...]:
    """The sentences of a policy's question; the same few templates are asked about again and again."""
    return split(template)


def _count(counts: dict[str, int], key: str) -> dict[str, int]:
    return {**counts, key: counts.get(key, 0) + 1}


def void(draft: Draft) -> None:
    """Forget the pending question: no answer to it counts any more."""
    pending = draft.consent.pending
    if pending is None:
        return
    draft.forget(f"consent.{pending.action}")
    draft.consent = replace(draft.consent, pending=None)
    draft.cancel_timer("answer")


def refuse_digest(draft: Draft, pending: Pending) -> None:
    """These arguments were refused: they are not asked about again in this call."""
    key = digest_key(pending.action, pending.digest)
    if key not in draft.consent.refused:
        draft.consent = replace(draft.consent, refused=(*draft.consent.refused, key))


def sentence_ended(draft: Draft, sentence: str, *, whole: bool) -> None:
    """A sentence of the question was heard or cut: arm it, void it, or start waiting for the answer."""
    pending = draft.consent.pending
    if pending is None or sentence not in pending.sentences:
        return
    if pending.armed_ms is None and not whole:
        pending = replace(pending, voided=True)
        draft.consent = replace(draft.consent, pending=pending)
    elif pending.armed_ms is None and sentence == pending.last_argument and not pending.voided:
        pending = replace(pending, armed_ms=draft.now_ms)
        draft.consent = replace(draft.consent, pending=pending)
    if (sentence == pending.sentences[-1] or not draft.floor.queue) and not draft.turn.open:
        within_ms = draft.release.policy.policy.questions.answer_within_ms
        # Nobody can answer what was not heard: ask again soon, should nobody speak meanwhile.
        draft.start_timer("answer", min(within_ms, _ASK_AGAIN_MS) if pending.voided else within_ms)
