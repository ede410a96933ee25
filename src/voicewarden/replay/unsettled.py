"""Effects that nobody knows the outcome of: a grant was handed over or spent, and no result came back.

In: the cases of a call, and which grants the ledger says were spent. Out: those that a person has to settle, and how to
say so. Nothing runs them again. Used by the call report and the QA report, which both name them before all else.
"""

from collections.abc import Callable, Sequence

from voicewarden.model.action import EFFECTLESS
from voicewarden.replay.cases import Case
from voicewarden.replay.wording import plain


def unsettled(cases: Sequence[Case], burnt: Callable[[str], bool]) -> tuple[Case, ...]:
    """The cases whose effect may or may not have come about; `burnt` says whether a grant was spent."""
    return tuple(case for case in cases if _is_unsettled(case, burnt))


def _is_unsettled(case: Case, burnt: Callable[[str], bool]) -> bool:
    if case.decision.action in EFFECTLESS:
        return False  # nothing outside the call hangs on it
    if case.receipt is not None:
        return case.receipt.outcome == "unknown"
    return case.grant is not None and (case.handed_seq is not None or burnt(case.grant.id))


def unsettled_in_words(case: Case, *, ended: bool) -> str:
    """What a person has to find out; without a recorded end the effect may still be under way."""
    action = plain(case.decision.action)
    if ended or case.receipt is not None:
        return f"Nobody knows whether “{action}” was done: ask there"
    return (
        f"“{action}” was begun, and neither its result nor the end of the call is recorded: unless the call is still "
        "going on, nobody knows whether it was done; ask there"
    )
