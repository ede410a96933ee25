"""An agent's file: `agents/<name>/agent.yaml` and its prompt come in, a `kernel.release.Agent` goes out.

Called by `release`. Each tool asks for exactly one action; a tool without a known one is refused here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.policy_blocks import FileName, LineName, Name, Owner
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.kernel.release import Agent, Tool
from voicewarden.model.action import BUILT_IN_ACTIONS, Stage
from voicewarden.model.error import ConfigError

_NOT_FOR_TOOLS: Final = frozenset({"place_call", "speak", "ask"})
_LONGEST_PROMPT: Final = 65_536

Text = Annotated[str, Field(min_length=1, max_length=400)]


class ToolEntry(Document):
    """A tool that the model sees."""

    name: Annotated[str, Field(max_length=64, pattern=r"^[a-zA-Z][a-zA-Z0-9_-]*$")]
    action: Name
    about: Text


class AgentDocument(Document):
    """An agent role."""

    agent: Name
    owner: Owner
    about: Text
    stage: Stage = "observe"
    opening: LineName
    prompt: FileName = "prompt.md"
    tools: list[ToolEntry]
    desk: Annotated[str, Field(min_length=1, max_length=60)]
    callback: Annotated[str, Field(min_length=1, max_length=60)]


class AgentFile:
    """One agent's document, where it stands, and what it becomes."""

    def __init__(self, document: AgentDocument, source: YamlFile, prompt: str) -> None:
        self.document = document
        self.source = source
        self.prompt = prompt

    def agent(self) -> Agent:
        """The agent as a release holds it."""
        document = self.document
        tools = tuple(Tool(name=tool.name, action=tool.action, about=tool.about) for tool in document.tools)
        return Agent(
            name=document.agent, stage=document.stage, prompt=self.prompt, opening=document.opening, tools=tools,
            desk=document.desk, callback=document.callback,
        )  # fmt: skip


def load_agents(agents_dir: Path, declared: Iterable[str]) -> list[AgentFile]:
    """Read every agent; `declared` are the actions of the policy. Raises ConfigError with everything that is wrong."""
    paths = sorted(agents_dir.glob("*/agent.yaml"))
    if not paths:
        raise ConfigError("there is no agent here; create one folder an agent", file=str(agents_dir / "*/agent.yaml"))
    findings = Findings()
    files: list[AgentFile] = []
    for path in paths:
        try:
            files.append(_load_agent(path, frozenset(declared)))
        except ConfigError as error:
            findings.take(error)
    findings.raise_if_any()
    return files


def _load_agent(path: Path, declared: frozenset[str]) -> AgentFile:
    source = read_yaml(path)
    document = validate(AgentDocument, source)
    findings = Findings()
    if document.agent != path.parent.name:
        what = f"found '{document.agent}', which is not the folder's name"
        source.complain(findings, ("agent",), what, path.parent.name)
    known = sorted((BUILT_IN_ACTIONS | declared) - _NOT_FOR_TOOLS)
    seen: set[str] = set()
    for index, tool in enumerate(document.tools):
        if tool.action not in known:
            what = f"found '{tool.action}': the tool {tool.name} asks for no action that exists"
            source.complain(findings, ("tools", index, "action"), what, ", ".join(known))
        if tool.name in seen:
            source.complain(findings, ("tools", index, "name"), f"found '{tool.name}', which is given twice")
        seen.add(tool.name)
    prompt = _prompt(path.parent / document.prompt, source, findings)
    findings.raise_if_any()
    return AgentFile(document, source, prompt)


def _prompt(path: Path, source: YamlFile, findings: Findings) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        source.complain(findings, ("prompt",), f"the file {path.name} does not exist beside this one; create it")
        return ""
    except (OSError, UnicodeDecodeError):
        source.complain(findings, ("prompt",), f"the file {path.name} can't be read", "a UTF-8 text")
        return ""
    if not text.strip() or len(text) > _LONGEST_PROMPT:
        accepted = f"1 to {_LONGEST_PROMPT} characters"
        source.complain(findings, ("prompt",), f"the file {path.name} is empty or too long", accepted)
    return text
