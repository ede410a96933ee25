"""`voicewarden ledger witness`: co-sign the checkpoints of a ledger, in a process of its own, on another machine."""

from pathlib import Path
from typing import Annotated

import typer


def witness(
    store: Annotated[Path, typer.Option("--store", help="A folder of its own, for its key and what it signed.")],
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT; port 0 takes a free one.")] = "127.0.0.1:8767",
    log: Annotated[
        list[str] | None, typer.Option("--log", help="The public key of a ledger to co-sign for; it is remembered.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Its name, at its first start only.")] = "",
) -> None:
    """Co-sign every checkpoint that continues the last one, and no other. Prints its public key, then serves."""
    import signal

    from voicewarden.ledger.note import VerifierKey
    from voicewarden.ledger.witness import Witness
    from voicewarden.ledger.witness_server import WitnessServer
    from voicewarden.model.error import ConfigError

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ConfigError("this is no place to listen", field="listen", accepted="HOST:PORT, such as 127.0.0.1:8767")
    opened = Witness.open(store, name=name)
    for text in log or ():
        opened.trust(VerifierKey.parse(text))
    try:
        server = WitnessServer((host.strip("[]"), int(port)), opened)
    except OSError as error:
        raise ConfigError(f"{listen} can't be listened on: {error.strerror}", field="listen") from None
    # Turns a polite end into the one that Ctrl-C takes; a request that is being answered is finished or undone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    typer.echo(f"key {opened.key.public.text}")
    typer.echo(f"ready on {host}:{server.port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        opened.close()
