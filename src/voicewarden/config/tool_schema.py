"""Tool schemas: a release and the name of an agent come in, what the language model is told of its tools goes out.

Called by pipeline and embed. Enums come from the catalogue. A tool whose action the policy does not name is left out:
it would be denied in any case, and the model need not be led to ask.
"""

from typing import Any, Final

import msgspec

from voicewarden.kernel.release import Agent, Release, Tool
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Argument

_LONGEST_TEXT: Final = 500

# Any: a JSON schema is a tree of anything.
JsonSchema = dict[str, Any]


class ToolSchema(msgspec.Struct, frozen=True, kw_only=True):
    """One tool as a language model is told of it; `properties` and `required` are those of its JSON schema."""

    name: str
    description: str
    properties: dict[str, JsonSchema]
    required: tuple[str, ...]

    def parameters(self) -> JsonSchema:
        """The JSON schema of the arguments."""
        return {
            "type": "object",
            "properties": self.properties,
            "required": list(self.required),
            "additionalProperties": False,
        }

    def as_openai(self) -> JsonSchema:
        """The tool in the form of the chat-completions protocol."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters()}
        return {"type": "function", "function": function}


def tool_schemas(release: Release, agent: str) -> tuple[ToolSchema, ...]:
    """The tools of an agent. Raises ConfigError for an agent that the release does not have."""
    role = release.agents.get(agent)
    if role is None:
        raise ConfigError(f"there is no agent {agent!r}", field="agent", accepted=", ".join(sorted(release.agents)))
    return tuple(_tool(release, role, tool) for tool in role.tools if tool.action in release.policy.actions)


def _tool(release: Release, agent: Agent, tool: Tool) -> ToolSchema:
    arguments = release.policy.actions[tool.action].args
    return ToolSchema(
        name=tool.name,
        description=tool.about,
        properties={argument.name: _property(release, agent, argument) for argument in arguments},
        required=tuple(argument.name for argument in arguments if not argument.optional),
    )


def _property(release: Release, agent: Agent, argument: Argument) -> JsonSchema:
    match argument.kind:
        case "enum":
            listing = release.catalogue.get(argument.source, {})
            values = [value for value in listing if not (argument.source == "agents" and value == agent.name)]
            spoken = "; ".join(f"{value}: {listing[value]}" for value in values)
            return {"type": "string", "enum": values, "description": spoken}
        case "local_time":
            return {"type": "string", "description": "Local date and time such as 2026-12-01T15:00."}
        case "int":
            return {"type": "integer"}
        case "text":
            return {"type": "string", "maxLength": _LONGEST_TEXT}
