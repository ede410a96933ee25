"""`voicewarden policy`: check a policy, list its facts, say in English what it asks and why it would refuse.

What the machine can prove about a policy stands in modules of its own: `prove`, `diff`, `cases`, `model_check`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.kernel.release import Release
    from voicewarden.policy.ast import Policy

app = typer.Typer(no_args_is_help=True, help="Check, explain, compare and prove policies.")
PolicyArgument = Annotated[str, typer.Argument(help="A policy file, or the name of one in CONFIG/policies.")]
ConfigOption = Annotated[
    Path, typer.Option("--config", help="The configuration folder; the one around the policy's file if that has one.")
]
AgentsOption = Annotated[Path, typer.Option("--agents", help="The agents' folder.")]


def config_around(policy: str, config: Path) -> Path:
    """The configuration that belongs to a policy: its own where it lies in one, else the one that was named."""
    around = Path(policy).parent.parent
    return around if policy.endswith((".yaml", ".yml")) and (around / "lines.yaml").is_file() else config


def tree_of(policy: str, config: Path) -> "Policy":
    """The tree of a policy. One that can't be read is a usage error: exit 1 says something about policies that can."""
    from voicewarden.config.policy_reader import read_draft
    from voicewarden.model.error import ConfigError

    try:
        return read_draft(policy, config_around(policy, config))
    except ConfigError as error:
        typer.echo(f"voicewarden: {error}", err=True)
        raise typer.Exit(2) from None


def release_of(policy: str, config: Path, agents: Path) -> "Release":
    """The release of a policy, given by name or as a file. Raises ConfigError."""
    from voicewarden.config.release import load_release

    return load_release(config_around(policy, config), agents, policy=policy, approved=True)


@app.command()
def check(policy: PolicyArgument, config: ConfigOption = Path("config"), agents: AgentsOption = Path("agents")) -> None:
    """Check a policy with everything that belongs to it; prints its content hash."""
    from voicewarden.config.finding import errors_of
    from voicewarden.config.shipped import open_release
    from voicewarden.kernel.release import Compiled
    from voicewarden.model.error import ConfigError

    try:
        data, note = release_of(policy, config, agents), ""
    except ConfigError as error:
        strangers = all("which is no agent" in found.what for found in errors_of(error))
        if not strangers or not _has_roles_of_its_own(policy, agents):
            raise
        data = open_release(policy, config=config if (config / "lines.yaml").is_file() else None).release
        note = "\nroles    its own, which no agent here bears: for the API without a phone"
    release = Compiled(data)
    typer.echo(f"{policy}: fine\npolicy   {release.policy.hash}\nrelease  {release.hash}{note}")


def _has_roles_of_its_own(policy: str, agents: Path) -> bool:
    """Whether a file outside of any configuration is about none of the agents that happen to lie here."""
    from voicewarden.config.yaml_file import read_yaml

    if not policy.endswith((".yaml", ".yml")) or (Path(policy).parent.parent / "lines.yaml").is_file():
        return False
    data = read_yaml(Path(policy)).data
    named = {role for action in data.get("actions", {}).values() for role in action.get("requested_by", ())}
    return named.isdisjoint(path.parent.name for path in agents.glob("*/agent.yaml"))


@app.command()
def facts(policy: PolicyArgument, config: ConfigOption = Path("config")) -> None:
    """List the facts that rules may look at, and where each comes from."""
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.policy.vocabulary import BUILT_IN_FACTS, family_facts

    tree = read_policy(policy, config_around(policy, config))
    declared = tree.facts
    for name, kind in sorted({**BUILT_IN_FACTS, **declared, **family_facts(tree)}.items()):
        values = " | ".join(kind.values) if kind.values else kind.kind
        typer.echo(f"{name:<28} {values:<60} {kind.source}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from voicewarden.config.schema import schemas

    typer.echo(schemas()["policy.json"], nl=False)


@app.command()
def code(policy: PolicyArgument, config: ConfigOption = Path("config")) -> None:
    """Print the Python that is generated from a policy and decides in its place."""
    from voicewarden.config.policy_reader import read_policy
    from voicewarden.policy.compiler import compile_policy

    compiled = compile_policy(read_policy(policy, config_around(policy, config)))
    typer.echo(f"# policy {compiled.hash}\n# source {compiled.source_hash}\n{compiled.source}", nl=False)
