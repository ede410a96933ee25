"""The shipped configuration becomes a release, and what does not hold between its files is refused."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.policy_reader import read_policy
from voicewarden.config.release import load_release
from voicewarden.config.tool_schema import tool_schemas
from voicewarden.kernel.release import Compiled, Release, decode_release, encode_release
from voicewarden.model.canonical import digest_of
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Atom
from voicewarden.reading.consent import read
from voicewarden.reading.lexicon import Reader

TOP = Path(__file__).resolve().parents[3]
CONFIG, AGENTS = TOP / "config", TOP / "agents"
POLICIES = ("organisation", "outbound-sales", "inbound-service", "booking-only")
TOOLS = {
    "book_appointment": "book", "transfer_call": "transfer", "send_text": "send_message",
    "schedule_callback": "schedule_callback", "commit_offer": "advance_commitment", "look_up": "look_up",
    "hand_over": "hand_over", "end_call": "end_call",
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> Release:
    return load_release(CONFIG, AGENTS, policy="outbound-sales", approved=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    shutil.copytree(AGENTS, tmp_path / "agents")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(top: Path, policy: str = "outbound-sales") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_release(top / "config", top / "agents", policy=policy, approved=False)
    return caught.value


@pytest.mark.parametrize("policy", POLICIES)
def test_every_shipped_policy_becomes_a_release(policy: str) -> None:
    release = load_release(CONFIG, AGENTS, policy=policy, approved=False)
    assert release.name == f"{policy}-en"
    assert not release.approved
    assert decode_release(encode_release(release)) == release


def test_equal_files_give_equal_hashes(shipped: Release, copied: Path) -> None:
    again = load_release(copied / "config", copied / "agents", policy="outbound-sales", approved=False)
    assert digest_of(again) == digest_of(shipped)


def test_what_the_demo_needs_is_there(shipped: Release) -> None:
    assert set(shipped.agents) == {"booking", "transfer", "closing"}
    assert {agent.stage for agent in shipped.agents.values()} == {"bounded"}
    mapped = {tool.name: tool.action for agent in shipped.agents.values() for tool in agent.tools}
    assert mapped == TOOLS
    assert {"book", "transfer", "send_message", "schedule_callback", "leave_voicemail", "advance_commitment", "look_up",
            "hand_over", "end_call", "place_call"} == set(shipped.policy.actions)  # fmt: skip
    assert set(shipped.catalogue["agents"]) == set(shipped.agents)
    assert set(shipped.catalogue["lookups"]) == {"free_slots", "quote", "opening_hours"}
    assert all(number.startswith("+155555501") for number in shipped.destinations.values())


def test_every_question_invites_a_phrase_and_a_key(shipped: Release) -> None:
    questions = [rule.question for rule in shipped.policy.actions.values() if rule.question]
    assert len(questions) == 5
    for question in questions:
        assert "Please say: yes, " in question
        assert question.endswith("Or press one.")


def test_the_phrase_that_a_question_invites_is_an_explicit_yes(shipped: Release) -> None:
    reader = Reader(shipped.lexicon)
    for rule in shipped.policy.actions.values():
        if rule.question:
            invited = rule.question.partition("Please say: ")[2].partition(".")[0].replace(",", "")
            assert read(reader, rule.question, tuple(invited.split())).kind == "explicit", rule.name
            assert read(reader, rule.question, ("yes",)).kind == "explicit", rule.name


def test_reading_changes_nothing_and_is_allowed_at_every_stage(shipped: Release) -> None:
    assert set(shipped.policy.actions["look_up"].stages.values()) == {"allow"}
    assert shipped.policy.actions["look_up"].question == ""


def test_the_pinned_example_can_extend_the_shipped_organisation(copied: Path) -> None:
    text = (Path(__file__).parent / "data" / "pinned.yaml").read_text(encoding="utf-8")
    path = copied / "config" / "policies" / "pinned.yaml"
    path.write_text(text.replace("policy: pinned", "policy: pinned\nextends: organisation"), encoding="utf-8")
    policy = read_policy(path)
    assert len(policy.actions["transfer"].require) == 3
    assert len(policy.actions["transfer"].limits) == 1
    assert policy.actions["book"].require[3].condition == Atom(fact="consent.book", is_="explicit", within_ms=90_000)
    assert len(policy.contact.per_person) == 2


def test_facts_that_have_expired_support_no_figure_any_more() -> None:
    """The release, and so its approval, stays the same; a call looks at its own date."""
    release = Compiled(load_release(CONFIG, AGENTS, policy="outbound-sales", approved=False))
    epoch = date(1970, 1, 1)
    held, expired = (release.grounded((day - epoch).days) for day in (date(2027, 6, 30), date(2027, 7, 1)))
    assert held > expired


@pytest.mark.parametrize(
    ("file", "old", "new", "field", "what"),
    [
        ("agents/booking/agent.yaml", "action: book,", "action: bok,", "tools.2.action", "asks for no action that"),
        ("agents/booking/agent.yaml", "action: book,", "action: speak,", "tools.2.action", "asks for no action"),
        ("agents/booking/agent.yaml", "name: send_text", "name: look_up", "tools.5.name", "given twice"),
        ("agents/booking/agent.yaml", "agent: booking", "agent: other", "agent", "name (accepted: booking)"),
        ("agents/booking/agent.yaml", "stage: bounded", "stage: full", "stage", "'observe', 'assist', 'bounded'"),
        ("agents/booking/agent.yaml", "prompt: prompt.md", "prompt: p.md", "prompt", "p.md does not exist"),
        ("agents/booking/agent.yaml", "prompt: prompt.md", "prompt: ../x.md", "prompt", "found '../x.md'"),
        ("agents/booking/agent.yaml", "desk: sales", "desk: sails", "desk", "accepted: sales, support, billing"),
        ("agents/booking/agent.yaml", "callback: tomorrow_morning", "callback: never", "callback", "callback_slots"),
        ("config/lines.yaml", "  safe:", "  unsafe:", "lines.safe", "is missing; the kernel says it"),
        ("config/lines.yaml", "  openings.booking:", "  openings.b:", "lines.openings.booking", "the agent booking"),
        ("config/lines.yaml", "  disclosures.ai:", "  d.ai:", "lines.disclosures.ai", "must_say ai says it"),
        ("config/lines.yaml", "  message.confirmation:", "  m.c:", "lines.message.confirmation", "the template"),
        ("config/lines.yaml", "{desk}", "{desc}", "lines.transfer.now", "accepted: {desk}"),
        ("config/lines.yaml", "Are you still there?", "Are you {name}?", "lines.silence.reprompt", "nothing fills"),
        ("config/lines.yaml", "Are you still there?", "''", "lines.silence.reprompt", "at least 2 characters"),
        ("config/catalogue.yaml", '"+15555550101"', "+15555550101", "destinations.sales", "found 15555550101"),
        ("config/catalogue.yaml", '"+15555550101"', '"555-0101"', "destinations.sales", "found '555-0101'"),
        ("config/catalogue.yaml", "    billing: billing\n", "", "destinations.billing", "is no desk"),
        ("config/catalogue.yaml", '  billing: "+15555550103"\n', "", "destinations.billing", "needs a number"),
        ("config/catalogue.yaml", 'closes: "18:00"', 'closes: "08:00"', "appointments.closes", "a time after 09:00"),
        ("config/catalogue.yaml", 'closes: "18:00"', "closes: 6pm", "appointments.closes", "found '6pm'"),
        ("config/catalogue.yaml", ", haircut: 45", "", "appointments.minutes.haircut", "every service takes its time"),
        ("config/catalogue.yaml", "days: [monday", "days: [moonday", "appointments.days.1", "found 'moonday'"),
        ("config/catalogue.yaml", "  offers:", "  agents:", "lists.agents", "is made from other files"),
        ("config/catalogue.yaml", "price: 45 dollars", "price: 45.5", "lookups.quote.answer.price", "found 45.5"),
        ("config/policies/outbound-sales.yaml", "from: services", "from: servces", "actions.book.args.service.from",
         "no list of catalogue.yaml (accepted: agents, callback_slots"),
        ("config/approved-facts.yaml", "2027-06-30", "2027-06-31", "facts.2.valid_until", "a date such as"),
        ("config/approved-facts.yaml", "id: haircut.price", "id: consultation.free", "facts.2.id", "given twice"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused(copied: Path, file: str, old: str, new: str, field: str, what: str) -> None:
    edit(copied / file, old, new)
    error = refusal(copied)
    found = {found.field: found for found in errors_of(error)}
    assert field in found, str(error)
    assert what in str(found[field])
    assert found[field].file == str(copied / file)
    assert found[field].line >= 1


def test_findings_of_several_files_are_reported_together(copied: Path) -> None:
    edit(copied / "config/lines.yaml", "owner: compliance", "owned: compliance")
    edit(copied / "config/catalogue.yaml", "owner: operations", "owner: 3")
    edit(copied / "agents/closing/agent.yaml", "owner: head-of-sales", "")
    files = {Path(error.file).name for error in errors_of(refusal(copied))}
    assert files == {"lines.yaml", "catalogue.yaml", "agent.yaml"}


def test_a_broken_lexicon_names_its_line(copied: Path) -> None:
    (copied / "config/lexicons/en.yaml").write_text("language: en\nclasses:\n  - 7\n", encoding="utf-8")
    error = refusal(copied)
    assert (Path(error.file).name, error.line, error.field) == ("en.yaml", 3, "classes.1")


def test_without_agents_there_is_no_release(copied: Path) -> None:
    shutil.rmtree(copied / "agents")
    assert "there is no agent here" in str(refusal(copied))


def test_the_stage_is_observe_unless_it_is_given(copied: Path) -> None:
    edit(copied / "agents/booking/agent.yaml", "stage: bounded\n", "")
    release = load_release(copied / "config", copied / "agents", policy="outbound-sales", approved=True)
    assert release.agents["booking"].stage == "observe"
    assert release.approved


def test_tool_schemas_take_their_enums_from_the_catalogue(shipped: Release) -> None:
    schemas = {schema.name: schema for schema in tool_schemas(shipped, "booking")}
    book = schemas["book_appointment"]
    assert book.properties["service"]["enum"] == ["consultation", "haircut"]
    assert book.required == ("service", "start")
    assert schemas["hand_over"].properties["to"]["enum"] == ["closing", "transfer"]
    assert schemas["end_call"].required == ()
    whole = book.as_openai()
    assert whole["type"] == "function"
    assert whole["function"]["parameters"]["additionalProperties"] is False


def test_tools_that_the_policy_does_not_cover_are_not_shown() -> None:
    release = load_release(CONFIG, AGENTS, policy="booking-only", approved=False)
    assert "commit_offer" not in {schema.name for schema in tool_schemas(release, "closing")}


def test_tool_schemas_of_an_unknown_agent_are_refused(shipped: Release) -> None:
    with pytest.raises(ConfigError, match="accepted: booking, closing, transfer"):
        tool_schemas(shipped, "nobody")
