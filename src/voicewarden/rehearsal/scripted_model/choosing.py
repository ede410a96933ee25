"""Which answer the script gives: the first rule whose conditions all hold.

In come a `Dialogue`, a `History` and the advertised tools, out goes a `Reply`; the same three give the same answer
every time. `server` calls it for each request.
"""

import json
from collections.abc import Callable, Mapping, Sequence, Set

from pydantic import JsonValue

from voicewarden.rehearsal.scripted_model.dialogue import AfterTool, Answer, Call, Dialogue, Rule, When
from voicewarden.rehearsal.scripted_model.history import History, ToolReport, action_of
from voicewarden.rehearsal.scripted_model.phrase import filled, first_match, mentioned_last, script_pattern
from voicewarden.rehearsal.scripted_model.reply import Reply, ToolCall, rambling

Values = dict[str, str]
"""What the placeholders of a rule are filled with."""


def choose(dialogue: Dialogue, history: History, tools: Set[str]) -> Reply:
    """Answer the newest caller turn or tool report."""
    for rule in dialogue.rules:
        values = _match(rule, dialogue, history)
        if values is not None and (reply := _reply(rule.id, rule, values, dialogue, tools)) is not None:
            return reply
    last_resort = dialogue.otherwise.tool if history.is_after_tool else dialogue.otherwise.caller
    values = dict(history.reports[-1].values) if history.is_after_tool else {}
    reply = _reply("otherwise", last_resort, values, dialogue, tools)
    return reply or Reply(rule=f"{dialogue.agent}/otherwise")


def _match(rule: Rule, dialogue: Dialogue, history: History) -> Values | None:
    when = rule.when
    if (when.after_tool is not None) != history.is_after_tool:
        return None
    if when.after_tool is not None and not _fits(when.after_tool, history.reports[-1]):
        return None
    if not (_said_holds(when, dialogue, history) and _done_holds(when, history) and _turn_holds(when, history)):
        return None
    return _heard(when, dialogue, history)


def _fits(wanted: AfterTool, report: ToolReport) -> bool:
    return (
        (not wanted.name or report.action in {action_of(name) for name in wanted.name})
        and (not wanted.status or report.status in wanted.status)
        and (not wanted.reason or first_match(wanted.reason, report.reasons) is not None)
        and (not wanted.offer or report.offer in wanted.offer)
    )


def _heard(when: When, dialogue: Dialogue, history: History) -> Values | None:
    """Check the caller's words; what they fill comes back, None if they do not fit."""
    newest = history.caller_newest
    values: Values = dict(history.reports[-1].values) if history.is_after_tool else {}
    if when.heard:
        match = first_match(dialogue.expand(when.heard), newest)
        if match is None:
            return None
        values |= {name: text for name, text in match.groupdict().items() if text is not None}
    if when.not_heard and first_match(dialogue.expand(when.not_heard), newest) is not None:
        return None
    for names, turns in ((when.choice, [newest]), (when.known, history.caller_turns[::-1])):
        for name in names:
            chosen = next(filter(None, (mentioned_last(dialogue.choices[name], turn) for turn in turns)), None)
            if chosen is None:
                return None
            values[name] = chosen
    return values


def _said_holds(when: When, dialogue: Dialogue, history: History) -> bool:
    answers = {rule.id: rule.say for rule in dialogue.rules if rule.say}

    def was_said(rule: str, turns: list[str]) -> bool:
        # The context holds what was heard: an answer that was cut off was not said, and may be given again.
        return rule in answers and any(script_pattern(" ".join(answers[rule])).search(turn) for turn in turns)

    newest = [history.agent_newest]
    return (
        (not when.asked or first_match(dialogue.expand(when.asked), history.agent_newest) is not None)
        and (not when.last_said or any(was_said(rule, newest) for rule in when.last_said))
        and (not when.said or any(was_said(rule, history.agent_turns) for rule in when.said))
        and not any(was_said(rule, history.agent_turns) for rule in when.not_said)
    )


def _done_holds(when: When, history: History) -> bool:
    def was_called(name: str) -> bool:
        return action_of(name) in history.called

    return _any_and_none(when.called, when.not_called, was_called) and _any_and_none(
        when.done, when.not_done, history.is_done
    )


def _any_and_none(wanted: Sequence[str], unwanted: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return (not wanted or any(map(holds, wanted))) and not any(map(holds, unwanted))


def _turn_holds(when: When, history: History) -> bool:
    return when.turn is None or when.turn.at_least <= len(history.caller_turns) <= when.turn.at_most


def _reply(rule: str, answer: Answer, values: Values, dialogue: Dialogue, tools: Set[str]) -> Reply | None:
    """Fill the answer; None if a placeholder stays empty or the tool is not to be had."""
    sentences = [filled(sentence, values) for sentence in answer.say]
    calls = [_tool_call(call, values) for call in answer.call]
    if None in sentences or None in calls:
        return None
    if not dialogue.rogue and not {call.tool for call in answer.call} <= tools:
        return None
    spoken = [sentence for sentence in sentences if sentence is not None]
    return Reply(
        rule=f"{dialogue.agent}/{'rogue/' if dialogue.rogue else ''}{rule}",
        text=rambling(spoken, answer.ramble_tokens) if answer.ramble_tokens else " ".join(spoken),
        calls=tuple(call for call in calls if call is not None),
        fault=answer.fault,
        obeys_limits=not dialogue.rogue,
    )


def _tool_call(call: Call, values: Mapping[str, str]) -> ToolCall | None:
    if call.raw_args is not None:
        return ToolCall(call.tool, call.raw_args)
    arguments: dict[str, JsonValue] = {}
    for name, value in call.args.items():
        arguments[name] = filled(value, values) if isinstance(value, str) else value
        if isinstance(value, str) and arguments[name] is None:
            return None
    return ToolCall(call.tool, json.dumps(arguments, ensure_ascii=False))
