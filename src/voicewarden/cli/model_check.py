"""`voicewarden policy model-check`: every state that small alphabets of events can lead the real kernel to.

In: a policy and the configuration that belongs to it. Out: how much was looked at, which promises were checked, and
each broken one as a call; exit 1 when one is broken (with --control: when a broken kernel was not found out).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicewarden.cli.policy import AgentsOption, ConfigOption, release_of

if TYPE_CHECKING:
    from voicewarden.proofs.model_check import Broken, Checked, Controlled

_Policy = Annotated[str, typer.Argument(metavar="[POLICY]", help="A policy file, or a name in CONFIG/policies.")]
_States = Annotated[int, typer.Option("--states", min=1, help="How many near states to look at, over all scenes.")]
_Processes = Annotated[int, typer.Option("--processes", min=1, help="How many scenes are searched at a time.")]
_Control = Annotated[bool, typer.Option("--control", help="Break the kernel on purpose and see whether that is found.")]


def model_check(
    policy: _Policy = "outbound-sales", config: ConfigOption = Path("config"), agents: AgentsOption = Path("agents"),
    states: _States = 600_000, processes: _Processes = 2, control: _Control = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Run every order of events of four small worlds through the real step; exit 1 when a promise is broken."""
    from voicewarden.cli.console import print_json, progress
    from voicewarden.kernel.release import Compiled
    from voicewarden.proofs.model_check import check, check_controls

    release = Compiled(release_of(policy, config, agents))
    if control:
        controlled = check_controls(release)
        if as_json:
            print_json({"ok": all(item.broken for item in controlled), "controls": [_control(i) for i in controlled]})
        else:
            _print_controls(controlled)
        raise typer.Exit(0 if all(item.broken for item in controlled) else 1)
    with progress("states, in thousands", max(1, states // 1_000), quiet=as_json) as advance:
        told = 0

        def reached(count: int) -> None:
            nonlocal told
            while told < count // 1_000:
                advance()
                told += 1

        checked = check(release, states=states, processes=processes, progress=reached)
    if as_json:
        print_json(as_data(checked))
    else:
        _print(policy, checked)
    raise typer.Exit(1 if checked.broken else 0)


# Any: JSON out.
def as_data(checked: "Checked") -> dict[str, Any]:
    """A check as JSON."""
    from voicewarden.proofs.model_check import PROMISES

    return {
        "ok": not checked.broken, "policy": checked.policy, "near": checked.near, "states": checked.states,
        "transitions": checked.transitions, "steps": checked.steps, "seconds": round(checked.seconds, 1),
        "states_per_second": round(checked.states / max(checked.seconds, 1e-9)), "promises": dict(PROMISES),
        "scenes": [
            {name: value for name, value in found._asdict().items() if name != "paths"} | {"seconds": round(seconds, 1)}
            for found, seconds in checked.scenes
        ],
        "broken": [_broken(item) for item in checked.broken],
    }  # fmt: skip


def _broken(item: "Broken") -> dict[str, Any]:
    return {
        "promise": item.promise, "says": item.call.promise, "scene": item.scene, "letters": list(item.letters),
        "exact_times": item.call.exact, "call": list(item.call.lines),
    }  # fmt: skip


def _control(item: "Controlled") -> dict[str, Any]:
    found = None if item.broken is None else _broken(item.broken)
    return {"control": item.name, "about": item.about, "found": found, "states": item.states}


def _print(policy: str, checked: "Checked") -> None:
    from rich.console import Console
    from rich.table import Table

    from voicewarden.proofs.model_check import PROMISES

    console = Console()
    table = Table("scene", "near", "states", "moves", "steps", "depth", "s", "states/s")
    for found, seconds in checked.scenes:
        depth = f"{found.depth}, all of it" if found.complete else f"{found.depth}"
        table.add_row(
            found.scene, f"{found.near:,}", f"{found.states:,}", f"{found.transitions:,}", f"{found.steps:,}", depth,
            f"{seconds:.0f}", f"{found.states / max(seconds, 1e-9):,.0f}",
        )  # fmt: skip
    console.print(table)
    for item in checked.broken:
        _print_call(item)
    names = {item.promise for item in checked.broken}
    for name, says in PROMISES.items():
        typer.echo(f"{'BROKEN' if name in names else 'holds '}  {says}")
    typer.echo(
        f"{policy}: {checked.states:,} states ({checked.near:,} near), {checked.transitions:,} transitions, "
        f"{checked.steps:,} steps, {checked.seconds:.0f} s; from {checked.ended:,} a call that is left alone comes to "
        f"its end; {len(names)} of {len(PROMISES)} promises broken"
    )


def _print_call(item: "Broken") -> None:
    typer.echo(f"\nThis call breaks the promise that {item.call.promise} (scene {item.scene}):")
    for line in item.call.lines:
        typer.echo(f"  {line}")
    if not item.call.exact:
        typer.echo("  (a timer of this call fires early or late, as it can on a slow machine)")
    typer.echo("")


def _print_controls(controlled: "tuple[Controlled, ...]") -> None:
    for item in controlled:
        if item.broken is None:
            typer.echo(f"NOT FOUND  {item.about} ({item.states:,} states)")
            continue
        typer.echo(f"found      {item.about}: among {item.states:,} states")
        _print_call(item.broken)
