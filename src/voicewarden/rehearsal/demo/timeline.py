"""The live timeline: what happens in the calls, as it is written into the ledger.

In: a ledger that grows. Out: lines in the terminal and a progress bar. It reads the same records that replay reads.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from voicewarden.ledger.store import Ledger
from voicewarden.ledger.view import LedgerView
from voicewarden.model.decision import Decision
from voicewarden.model.directive import Directive, Speak
from voicewarden.model.event import CallEnded, CallerSpoke, DtmfPressed, Event, ReceiptReturned
from voicewarden.model.record import Record

_POLL_S: Final = 0.4
_LINES: Final = 24
_EVENT: Final = msgspec.json.Decoder(Event)
_DECISION: Final = msgspec.json.Decoder(Decision)
_DIRECTIVE: Final = msgspec.json.Decoder(Directive)
_COLOURS: Final = {"allow": "green", "confirm": "yellow", "escalate": "magenta", "deny": "red"}


class Timeline:
    """Shows the calls of one demo while they run."""

    def __init__(self, ledger: Path, names: Callable[[str], str], total: int, *, plain: bool) -> None:
        self._path = ledger
        self._names = names
        self._plain = plain
        self._console = Console(stderr=True)
        self._lines: deque[Text] = deque(maxlen=_LINES)
        self._seen: dict[str, int] = {}
        self._view: LedgerView | None = None
        self._progress = Progress(
            TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=self._console
        )
        self._task = self._progress.add_task("calls", total=total)

    def call_done(self) -> None:
        """One more call is over."""
        self._progress.advance(self._task)

    async def run(self) -> None:
        """Show lines until cancelled."""
        if self._plain or not self._console.is_terminal:
            await self._watch(lambda: None)
            return
        with Live(self._picture(), console=self._console, refresh_per_second=4, transient=True) as live:
            await self._watch(lambda: live.update(self._picture()))

    async def _watch(self, changed: Callable[[], None]) -> None:
        try:
            while True:
                await asyncio.sleep(_POLL_S)
                await asyncio.to_thread(self._read)
                changed()
        finally:
            self._read()
            if self._view is not None:
                self._view.close()

    def _picture(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for line in self._lines:
            table.add_row(line)
        return Group(table, self._progress)

    def _read(self) -> None:
        if self._view is None:
            if not self._path.exists():
                return
            self._view = Ledger.read(self._path)
        for stream in self._view.streams("call:"):
            after = self._seen.get(stream, -1)
            for record in self._view.read_stream(stream):
                if record.seq > after:
                    self._seen[stream] = record.seq
                    self._show(stream.removeprefix("call:"), record)

    def _show(self, call: str, record: Record) -> None:
        found = _line(record)
        if found is None:
            return
        text, colour = found
        line = Text(f"{record.at_ms / 1000:6.1f} s  {self._names(call):<24} ")
        line.append(text, style=colour)
        if self._plain or not self._console.is_terminal:
            self._console.print(line, soft_wrap=True)
        else:
            self._lines.append(line)


def _line(record: Record) -> tuple[str, str] | None:
    """What is worth a line, and in which colour."""
    if record.kind == "decision":
        return _decision_line(_DECISION.decode(record.body))
    if record.kind == "directive":
        directive = _DIRECTIVE.decode(record.body)
        return (f"agent   “{directive.text}”", "cyan") if isinstance(directive, Speak) else None
    if record.kind != "event":
        return None
    match _EVENT.decode(record.body):
        case CallerSpoke(text=text) if text:
            return f"caller  “{text}”", "bold"
        case DtmfPressed(digit=digit):
            return f"caller  presses {digit}", "bold"
        case ReceiptReturned(outcome=outcome):
            return f"done    {outcome}", "green" if outcome == "done" else "red"
        case CallEnded(reason=reason):
            return f"ended   {reason}", "dim"
        case _:
            return None


def _decision_line(decision: Decision) -> tuple[str, str] | None:
    if decision.verdict == "allow" and decision.action in ("speak", "end_call"):
        return None
    why = next((f"{r.fact} {r.needed}, found {r.found}" for r in decision.reasons if r.verdict != "allow"), "")
    return f"gate    {decision.action}: {decision.verdict}{' · ' + why if why else ''}", _COLOURS[decision.verdict]
