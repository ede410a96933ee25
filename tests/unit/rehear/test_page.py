"""The page about a rehearing: everything is on it, nothing is loaded, and no caller can write markup."""

import re
from pathlib import Path

import pytest
from spoken import Texts, defaults, release, talk

from voicewarden.rehear.page import write_page
from voicewarden.rehear.rehearing import Told, rehear

SIDES = talk(("caller", 600), ("agent", 3000), ("agent", 1500), ("caller", 1200))
TEXTS = (
    "Hello, I am an automated assistant of Maple Lane Studio.", "It is 99 dollars.", "Hello?",
    "<script>alert(1)</script> stop calling me",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("page") / "call.html"
    found = rehear(SIDES, release(), Texts(*TEXTS), Told("booking", "outbound", defaults()))
    assert write_page(target, "a <b>call</b>", found, SIDES) == target
    assert target.stat().st_mode & 0o077 == 0
    return target.read_text(encoding="utf-8")


def test_it_shows_what_was_heard_and_permitted(page: str) -> None:
    for wanted in (
        "What was heard", "What was permitted", "approved line disclosures.ai", "our gate would have refused it",
        "Our policy would have ended it", "opt out", "To keep in mind", "data:audio/wav;base64,",
    ):  # fmt: skip
        assert wanted in page
    assert page.count("<tr>") >= 3
    assert re.search(r'class="badge confirm" data-ms="\d+"', page)


def test_words_of_a_call_are_no_markup(page: str) -> None:
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert "<b>call</b>" not in page


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page).replace("http-equiv", "")


def test_a_recording_that_is_too_long_for_a_page_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicewarden.rehear.page.LARGEST_SOUND_BYTES", 1_000)
    found = rehear(SIDES, release(), Texts(*TEXTS), Told("booking", "outbound", defaults()))
    content = write_page(tmp_path / "x.html", "x", found, SIDES).read_text(encoding="utf-8")
    assert "too long to be carried" in content and "data:audio" not in content
