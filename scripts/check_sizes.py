"""Hold the size caps of the house: the tree comes in, a line for each finding goes out; called by scripts/test.

A module of src has at most 400 lines, a test module 600, a function of src 50; no module is named for nothing in
particular; an `__init__.py` of src holds a docstring and re-exports only.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 400
TEST_LINES = 600
FUNCTION_LINES = 50
NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "stuff"})
TOP = Path(__file__).resolve().parent.parent


def findings(top: Path) -> Iterator[str]:
    """Name everything under `top` that breaks a cap, in path order."""
    for path in sorted((top / "src").rglob("*.py")):
        yield from _too_long(path, MODULE_LINES, top)
        yield from _source_findings(path, top)
    for path in sorted((top / "tests").rglob("*.py")):
        yield from _too_long(path, TEST_LINES, top)


def _too_long(path: Path, cap: int, top: Path) -> Iterator[str]:
    count = len(path.read_text(encoding="utf-8").splitlines())
    if count > cap:
        yield f"{path.relative_to(top)}: {count} lines, {cap} are allowed"


def _source_findings(path: Path, top: Path) -> Iterator[str]:
    shown = path.relative_to(top)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.stem in NAMELESS or path.parent.name in NAMELESS:
        yield f"{shown}: named for nothing in particular; name it for the one noun it owns"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES:
                yield f"{shown}:{node.lineno}: {node.name} has {count} lines, {FUNCTION_LINES} are allowed"
    if path.name == "__init__.py":
        for statement in tree.body:
            if not _belongs_in_init(statement):
                yield f"{shown}:{statement.lineno}: an __init__.py holds a docstring and re-exports only"


def _belongs_in_init(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.FunctionDef):
        return statement.name in ("__getattr__", "__dir__")  # re-exports that load nothing before they are used
    if isinstance(statement, ast.If):
        return isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return all(isinstance(target, ast.Name) and target.id.startswith("__") for target in targets)
    return False


def main() -> int:
    """Print the findings and say how it went as an exit code."""
    found = list(findings(TOP))
    print("\n".join(found) if found else "every module and function is within its cap")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
