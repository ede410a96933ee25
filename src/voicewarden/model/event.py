"""Events: what happened, in the past tense. The only thing that moves a call's authority state.

Times are integer milliseconds since the call started, scores integer per mille, `None` where a score is unknown.
Live calls, replay, what-if, tests and benchmarks all feed these to `kernel.step`.
"""

from typing import Literal

import msgspec

from voicewarden.model.action import AnswererVerdict, Arguments, Direction, Outcome, Stage, Value


class Word(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One transcribed word: how sure the transcriber was, and when it was said on the call's clock."""

    text: str
    permille: int | None
    from_ms: int
    to_ms: int


class EventBase(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event", tag=True, kw_only=True,
    omit_defaults=True, gc=False,
):  # fmt: skip
    """What every event has: when it happened, in milliseconds since the call started. Defaults are not written, so that
    a field which is added later changes no old record.
    """

    at_ms: int


class CallStarted(EventBase, frozen=True, kw_only=True):
    """The first event of every call; `facts` carries declared and contact facts."""

    call: str
    agent: str
    direction: Direction
    contact: str
    """Keyed hash of the caller's number; never the number."""
    stage: Stage
    epoch: int
    release: str
    """Content hash of the release that governs this call."""
    started_unix_ms: int
    development: bool = False
    facts: dict[str, Value] = {}


class CallAnswered(EventBase, frozen=True, kw_only=True):
    """The line was picked up, by whomever."""


class CallerStartedSpeaking(EventBase, frozen=True, kw_only=True):
    """Voice activity began; `turn` counts from 1 and stays the same until the turn's end."""

    turn: int


class CallerStoppedSpeaking(EventBase, frozen=True, kw_only=True):
    """Voice activity ended; the turn may still go on."""

    turn: int
    speech_ms: int


class CallerSpoke(EventBase, frozen=True, kw_only=True):
    """One transcript segment of a turn. An empty text says that the transcriber found no words."""

    turn: int
    text: str
    words: tuple[Word, ...]
    speech_ms: int
    logprob_permille: int | None = None
    no_speech_permille: int | None = None
    compression_permille: int | None = None
    suspect: tuple[str, ...] = ()
    """Reasons to doubt that the words were said at all (repetition, boilerplate, too fast)."""


class CallerTurnEnded(EventBase, frozen=True, kw_only=True):
    """The caller's turn is over; all its segments were reported before."""

    turn: int


class ToneHeard(EventBase, frozen=True, kw_only=True):
    """A tone on the line."""

    tone: Literal["beep", "busy", "ringback", "sit", "fax", "other"]
    hz: int
    ms: int


class CadenceMeasured(EventBase, frozen=True, kw_only=True):
    """Rhythm of the speech since the answer, in milliseconds; a measurement, not a verdict."""

    onset_ms: int
    speech_ms: int
    longest_run_ms: int
    bursts: int
    trailing_silence_ms: int
    longest_gap_ms: int = 0


class CarrierJudgedAnswerer(EventBase, frozen=True, kw_only=True):
    """The carrier's own opinion of who answered: one piece of evidence among others."""

    verdict: AnswererVerdict


class DtmfPressed(EventBase, frozen=True, kw_only=True):
    """A key of the caller's telephone."""

    digit: str


class SentenceProposed(EventBase, frozen=True, kw_only=True):
    """The language model wants to say this. `generation` numbers the inference, `turn` the turn it answers."""

    sentence: str
    generation: int
    turn: int
    text: str


class SentenceStarted(EventBase, frozen=True, kw_only=True):
    """The first sound of a sentence left the caller's earpiece (start mark)."""

    sentence: str


class SentencePlayed(EventBase, frozen=True, kw_only=True):
    """A sentence ended: wholly played (end mark) or cut after `played_ms`."""

    sentence: str
    played_ms: int
    whole: bool


class GenerationEnded(EventBase, frozen=True, kw_only=True):
    """The model has nothing more to say in this generation."""

    generation: int


class ActionRequested(EventBase, frozen=True, kw_only=True):
    """Somebody asks for an action. What the model passes here is a wish, never evidence."""

    request: str
    action: str
    args: Arguments
    principal: str
    turn: int | None = None
    """The turn whose inference asked; None when no model asked."""


class FactLearned(EventBase, frozen=True, kw_only=True):
    """An approved record (CRM, calendar, configuration) says this."""

    fact: str
    value: Value
    source: str


class CountReserved(EventBase, frozen=True, kw_only=True):
    """How much of a limit over a window other calls have used or reserved; this call's own grants are not in it."""

    limit: str
    """What is counted: action, scope and seconds of the window, such as `book.person.86400`."""
    used: int


class TokensReserved(EventBase, frozen=True, kw_only=True):
    """An inference wants to start and to produce at most `tokens` completion tokens; `AnswerInference` replies."""

    inference: int
    tokens: int


class TokensSpent(EventBase, frozen=True, kw_only=True):
    """What an inference really produced, in completion tokens; settles its reservation."""

    inference: int
    tokens: int


class TimerFired(EventBase, frozen=True, kw_only=True):
    """A timer that the kernel asked for has come due."""

    timer: str
    due_ms: int


class ReceiptReturned(EventBase, frozen=True, kw_only=True):
    """How the effect of a grant ended."""

    grant: str
    outcome: Outcome
    detail: dict[str, Value] = {}


class ModelFaltered(EventBase, frozen=True, kw_only=True):
    """The language model failed, hung or talked nonsense in a generation."""

    generation: int
    what: Literal["timeout", "stalled", "error", "invalid_arguments", "overlong"]


class SpeechFaltered(EventBase, frozen=True, kw_only=True):
    """A sentence could not be turned into sound."""

    sentence: str


class HearingFaltered(EventBase, frozen=True, kw_only=True):
    """A segment could not be transcribed: its words are unknown, which is not the same as silence."""

    turn: int


class SoundStopped(EventBase, frozen=True, kw_only=True):
    """No sound comes from the caller's side, not even that of silence: their line is on hold or muted."""


class SoundResumed(EventBase, frozen=True, kw_only=True):
    """Sound comes from the caller's side again."""


class OperatorApproved(EventBase, frozen=True, kw_only=True):
    """A person approved exactly these arguments of one action (assist stage), to be done once."""

    digest: str
    operator: str
    action: str = ""
    """Which action; without it, the one that waits for an approval of these arguments."""


class PolicyActivated(EventBase, frozen=True, kw_only=True):
    """Another release governs from here on."""

    release: str
    epoch: int


class AuthorityTightened(EventBase, frozen=True, kw_only=True):
    """A person lowered the stage of running calls."""

    stage: Stage
    epoch: int
    operator: str


class AuthorityRevoked(EventBase, frozen=True, kw_only=True):
    """A person took the right to act away."""

    epoch: int
    operator: str


class CallsPaused(EventBase, frozen=True, kw_only=True):
    """A person paused all calls."""

    epoch: int
    operator: str


class LeaseLost(EventBase, frozen=True, kw_only=True):
    """This worker may not act for the call any more."""


class LedgerFaltered(EventBase, frozen=True, kw_only=True):
    """Records can't be made durable: nothing may act, the call ends politely."""


class RecordingStored(EventBase, frozen=True, kw_only=True):
    """The call's two-channel recording was stored under this content address."""

    blob: str
    from_ms: int
    ms: int


class MediaEnded(EventBase, frozen=True, kw_only=True):
    """The audio connection is gone; the call itself may go on elsewhere (a transfer)."""

    clean: bool


class CallEnded(EventBase, frozen=True, kw_only=True):
    """Nothing more will happen."""

    reason: str


Event = (
    CallStarted | CallAnswered | CallerStartedSpeaking | CallerStoppedSpeaking | CallerSpoke | CallerTurnEnded
    | ToneHeard | CadenceMeasured | CarrierJudgedAnswerer | DtmfPressed | SentenceProposed | SentenceStarted
    | SentencePlayed | GenerationEnded | ActionRequested | FactLearned | CountReserved | TokensReserved | TokensSpent
    | TimerFired | ReceiptReturned | ModelFaltered | SpeechFaltered | HearingFaltered | SoundStopped | SoundResumed
    | OperatorApproved | PolicyActivated | AuthorityTightened | AuthorityRevoked | CallsPaused | LeaseLost
    | LedgerFaltered | RecordingStored | MediaEnded | CallEnded
)  # fmt: skip
