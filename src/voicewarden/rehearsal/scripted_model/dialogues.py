"""The dialogues of all agents, and which of them a request is for.

In comes the folder of agents, then a request's model name and system prompts; out goes one `Dialogue`. `server` calls
it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicewarden.model.error import ConfigError
from voicewarden.rehearsal.scripted_model.dialogue import Dialogue
from voicewarden.rehearsal.scripted_model.loading import load_dialogue
from voicewarden.rehearsal.scripted_model.pace import Fault

MODEL_PREFIX = "scripted"
ROGUE = "rogue"
_NAMED_IN_PROMPT = re.compile(r"\byou are the ([a-z][a-z0-9_]*) agent\b", re.IGNORECASE)


@dataclass(frozen=True)
class ModelName:
    """A model name taken apart: `scripted[/agent or rogue][+fault][@turn]`."""

    agent: str = ""
    is_rogue: bool = False
    fault: Fault | None = None
    fault_turn: int = 0
    """The caller's turn that the fault is for; 0 means every one."""


class UnknownModel(ValueError):
    """The request names no model or agent that is there; the text lists those that are."""


class DialogueLibrary:
    """All dialogue files under one folder, checked when it is made."""

    def __init__(self, agents_dir: Path) -> None:
        self._good = _load_all(agents_dir, "dialogue.yaml")
        self._rogue = _load_all(agents_dir, "rogue.yaml")
        if not self._good:
            raise ConfigError("holds no */dialogue.yaml; name the folder of the agents", file=str(agents_dir))

    @property
    def model_names(self) -> list[str]:
        """List the names that a request can give, without the faults that may follow them."""
        rogues = [f"{MODEL_PREFIX}/{ROGUE}"] if self._rogue else []
        return [MODEL_PREFIX, *(f"{MODEL_PREFIX}/{agent}" for agent in self._good), *rogues]

    def find(self, name: ModelName, system: Sequence[str]) -> Dialogue:
        """Choose by the newest system prompt that names an agent (all that a hand-over changes), else by the model."""
        agent = next(filter(None, map(self._agent_in, reversed(system))), name.agent)
        dialogues = self._rogue if name.is_rogue else self._good
        if agent not in dialogues:
            raise UnknownModel(
                f"no {'rogue ' if name.is_rogue else ''}dialogue for agent {agent or '(none named)'!r}: let the prompt "
                f"begin with 'You are the NAME agent', or ask for one of {', '.join(self.model_names)}"
            )
        return dialogues[agent]

    def _agent_in(self, prompt: str) -> str:
        names = (match.group(1).lower() for match in _NAMED_IN_PROMPT.finditer(prompt))
        return next((name for name in names if name in self._good), "")


def parse_model_name(text: str) -> ModelName:
    """Take a model's name apart; raises `UnknownModel` if a fault is none."""
    plain, _, wish = text.partition("+")
    agent = plain.partition("/")[2]
    fault_name, _, turn = wish.partition("@")
    if (wish and fault_name not in set(Fault)) or (turn and not turn.isdecimal()):
        raise UnknownModel(
            f"{wish!r} is no fault: accepted are {', '.join(Fault)}, each with @TURN behind it if wanted"
        )
    return ModelName(
        agent="" if agent == ROGUE else agent,
        is_rogue=agent == ROGUE,
        fault=Fault(fault_name) if wish else None,
        fault_turn=int(turn or 0),
    )


def _load_all(agents_dir: Path, name: str) -> dict[str, Dialogue]:
    found: dict[str, Dialogue] = {}
    for path in sorted(agents_dir.glob(f"*/{name}")):
        dialogue = load_dialogue(path)
        if dialogue.agent != path.parent.name:
            raise ConfigError(
                f"names another agent than its folder {path.parent.name!r}", file=str(path), field="agent"
            )
        if dialogue.rogue != (name == "rogue.yaml"):
            raise ConfigError("only rogue.yaml is a rogue, and it has to say so", file=str(path), field="rogue")
        found[dialogue.agent] = dialogue
    return found
