"""The small real model: what is refused without it, and the completions recorded from it."""

import importlib.util
import json
from pathlib import Path

import pytest

from voicewarden.model.error import MissingPart
from voicewarden.rehearsal import small_model

RECORDED = Path(__file__).parent / "data" / "small_model_completions.jsonl"


def test_a_missing_package_names_the_extra_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match=r"voicewarden\[small-model\]"), small_model.serve_small_model():
        pass
    assert small_model.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_another_model_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / small_model.MODEL_FILE
    file.write_bytes(b"GGUF, but not ours")
    with pytest.raises(MissingPart, match="expected b179c9523d0e"):
        small_model.verify_model(file)


def test_forty_real_completions_are_kept() -> None:
    rows = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 40
    assert all(set(row) == {"prompt", "completion"} and row["completion"] for row in rows)
