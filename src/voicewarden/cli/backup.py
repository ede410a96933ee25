"""`voicewarden ledger backup`: a checked copy of a ledger, made while a server writes it."""

from pathlib import Path
from typing import Annotated, Any

import typer


def backup(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file; a server may run on it.")],
    folder: Annotated[Path, typer.Argument(metavar="DEST", help="The folder of the copy, best on another machine.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Copy the keys of what was said too; delete that copy within weeks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Copy the ledger, its tree and its blobs, and verify the copy: exit 1 when that finds problems."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.backup import back_up

    found = back_up(path, folder, with_keys=with_keys, told=_Bar())
    if as_json:
        # Any: JSON out.
        data: dict[str, Any] = {"ok": not found.problems, **found._asdict(), "ledger": str(found.ledger)}
        print_json({**data, "problems": [item._asdict() for item in found.problems]})
    else:
        typer.echo(
            f"{found.ledger}: {found.records:,} records, {'with' if found.has_tree else 'no'} tree, "
            f"{found.blobs_copied} blobs copied, {found.blobs_kept} were there"
        )
        for item in found.problems:
            typer.echo(f"  {item.call or 'the copy'} record {item.seq}: {item.what}")
        typer.echo("the copy holds" if not found.problems else f"{len(found.problems)} problems: do not rely on it")
        if found.has_keys:
            typer.echo(f"{found.ledger}.keys: delete it within weeks; what is erased stays readable while it is there")
    raise typer.Exit(1 if found.problems else 0)


class _Bar:
    """A progress bar on stderr, one line for what is copied just now; only on a terminal."""

    def __init__(self) -> None:
        import sys

        self._is_shown = sys.stderr.isatty()
        self._percent = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        if self._is_shown and percent != self._percent:
            self._percent = percent
            typer.echo(f"\r{what}: {percent} %\033[K", nl=False, err=True)
            if percent == 100:
                typer.echo("\r\033[K", nl=False, err=True)
