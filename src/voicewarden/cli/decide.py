"""`voicewarden decide`: requests as JSON lines on stdin, the gate's decisions as JSON lines on stdout, in order.

Reads as much as there is, answers it, and waits for more, so that a script may keep it running and ask as it goes.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from voicewarden.model.action import Stage


class _Answering(Protocol):
    """What turns one line into one line; the second value says whether it was a request at all."""

    def __call__(self, line: bytes, number: int) -> tuple[bytes, bool]: ...


def decide(
    policy: Annotated[str, typer.Option("--policy", help="A policy file, or the name of one in CONFIG/policies.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration folder; the one around the policy, or ./config.")
    ] = None,
    agents: Annotated[
        Path | None, typer.Option("--agents", help="The agents' folder; else the policy's own roles.")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option("--catalogue", help="A JSON file with the lists of enum arguments.")
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="The stage of roles without a file: bounded.")] = None,
) -> None:
    """Decide requests: one JSON object a line on stdin, one a line on stdout; exit 1 when a line was no request.

    A request: {"action", "args", "facts": {name: value, or {"value", "age_ms"}, or null}, "stage", "role", "agent",
    "minted", "at_ms", "approved"}; only "action" is needed. A fact that is not given is not known, but for those that
    every call begins with (nobody has opted out, nothing is paused, no notice was heard).
    """
    from voicewarden.cli.json_lines import answer_all
    from voicewarden.embed import open_policy

    given = None if stage is None else _stage(stage)
    file, place = (policy, config) if config is not None or agents is not None else _found_here(policy)
    answer = _answering(open_policy(file, config=place, agents=agents, catalogue=_lists(catalogue), stage=given))
    gc.freeze()  # the release lives as long as the process: the collector need not look at it again
    bad = answer_all(answer)
    if bad:
        typer.echo(f"voicewarden: {bad} of the lines were no requests; each has its error on its own line", err=True)
    raise typer.Exit(1 if bad else 0)


def _found_here(policy: str) -> tuple[str, Path | None]:
    """The policy and its configuration where neither was said: ./config, as other commands take it.

    A policy that lies in a configuration has that one, with its agents; one that lies elsewhere takes lists and lines.
    """
    here = Path("config")
    if not policy.endswith((".yaml", ".yml")):
        file = here / "policies" / f"{policy}.yaml"
        return (str(file) if file.is_file() else policy), None
    own = (Path(policy).parent.parent / "lines.yaml").is_file()
    return policy, here if not own and (here / "lines.yaml").is_file() else None


def _lists(path: Path | None) -> dict[str, dict[str, str] | list[str]] | None:
    from json import JSONDecodeError, loads

    from voicewarden.model.error import ConfigError

    if path is None:
        return None
    try:
        lists = loads(path.read_bytes())
    except (OSError, UnicodeDecodeError, JSONDecodeError):
        raise ConfigError("can't be read as JSON", file=str(path), accepted='{"services": ["haircut"]}') from None
    if not isinstance(lists, dict) or not all(isinstance(item, dict | list) for item in lists.values()):
        raise ConfigError("holds no lists", file=str(path), accepted='{"services": ["haircut"]}')
    return lists


def _stage(stage: str) -> Stage:
    from voicewarden.model.action import STAGES

    found = next((item for item in STAGES if item == stage), None)
    if found is None:
        raise typer.BadParameter(f"found {stage!r}; one of {', '.join(STAGES)}", param_hint="--stage")
    return found


def _answering(release: object) -> _Answering:
    """The function that answers one line."""
    import msgspec

    from voicewarden.embed.judge import Judge, Row
    from voicewarden.kernel.release import Compiled
    from voicewarden.policy.reasons import still_to_earn

    assert isinstance(release, Compiled)
    judge = Judge(release).judge
    decoder, encode = msgspec.json.Decoder(Row), msgspec.json.Encoder().encode

    def answer(line: bytes, number: int) -> tuple[bytes, bool]:
        try:
            judged = judge(decoder.decode(line))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return encode({"error": f"line {number}: {error}", "line": number}) + b"\n", False
        decision = judged.decision
        made: dict[str, object] = {
            "verdict": decision.verdict,
            "reasons": [
                {"rule": r.rule, "fact": r.fact, "needed": r.needed, "found": r.found, "verdict": r.verdict}
                for r in decision.reasons
            ],
            "still_to_earn": still_to_earn(decision),
            "digest": decision.digest,
            "policy": decision.policy,
        }
        if decision.would is not None:
            made["would"] = decision.would
        if judged.shadows:
            made["shadows"] = [{"source": item.source, "verdict": item.verdict} for item in judged.shadows]
        return encode(made) + b"\n", True

    return answer
