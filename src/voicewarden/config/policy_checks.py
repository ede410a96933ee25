"""What a policy must hold beyond the shape of its file: a document comes in, findings go out.

Called by `policy_reader`. The rules are those of the policy language in docs/; actions are judged in `action_checks`.
"""

from collections.abc import Iterator
from typing import Final

from voicewarden.config.action_checks import check_action, check_role_rules, check_stages
from voicewarden.config.fact_type import ACCEPTED_TYPES, SUPPLIED_FACTS, declared_type, fits, spoken_type
from voicewarden.config.finding import Findings
from voicewarden.config.policy_blocks import Reasoned
from voicewarden.config.policy_document import PolicyDocument
from voicewarden.config.validation import Document, shown
from voicewarden.config.yaml_file import Route, YamlFile
from voicewarden.model.action import EFFECTLESS, Stage
from voicewarden.policy.ast import FactType
from voicewarden.policy.vocabulary import BUILT_IN_FACTS

_REVIEWED_WITHIN_DAYS: Final[dict[Stage, int]] = {"autonomous": 30, "bounded": 90}
_FAMILIES = ("consent", "disclosed", "done", "contact", "counted")


def check_policy(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    """Note everything that makes this document no policy that can be decided by."""
    _check_owners(document, source, findings)
    declared = _check_facts(document, source, findings)
    _check_numbers(document, source, findings)
    _check_speech(document, source, findings)
    _check_answerer(document, source, findings)
    for name in document.actions:
        check_action(document, declared, name, source, findings)
    for role, entry in document.roles.items():
        for name in entry.actions:
            check_role_rules(document, declared, role, name, source, findings)


def check_governance(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    """Note where a stage allows what it must not, or has too little oversight. Everything is logged at every stage."""
    for name in document.actions:
        check_stages(document, name, source, findings)
    review = document.oversight.review_days
    for name, action in document.actions.items():
        if name in EFFECTLESS or not action.effect:
            continue
        for stage, most in _REVIEWED_WITHIN_DAYS.items():
            if action.stages.get(stage) == "allow" and review > most:
                what = f"found {review}, while {name} acts by itself at the stage {stage}"
                source.complain(findings, ("oversight", "review_days"), what, f"at most {most}")
                return


def _check_owners(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    if document.owner is not None:
        return
    for route, block in _blocks(document, ()):
        if block.owner is None:
            source.complain(findings, (*route, "owner"), "is missing, here and in every block around it", "a role")


def _blocks(value: object, route: Route) -> Iterator[tuple[Route, Reasoned]]:
    """The blocks under `value` whose owner no block around them gives, outermost first."""
    if isinstance(value, Reasoned):
        yield route, value
        return
    if isinstance(value, Document):
        for name, field in type(value).model_fields.items():
            yield from _blocks(getattr(value, name), (*route, field.alias or name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _blocks(item, (*route, key))


def _check_facts(document: PolicyDocument, source: YamlFile, findings: Findings) -> dict[str, FactType]:
    declared: dict[str, FactType] = dict(SUPPLIED_FACTS)
    for name, entry in document.facts.items():
        route: Route = ("facts", name)
        if name in BUILT_IN_FACTS or name.partition(".")[0] in _FAMILIES:
            source.complain(findings, route, "is built in and can't be declared again; choose another name")
            continue
        fact = declared_type(entry)
        if fact is None:
            source.complain(findings, (*route, "type"), f"found {shown(entry.type)}", ACCEPTED_TYPES)
            continue
        if entry.default is not None and not fits(fact, entry.default):
            source.complain(findings, (*route, "default"), f"found {shown(entry.default)}", spoken_type(fact))
        declared[name] = fact
    return declared


def _check_numbers(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    def at_most(route: Route, low: int, high: int, than: str) -> None:
        if low > high:
            source.complain(findings, route, f"found {low}, more than {than}", f"at most {high}")

    route: Route
    for name, band in document.hearing.bands.named().items():
        route = ("hearing", "bands", name, "confirm_permille")
        at_most(route, band.confirm_permille, band.accept_permille, "accept_permille")
    hearing, call, budget, questions = document.hearing, document.call, document.budget, document.questions
    route = ("hearing", "end_of_turn_ms")
    at_most(route, hearing.end_of_turn_ms, hearing.end_of_turn_spelling_ms, "end_of_turn_spelling_ms")
    at_most(("call", "warn_before_ms"), call.warn_before_ms, call.longest_ms, "longest_ms")
    at_most(("budget", "per_turn_tokens"), budget.per_turn_tokens, budget.per_call_tokens, "per_call_tokens")
    route = ("questions", "times_per_arguments")
    at_most(route, questions.times_per_arguments, questions.times_per_action, "times_per_action")
    silence = document.silence
    at_most(("silence", "hold_ms"), silence.hold_ms or 0, silence.backstop_ms, "backstop_ms")
    if document.keys is not None and document.keys.no is not None and document.keys.no == document.keys.person:
        what = f"found '{document.keys.person}', which means no already"
        source.complain(findings, ("keys", "person"), what, "another key")
    ladder = silence.ladder
    for index, step in enumerate(ladder):
        if (step.do == "goodbye") != (index == len(ladder) - 1):
            accepted = "the last step, and it alone, is goodbye"
            source.complain(findings, ("silence", "ladder", index, "do"), f"found '{step.do}'", accepted)


def _check_speech(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    seen: set[str] = set()
    for index, entry in enumerate(document.speech.must_say):
        route: Route = ("speech", "must_say", index)
        if entry.id in seen:
            source.complain(findings, (*route, "id"), f"found '{entry.id}', which stands in the list already")
        seen.add(entry.id)
        if entry.within_ms is None and entry.before is None:
            source.complain(findings, route, "says neither within_ms nor before", "one of them, or both")
        if entry.before is not None and entry.before not in ("recording", *document.actions):
            accepted = ", ".join(["recording", *sorted(document.actions)])
            source.complain(findings, (*route, "before"), f"found '{entry.before}'", accepted)


def _check_answerer(document: PolicyDocument, source: YamlFile, findings: Findings) -> None:
    for verdict, then in document.answerer.when.items():
        if then not in ("leave_voicemail", "end_call", "identify"):
            route: Route = ("answerer", "when", verdict)
            source.complain(findings, route, f"found '{then}'", "leave_voicemail, end_call, identify")


