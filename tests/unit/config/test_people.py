"""People: who may sign for an erasure; keys are private, stand in the list once, and belong to one name."""

import base64
from pathlib import Path

import pytest

from voicewarden.config.people import make_person_key, may_erase, read_person_key
from voicewarden.model.error import ConfigError


def written(folder: Path, *people: str) -> Path:
    (folder / "people.yaml").write_text("people:\n" + "".join(f"  - {person}\n" for person in people))
    return folder


def person(who: str, public: str, **other: str) -> str:
    fields = {"name": who, "key": f'"{public}"', "may": "[erase]", "why": "privacy", **other}
    return "{" + ", ".join(f"{field}: {value}" for field, value in fields.items()) + "}"


def test_a_key_is_made_listed_and_read(tmp_path: Path) -> None:
    public = make_person_key(tmp_path / "ann.pem")
    assert (tmp_path / "ann.pem").stat().st_mode & 0o777 == 0o600
    private = read_person_key(tmp_path / "ann.pem")
    assert private.public_key().public_bytes_raw() == base64.b64decode(public)
    assert may_erase(written(tmp_path, person("ann", public))) == {"ann": base64.b64decode(public)}


def test_a_locked_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    make_person_key(tmp_path / "ann.pem", b"secret")
    read_person_key(tmp_path / "ann.pem", b"secret")
    for passphrase in (b"", b"other"):
        with pytest.raises(ConfigError, match="passphrase is missing or wrong"):
            read_person_key(tmp_path / "ann.pem", passphrase)


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    make_person_key(tmp_path / "ann.pem")
    with pytest.raises(ConfigError, match="can't be written"):
        make_person_key(tmp_path / "ann.pem")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ann.pem").write_bytes(content)
    with pytest.raises(ConfigError, match="is no key of a person"):
        read_person_key(tmp_path / "ann.pem")
    with pytest.raises(ConfigError, match="can't be read"):
        read_person_key(tmp_path / "none.pem")


def test_a_name_and_a_key_stand_in_the_list_once(tmp_path: Path) -> None:
    keys = [make_person_key(tmp_path / f"{number}.pem") for number in range(2)]
    for people in ((person("ann", keys[0]), person("ann", keys[1])), (person("ann", keys[0]), person("bob", keys[0]))):
        with pytest.raises(ConfigError, match="stands here twice"):
            may_erase(written(tmp_path, *people))


@pytest.mark.parametrize("field", [{"why": '""'}, {"may": "[]"}, {"may": "[read]"}, {"name": '"1 x"'}, {"key": "abc"}])
def test_a_person_has_a_name_a_key_a_right_and_a_reason(tmp_path: Path, field: dict[str, str]) -> None:
    key = make_person_key(tmp_path / "ann.pem")
    with pytest.raises(ConfigError, match=next(iter(field))):
        may_erase(written(tmp_path, person("ann", key, **field)))


def test_without_a_list_nobody_may(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody who may sign"):
        may_erase(tmp_path)
    (tmp_path / "people.yaml").write_text("people: []\n")
    assert may_erase(tmp_path) == {}
