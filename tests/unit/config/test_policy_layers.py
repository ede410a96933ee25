"""Layers: what is left out is inherited, numbers only narrow, requirements are only added."""

from pathlib import Path

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.policy_reader import read_policy
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Atom, Policy

PINNED = (Path(__file__).parent / "data" / "pinned.yaml").read_text(encoding="utf-8")
HEAD = "policy: layer\nextends: pinned\nowner: team\nabout: A layer.\n"


def layered(tmp_path: Path, body: str) -> Policy:
    (tmp_path / "pinned.yaml").write_text(PINNED, encoding="utf-8")
    (tmp_path / "layer.yaml").write_text(HEAD + body, encoding="utf-8")
    return read_policy(tmp_path / "layer.yaml")


def test_an_empty_layer_inherits_everything(tmp_path: Path) -> None:
    policy = layered(tmp_path, "")
    assert (policy.name, policy.owner, policy.about) == ("layer", "team", "A layer.")
    assert policy.budget.per_call_tokens == 4000
    assert len(policy.actions["book"].require) == 5


def test_a_layer_narrows_numbers_and_keeps_the_others(tmp_path: Path) -> None:
    body = "budget: {per_call_tokens: 900, why: Short calls.}\ncall: {longest_ms: 60000, why: Short.}\n"
    policy = layered(tmp_path, body)
    assert (policy.budget.per_turn_tokens, policy.budget.per_call_tokens) == (160, 900)
    assert policy.call.longest_ms == 60_000


def test_rules_are_appended_and_numbered_on(tmp_path: Path) -> None:
    rule = "{fact: hearing_permille, at_least: 700, else: deny, why: Hear well.}"
    policy = layered(tmp_path, f"actions: {{book: {{require: [{rule}]}}}}\n")
    book = policy.actions["book"]
    assert [item.id for item in book.require][-2:] == ["book.require.5", "book.require.6"]
    assert book.require[5].condition == Atom(fact="hearing_permille", at_least=700)
    assert book.question.startswith("Shall I book")


def test_a_rule_that_is_repeated_is_not_doubled(tmp_path: Path) -> None:
    rule = "{fact: opted_out, is: false, else: deny, why: Said in other words.}"
    assert len(layered(tmp_path, f"actions: {{book: {{require: [{rule}]}}}}\n").actions["book"].require) == 5


def test_must_say_and_windows_are_added(tmp_path: Path) -> None:
    policy = layered(
        tmp_path,
        "speech: {must_say: [{id: keys, line: disclosures.keys, within_ms: 9000, why: Keys count.}]}\n"
        "contact: {per_person: [{at_most: 1, in_s: 3600}], consent_level: written, why: Not to pester.}\n",
    )
    assert [item.id for item in policy.speech.must_say] == ["ai", "recording", "keys"]
    assert policy.actions["place_call"].require[-1].condition == Atom(fact="contact.attempts_3600", at_most=0)


@pytest.mark.parametrize(
    ("body", "field", "accepted"),
    [
        ("budget: {per_call_tokens: 4001, why: More.}", "budget.per_call_tokens", "at most 4000"),
        ("budget: {tool_calls_per_turn: 3, why: More.}", "budget.tool_calls_per_turn", "at most 2"),
        ("budget: {per_call_tokens: true, why: More.}", "budget.per_call_tokens", "at most 4000"),
        ("call: {longest_ms: 600001, why: More.}", "call.longest_ms", "at most 600000"),
        ("call: {warn_before_ms: 1, why: Late.}", "call.warn_before_ms", "at least 60000"),
        ("questions: {times_per_action: 5, why: More.}", "questions.times_per_action", "at most 4"),
        ("questions: {answer_within_ms: 15001, why: More.}", "questions.answer_within_ms", "at most 15000"),
        ("hearing: {bands: {decide: {accept_permille: 599, why: Less.}}}", "hearing.bands.decide.accept_permille",
         "600"),
        ("hearing: {end_of_turn_ms: 400, why: Less.}", "hearing.end_of_turn_ms", "at least 500"),
        ("hearing: {transcriber: other, why: Else.}", "hearing.transcriber", "whisper-tiny.en"),
        ("silence: {backstop_ms: 130000, why: More.}", "silence.backstop_ms", "at most 120000"),
        ("silence: {ladder: [{after_ms: 5000, do: goodbye}], why: S.}", "silence.ladder", "none sooner"),
        ("answerer: {default: voicemail, why: Else.}", "answerer.default", "human"),
        ("answerer: {when: {menu: leave_voicemail}, why: Else.}", "answerer.when.menu", "end_call"),
        ("contact: {consent_level: oral, why: Less.}", "contact.consent_level", "written"),
        ("oversight: {review_days: 31, why: Later.}", "oversight.review_days", "at most 30"),
        ("actions: {book: {expires_ms: 30001, why: More.}}", "actions.book.expires_ms", "at most 30000"),
        ("actions: {book: {stages: {assist: allow}, why: M.}}", "actions.book.stages.assist", "log, approve"),
        ("actions: {book: {stages: {observe: approve}, why: M.}}", "actions.book.stages.observe", "log"),
        ("actions: {book: {requested_by: [transfer], why: M.}}", "actions.book.requested_by", "booking, closing"),
        ("actions: {book: {requested_by: [], why: M.}}", "actions.book.requested_by", "not empty"),
        ("actions: {book: {args: {start: {type: text}}, why: M.}}", "actions.book.args.start.type", "local_time"),
        ("actions: {book: {args: {more: {type: text}}, why: M.}}", "actions.book.args.more", "only what the layer"),
        ("facts: {quote_open: {type: {enum: [a]}, why: E.}}", "facts.quote_open.type", "'bool'"),
    ],
)  # fmt: skip
def test_widening_is_refused_where_it_is_written(tmp_path: Path, body: str, field: str, accepted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layered(tmp_path, body + "\n")
    error = next(error for error in errors_of(caught.value) if error.field == field)
    assert "a layer may only narrow what it extends" in str(error)
    assert accepted in error.accepted
    assert (error.file, error.line) == (str(tmp_path / "layer.yaml"), 5)


def test_a_rule_can_not_be_taken_away(tmp_path: Path) -> None:
    assert len(layered(tmp_path, "actions: {book: {require: []}}\n").actions["book"].require) == 5


def test_a_layer_says_why_it_changes_a_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"layer\.yaml:5: budget\.why: is missing"):
        layered(tmp_path, "budget: {per_call_tokens: 900}\n")


def test_findings_name_the_file_that_they_stand_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        layered(tmp_path, "contact: {consent_level: written, per_person: [{at_most: 1, in_s: x}], why: Less.}\n")
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "layer.yaml"), 5)
    assert caught.value.field == "contact.per_person.3.in_s"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("extends: nowhere", "there is no policy nowhere beside this file"),
        ("extends: layer", "layer is extended in a circle"),
        ("extends: ../pinned", "is no name of a policy"),
        ("extends: 7", "is no name of a policy"),
    ],
)
def test_what_can_not_be_extended(tmp_path: Path, head: str, what: str) -> None:
    (tmp_path / "layer.yaml").write_text(f"policy: layer\n{head}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=what) as caught:
        read_policy(tmp_path / "layer.yaml")
    assert (caught.value.field, caught.value.line) == ("extends", 2)
