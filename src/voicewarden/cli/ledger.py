"""`voicewarden ledger`: check what is written."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check the ledger.")


@app.callback()
def _group() -> None:
    """Check the ledger."""


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="The ledger's file, such as var/demo/ledger.db.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every chain in a ledger: exit 1 when anything was altered, cut or left out."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.ledger.verify import verify as check

    found = check(Ledger.read(path))
    problems = [{"call": item.call, "seq": item.seq, "what": item.what} for item in found.problems]
    if as_json:
        notes = [{"call": item.call, "seq": item.seq, "what": item.what} for item in found.notes]
        print_json({"ok": found.ok, "records": found.records, "problems": problems, "notes": notes})
    else:
        typer.echo(f"{found.records:,} records: " + ("every chain holds" if found.ok else f"{len(problems)} problems"))
        for item in found.problems:
            typer.echo(f"  {item.call} record {item.seq}: {item.what}")
        for item in found.notes:
            typer.echo(f"  note: {item.call} record {item.seq}: {item.what}")
    raise typer.Exit(0 if found.ok else 1)
