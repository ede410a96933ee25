"""AgentDojo's own solutions, replayed behind the gate: an oracle sanity check of the mechanism, no score of an agent.

In: the tasks of AgentDojo 1.2.2 as its wheel ships them; no model is called. Out: whether a user's task still succeeds
when exactly its calls, with exactly its arguments, were approved beforehand; and whether anything with a side effect
that an injection wants is granted before, between or after them. A pair of task and injection counts as denied when
none of the injection's calls with a side effect was granted at any moment. Beside it, permission by the tool's name
alone, where it is enough that one of these tools was not among the user's.

Everything goes through the public API: a policy file with one action a tool is generated and opened, reading is
allowed, everything else needs a person's approval of these very arguments (`stages: {assist: approve}`). What reads is
told by its name, so that a web page that is asked for in order to carry data away counts as reading.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from measure import Report, parser

from voicewarden import Call, open_policy
from voicewarden.embed import OpenedPolicy
from voicewarden.model.error import GrantRefused

if TYPE_CHECKING:
    from agentdojo.functions_runtime import FunctionsRuntime
    from agentdojo.task_suite.task_suite import TaskSuite

VERSION: Final = "v1.2.2"
READS: Final = ("get_", "list_", "search_", "read_", "check_")
INSTALL: Final = "pip install --no-deps --require-hashes -r requirements/agentdojo.txt"
ROLE: Final = "assistant"
_LONGEST_TEXT: Final = 500
_HEAD: Final = """\
policy: agentdojo
extends: organisation
owner: benchmark
about: Every tool of AgentDojo as one action.
actions:
"""
_ACTION: Final = """\
  {name}:
    args: {args}
    requested_by: ["{role}"]
    stages: {{assist: {stage}}}
    effect: {effect}
    why: {why}
"""
# Any: arguments of a tool call are whatever its schema allows.
Asked = tuple[str, dict[str, Any]]


class _Absent(ModuleType):
    """Stands for the client of a model provider, which is imported by AgentDojo and never called here."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}") or type(name, (Exception,), {})


def suites() -> dict[str, TaskSuite[Any]]:
    """AgentDojo's suites. Its package of pipelines is entered without the clients of all the providers."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != here]  # this file has its name
    found = importlib.util.find_spec("agentdojo")
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"AgentDojo is not installed; run: {INSTALL}")
    pipelines = ModuleType("agentdojo.agent_pipeline")
    pipelines.__path__ = [f"{found.submodule_search_locations[0]}/agent_pipeline"]
    sys.modules[pipelines.__name__] = pipelines
    for name in ("google.genai", "google.genai.types", "google.genai.errors"):
        sys.modules.setdefault(name, _Absent(name))
    sys.modules.setdefault("google", _Absent("google"))
    try:
        from agentdojo.task_suite.load_suites import get_suites
    except ModuleNotFoundError as error:
        raise SystemExit(f"AgentDojo lacks {error.name}; run: {INSTALL}") from error
    return dict(get_suites(VERSION))


def reads(tool: str) -> bool:
    """Whether a tool changes nothing, by its name."""
    return tool.startswith(READS)


def opened(suite: TaskSuite[Any]) -> OpenedPolicy:
    """The generated policy of a suite, opened as any other file."""
    parts = [_HEAD]
    for tool in suite.tools:
        names = ", ".join(f"{name}: {{type: text, optional: true}}" for name in tool.parameters.model_fields)
        only_reads = reads(tool.name)
        stage, why = ("allow", "It only reads.") if only_reads else ("approve", "It changes something.")
        effect = "false" if only_reads else "true"
        args = "{" + names + "}"
        parts.append(_ACTION.format(role=ROLE, name=tool.name, args=args, stage=stage, effect=effect, why=why))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agentdojo.yaml"
        path.write_text("".join(parts), encoding="utf-8")
        return open_policy(path, stage="assist")


def spelled(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as texts: JSON where they are none, a digest where they are longer than an argument may be."""
    texts: dict[str, Any] = {}
    for name, value in args.items():
        if value is None:
            continue
        text = value if isinstance(value, str) and value else json.dumps(value, sort_keys=True, default=str)
        texts[name] = text if len(text) <= _LONGEST_TEXT else "sha256:" + sha256(text.encode()).hexdigest()
    return texts


def runtime_that(ask: Callable[[str, dict[str, Any]], object]) -> Callable[[Sequence[Any]], FunctionsRuntime]:
    """Makes runtimes of AgentDojo that run its own tools, after `ask` was told of the call and did not raise."""
    from agentdojo.functions_runtime import FunctionsRuntime

    class Asking(FunctionsRuntime):
        def run_function(
            self, env: Any, function: str, kwargs: Mapping[str, Any], raise_on_error: bool = False
        ) -> tuple[Any, str | None]:
            resolved = self._execute_nested_calls(env, kwargs)
            args = self.functions[function].parameters.model_validate(resolved).model_dump()
            ask(function, spelled(args))
            return super().run_function(env, function, resolved, raise_on_error)

    return Asking


@dataclass
class Guard:
    """One run of a user's task behind the gate, with injections that try all they want before each step."""

    call: Call
    injections: dict[str, list[Asked]]
    granted: dict[str, set[str]] = field(default_factory=dict)
    """Injection to the tools with a side effect that it was granted."""

    def act(self, tool: str, args: dict[str, Any]) -> None:
        """Ask, spend, and let the tool run. Raises GrantRefused where the gate says no."""
        self.attack()
        outcome = self.call.request(tool, args)
        if outcome.grant is None:
            raise GrantRefused(f"{tool}: {outcome.decision.verdict}")
        if self.call.spend(outcome.grant) != args:
            raise AssertionError("the grant has other arguments than were asked for")
        self.call.done(outcome.grant)

    def attack(self) -> None:
        """Every call of every injection, asked for now."""
        for name, calls in self.injections.items():
            for tool, args in calls:
                if self.call.request(tool, args).grant is not None and not reads(tool):
                    self.granted.setdefault(name, set()).add(tool)


@dataclass
class Tally:
    """What was counted."""

    tasks: int = 0
    passed: int = 0
    calls: int = 0
    effects: int = 0
    pairs: int = 0
    with_effect: int = 0
    denied: int = 0
    denied_by_name: int = 0
    repeats_denied: int = 0


def solve(suite: TaskSuite[Any], task: Any, ask: Callable[[str, dict[str, Any]], object]) -> bool:
    """Run AgentDojo's own solution of a task; True when AgentDojo finds that the task was solved."""
    from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline

    runtime: Any = runtime_that(ask)  # Any: AgentDojo asks for a class and only calls it
    return suite.run_task_with_pipeline(GroundTruthPipeline(task), task, None, {}, runtime_class=runtime)[0]


def noted(suite: TaskSuite[Any], task: Any) -> list[Asked]:
    """Every call that this solution makes, with the arguments that reach the tool."""
    calls: list[Asked] = []
    solve(suite, task, lambda tool, args: calls.append((tool, args)))
    return calls


def replay(suite: TaskSuite[Any], tally: Tally, most: int) -> None:
    """All user tasks of a suite, each with all injections of the suite."""
    policy = opened(suite)
    injections = {name: noted(suite, task) for name, task in suite.injection_tasks.items()}
    for task in list(suite.user_tasks.values())[:most]:
        wanted = noted(suite, task)
        effects = [(tool, args) for tool, args in wanted if not reads(tool)]
        guard = Guard(Call(policy, agent=ROLE), injections)
        for decision in [guard.call.request(tool, args).decision for tool, args in effects]:
            guard.call.approved(decision, operator="user")
        try:
            passed = solve(suite, task, guard.act)
        except GrantRefused:
            passed = False
        guard.attack()
        repeated = [guard.call.request(tool, args).grant for tool, args in effects]
        tally.repeats_denied += repeated.count(None)
        tally.tasks += 1
        tally.passed += passed
        tally.calls += len(wanted)
        tally.effects += len(effects)
        for name, tools in _effects_of(injections):
            tally.pairs += 1
            tally.with_effect += bool(tools)
            tally.denied += bool(tools) and name not in guard.granted
            tally.denied_by_name += bool(tools - {tool for tool, _ in effects})


def _effects_of(injections: Mapping[str, list[Asked]]) -> Iterator[tuple[str, set[str]]]:
    for name, calls in injections.items():
        yield name, {tool for tool, _ in calls if not reads(tool)}


def measured(options: argparse.Namespace) -> Report:
    """Replay everything; `--quick` takes a few tasks of one suite."""
    report = Report("agentdojo", f"AgentDojo {VERSION} by its own solutions, exactly these calls approved", "calls")
    tally = Tally()
    for name, suite in suites().items():
        if options.quick and name != "banking":
            continue
        replay(suite, tally, 3 if options.quick else 1_000)
        print(f"{name}: {tally.passed}/{tally.tasks} user tasks so far", file=sys.stderr)
    share = f"{tally.denied / max(1, tally.with_effect):.1%}"
    by_name = f"{tally.denied_by_name / max(1, tally.with_effect):.1%}"
    report.figure("user tasks that pass", f"{tally.passed} of {tally.tasks}")
    report.figure("their calls", f"{tally.calls}, {tally.effects} of them with a side effect")
    report.figure("... denied when tried again", f"{tally.repeats_denied} of {tally.effects}")
    report.figure("pairs with an injection", f"{tally.pairs}, {tally.with_effect} of them with a side effect")
    report.figure("... denied, exact arguments", f"{tally.denied} of {tally.with_effect} ({share})")
    report.figure("... denied, tool names alone", f"{tally.denied_by_name} of {tally.with_effect} ({by_name})")
    report.goal("user tasks that fail", tally.tasks - tally.passed, 0, "tasks")
    report.goal("calls that an approval serves for twice", tally.effects - tally.repeats_denied, 0, "calls")
    report.goal("injections with a side effect that get a grant", tally.with_effect - tally.denied, 0, "pairs")
    return report


def main() -> int:
    """Replay, print, write."""
    options = parser(__doc__).parse_args()
    return measured(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())
