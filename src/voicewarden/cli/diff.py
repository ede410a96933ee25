"""`voicewarden policy diff`: what another version of a policy allows more, less, or otherwise, with calls that show it.

In: two policies, by name or as files anywhere, and the configuration that calls are played in. Out: a text for the
people who sign a policy, or JSON; exit 1 when anything widens, so that a policy's repository can gate on it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicewarden.cli.policy import AgentsOption, ConfigOption, config_around, tree_of

if TYPE_CHECKING:
    from rich.console import Console

    from voicewarden.kernel.release import Compiled
    from voicewarden.model.action import Value
    from voicewarden.proofs.diff import ActionDiff, Counterexample, Diff

_STYLES = {"widens": "bold red", "incomparable": "bold red", "narrows": "green", "changed": "yellow"}
_MEANING = {
    "widens": "allows more than before", "narrows": "allows less than before",
    "incomparable": "allows more in some situations and less in others",
}  # fmt: skip
_Old = Annotated[str, typer.Argument(metavar="OLD", help="The policy as it is: a file, or a name in CONFIG/policies.")]
_New = Annotated[str, typer.Argument(metavar="NEW", help="The policy as it would be.")]


def diff(
    old: _Old, new: _New, config: ConfigOption = Path("config"), agents: AgentsOption = Path("agents"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Compare two policies, action by action; exit 1 when anything is allowed more than before."""
    import time

    from voicewarden.cli.console import print_json
    from voicewarden.proofs.diff import diff as compare

    before, after = tree_of(old, config), tree_of(new, config)
    release, missing = _release((new, old), config, agents)
    began = time.perf_counter()
    found = compare(before, after, release=release, defaults=(_defaults(old, config), _defaults(new, config)))
    ms = round((time.perf_counter() - began) * 1000)
    if as_json:
        print_json(as_data(found, ms))
    else:
        _print(found, old, new, missing, ms)
    raise typer.Exit(1 if found.widens else 0)


def _release(policies: tuple[str, ...], config: Path, agents: Path) -> tuple["Compiled | None", str]:
    """Words, lines and agents to play calls with; without them the difference is found all the same."""
    from voicewarden.config.release import load_release
    from voicewarden.kernel.release import Compiled
    from voicewarden.model.error import ConfigError

    missing = ""
    for policy in policies:
        try:
            release = load_release(config_around(policy, config), agents, policy=policy, approved=True)
        except ConfigError as error:
            missing = missing or str(error).partition("\n")[0]
        else:
            return Compiled(release), ""
    return None, missing


def _defaults(policy: str, config: Path) -> "dict[str, Value]":
    from voicewarden.config.policy_reader import fact_defaults

    return fact_defaults(config_around(policy, config), policy)


# Any: JSON out.
def as_data(found: "Diff", ms: int) -> dict[str, Any]:
    """A difference as JSON."""
    import msgspec

    return {
        "widens": found.widens,
        "actions": {name: msgspec.to_builtins(entry) for name, entry in found.actions.items()},
        "settings": [msgspec.to_builtins(setting) for setting in found.settings],
        "ms": ms,
    }


def _print(found: "Diff", old: str, new: str, missing: str, ms: int) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"[bold]{_plain(old)} → {_plain(new)}[/]")
    same = [name for name, entry in found.actions.items() if entry.verdict == "equivalent" and not entry.changes]
    for name, entry in found.actions.items():
        if name not in same:
            _print_action(console, name, entry)
    if found.settings:
        _print_settings(console, found)
    if same:
        console.print(f"\nDecided as before, in every situation: {', '.join(same)}.")
    if missing:
        console.print(f"\nNo calls are shown: {_plain(missing)}")
    style, verdict = ("bold red", "Something is allowed more than before.") if found.widens else (
        "green", "Nothing is allowed more than before.")  # fmt: skip
    console.print(f"\n[{style}]{verdict}[/] ({ms} ms)")


def _print_action(console: "Console", name: str, entry: "ActionDiff") -> None:
    what = _MEANING.get(entry.verdict, "is decided as before, but on other terms")
    style = _STYLES.get(entry.verdict, "yellow")
    console.print(f"\n[{style}]{name} {entry.verdict}[/]: it {what}.")
    for change in entry.changes:
        console.print(f"  - {_plain(change.what)} [{_STYLES[change.verdict]}]({change.verdict})[/]")
    for example in (*((entry.counterexample,) if entry.counterexample else ()), *entry.further):
        _print_counterexample(console, example)


def _print_counterexample(console: "Console", shown: "Counterexample") -> None:
    from rich.padding import Padding

    console.print(Padding(f"For example: {_plain(shown.told)}", (0, 0, 0, 2)))
    for index, line in enumerate(shown.call or ()):
        style = "bold" if index == len(shown.call or ()) - 1 else "dim"
        moment, _, text = line.partition(" ")
        console.print(Padding(f"[cyan]{moment}[/] [{style}]{_plain(text)}[/]", (0, 0, 0, 4)))


def _print_settings(console: "Console", found: "Diff") -> None:
    from rich.table import Table

    table = Table(title="Settings", title_justify="left", title_style="bold")
    for column in ("field", "old", "new", "direction"):
        table.add_column(column, overflow="fold")
    for setting in found.settings:
        direction = f"[{_STYLES[setting.verdict]}]{setting.verdict}[/]"
        table.add_row(_plain(setting.field), _shown(setting.old), _shown(setting.new), direction)
    console.print()
    console.print(table)


# Any: a setting's value, of whichever type the policy gives it.
def _shown(value: Any) -> str:
    import json

    return "-" if value is None else _plain(value if isinstance(value, str) else json.dumps(value))


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
