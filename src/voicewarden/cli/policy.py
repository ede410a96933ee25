"""`voicewarden policy`: check a policy, list its facts, say in English what it asks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.kernel.release import Release

app = typer.Typer(no_args_is_help=True, help="Check and explain policies.")
_Policy = Annotated[str, typer.Argument(help="A policy file, or the name of one in CONFIG/policies.")]
_Config = Annotated[Path, typer.Option("--config", help="The configuration folder.")]
_Agents = Annotated[Path, typer.Option("--agents", help="The agents' folder.")]


def _load(policy: str, config: Path, agents: Path) -> "Release":
    """The release of a policy, given by name or as a file `CONFIG/policies/NAME.yaml`."""
    from voicewarden.config.release import load_release

    if policy.endswith((".yaml", ".yml")):
        file = Path(policy)
        config, policy = file.parent.parent, file.stem
    return load_release(config, agents, policy=policy, approved=True)


@app.command()
def check(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """Check a policy with everything that belongs to it; prints its content hash."""
    from voicewarden.kernel.release import Compiled

    release = Compiled(_load(policy, config, agents))
    typer.echo(f"{policy}: fine\npolicy   {release.policy.hash}\nrelease  {release.hash}")


@app.command()
def facts(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """List the facts that rules may look at, and where each comes from."""
    from voicewarden.policy.vocabulary import BUILT_IN_FACTS

    declared = _load(policy, config, agents).policy.facts
    for name, kind in sorted({**BUILT_IN_FACTS, **declared}.items()):
        values = " | ".join(kind.values) if kind.values else kind.kind
        typer.echo(f"{name:<20} {values:<60} {kind.source}")


@app.command()
def explain(policy: _Policy, config: _Config = Path("config"), agents: _Agents = Path("agents")) -> None:
    """Say in English what every action needs."""
    from voicewarden.policy.reasons import needed

    for name, rule in sorted(_load(policy, config, agents).policy.actions.items()):
        typer.echo(f"{name}: {rule.why}")
        for item in rule.require:
            typer.echo(f"  needs {needed(item.condition)}, or else {item.otherwise}: {item.why}")
        for limit in rule.limits:
            typer.echo(f"  at most {limit.at_most} in a call, or else {limit.otherwise}: {limit.why}")
        typer.echo("  stages: " + ", ".join(f"{stage} {effect}" for stage, effect in rule.stages.items()))
