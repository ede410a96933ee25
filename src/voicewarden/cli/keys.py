"""`voicewarden keys`: the keys of an installation, and the key of a person who may sign for an erasure."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="List and rotate the keys.")
_Folder = Annotated[Path, typer.Option("--dir", help="The folder that holds the keys.")]


@app.command("list")
def list_keys(
    folder: _Folder = Path("var/keys"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the keys by name, id and age; makes them if there are none. Never prints a secret."""
    import msgspec

    from voicewarden.cli.console import print_json
    from voicewarden.config.keys import Keys

    entries = Keys.open(folder).list()
    if as_json:
        print_json(msgspec.to_builtins(entries))
        return
    for entry in entries:
        typer.echo(f"{entry.name:<18} {entry.id:<18} {entry.created}")


@app.command()
def rotate(
    name: Annotated[str, typer.Argument(help="grant-seal, checkpoint-signing, contact-pepper or content-wrapping.")],
    folder: _Folder = Path("var/keys"),
    confirmed: Annotated[bool, typer.Option("--yes", help="Confirm what can't be undone.")] = False,
) -> None:
    """Make a new key and keep the old one for checking."""
    from voicewarden.config.keys import KEY_NAMES, Keys
    from voicewarden.model.error import ConfigError

    known = next((key for key in KEY_NAMES if key == name), None)
    if known is None:
        raise ConfigError("there is no key of that name", field="name", accepted=", ".join(KEY_NAMES))
    entry = Keys.open(folder).rotate(known, confirmed=confirmed)
    typer.echo(f"{entry.name} is now {entry.id}")


@app.command()
def person(
    name: Annotated[str, typer.Argument(help="Who the key is for, as config/people.yaml will name them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for the private key; that person keeps it.")],
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for a passphrase and lock the key.")] = False,
) -> None:
    """Make the key of a person who may sign for an erasure; prints what goes into config/people.yaml."""
    from voicewarden.config.people import make_person_key

    secret = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True) if passphrase else ""
    public = make_person_key(out, secret.encode())
    typer.echo(f'  - {{name: {name}, key: "{public}", may: [erase], why: ""}}')
