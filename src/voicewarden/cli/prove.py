"""`voicewarden policy prove`, and the same at a server's start: what a policy can never allow.

In: a policy, and at the start the ledger. Out: a table or JSON; a receipt in the ledger's stream `control`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from voicewarden.cli.policy import ConfigOption, PolicyArgument, config_around, tree_of

if TYPE_CHECKING:
    from voicewarden.ledger import Ledger
    from voicewarden.policy.ast import Policy
    from voicewarden.proofs.receipt import NotProved, Receipt

    _Kept = TypeVar("_Kept", Receipt, NotProved)

_NO_SOLVER = "z3 is not installed"


def prove(
    policy: PolicyArgument,
    config: ConfigOption = Path("config"),
    second_solver: Annotated[
        bool, typer.Option("--second-solver", help="Ask cvc5 every question too; both must agree.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove what a policy can never allow; exit 1 when something is not proved, with a situation that shows it."""
    from voicewarden.cli.console import print_json
    from voicewarden.config.policy_reader import read_base

    tree, base = tree_of(policy, config), read_base(policy, config_around(policy, config))
    from voicewarden.proofs.theorems import prove as prove_policy

    receipt = prove_policy(tree, base=base, second_solver=second_solver)
    if as_json:
        print_json(as_data(receipt))
    else:
        _print_table(receipt)
    raise typer.Exit(0 if receipt.ok else 1)


# Any: JSON out.
def as_data(receipt: "Receipt") -> dict[str, Any]:
    """A receipt as JSON; a theorem without a counterexample has null there."""
    import msgspec

    theorems = [
        {
            "name": item.name, "proved": item.proved, "ms": item.ms, "says": item.says,
            "counterexample": None if item.proved else {
                "action": item.action, "told": item.told,
                "context": msgspec.to_builtins(item.counterexample),
            },
        }
        for item in receipt.theorems
    ]  # fmt: skip
    return {
        "ok": receipt.ok, "policy": receipt.policy, "name": receipt.name, "base": receipt.base or None,
        "solver": receipt.solver, "ms": sum(item.ms for item in receipt.theorems), "theorems": theorems,
    }  # fmt: skip


def _print_table(receipt: "Receipt") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console, table = Console(), Table()
    for column in ("theorem", "proved", "ms", "what it says (--json has all of it)"):
        table.add_column(column, justify="right" if column == "ms" else "left", no_wrap=column == "theorem")
    for item in receipt.theorems:
        says = item.says.partition(". ")[0].rstrip(".") + "."
        table.add_row(item.name, "[green]yes" if item.proved else "[red]NO", str(item.ms), escape(says))
    console.print(table)
    for item in receipt.unproved:
        about = f" ({item.action})" if item.action else ""
        console.print(f"[red]not proved[/red]: {item.name}{about}: {escape(item.told)}", highlight=False)
    proved = len(receipt.theorems) - len(receipt.unproved)
    console.print(f"{receipt.name} {receipt.policy[:12]}: {proved} of {len(receipt.theorems)} proved by "
                  f"{receipt.solver}", highlight=False)  # fmt: skip


def prove_at_start(
    ledger: "Ledger", policy: "Policy", *, base: "Policy | None", production: bool, unix_ms: int
) -> str:
    """Prove the policy that goes into force, once for each policy and solver, and keep the receipt in the ledger.

    Returns one line for the operator, empty when everything is proved. Without a solver that is noted and nothing else
    happens: the solver is an extra. Raises ConfigError in production for a policy of which something is disproved,
    also when only the ledger knows. Blocks for about a second.
    """
    from voicewarden.model.canonical import digest_of
    from voicewarden.model.error import ConfigError, MissingPart
    from voicewarden.proofs.receipt import RECEIPT_STREAM, NotProved, Receipt, receipts_in

    name = digest_of(policy)
    before = receipts_in(ledger.read_stream(RECEIPT_STREAM), name)
    receipts = [note for note in before if isinstance(note, Receipt)]
    try:
        receipt = _known(receipts, base) or _keep(ledger, _proved(policy, base), unix_ms)
    except MissingPart:
        if not receipts:
            if not before:
                _keep(ledger, NotProved(policy=name, why=_NO_SOLVER), unix_ms)
            return f"policy {policy.name} is not proved: {_NO_SOLVER} (pip install 'voicewarden[proofs]')"
        receipt = receipts[-1]
    if receipt.ok:
        return ""
    told = "; ".join(f"{item.name}: {item.told}" for item in receipt.unproved)
    if production:
        raise ConfigError(f"policy {policy.name} does not hold what every policy must, {told}", field="policy")
    return f"policy {policy.name} is not proved, which production refuses. {told}"


def _proved(policy: "Policy", base: "Policy | None") -> "Receipt":
    from voicewarden.proofs.theorems import prove as prove_policy

    return prove_policy(policy, base=base)


def _known(receipts: "list[Receipt]", base: "Policy | None") -> "Receipt | None":
    """The last receipt by this solver for all of today's theorems. Raises MissingPart without a solver."""
    from voicewarden.model.canonical import digest_of
    from voicewarden.proofs.solver import solver_name
    from voicewarden.proofs.theorems import names_of

    wanted, under = names_of(base=base is not None), "" if base is None else digest_of(base)
    for receipt in reversed(receipts):
        same = receipt.solver.startswith(solver_name()) and receipt.base == under
        if same and {*wanted} <= {theorem.name for theorem in receipt.theorems}:
            return receipt
    return None


def _keep(ledger: "Ledger", note: "_Kept", unix_ms: int) -> "_Kept":
    from voicewarden.proofs.receipt import receipt_record

    stream, kind, body = receipt_record(note)
    ledger.append(stream, unix_ms, kind, body)
    ledger.flush()
    return note
