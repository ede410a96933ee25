"""A number that a caller keyed in is shown as dots, whoever shows it; the records keep it, so that the call replays."""

import html
from pathlib import Path

import pytest
from tests.fakes.rig import Rig, with_policy

from voicewarden.kernel.release import encode_release
from voicewarden.ledger.store import Ledger
from voicewarden.model.directive import TellModel
from voicewarden.model.event import DtmfPressed
from voicewarden.policy.ast import Keys
from voicewarden.replay.entries import Entries, read_entries
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.keyed import DOT
from voicewarden.replay.report import write_report

NUMBER = "47113"


@pytest.fixture
def rig() -> Rig:
    """A caller who keys a number in, and later a key that means something by itself."""
    made = Rig(with_policy({"keys": Keys(no="2", person="0", entry_pause_ms=3_000)}))
    made.hear("where is my order?")
    made.propose("What is your order number?", ends=True)
    made.play()
    for digit in f"{NUMBER}#":
        made.press(digit)
    made.question()
    made.press("1")
    return made


def keys(entries: Entries) -> list[str]:
    return [entry.value.digit for entry in entries.items if isinstance(entry.value, DtmfPressed)]


def test_digits_of_a_number_are_dots_and_other_keys_stay(rig: Rig) -> None:
    entries = read_entries(rig.records)
    assert keys(entries) == [DOT] * (len(NUMBER) + 1) + ["1"]
    told = [entry.value for entry in entries.items if isinstance(entry.value, TellModel)]
    assert {"digits": DOT * len(NUMBER)} in [item.result for item in told if item.action == "keypad"]
    assert entries.problems == ()


def test_the_report_shows_no_digit_and_the_call_replays(rig: Rig, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.put_blob(encode_release(rig.release.data))
        ledger.submit(rig.records)
        ledger.flush()
        page = write_report(ledger, "c1", tmp_path / "page.html").read_text(encoding="utf-8")
        assert replay_call(ledger.read_stream("call:c1"), Releases(ledger.get_blob)).ok
    shown = html.unescape(page)
    assert NUMBER not in shown and '"digit":"4"' not in shown and f'"digit":"{DOT}"' in shown
    assert f"the caller pressed {DOT}" in page and "the caller pressed 1" in page
