"""Silence and keys of a policy file: optional, checked, and only narrowed by a layer."""

from pathlib import Path

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.policy_reader import read_policy
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import Keys, Policy
from voicewarden.proofs.settings_diff import settings_diff

PINNED = (Path(__file__).parent / "data" / "pinned.yaml").read_text(encoding="utf-8")
LADDER = "  backstop_ms: 120000\n"
MORE = "  hold_ms: 30000\n  filler_ms: 2500\n  times_per_call: 8\n"
KEYS = 'keys: {owner: qa-lead, no: "2", person: "0", why: Keys are plain.}\n\n'
HEAD = "policy: layer\nextends: pinned\nowner: team\nabout: A layer.\n"


def written(tmp_path: Path, *, more: str = MORE, keys: str = KEYS) -> Path:
    text = PINNED.replace(LADDER, LADDER + more, 1).replace("call: {", keys + "call: {", 1)
    path = tmp_path / "pinned.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def layered(tmp_path: Path, body: str) -> Policy:
    written(tmp_path)
    layer = tmp_path / "layer.yaml"
    layer.write_text(HEAD + body, encoding="utf-8")
    return read_policy(layer)


def fields(caught: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [error.field for error in errors_of(caught.value)]


def test_the_optional_keys_are_read(tmp_path: Path) -> None:
    policy = read_policy(written(tmp_path))
    silence = policy.silence
    assert (silence.hold_ms, silence.filler_ms, silence.times_per_call) == (30_000, 2_500, 8)
    assert policy.keys == Keys(no="2", person="0")


def test_a_policy_without_them_has_the_bytes_that_it_had(tmp_path: Path) -> None:
    policy = read_policy(written(tmp_path, more="", keys=""))
    assert policy.keys is None and policy.silence.hold_ms == 0
    assert not {b"hold_ms", b"filler_ms", b"times_per_call", b'"keys"'} & {
        name for name in (b"hold_ms", b"filler_ms", b"times_per_call", b'"keys"') if name in canonical_bytes(policy)
    }


@pytest.mark.parametrize(
    ("more", "keys", "field"),
    [
        ("  hold_ms: 4000\n", KEYS, "silence.hold_ms"),
        ("  hold_ms: 130000\n", KEYS, "silence.hold_ms"),
        ("  filler_ms: 500\n", KEYS, "silence.filler_ms"),
        ("  times_per_call: 0\n", KEYS, "silence.times_per_call"),
        (MORE, KEYS.replace('"2"', '"1"'), "keys.no"),
        (MORE, KEYS.replace('"2"', '"9"'), "keys.no"),
        (MORE, KEYS.replace('"2"', '"22"'), "keys.no"),
        (MORE, KEYS.replace('"2"', "2"), "keys.no"),
        (MORE, KEYS.replace('"2"', '"0"'), "keys.person"),
        (MORE, KEYS.replace("why: Keys are plain.", "why: x"), "keys.why"),
        (MORE, KEYS.replace("no:", "entry_pause_ms: 10, no:"), "keys.entry_pause_ms"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(tmp_path: Path, more: str, keys: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(written(tmp_path, more=more, keys=keys))
    assert field in fields(caught)


@pytest.mark.parametrize(
    "body",
    [
        "silence: {hold_ms: 40000, why: More time.}\n",
        "silence: {filler_ms: 2000, times_per_call: 4, why: Less pressing.}\n",
    ],
)
def test_a_layer_gives_more_time_and_presses_less(tmp_path: Path, body: str) -> None:
    assert layered(tmp_path, body).silence != read_policy(written(tmp_path)).silence


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("silence: {hold_ms: 20000, why: Hurry.}\n", "silence.hold_ms"),
        ("silence: {filler_ms: 3000, why: Quiet.}\n", "silence.filler_ms"),
        ("silence: {times_per_call: 9, why: Press.}\n", "silence.times_per_call"),
        ('keys: {no: "3", why: Other keys.}\n', "keys.no"),
        ('keys: {person: "3", why: Other keys.}\n', "keys.person"),
        ("keys: {entry_pause_ms: 3000, why: Numbers.}\n", "keys.entry_pause_ms"),
    ],
)
def test_a_layer_takes_no_time_and_changes_no_key(tmp_path: Path, body: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layered(tmp_path, body)
    assert field in fields(caught)


def test_a_layer_may_bring_keys_but_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "pinned.yaml").write_text(PINNED, encoding="utf-8")
    layer = tmp_path / "layer.yaml"
    layer.write_text(HEAD + KEYS, encoding="utf-8")
    assert read_policy(layer).keys == Keys(no="2", person="0")
    layer.write_text(HEAD + KEYS.replace("no:", "entry_pause_ms: 3000, no:"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_policy(layer)
    assert fields(caught) == ["keys"]


def test_a_diff_says_what_keys_and_numbers_change(tmp_path: Path) -> None:
    plain = read_policy(written(tmp_path, more="", keys=""))
    keyed = read_policy(written(tmp_path))
    numbers = read_policy(written(tmp_path, keys=KEYS.replace("no:", "entry_pause_ms: 3000, no:")))
    found = {setting.field: (setting.new, setting.verdict) for setting in settings_diff(plain, keyed)}
    assert found["keys.no"] == ("2", "changed") and found["silence.hold_ms"] == (30_000, "changed")
    (widened,) = settings_diff(keyed, numbers)
    assert (widened.field, widened.verdict) == ("keys.entry_pause_ms", "widens")
    assert settings_diff(numbers, keyed)[0].verdict == "narrows"
