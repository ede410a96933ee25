"""Arguments of a request: which are refused and why, and how the others are said aloud."""

import pytest
from tests.fakes.rig import release_of

from voicewarden.kernel.arguments import argument_reasons, render_question, spoken_arguments
from voicewarden.model.action import Arguments, Value
from voicewarden.model.decision import Reason
from voicewarden.policy.ast import ActionRule, Argument

RULE = ActionRule(
    name="book", owner="o", why="w", question="Shall I book {service} for {start}, {service}?",
    args=(
        Argument(name="service", kind="enum", source="services"), Argument(name="start", kind="local_time"),
        Argument(name="seats", kind="int", optional=True), Argument(name="note", kind="text", optional=True),
        Argument(name="lost", kind="enum", source="no_such_list", optional=True),
    ),
)  # fmt: skip
GOOD: Arguments = {"service": "haircut", "start": "2026-12-01T15:00"}
SERVICES = "is one of " + ", ".join(sorted(release_of("outbound-sales").catalogue["services"]))
TIME = "is a local time such as 2026-12-01T15:00"
TEXT = "is a text of at most 500 characters"


def reasons(args: Arguments) -> list[tuple[str, str, str]]:
    found = argument_reasons(release_of("outbound-sales"), RULE, args)
    assert all((reason.rule, reason.verdict) == ("kernel.arguments", "deny") for reason in found)
    return [(reason.fact, reason.needed, reason.found) for reason in found]


def test_what_is_declared_is_fine_and_optional_ones_may_be_left_out() -> None:
    assert reasons(GOOD) == []
    assert reasons({**GOOD, "seats": 0, "note": "x"}) == []


def test_a_reason_is_whole() -> None:
    found = argument_reasons(release_of("outbound-sales"), RULE, {"service": "haircut"})
    assert found == [Reason("kernel.arguments", "args.start", "is given", "missing", "deny")]


def test_missing_unknown_and_wrong_ones_are_all_named() -> None:
    assert reasons({"x": 1, "service": "war", "seats": "two", "y": 2}) == [
        ("args.x", "is an argument of this action", "unknown argument"),
        ("args.y", "is an argument of this action", "unknown argument"),
        ("args.service", SERVICES, "something else"), ("args.start", "is given", "missing"),
        ("args.seats", "is a whole number", "something else"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [("service", "haircut", ""), ("service", 3, SERVICES), ("service", "", SERVICES), ("lost", "haircut", "is one of "),
     ("start", "2026-12-01T15:00", ""), ("start", "2026-12-31T23:59[Europe/Berlin]", ""), ("start", "2026-12-01", TIME),
     ("start", "2026-13-01T15:00", TIME), ("start", "2026-00-01T15:00", TIME), ("start", "2026-12-32T15:00", TIME),
     ("start", "2026-12-01T24:00", TIME), ("start", "2026-12-01T15:60", TIME), ("start", "2026-12-01T15:00Z", TIME),
     ("start", 202612011500, TIME), ("start", "x2026-12-01T15:00", TIME), ("start", "2026-12-01T15:00 ", TIME),
     ("seats", 3, ""), ("seats", -1, ""), ("seats", True, "is a whole number"), ("seats", "3", "is a whole number"),
     ("note", "x", ""), ("note", "x" * 500, ""), ("note", "x" * 501, TEXT), ("note", "", TEXT), ("note", 5, TEXT)],
)  # fmt: skip
def test_each_type_takes_its_values_and_no_others(name: str, value: Value, needed: str) -> None:
    found = reasons({**GOOD, name: value})
    assert found == ([(f"args.{name}", needed, "something else")] if needed else [])


def test_arguments_are_said_as_people_say_them() -> None:
    release = release_of("outbound-sales")
    spoken = spoken_arguments(release, RULE, {**GOOD, "seats": 3, "x": 1, "note": "haircut", "lost": "15:00"})
    assert spoken == {
        "service": release.catalogue["services"]["haircut"], "start": "Tuesday the first of December at 3 pm",
        "seats": "3", "note": "haircut", "lost": "3 pm",
    }  # fmt: skip
    assert spoken["service"] != "haircut"
    assert spoken_arguments(release, RULE, {"service": "war"}) == {"service": "war"}


def test_a_question_holds_the_spoken_arguments_in_every_place() -> None:
    assert render_question(RULE, {"service": "a cut", "other": "x"}) == "Shall I book a cut for {start}, a cut?"
    assert render_question(RULE, {}) == RULE.question
