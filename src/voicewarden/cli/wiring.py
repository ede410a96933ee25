"""Puts the server together: settings, keys, ledger, speech, transcriber, carrier, web application.

In: a settings file. Out: `Server`, which runs until it is told to stop. The only place where all rooms meet.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI

import voicewarden.pipeline.quiet  # noqa: F401  # before pipecat: it must not log what people say
from voicewarden.cli.duties import on_duty, tell_unknown, watch_disk
from voicewarden.cli.prove import prove_at_start
from voicewarden.cli.retain import periods_of, retain_daily
from voicewarden.config.approvals import demand_approval
from voicewarden.config.keys import Keys
from voicewarden.config.policy_reader import fact_defaults, read_base
from voicewarden.config.release import load_release
from voicewarden.config.settings import Settings, load_settings
from voicewarden.config.tool_schema import tool_schemas
from voicewarden.contacts.register import Contacts
from voicewarden.kernel.release import Compiled, Release, encode_release
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.model.action import Value
from voicewarden.model.canonical import digest_of
from voicewarden.model.error import ConfigError, SpeechFailed
from voicewarden.pipeline.hearing import Transcribing
from voicewarden.pipeline.line_cache import LineCache
from voicewarden.pipeline.llm import certificates
from voicewarden.pipeline.settings import AgentVoice, LineSettings, ModelSettings, ToolShape
from voicewarden.pipeline.speech import Rendering
from voicewarden.pipeline.speech_client import SpeechClient, SpeechServer
from voicewarden.pipeline.speech_server import VOICE_SHA256
from voicewarden.policy.ast import Policy
from voicewarden.reading.sentence import Cutter
from voicewarden.replay.labels import Reviews
from voicewarden.runtime.calls import Calls
from voicewarden.runtime.outfit import Outfit, hours_of
from voicewarden.runtime.process import settle_process
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.switchboard import Switchboard, Watch
from voicewarden.runtime.wall import unix_ms
from voicewarden.sensors.queue import SharedTranscriber
from voicewarden.sensors.transcriber import Transcriber
from voicewarden.telephony.account import Account
from voicewarden.telephony.app import create_app
from voicewarden.telephony.carrier import TwilioCarrier
from voicewarden.telephony.desk import Desk
from voicewarden.telephony.local import add_local
from voicewarden.telephony.local_file import SERVER_FILE, write_server_file
from voicewarden.telephony.tokens import Tokens

DEVELOPMENT_BANNER: Final = "DEVELOPMENT PROFILE: unapproved files may run, on loopback only"
_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_PLACE: Final = "{"
_WAYS_OUT: Final = ("safe", "trouble", "goodbye", "opt_out.goodbye", "silence.goodbye")


@dataclass(slots=True)
class Server:
    """A server that is ready to take calls."""

    settings: Settings
    app: FastAPI
    switchboard: Switchboard


def account_of(settings: Settings) -> Account:
    """The carrier account. Raises ConfigError that names what is missing."""
    twilio, public = settings.twilio, settings.public_base_url
    missing = [
        name
        for name, value in (
            ("twilio.account_sid", twilio.account_sid), ("twilio.auth_token", twilio.auth_token),
            ("twilio.from_number", twilio.from_number), ("public_base_url", public),
        )
        if not value
    ]  # fmt: skip
    if missing or twilio.account_sid is None or twilio.auth_token is None or twilio.from_number is None or not public:
        raise ConfigError(
            f"{', '.join(missing)} must be set to take or place calls; docs/twilio.md says where to find them",
            file=str(settings.file),
        )
    return Account(
        twilio.account_sid, twilio.auth_token.get_secret_value(), twilio.from_number, public, twilio.base_url
    )


def agent_voices(release: Release) -> dict[str, AgentVoice]:
    """The agents as the language model sees them."""
    voices = {}
    for name, agent in release.agents.items():
        schemas = {schema.name: schema for schema in tool_schemas(release, name)}
        tools = tuple(
            ToolShape(tool.name, tool.action, tool.about, schemas[tool.name].properties, schemas[tool.name].required)
            for tool in agent.tools
            if tool.name in schemas
        )
        voices[name] = AgentVoice(agent.prompt, tools)
    return voices


def declared_defaults(settings: Settings, release: Release) -> dict[str, Value]:
    """Declared facts that hold for every call of this deployment, from the defaults in the policy file."""
    return fact_defaults(settings.config_dir, release.policy.name)


@asynccontextmanager
async def open_server(settings: Settings, *, inbound_agent: str) -> AsyncIterator[Server]:
    """Open everything that calls need, and close it again; raises ConfigError and MissingPart with one clear line."""
    account = account_of(settings)
    data = load_release(
        settings.config_dir, settings.agents_dir, policy=settings.policy, approved=not settings.is_development,
        language=settings.language, shadow=settings.gate.shadow_policy,
    )  # fmt: skip
    if not settings.is_development:
        demand_approval(settings.config_dir, digest_of(data))
    keys = Keys.open(settings.keys_dir)
    settings.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    speech = SpeechServer()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(speech.stop)
        ledger = stack.enter_context(Ledger.open(settings.ledger_path, ballast_bytes=settings.disk.ballast_mb << 20))
        stack.enter_context(_sequencer(settings, keys, ledger))
        # The slow starts side by side; all are waited for, so that none goes on behind an error of another.
        heard, spoken, compiled, *others = await asyncio.gather(
            asyncio.to_thread(Transcriber.load, threads=settings.transcriber.threads),
            speech.start(),
            asyncio.to_thread(_compile, data, second_opinion=settings.gate.second_opinion),
            asyncio.to_thread(_prove, settings, data.policy, ledger),
            asyncio.to_thread(certificates),
            return_exceptions=True,
        )
        model, release = _given(heard), _given(compiled)
        for other in (spoken, *others):
            _given(other)
        _demand_own_thresholds(data, model.identity)
        transcriber = SharedTranscriber(model, capacity=settings.transcriber.queue)
        stack.callback(transcriber.close)
        async with SpeechClient(speech.url) as client:
            cache = LineCache(settings.var_dir / "lines", VOICE_SHA256)
            await client.prerender(_fixed_lines(release.data, ways_out=not settings.speech.prerender), cache)
            server = assemble(
                settings, account, release, keys, ledger, speech=client, transcriber=transcriber,
                inbound_agent=inbound_agent,
            )  # fmt: skip
            async with on_duty(_duties(server, ledger, speech, client)):
                yield server
                await server.switchboard.close()


def _duties(server: Server, ledger: Ledger, speech: SpeechServer, client: SpeechClient) -> set[asyncio.Task[None]]:
    """What goes on beside the calls until the server stops."""
    settings = server.settings
    return {
        asyncio.create_task(_keep_speaking(speech, client), name="speech server"),
        asyncio.create_task(watch_disk(ledger, settings.disk, server.switchboard), name="disk"),
        asyncio.create_task(tell_unknown(ledger), name="unknown outcomes"),
        asyncio.create_task(retain_daily(ledger, periods_of(settings.retention)), name="retention"),
    }


def _compile(data: Release, *, second_opinion: bool) -> Compiled:
    release = Compiled(data, second_opinion=second_opinion)
    release.warm_up()
    return release


def _sequencer(settings: Settings, keys: Keys, ledger: Ledger) -> Sequencer:
    """What keeps the ledger's tree and signs for it, off the path of any call."""
    witness = settings.witness
    return Sequencer.of(
        ledger, keys.checkpoint_signing, keys.checkpoint_public, witness_url=witness.url or "",
        witness_key=witness.key or "",
    )  # fmt: skip


def _prove(settings: Settings, policy: Policy, ledger: Ledger) -> None:
    """Keep the proof of the policy that goes into force; production does not start under a disproved one."""
    told = prove_at_start(
        ledger, policy, base=read_base(settings.policy, settings.config_dir),
        production=not settings.is_development, unix_ms=unix_ms(),
    )  # fmt: skip
    if told:
        _LOG.warning("%s", told)


_Result = TypeVar("_Result")


def _given(result: _Result | BaseException) -> _Result:
    if isinstance(result, BaseException):
        raise result
    return result


async def _keep_speaking(speech: SpeechServer, client: SpeechClient) -> None:
    """Start the speech server again when it dies; until then only pre-rendered lines can be said."""
    pause_s = _FIRST_PAUSE_S
    while True:
        await speech.wait()
        _LOG.error("the speech server has ended; it is started again in %.1f s", pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        try:
            await speech.start()
        except SpeechFailed as failed:
            _LOG.error("%s", failed)
        else:
            client.url, pause_s = speech.url, _FIRST_PAUSE_S


def _demand_own_thresholds(release: Release, identity: str) -> None:
    """Thresholds belong to one transcriber, model and codec; they mean nothing for another."""
    wanted = release.policy.hearing.transcriber
    if wanted != identity:
        raise ConfigError(
            f"the policy's confidence bands are for the transcriber {wanted}, but {identity} is running; calibrate it "
            "and write its own bands",
            field="hearing.transcriber", accepted=identity,
        )  # fmt: skip


def _fixed_lines(release: Release, *, ways_out: bool) -> list[str]:
    """Lines that are always the same; with `ways_out` only those that must be sayable when nothing else works."""
    return [
        text
        for name, text in release.lines.items()
        if not name.startswith("message.")
        and _PLACE not in text
        and (not ways_out or name in _WAYS_OUT)
    ]


def _model(settings: Settings) -> ModelSettings:
    given = settings.model
    permille = given.temperature_permille
    return ModelSettings(
        base_url=given.base_url, model=given.name,
        api_key=given.api_key.get_secret_value() if given.api_key else "unused",
        token_field=given.token_field, knows_developer_role=given.knows_developer_role,
        tokens_wanted=given.tokens_wanted, first_token_ms=given.first_token_ms,
        first_sentence_ms=given.first_sentence_ms, idle_ms=given.idle_ms,
        temperature=None if permille is None else permille / 1000,
    )  # fmt: skip


def assemble(
    settings: Settings, account: Account, release: Compiled, keys: Keys, ledger: Ledger, *, speech: Rendering,
    transcriber: Transcribing, inbound_agent: str, watch: Watch | None = None,
) -> Server:  # fmt: skip
    """Put a server together from parts that are open; who opened them closes them. Writes `server.json`."""
    ledger.put_blob(encode_release(release.data))
    vault = Vault.open(ledger.path, keys.wrapping, keys.directory)
    ledger.seal_with(vault)
    newest, *older = keys.contact_peppers
    contacts = Contacts(ledger, newest, older=tuple(older))
    calls = Calls()
    carrier = TwilioCarrier(account, calls, release.data.destinations)
    zone = ZoneInfo(settings.zone)
    outfit = Outfit(
        release.data, var_dir=settings.var_dir, calendar_dir=settings.calendar_dir, zone=zone, carrier=carrier,
        number_of=lambda call: found.number if (found := calls.get(call)) else None,
        hours=hours_of(settings.config_dir / "catalogue.yaml", zone),
        # Rehearsals book fixed dates, which may lie in the past by then.
        earliest=None if settings.is_development else lambda: datetime.now(zone),
    )  # fmt: skip
    outfit.check()
    switchboard = Switchboard(
        release, ledger=ledger, contacts=contacts, sealer=Sealer(keys.grant_seal), calls=calls, carrier=carrier,
        effectors=outfit.effectors, development=settings.is_development, watch=watch, vault=vault,
    )  # fmt: skip
    recordings = settings.var_dir / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    desk = Desk(
        account=account, switchboard=switchboard, carrier=carrier, tokens=Tokens(calls),
        agents=agent_voices(release.data),
        model=_model(settings),
        speech=speech, transcriber=transcriber,
        line=LineSettings(pause_ms=release.policy.policy.hearing.end_of_turn_ms),
        new_cutter=lambda: Cutter(first_clause=True), recordings=recordings, inbound_agent=inbound_agent,
        facts=declared_defaults(settings, release.data), apology=release.data.lines.get("transfer.failed", ""),
    )  # fmt: skip
    app = create_app(desk)
    listen = settings.listen
    token = write_server_file(settings.var_dir, url=f"http://{listen.host}:{listen.port}")
    add_local(app, desk, contacts, Reviews(ledger), token=token, development=settings.is_development)
    return Server(settings, app, switchboard)


async def serve_until_told(settings_file: Path, *, inbound_agent: str, environment: Mapping[str, str] | None) -> None:
    """Run the server until SIGINT or SIGTERM; live calls end politely first."""
    settings = load_settings(settings_file, environment)
    if settings.is_development:
        print(DEVELOPMENT_BANNER, file=sys.stderr, flush=True)
    async with open_server(settings, inbound_agent=inbound_agent) as server:
        config = uvicorn.Config(
            server.app, host=settings.listen.host, port=settings.listen.port, log_level="warning", access_log=False,
            ws_max_size=65_536, ws_ping_interval=None,
        )  # fmt: skip
        web = _QuietServer(config)
        loop = asyncio.get_running_loop()
        stopping: list[asyncio.Task[None]] = []

        def stop() -> None:
            if not stopping:
                stopping.append(loop.create_task(_stop(server, web)))

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        settle_process()
        print(f"ready on {settings.listen.host}:{settings.listen.port}", flush=True)
        await web.serve()
    with contextlib.suppress(FileNotFoundError):
        (settings.var_dir / SERVER_FILE).unlink()


async def _stop(server: Server, web: "_QuietServer") -> None:
    """Let every caller hear a goodbye, then stop."""
    await server.switchboard.finish()
    web.stop()


class _QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's own is untyped for callers
        """Leave signals alone."""
        yield

    def stop(self) -> None:
        """Take no more connections and return from `serve`."""
        self.should_exit = True
