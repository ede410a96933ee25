"""Dialogue files: what is accepted, and where an error points."""

from pathlib import Path

import pytest

from voicewarden.model.error import ConfigError
from voicewarden.rehearsal.scripted_model.__main__ import main
from voicewarden.rehearsal.scripted_model.dialogues import DialogueLibrary, UnknownModel, parse_model_name
from voicewarden.rehearsal.scripted_model.loading import load_dialogue, parse_dialogue
from voicewarden.rehearsal.scripted_model.pace import Fault

AGENTS = Path(__file__).parents[3] / "agents"

SMALL = """\
agent: tiny
about: Says one thing.
phrases:
  yes: [yes, ok]
choices:
  desk: {billing: [bill, invoice]}
rules:
  - id: greet
    when: {heard: "@yes"}
    say: Hello.
otherwise:
  caller: {say: Pardon.}
  tool: {silent: true}
"""


def _error(old: str, new: str) -> ConfigError:
    assert old in SMALL
    with pytest.raises(ConfigError) as caught:
        parse_dialogue(SMALL.replace(old, new), "tiny.yaml")
    return caught.value


def test_small_dialogue_is_accepted() -> None:
    dialogue = parse_dialogue(SMALL, "tiny.yaml")
    assert dialogue.phrases["yes"] == ("yes", "ok")
    assert dialogue.rules[0].say == ("Hello.",)
    assert list(dialogue.expand(["@yes", "sure"])) == ["yes", "ok", "sure"]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("about: Says one thing.\n", "", 1, "about", "is missing"),
        ("about:", "colour: red\nabout:", 2, "colour", "unknown key"),
        ("    say: Hello.", "    say: Hello.\n    speed: 3", 11, "rules.1.speed", "unknown key"),
        ("    say: Hello.", "    silent: true\n    say: Hello.", 8, "rules.1", "not both"),
        ("    say: Hello.\n", "", 8, "rules.1", "has to say"),
        ('heard: "@yes"', 'heard: "@oui"', 9, "rules.1.when.heard", "no list under `phrases`"),
        ('heard: "@yes"', 'heard: "/(/"', 9, "rules.1.when.heard", "no regular expression"),
        ('heard: "@yes"', "said: later", 9, "rules.1.when.said", "no rule of this file"),
        ('heard: "@yes"', "choice: colour", 9, "rules.1.when.choice", "not under `choices`"),
        ('heard: "@yes"', "after_tool: {status: great}", 9, "rules.1.when.after_tool.status", "accepted: "),
        ("say: Hello.", "say: 'Hello {desk}.'", 10, "rules.1.say.1", "nothing fills {desk}"),
        ("say: Hello.", "say: '{result.price}'", 10, "rules.1.say.1", "nothing fills"),
        ("say: Hello.", "call: {tool: t, raw_args: '{'}", 10, "rules.1.call", "rogue: true"),
        ("say: Hello.", "say: Hello.\n    ramble_tokens: 50", 11, "rules.1.ramble_tokens", "rogue: true"),
        ("rules:\n", "rules:\n  - {id: greet, say: Hi.}\n", 9, "rules.2.id", "earlier rule"),
        ("  yes: [yes, ok]", "  yes: [yes]\n  yes: [ok]", 5, "phrases.yes", "given twice"),
        ("[yes, ok]", "[yes, ok", 5, "", "not valid YAML"),
    ],
)
def test_errors_point_at_the_line_and_the_field(old: str, new: str, line: int, field: str, says: str) -> None:
    error = _error(old, new)
    assert (error.file, error.line, error.field) == ("tiny.yaml", line, field)
    assert says in str(error)
    assert str(error).startswith(f"tiny.yaml:{line}: ")


def test_a_group_that_not_every_alternative_has_fills_nothing() -> None:
    assert "nothing fills {day}" in str(
        _error('{heard: "@yes"}\n    say: Hello.', "{heard: ['/on (?P<day>\\w+)/', ok]}\n    say: '{day}?'")
    )
    accepted = SMALL.replace('{heard: "@yes"}\n    say: Hello.', "{heard: '/on (?P<day>\\w+)/'}\n    say: '{day}?'")
    assert parse_dialogue(accepted, "tiny.yaml").rules[0].say == ("{day}?",)


def test_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_dialogue(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="holds no"):
        DialogueLibrary(tmp_path)


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--agents", str(tmp_path)]) == 2
    assert "name the folder of the agents" in capsys.readouterr().err


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    error = _error('heard: "@yes"', 'heard: "@oui", said: later')
    assert str(error).count("tiny.yaml:9: ") == 2


@pytest.mark.parametrize(
    ("folder", "name", "text", "says"),
    [
        ("other", "dialogue.yaml", SMALL, "another agent than its folder"),
        ("tiny", "dialogue.yaml", SMALL.replace("about:", "rogue: true\nabout:"), "only rogue.yaml is a rogue"),
        ("tiny", "rogue.yaml", SMALL, "only rogue.yaml is a rogue"),
    ],
)
def test_files_belong_where_they_stand(tmp_path: Path, folder: str, name: str, text: str, says: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / name).write_text(text)
    with pytest.raises(ConfigError, match=says):
        DialogueLibrary(tmp_path)


def test_our_agents_load_and_name_their_models() -> None:
    assert DialogueLibrary(AGENTS).model_names == [
        "scripted", "scripted/booking", "scripted/closing", "scripted/transfer", "scripted/rogue",
    ]  # fmt: skip


@pytest.mark.parametrize("agent", ["booking", "transfer", "closing"])
def test_prompts_name_their_agent_and_stay_short(agent: str) -> None:
    lines = (AGENTS / agent / "prompt.md").read_text().splitlines()
    assert lines[0].startswith(f"You are the {agent} agent ")
    assert len(lines) < 60


@pytest.mark.parametrize("agent", ["booking", "transfer", "closing"])
def test_sentences_are_short_enough_to_be_heard(agent: str) -> None:
    dialogue = load_dialogue(AGENTS / agent / "dialogue.yaml")
    answers = [*dialogue.rules, dialogue.otherwise.caller, dialogue.otherwise.tool]
    assert all(len(text.split()) <= 16 and text[-1] in ".?}" for answer in answers for text in answer.say)
    assert all(len(answer.say) <= 3 for answer in answers)


def test_model_names_carry_agent_and_fault() -> None:
    assert parse_model_name("scripted").agent == ""
    assert parse_model_name("scripted/rogue").is_rogue
    name = parse_model_name("scripted/booking+hang@2")
    assert (name.agent, name.fault, name.fault_turn) == ("booking", Fault.HANG, 2)
    with pytest.raises(UnknownModel, match="accepted are hang"):
        parse_model_name("scripted+explode")


def test_the_prompt_decides_over_the_model_name() -> None:
    library = DialogueLibrary(AGENTS)
    name = parse_model_name("scripted/booking")
    assert library.find(name, []).agent == "booking"
    prompts = ["You are the booking agent of X.", "You are the transfer agent of X.", "Be brief."]
    assert library.find(name, prompts).agent == "transfer"
    assert library.find(parse_model_name("scripted/rogue"), prompts).rogue
    with pytest.raises(UnknownModel, match="scripted/booking"):
        library.find(parse_model_name("gpt-9"), [])
