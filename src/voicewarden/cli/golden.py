"""`voicewarden pin` and `voicewarden check-golden`: recorded calls as tests of what a policy decides."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.replay.golden import Checked

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def pin(
    path: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file.")],
    call: Annotated[str, typer.Argument(help="The call's id.")],
    folder: Annotated[Path, typer.Option("--dir", help="Where golden calls are kept.")] = Path("tests/calls"),
    name: Annotated[str, typer.Option("--name", help="What the call is called; its id, if not given.")] = "",
    keep: Annotated[list[str] | None, typer.Option("--keep", help="A word that stays; may be given again.")] = None,
    keep_words: Annotated[bool, typer.Option("--keep-words", help="Keep all that was said: no redaction.")] = False,
) -> None:
    """Store a recorded call as a test, with names, numbers and words taken out that no rule needs."""
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import LedgerError
    from voicewarden.replay.exact import Releases
    from voicewarden.replay.golden import write_golden
    from voicewarden.replay.pin import pin_call

    named = name or call
    if not _NAME.fullmatch(named):
        raise typer.BadParameter("use letters, digits, dots, dashes and underscores", param_hint="--name")
    with Ledger.read(path) as view:
        if f"call:{call}" not in view.streams(f"call:{call}"):
            raise LedgerError(f"{path} holds no call of that id; `voicewarden replay {path}` counts those that it has")
        pinned = pin_call(
            view.read_stream(f"call:{call}"), Releases(view.get_blob), named, redact=not keep_words, keep=keep or ()
        )
    if pinned.needed:
        typer.echo(f"not stored: without these words it decides otherwise: {', '.join(pinned.needed)}\n"
                   "if they may be kept, name each with --keep", err=True)  # fmt: skip
        raise typer.Exit(1)
    written = write_golden(folder, named, pinned.records, pinned.release)
    how = "all words kept" if keep_words else f"{pinned.replaced} words and numbers replaced"
    typer.echo(f"{written}: {len(pinned.records)} records, {pinned.decisions} decisions, {how}")
    if not keep_words:
        typer.echo(f"left as they were: {', '.join(pinned.left) or 'no words'}\n"
                   "look whether one of them names a person before you commit this")  # fmt: skip


def check_golden(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of `voicewarden pin`.")] = Path(
        "tests/calls"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run golden calls again: exit 1 with the first record that comes out otherwise."""
    from voicewarden.cli.console import print_json
    from voicewarden.replay.golden import check_golden as check

    checked = list(check(folder))
    failed = [item for item in checked if not item.replayed.ok]
    if as_json:
        print_json(_as_data(checked))
    else:
        _print(checked)
    raise typer.Exit(1 if failed else 0)


def _as_data(checked: "Sequence[Checked]") -> dict[str, object]:
    from voicewarden.cli.replay import why
    from voicewarden.replay.side_by_side import as_data

    differing = [item.replayed.difference for item in checked if item.replayed.difference is not None]
    return {
        "calls": len(checked), "events": sum(item.replayed.events for item in checked),
        "failed": {item.name: why(item.replayed) for item in checked if not item.replayed.ok},
        "first_difference": as_data(differing[0]) if differing else None,
    }  # fmt: skip


def _print(checked: "Sequence[Checked]") -> None:
    from voicewarden.cli.replay import print_failed

    failed = [item for item in checked if not item.replayed.ok]
    for item in checked:
        typer.echo(f"{'ok  ' if item.replayed.ok else 'FAIL'} {item.name} ({item.replayed.events} events)")
    typer.echo(f"{len(checked)} calls, {len(failed)} failed")
    print_failed([item.replayed for item in failed])
