"""A conversation, read afresh from the messages of one request: the scripted model remembers nothing itself.

In come chat messages as the protocol has them, out goes a `History`. `server` reads it and `choosing` asks it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from voicewarden.rehearsal.scripted_model.phrase import fold

OUTCOME_MARK = "[outcome] "
NOT_RUN = "not_run"
TOOL_ACTIONS: Mapping[str, str] = {
    "book_appointment": "book",
    "transfer_call": "transfer",
    "send_text": "send_message",
    "schedule_callback": "schedule_callback",
    "commit_offer": "advance_commitment",
    "look_up": "look_up",
    "hand_over": "hand_over",
    "end_call": "end_call",
}
"""The actions behind the tools: a result names the tool, an outcome names the action."""


def action_of(name: str) -> str:
    """Name the action behind a tool; an action's own name and an unknown name stay as they are."""
    return TOOL_ACTIONS.get(name, name)


@dataclass(frozen=True)
class ToolReport:
    """What became of a tool call."""

    action: str
    status: str
    reasons: str = ""
    """All reasons, folded, whatever their shape."""
    offer: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """Placeholders that it fills: `result.<key>`, and `say` for words that may be said as they are."""


@dataclass
class History:
    """Who said and did what so far."""

    system: list[str] = field(default_factory=list)
    caller_turns: list[str] = field(default_factory=list)
    """Folded; messages that nothing of the agent stands between are one turn."""
    agent_turns: list[str] = field(default_factory=list)
    """Folded; what the agent said between two turns of the caller is one turn."""
    called: list[str] = field(default_factory=list)
    """Actions of the tools called."""
    reports: list[ToolReport] = field(default_factory=list)
    is_after_tool: bool = False
    """The newest thing that happened is a tool's report, not a turn of the caller."""

    def is_done(self, name: str) -> bool:
        """Tell whether a tool or action ended with `done`."""
        return any(report.status == "done" and report.action == action_of(name) for report in self.reports)

    @property
    def agent_newest(self) -> str:
        """The agent's newest words."""
        return self.agent_turns[-1] if self.agent_turns else ""

    @property
    def caller_newest(self) -> str:
        """The caller's newest turn."""
        return self.caller_turns[-1] if self.caller_turns else ""


def read_history(messages: Sequence[Mapping[str, JsonValue]]) -> History:
    """Fold the messages, oldest first."""
    history = History()
    tool_names: dict[str, str] = {}
    caller_speaks = agent_speaks = False
    for message in messages:
        role, text = str(message.get("role", "")), _text(message.get("content"))
        if role == "tool" or (role in ("user", "developer", "system") and text.startswith(OUTCOME_MARK)):
            tool = tool_names.get(str(message.get("tool_call_id")), "")
            report = _report(text.removeprefix(OUTCOME_MARK), tool)
            # The pipeline writes this behind a call that has no answer, because servers want one.
            if report.status != NOT_RUN:
                history.reports.append(report)
                history.is_after_tool = True
            caller_speaks = False
        elif role in ("system", "developer"):
            history.system.append(text)
        elif role == "user":
            _add(history.caller_turns, fold(text), join=caller_speaks)
            history.is_after_tool = False
            caller_speaks, agent_speaks = True, False
        elif role == "assistant":
            tool_names |= _add_calls(history, message.get("tool_calls"))
            caller_speaks = False
            if text.strip():
                _add(history.agent_turns, fold(text), join=agent_speaks)
                agent_speaks = True
    return history


def _add(turns: list[str], text: str, *, join: bool) -> None:
    if join and turns:
        turns[-1] = f"{turns[-1]} {text}".strip()
    else:
        turns.append(text)


def _add_calls(history: History, calls: JsonValue) -> dict[str, str]:
    names: dict[str, str] = {}
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(call, dict) and isinstance(function, dict):
            name = str(function.get("name", ""))
            names[str(call.get("id"))] = name
            history.called.append(action_of(name))
    return names


def _report(text: str, tool: str) -> ToolReport:
    body = _json_object(text)
    # pipecat writes a bare word (IN_PROGRESS, CANCELLED) while there is no result.
    status = body.get("status", "unknown") if body else text.strip().lower()
    result = body.get("result")
    values = {f"result.{key}": _plain(value) for key, value in result.items()} if isinstance(result, dict) else {}
    if hint := str(body.get("say") or values.get("result.say", "")).strip():
        values["say"] = hint
    return ToolReport(
        action=action_of(tool or str(body.get("action", ""))),
        status=str(status),
        reasons=fold(json.dumps(body.get("reasons", ""), ensure_ascii=False)),
        offer=str(body.get("offer") or ""),
        values=values,
    )


def _json_object(text: str) -> dict[str, JsonValue]:
    found: JsonValue = text
    # A result that was a string already is encoded twice on its way through pipecat.
    for _ in range(2):
        if isinstance(found, str):
            try:
                found = json.loads(found)
            except ValueError:
                return {}
    return found if isinstance(found, dict) else {}


def _plain(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def _text(content: JsonValue) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
