"""Settings of a policy that changed, each with its direction: everything beside the rules of single actions.

In: two policies, and what their declared facts start with. Out: one entry a field. Called by `diff`. A timer or a
budget is only changed: neither side of it is more authority than the other.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from voicewarden.model.action import Value
from voicewarden.policy.ast import Contact, FactType, MustSay, Policy
from voicewarden.policy.fact import Fact
from voicewarden.policy.generator import atoms
from voicewarden.policy.interpreter import holds
from voicewarden.policy.vocabulary import CONSENT_LEVELS
from voicewarden.proofs.action_changes import Direction

# Any: a field's value as it stands in the tree, of whichever type it is.
_Judge = Callable[[Any, Any], Direction]


class Setting(msgspec.Struct, frozen=True):
    """One field that differs; None is a field that a side does not have."""

    field: str
    old: Any
    new: Any
    verdict: Direction


def settings_diff(
    old: Policy, new: Policy, defaults: tuple[Mapping[str, Value], Mapping[str, Value]] | None = None
) -> tuple[Setting, ...]:
    """All settings that differ; `defaults` is what declared facts start with under either policy."""
    return (
        *_fields(old, new), *_must_say(old, new), *_refused(old, new), *_contact(old.contact, new.contact),
        *_facts(old, new), *(_defaults(old, new, *defaults) if defaults else ()),
    )  # fmt: skip


def _changed(old: Any, new: Any) -> Direction:
    return "changed"


def _less_widens(old: Any, new: Any) -> Direction:
    return "widens" if new < old else "narrows"


def _more_widens(old: Any, new: Any) -> Direction:
    return "widens" if new > old else "narrows"


def _band_less_widens(old: Any, new: Any) -> Direction:
    """As above for a band that may be missing: then words of its kind count with all others, for better or worse."""
    return "changed" if old is None or new is None else _less_widens(old, new)


def _longer_widens(old: Any, new: Any) -> Direction:
    """A setting that may be absent: while a number is keyed in, the key that ends all calls waits so long."""
    return _more_widens(old or 0, new or 0)


def _restrained(value: str) -> _Judge:
    """Towards this value it narrows, away from it it widens."""
    return lambda old, new: "narrows" if new == value else "widens" if old == value else "changed"


_JUDGES: Final[dict[str, _Judge]] = {
    "hearing.decide.accept_permille": _less_widens,
    "hearing.decide.confirm_permille": _less_widens,
    "hearing.content.accept_permille": _less_widens,
    "hearing.content.confirm_permille": _less_widens,
    "hearing.digits.accept_permille": _band_less_widens,
    "hearing.digits.confirm_permille": _band_less_widens,
    "hearing.names.accept_permille": _band_less_widens,
    "hearing.names.confirm_permille": _band_less_widens,
    "questions.answer_within_ms": _more_widens,
    "questions.answer_tolerance_ms": _more_widens,
    "questions.times_per_arguments": _more_widens,
    "questions.times_per_action": _more_widens,
    "oversight.review_days": _more_widens,
    "keys.entry_pause_ms": _longer_widens,
    "oversight.pause_finishes_calls": _restrained("at_once"),
}
_BLOCKS: Final = ("hearing", "answerer", "silence", "keys", "call", "budget", "questions", "oversight")


def _fields(old: Policy, new: Policy) -> Iterator[Setting]:
    before, after = _flat(old), _flat(new)
    for field in dict.fromkeys((*before, *after)):
        left, right = before.get(field), after.get(field)
        if left != right:
            judge = _restrained("end_call") if field.startswith("answerer.when.") else _JUDGES.get(field, _changed)
            yield Setting(field, left, right, judge(left, right))


def _flat(policy: Policy) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for block in _BLOCKS:
        _flatten(block, msgspec.to_builtins(getattr(policy, block)), found)
    return found


def _flatten(path: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{path}.{key}", inner, found)
    else:
        found[path] = value


def _must_say(old: Policy, new: Policy) -> Iterator[Setting]:
    before = {item.id: item for item in old.speech.must_say}
    after = {item.id: item for item in new.speech.must_say}
    for name in dict.fromkeys((*before, *after)):
        field = f"speech.must_say.{name}"
        if name not in after:
            yield Setting(field, before[name].line, None, "widens")
        elif name not in before:
            yield Setting(field, None, after[name].line, "narrows")
        else:
            yield from _line(field, before[name], after[name])


def _line(field: str, old: MustSay, new: MustSay) -> Iterator[Setting]:
    if old.line != new.line:
        yield Setting(f"{field}.line", old.line, new.line, "changed")
    if old.within_ms != new.within_ms:
        later = new.within_ms is None or (old.within_ms is not None and new.within_ms > old.within_ms)
        yield Setting(f"{field}.within_ms", old.within_ms, new.within_ms, "widens" if later else "narrows")
    if old.before != new.before:
        verdict: Direction = "widens" if old.before else "narrows"
        yield Setting(f"{field}.before", old.before or None, new.before or None, verdict)


def _refused(old: Policy, new: Policy) -> Iterator[Setting]:
    for name in old.speech.refuse:
        if name not in new.speech.refuse:
            yield Setting(f"speech.refuse.{name}", name, None, "widens")
    for name in new.speech.refuse:
        if name not in old.speech.refuse:
            yield Setting(f"speech.refuse.{name}", None, name, "narrows")


def _contact(old: Contact, new: Contact) -> Iterator[Setting]:
    if old.consent_level != new.consent_level:
        levels = [CONSENT_LEVELS.index(level) if level in CONSENT_LEVELS else -1
                  for level in (old.consent_level, new.consent_level)]  # fmt: skip
        verdict = _less_widens(*levels)
        yield Setting("contact.consent_level", old.consent_level, new.consent_level, verdict)
    if old.jurisdictions != new.jurisdictions:
        yield Setting("contact.jurisdictions", old.jurisdictions, new.jurisdictions, "changed")
    before = {window.in_s: window.at_most for window in old.per_person}
    after = {window.in_s: window.at_most for window in new.per_person}
    for in_s in sorted(before.keys() | after.keys()):
        left, right = before.get(in_s), after.get(in_s)
        if left != right:
            more = right is None or (left is not None and right > left)
            yield Setting(f"contact.per_person.{in_s}", left, right, "widens" if more else "narrows")


def _facts(old: Policy, new: Policy) -> Iterator[Setting]:
    for name in dict.fromkeys((*old.facts, *new.facts)):
        left, right = old.facts.get(name), new.facts.get(name)
        shown = _shown(left), _shown(right)
        if shown[0] != shown[1]:
            yield Setting(f"facts.{name}", *shown, _fact_verdict(left, right))


def _shown(kind: FactType | None) -> str | None:
    if kind is None:
        return None
    bounds = {"enum": " " + " | ".join(kind.values), "int": f" {kind.low} to {kind.high}"}
    return kind.kind + bounds.get(kind.kind, "")


def _fact_verdict(old: FactType | None, new: FactType | None) -> Direction:
    """A value that is not of a fact's type is never learnt, so a larger type lets more facts be known."""
    if old is None or new is None or old.kind != new.kind:
        return "changed"
    wider = set(new.values) > set(old.values) or new.low < old.low or new.high > old.high
    narrower = set(new.values) < set(old.values) or new.low > old.low or new.high < old.high
    mixed = set(new.values) - set(old.values) and set(old.values) - set(new.values)
    return "widens" if wider or mixed else "narrows" if narrower else "changed"


def _defaults(
    old: Policy, new: Policy, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[Setting]:
    for name in dict.fromkeys((*before, *after)):
        left, right = before.get(name), after.get(name)
        if left != right or type(left) is not type(right):
            met = (_met(old, name, left) | _met(new, name, left), _met(old, name, right) | _met(new, name, right))
            verdict: Direction = "widens" if met[1] - met[0] else "narrows" if met[0] - met[1] else "changed"
            yield Setting(f"facts.{name}.default", left, right, verdict)


def _met(policy: Policy, name: str, value: Value | None) -> set[tuple[str, str]]:
    """Tests of the fact that hold when it has this value."""
    if value is None:
        return set()
    facts = {name: Fact(value, 0, 0)}
    return {
        (action, str(atom))
        for action, rule in policy.actions.items() for item in rule.require for atom in atoms(item.condition)
        if atom.fact == name and holds(atom, facts, 0, "", "")
    }  # fmt: skip
