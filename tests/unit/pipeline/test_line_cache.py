"""Rendered lines come back as they were, or not at all."""

from pathlib import Path

from voicewarden.pipeline.line_cache import LineCache


def test_a_sound_comes_back_for_its_voice_and_text_only(tmp_path: Path) -> None:
    LineCache(tmp_path, "joe").put("Goodbye.", b"\x01\x02" * 160)
    assert LineCache(tmp_path, "joe").get("Goodbye.") == b"\x01\x02" * 160
    assert LineCache(tmp_path, "amy").get("Goodbye.") is None
    assert LineCache(tmp_path, "joe").get("Hello.") is None


def test_a_damaged_sound_is_rendered_again(tmp_path: Path) -> None:
    cache = LineCache(tmp_path, "joe")
    cache.put("Goodbye.", b"\x01\x02" * 160)
    (file,) = tmp_path.glob("*.s16")
    file.write_bytes(file.read_bytes()[:-2] + b"\xff\xff")
    assert cache.get("Goodbye.") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = LineCache(blocked, "joe")
    cache.put("Goodbye.", b"\x00\x00")
    assert cache.get("Goodbye.") is None
