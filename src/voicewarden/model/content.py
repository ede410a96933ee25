"""Which records carry content, and what of them stays readable when the content is sealed.

Content is what a caller or an agent said, typed or asked for: words, arguments, figures, values of facts. Structure is
the rest: kinds, actions, verdicts, rules, ids, times. A sealed body is canonical JSON whose first member is `$box`, the
encrypted body in base64, then `$class`, then the clear part: the members that the table here names. In: the type and
the canonical body of an event or output. Out: its clear part; of a sealed body, box and clear part, or an outline with
placeholders for what is sealed. Called by the ledger's vault, by `verify` and by structural replay.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from voicewarden.model import directive as directives
from voicewarden.model import event as events
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision, Grant, Shadowed

ContentClass = Literal["words", "audio"]
CLASSES: Final[tuple[ContentClass, ...]] = get_args(ContentClass)
HIDDEN: Final = "(sealed)"
"""What an outline shows in place of a sealed text."""
_OPENING: Final = b'{"$box":"'
_CLASS: Final = b'","$class":"words"'
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:/~-]{1,80}", re.ASCII)

Blind = Callable[[str], str]
"""A keyed hash: equal texts of one call stay recognisable as equal, and can't be guessed once its key is gone."""


class Clear(NamedTuple):
    """What stays readable of a type that carries content."""

    fields: tuple[str, ...]
    blinded: tuple[str, ...] = ()
    """Of these, digests of content: shown as a keyed hash, because a hash alone can be guessed."""
    named: tuple[str, ...] = ()
    """Of these, names that a model may have made up: blinded unless they look like an identifier."""
    # Any: whatever the field's type is, as JSON.
    hidden: Mapping[str, Any] = {}
    """Placeholders for required fields that are sealed."""


class _ClearReason(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    rule: msgspec.Raw
    verdict: msgspec.Raw
    evidence: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_ASKED: Final = ("request", "action", "principal")
CONTENT: Final[dict[type, Clear | None]] = {
    events.CallStarted: Clear(
        ("at_ms", "call", "agent", "direction", "stage", "epoch", "release", "started_unix_ms", "development"),
        hidden={"contact": HIDDEN},
    ),
    events.CallAnswered: None,
    events.CallerStartedSpeaking: None,
    events.CallerStoppedSpeaking: None,
    events.CallerSpoke: Clear(("at_ms", "turn", "speech_ms"), hidden={"text": HIDDEN, "words": ()}),
    events.CallerTurnEnded: None,
    events.ToneHeard: None,
    events.CadenceMeasured: None,
    events.CarrierJudgedAnswerer: None,
    events.DtmfPressed: Clear(("at_ms",), hidden={"digit": HIDDEN}),
    events.SentenceProposed: Clear(("at_ms", "sentence", "generation", "turn"), hidden={"text": HIDDEN}),
    events.SentenceStarted: None,
    events.SentencePlayed: None,
    events.GenerationEnded: None,
    events.ActionRequested: Clear(("at_ms", *_ASKED, "turn"), named=_ASKED, hidden={"args": {}}),
    events.FactLearned: Clear(("at_ms", "fact", "source"), named=("fact", "source"), hidden={"value": HIDDEN}),
    events.CountReserved: None,
    events.TokensReserved: None,
    events.TokensSpent: None,
    events.TimerFired: None,
    events.ReceiptReturned: Clear(("at_ms", "grant", "outcome")),
    events.ModelFaltered: None,
    events.SpeechFaltered: None,
    events.HearingFaltered: None,
    events.SoundStopped: None,
    events.SoundResumed: None,
    events.OperatorApproved: Clear(("at_ms", "operator", "action", "digest"), blinded=("digest",), named=("action",)),
    events.PolicyActivated: None,
    events.AuthorityTightened: None,
    events.AuthorityRevoked: None,
    events.CallsPaused: None,
    events.LeaseLost: None,
    events.LedgerFaltered: None,
    events.RecordingStored: None,
    events.MediaEnded: None,
    events.CallEnded: None,
    Decision: Clear(
        (
            "seq", "at_ms", *_ASKED, "digest", "verdict", "would", "reasons", "policy", "version", "epoch", "stage",
        ), blinded=("digest",), named=_ASKED,
    ),
    Shadowed: Clear(
        ("seq", "at_ms", "request", "action", "source", "policy", "verdict", "active", "reasons"),
        named=("request", "action"),
    ),
    Grant: Clear(
        (
            "id", "call", "seq", "action", "digest", "version", "policy", "epoch", "principal", "minted_at_ms",
            "expires_at_ms", "escape",
        ), blinded=("digest",), named=("action", "principal"), hidden={"args": {}, "confirmed": HIDDEN},
    ),
    directives.Speak: Clear(("sentence", "purpose", "line"), hidden={"text": HIDDEN}),
    directives.StopSpeaking: None,
    directives.DropGeneration: None,
    directives.ConsultModel: Clear(("turn", "unsure"), hidden={"heard": HIDDEN}),
    directives.AnswerInference: None,
    directives.ListenFor: None,
    directives.TreatAs: None,
    directives.TellModel: Clear(("action", "status"), named=("action",)),
    directives.AnswerTool: Clear(("request", "action", "status"), named=("request", "action")),
    directives.StartTimer: None,
    directives.CancelTimer: None,
    directives.SpendGrant: None,
    directives.SwitchAgent: None,
    directives.StartRecording: None,
    directives.StopRecording: None,
    directives.HangUp: None,
}  # fmt: skip
"""Every member of the unions, in their order; `test_content.py` demands it. What is missing is sealed whole."""


class _Reader:
    """Reads the clear part of one type out of a body, as pieces of the same bytes."""

    def __init__(self, shape: type, clear: Clear) -> None:
        told = clear.blinded + clear.named
        config = shape.__struct_config__  # type: ignore[attr-defined]  # every member of the table is a msgspec struct
        made = msgspec.defstruct(
            f"Clear{shape.__name__}", [(name, *_kind(name, text=name in told)) for name in clear.fields],
            tag=config.tag, tag_field=config.tag_field, omit_defaults=True, gc=False,
        )  # fmt: skip
        self._decode = msgspec.json.Decoder(made).decode
        self._blinded = clear.blinded
        self._named = clear.named

    def read(self, body: bytes, blind: Blind) -> bytes:
        """The clear part as canonical JSON."""
        found = self._decode(body)
        for name in self._blinded:
            setattr(found, name, blind(getattr(found, name)))
        for name in self._named:
            given = getattr(found, name)
            if given is not msgspec.UNSET and not _IDENTIFIER.fullmatch(given):
                setattr(found, name, blind(given))
        return canonical_bytes(found)


# Any: the annotation of a field that is made here, which no name exists for.
def _kind(name: str, *, text: bool) -> tuple[Any, Any]:
    kind: Any = tuple[_ClearReason, ...] if name == "reasons" else str if text else msgspec.Raw
    return kind | msgspec.UnsetType, msgspec.UNSET


_READERS: Final = {shape: _Reader(shape, clear) for shape, clear in CONTENT.items() if clear is not None}
_PLAIN: Final = frozenset(shape for shape, clear in CONTENT.items() if clear is None)
_TAGGED: Final = {shape.__name__: shape for shape in CONTENT}
_KINDS: Final[dict[str, type]] = {"decision": Decision, "shadow": Shadowed, "grant": Grant}


def has_content(shape: type) -> bool:
    """Whether records of this type are sealed; a type that the table does not know is."""
    return shape not in _PLAIN


def clear_part(shape: type, body: bytes, blind: Blind) -> bytes:
    """What stays readable of a body of this type; nothing of one that the table does not know or can't read."""
    reader = _READERS.get(shape)
    try:
        return b"{}" if reader is None else reader.read(body, blind)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return b"{}"


def sealed_body(box: bytes, clear: bytes) -> bytes:
    """A sealed body of a box in base64 and a clear part; `$` sorts before every name, so that it is canonical."""
    return _OPENING + box + _CLASS + (b"}" if clear == b"{}" else b"," + clear[1:])


# Any: the decoded JSON of any of the types.
def shape_of(kind: str, value: Mapping[str, Any]) -> type | None:
    """The type that a body or a clear part is of; None where the table does not know it."""
    return _KINDS.get(kind) or _TAGGED.get(str(value.get(kind, "")))


def is_sealed(body: bytes) -> bool:
    """Whether a body is a sealed one; no struct has a member `$box`."""
    return body.startswith(_OPENING)


def split_sealed(body: bytes) -> tuple[bytes, bytes]:
    """Box in base64 and clear part of a sealed body; raises ValueError when it is none."""
    end = body.find(b'"', len(_OPENING))
    rest = body[end + len(_CLASS) :]
    if not is_sealed(body) or not body.startswith(_CLASS, end) or rest[:1] not in (b",", b"}"):
        raise ValueError("this is no sealed body")
    return body[len(_OPENING) : end], b"{}" if rest == b"}" else b"{" + rest[1:]


def readable(kind: str, body: bytes) -> bytes:
    """A body as it can be read: the outline of one that is sealed, where there is one, and else what it is."""
    return (outline(kind, body) or body) if is_sealed(body) else body


def outline(kind: str, body: bytes) -> bytes | None:
    """What can be read of a sealed body without its key, as a body with placeholders; None where that is nothing."""
    try:
        _, clear = split_sealed(body)
        # Any: JSON of any of the types.
        found: dict[str, Any] = msgspec.json.decode(clear, type=dict)
    except (ValueError, msgspec.MsgspecError):
        return None
    shape = shape_of(kind, found)
    known = None if shape is None else CONTENT.get(shape)
    if known is None:
        return None
    for reason in found.get("reasons", ()):
        needed = "was met" if reason["verdict"] == "allow" else "was not met"
        reason |= {"fact": reason["rule"], "needed": needed, "found": HIDDEN}
    return canonical_bytes({**known.hidden, **found})
