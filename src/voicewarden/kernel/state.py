"""The authority state of one call: what has been established, what is open, and what was promised.

Immutable: every step returns a new one. Facets own one part each; `facts` is what the rules may look at.
"""

import msgspec

from voicewarden.model.action import AnswererVerdict, Arguments, Direction, Stage
from voicewarden.model.decision import Grant
from voicewarden.model.directive import Purpose
from voicewarden.model.event import Word
from voicewarden.policy.fact import Facts


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One facet's part of the state."""


class Sentence(_Part, frozen=True, kw_only=True):
    """A sentence that was handed to the voice and has not ended."""

    id: str
    text: str
    purpose: Purpose
    line: str
    started_ms: int | None = None


class Identity(_Part, frozen=True, kw_only=True):
    """Which call this is and how far it may go."""

    call: str = ""
    agent: str = ""
    direction: Direction = "outbound"
    contact: str = ""
    stage: Stage = "observe"
    epoch: int = 0
    day: int = 0
    """Days since 1970 at the call's start, UTC: which approved facts still hold."""
    answered_ms: int | None = None
    ending: str = ""
    """Why the call is being ended; empty while it goes on."""
    hung_up: bool = False
    ended: bool = False
    fault: str = ""
    """A reason why nothing may act any more (lease, ledger, kernel)."""


class Turn(_Part, frozen=True, kw_only=True):
    """The caller's current or last turn."""

    number: int = 0
    open: bool = False
    speaking: bool = False
    words: tuple[Word, ...] = ()
    segments: int = 0
    """Segments with words so far."""
    suspect: bool = False
    faltered: bool = False
    cut: tuple[Sentence, ...] = ()
    """Sentences that this turn cut off."""
    wordless: int = 0
    """Turns without words in a row."""
    tool_calls: int = 0
    held: bool = False
    """The caller has time: they asked for a moment, or can't be heard."""
    filled: bool = False
    """In this turn the caller was told that something works."""
    keyed: str = ""
    """Digits of a number that is being keyed in."""


class Floor(_Part, frozen=True, kw_only=True):
    """What the agent is saying and what it has been told to say next."""

    queue: tuple[Sentence, ...] = ()
    answering: int | None = None
    """The caller's turn that the model may answer; None once the caller has spoken again."""
    generation: int = 0
    """The newest inference."""
    dropped: int = 0
    """Generations up to this one may say nothing more."""
    spoke: bool = False
    """The current generation had a sentence allowed."""
    refusals: int = 0
    """Sentences refused since the model was last consulted."""
    thinking: bool = False
    """The model was consulted and has not finished."""
    consulted: bool = False
    """It was consulted and has not begun: the end of an earlier inference is not the end of this one."""
    owed: bool = False
    """The model was refused because a must-say line was overdue: it may go on once that was heard."""
    falters: int = 0
    repeats: int = 0
    pause_ms: int = 0
    """The pause that was last asked for to end the caller's turn; 0 is the policy's ordinary one."""
    misheard: int = 0
    """How often the caller was told that nothing was understood."""
    warning: bool = False
    """That the call will soon have to end was not said yet, because somebody was speaking."""
    reminders: int = 0
    """How often the caller was reminded that it is their turn."""


class Evidence(_Part, frozen=True, kw_only=True):
    """One piece of evidence of who answered, as it counts now; a family counts once, the rhythm once a feature."""

    family: str
    what: str
    value: int
    weight: int
    at_ms: int
    """Since when it has this weight."""
    verdict: AnswererVerdict
    """What it speaks for, if it speaks for a machine."""


class AnswererPart(_Part, frozen=True, kw_only=True):
    """Who picked up, as far as the evidence goes."""

    verdict: AnswererVerdict = "unknown"
    decided: bool = False
    revised: bool = False
    onset_ms: int | None = None
    score: int = 0
    """Above zero speaks for a machine, below for a person: the sum of the evidence, see `kernel.weights`."""
    evidence: tuple[Evidence, ...] = ()
    words: int = 0
    """Words so far, until it is decided."""
    watched_from_ms: int | None = None
    """Since when the one who answered may still turn out to be a machine; None is since the answer."""
    opened: bool = False
    """The agent has begun to speak to somebody."""
    last_sound_ms: int = 0


class Pending(_Part, frozen=True, kw_only=True):
    """The one question that waits for an answer."""

    seq: int
    request: str
    action: str
    args: Arguments
    digest: str
    principal: str
    sentences: tuple[str, ...]
    last_argument: str
    """The sentence that holds the last argument."""
    armed_ms: int | None = None
    """When that sentence had been played: answers count from here."""
    question: str = ""
    voided: bool = False
    """Cut before the last argument was heard: must be asked again."""


class ConsentPart(_Part, frozen=True, kw_only=True):
    """The pending question and what was answered before."""

    pending: Pending | None = None
    refused: tuple[str, ...] = ()
    asked: dict[str, int] = {}
    asked_action: dict[str, int] = {}
    approved: tuple[str, ...] = ()
    """Action and arguments that a person approved and that were not granted since; each serves once."""
    awaiting: tuple[str, ...] = ()
    """Action and arguments that only lacked a person's approval, the newest last."""
    confirmed: dict[str, str] = {}
    """Action to the digest of the question and the words that the explicit `consent.<action>` rests on."""


class OpenGrant(_Part, frozen=True, kw_only=True):
    """A grant that was minted and has no receipt."""

    grant: Grant
    request: str
    answered: bool
    """The tool call was answered already (a question was asked in between)."""
    after: str = ""
    """Sentence that must have been played before the grant is spent."""
    handed: bool = False
    """It was handed to its effector: it can't be taken back, only re-checked there."""


class GrantPart(_Part, frozen=True, kw_only=True):
    """Open grants and how many were minted."""

    open: dict[str, OpenGrant] = {}
    minted: dict[str, int] = {}
    minted_at_ms: dict[str, int] = {}
    """When an action was last granted."""


class BudgetPart(_Part, frozen=True, kw_only=True):
    """Completion tokens: spent in the call and the turn, and reserved."""

    spent: int = 0
    turn_spent: int = 0
    reserved: dict[int, int] = {}


class State(_Part, frozen=True):
    """Everything that a step carries over to the next. `Draft.freeze` fills it in the order of the fields."""

    seq: int = 0
    """Number of records written so far: the next event's sequence number."""
    now_ms: int = 0
    version: int = 0
    """Grows with every event that lowers authority; a grant of an older version is void."""
    facts: Facts = {}
    identity: Identity = Identity()
    turn: Turn = Turn()
    floor: Floor = Floor()
    answerer: AnswererPart = AnswererPart()
    consent: ConsentPart = ConsentPart()
    grants: GrantPart = GrantPart()
    budget: BudgetPart = BudgetPart()
    timers: dict[str, int] = {}
    silence_step: int = 0
    heard_claims: frozenset[str] = frozenset()
    """Figures that the caller or a recorded result has named: the agent may repeat them."""
    asked_if_ai: bool = False
    desk: str = ""
    """The desk that caller or agent named last: where somebody who asks for a person most likely wants to go."""


EMPTY = State()
"""The state before the first event."""
