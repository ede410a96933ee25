"""`voicewarden policy`: check a policy, list its facts, say in English what it asks."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check and explain policies.")
_Policy = Annotated[str, typer.Argument(help="Name of a policy in CONFIG/policies, such as outbound-sales.")]
_Config = Annotated[Path, typer.Option("--config", help="The configuration folder.")]
_Agents = Annotated[Path, typer.Option("--agents", help="The agents' folder.")]


@app.command()
def check(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """Check a policy with everything that belongs to it; prints its content hash."""
    from voicewarden.config.release import load_release
    from voicewarden.kernel.release import Compiled

    release = Compiled(load_release(config, agents, policy=policy, approved=False))
    typer.echo(f"{policy}: fine. policy {release.policy.hash}  release {release.hash}")


@app.command()
def facts(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """List the facts that rules may look at, and where each comes from."""
    from voicewarden.config.release import load_release
    from voicewarden.policy.vocabulary import BUILT_IN_FACTS

    declared = load_release(config, agents, policy=policy, approved=False).policy.facts
    for name, kind in sorted({**BUILT_IN_FACTS, **declared}.items()):
        values = " | ".join(kind.values) if kind.values else kind.kind
        typer.echo(f"{name:<20} {values:<60} {kind.source}")


@app.command()
def explain(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """Say in English what every action needs."""
    from voicewarden.config.release import load_release
    from voicewarden.policy.reasons import needed

    for name, rule in sorted(load_release(config, agents, policy=policy, approved=False).policy.actions.items()):
        typer.echo(f"{name}: {rule.why}")
        for item in rule.require:
            typer.echo(f"  needs {needed(item.condition)}, or else {item.otherwise}: {item.why}")
        for limit in rule.limits:
            typer.echo(f"  at most {limit.at_most} in a call, or else {limit.otherwise}: {limit.why}")
        typer.echo("  stages: " + ", ".join(f"{stage} {effect}" for stage, effect in rule.stages.items()))
