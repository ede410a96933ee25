"""`voicewarden whatif`: which decisions of recorded calls another policy would have made otherwise, and what of it.

Exit 0 when it could be told (flips are no failure), 1 when a call could not be looked at, 3 when a flip is one that the
proof rules out: then either the proof or the replay is wrong.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicewarden.cli.policy import ConfigOption, config_around
from voicewarden.cli.replay import CallsOption, JsonOption, LedgersArgument, ProcessesOption, ProgressOption

if TYPE_CHECKING:
    from rich.console import Console

    from voicewarden.policy.ast import Policy
    from voicewarden.replay.claims import Claims
    from voicewarden.replay.effect import Count, Effect, Group
    from voicewarden.replay.progress import Done
    from voicewarden.replay.whatif import CallWhatIf

_INTERNAL = 3
_MOST_PROBLEMS = 10


def whatif(
    paths: LedgersArgument,
    policy: Annotated[str, typer.Option("--policy", help="The other policy: a file, or a name in CONFIG/policies.")],
    config: ConfigOption = Path("config"), call: CallsOption = None, as_json: JsonOption = False,
    processes: ProcessesOption = 1, progress: ProgressOption = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many groups of flips to print.")] = 30,
) -> None:  # fmt: skip
    """Ask another policy at every decision of recorded calls: what flips, by which rule, and whom it concerns."""
    from voicewarden.cli.console import print_json
    from voicewarden.cli.console import progress as bar
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.model.canonical import canonical_bytes
    from voicewarden.replay.batch import Job, find_ledgers, list_calls, work_off
    from voicewarden.replay.effect import effect_of
    from voicewarden.replay.pool import pool_of
    from voicewarden.replay.whatif import CallWhatIf

    other = read_policy(policy, config_around(policy, config))
    todo = list_calls(find_ledgers(paths), call or ())
    with bar("asking the other policy", len(todo), quiet=as_json) as one_more:
        job = Job(policy=canonical_bytes(other))
        done = work_off(job, todo, pool_of(processes), CallWhatIf, progress=progress, each=one_more)
    calls = [item.result for item in done]
    effect = effect_of(calls)
    claims, missing = _claims(done, other)
    impossible = claims.contradictions(calls) if claims else ()
    if as_json:
        print_json(_as_data(effect, done, claims, missing))
    else:
        _print(effect, calls, policy, claims, missing, most)
    for item in impossible:
        typer.echo(f"impossible: {item.flip.call} record {item.flip.seq}: {item.claimed}; please report this", err=True)
    raise typer.Exit(_INTERNAL if impossible else 1 if effect.problems else 0)


def _claims(done: "Sequence[Done[CallWhatIf]]", other: "Policy") -> "tuple[Claims | None, str]":
    """What the proof says about each recorded policy and this one; None where no solver is installed."""
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import MissingPart
    from voicewarden.replay.claims import Claims
    from voicewarden.replay.exact import Releases

    found: dict[str, Policy] = {}
    for item in done:
        if item.result.policy and item.result.flips and item.result.policy not in found:
            with Ledger.read(Path(item.ledger)) as view:
                found[item.result.policy] = Releases(view.get_blob).get(item.result.release).data.policy
    try:
        return Claims(found, other), ""
    except MissingPart as part:
        return None, str(part)


def _as_data(
    effect: "Effect", done: "Sequence[Done[CallWhatIf]]", claims: "Claims | None", missing: str
) -> dict[str, object]:
    from voicewarden.replay.effect import as_data

    data = as_data(effect)
    data["proof"] = missing or "asked"
    whose = [(item, flip) for item in done for flip in item.result.flips]
    for told, (item, flip) in zip(data["flips"], whose, strict=True):
        told["ledger"] = item.ledger
        if claims is not None:
            told["possible"] = claims.claim(flip, item.result.policy)
    return data


def _print(
    effect: "Effect", calls: "Sequence[CallWhatIf]", policy: str, claims: "Claims | None", missing: str, most: int
) -> None:
    from rich.console import Console
    from rich.markup import escape

    from voicewarden.replay.effect import UNKNOWABLE, count_of

    console = Console(highlight=False)
    console.print(f"[bold]{escape(policy)}[/] over {effect.calls} calls, {effect.decisions:,} decisions: "
                  f"{len(effect.flips):,} flips ({_counted(count_of(effect.flips))})")  # fmt: skip
    if effect.flips:
        _print_effect(console, effect)
        _print_groups(console, effect.groups, {call.call: call.policy for call in calls}, claims, most)
    if effect.undecided:
        console.print(f"\n{effect.undecided} decisions can't be told: the other policy names lines or lists that the "
                      "recorded release does not have.")  # fmt: skip
    _print_problems(console, effect.problems)
    if missing:
        console.print(f"\nWhether a flip was possible was not proved: {escape(missing)}")
    console.print(f"\n[dim]{UNKNOWABLE}[/]")


def _print_effect(console: "Console", effect: "Effect") -> None:
    from rich.markup import escape

    for title, actions in (("gained", effect.gained), ("lost", effect.lost)):
        told = [f"{escape(name)} {_counted(count)}" for name, count in actions.items()]
        console.print(f"  {title}: {', '.join(told) or 'nothing'}")
    people = effect.people
    console.print(f"  people: {people.protected} would have been spared something that was granted, "
                  f"{people.exposed} would have had something done that was not")  # fmt: skip


def _counted(count: "Count") -> str:
    parts = [f"{count.certain} certain"]
    if count.after_a_flip:
        parts.append(f"{count.after_a_flip} after a flip")
    if count.unrecorded:
        parts.append(f"{count.unrecorded} on facts not recorded")
    return " + ".join(parts)


def _print_groups(
    console: "Console", groups: "Sequence[Group]", policies: Mapping[str, str], claims: "Claims | None", most: int
) -> None:
    from rich.markup import escape

    from voicewarden.replay.effect import pointer
    from voicewarden.replay.wording import clock

    rule = ""
    for group in groups[:most]:
        if group.rule != rule:
            rule = group.rule
            console.print(f"\n[bold]{escape(rule)}[/]")
        flip = group.first
        claim = f", possible: {claims.claim(flip, policies[flip.call])}" if claims else ""
        console.print(f"  {escape(group.action)}: {group.old} → {group.new}, {_counted(group.count)}{claim}")
        console.print(f"    [dim]look at {escape(flip.call)} record {flip.seq}, {clock(flip.at_ms)} "
                      f"({escape(pointer(flip))})[/]", soft_wrap=True)  # fmt: skip
    if len(groups) > most:
        console.print(f"\n{len(groups) - most} more groups: --most {len(groups)}")


def _print_problems(console: "Console", problems: Mapping[str, str]) -> None:
    from rich.markup import escape

    if problems:
        console.print(f"\n[bold red]{len(problems)} calls say nothing:[/]")
    for call, problem in list(problems.items())[:_MOST_PROBLEMS]:
        console.print(f"  {escape(call)}: {escape(problem)}")
    if len(problems) > _MOST_PROBLEMS:
        console.print(f"  and {len(problems) - _MOST_PROBLEMS} more: --json lists them")
