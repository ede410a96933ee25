"""Settings and the terms of a grant: what the verdict of an action does not show, with its direction."""

from typing import Any

import msgspec
import pytest
from tests.fakes.rig import release_of
from tests.unit.proofs.loosened import with_action

from voicewarden.policy.ast import Argument, FactType, MustSay, Policy, Window
from voicewarden.proofs.diff import diff
from voicewarden.proofs.settings_diff import settings_diff

SALES = release_of("outbound-sales").policy
replace = msgspec.structs.replace
BOOK = SALES.actions["book"]


def block(name: str, **changes: Any) -> Policy:
    return replace(SALES, **{name: replace(getattr(SALES, name), **changes)})


def only(old: Policy, new: Policy, **more: Any) -> tuple[str, Any, Any, str]:
    found = settings_diff(old, new, **more)
    assert len(found) == 1
    return found[0].field, found[0].old, found[0].new, found[0].verdict


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("silence", "backstop_ms", 60_000), ("call", "longest_ms", 900_000), ("call", "warn_before_ms", 1_000),
        ("budget", "per_call_tokens", 9_000), ("budget", "tool_calls_per_turn", 3), ("answerer", "decide_by_ms", 9_000),
        ("answerer", "no_speech_ms", 8_000), ("hearing", "end_of_turn_ms", 700), ("oversight", "contact", "nobody"),
    ],
)  # fmt: skip
def test_timers_and_budgets_are_only_changed(name: str, field: str, value: Any) -> None:
    old = getattr(getattr(SALES, name), field)
    new = block(name, **{field: value})
    assert only(SALES, new) == (f"{name}.{field}", old, value, "changed")
    assert not diff(SALES, new).widens


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("questions", "times_per_arguments", 3), ("questions", "times_per_action", 5),
        ("questions", "answer_within_ms", 20_000), ("questions", "answer_tolerance_ms", 500),
        ("oversight", "review_days", 60),
    ],
)  # fmt: skip
def test_more_of_these_widens(name: str, field: str, value: int) -> None:
    new = block(name, **{field: value})
    assert only(SALES, new)[3] == "widens"
    assert only(new, SALES)[3] == "narrows"
    assert diff(SALES, new).widens


@pytest.mark.parametrize("band", ["decide", "content", "digits", "names"])
@pytest.mark.parametrize("field", ["accept_permille", "confirm_permille"])
def test_a_lower_band_of_hearing_widens(band: str, field: str) -> None:
    bands = getattr(SALES.hearing, band)
    new = block("hearing", **{band: replace(bands, **{field: getattr(bands, field) - 50})})
    assert only(SALES, new)[0] == f"hearing.{band}.{field}"
    assert only(SALES, new)[3] == "widens"
    assert only(new, SALES)[3] == "narrows"


@pytest.mark.parametrize("band", ["digits", "names"])
def test_a_band_that_comes_or_goes_is_neither_wider_nor_narrower(band: str) -> None:
    without = block("hearing", **{band: None})
    fields = [f"hearing.{band}.accept_permille", f"hearing.{band}.confirm_permille"]
    for old, new in ((without, SALES), (SALES, without)):
        changes = [(change.field, change.verdict) for change in diff(old, new).settings]
        assert changes == [(field, "changed") for field in fields]


def test_what_must_be_said_and_what_is_refused() -> None:
    lines = SALES.speech.must_say
    fewer = block("speech", must_say=lines[1:])
    assert only(SALES, fewer) == ("speech.must_say.ai", "disclosures.ai", None, "widens")
    assert only(fewer, SALES)[3] == "narrows"
    later = block("speech", must_say=(replace(lines[0], within_ms=9_000), *lines[1:]))
    assert only(SALES, later) == ("speech.must_say.ai.within_ms", 8_000, 9_000, "widens")
    assert only(block("speech", must_say=(replace(lines[0], within_ms=None), *lines[1:])), SALES)[3] == "narrows"
    other = block("speech", must_say=(replace(lines[0], line="goodbye"), *lines[1:]))
    assert only(SALES, other)[3] == "changed"
    unbound = block("speech", must_say=(lines[0], MustSay(id="recording", line=lines[1].line), *lines[2:]))
    assert only(SALES, unbound) == ("speech.must_say.recording.before", "recording", None, "widens")
    free = block("speech", refuse=SALES.speech.refuse[1:])
    assert only(SALES, free) == ("speech.refuse.denies_ai", "denies_ai", None, "widens")
    assert only(free, SALES)[3] == "narrows"


def test_contact_answerers_and_pauses() -> None:
    assert only(SALES, block("contact", consent_level="oral"))[3] == "widens"
    assert only(block("contact", consent_level="oral"), SALES)[3] == "narrows"
    more = block("contact", per_person=(Window(at_most=4, in_s=86_400), *SALES.contact.per_person[1:]))
    assert only(SALES, more) == ("contact.per_person.86400", 3, 4, "widens")
    none = block("contact", per_person=())
    assert {setting.verdict for setting in settings_diff(SALES, none)} == {"widens"}
    assert {setting.verdict for setting in settings_diff(none, SALES)} == {"narrows"}
    when = {**SALES.answerer.when, "menu": "identify"}
    assert only(SALES, block("answerer", when=when)) == ("answerer.when.menu", "end_call", "identify", "widens")
    assert only(block("answerer", when=when), SALES)[3] == "narrows"
    assert only(SALES, block("oversight", pause_finishes_calls="at_once"))[3] == "narrows"


def test_types_and_defaults_of_facts() -> None:
    mood = replace(SALES, facts={**SALES.facts, "mood": FactType(kind="enum", values=("calm", "cross"))})
    wider = replace(mood, facts={**mood.facts, "mood": FactType(kind="enum", values=("calm", "cross", "sad"))})
    assert only(mood, wider) == ("facts.mood", "enum calm | cross", "enum calm | cross | sad", "widens")
    assert only(wider, mood)[3] == "narrows"
    assert only(SALES, mood)[3] == "changed"
    open_now, unknown = {"quote_open": True}, dict[str, Any]()
    assert only(SALES, SALES, defaults=(unknown, open_now)) == ("facts.quote_open.default", None, True, "widens")
    assert only(SALES, SALES, defaults=(open_now, unknown))[3] == "narrows"
    assert only(SALES, SALES, defaults=(unknown, {"quote_open": False}))[3] == "changed"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"expires_ms": 60_000}, "widens"),
        ({"expires_ms": 10_000}, "narrows"),
        ({"read_back": ("service",)}, "widens"),
        ({"read_back": ("service", "start", "more")}, "narrows"),
        ({"question": "Shall I? {service} {start}"}, "equivalent"),
        ({"question": ""}, "widens"),
        ({"args": BOOK.args[:1]}, "widens"),
        ({"args": (*BOOK.args, Argument(name="note", kind="text", optional=True))}, "widens"),
        ({"args": (*BOOK.args, Argument(name="note", kind="text"))}, "equivalent"),
        ({"args": (replace(BOOK.args[0], kind="text"), BOOK.args[1])}, "widens"),
        ({"args": (replace(BOOK.args[0], source="offers"), BOOK.args[1])}, "widens"),
        ({"args": (replace(BOOK.args[0], optional=True), BOOK.args[1])}, "widens"),
        ({"expires_ms": 10_000, "read_back": ("service",)}, "incomparable"),
    ],
)
def test_terms_of_a_grant_that_the_verdict_does_not_show(changes: dict[str, Any], verdict: str) -> None:
    found = diff(SALES, with_action(SALES, "book", **changes))
    entry = found.actions["book"]
    assert entry.verdict == verdict
    assert entry.changes
    assert found.widens == (verdict in ("widens", "incomparable"))
    if found.widens:
        widening = [change.what for change in entry.changes if change.verdict == "widens"]
        assert entry.counterexample is not None
        assert all(what in entry.counterexample.told for what in widening)


def test_reasons_and_owners_are_no_difference() -> None:
    rules = tuple(replace(rule, why="because", owner="me") for rule in BOOK.require)
    found = diff(SALES, with_action(SALES, "book", require=rules, why="so", owner="me"))
    assert {entry.verdict for entry in found.actions.values()} == {"equivalent"}
    assert not any(entry.changes for entry in found.actions.values())
