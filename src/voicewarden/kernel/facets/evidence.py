"""The evidence of who answered: pieces in, each kind once, and what they add up to.

Called by the answerer facet. A kind is counted by its latest or strongest piece, so that nothing is counted twice; the
table of the release says how much each weighs.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets.rhythm import features
from voicewarden.kernel.state import Evidence, State
from voicewarden.kernel.weights import AS_BEFORE, AnswererWeights, weight_of
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.directive import Weighed
from voicewarden.model.event import CadenceMeasured
from voicewarden.reading.answering import Cue

RHYTHM: Final = "rhythm"
WORDS: Final = "words"
WORD_COUNT: Final = "word count"
SILENT_MS: Final = 420
"""After the end of speech was reported, which takes 200 ms: longer than recordings breathe between two sentences (0.3
to 0.6 s) and shorter than people wait for an answer (LiveKit takes 0.5 s, app_amd 0.8 s, Twilio 1.2 s). The measurement
0.7 s after the end decides, however unevenly a line delivers its sound.
"""
_VERDICT_OF_CUE: Final[dict[str, AnswererVerdict]] = {
    "mailbox": "voicemail", "menu": "menu", "screening": "screening", "unavailable": "unavailable",
    "announcing": "voicemail", "human": "human",
}  # fmt: skip


def table(draft: Draft) -> AnswererWeights:
    """The weights that govern this call."""
    return draft.release.data.answerer or AS_BEFORE


def counts_latest(draft: Draft) -> bool:
    """Whether the release has a table of its own; one without goes on as before there were any."""
    return table(draft).reckoning == "latest"


def take(draft: Draft, family: str, what: str, value: int, weight: int, verdict: AnswererVerdict) -> Evidence | None:
    """Take a piece in; None when it says no more than what its family has said already."""
    part = draft.answerer
    new = Evidence(family=family, what=what, value=value, weight=weight, at_ms=draft.now_ms, verdict=verdict)
    old = next((one for one in part.evidence if one.family == family), None)
    if old is None:
        if not weight:
            return None
    elif not counts_latest(draft) or not _outweighs(new, old):
        return None
    _keep(draft, (*(one for one in part.evidence if one is not old), new))
    return new


def take_cue(draft: Draft, cue: Cue, words: int) -> Evidence | None:
    """Words that hint at who speaks. A short greeting that may go on is none yet."""
    weights = table(draft)
    rule = cue.rule
    if counts_latest(draft) and rule == "greeting" and draft.turn.speaking:
        rule = "greeting_so_far"
    weight, verdict = weights.cues.get(rule, 0), _VERDICT_OF_CUE[cue.kind]
    family = WORDS if counts_latest(draft) or cue.kind == "human" else cue.kind
    return take(draft, family, rule, words, weight, verdict)


def take_rhythm(draft: Draft, event: CadenceMeasured) -> None:
    """The rhythm as it is now, in place of what it was."""
    steps, before = table(draft).rhythm, {one.what: one for one in draft.answerer.evidence if one.family == RHYTHM}
    rows = []
    for what, value in features(event).items():
        weight = weight_of(steps.get(what, ()), value)
        if not weight:
            continue
        old = before.get(what)
        at_ms = old.at_ms if old is not None and old.weight == weight else draft.now_ms
        rows.append(Evidence(family=RHYTHM, what=what, value=value, weight=weight, at_ms=at_ms, verdict="voicemail"))
    _keep(draft, (*(one for one in draft.answerer.evidence if one.family != RHYTHM), *rows))


def has_rhythm(draft: Draft) -> bool:
    """Whether a rhythm was measured that says anything."""
    return any(one.family == RHYTHM for one in draft.answerer.evidence)


def is_quiet(state: Draft | State) -> bool:
    """Whether whoever answered has been silent for a while: only then a person has finished their greeting."""
    return not state.turn.speaking and state.now_ms - state.answerer.last_sound_ms >= SILENT_MS


def machine_of(draft: Draft) -> AnswererVerdict:
    """Which machine the evidence speaks for: what was said or sounded, before how long it lasted."""
    for_machine = [one for one in draft.answerer.evidence if one.weight > 0]
    best = max(for_machine, key=lambda one: (one.family != RHYTHM, one.weight), default=None)
    return best.verdict if best is not None else "voicemail"


def weighed(draft: Draft) -> tuple[Weighed, ...]:
    """The evidence as it is put on record, in the order in which it came."""
    found = sorted(draft.answerer.evidence, key=lambda one: (one.at_ms, one.what))
    return tuple(Weighed(one.what, one.value, one.weight, one.at_ms) for one in found)


def _keep(draft: Draft, evidence: tuple[Evidence, ...]) -> None:
    rhythm = sum(one.weight for one in evidence if one.family == RHYTHM)
    others = sum(one.weight for one in evidence if one.family != RHYTHM)
    score = min(rhythm, table(draft).rhythm_at_most) + others
    draft.answerer = replace(draft.answerer, evidence=evidence, score=score)


def _outweighs(new: Evidence, old: Evidence) -> bool:
    """Whether a piece takes the place of an older one of its family."""
    if new.family == WORDS and _rank(new) != _rank(old):
        return _rank(new) > _rank(old)
    if new.family == "carrier" or new.what == WORD_COUNT:
        return new.weight != old.weight
    return abs(new.weight) > abs(old.weight)


def _rank(piece: Evidence) -> int:
    """What recordings say stands above what people say, and that above how much was said."""
    if piece.what == WORD_COUNT:
        return 0
    return 1 if piece.verdict == "human" else 2
