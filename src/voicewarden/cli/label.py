"""`voicewarden label`: a reviewer marks a decision right or wrong, with a reason, in the ledger."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def label(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file; no server may run on it.")],
    call: Annotated[str, typer.Argument(help="The call's id.")],
    seq: Annotated[int, typer.Argument(min=0, help="The record of the decision, as its card in the report names it.")],
    verdict: Annotated[Literal["right", "wrong"], typer.Argument(help="What you found.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; name nobody and quote no caller.")],
    reviewer: Annotated[str, typer.Option("--reviewer", help="Who you are.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Mark a decision right or wrong; a later label of the same reviewer counts instead of the earlier one."""
    import time

    import msgspec

    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.replay.english import decision_in_words
    from voicewarden.replay.labels import add_label, find_decision
    from voicewarden.replay.wording import plain

    with Ledger.open(path, create=False) as ledger:
        _, decision = find_decision(ledger, call, seq)
        made = add_label(
            ledger, call, seq, verdict, reason=reason, reviewer=reviewer, unix_ms=time.time_ns() // 1_000_000
        )
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    typer.echo(decision_in_words(decision, plain(decision.action)))
    typer.echo(f"{made.reviewer} found this {made.verdict}: record {seq} of {call}")
