"""`voicewarden ledger retain`: destroy what was said in calls whose period has run out; once a day in a server, too.
And `voicewarden ledger recording`: the sound of a call while there is one.

In: settings, a ledger. Out: what was destroyed, or a WAV file. A dry run only says what would be.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from voicewarden.config.settings import RetentionSettings
    from voicewarden.ledger.retention import Period
    from voicewarden.ledger.store import Ledger

_LOG: Final = logging.getLogger(__name__)
_DAY_S: Final = 86_400.0


def retain(
    path: Annotated[Path | None, typer.Argument(help="The ledger's file; default is that of the settings.")] = None,
    settings: Annotated[Path, typer.Option("--settings", help="The settings with the periods.")] = Path(
        "config/voicewarden.yaml"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be destroyed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Destroy what was said in calls that are older than the settings keep them; holds are respected."""
    import time

    from voicewarden.cli.console import print_json
    from voicewarden.config.settings import load_settings
    from voicewarden.ledger.retention import find_due
    from voicewarden.ledger.retention import retain as carry_out
    from voicewarden.ledger.store import Ledger

    given = load_settings(settings)
    place, periods, now = path or given.ledger_path, periods_of(given.retention), time.time_ns() // 1_000_000
    if dry_run:
        with Ledger.read(place) as view:
            done = find_due(view, periods, now)
    else:
        with Ledger.open(place, create=False) as ledger:
            done = carry_out(ledger, periods, now)
    if as_json:
        print_json(
            [
                {"class": item.period.content, "days": item.period.days, "calls": item.calls, "held": item.held}
                for item in done
            ]
        )  # fmt: skip
        return
    verb = "would be" if dry_run else "were"
    for item in done:
        held = f", {len(item.held)} more are held" if item.held else ""
        old = f"{len(item.calls)} calls older than {item.period.days} days"
        typer.echo(f"{item.period.content}: {old} {verb} erased{held}")
    if not periods:
        typer.echo("the settings name no period: everything is kept (docs/running-agents.md, retention)")


def recording(
    call: Annotated[str, typer.Argument(help="The call's id.")],
    path: Annotated[Path, typer.Option("--ledger", help="The ledger's file.")] = Path("var/ledger.db"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default CALL.wav.")] = None,
) -> None:
    """Write the recording of a call as a WAV file, caller left and agent right, readable by you only."""
    import os

    from voicewarden.ledger.forgetting import recordings_of
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import LedgerError

    with Ledger.read(path) as view:
        names = recordings_of(view, call)
        if not names:
            raise LedgerError(f"no recording of call {call} was stored; without consent to it, none is made")
        content = view.get_recording(call, names[-1])
    target = out or Path(f"{call}.wav")
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    typer.echo(str(target))


def periods_of(given: "RetentionSettings") -> "list[Period]":
    """The periods of the settings, the shorter first."""
    from voicewarden.ledger.retention import Period

    owner = given.owner or ""
    audio = [] if given.audio_days is None else [Period("audio", given.audio_days, given.audio_why or "", owner)]
    words = [] if given.words_days is None else [Period("words", given.words_days, given.words_why or "", owner)]
    return audio + words


async def retain_daily(ledger: "Ledger", periods: "list[Period]") -> None:
    """Finish what a crash left and destroy what is due, at once and then every day, off the path of any call."""
    while True:
        await asyncio.to_thread(retain_and_tell, ledger, periods)
        await asyncio.sleep(_DAY_S)


def retain_and_tell(ledger: "Ledger", periods: "list[Period]") -> None:
    """Destroy what is due, with what was done or went wrong in the log. Blocks."""
    from voicewarden.ledger.retention import retain as carry_out
    from voicewarden.model.error import LedgerError
    from voicewarden.runtime.wall import unix_ms

    try:
        for due in carry_out(ledger, periods, unix_ms()):
            if due.calls:
                _LOG.warning("%s of %d calls were erased: their period ran out", due.period.content, len(due.calls))
    except LedgerError as error:
        _LOG.error("what is older than it may be could not be erased: %s", error)
