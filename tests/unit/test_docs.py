"""The documents say what is there: commands, keys, links, hashes and rooms are compared with the program itself."""

import configparser
import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from voicewarden.cli.main import app
from voicewarden.config.settings import variables
from voicewarden.model.canonical import digest_of
from voicewarden.model.record import GENESIS, chain_hash

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted([TOP / "ARCHITECTURE.md", TOP / "README.md", *(TOP / "docs").rglob("*.md")])
ARCHITECTURE_LINES = 200

# Any: blocks of a JSON schema are trees of anything.
Tree = dict[str, Any]


def text_of(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def shown(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.S | re.M)


def commands(language: str = "sh") -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8"), language):
            for line in block.replace("\\\n", " ").splitlines():
                yield shown(page), line.strip()


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or a higher one."""
    marks = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{2,{len(marks)}}} |\Z)", text, re.S | re.M)
    return found[1] if found else ""


def code_words(text: str) -> set[str]:
    """Words within backticks, also the parts of dotted ones."""
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}


OURS = [(page, line) for page, line in commands() if line.startswith("voicewarden ")]


def test_there_are_commands_to_check() -> None:
    assert len(OURS) >= 15


@pytest.mark.parametrize(("page", "line"), OURS, ids=[f"{page}: {line}" for page, line in OURS])
def test_a_command_that_is_shown_exists(page: str, line: str) -> None:
    words = shlex.split(re.sub(r" [<>] \S+", "", line))[1:]  # what the shell takes for itself
    # Any: typer's command classes; a group has `commands`, and ours take no options of their own.
    command: Any = get_command(app)
    name = "voicewarden"
    while hasattr(command, "commands"):
        name, words = words[0], words[1:]
        assert name in command.commands, f"{page}: {name} is no command"
        command = command.commands[name]
    # Parses without running; an unknown option, a missing argument or a wrong value raises a usage error.
    command.make_context(name, words)


def test_every_command_is_shown() -> None:
    def leaves(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(path)
        for name, child in (inner or {}).items():
            yield from leaves(child, (*path, name))

    lines = [line for _, line in OURS]
    missing = {
        name
        for name in leaves(get_command(app), ("voicewarden",))
        if name != "voicewarden version" and not any(f"{line} ".startswith(f"{name} ") for line in lines)
    }
    assert missing == set()


def test_programs_that_are_shown_exist() -> None:
    for page, line in commands():
        for path in re.findall(r"(?<![\w/.-])(?:benchmarks|scripts|deploy)/[\w./-]+", line):
            assert (TOP / path).is_file(), f"{page} shows {path}"
        for module in re.findall(r"python -m (voicewarden[\w.]+)", line):
            place = TOP / "src" / Path(*module.split("."))
            assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), f"{page} shows {module}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_relative_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{shown(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_page_names_a_machine_or_an_index(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    places = r"(?<![\w.])/(?:work|root|home|tmp|Users)/\S*"
    addresses = r"file://\S*|(?:extra-)?index-url\S*|\S*/simple/\S*"
    assert re.findall(f"{places}|{addresses}", text) == []


def test_files_that_the_architecture_names_exist() -> None:
    named = re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", text_of("ARCHITECTURE.md"))
    assert len(named) > 20
    assert [name for name in named if not (TOP / "src" / "voicewarden" / name).is_file()] == []


def test_the_architecture_stays_short() -> None:
    assert len(text_of("ARCHITECTURE.md").splitlines()) < ARCHITECTURE_LINES


def test_the_table_of_rooms_is_that_of_the_import_contracts() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(TOP / ".importlinter", encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|\s*([^|\n]*?)\s*\|$", section(text_of("ARCHITECTURE.md"), "## Rooms"), re.M)
    told = {room: set(re.findall(r"`(\w+)`", cell)) for room, cell in rows if not cell.startswith("all")}
    for room, others in told.items():
        held = contracts[f"importlinter:contract:room-{room}"].get("ignore_imports", "")
        assert others == set(re.findall(r"-> voicewarden\.(\w+)", held)) - {"model"}, room
    built = {path.name for path in (TOP / "src" / "voicewarden").iterdir() if (path / "__init__.py").is_file()}
    assert {room for room, _ in rows} == built


def keys_under(schema: Tree, node: Tree, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every key that can stand somewhere below a node of the schema."""
    reference = node.get("$ref", "")
    if reference in above:
        return
    if reference:
        yield from keys_under(schema, schema["$defs"][reference.rpartition("/")[2]], above | {reference})
    yield from node.get("properties", {})
    inner = [*node.get("properties", {}).values(), *node.get("patternProperties", {}).values(), *node.get("anyOf", [])]
    for child in (*inner, node.get("items"), node.get("additionalProperties")):
        if isinstance(child, dict):
            yield from keys_under(schema, child, above)


def test_the_policy_page_explains_every_key() -> None:
    schema: Tree = json.loads(text_of("schema/policy.json"))
    page = text_of("docs/policy.md")
    assert len(schema["properties"]) > 10
    for name, block in schema["properties"].items():
        told = code_words(section(page, f"### `{name}`"))
        assert told or name in ("policy", "extends", "owner", "about"), f"docs/policy.md has no section on {name}"
        assert set(keys_under(schema, block)) - told == set(), f"docs/policy.md, section {name}"


def test_the_policy_page_names_every_built_in_fact() -> None:
    from voicewarden.policy.vocabulary import BUILT_IN_FACTS

    told = section(text_of("docs/policy.md"), "## Built-in facts")
    assert [name for name in BUILT_IN_FACTS if f"`{name}`" not in told] == []


def test_the_settings_page_names_every_key_and_variable() -> None:
    told = section(text_of("docs/running-agents.md"), "## Settings")
    for variable, route in variables().items():
        assert f"| `{'.'.join(map(str, route))}` | `{variable}` |" in told


def test_the_vector_of_the_ledger_format_recomputes() -> None:
    records = [json.loads(line) for line in blocks(text_of("docs/ledger-format.md"), "json")[0].splitlines()]
    assert len(records) == 2
    last = GENESIS
    for at, record in enumerate(records):
        assert (record["seq"], record["prev_hash"]) == (at, last)
        body = record["body"].encode()
        header = f"{last}|{record['stream']}|{record['seq']}|{record['at_ms']}|{record['kind']}|".encode()
        last = hashlib.sha256(b"vw/rec/v1\x00" + header + body).hexdigest()
        assert last == record["hash"]
        fields = [record[name] for name in ("stream", "seq", "at_ms", "kind")]
        assert last == chain_hash(*fields, body, record["prev_hash"])


def test_the_digest_of_the_ledger_format_recomputes() -> None:
    found = re.search(r"`(\{[^`]+\})` has\s+`([0-9a-f]{64})`", text_of("docs/ledger-format.md"))
    assert found is not None
    assert digest_of(json.loads(found[1])) == found[2]
