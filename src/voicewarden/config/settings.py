"""Settings: `voicewarden.yaml` and the environment come in, `Settings` go out; called by the command line and `serve`.

Every key has an environment variable (`listen.port` is VOICEWARDEN_LISTEN_PORT) that outranks the file. Secrets are
only taken from there or from a file that a `*_file` key names. Paths are relative to the file.
"""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr

from voicewarden.config.finding import Findings
from voicewarden.config.validation import Document, shown, validate
from voicewarden.config.yaml_file import Data, Place, Route, YamlFile, field_of, plain_scalar, read_yaml
from voicewarden.model.error import ConfigError

PREFIX: Final = "VOICEWARDEN_"
_LONGEST_SECRET: Final = 4096

Url = Annotated[str, Field(max_length=300, pattern=r"^https?://[^\s/]+(/\S*)?$")]
Text = Annotated[str, Field(min_length=1, max_length=300)]


class ListenSettings(Document):
    """Where the server listens."""

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8765


class TwilioSettings(Document):
    """The carrier; `base_url` stands for its REST address, another one leads to the simulator."""

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-zA-Z]{8,64}$")] | None = None
    auth_token: SecretStr | None = None
    auth_token_file: Text | None = None
    from_number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    base_url: Url = "https://api.twilio.com"


class ModelSettings(Document):
    """The language model's OpenAI-compatible endpoint; deadlines count from the request."""

    base_url: Url = "http://127.0.0.1:8766/v1"
    name: Text = "scripted"
    api_key: SecretStr | None = None
    api_key_file: Text | None = None
    token_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    knows_developer_role: bool = True
    tokens_wanted: Annotated[int, Field(ge=1, le=100_000)] = 200
    temperature_permille: Annotated[int, Field(ge=0, le=2_000)] | None = None
    first_token_ms: Annotated[int, Field(ge=100, le=60_000)] = 3_000
    first_sentence_ms: Annotated[int, Field(ge=100, le=60_000)] = 6_000
    idle_ms: Annotated[int, Field(ge=100, le=60_000)] = 2_500


class SpeechSettings(Document):
    """The voice; `prerender` makes the fixed lines ready before the first call."""

    prerender: bool = True


class TranscriberSettings(Document):
    """The shared transcriber and its bounded queue."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    queue: Annotated[int, Field(ge=1, le=1_000)] = 16


class CalendarSettings(Document):
    """The directory in which appointments are kept, and the zone that local times are of."""

    directory: Text | None = None
    zone: Text = "UTC"


class GateSettings(Document):
    """How the gate is watched: a policy that only logs beside the active one, and the interpreter's second opinion."""

    shadow_policy: Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    second_opinion: bool = False


class DiskSettings(Document):
    """How full the ledger's disk may get before calls are refused, and before nothing acts; and what is kept free."""

    warn_percent: Annotated[int, Field(ge=1, le=100)] = 80
    no_calls_percent: Annotated[int, Field(ge=1, le=100)] = 90
    no_effects_percent: Annotated[int, Field(ge=1, le=100)] = 95
    ballast_mb: Annotated[int, Field(ge=0, le=10_000)] = 64
    every_s: Annotated[int, Field(ge=1, le=3_600)] = 5


class WitnessSettings(Document):
    """Who co-signs the ledger's checkpoints; without an address, nobody does."""

    url: Url | None = None
    key: Annotated[str, Field(max_length=300, pattern=r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$")] | None = None


class RetentionSettings(Document):
    """How many days what was said is kept, and its sound, each with its reason; without a number, for ever."""

    words_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    words_why: Text | None = None
    audio_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    audio_why: Text | None = None
    owner: Text | None = None


class SettingsDocument(Document):
    """The file, and what the environment adds."""

    profile: Literal["production", "development"] = "production"
    policy: Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9-]*$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    config_dir: Text = "."
    agents_dir: Text = "../agents"
    var_dir: Text = "../var"
    keys_dir: Text | None = None
    ledger: Text | None = None
    public_base_url: Url | None = None
    listen: ListenSettings = ListenSettings()
    twilio: TwilioSettings = TwilioSettings()
    model: ModelSettings = ModelSettings()
    speech: SpeechSettings = SpeechSettings()
    transcriber: TranscriberSettings = TranscriberSettings()
    calendar: CalendarSettings = CalendarSettings()
    gate: GateSettings = GateSettings()
    witness: WitnessSettings = WitnessSettings()
    disk: DiskSettings = DiskSettings()
    retention: RetentionSettings = RetentionSettings()


class Settings:
    """The settings with their paths resolved; `file` is what they came from."""

    def __init__(self, document: SettingsDocument, file: Path) -> None:
        base = file.resolve().parent
        self.file = file
        self.profile = document.profile
        self.policy = document.policy
        self.language = document.language
        self.config_dir = (base / document.config_dir).resolve()
        self.agents_dir = (base / document.agents_dir).resolve()
        self.var_dir = (base / document.var_dir).resolve()
        self.keys_dir = (base / document.keys_dir).resolve() if document.keys_dir else self.var_dir / "keys"
        ledger = document.ledger
        self.ledger_path = (base / ledger).resolve() if ledger else self.var_dir / "ledger.db"
        calendar = document.calendar.directory
        self.calendar_dir = (base / calendar).resolve() if calendar else self.var_dir / "calendar"
        self.zone = document.calendar.zone
        self.public_base_url = document.public_base_url
        self.listen = document.listen
        self.twilio = document.twilio
        self.model = document.model
        self.speech = document.speech
        self.transcriber = document.transcriber
        self.gate = document.gate
        self.witness = document.witness
        self.disk = document.disk
        self.retention = document.retention

    @property
    def is_development(self) -> bool:
        """Whether unapproved files may run, on loopback only."""
        return self.profile == "development"


def load_settings(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ConfigError with all findings; no text holds a secret."""
    source = read_yaml(file)
    findings = Findings()
    for route in _secret_routes():
        _refuse_in_file(source, route, findings)
    _overlay(source, os.environ if environment is None else environment, findings)
    _read_secret_files(source, file.resolve().parent, findings)
    findings.raise_if_any()
    document = validate(SettingsDocument, source)
    _check(document, source, findings)
    findings.raise_if_any()
    return Settings(document, file)


def variables() -> dict[str, Route]:
    """Every environment variable that is read, and the key it sets."""
    return {PREFIX + "_".join(str(part) for part in route).upper(): route for route in _routes(SettingsDocument, ())}


def _routes(model: type[BaseModel], route: Route) -> list[Route]:
    found: list[Route] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _routes(inner, (*route, name))
        else:
            found.append((*route, name))
    return found


def _secret_routes() -> list[Route]:
    everything = _routes(SettingsDocument, ())
    return [route for route in everything if (*route[:-1], f"{route[-1]}_file") in everything]


def _variable(route: Route) -> str:
    return PREFIX + "_".join(str(part) for part in route).upper()


def _refuse_in_file(source: YamlFile, route: Route, findings: Findings) -> None:
    section = source.data.get(str(route[0]))
    if isinstance(section, dict) and section.pop(str(route[1]), None) is not None:
        accepted = f"{_variable(route)} in the environment, or {route[-1]}_file with a path"
        source.complain(findings, route, "a secret must not stand in this file; remove it and change it", accepted)


def _overlay(source: YamlFile, environment: Mapping[str, str], findings: Findings) -> None:
    """Put the variables into the data, so that one validation sees both."""
    numbers = _typed_routes()
    secrets = set(_secret_routes())
    for variable, route in variables().items():
        text = environment.get(variable)
        if text is None or text == "":
            continue
        section: Any = source.data
        for part in route[:-1]:
            section = section.setdefault(str(part), {})
            if not isinstance(section, dict):
                break
        if not isinstance(section, dict):
            continue
        value: object = SecretStr(text) if route in secrets else plain_scalar(text) if route in numbers else text
        section[str(route[-1])] = value
        source.places[route] = Place(f"${variable}", 1)


def _typed_routes() -> set[Route]:
    schema = SettingsDocument.model_json_schema()
    typed: set[Route] = set()
    for name, entry in schema["properties"].items():
        target = schema["$defs"].get(str(entry.get("$ref", "")).rpartition("/")[2], {})
        for key, inner in target.get("properties", {}).items():
            kinds = {choice.get("type") for choice in (inner, *inner.get("anyOf", []))}
            if kinds & {"integer", "boolean"}:
                typed.add((name, key))
    return typed


def _read_secret_files(source: YamlFile, base: Path, findings: Findings) -> None:
    for route in _secret_routes():
        section: Data | None = source.data.get(str(route[0]))
        if not isinstance(section, dict) or str(route[1]) in section:
            continue
        key = f"{route[1]}_file"
        name = section.get(key)
        if not isinstance(name, str):
            continue
        try:
            text = (base / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            source.complain(findings, (route[0], key), "the file can't be read", "a file that holds the secret alone")
            continue
        if not text or len(text) > _LONGEST_SECRET or "\n" in text:
            source.complain(findings, (route[0], key), "the file holds no secret", "one line with the secret alone")
            continue
        section[str(route[1])] = SecretStr(text)


def _check(document: SettingsDocument, source: YamlFile, findings: Findings) -> None:
    if document.profile == "development" and not is_loopback(document.listen.host):
        what = f"found {shown(document.listen.host)}: the development profile runs unapproved files"
        source.complain(findings, ("listen", "host"), what, "127.0.0.1, ::1, localhost; or profile: production")
    try:
        ZoneInfo(document.calendar.zone)
    except (ValueError, OSError, KeyError):
        what = f"found {shown(document.calendar.zone)}, which is no time zone"
        source.complain(findings, ("calendar", "zone"), what, "a name such as America/New_York")
    disk = document.disk
    if not disk.warn_percent <= disk.no_calls_percent <= disk.no_effects_percent:
        what = f"found {disk.warn_percent}, {disk.no_calls_percent} and {disk.no_effects_percent}: they must not fall"
        source.complain(findings, ("disk",), what, "warn_percent <= no_calls_percent <= no_effects_percent")
    _check_retention(document.retention, source, findings)
    public = document.public_base_url
    if document.profile == "production" and public is not None and not public.startswith("https://"):
        source.complain(findings, ("public_base_url",), f"found {shown(public)}", "an https:// address in production")


def _check_retention(given: RetentionSettings, source: YamlFile, findings: Findings) -> None:
    periods = ("words", given.words_days, given.words_why), ("audio", given.audio_days, given.audio_why)
    for name, days, why in periods:
        if days is not None and (why is None or given.owner is None):
            what = f"{name}: destroyed after {days} days, and nobody says why or answers for it"
            source.complain(findings, ("retention", f"{name}_days"), what, f"{name}_why and owner beside it")
    if given.words_days is not None and given.audio_days is not None and given.audio_days > given.words_days:
        what = f"found {given.audio_days} days: sound says what the words said"
        source.complain(findings, ("retention", "audio_days"), what, f"at most {given.words_days}, as for words")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def settings_error(variable: str, needed_for: str) -> ConfigError:
    """What to raise when a setting that may be absent is needed after all."""
    route = variables()[variable]
    return ConfigError(f"is not set, and {needed_for} needs it; set {variable}", field=field_of(route))
