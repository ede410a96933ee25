"""`voicewarden ledger unknown`: which spent grants nobody knows the outcome of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.ledger.unknown import UnknownGrant


def unknown(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file; a server may run on it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List grants that were spent and whose outcome is unknown: a person has to find out. Exit 1 when there are any."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.ledger.unknown import unknown_grants

    with Ledger.read(path) as view:
        found = unknown_grants(view)
    if as_json:
        print_json({"unknown": len(found), "grants": [item._asdict() for item in found]})
    else:
        for item in found:
            typer.echo(in_words(item))
        typer.echo(f"{len(found)} spent grants have no known outcome" if found else "every spent grant has an outcome")
    raise typer.Exit(1 if found else 0)


def in_words(item: "UnknownGrant") -> str:
    """One line for people."""
    from datetime import UTC, datetime

    when = datetime.fromtimestamp(item.unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if item.unix_ms else "?"
    action = item.action or "an action"
    return f"{when}  call {item.call}, record {item.seq}: {action}, {item.why} (grant {item.grant})"
