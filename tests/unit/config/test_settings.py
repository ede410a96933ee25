"""Settings: file and environment together, secrets never from the file, development on loopback only."""

from pathlib import Path

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.settings import Settings, is_loopback, load_settings, settings_error, variables
from voicewarden.model.error import ConfigError

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "voicewarden.yaml"


def settings(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "config" / "voicewarden.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environment)


def test_the_shipped_file_is_read() -> None:
    shipped = load_settings(SHIPPED, {})
    assert shipped.is_development
    assert shipped.agents_dir == SHIPPED.parents[1] / "agents"
    assert shipped.config_dir == SHIPPED.parent
    assert shipped.keys_dir == SHIPPED.parents[1] / "var" / "keys"


def test_defaults_are_those_of_production(tmp_path: Path) -> None:
    found = settings(tmp_path, "policy: x\n")
    assert (found.profile, found.listen.host, found.model.first_token_ms) == ("production", "127.0.0.1", 3000)
    assert found.ledger_path == (tmp_path / "var" / "ledger.db").resolve()
    assert found.twilio.auth_token is None


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, "policy: x\nvar_dir: here\nledger: other/l.db\ncalendar: {directory: c}\n")
    top = (tmp_path / "config").resolve()
    assert (found.var_dir, found.ledger_path, found.calendar_dir) == (top / "here", top / "other/l.db", top / "c")


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "policy: x\nlisten: {port: 1}\n",
        VOICEWARDEN_LISTEN_PORT="9000", VOICEWARDEN_POLICY="y", VOICEWARDEN_SPEECH_PRERENDER="false",
        VOICEWARDEN_TWILIO_FROM_NUMBER="+15555550100", VOICEWARDEN_MODEL_NAME="7", VOICEWARDEN_LANGUAGE="",
        VOICEWARDEN_MODEL_TEMPERATURE_PERMILLE="700",
    )  # fmt: skip
    assert (found.listen.port, found.policy, found.speech.prerender) == (9000, "y", False)
    assert found.model.temperature_permille == 700
    assert (found.twilio.from_number, found.model.name, found.language) == ("+15555550100", "7", "en")


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, "policy: x\n", VOICEWARDEN_LISTEN_PORT="many")
    assert (caught.value.file, caught.value.field) == ("$VOICEWARDEN_LISTEN_PORT", "listen.port")


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    text = "policy: x\nmodel: {api_key_file: ../key}\n"
    found = settings(tmp_path, text, VOICEWARDEN_TWILIO_AUTH_TOKEN="from-env")
    assert found.twilio.auth_token is not None
    assert found.model.api_key is not None
    assert found.twilio.auth_token.get_secret_value() == "from-env"
    assert found.model.api_key.get_secret_value() == "from-file"
    assert "from-" not in repr(found.twilio) + repr(found.model)


@pytest.mark.parametrize("section", ["twilio: {auth_token: hunter2}", "model: {api_key: hunter2}"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, section: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"policy: x\n{section}\n")
    assert "must not stand in this file" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.line == 2


@pytest.mark.parametrize("content", ["", "a\nb\n"])
def test_a_secret_file_holds_one_secret(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"model\.api_key_file: the file holds no secret"):
        settings(tmp_path, "policy: x\nmodel: {api_key_file: ../key}\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_development_listens_on_loopback_only(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="runs unapproved files") as caught:
        settings(tmp_path, f"policy: x\nprofile: development\nlisten: {{host: '{host}'}}\n")
    assert (caught.value.field, caught.value.line) == ("listen.host", 3)
    assert settings(tmp_path, f"policy: x\nlisten: {{host: '{host}'}}\n").listen.host == host


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("profile: test\npolicy: x", "profile"),
        ("listen: {port: 70000}\npolicy: x", "listen.port"),
        ("listen: 80\npolicy: x", "listen"),
        ("profile: production", "policy"),
        ("policy: x\npublic_base_url: http://example.org", "public_base_url"),
        ("policy: x\ncalendar: {zone: Mars/Olympus}", "calendar.zone"),
        ("policy: x\ntwilio: {from_number: '5550100'}", "twilio.from_number"),
        ("policy: x\nmodle: {}", "modle"),
        ("policy: x\ndisk: {no_effects_percent: 101}", "disk.no_effects_percent"),
        ("policy: x\ndisk: {warn_percent: 95}", "disk"),
    ],
)
def test_wrong_settings_name_their_field(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text + "\n")
    assert [error.field for error in errors_of(caught.value)] == [field]


def test_loopback() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.8.8.8")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("127.0.0.1.example.org")


def test_a_setting_that_is_needed_after_all_names_its_variable() -> None:
    assert "VOICEWARDEN_TWILIO_ACCOUNT_SID" in variables()
    error = settings_error("VOICEWARDEN_TWILIO_ACCOUNT_SID", "placing a call")
    assert str(error).startswith("twilio.account_sid: is not set, and placing a call needs it; set VOICEWARDEN_TWILIO_")
