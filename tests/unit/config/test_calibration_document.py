"""Calibration files: their shape, and how policies are held against them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from voicewarden.config.calibration_document import check_calibration, load_calibration
from voicewarden.config.finding import Findings
from voicewarden.config.policy_reader import read_policy_document
from voicewarden.config.release import load_release
from voicewarden.config.shipped import open_release
from voicewarden.model.error import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "config" / "calibration" / "whisper-tiny.en.json"

# Any: a calibration as plain data, to be spoiled in any place.
Plain = dict[str, Any]


def plain(**changes: Any) -> Plain:
    evidence = {
        "recordings": 100, "items": 80, "wrong": 1, "calls": 80, "speakers": 30, "drawn": 80, "needs": 59,
        "threshold_permille": 550, "accepted": 70, "accepted_wrong": 0, "upper_permille": 42, "auroc_permille": 900,
        "ece_permille": 60, "held_out": None, "curve": [{"accept_permille": 550, "accepted": 70, "wrong": 0}],
    }  # fmt: skip
    whole = {
        "transcriber": "whisper-tiny.en/int8/mulaw-8k", "confidence": "any-spelling/1", "date": "2026-11-23",
        "method": "by hand", "alpha_permille": 50, "delta_permille": 50, "provisional": False, "why": None,
        "data": {"about": "none", "sha256": "0" * 64, "recordings": 100, "calls": 80, "speakers": 30},
        "purposes": {"decide": evidence},
    }  # fmt: skip
    return {**whole, **changes}


def written(tmp_path: Path, data: Plain) -> Path:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def findings(tmp_path: Path, data: Plain) -> list[str]:
    document, source = read_policy_document(ROOT / "config" / "policies" / "organisation.yaml")
    found = Findings()
    check_calibration(document.hearing, source, written(tmp_path, data), found)
    return [f"{error.field}: {error.what} ({error.accepted})" for error in found.errors]


def evidence(**changes: Any) -> Plain:
    return {"decide": {**plain()["purposes"]["decide"], **changes}}


def test_bands_that_rest_on_their_calibration(tmp_path: Path) -> None:
    assert findings(tmp_path, plain()) == []


def test_a_band_under_what_was_shown_is_refused(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, plain(purposes=evidence(threshold_permille=750)))
    assert found.startswith("hearing.bands.decide.accept_permille: found 600")
    assert "at least 750" in found


def test_a_provisional_threshold_binds_nobody(tmp_path: Path) -> None:
    low = plain(purposes=evidence(threshold_permille=750), provisional=True, why="Few voices.")
    assert findings(tmp_path, low) == []


def test_a_calibration_of_another_transcriber_is_refused(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, plain(transcriber="whisper-base/int8/mulaw-8k", provisional=True, why="Few voices."))
    assert found.startswith("hearing.calibration: it was measured for whisper-base")


def test_a_calibration_that_is_not_there_is_demanded() -> None:
    document, source = read_policy_document(ROOT / "config" / "policies" / "organisation.yaml")
    found = Findings()
    check_calibration(document.hearing, source, ROOT / "config" / "calibration" / "nothing.json", found)
    assert [error.field for error in found.errors] == ["hearing.calibration"]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"provisional": True}, "a provisional calibration says why"),
        ({"purposes": evidence(threshold_permille=None)}, "no threshold for decide"),
        ({"purposes": evidence(curve=[{"accept_permille": 1, "accepted": 1, "wrong": 2}])}, "more wrong than accepted"),
        ({"purposes": {}}, "purposes"),
        ({"date": "today"}, "date"),
        ({"data": {"about": "x"}}, "data.sha256"),
        ({"extra": 1}, "unknown key"),
    ],
)
def test_what_is_no_calibration(tmp_path: Path, changes: Plain, wanted: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_calibration(written(tmp_path, plain(**changes)))
    assert wanted in str(error.value)


def test_the_shipped_one_is_for_the_shipped_transcriber() -> None:
    pytest.importorskip("webrtcvad")
    from voicewarden.sensors.spelling import CONFIDENCE
    from voicewarden.sensors.transcriber import IDENTITY

    shipped = load_calibration(SHIPPED)
    assert (shipped.transcriber, shipped.confidence) == (IDENTITY, CONFIDENCE)
    assert shipped.provisional


def configured(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def test_a_release_demands_the_calibration_that_its_policy_names(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (config / "calibration" / "whisper-tiny.en.json").unlink()
    with pytest.raises(ConfigError, match=r"hearing\.calibration: there is no file"):
        load_release(config, ROOT / "agents", policy="outbound-sales", approved=False)


def test_a_release_of_another_transcriber_is_refused_before_any_call(tmp_path: Path) -> None:
    policy = configured(tmp_path) / "policies" / "organisation.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("whisper-tiny.en/int8", "whisper-base/int8"), "utf-8")
    for load in (
        lambda: load_release(tmp_path / "config", ROOT / "agents", policy="outbound-sales", approved=False),
        lambda: open_release("outbound-sales", config=tmp_path / "config"),
    ):
        with pytest.raises(ConfigError, match="thresholds mean nothing for another transcriber"):
            load()
