"""Law 10. Nothing on the audio path blocks: no disk, signature, network or sleep between an event and its directive."""

import ast
import inspect
from pathlib import Path

import pytest
from tests.fakes.journal import Stage, begin
from tests.fakes.rig import TOP

from voicewarden.runtime.loop import CallLoop

SRC = TOP / "src" / "voicewarden"
ON_THE_PATH = (
    *sorted((SRC / "kernel").rglob("*.py")), *sorted((SRC / "reading").glob("*.py")),
    *sorted((SRC / "policy").glob("*.py")), SRC / "runtime" / "loop.py", SRC / "runtime" / "seal.py",
    *(SRC / "pipeline" / f"{name}.py" for name in ("ear", "mouth", "playout", "timeline", "pacing")),
    *(SRC / "sensors" / f"{name}.py" for name in ("segments", "turns", "memory")),
)  # fmt: skip
BLOCKING = {"fsync", "sleep", "connect", "urlopen", "read_bytes", "read_text", "write_bytes", "write_text", "open",
            "sign", "acquire", "result"}  # fmt: skip


def blocking_calls(source: str) -> list[str]:
    """Calls in synchronous code that could wait for something outside of this process."""
    found = []
    tree = ast.parse(source)
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in awaited:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in BLOCKING:
                found.append(f"{name} in line {node.lineno}")
    return found


@pytest.mark.parametrize("path", ON_THE_PATH, ids=lambda path: str(path.relative_to(SRC)))
def test_law_10_no_blocking_call_stands_on_the_audio_path(path: Path) -> None:
    assert blocking_calls(path.read_text(encoding="utf-8")) == []


def test_law_10_the_check_would_find_one() -> None:
    assert blocking_calls("import os\nos.fsync(3)\ntime.sleep(1)\n") == ["fsync in line 2", "sleep in line 3"]
    assert blocking_calls("async def f():\n    await asyncio.sleep(0)\n") == []


async def test_law_10_from_event_to_directive_nothing_is_awaited() -> None:
    assert not inspect.iscoroutinefunction(CallLoop.post)
    stage = Stage()
    stage.journal.hold = True
    begin(stage)
    # No turn of the event loop has passed, the disk has not answered, and the voice was told already.
    assert "voice Speak" in stage.diary
