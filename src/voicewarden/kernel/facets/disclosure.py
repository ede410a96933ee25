"""Must-say lines: said before anything else, and counted only when they were heard to the end.

In: a draft before the agent speaks, and the ends of sentences. Out: lines to say, `disclosed.<id>` facts, and the
order to start recording once the notice was heard.
"""

from voicewarden.kernel.draft import Draft
from voicewarden.model.directive import StartRecording
from voicewarden.policy.ast import MustSay


def say_missing(draft: Draft) -> bool:
    """Queue every must-say line that was neither heard nor is on its way; True when there was one."""
    queued = {sentence.line for sentence in draft.floor.queue}
    said = False
    for item in draft.release.policy.policy.speech.must_say:
        if draft.value(f"disclosed.{item.id}") is True or item.line in queued:
            continue
        if _spared(draft, item):
            continue
        draft.say_line(item.line, "must_say")
        said = True
    return said


def _spared(draft: Draft, item: MustSay) -> bool:
    """A recording that the caller refused needs no notice."""
    return item.before == "recording" and draft.value("recording_refused") is True


def sentence_heard(draft: Draft, line: str) -> None:
    """A whole line was played: it counts as said from now on."""
    for item in draft.release.policy.policy.speech.must_say:
        if item.line != line or draft.value(f"disclosed.{item.id}") is True:
            continue
        draft.know(f"disclosed.{item.id}", True)
        if item.before == "recording" and draft.value("recording_refused") is not True:
            draft.know("recording", True)
            draft.put(StartRecording())


def overdue(draft: Draft) -> tuple[str, ...]:
    """Must-say items whose deadline has passed unheard."""
    answered = draft.identity.answered_ms
    if answered is None:
        return ()
    waited_ms = draft.now_ms - answered
    late = [
        item.id
        for item in draft.release.policy.policy.speech.must_say
        if item.within_ms is not None
        and waited_ms > item.within_ms
        and draft.value(f"disclosed.{item.id}") is not True
        and not _spared(draft, item)
    ]
    return tuple(late)
