"""What another policy would have decided: exact for each moment, and plain about what nobody can know."""

import json
from typing import Any

import msgspec
import pytest
from tests.fakes.rig import BOOK, HAIRCUT, Rig, shipped
from tests.replay.golden import CALLS, load, load_release_blob

from voicewarden.kernel.release import encode_release
from voicewarden.policy.ast import ActionRule, Atom, FactType, Limit, MustSay, Policy, Rule
from voicewarden.replay.claims import Claims
from voicewarden.replay.effect import UNKNOWABLE, Effect, as_data, effect_of
from voicewarden.replay.exchange import Exchanges
from voicewarden.replay.whatif import CallWhatIf, _pairs, whatif_call

replace = msgspec.structs.replace
OLD = shipped().data.policy


def policy(**changes: Any) -> Policy:
    return replace(OLD, **changes)


def with_action(name: str, **changes: Any) -> Policy:
    return policy(actions={**OLD.actions, name: replace(OLD.actions[name], **changes)})


def without(name: str, fact: str) -> Policy:
    """The policy without this action's rules on a fact."""
    kept = tuple(rule for rule in OLD.actions[name].require if getattr(rule.condition, "fact", "") != fact)
    assert len(kept) < len(OLD.actions[name].require)
    return with_action(name, require=kept)


def with_rule(name: str, rule: Rule) -> Policy:
    return with_action(name, require=(*OLD.actions[name].require, rule))


def asked(rig: Rig, other: Policy) -> CallWhatIf:
    return whatif_call(rig.records, Exchanges(lambda _: encode_release(shipped().data), other))


def booked(**options: Any) -> Rig:
    rig = Rig(**options)
    rig.question()
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "done")
    return rig


def told(found: CallWhatIf) -> list[tuple[str, str, str, str]]:
    return [(flip.action, flip.old, flip.new, flip.standing) for flip in found.flips]


NEVER = Rule(id="book.require.never", condition=Atom(fact="direction", in_=("outbound",)), otherwise="deny")
VETTED = Rule(id="book.require.vetted", condition=Atom(fact="vetted", is_=True), otherwise="deny")


def test_the_same_policy_flips_nothing() -> None:
    found = asked(booked(), OLD)
    assert (found.flips, found.problem) == ((), "") and found.decisions == 2


def test_another_policy_that_decides_the_same_flips_nothing() -> None:
    assert asked(booked(), policy(about="The same in other words.")).flips == ()


def test_a_rule_less_is_an_action_more() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    found = asked(rig, without("book", "consent.book"))
    assert told(found) == [("book", "confirm", "allow", "certain")]
    (flip,) = found.flips
    assert flip.first_in_call and flip.milder and flip.rules == ("book.require.4",)
    effect = effect_of([found])
    assert effect.gained["book"].certain == 1 and not effect.lost
    assert (effect.people.exposed, effect.people.protected) == (1, 0)


def test_a_rule_more_takes_away_what_was_granted() -> None:
    found = asked(booked(), with_rule("book", NEVER))
    assert told(found) == [("book", "confirm", "deny", "certain"), ("book", "allow", "deny", "certain")]
    assert [flip.first_in_call for flip in found.flips] == [True, False]
    assert found.flips[1].granted and found.flips[1].rules == ("book.require.never",)
    effect = effect_of([found])
    assert effect.lost["book"].certain == 1 and effect.people.protected == 1


def test_a_flip_points_to_the_decision_that_was_recorded() -> None:
    rig = booked()
    for flip in asked(rig, with_rule("book", NEVER)).flips:
        body = json.loads(rig.records[flip.seq].body)
        assert (body["seq"], body["verdict"], body["at_ms"]) == (flip.seq, flip.old, flip.at_ms)


def test_what_comes_after_a_flip_is_counted_apart() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.ask("book", **HAIRCUT)
    found = asked(rig, without("book", "consent.book"))
    assert [flip.standing for flip in found.flips] == ["certain", "after a flip"]
    count = effect_of([found]).gained["book"]
    assert (count.certain, count.after_a_flip, count.calls) == (1, 1, 1)


def test_a_fact_that_nobody_recorded_is_no_finding() -> None:
    other = replace(with_rule("book", VETTED), facts={**OLD.facts, "vetted": FactType(kind="bool")})
    found = asked(booked(), other)
    assert {flip.standing for flip in found.flips} == {"rests on what was not recorded"}
    assert found.flips[0].unrecorded == ("vetted",)
    effect = effect_of([found])
    assert (effect.lost["book"].certain, effect.lost["book"].unrecorded, effect.people.protected) == (0, 1, 0)


def test_a_fact_that_was_recorded_though_the_policy_did_not_know_it_counts() -> None:
    other = replace(with_rule("book", VETTED), facts={**OLD.facts, "vetted": FactType(kind="bool")})
    assert asked(booked(facts={"vetted": True}), other).flips == ()
    refused = asked(booked(facts={"vetted": False}), other)
    assert [flip.standing for flip in refused.flips] == ["certain", "certain"]


def test_a_rule_that_would_flip_it_anyway_counts_beside_one_that_can_not_be_known() -> None:
    rules = (*OLD.actions["book"].require, VETTED, NEVER)
    other = replace(with_action("book", require=rules), facts={**OLD.facts, "vetted": FactType(kind="bool")})
    assert asked(booked(), other).flips[0].standing == "certain"


def test_a_window_that_nobody_counted_is_not_known() -> None:
    limit = Limit(id="book.limits.day", at_most=3, otherwise="deny", per="person", in_s=86_400)
    other = with_action("book", limits=(*OLD.actions["book"].limits, limit))
    assert {flip.unrecorded for flip in asked(booked(), other).flips} == {("counted.book.person.86400",)}


def test_a_line_that_the_release_does_not_have_can_not_be_told() -> None:
    lines = (*OLD.speech.must_say, MustSay(id="new", line="no.such.line", within_ms=None, before=""))
    rig = Rig()
    rig.hear("what does it cost?")
    rig.propose("Let me see.")
    found = asked(rig, policy(speech=replace(OLD.speech, must_say=lines)))
    assert found.undecided > 0 and found.flips == ()


def test_a_line_that_would_have_been_said_is_no_finding() -> None:
    lines = (*OLD.speech.must_say, MustSay(id="new", line="goodbye", within_ms=1, before=""))
    rig = Rig()
    rig.hear("what does it cost?")
    rig.propose("Let me see.")
    found = asked(rig, policy(speech=replace(OLD.speech, must_say=lines)))
    assert [(flip.action, flip.unrecorded) for flip in found.flips] == [("speak", ("disclosed.new",))]


def test_a_sentence_flips_too() -> None:
    rig = Rig()
    rig.hear("are you a robot?")
    rig.propose("No, I am a real person.")
    kept = tuple(kind for kind in OLD.speech.refuse if kind != "denies_ai")
    found = asked(rig, policy(speech=replace(OLD.speech, refuse=kept)))
    assert told(found) == [("speak", "deny", "allow", "certain")]
    assert found.flips[0].rules == ("speech.refuse.denies_ai",)
    assert effect_of([found]).people.exposed == 0


def test_hearing_that_takes_less_flips_a_yes() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it", permille=500)
    band = replace(OLD.hearing.decide, accept_permille=400)
    found = asked(rig, policy(hearing=replace(OLD.hearing, decide=band)))
    assert told(found) == [("book", "confirm", "allow", "certain")]


def test_an_action_that_is_gone_is_denied() -> None:
    rest = {name: rule for name, rule in OLD.actions.items() if name != "book"}
    assert told(asked(booked(), policy(actions=rest)))[0] == ("book", "confirm", "deny", "certain")


def test_what_only_one_side_asks_for_after_a_flip_is_its_consequence() -> None:
    """An escalation asks for a transfer: without it there is no transfer to flip."""
    escalating = Rule(id="book.require.up", condition=Atom(fact="direction", in_=("outbound",)), otherwise="escalate")
    rig = Rig()
    rig.ask("book", **BOOK)
    assert told(asked(rig, with_rule("book", escalating))) == [("book", "confirm", "escalate", "certain")]


def test_what_only_one_side_decides_stands_alone() -> None:
    rig = Rig()
    for action in ("book", "transfer"):
        rig.ask(action, **(BOOK if action == "book" else {"desk": "sales"}))
    book, transfer = (item for item in rig.decisions if not item.request.startswith("escape:"))
    own = replace(transfer, request="kernel:12")
    renumbered = replace(own, request="kernel:14", seq=99)
    assert list(_pairs([book, own], [book, renumbered])) == [(book, book), (own, renumbered)]
    assert list(_pairs([book, own], [book])) == [(book, book), (own, None)]
    assert list(_pairs([book], [book, own])) == [(book, book), (None, own)]


def test_a_setting_that_steers_without_a_decision_is_no_flip() -> None:
    """Who is spoken to and when a call ends is no decision: it shows in no flip, and the text says so."""
    when = {**OLD.answerer.when, "voicemail": "end_call"}
    other = policy(answerer=replace(OLD.answerer, when=when))
    found = whatif_call(load(CALLS / "mailbox.jsonl"), Exchanges(load_release_blob, other))
    assert (found.problem, found.flips) == ("", ())
    assert "steers without deciding" in UNKNOWABLE


def test_a_call_that_does_not_replay_says_nothing() -> None:
    rig = booked()
    cut = rig.records[:-1] if rig.records[-1].kind != "event" else rig.records[:-2]
    found = asked(rig, OLD)
    assert found.problem == ""
    broken = whatif_call(cut[1:], Exchanges(lambda _: encode_release(shipped().data), OLD))
    assert "replay" in broken.problem and broken.flips == ()
    assert effect_of([broken]).problems == {broken.call: broken.problem}


def test_a_release_that_can_not_be_read_is_said() -> None:
    found = whatif_call(booked().records, Exchanges(lambda _: b"{}", OLD))
    assert "release" in found.problem


def test_json_has_everything_that_was_found() -> None:
    data = as_data(effect_of([asked(booked(), with_rule("book", NEVER))]))
    assert {"calls", "decisions", "flips", "by_rule", "gained", "lost", "unknowable"} <= data.keys()
    first = data["flips"][0]
    assert {"call", "seq", "at_ms", "action", "old", "new", "rules", "first_in_call"} <= first.keys()
    assert first["report"] == f"c1.html#r{first['seq']}-d"
    assert data["by_rule"]["book.require.never"]["changes"][0]["certain"] == 1
    json.dumps(data)


def every_call(other: Policy) -> list[CallWhatIf]:
    exchanges = Exchanges(load_release_blob, other)
    return [whatif_call(load(path), exchanges) for path in sorted(CALLS.glob("*.jsonl"))]


def changed() -> dict[str, Policy]:
    book = OLD.actions["book"]
    stages: dict[str, ActionRule] = {name: replace(rule, stages={}) for name, rule in OLD.actions.items()}
    return {
        "without consent": without("book", "consent.book"),
        "never": with_rule("book", NEVER),
        "no booking": policy(actions={name: rule for name, rule in OLD.actions.items() if name != "book"}),
        "nothing by itself": policy(actions=stages),
        "once at most": with_action("book", limits=(replace(book.limits[0], at_most=0),)),
        "nobody may": with_action("book", requested_by=("nobody",)),
        "hears everything": policy(
            hearing=replace(OLD.hearing, decide=replace(OLD.hearing.decide, accept_permille=0, confirm_permille=0))
        ),
        "asks once": policy(questions=replace(OLD.questions, times_per_arguments=1, times_per_action=1)),
    }


@pytest.mark.parametrize("name", changed())
def test_no_flip_of_a_golden_call_is_one_that_the_proof_rules_out(name: str) -> None:
    pytest.importorskip("z3")
    other = changed()[name]
    calls = every_call(other)
    assert [call.problem for call in calls if call.problem] == []
    effect: Effect = effect_of(calls)
    assert effect.flips, "the change shows nowhere"
    assert Claims({calls[0].policy: load_old()}, other).contradictions(calls) == ()


def load_old() -> Policy:
    exchanges = Exchanges(load_release_blob, OLD)
    whatif_call(load(CALLS / "booked.jsonl"), exchanges)
    first = json.loads(load(CALLS / "booked.jsonl")[0].body)
    return exchanges.get(first["release"]).data.policy


def test_a_flip_that_the_proof_rules_out_is_found() -> None:
    pytest.importorskip("z3")
    found = asked(booked(), with_rule("book", NEVER))
    honest = Claims({found.policy: OLD}, with_rule("book", NEVER))
    assert honest.contradictions([found]) == ()
    assert honest.claim(found.flips[0], found.policy) == "proved by the rules"
    lying = Claims({found.policy: OLD}, policy(about="another"))
    assert [item.flip for item in lying.contradictions([found])] == list(found.flips)
    wrong_way = Claims({found.policy: OLD}, without("book", "consent.book"))
    assert wrong_way.contradictions([found])
