"""Who said what and when, as one list in time order: the caller's segments, the agent's sentences, marks between them.

In: `Entries`. Out: `Timeline`. Times are the call's clock. Used by the call report for lanes and transcript.
"""

from typing import Final, Literal

import msgspec

from voicewarden.model.directive import HangUp, Speak
from voicewarden.model.event import (
    CallAnswered,
    CallEnded,
    CallerSpoke,
    RecordingStored,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    Word,
)
from voicewarden.replay.entries import Entries, Entry

Heard = Literal["whole", "cut", "unheard", "unknown"]
"""Whether a sentence was heard to its end, cut, never begun, or the stream does not say."""
_MARKED: Final = frozenset(
    "CallAnswered ToneHeard CarrierJudgedAnswerer DtmfPressed ModelFaltered SpeechFaltered HearingFaltered "
    "SoundStopped SoundResumed OperatorApproved PolicyActivated "
    "AuthorityTightened AuthorityRevoked CallsPaused LeaseLost LedgerFaltered "
    "MediaEnded CallEnded ReceiptReturned SwitchAgent StartRecording StopRecording HangUp".split()
)
"""Events and directives that a reader of the transcript should see between the sentences."""


class Segment(msgspec.Struct, frozen=True):
    """A transcript segment of the caller; an empty text is a sound without words."""

    seq: int
    turn: int
    from_ms: int
    to_ms: int
    text: str
    words: tuple[Word, ...]
    suspect: tuple[str, ...]


class Sentence(msgspec.Struct, frozen=True):
    """A sentence that the agent was told to say."""

    seq: int
    id: str
    text: str
    purpose: str
    line: str
    from_ms: int
    to_ms: int
    heard: Heard
    proposed: str = ""
    """What the model wanted to say, where that was another text."""


class Mark(msgspec.Struct, frozen=True):
    """Something else that happened."""

    seq: int
    from_ms: int
    kind: str


Item = Segment | Sentence | Mark


class Timeline(msgspec.Struct, frozen=True):
    """Everything in order of its beginning."""

    items: tuple[Item, ...]
    length_ms: int
    answered_ms: int | None
    ended: str
    """Why the call ended; empty when no record says so."""
    recording: RecordingStored | None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What the caller said."""
        return tuple(item for item in self.items if isinstance(item, Segment))

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What the agent said."""
        return tuple(item for item in self.items if isinstance(item, Sentence))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What happened beside the talking."""
        return tuple(item for item in self.items if isinstance(item, Mark))


def read_timeline(entries: Entries) -> Timeline:
    """Fold the records of a call into its timeline."""
    playout = _Playout(entries)
    items: list[Item] = []
    for entry in entries.items:
        match entry.value:
            case CallerSpoke() as spoke:
                items.append(_segment(entry, spoke))
            case Speak() as speak:
                items.append(playout.sentence(entry, speak))
            case value if type(value).__name__ in _MARKED:
                items.append(Mark(entry.seq, entry.record.at_ms, type(value).__name__))
            case _:
                pass
    answered = next((e.record.at_ms for e in entries.items if isinstance(e.value, CallAnswered)), None)
    recording = next((e.value for e in reversed(entries.items) if isinstance(e.value, RecordingStored)), None)
    ordered = tuple(sorted(items, key=lambda item: (item.from_ms, item.seq)))
    return Timeline(ordered, _length(entries, ordered, recording), answered, _ended(entries), recording)


def _segment(entry: Entry, spoke: CallerSpoke) -> Segment:
    first = spoke.words[0].from_ms if spoke.words else entry.record.at_ms - spoke.speech_ms
    last = spoke.words[-1].to_ms if spoke.words else entry.record.at_ms
    first = max(0, first)
    return Segment(entry.seq, spoke.turn, first, max(first, last), spoke.text, spoke.words, spoke.suspect)


class _Playout:
    """When each sentence was heard, from the playout marks alone."""

    def __init__(self, entries: Entries) -> None:
        self._started: dict[str, int] = {}
        self._played: dict[str, tuple[int, SentencePlayed]] = {}
        self._proposed: dict[str, str] = {}
        for entry in entries.items:
            match entry.value:
                case SentenceStarted(sentence=sentence):
                    self._started.setdefault(sentence, entry.record.at_ms)
                case SentencePlayed(sentence=sentence) as played:
                    self._played.setdefault(sentence, (entry.record.at_ms, played))
                case SentenceProposed(sentence=sentence, text=text):
                    self._proposed[sentence] = text
                case _:
                    pass

    def sentence(self, entry: Entry, speak: Speak) -> Sentence:
        """The sentence with its times; one that was never begun stands where it was ordered."""
        begun = self._started.get(speak.sentence)
        at_ms, played = self._played.get(speak.sentence, (None, None))
        heard: Heard = "unknown"
        start = entry.record.at_ms if begun is None else begun
        end = start
        if at_ms is not None and played is not None:
            heard = "whole" if played.whole else "cut" if played.played_ms > 0 else "unheard"
            if begun is None and heard != "unheard":
                start = max(entry.record.at_ms, at_ms - played.played_ms)
            end = max(start, at_ms) if heard == "whole" else start + max(0, played.played_ms)
        proposed = self._proposed.get(speak.sentence, "")
        return Sentence(
            entry.seq, speak.sentence, speak.text, speak.purpose, speak.line, start, end, heard,
            proposed if proposed != speak.text else "",
        )  # fmt: skip


def _ended(entries: Entries) -> str:
    for wanted in (HangUp, CallEnded):
        for entry in entries.items:
            if isinstance(entry.value, wanted):
                return entry.value.reason
    return ""


def _length(entries: Entries, items: tuple[Item, ...], recording: RecordingStored | None) -> int:
    ends = [entry.record.at_ms for entry in entries.items]
    ends += [item.to_ms for item in items if not isinstance(item, Mark)]
    if recording is not None:
        ends.append(recording.from_ms + recording.ms)
    return max(ends, default=0)

