"""`voicewarden ledger prove` and `check-proof`: one record for somebody who may not see the others."""

from pathlib import Path
from typing import Annotated

import typer


def prove(
    call: Annotated[str, typer.Argument(help="The call's id, or the whole name of another stream.")],
    seq: Annotated[int, typer.Argument(min=0, help="The number of the record in it.")],
    path: Annotated[Path, typer.Option("--ledger", help="The ledger's file.")] = Path("var/ledger.db"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default is to print.")] = None,
    without_body: Annotated[
        bool, typer.Option("--without-body", help="Keep back what the record says; only its hash is shown.")
    ] = False,
    with_content: Annotated[
        bool, typer.Option("--with-content", help="Say what was sealed, with the key that opens all of the call.")
    ] = False,
) -> None:
    """Write one file that shows that a record was written, to be checked without the ledger."""
    from voicewarden.ledger.prooffile import prove as prove_record
    from voicewarden.ledger.store import Ledger

    stream = call if ":" in call or call == "control" else f"call:{call}"
    with Ledger.read(path) as view:
        proof = prove_record(view, stream, seq, with_body=not without_body, with_content=with_content)
        document = proof.document()
    if out is None:
        typer.echo(document, nl=False)
    else:
        out.write_text(document, encoding="utf-8")
        typer.echo(str(out))


def check_proof(
    file: Annotated[Path, typer.Argument(help="The proof, as `voicewarden ledger prove` wrote it.")],
    key: Annotated[list[str], typer.Option("--key", help="A public key that you trust: the log's, a witness's.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a proof with nothing but the file and the keys: exit 1 when it does not hold."""
    from voicewarden.cli.console import print_json
    from voicewarden.ledger.note import VerifierKey
    from voicewarden.ledger.prooffile import check_proof as check
    from voicewarden.model.error import LedgerError

    try:
        document = file.read_bytes()
    except OSError as error:
        raise LedgerError(f"{file}: the proof can't be read ({error.strerror}); name an existing file") from None
    steps = check(document, [VerifierKey.parse(text) for text in key])
    holds = all(step.ok for step in steps)
    if as_json:
        print_json({"ok": holds, "steps": [step._asdict() for step in steps]})
    else:
        for step in steps:
            typer.echo(f"{step.name:<11} {'ok' if step.ok else 'NO':<3} {step.says}")
        typer.echo("the proof holds" if holds else "the proof does not hold")
    raise typer.Exit(0 if holds else 1)
