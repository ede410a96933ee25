"""`voicewarden policy explain`, `why` and `flips`: a policy, a past decision and a shadow in plain English.

In: a policy and, if wanted, a situation; or a ledger. Out: sentences, or JSON.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicewarden.cli.policy import AgentsOption, ConfigOption, PolicyArgument, config_around, release_of

if TYPE_CHECKING:
    from voicewarden.model.action import Value
    from voicewarden.model.decision import Decision
    from voicewarden.policy.ast import ActionRule

_Ledger = Annotated[Path, typer.Argument(help="The ledger's file, such as var/demo/ledger.db.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def explain(
    policy: PolicyArgument,
    action: Annotated[str, typer.Option("--action", help="Only this action.")] = "",
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", help="NAME=VALUE: decide --action where this is known; may be given again."),
    ] = None,
    stage: Annotated[str, typer.Option("--stage", help="observe, assist, bounded or autonomous.")] = "bounded",
    role: Annotated[str, typer.Option("--role", help="The agent role that asks.")] = "",
    config: ConfigOption = Path("config"),
    agents: AgentsOption = Path("agents"),
    as_json: _Json = False,
) -> None:
    """Say in English what every action needs; with --fact what would be decided, why, and what is left to be earned."""
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.policy.waiting import what_keys_mean, when_nobody_speaks

    if fact is not None or as_json:
        _decide(policy, action, fact or [], stage, role, config, agents, as_json=as_json)
        return
    tree = read_policy(policy, config_around(policy, config))
    if action and action not in tree.actions:
        raise typer.BadParameter(f"found {action!r}; one of {', '.join(sorted(tree.actions))}", param_hint="--action")
    for name, rule in sorted(tree.actions.items()):
        if action in ("", name):
            typer.echo("\n".join(_told(name, rule)))
    if not action:
        typer.echo("\n  ".join(("when nobody speaks:", *when_nobody_speaks(tree))))
        typer.echo(f"keys:\n  {what_keys_mean(tree)}")


def _told(name: str, rule: "ActionRule") -> list[str]:
    from voicewarden.policy.reasons import limit_needed, needed

    lines = [f"{name}: {rule.why} (owner: {rule.owner})"]
    if rule.requested_by:
        lines.append("  may be asked for by: " + ", ".join(rule.requested_by))
    for item in rule.require:
        shadow = "only logs: " if item.shadow else ""
        lines.append(f"  {shadow}needs {needed(item.condition)}, or else {item.otherwise}: {item.why}")
    for limit in rule.limits:
        shadow = "only logs: " if limit.shadow else ""
        lines.append(f"  {shadow}{limit_needed(limit)}, or else {limit.otherwise}: {limit.why}")
    if rule.cooldown_ms:
        lines.append(f"  at least {rule.cooldown_ms} ms between two")
    if rule.question:
        lines.append(f"  asks: {rule.question}")
    lines.append("  stages: " + (", ".join(f"{stage} {effect}" for stage, effect in rule.stages.items()) or "none"))
    return lines


def why(
    path: _Ledger,
    call: Annotated[str, typer.Argument(help="The call's id.")],
    seq: Annotated[int | None, typer.Argument(help="Number of one decision's record; all of them without it.")] = None,
    as_json: _Json = False,
) -> None:
    """Say why each thing in a recorded call was allowed or refused, and what was still to be earned."""
    import msgspec

    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.model.content import readable
    from voicewarden.model.decision import Decision
    from voicewarden.model.error import LedgerError

    records = Ledger.read(path).read_stream(f"call:{call}")
    chosen = [record for record in records if record.kind == "decision" and seq in (None, record.seq)]
    if not chosen:
        what = f"record {seq} of that call is no decision" if seq is not None and records else "there is no such call"
        raise LedgerError(f"{what} in {path}; `voicewarden report` lists the calls of a ledger")
    decisions = [msgspec.json.decode(readable(record.kind, record.body), type=Decision) for record in chosen]
    if as_json:
        print_json([_as_data(decision) for decision in decisions])
        return
    for decision in decisions:
        typer.echo(f"#{decision.seq} {decision.at_ms / 1000:.1f} s  {_sentence(decision)}")


def flips(path: _Ledger, as_json: _Json = False) -> None:
    """List which decisions shadow rules and shadow policies would have flipped."""
    import msgspec

    from voicewarden.cli.console import print_json
    from voicewarden.ledger.store import Ledger
    from voicewarden.replay.flips import flips_of

    decisions, found = flips_of(Ledger.read(path))
    if as_json:
        print_json({"decisions": decisions, "flips": [msgspec.to_builtins(flip) for flip in found]})
        return
    typer.echo(f"{decisions} decisions, {sum(flip.decisions for flip in found)} would have been others")
    for flip in found:
        change = flip.change
        by = f"the policy {change.source}" if change.source != "rules" else "a shadow rule"
        typer.echo(
            f"{flip.decisions:>5} x {change.action}: {change.active} would be {change.verdict} by {by} "
            f"({', '.join(change.rules) or 'no rule stands against it'}), in {len(flip.calls)} calls; the first: "
            f"call {flip.first[0]}, record {flip.first[1]}"
        )


def _decide(
    policy: str, action: str, facts: list[str], stage: str, role: str, config: Path, agents: Path, *, as_json: bool
) -> None:
    from voicewarden.cli.console import print_json
    from voicewarden.embed.judge import Given, Judge, Row
    from voicewarden.kernel.arguments import sample_arguments
    from voicewarden.kernel.release import Compiled
    from voicewarden.model.action import STAGES, Value

    release = Compiled(release_of(policy, config, agents))
    known = release.policy.policy.actions
    chosen = [action] if action else sorted(known)
    given = next((item for item in STAGES if item == stage), None)
    if given is None:
        raise typer.BadParameter(f"found {stage!r}; one of {', '.join(STAGES)}", param_hint="--stage")
    parsed: dict[str, Value | Given | None] = dict(_fact(fact) for fact in facts)
    judge, told = Judge(release).judge, []
    for name in chosen:
        args = sample_arguments(release.data, known[name]) if name in known else {}
        try:
            judged = judge(Row(action=name, args=args, facts=parsed, stage=given, role=role))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--fact") from None
        told.append(judged.decision)
    if as_json:
        print_json([_as_data(decision) for decision in told])
        return
    for decision in told:
        typer.echo(_sentence(decision))


def _fact(text: str) -> tuple[str, "Value"]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise typer.BadParameter(f"found {text!r}; write NAME=VALUE, such as answerer=human", param_hint="--fact")
    if value in ("true", "false"):
        return name, value == "true"
    return name, int(value) if value.removeprefix("-").isdecimal() else value


def _sentence(decision: "Decision") -> str:
    from voicewarden.policy.reasons import sentence, still_to_earn

    told = sentence(decision)
    left = still_to_earn(decision)
    return f"{told} Still to be earned: {'; '.join(left)}." if left else told


def _as_data(decision: "Decision") -> dict[str, object]:
    import msgspec

    from voicewarden.policy.reasons import sentence, still_to_earn

    data: dict[str, object] = msgspec.to_builtins(decision)
    return {**data, "sentence": sentence(decision), "still_to_earn": list(still_to_earn(decision))}
