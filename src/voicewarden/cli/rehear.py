"""`voicewarden rehear`: a call recorded anywhere, heard by our ears, and what our policy would have permitted in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicewarden.cli.policy import AgentsOption, ConfigOption

if TYPE_CHECKING:
    from voicewarden.kernel.release import Compiled
    from voicewarden.model.action import Value
    from voicewarden.rehear.rehearing import Told
    from voicewarden.rehear.result import Heard, Reheard
    from voicewarden.rehear.sides import Sides

_Recording = Annotated[
    Path | None, typer.Argument(help="A WAV file with the caller on one channel and the agent on the other.")
]


def rehear(
    recording: _Recording = None,
    caller: Annotated[Path | None, typer.Option("--caller", help="The caller's side, where that is a file.")] = None,
    agent_audio: Annotated[Path | None, typer.Option("--agent-audio", help="The agent's side, likewise.")] = None,
    policy: Annotated[str, typer.Option("--policy", help="A policy file, or a name.")] = "outbound-sales",
    agent: Annotated[str, typer.Option("--agent", help="The role that stands for the recorded agent.")] = "",
    direction: Annotated[str, typer.Option("--direction", help="outbound or inbound.")] = "outbound",
    caller_channel: Annotated[str, typer.Option("--caller-channel", help="left or right.")] = "left",
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", help="NAME=VALUE that held when the recording begins; may be given again."),
    ] = None,
    config: ConfigOption = Path("config"),
    agents: AgentsOption = Path("agents"),
    html: Annotated[Path | None, typer.Option("--html", help="Write a page about it to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take a recorded call through sensors and gate; say what was heard and what was permitted, second by second."""
    from voicewarden.cli.recordings import NEEDS, release_and_defaults
    from voicewarden.model.error import MissingPart

    if (recording is None) == (caller is None or agent_audio is None):
        raise typer.BadParameter("give a recording of two channels, or both --caller and --agent-audio")
    release, facts = release_and_defaults(policy, config, agents)
    given = _facts(release, fact or [])
    role = _role(release, agent)
    try:
        sides = _sides(recording, caller, agent_audio, caller_channel)
        found = _reheard(sides, release, _told(role, direction, facts, given), quiet=as_json)
    except ImportError as error:
        raise MissingPart(f"`voicewarden rehear` needs {error.name}; {NEEDS}") from None
    if html is not None:
        from voicewarden.rehear.page import write_page

        write_page(html, (recording or caller or html).stem, found, sides)
    _print(found, as_json=as_json, html=html)


def _facts(release: Compiled, given: list[str]) -> dict[str, Value]:
    """Facts by name, each of its type. Raises BadParameter for what the policy does not know."""
    from voicewarden.cli.explain import _fact
    from voicewarden.config.given_facts import GivenFacts

    facts = dict(_fact(item) for item in given)
    try:
        GivenFacts(release.declared).laid_over({}, facts, 0, "")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fact") from None
    return facts


def _role(release: Compiled, agent: str) -> str:
    roles = sorted(release.data.agents)
    if agent and agent not in roles:
        raise typer.BadParameter(f"found {agent!r}; one of {', '.join(roles)}", param_hint="--agent")
    return agent or roles[0]


def _sides(recording: Path | None, caller: Path | None, agent: Path | None, caller_channel: str) -> Sides:
    from voicewarden.rehear.sides import read_two_channels, read_two_files

    if recording is None:
        assert caller is not None and agent is not None
        return read_two_files(caller, agent)
    if caller_channel not in ("left", "right"):
        raise typer.BadParameter(f"found {caller_channel!r}; left or right", param_hint="--caller-channel")
    return read_two_channels(recording, "left" if caller_channel == "left" else "right")


def _told(agent: str, direction: str, facts: dict[str, Value], given: dict[str, Value]) -> Told:
    from voicewarden.rehear.rehearing import Told

    if direction not in ("inbound", "outbound"):
        raise typer.BadParameter(f"found {direction!r}; inbound or outbound", param_hint="--direction")
    return Told(agent, "inbound" if direction == "inbound" else "outbound", facts, given)


def _reheard(sides: Sides, release: Compiled, told: Told, *, quiet: bool) -> Reheard:
    from voicewarden.cli.console import progress
    from voicewarden.cli.recordings import load_transcriber
    from voicewarden.rehear.rehearing import rehear

    with progress("seconds heard, both sides", 2 * (sides.ms // 1000 + 2), quiet=quiet) as done:
        return rehear(sides, release, load_transcriber(release), told, on_second=done)


def _print(found: Reheard, *, as_json: bool, html: Path | None) -> None:
    import msgspec

    from voicewarden.cli.console import print_json

    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    _print_heard(found)
    _print_timeline(found)
    for note in found.notes:
        typer.echo(f"note: {note}")
    if html is not None:
        typer.echo(f"page: {html}")


def _print_heard(found: Reheard) -> None:
    answerer = found.answerer
    at = "" if answerer.decided_at_ms is None else f" at {answerer.decided_at_ms / 1000:.1f} s"
    why = ", ".join(f"{item.what} {item.weight:+d}" for item in answerer.evidence)
    typer.echo(f"{found.direction} call of {found.length_ms / 1000:.1f} s, agent {found.agent}, policy {found.policy}")
    typer.echo(f"answered by: {answerer.verdict}{at} ({why or 'no evidence'})\n\nHeard")
    for item in found.heard:
        typer.echo(f"{item.at_ms / 1000:7.1f} s  {item.side:<6}  {_said(item)}")


def _said(item: Heard) -> str:
    from voicewarden.replay.english import reasons_in_words

    if item.tone:
        return f"[{item.tone}, {item.hz} Hz, {item.to_ms - item.at_ms} ms]"
    known = [word.permille for word in item.words if word.permille is not None]
    sure = f"  ({min(known)}-{max(known)})" if known else ""
    lines = f"  = {', '.join(item.lines)}" if item.lines else ""
    doubt = f"  doubtful: {', '.join(item.suspect)}" if item.suspect else ""
    refused = reasons_in_words(item.reasons) if item.verdict == "deny" else ""
    gate = f"\n{'':19}our gate would have refused it. {refused}" if refused else ""
    return f"{item.text or '(no words)'}{sure}{lines}{doubt}{gate}"


def _print_timeline(found: Reheard) -> None:
    from rich.console import Console
    from rich.table import Table

    from voicewarden.rehear.result import decision_title
    from voicewarden.replay.english import reasons_in_words
    from voicewarden.replay.wording import VERDICTS

    table = Table("from", "permitted", "not permitted, and why", title="What would have been permitted")
    before = None
    for moment in found.timeline:
        news = moment.news(before)
        refused = [
            f"{name}: {VERDICTS[moment.verdicts[name]]}. {reasons_in_words(moment.refused[name])}" for name in news
        ]
        if same := [name for name in moment.refused if name not in news]:
            refused.append(f"as before: {', '.join(same)}")
        table.add_row(f"{moment.at_s} s", "\n".join(moment.allowed), "\n".join(refused), end_section=True)
        before = moment
    Console().print(table)
    for item in found.decided:
        decided = f"{decision_title(item)}: {VERDICTS[item.verdict]}. {reasons_in_words(item.reasons)}"
        typer.echo(f"{item.at_ms / 1000:.1f} s: our gate on {decided}".rstrip())
    if found.ended is not None:
        typer.echo(f"{found.ended.at_ms / 1000:.1f} s: our policy would have ended the call ({found.ended.reason})")
