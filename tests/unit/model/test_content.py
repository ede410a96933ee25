"""Content: every type is classified, and what stays readable of a sealed body is structure and nothing else."""

import json
from typing import Any, get_args

import msgspec
import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import DECODERS
from tests.replay.golden import load

from voicewarden.kernel.draft import Output
from voicewarden.model import directive as directives
from voicewarden.model import event as events
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import (
    CONTENT,
    HIDDEN,
    Clear,
    clear_part,
    has_content,
    is_sealed,
    outline,
    sealed_body,
    shape_of,
    split_sealed,
)
from voicewarden.model.decision import Decision, Grant, Reason

SEALED = {shape: clear for shape, clear in CONTENT.items() if clear is not None}
BOX = b"QUJD"


def blind(text: str) -> str:
    return "~blind"


def members() -> set[type]:
    outputs = {shape for part in get_args(Output) for shape in get_args(part) or (part,)}
    return {*get_args(events.Event), *get_args(directives.Directive), *outputs}


def test_every_type_is_classified() -> None:
    assert set(CONTENT) == members()


@pytest.mark.parametrize("shape", SEALED, ids=lambda shape: shape.__name__)
def test_what_is_named_exists_and_an_outline_lacks_nothing(shape: type) -> None:
    clear, fields = SEALED[shape], {field.name: field for field in msgspec.structs.fields(shape)}
    assert {*clear.fields, *clear.hidden} <= set(fields)
    assert {*clear.blinded, *clear.named} <= set(clear.fields)
    required = {name for name, field in fields.items() if field.required}
    assert required <= {*clear.fields, *clear.hidden}
    assert set(clear.hidden).isdisjoint(clear.fields)


@pytest.mark.parametrize("shape", sorted(set(CONTENT) - set(SEALED), key=str), ids=lambda shape: shape.__name__)
def test_what_is_not_sealed_has_no_field_for_words(shape: type) -> None:
    words = {"text", "words", "args", "value", "facts", "heard", "digit", "detail", "result", "reasons", "contact"}
    assert words.isdisjoint(field.name for field in msgspec.structs.fields(shape))


def test_no_type_has_a_member_that_marks_a_sealed_body() -> None:
    for shape in members():
        assert all(field.encode_name[0].isalpha() for field in msgspec.structs.fields(shape))


# Any: the JSON of a body.
def parts(shape: type, value: object) -> tuple[dict[str, Any], bytes]:
    clear = clear_part(shape, canonical_bytes(value), blind)
    return json.loads(clear), sealed_body(BOX, clear)


def test_what_a_caller_said_is_not_in_the_clear_part() -> None:
    said = events.CallerSpoke(at_ms=7, turn=2, text="my name is Ada", words=(events.Word("Ada", 9, 1, 2),), speech_ms=3)
    clear, sealed = parts(events.CallerSpoke, said)
    assert clear == {"at_ms": 7, "event": "CallerSpoke", "speech_ms": 3, "turn": 2}
    assert b"Ada" not in sealed
    assert split_sealed(sealed) == (BOX, canonical_bytes(clear))
    shown = DECODERS["event"].decode(outline("event", sealed) or b"")
    assert shown == events.CallerSpoke(at_ms=7, turn=2, text=HIDDEN, words=(), speech_ms=3)


def test_a_decision_keeps_its_rules_and_blinds_its_digest() -> None:
    reason = Reason("book.consent", "consent.book", "explicit", "Ada said yes", "confirm", (3,), "schedule_callback")
    decision = Decision(
        seq=4, at_ms=9, request="r1", action="book", digest="d" * 64, principal="booking", verdict="confirm",
        reasons=(reason,), policy="p", version=1, epoch=0, stage="bounded",
    )  # fmt: skip
    clear, sealed = parts(Decision, decision)
    assert clear["reasons"] == [{"evidence": [3], "rule": "book.consent", "verdict": "confirm"}]
    assert clear["digest"] == "~blind" and clear["verdict"] == "confirm"
    assert b"Ada" not in sealed and b"dddd" not in sealed
    shown = DECODERS["decision"].decode(outline("decision", sealed) or b"")
    assert isinstance(shown, Decision)
    assert shown.reasons == (Reason("book.consent", "book.consent", "was not met", HIDDEN, "confirm", (3,)),)


@pytest.mark.parametrize(("name", "kept"), [("book", "book"), ("call_0/x.1", "call_0/x.1"), ("tell Ada", "~blind")])
def test_a_name_that_a_model_made_up_is_blinded_unless_it_is_an_identifier(name: str, kept: str) -> None:
    asked = events.ActionRequested(at_ms=1, request=name, action=name, args={"who": "Ada"}, principal="booking")
    clear, _ = parts(events.ActionRequested, asked)
    assert clear == {
        "action": kept, "at_ms": 1, "event": "ActionRequested", "principal": "booking", "request": kept,
    }  # fmt: skip


def test_a_type_that_nobody_classified_is_sealed_whole() -> None:
    class Unheard(events.EventBase, frozen=True, kw_only=True):
        text: str

    body = canonical_bytes(Unheard(at_ms=1, text="Ada"))
    assert has_content(Unheard)
    assert clear_part(Unheard, body, blind) == b"{}"
    assert sealed_body(BOX, b"{}") == b'{"$box":"QUJD","$class":"words"}'
    assert split_sealed(sealed_body(BOX, b"{}")) == (BOX, b"{}")
    assert outline("event", sealed_body(BOX, b"{}")) is None


def test_a_body_that_is_none_of_its_type_is_sealed_whole() -> None:
    assert clear_part(Grant, b'{"id":3', blind) == clear_part(Grant, b"\xff", blind) == b"{}"


@pytest.mark.parametrize("body", [b"{}", b"", b'{"$box":"', b'{"$box":"QQ=="}', b'{"$box":"QQ==","$class":"words"x'])
def test_what_is_no_sealed_body_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no sealed body"):
        split_sealed(body)
    assert outline("event", body) is None


@pytest.mark.parametrize("path", sorted((TOP / "tests" / "calls").glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_record_of_a_call_has_a_canonical_sealed_form(path: Any) -> None:
    for record in load(path):
        value = DECODERS[record.kind].decode(record.body)
        shape = shape_of(record.kind, json.loads(record.body))
        assert shape is type(value)
        if not has_content(shape):
            continue
        clear = clear_part(shape, record.body, blind)
        sealed = sealed_body(BOX, clear)
        assert is_sealed(sealed) and not is_sealed(record.body)
        assert canonical_bytes(msgspec.json.decode(sealed)) == sealed
        shown = DECODERS[record.kind].decode(outline(record.kind, sealed) or b"")
        assert type(shown) is shape
        told: Clear | None = CONTENT[shape]
        assert told is not None
        for field in told.fields:
            if field not in (*told.blinded, *told.named, "reasons"):
                assert getattr(shown, field) == getattr(value, field)
