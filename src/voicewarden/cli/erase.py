"""`voicewarden ledger erase`, `sign` and `hold`: two people have what was said in a call destroyed, or one keeps it.

In: a call and a reason, or an order with signatures. Out: an order to sign, or destroyed keys and a note in the ledger.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.ledger.erasure import EraseOrder

_Call = Annotated[str, typer.Argument(help="The call's id.")]
_Ledger = Annotated[Path, typer.Option("--ledger", help="The ledger's file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_LEDGER = Path("var/ledger.db")


def erase(
    call: _Call,
    path: _Ledger = _LEDGER,
    order: Annotated[Path, typer.Option("--order", help="The file that people sign.")] = Path("erase.json"),
    reason: Annotated[str, typer.Option("--reason", help="With a new order: why. Quote nobody.")] = "",
    only_audio: Annotated[
        bool, typer.Option("--only-audio", help="With a new order: the recording, and not what was written down.")
    ] = False,
    config: Annotated[Path, typer.Option("--config", help="The folder that holds people.yaml.")] = Path("config"),
    as_json: _Json = False,
) -> None:
    """Erase what was said in a call. Without an order, write one; with one that two people signed, carry it out."""
    import time

    from voicewarden.cli.console import print_json
    from voicewarden.config.people import may_erase
    from voicewarden.ledger.erasure import draft_order, parse_order
    from voicewarden.ledger.erasure import erase as carry_out
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.content import CLASSES
    from voicewarden.model.error import LedgerError

    now = time.time_ns() // 1_000_000
    if not order.exists():
        with Ledger.read(path) as view:
            made = draft_order(view, call, reason, now, ("audio",) if only_audio else CLASSES)
        order.write_bytes(made.document())
        _tell(made, order, as_json=as_json)
        return
    given = parse_order(order.read_bytes())
    if given.call != call:
        raise LedgerError(f"{order}: this order is about call {given.call}; name another file with --order")
    people = may_erase(config)
    with Ledger.open(path, create=False) as ledger:
        done = carry_out(ledger, given, people, now)
    if as_json:
        print_json(done._asdict())
        return
    people_told = " and ".join(done.people)
    typer.echo(f"{done.call}: {done.keys} keys and {done.recordings} recordings destroyed, by {people_told}")
    typer.echo("what was written down still verifies; copies of the key file must be thrown away, too")


def sign(
    order: Annotated[Path, typer.Argument(help="The order that `voicewarden ledger erase` wrote.")],
    person: Annotated[str, typer.Option("--person", help="Your name in people.yaml.")],
    key: Annotated[Path, typer.Option("--key", help="Your private key, from `voicewarden keys person`.")],
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for the passphrase of the key.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without being asked again.")] = False,
    as_json: _Json = False,
) -> None:
    """Sign an order to erase what was said in a call, after reading it."""
    import time

    from voicewarden.config.people import read_person_key
    from voicewarden.ledger.erasure import parse_order, sign_order

    given = parse_order(order.read_bytes())
    if not yes:
        what = " and ".join(given.classes)
        typer.echo(f"{given.call}: its {what} will be destroyed for good. Reason: {given.reason}", err=True)
        typer.confirm("Sign this?", abort=True, err=True)
    secret = typer.prompt("Passphrase", hide_input=True, err=True) if passphrase else ""
    opened = read_person_key(key, secret.encode())
    made = sign_order(given, person, opened, time.time_ns() // 1_000_000)
    order.write_bytes(made.document())
    _tell(made, order, as_json=as_json)


def hold(
    call: Annotated[str, typer.Argument(help="The call's id; without it, the holds that stand are listed.")] = "",
    path: _Ledger = _LEDGER,
    who: Annotated[str, typer.Option("--who", help="Who you are.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; quote nobody.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="Lift every hold on this call.")] = False,
    as_json: _Json = False,
) -> None:
    """Keep what was said in a call from being erased (a legal hold), lift that, or list holds. A server may run."""
    import time

    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import LedgerError

    with Ledger.read(path) as view:
        vault = view.vault
        if vault is None:
            raise LedgerError(f"{path}: nothing in this ledger is sealed, so that nothing can be erased or held")
        if call:
            if not who.strip() or not reason.strip():
                raise LedgerError("a hold needs --who and --reason, so that others can follow it")
            stream, now = f"call:{call}", time.time_ns() // 1_000_000
            if not view.head(stream)[0]:
                raise LedgerError(f"{path} holds no call of that id; `voicewarden qa {path}` lists those that it has")
            if not lift:
                vault.hold(stream, who.strip(), reason.strip(), now)
            elif not vault.lift(stream, who.strip(), reason.strip(), now):
                raise LedgerError(f"no hold stands on call {call}; without a call the command lists those that do")
        holds = vault.holds()
    if as_json:
        print_json([item._asdict() for item in holds])
        return
    for item in holds:
        typer.echo(f"{item.stream.removeprefix('call:')}: held by {item.who} ({item.reason})")
    if not holds:
        typer.echo("no hold stands")


def _tell(order: "EraseOrder", path: Path, *, as_json: bool) -> None:
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.erasure import SIGNERS

    signed = [item.person for item in order.signatures]
    if as_json:
        print_json({"call": order.call, "order": str(path), "signed": signed})
        return
    what, by = " and ".join(order.classes), " and ".join(signed) or "nobody"
    typer.echo(f"{path}: an order to erase {what} of call {order.call}, signed by {by}")
    missing = SIGNERS - len(signed)
    people = "nobody has to sign any more" if missing <= 0 else f"{missing} of people.yaml must sign it still"
    typer.echo(f"{people} (`voicewarden ledger sign`); then `voicewarden ledger erase` does it")
