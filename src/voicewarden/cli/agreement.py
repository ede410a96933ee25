"""`voicewarden policy agreement`: do generated code, interpreter, Cedar and z3 decide alike?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.proofs.agreement import Comparison
    from voicewarden.proofs.subject import Peer

SHIPPED = ("outbound-sales", "inbound-service", "booking-only")


def agreement(
    policies: Annotated[
        list[str] | None, typer.Argument(help="Policy files or names; those that are shipped unless told.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", help="The configuration folder.")] = Path("config"),
    decisions: Annotated[int, typer.Option(min=0, help="Decisions of generated code and interpreter.")] = 100_000,
    cedar: Annotated[int, typer.Option(min=0, help="Decisions to compare with Cedar.")] = 5_000,
    z3: Annotated[int, typer.Option(min=0, help="Decisions to compare with z3.")] = 1_000,
    processes: Annotated[int, typer.Option(min=1, help="Processes; the findings do not depend on it.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, other random policies and situations.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare decisions over the boundaries of policies and of random ones: exit 1 when any two semantics differ."""
    from voicewarden.cli.console import print_json, progress
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.proofs.agreement import blocks, totals
    from voicewarden.proofs.spread import spread

    read = tuple(read_policy(name, config) for name in policies or SHIPPED)
    wanted: dict[Peer, int] = {"interpreter": decisions, "cedar": cedar, "z3": z3}
    work = tuple(blocks(wanted, seed))
    tested: list[Comparison] = []
    with progress("comparing", len(work), quiet=as_json) as done:
        for one in spread(read, work, processes=processes):
            tested.append(one)
            done()
    sums = totals(tested)
    if as_json:
        print_json({"ok": not _wrong(sums), "seed": seed, "peers": {peer: _plain(one) for peer, one in sums.items()}})
    else:
        _print(sums)
    raise typer.Exit(1 if _wrong(sums) else 0)


def _wrong(sums: "dict[Peer, Comparison]") -> int:
    return sum(len(one.mismatches) for one in sums.values())


def _plain(one: "Comparison") -> dict[str, object]:
    return {
        "decisions": one.decisions, "random_policies": one.policies, "cpu_s": round(one.seconds, 1),
        "per_second": _per_second(one), "mismatches": [wrong.told() for wrong in one.mismatches],
    }  # fmt: skip


def _per_second(one: "Comparison") -> int:
    return round(one.decisions / one.seconds) if one.seconds else 0


def _print(sums: "dict[Peer, Comparison]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("generated code against", "decisions", "random policies", "a second and core", "mismatches")
    for column in table.columns[1:]:
        column.justify = "right"
    for peer, one in sums.items():
        wrong = len(one.mismatches)
        table.add_row(peer, f"{one.decisions:,}", f"{one.policies:,}", f"{_per_second(one):,}", f"{wrong:,}")
    Console().print(table)
    for one in sums.values():
        for mismatch in one.mismatches[:3]:
            typer.echo(mismatch.told())
