"""Keys: made once, private, rotated with the old ones kept, and never replaced silently."""

from pathlib import Path

import pytest

from voicewarden.config.keys import KEY_NAMES, Keys
from voicewarden.model.error import ConfigError


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    directory = tmp_path / "var" / "keys"
    first, second = Keys.open(directory), Keys.open(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    files = sorted(directory.iterdir())
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * len(KEY_NAMES)
    assert first.grant_seal == second.grant_seal
    assert first.contact_peppers == second.contact_peppers
    assert first.list() == second.list()
    assert len(first.grant_seal) == len(first.contact_peppers[0]) == 32
    assert first.grant_seal != first.contact_peppers[0]


def test_what_is_shown_holds_no_secret(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    shown = repr(keys.list()) + repr(keys)
    assert keys.grant_seal.hex() not in shown
    assert [info.name for info in keys.list()] == list(KEY_NAMES)
    assert all(info.active and len(info.id) == 16 for info in keys.list())


def test_checkpoints_are_signed_and_verified(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    signature = keys.checkpoint_signing.sign(b"tree head")
    keys.checkpoint_signing.public_key().verify(signature, b"tree head")
    assert keys.checkpoint_public[keys.active_id("checkpoint-signing")] == (
        keys.checkpoint_signing.public_key().public_bytes_raw()
    )


@pytest.mark.parametrize("name", ["grant-seal", "checkpoint-signing", "content-wrapping"])
def test_rotation_keeps_the_old_keys(tmp_path: Path, name: str) -> None:
    keys = Keys.open(tmp_path / "keys")
    seal, public, wrapping = keys.grant_seals, keys.checkpoint_public, keys.wrapping
    info = keys.rotate(name)  # type: ignore[arg-type]  # the parameter is one of the names
    assert info.id == keys.active_id(info.name)
    assert [(item.name, item.active) for item in keys.list() if item.name == name] == [(name, True), (name, False)]
    assert seal.items() <= keys.grant_seals.items()
    assert public.items() <= keys.checkpoint_public.items()
    assert wrapping.items() <= keys.wrapping.items()
    assert Keys.open(tmp_path / "keys").list() == keys.list()


def test_the_pepper_is_not_rotated_without_confirmation(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    old = keys.contact_peppers
    with pytest.raises(ConfigError, match="changes the hash of every telephone number"):
        keys.rotate("contact-pepper")
    assert keys.contact_peppers == old
    keys.rotate("contact-pepper", confirmed=True)
    assert keys.contact_peppers[1:] == old


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="accepted: grant-seal, checkpoint-signing, contact-pepper"):
        Keys.open(tmp_path / "keys").rotate("other")  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_wide_directory_is_refused(tmp_path: Path, mode: int) -> None:
    Keys.open(tmp_path / "keys")
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(ConfigError, match=r"others may read it .* run chmod 700"):
        Keys.open(tmp_path / "keys")


def test_a_wide_file_is_refused(tmp_path: Path) -> None:
    Keys.open(tmp_path / "keys")
    path = next((tmp_path / "keys").glob("grant-seal*"))
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"grant-seal.*others may read it .* run chmod 600"):
        Keys.open(tmp_path / "keys")


@pytest.mark.parametrize("name", ["contact-pepper", "checkpoint-signing"])
def test_a_lost_key_is_not_replaced(tmp_path: Path, name: str) -> None:
    Keys.open(tmp_path / "keys")
    next((tmp_path / "keys").glob(f"{name}*")).unlink()
    with pytest.raises(ConfigError, match=f"the key {name} is gone; restore it"):
        Keys.open(tmp_path / "keys")


def test_a_first_start_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    Keys.open(tmp_path / "keys")
    pepper = Keys.open(tmp_path / "keys").contact_peppers
    for name in ("content-wrapping", "grant-seal", "checkpoint-signing"):
        next((tmp_path / "keys").glob(f"{name}*")).unlink()
    assert Keys.open(tmp_path / "keys").contact_peppers == pepper


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"name": "grant-seal", "generation": 1, "created": "", "secret": "AA=="}']
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    Keys.open(tmp_path / "keys")
    next((tmp_path / "keys").glob("grant-seal*")).write_bytes(content)
    with pytest.raises(ConfigError, match="is no key file; restore it"):
        Keys.open(tmp_path / "keys")
