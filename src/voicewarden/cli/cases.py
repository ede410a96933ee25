"""`voicewarden policy cases`: the boundary cases of a policy, to pin it with; `policy cedar`: the policy as Cedar."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.policy.ast import Policy
    from voicewarden.proofs.case import Row
    from voicewarden.proofs.survivors import Score

_PolicyName = Annotated[str, typer.Argument(metavar="POLICY", help="A policy file, or the name of one.")]
_Config = Annotated[Path, typer.Option("--config", help="The configuration folder.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def cases(
    policy: _PolicyName,
    config: _Config = Path("config"),
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Hold the policy against rows written before.")
    ] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Count which small mistakes the cases notice.")] = False,
    as_json: _Json = False,
) -> None:
    """Write every boundary case of a policy with its outcome, a line of JSON each; or check a policy against them."""
    from voicewarden.config.policy_reader import read_policy

    read = read_policy(policy, config)
    if check is not None:
        raise typer.Exit(_check(read, check, as_json=as_json))
    if mutants:
        raise typer.Exit(_mutants(read, as_json=as_json))
    _write(read, as_json=as_json)


def _write(policy: "Policy", *, as_json: bool) -> None:
    import msgspec

    from voicewarden.policy.compiler import compile_policy
    from voicewarden.proofs.cases import rows_of

    compiled = compile_policy(policy)
    rows = rows_of(compiled)
    if as_json:
        whole = {"policy": policy.name, "hash": compiled.hash, "cases": rows}
        typer.echo(msgspec.json.format(msgspec.json.encode(whole)).decode())
        return
    for row in rows:
        typer.echo(msgspec.json.encode(row).decode())
    typer.echo(f"{len(rows)} cases of {policy.name} {compiled.hash[:12]}", err=True)


def _check(policy: "Policy", file: Path, *, as_json: bool) -> int:
    from voicewarden.cli.console import print_json
    from voicewarden.policy.compiler import compile_policy
    from voicewarden.proofs.case import differences

    rows = _rows(file)
    found = list(differences(compile_policy(policy), rows))
    if as_json:
        plain = [
            {"line": one.line, "action": one.action, "about": one.about, "expected": one.expected, "found": one.found}
            for one in found
        ]
        print_json({"ok": not found, "cases": len(rows), "differences": plain})
        return 1 if found else 0
    for one in found:
        typer.echo(f"{file}:{one.line}: {one.action}: {one.about}: expected {one.expected}, found {one.found}")
    typer.echo(f"{len(rows)} cases: " + (f"{len(found)} differ" if found else "all as expected"))
    return 1 if found else 0


def _rows(file: Path) -> "list[Row]":
    import msgspec

    from voicewarden.model.error import ConfigError
    from voicewarden.proofs.case import Row

    rows: list[Row] = []
    try:
        whole = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        accepted = "a file that `voicewarden policy cases` wrote"
        raise ConfigError("can't be read as text", file=str(file), accepted=accepted) from None
    for line, text in enumerate(whole.removesuffix("\n").split("\n"), 1):
        try:
            rows.append(msgspec.json.decode(text, type=Row))
        except msgspec.DecodeError as error:
            accepted = "rows as `voicewarden policy cases` writes them"
            raise ConfigError(str(error), file=str(file), line=line, accepted=accepted) from error
    return rows


def _mutants(policy: "Policy", *, as_json: bool) -> int:
    from voicewarden.cli.console import print_json
    from voicewarden.proofs.cases import cases_of
    from voicewarden.proofs.survivors import score

    found = score(policy, cases_of(policy))
    if as_json:
        kinds = {
            kind: {"made": tally.made, "killed": tally.killed, "equivalent": tally.equivalent}
            for kind, tally in found.kinds.items()
        }
        print_json(
            {"ok": not found.survivors, "cases": found.cases, "made": found.made, "killed": found.killed,
             "equivalent": len(found.equivalent), "proved_by": found.proved_by, "kinds": kinds,
             "survivors": [mutant.what for mutant in found.survivors]}
        )  # fmt: skip
    else:
        _print_score(found)
    return 1 if found.survivors else 0


def _print_score(found: "Score") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("mistake", "made", "killed", "equivalent", "alive")
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, tally in found.kinds.items():
        alive = tally.made - tally.killed - tally.equivalent
        table.add_row(kind, str(tally.made), str(tally.killed), str(tally.equivalent), str(alive))
    Console().print(table)
    typer.echo(
        f"{found.cases} cases notice {found.killed} of {found.made} small mistakes; {len(found.equivalent)} change "
        f"nothing that can be seen (shown by {found.proved_by}); {len(found.survivors)} live on"
    )
    for mutant in found.survivors:
        typer.echo(f"  not noticed: {mutant.what}")


def cedar(
    policy: _PolicyName,
    config: _Config = Path("config"),
    schema: Annotated[bool, typer.Option("--schema", help="Print the schema instead.")] = False,
    shadows: Annotated[bool, typer.Option("--shadows", help="Print the log-only rules instead.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Let Cedar validate the policies first.")] = False,
    as_json: _Json = False,
) -> None:
    """Print a policy as Cedar: a permit an action, a forbid a rule, ids and severities as annotations."""
    from voicewarden.cli.console import print_json
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.proofs.cedar import export

    read = read_policy(policy, config)
    if check:
        from voicewarden.proofs.cedar_opinion import CedarOpinion

        CedarOpinion(read)
    made = export(read)
    if as_json:
        print_json(
            {"policies": made.policies, "schema": made.schema, "shadows": made.shadows, "otherwise": made.otherwise}
        )
        return
    typer.echo(made.schema if schema else made.shadows if shadows else made.policies, nl=False)
