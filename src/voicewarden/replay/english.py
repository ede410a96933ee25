"""Reasons of a decision as sentences that a person without the policy at hand understands.

In: facts, needs and findings as the gate wrote them. Out: text, never markup. Used by decision cards, the QA report and
`voicewarden label`.
"""

import re
from collections.abc import Sequence
from typing import Final

from voicewarden.model.decision import Decision, Reason
from voicewarden.replay.wording import plain

_FACTS: Final = {
    "answerer": "who answered", "opted_out": "“do not call me again”", "paused": "a pause of all calls",
    "asked_for_person": "the wish for a person", "direction": "the direction of the call",
    "contact.consent": "the consent on file", "granted in this call": "how often this was done in this call",
    "claim": "a figure or a promise", "hearing_permille": "how well the caller was heard",
    "minor": "a child on the line", "distress": "a caller in distress", "wrong_person": "the wrong person",
}  # fmt: skip
_ANSWERS: Final = {
    "explicit": "The caller said a clear yes to “{what}”.",
    "unknown": "The caller had not been asked about “{what}”, or had not answered yet.",
    "none": "No answer to “{what}” could be heard.",
    "ambiguous": "The caller's answer about “{what}” was not a clear yes.",
    "conditional": "The caller's yes to “{what}” had a condition.",
    "refused": "The caller said no to “{what}”.",
    "revoked": "The caller took the yes to “{what}” back.",
    "question": "The caller answered the question about “{what}” with a question.",
    "other": "The caller spoke of something else than “{what}”.",
}
_WHO: Final = {
    "human": "A person", "voicemail": "A mailbox", "menu": "A telephone menu", "screening": "A call screen",
    "unavailable": "An announcement that nobody is available", "fax": "A fax machine", "busy": "A busy tone",
    "no_speech": "Nobody", "unknown": "",
}  # fmt: skip
_YES_OR_NO: Final = {
    ("opted_out", "true"): "This person has asked not to be called.",
    ("opted_out", "false"): "This person has not asked to be left alone.",
    ("paused", "true"): "A person had paused all calls.",
    ("paused", "false"): "Calls were not paused.",
    ("asked_for_person", "true"): "The caller asked for a person.",
    ("asked_for_person", "false"): "The caller did not ask for a person.",
    ("minor", "true"): "A child was on the line.",
    ("minor", "false"): "Nothing said that a child was on the line.",
    ("distress", "true"): "The caller was in distress.",
    ("distress", "false"): "Nothing said that the caller was in distress.",
    ("wrong_person", "true"): "Somebody else was meant.",
    ("wrong_person", "false"): "Nothing said that somebody else was meant.",
}
_KERNEL: Final = {
    "kernel.default_deny": "The policy does not name this action, and what it does not name is refused.",
    "kernel.tool_calls": "The model asked for more than it may ask for in one turn ({found}; {needed}).",
    "kernel.refused_before": "The caller had said no to exactly this before.",
    "kernel.asked_enough": "The caller had been asked as often as the policy permits.",
    "kernel.role": "This agent role may not ask for it.",
    "kernel.arguments": "The request was not well formed: {needed}; found {found}.",
    "kernel.stage": "The stage of autonomy does not let this happen by itself ({found}).",
    "kernel.cooldown": "Too little time had passed since the last one ({found}; {needed}).",
    "kernel.not_consulted": "The model had not been asked, or its answer was not wanted any more.",
    "kernel.budget.per_call": "The model's budget for the call was used up ({found} tokens; {needed}).",
    "kernel.budget.per_turn": "The model's budget for the turn was used up ({found} tokens; {needed}).",
    "kernel.paused": "A person had paused all calls.",
    "kernel.revoked": "A person had taken the right to act away.",
    "kernel.ending": "The call was ending already.",
    "kernel.stale_turn": "The caller had spoken since; the thought was out of date.",
    "kernel.dropped": "The model's answer had been cancelled before this sentence.",
    "kernel.question_open": "A question was waiting for its answer, and nobody talks over it.",
    "kernel.repeats": "The model repeated itself.",
    "kernel.not_opened": "It was not known yet who had answered.",
    "kernel.opted_out": "This person has asked not to be called.",
}
_CLAIMS: Final = {
    "number": "the figure “{}”", "price": "the price “{}”", "percent": "the percentage “{}”", "clock": "the time “{}”",
    "date": "the date “{}”", "guarantee": "the promise “{}”",
}  # fmt: skip
_AGO: Final = re.compile(r", (\d+) (m?)s ago$")
_ANY_AGO: Final = re.compile(r", (?:\d+ ms|(\d+ s)) ago")
_NO_OLDER: Final = re.compile(r"no older than (\d+) (m?)s$")
_NAMED: Final = re.compile(r"\b(?:consent|disclosed|done|contact)\.\w+|\b(?:answerer|direction|[a-z]+(?:_[a-z]+)+)\b")
_VALUES: Final = {
    "true": "yes", "false": "no", "unknown": "not known", "explicit": "a clear yes", "ambiguous": "not a clear yes",
}  # fmt: skip
_VALUE: Final = re.compile(rf"\b(?:{'|'.join(_VALUES)})\b")


def fact_in_words(fact: str) -> str:
    """What a fact is about."""
    family, _, rest = fact.partition(".")
    if fact in _FACTS:
        return _FACTS[fact]
    match family:
        case "consent" if rest:
            return f"the caller's answer to “{plain(rest)}”"
        case "disclosed" if rest:
            return f"the notice “{plain(rest)}”"
        case "done" if rest:
            return f"whether “{plain(rest)}” was done"
    if fact.startswith("contact.attempts_"):
        return f"earlier calls to this person in {_span(rest.removeprefix('attempts_'))}"
    return f"“{plain(fact)}”" if fact else "a rule"


def facts_in_words(facts: str) -> str:
    """What a reason looked at; `facts` are names separated by commas."""
    return ", ".join(fact_in_words(fact) for fact in facts.split(", "))


def told(text: str) -> str:
    """A need or a finding of the gate, with its names spelled out and its times made plain."""
    valued = _VALUE.sub(lambda found: _VALUES[found.group()], text)
    named = _NAMED.sub(lambda found: fact_in_words(found.group()), valued)
    return _ANY_AGO.sub(lambda ago: f", {ago[1]} before" if ago[1] else ", just now", named)


def reason_in_words(reason: Reason) -> str:
    """One reason as a sentence about what was found."""
    found = _AGO.sub("", reason.found)
    known = _KERNEL.get(reason.rule)
    if known is not None:
        return known.format(found=told(found), needed=told(reason.needed))
    said = _about_fact(reason.fact, found) or _about_speech(reason, found) or _general(reason)
    return f"{said} That was too long ago." if reason.verdict != "allow" and _is_stale(reason) else said


def _is_stale(reason: Reason) -> bool:
    """What was found would do, had it been found later."""
    found, needed = _AGO.search(reason.found), _NO_OLDER.search(reason.needed)
    return bool(found and needed and _ms(found) > _ms(needed))


def _ms(age: re.Match[str]) -> int:
    return int(age[1]) * (1 if age[2] else 1000)


def reasons_in_words(reasons: Sequence[Reason]) -> str:
    """What several reasons found, one sentence each."""
    return " ".join(reason_in_words(reason) for reason in reasons)


def decision_in_words(decision: Decision, title: str) -> str:
    """One decision as sentences about what its title names."""
    action = title.capitalize()
    because = reasons_in_words([reason for reason in decision.reasons if reason.verdict != "allow"])
    match decision.verdict:
        case "allow":
            met = len(decision.reasons)
            held = f"all {met} rules were" if met > 1 else "the one rule was"
            return f"{action} was allowed: " + (f"{held} met." if met else "no rule stands against it.")
        case "confirm":
            return f"{action} has to wait for the caller's yes. {because}".rstrip()
        case "escalate":
            return f"{action} is for a person to decide. {because}".rstrip()
        case "deny":
            return f"{action} was refused. {because}".rstrip()


def _about_fact(fact: str, found: str) -> str:
    family, _, rest = fact.partition(".")
    if family == "consent" and found in _ANSWERS:
        return _ANSWERS[found].format(what=plain(rest))
    if family == "disclosed" and rest and ", " not in fact:
        heard = "was heard to its end" if found == "true" else "had not been heard"
        return f"The notice “{plain(rest)}” {heard}."
    if fact == "answerer" and found in _WHO:
        return f"{_WHO[found]} answered." if _WHO[found] else "It was not known who answered."
    if fact == "contact.consent":
        return f"The consent on file is: {plain(found)}."
    if fact.startswith("contact.attempts_") and found.isdigit():
        return f"{_times(found)} called before in {_span(rest.removeprefix('attempts_'))}."
    return _YES_OR_NO.get((fact, found), "")


def _about_speech(reason: Reason, found: str) -> str:
    if reason.rule.startswith("speech.refuse."):
        return f"Sentences of the kind “{plain(reason.rule.removeprefix('speech.refuse.'))}” are never said."
    if reason.rule.startswith("speech.must_say."):
        line = plain(reason.rule.removeprefix("speech.must_say."))
        return f"The notice “{line}” has to be heard before anything else is said."
    if reason.rule == "speech.facts":
        kind, _, value = found.partition(":")
        claim = _CLAIMS.get(kind, f"{plain(kind)} “{{}}”").format(value or found)
        return f"Nobody approved {claim}, the caller did not name it, and no tool returned it."
    if reason.fact == "granted in this call" and found.isdigit():
        most = reason.needed.removeprefix("at most ")
        return f"{_times(found)} permitted before in this call; at most {most}."
    return ""


def _general(reason: Reason) -> str:
    about, needed, found = facts_in_words(reason.fact), told(reason.needed), told(reason.found)
    value = _VALUES.get(_AGO.sub("", reason.found))
    if value is not None:
        return f"{about[:1].upper()}{about[1:]}: {value}."
    if reason.verdict == "allow" and ", " in reason.fact:
        return f"{needed[:1].upper()}{needed[1:]}: this was so."
    return f"Needed: {needed}. Found: {found}."


def _times(count: str) -> str:
    return {"0": "Never", "1": "Once"}.get(count, f"{count} times")


def _span(seconds: str) -> str:
    known = {"3600": "the last hour", "86400": "the last 24 hours", "604800": "the last 7 days"}
    return known.get(seconds, f"the last {seconds} s")
