"""`voicewarden label`: a reviewer marks a decision right or wrong, with a reason, in the ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


def label(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file.")],
    call: Annotated[str, typer.Argument(help="The call's id.")],
    seq: Annotated[int, typer.Argument(min=0, help="The record of the decision, as its card in the report names it.")],
    verdict: Annotated[Literal["right", "wrong"], typer.Argument(help="What you found.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; name nobody and quote no caller.")],
    reviewer: Annotated[str, typer.Option("--reviewer", help="Who you are.")],
    settings: Annotated[
        Path, typer.Option("--settings", help="The settings of the server that may be running.")
    ] = Path("config/voicewarden.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Mark a decision right or wrong; a later label of the same reviewer counts instead of the earlier one.

    While a server runs on the ledger, the server writes the label.
    """
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.replay.english import decision_in_words
    from voicewarden.replay.labels import find_decision
    from voicewarden.replay.wording import plain

    with Ledger.read(path) as view:
        entry, decision = find_decision(view, call, seq)
    order = {"call": call, "seq": seq, "verdict": verdict, "reason": reason, "reviewer": reviewer}
    made = _write(path, {**order, "digest": entry.record.hash}, settings)
    if as_json:
        print_json(made)
        return
    typer.echo(decision_in_words(decision, plain(decision.action)))
    typer.echo(f"{made['reviewer']} found this {made['verdict']}: record {seq} of {call}")


# Any: the fields of a label, as JSON for the server and as arguments for its own ledger.
def _write(path: Path, order: dict[str, Any], settings: Path) -> dict[str, Any]:
    """Write the label here, or where the ledger is held by a server, through that server."""
    import time

    from voicewarden.cli.order import NoServer, send_order
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import LedgerError
    from voicewarden.replay.labels import Reviews

    try:
        ledger = Ledger.open(path, create=False)
    except LedgerError:
        for server_file in _server_files(path, settings):
            try:
                return send_order(server_file, "/local/labels", order)
            except NoServer:
                continue
        raise
    with ledger:
        return Reviews(ledger).add(**order, unix_ms=time.time_ns() // 1_000_000)


def _server_files(path: Path, settings: Path) -> "Iterator[Path]":
    """Where a server that holds this ledger may say where it is: beside it, or in the folder of the settings."""
    from voicewarden.config.settings import load_settings
    from voicewarden.telephony.local_file import SERVER_FILE

    yield path.parent / SERVER_FILE
    if settings.exists():
        yield load_settings(settings).var_dir / SERVER_FILE
