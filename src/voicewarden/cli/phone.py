"""`voicewarden serve`, `call`, `demo` and `contact`: what needs a telephone, or plays one."""

from pathlib import Path
from typing import Annotated, Any

import typer

_Settings = Annotated[Path, typer.Option("--settings", help="The settings file.")]


def serve(
    settings: _Settings = Path("config/voicewarden.yaml"),
    inbound_agent: Annotated[str, typer.Option("--inbound", help="The agent that takes inbound calls.")] = "transfer",
) -> None:
    """Take and place calls until stopped. docs/twilio.md says what to set, for a first real number."""
    import asyncio

    from voicewarden.model.error import MissingPart

    try:
        from voicewarden.cli.wiring import serve_until_told
    except ImportError as error:
        raise MissingPart(
            f"`voicewarden serve` needs {error.name}; install it with: pip install 'voicewarden[live,local]'"
        ) from None
    asyncio.run(serve_until_told(settings, inbound_agent=inbound_agent, environment=None))


def call(
    number: Annotated[str, typer.Argument(help="Whom to call, such as +15555550123.")],
    agent: Annotated[str, typer.Option("--agent", help="Which agent calls.")],
    settings: _Settings = Path("config/voicewarden.yaml"),
) -> None:
    """Ask the running server to call a number; the gate decides whether it is dialled."""
    answer = _order(settings, "/local/calls", {"number": number, "agent": agent})
    typer.echo(answer["call"])


def contact(
    number: Annotated[str, typer.Argument(help="The person's number.")],
    consent: Annotated[str, typer.Option("--consent", help="none, inquiry, oral or written.")],
    source: Annotated[str, typer.Option("--source", help="The record that says so.")],
    settings: _Settings = Path("config/voicewarden.yaml"),
) -> None:
    """Note what a person has agreed to, from a record outside."""
    _order(settings, "/local/consents", {"number": number, "level": consent, "source": source})
    typer.echo("noted")


def _order(settings_file: Path, path: str, body: dict[str, Any]) -> dict[str, Any]:
    # Any: JSON in and out of the server's local interface.
    from voicewarden.cli.order import NoServer, send_order
    from voicewarden.config.settings import load_settings
    from voicewarden.telephony.local_file import SERVER_FILE

    try:
        return send_order(load_settings(settings_file).var_dir / SERVER_FILE, path, body)
    except NoServer:
        raise NoServer(
            f"no server answers; start one with `voicewarden serve --settings {settings_file}` and try again"
        ) from None


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for ledger, recordings, reports.")] = Path("var/demo"),
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this scenario; may be given again.")] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=8, help="Calls at a time.")] = 3,
    small_model: Annotated[bool, typer.Option("--small-model", help="Let a real small model be the rogue.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="No live timeline, only lines.")] = False,
) -> None:
    """Play eleven calls over a simulated telephone line: real speech, the real gate, one report a call."""
    import asyncio

    from voicewarden.model.error import MissingPart

    try:
        from voicewarden.rehearsal.demo.run import run_demo
    except ImportError as error:
        raise MissingPart(
            f"`voicewarden demo` needs {error.name}; install it with: pip install 'voicewarden[live,local]'"
        ) from None
    good = asyncio.run(
        run_demo(out.resolve(), only=tuple(only or ()), at_once=at_once, small_model=small_model, plain=plain)
    )
    raise typer.Exit(0 if good else 1)
