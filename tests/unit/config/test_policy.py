"""Policy files: the pinned example becomes a tree, and every wrong one an error with file, line and field."""

from pathlib import Path

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.policy_blocks import ContactEntry
from voicewarden.config.policy_document import policy_path
from voicewarden.config.policy_reader import fact_defaults, read_base, read_policy
from voicewarden.model.canonical import digest_of
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import AnyOf, Atom, FactType, Policy
from voicewarden.policy.vocabulary import CONSENT_LEVELS

DATA = Path(__file__).parent / "data"
PINNED = (DATA / "pinned.yaml").read_text(encoding="utf-8")


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = PINNED
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = tmp_path / "pinned.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path: Path, *changes: tuple[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_policy(changed(tmp_path, *changes))
    return caught.value


@pytest.fixture(scope="module")
def pinned() -> Policy:
    return read_policy(DATA / "pinned.yaml")


def test_the_pinned_example_is_read(pinned: Policy) -> None:
    book = pinned.actions["book"]
    assert pinned.name == "pinned"
    assert [rule.id for rule in book.require] == [f"book.require.{number}" for number in range(1, 6)]
    assert book.require[3].condition == Atom(fact="consent.book", is_="explicit", within_ms=90_000)
    assert book.require[3].otherwise == "confirm"
    assert isinstance(book.require[4].condition, AnyOf)
    assert book.require[2].condition == Atom(fact="opted_out", is_=False)
    assert (book.read_back, book.expires_ms) == (("service", "start"), 30_000)
    assert book.limits[0].id == "book.limits.1"
    assert pinned.actions["transfer"].require[2].offer == "schedule_callback"
    assert pinned.hearing.decide.accept_permille == 600
    assert pinned.speech.must_say[1].before == "recording"
    assert [step.do for step in pinned.silence.ladder] == ["reprompt", "rephrase", "goodbye"]
    assert pinned.facts["quote_open"].kind == "bool"


def test_owners_come_from_the_nearest_block(pinned: Policy) -> None:
    assert pinned.actions["look_up"].owner == "head-of-sales"
    assert pinned.actions["place_call"].owner == "compliance"
    assert all(rule.owner == "head-of-sales" for rule in pinned.actions["book"].require)


def test_place_call_follows_from_contact(pinned: Policy) -> None:
    rule = pinned.actions["place_call"]
    assert [item.condition for item in rule.require] == [
        Atom(fact="opted_out", is_=False),
        Atom(fact="paused", is_=False),
        Atom(fact="contact.consent", in_=("written",)),
        Atom(fact="contact.attempts_86400", at_most=2),
        Atom(fact="contact.attempts_604800", at_most=6),
    ]
    assert rule.stages == {"observe": "log", "assist": "allow", "bounded": "allow", "autonomous": "allow"}
    assert all(item.otherwise == "deny" for item in rule.require)


def test_lower_consent_levels_let_higher_ones_through(tmp_path: Path) -> None:
    policy = read_policy(changed(tmp_path, ("consent_level: written", "consent_level: inquiry")))
    wanted = Atom(fact="contact.consent", in_=("inquiry", "oral", "written"))
    assert policy.actions["place_call"].require[2].condition == wanted


def test_end_call_is_always_there_and_always_allowed(pinned: Policy) -> None:
    assert pinned.actions["end_call"].require == ()
    assert set(pinned.actions["end_call"].stages.values()) == {"allow"}
    assert len(pinned.actions["end_call"].stages) == 4


def test_the_hash_is_stable_and_follows_the_meaning(pinned: Policy, tmp_path: Path) -> None:
    again = read_policy(changed(tmp_path, ("budget: {owner: finance,", "# a comment\nbudget: {owner: finance,")))
    other = read_policy(changed(tmp_path, ("per_turn_tokens: 160", "per_turn_tokens: 161")))
    assert digest_of(pinned) == digest_of(again)
    assert digest_of(pinned) != digest_of(other)


def test_the_consent_levels_are_those_of_the_vocabulary() -> None:
    assert ContactEntry.model_json_schema()["properties"]["consent_level"]["enum"] == list(CONSENT_LEVELS)


@pytest.mark.parametrize(
    ("spelt", "kind"),
    [
        ("{enum: [a, b]}", FactType(kind="enum", values=("a", "b"))),
        ('"enum [a, b]"', FactType(kind="enum", values=("a", "b"))),
        ("enum, values: [a, b]", FactType(kind="enum", values=("a", "b"))),
        ("{int: [0, 9]}", FactType(kind="int", low=0, high=9)),
        ('"int [-1, 9]"', FactType(kind="int", low=-1, high=9)),
        ("int, low: 0, high: 9", FactType(kind="int", low=0, high=9)),
    ],
)
def test_facts_are_declared_with_their_type(tmp_path: Path, spelt: str, kind: FactType) -> None:
    fact = f"facts:\n  shade: {{type: {spelt}, source: crm, why: A test needs one.}}"
    declared = read_policy(changed(tmp_path, ("facts:", fact))).facts["shade"]
    assert (declared.kind, declared.values, declared.low, declared.high) == (
        kind.kind, kind.values, kind.low, kind.high,
    )  # fmt: skip


def test_defaults_of_facts(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    changed(tmp_path / "policies", ("source: crm", "source: crm, default: true"))
    assert fact_defaults(tmp_path, "pinned") == {"quote_open": True}


WRONG = [
    # shape
    ("call: {owner", "cal: {owner", "cal", "did you mean call?"),
    ("call: {owner", "cal: {owner", "call", "is missing"),
    ("longest_ms: 600000", "longest_ms: 600000.5", "call.longest_ms", "accepted: an integer"),
    ("longest_ms: 600000", "longest_ms: '600000'", "call.longest_ms", "found '600000'"),
    ("longest_ms: 600000", "longest_ms: true", "call.longest_ms", "found true"),
    ("longest_ms: 600000", "longest_ms: 5", "call.longest_ms", "accepted: at least 10000"),
    ("longest_ms: 600000", "longest_s: 600", "call.longest_s", "did you mean longest_ms?"),
    ("default: human", "default: robot", "answerer.default", "'human', 'voicemail'"),
    ("do: reprompt", "do: shout", "silence.ladder.1.do", "'reprompt', 'rephrase', 'offer_keys' or 'goodbye'"),
    ("busy: end_call", "engaged: end_call", "answerer.when.engaged", "accepted: 'voicemail'"),
    ("observe: log", "watch: log", "actions.book.stages.watch", "accepted: 'observe'"),
    ("assist: approve", "assist: perhaps", "actions.book.stages.assist", "'log', 'approve' or 'allow'"),
    ("refuse: [denies_ai", "refuse: [lies", "speech.refuse.1", "found 'lies'"),
    ("consent_level: written", "consent_level: sworn", "contact.consent_level", "found 'sworn'"),
    ("facts: approved-facts.yaml", "facts: ../../secrets", "speech.facts", "found '../../secrets'"),
    ("type: local_time", "type: moment", "actions.book.args.start.type", "found 'moment'"),
    ("per: call, at_most: 1", "per: day, at_most: 1", "actions.book.limits.1.per", "accepted: 'call'"),
    ("at_most: 1, else: deny", "at_most: 1, else: confirm", "actions.book.limits.1.else", "'deny' or 'escalate'"),
    ("is: human, else: deny", "is: human, else: maybe", "actions.book.require.1.else", "'deny', 'confirm' or"),
    ("{fact: opted_out, is: false,", "{fact: opted_out, equals: false,", "actions.book.require.3.equals", "unknown"),
    ("owner: finance", "owner: ' '", "budget.owner", "found ' '"),
    # why and owner
    ("why: Limits drift.", "", "budget.why", "is missing"),
    ("why: Limits drift.", "why: '   '", "budget.why", "found '   '"),
    (", why: A no ends it.}", "}", "actions.book.require.3.why", "is missing"),
    ("why: Everything else.", "", "hearing.bands.content.why", "is missing"),
    (", why: One appointment a call.", "", "actions.book.limits.1.why", "is missing"),
    # facts
    ("type: bool", "type: boolean", "facts.quote_open.type", "accepted: bool, {enum"),
    ("type: bool", "type: {enum: []}", "facts.quote_open.type", "accepted: bool, {enum"),
    ("type: bool", "type: {int: [5, 1]}", "facts.quote_open.type", "accepted: bool, {enum"),
    ("source: crm", "source: crm, default: 7", "facts.quote_open.default", "accepted: true or false"),
    ("facts:", "facts:\n  paused: {type: bool, source: x, why: A test.}", "facts.paused", "is built in"),
    ("facts:", "facts:\n  done.x: {type: bool, source: x, why: A test.}", "facts.done.x", "is built in"),
    ("fact: answerer, is: human", "fact: answered, is: human", "actions.book.require.1.fact", "which is no fact"),
    ("is: human, else", "is: person, else", "actions.book.require.1.is", "found 'person' (accepted: human, voicemail"),
    ("is: human, else", "in: [human, dog], else", "actions.book.require.1.in", "found 'dog'"),
    ("is: human, else", "at_least: 3, else", "actions.book.require.1.at_least", "accepted: is, in, within_ms, known"),
    ("is: human, else", "else", "actions.book.require.1", "tests nothing about answerer"),
    ("is: human, else", "is: 1, else", "actions.book.require.1.is", "found 1"),
    ("{fact: opted_out, is: false", "{fact: opted_out, is: no", "actions.book.require.3.is", "found 'no'"),
    ("fact: disclosed.ai", "fact: disclosed.robot", "actions.book.require.2.fact", "accepted: disclosed.ai"),
    ("fact: opted_out, is: false", "fact: done.fly, is: false", "actions.book.require.3.fact", "done.book"),
    ("fact: opted_out, is: false", "fact: contact.attempts_5, at_most: 1", "actions.book.require.3.fact", "_86400"),
    ("fact: quote_open, is: true}", "fact: quote_opn, is: true}", "actions.book.require.5.any.1.fact", "no fact"),
    ("fact: quote_open, is: true}", "is: true}", "actions.book.require.5.any.1", "exactly one of fact, any, all"),
    ("else: escalate", "is: true\n        else: escalate", "actions.book.require.5.is", "does not belong beside any"),
    (
        "fact: opted_out, is: false", "fact: call_ms, between: [9, 2]", "actions.book.require.3.between",
        "accepted: [low, high]",
    ),
    # numbers that contradict each other
    ("confirm_permille: 350", "confirm_permille: 650", "hearing.bands.decide.confirm_permille", "at most 600"),
    ("end_of_turn_ms: 500", "end_of_turn_ms: 900", "hearing.end_of_turn_ms", "at most 800"),
    ("warn_before_ms: 60000", "warn_before_ms: 600000\n  , longest_ms: 20000", "call.longest_ms", "given twice"),
    ("per_turn_tokens: 160", "per_turn_tokens: 5000", "budget.per_turn_tokens", "at most 4000"),
    ("times_per_arguments: 2", "times_per_arguments: 9", "questions.times_per_arguments", "at most 4"),
    ("do: goodbye", "do: rephrase", "silence.ladder.3.do", "the last step, and it alone, is goodbye"),
    # speech
    ("{id: recording,", "{id: ai,", "speech.must_say.2.id", "stands in the list already"),
    (", within_ms: 8000", "", "speech.must_say.1", "neither within_ms nor before"),
    ("before: recording", "before: lunch", "speech.must_say.2.before", "accepted: recording, book"),
    ("menu: end_call", "menu: dance", "answerer.when.menu", "accepted: leave_voicemail, end_call, identify"),
    # actions
    ("read_back: [service, start]", "read_back: [service]", "actions.book.read_back", "lacks 'start'"),
    ("read_back: [service, start]", "read_back: [service, start, x]", "actions.book.read_back.3", "no argument"),
    ("book {service} for {start}?", "book {service} for {day}?", "actions.book.question", "found {day}"),
    ("book {service} for {start}?", "book {service}?", "actions.book.question", "does not say {start}"),
    ("book {service} for {start}?", "book {service for {start}?", "actions.book.question", "brace"),
    ("book {service} for {start}?", "book {service} for {start!r}?", "actions.book.question", "placeholder"),
    ("book {service} for {start}?", "book {service.name} for {start}?", "actions.book.question", "placeholder"),
    ("service: {type: enum, from: services}", "service: {type: enum}", "actions.book.args.service.from", "is missing"),
    ("{type: local_time}", "{type: text, from: services}", "actions.book.args.start.from", "only an enum"),
    ("offer: schedule_callback", "offer: schedule_calback", "actions.transfer.require.3.offer", "schedule_callback"),
    ("offer: schedule_callback", "offer: place_call", "actions.transfer.require.3.offer", "found 'place_call'"),
    ("fact: consent.book, is: explicit", "fact: consent.transfer, is: explicit", "actions.book.require.4.fact",
     "consent to another action (accepted: consent.book)"),
    ("fact: consent.book, is: explicit", "fact: consent.book, is: conditional", "actions.book.require",
     "lacks consent"),
    ("fact: consent.book, is: explicit", "fact: consent.book, known: true", "actions.book.require", "lacks consent"),
    ("else: deny, why: A no ends it.", "else: confirm, why: A no ends it.", "actions.book.require.3.else",
     "confirm may only come from consent.book"),
    ("else: escalate", "else: confirm", "actions.book.require.5.else", "confirm may only come from consent.book"),
    ("else: deny, offer: schedule_callback", "else: escalate", "actions.transfer.require.3.else", "may not escalate"),
    ("at_most: 2, else: deny", "at_most: 2, else: escalate", "actions.transfer.limits.1.else", "may not escalate"),
    ("{fact: asked_for_person, is: true}]", "{fact: desk_opn, is: true}]\n       ",
     "actions.transfer.require.2.any.2.fact", "found 'desk_opn'"),
    ("actions:", "actions:\n  speak: {why: A test.}", "actions.speak", "is governed by speech and budget"),
    ("actions:", "actions:\n  place_call: {why: A test.}", "actions.place_call", "is governed by contact"),
    ("actions:", "actions:\n  end_call: {why: A test., stages: {observe: log}}", "actions.end_call.stages",
     "never denied"),
    ("actions:", "actions:\n  send_message: {why: A test.}", "actions.send_message.require",
     "lacks consent.send_message"),
    ("    limits: [{per: call, at_most: 1,", "    limits: [{per: person, at_most: 1,", "actions.book.limits.1.in_s",
     "is missing"),
    ("    limits: [{per: call, at_most: 1,", "    limits: [{per: call, in_s: 60, at_most: 1,",
     "actions.book.limits.1.in_s", "a call is its own window"),
    ("stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}",
     "stages: {observe: allow, assist: approve}", "actions.book.stages.observe", "nothing acts by itself"),
    ("stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}",
     "stages: {observe: log, assist: allow}", "actions.book.stages.assist", "accepted: approve or log"),
    ("stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}",
     "stages: {observe: log, assist: approve}\n    effect: false", "actions.book.effect", "changes something"),
    ("{fact: disclosed.ai, is: true, else: deny", "{fact: disclosed.ai, known: false, else: deny",
     "actions.book.require.2.known", "meets no test"),
    ("review_days: 30", "review_days: 31", "oversight.review_days", "at the stage autonomous (accepted: at most 30)"),
    ("actions:", "roles: {booking: {why: A test., actions: {fly: {require: [{fact: paused, is: false, else: deny, "
     "why: A test.}]}}}}\nactions:", "roles.booking.actions.fly", "has no rules that a role could add to"),
    ("actions:", "roles: {booking: {why: A test., actions: {book: {require: [{fact: moon, is: false, else: deny, "
     "why: A test.}]}}}}\nactions:", "roles.booking.actions.book.require.1.fact", "which is no fact"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "field", "what"), WRONG)
def test_wrong_policies_are_refused_with_line_and_field(
    tmp_path: Path, old: str, new: str, field: str, what: str
) -> None:
    error = refusal(tmp_path, (old, new))
    named = [found for found in errors_of(error) if found.field == field and what in str(found)]
    assert named, str(error)
    assert named[0].file == str(tmp_path / "pinned.yaml")
    text = (tmp_path / "pinned.yaml").read_text(encoding="utf-8").splitlines()
    keys = [part for part in field.split(".") if not part.isdigit()]
    written = PINNED[: PINNED.index(old)].count("\n") + 1
    line = named[0].line
    assert line in (written, written + 1, 1, 2) or keys[-1] in text[line - 1] or keys[1] in text[line - 1]


def test_all_findings_of_a_file_are_reported_together(tmp_path: Path) -> None:
    error = refusal(tmp_path, ("is: human, else", "is: person, else"), ("book {service} for", "book {thing} for"),
                    ("fact: opted_out", "fact: opted"))  # fmt: skip
    assert [found.field for found in errors_of(error)] == [
        "actions.book.question", "actions.book.question", "actions.book.require.1.is", "actions.book.require.3.fact",
    ]  # fmt: skip


def test_an_owner_is_demanded_where_none_is_around(tmp_path: Path) -> None:
    error = refusal(tmp_path, ("owner: head-of-sales\n", ""), ("owner: operations, longest", "longest"))
    found = {found.field for found in errors_of(error)}
    assert found == {"call.owner", "facts.quote_open.owner", "actions.look_up.owner"}


def test_confirm_needs_a_question(tmp_path: Path) -> None:
    line = next(line for line in PINNED.splitlines() if "Shall I book" in line)
    error = refusal(tmp_path, (line + "\n", ""))
    assert error.field == "actions.book.question"
    assert "require.4 asks for a confirmation" in str(error)


def test_asked_for_person_stands_in_for_a_yes_only_where_a_person_is_reached(tmp_path: Path) -> None:
    rule = "- {fact: consent.book, is: explicit, within_ms: 90000, else: confirm,"
    either = "- {any: [{fact: consent.book, is: explicit}, {fact: asked_for_person, is: true}], else: confirm,"
    assert refusal(tmp_path, (rule, either)).field == "actions.book.require"


def test_a_consent_beside_something_weaker_is_no_consent(tmp_path: Path) -> None:
    rule = "- {fact: consent.book, is: explicit, within_ms: 90000, else: confirm,"
    either = "- {any: [{fact: consent.book, is: explicit}, {fact: quote_open, is: true}], else: confirm,"
    assert "lacks consent.book" in str(refusal(tmp_path, (rule, either)))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "ä"])
def test_names_of_policies_can_not_leave_the_directory(name: str) -> None:
    with pytest.raises(ConfigError, match="no name of a policy"):
        policy_path(Path("config"), name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: the file does not exist"):
        read_policy(tmp_path / "nothing.yaml")


def test_a_policy_among_others_bears_its_file_name_and_one_elsewhere_need_not(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    text = PINNED.replace("policy: pinned", "policy: another", 1)
    (folder / "pinned.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "candidate.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="which is not the file's name"):
        read_policy(folder / "pinned.yaml")
    assert read_policy(tmp_path / "candidate.yaml").name == "another"


def test_a_file_elsewhere_extends_a_policy_of_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "policies"
    folder.mkdir(parents=True)
    (folder / "pinned.yaml").write_text(PINNED, encoding="utf-8")
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text("policy: mine\nextends: pinned\nowner: team\nabout: A layer.\n", encoding="utf-8")
    assert read_policy(candidate, tmp_path / "config").name == "mine"
    base = read_base(candidate, tmp_path / "config")
    assert base is not None and base.name == "pinned"
    assert read_base("pinned", tmp_path / "config") is None


def test_limits_shadows_and_roles_reach_the_tree(tmp_path: Path) -> None:
    policy = read_policy(
        changed(
            tmp_path,
            ("limits: [{per: call, at_most: 1,", "limits: [{per: person, in_s: 86400, shadow: true, at_most: 1,"),
            ("actions:", "roles: {closing: {why: A test., actions: {book: {require: [{fact: quote_open, is: true, "
             "shadow: true, else: deny, why: A test.}]}}}}\nactions:"),
        )
    )  # fmt: skip
    limit = policy.actions["book"].limits[0]
    assert (limit.per, limit.in_s, limit.shadow, limit.counted) == ("person", 86_400, True, "counted.book.person.86400")
    rule = policy.actions["book"].require[-1]
    assert (rule.id, rule.shadow, rule.owner) == ("book.roles.closing.1", True, "head-of-sales")
    others, own = rule.condition.items  # type: ignore[union-attr]
    assert others == Atom(fact="agent", not_in=("closing",))
    assert own == Atom(fact="quote_open", is_=True)


def test_an_action_of_ones_own_that_changes_nothing_may_run_at_every_stage(tmp_path: Path) -> None:
    own = "actions:\n  read_notes: {effect: false, stages: {observe: allow, assist: allow}, why: It only reads.}"
    read = read_policy(changed(tmp_path, ("actions:", own))).actions["read_notes"]
    assert (read.effect, read.stages["observe"]) == (False, "allow")
