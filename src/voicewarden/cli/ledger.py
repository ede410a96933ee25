"""`voicewarden ledger`: check what is written, sign for it, hand proofs of it out, and witness the ledger of others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicewarden.cli.backup import backup
from voicewarden.cli.erase import erase, hold, sign
from voicewarden.cli.proof import check_proof, prove
from voicewarden.cli.retain import recording, retain
from voicewarden.cli.unknown import unknown
from voicewarden.cli.witness import witness

if TYPE_CHECKING:
    from voicewarden.ledger.treecheck import TreeState
    from voicewarden.ledger.verify import Problem

app = typer.Typer(no_args_is_help=True, help="Check the ledger, prove single records, and witness a ledger.")
app.command("prove")(prove)
app.command("check-proof")(check_proof)
app.command("witness")(witness)
app.command("backup")(backup)
app.command("unknown")(unknown)
app.command("erase")(erase)
app.command("sign")(sign)
app.command("hold")(hold)
app.command("retain")(retain)
app.command("recording")(recording)
_Ledger = Annotated[Path, typer.Argument(help="The ledger's file, such as var/demo/ledger.db.")]
_Keys = Annotated[Path, typer.Option("--keys", help="The folder that holds the keys of this installation.")]


@app.callback()
def _group() -> None:
    """Check the ledger, prove single records, and witness a ledger."""


@app.command()
def verify(
    path: _Ledger,
    checkpoint: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="A checkpoint that was saved elsewhere; may be repeated.")
    ] = None,
    witness_store: Annotated[
        Path | None, typer.Option("--witness-store", help="The store of this ledger's witness.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A public key that you trust: the log's, a witness's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every chain, the tree and its checkpoints: exit 1 when anything was altered, cut or left out."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.note import VerifierKey
    from voicewarden.ledger.store import Ledger
    from voicewarden.ledger.treecheck import TreeCheck
    from voicewarden.ledger.verify import verify as check

    view = Ledger.read(path)
    tree = TreeCheck.open(
        path, keys=[VerifierKey.parse(text) for text in key or ()], checkpoints=checkpoint or (),
        witness_store=witness_store,
    )  # fmt: skip
    found = check(view, tree)
    if as_json:
        problems, notes = [_as_data(item) for item in found.problems], [_as_data(item) for item in found.notes]
        state = None if tree.state is None else tree.state._asdict()
        print_json(
            {"ok": found.ok, "records": found.records, "problems": problems, "notes": notes, "tree": state}
        )
    else:
        told = "every chain holds" if found.ok else f"{len(found.problems)} problems"
        typer.echo(f"{found.records:,} records: {told}")
        typer.echo(_tree_line(tree.state))
        for item in found.problems:
            typer.echo(f"  {_place(item)}: {item.what}")
        for item in found.notes:
            typer.echo(f"  note: {_place(item)}: {item.what}")
    raise typer.Exit(0 if found.ok else 1)


@app.command()
def checkpoint(
    path: _Ledger = Path("var/ledger.db"),
    sign: Annotated[bool, typer.Option("--sign", help="Sign for what is new; no server may run on it.")] = False,
    keys: Annotated[Path | None, typer.Option("--keys", help="The folder of keys; default beside the ledger.")] = None,
    witness_url: Annotated[str, typer.Option("--witness", help="With --sign: a witness, as http://HOST:PORT.")] = "",
    witness_key: Annotated[str, typer.Option("--witness-key", help="The public key of that witness.")] = "",
    cosigned: Annotated[bool, typer.Option("--cosigned", help="The newest that a witness co-signed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the newest checkpoint; kept elsewhere, it shows later that nothing before it was changed or cut."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.note import encode64
    from voicewarden.ledger.treefile import TreeFile
    from voicewarden.model.error import LedgerError

    if sign:
        _sign(path, keys or path.parent / "keys", witness_url, witness_key)
    tree = TreeFile.read(path)
    found = tree.newest(cosigned=cosigned) if tree is not None else None
    if tree is None or found is None:
        raise LedgerError(f"{path}: no such checkpoint yet; a running server signs them, and so does --sign")
    with tree:
        signers = [key.text for key in found.note.signed_by(tree.keys())]
    if not as_json:
        typer.echo(found.note.raw, nl=False)
        return
    origin, size, root, _ = found.checkpoint
    print_json({"origin": origin, "size": size, "root": encode64(root), "note": found.note.raw, "keys": signers})


@app.command()
def key(keys: _Keys = Path("var/keys")) -> None:
    """Print the public key of this installation's ledger: for its witness, and for whoever checks proofs."""
    from voicewarden.config.keys import Keys
    from voicewarden.ledger.checkpoint import log_key, origin_for

    opened = Keys.open(keys)
    origin = origin_for([*opened.checkpoint_public][-1])
    typer.echo(log_key(origin, opened.checkpoint_public[opened.active_id("checkpoint-signing")]).text)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    path: Annotated[Path, typer.Option("--ledger", help="The ledger's file.")] = Path("var/ledger.db"),
) -> None:
    """Write the tree as static files that any client of transparency logs reads; no word of a caller is in them."""
    from voicewarden.ledger.export import export_tree
    from voicewarden.ledger.store import Ledger

    with Ledger.read(path) as view:
        done = export_tree(view, folder)
    typer.echo(f"{folder}: {done.files} files for {done.size:,} records of {done.origin}")


def _sign(path: Path, keys: Path, witness_url: str, witness_key: str) -> None:
    from voicewarden.config.keys import Keys
    from voicewarden.ledger.sequencer import Sequencer
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.error import ConfigError

    if not keys.is_dir():
        raise ConfigError("there are no keys here; name the folder of the keys of this ledger", file=str(keys))
    opened = Keys.open(keys)
    with Ledger.open(path, create=False) as ledger:
        sequencer = Sequencer.of(
            ledger, opened.checkpoint_signing, opened.checkpoint_public, witness_url=witness_url,
            witness_key=witness_key,
        )  # fmt: skip
        sequencer.close()
    for failure in (sequencer.failure, *(cosigning.failure for cosigning in sequencer.cosigning)):
        if failure is not None:
            raise failure


# Any: JSON out.
def _as_data(item: "Problem") -> dict[str, Any]:
    return {"call": item.call, "seq": item.seq, "what": item.what, "id": item.id}


def _place(item: "Problem") -> str:
    row = f" ({item.id} of the file)" if item.id else ""
    if item.seq < 0:
        return item.call or (f"record {item.id} of the file" if item.id else "the ledger")
    return f"{item.call} record {item.seq}{row}"


def _tree_line(state: "TreeState | None") -> str:
    if state is None:
        return "tree: none yet, so that no checkpoint covers these records"
    cosigned = f"co-signed up to {state.cosigned:,}" if state.cosigned >= 0 else "not co-signed"
    return (
        f"tree: {state.size:,} records, signed up to {max(state.signed, 0):,}, {cosigned}; "
        f"{state.open_records:,} in the open window"
    )
