"""The house rules that no linter can hold alone: a pure core, complete contracts, a light CLI, a clean tree."""

import ast
import configparser
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS_DIR = TOP / "src" / "voicewarden"

ROOMS = frozenset(
    [
        "model", "reading", "policy", "kernel", "proofs", "sensors", "effectors", "ledger", "config",
        "telemetry", "contacts", "oversight", "runtime", "embed", "replay", "rehear", "control", "campaign",
        "pipeline", "telephony", "console", "rehearsal", "cli",
    ]
)
CORE = ("model", "reading", "policy", "kernel")
CORE_MODULES = sorted(path for room in CORE for path in (ROOMS_DIR / room).rglob("*.py"))

# What the core may import beside itself. An allow list: a new dependency of the core is a decision, not an accident.
PURE_IMPORTS = frozenset(
    [
        "__future__", "abc", "array", "ast", "bisect", "collections", "copy", "dataclasses", "datetime",
        "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "itertools", "json", "keyword",
        "math", "msgspec", "numbers", "operator", "re", "string", "struct", "textwrap", "types", "typing",
        "typing_extensions", "unicodedata", "voicewarden",
    ]
)
# Names that read a clock or the world although their module may be imported, or that never need an import.
IMPURE_ATTRIBUTES = frozenset({"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp"})
IMPURE_CALLS = frozenset({"open", "input", "print", "breakpoint", "__import__", "id", "hash"})

HEAVY = ("pipecat", "fastapi", "numpy")
CORE_INSTALL = (*CORE, "ledger", "config", "contacts", "effectors", "runtime", "embed", "replay", "cli")
HOST_STACK = (
    *HEAVY,
    *("ctranslate2", "faster_whisper", "httpx", "onnxruntime", "openai", "piper", "soxr", "starlette", "twilio"),
    *("uvicorn", "webrtcvad", "websockets"),
)


@pytest.fixture(scope="module")
def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(TOP / ".importlinter", encoding="utf-8")
    return parser


def shown(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def names(option: str) -> list[str]:
    return re.findall(r"[\w.*]+", option)


def impurities(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        else:
            modules = []
        for module in modules:
            if module.partition(".")[0] not in PURE_IMPORTS:
                yield f"line {node.lineno} imports {module}"
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
            yield f"line {node.lineno} reads .{node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield f"line {node.lineno} calls {node.func.id}()"
        # The signature of a port may be asynchronous, nothing in the core may wait.
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"line {node.lineno} waits"


def tracked_files() -> list[Path]:
    """Every text file git knows or would add; a copy without git (an unpacked archive) has nothing to check."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout: there are no tracked files to look at")
    return [path for name in listed.stdout.split("\0") if name and (path := TOP / name).is_file()]


def text_of(path: Path) -> str:
    raw = path.read_bytes()
    return "" if b"\0" in raw[:4096] else raw.decode("utf-8", errors="replace")


@pytest.mark.parametrize("path", CORE_MODULES, ids=shown)
def test_core_module_is_pure(path: Path) -> None:
    assert list(impurities(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    ["import time", "from os import path", "import numpy as np", "d.now()", "date.today()", "open('f')", "print(1)"],
)
def test_purity_check_finds(source: str) -> None:
    assert list(impurities(ast.parse(source)))


def test_purity_check_allows_the_types_of_datetime() -> None:
    assert not list(impurities(ast.parse("from datetime import date, timedelta\nday: date\nrest = timedelta(days=1)")))


def test_every_room_has_a_floor(contracts: configparser.ConfigParser) -> None:
    floors = names(contracts["importlinter:contract:floors"]["layers"])
    assert sorted(floors) == sorted(ROOMS)


def test_floors_are_exhaustive(contracts: configparser.ConfigParser) -> None:
    assert contracts["importlinter:contract:floors"].getboolean("exhaustive")


@pytest.mark.parametrize("room", sorted(ROOMS - {"cli"}))
def test_every_room_has_its_own_contract(contracts: configparser.ConfigParser, room: str) -> None:
    """`cli` alone may import everything. A room that is built is named itself, one that is not by its later modules."""
    (source,) = names(contracts[f"importlinter:contract:room-{room}"]["source_modules"])
    built = (ROOMS_DIR / room / "__init__.py").is_file()
    wanted = f"voicewarden.{room}" if built else f"voicewarden.{room}.**"
    assert source == wanted, f"in .importlinter, write {wanted} instead of {source}"


def test_built_rooms_are_named_in_the_other_contracts(contracts: configparser.ConfigParser) -> None:
    """A wildcard leaves out the room's own `__init__`, so it may stand only for a room without one."""
    placeholders = {
        match.group(1)
        for section in contracts.sections()
        for option in ("source_modules", "forbidden_modules")
        for match in re.finditer(r"voicewarden\.(\w+)\.\*\*", contracts[section].get(option, ""))
    }
    assert sorted(room for room in placeholders if (ROOMS_DIR / room / "__init__.py").is_file()) == []


def test_core_contract_names_the_whole_core(contracts: configparser.ConfigParser) -> None:
    sources = names(contracts["importlinter:contract:core-is-pure"]["source_modules"])
    assert [source.removesuffix(".**") for source in sources] == [f"voicewarden.{room}" for room in CORE]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from voicewarden.cli.main import app\n"
        "try:\n"
        "    app(['--help'], prog_name='voicewarden')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    env = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=TOP)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("room", CORE_INSTALL)
def test_core_install_runs_without_the_host_stack(room: str) -> None:
    """Every module of the room imports although the packages of the other extras cannot be found."""
    code = (
        "import importlib, pkgutil, sys\n"
        f"sys.modules.update(dict.fromkeys({HOST_STACK!r}))\n"
        f"package = importlib.import_module('voicewarden.{room}')\n"
        f"for found in pkgutil.walk_packages(package.__path__, 'voicewarden.{room}.'):\n"
        "    if found.name != 'voicewarden.cli.wiring':  # what `serve` alone loads: all rooms meet there\n"
        "        importlib.import_module(found.name)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=TOP)
    assert run.returncode == 0, run.stderr


def test_package_alone_loads_no_room() -> None:
    code = "import sys, voicewarden; print(sorted(name for name in sys.modules if name.startswith('voicewarden.')))"
    env = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=TOP, check=True)
    assert run.stdout.strip() == "[]"


# Spelled in parts, so that this file does not find itself.
INDEX_ADDRESS = re.compile(
    r"--(?:extra-)?index-" + r"url[ =]\S|https?://" + r"(?:files|registry|deb|pypi)\.|https?://[a-z.]+/" + r"simple\b"
)
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.-])/(?:" + "work|root" + r")/")


def offending(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{shown(path)}:{number}"
        for path in tracked_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_index_address_in_the_tree() -> None:
    assert offending(INDEX_ADDRESS) == []


def test_no_machine_path_in_the_tree() -> None:
    assert offending(MACHINE_PATH) == []


def test_locks_carry_hashes_and_no_torch() -> None:
    for lock in sorted((TOP / "requirements").glob("*.txt")):
        entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
        pinned = [entry for entry in entries if re.match(r"[\w.\[\],-]+==", entry)]
        assert pinned, lock.name
        assert [entry.splitlines()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
        assert not [entry for entry in pinned if re.match(r"torch(vision|audio)?==", entry)]


def test_core_lock_leaves_the_host_stack_out() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (TOP / "requirements" / "core.txt").read_text(encoding="utf-8"), re.M))
    assert locked.isdisjoint({"pipecat-ai", "faster-whisper", "fastapi", "numpy", "openai", "twilio", "uvicorn"})
