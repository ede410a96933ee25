"""A release from as little as one policy file: what the user's folders hold is taken from there, the rest ships here.

In: a policy (a file anywhere, or a name) and, where they exist, folders and lists. Out: a `kernel.release.Release` and
what its declared facts start with. Called by `embed`; a phone call takes nothing from here (`release`).
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from voicewarden.config.answerer_document import load_answerer
from voicewarden.config.calibration_document import check_calibration
from voicewarden.config.catalogue_document import CatalogueFile
from voicewarden.config.finding import Findings
from voicewarden.config.lexicon_file import load_lexicon
from voicewarden.config.policy_document import PolicyDocument, find_policy
from voicewarden.config.policy_reader import fact_defaults, read_policy, read_policy_document
from voicewarden.config.policy_tree import to_policy
from voicewarden.config.release import EDITION, load_release
from voicewarden.config.spoken_documents import LinesFile, load_facts
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.kernel.release import Agent, ApprovedFact, Release
from voicewarden.model.action import Stage, Value
from voicewarden.model.error import ConfigError

Lists = Mapping[str, Mapping[str, str] | Sequence[str]]
"""List name to its values, each with how it is said; a plain sequence is said as it is written."""

SOLE_ROLE: Final = "agent"
"""The one role there is when no action says who may ask for it."""

NEUTRAL_LINES: Final[dict[str, str]] = {
    "disclosures.ai": "Hello, I am an automated assistant.",
    "disclosures.recording": "This conversation is recorded.",
    "disclosures.keys": "You can press one to agree, or nine so that we never contact you again.",
    "openings.default": "How can I help you today?",
    "screening.identify": "This is an automated assistant, calling back.",
    "voicemail.message": "Hello, this is an automated assistant. We will try again another day.",
    "not_heard": "I am sorry, I did not understand that.",
    "no_figure": "I am not sure about that, and I don't want to tell you anything wrong.",
    "not_allowed": "I am sorry, I can't help with that.",
    "model_slow": "One moment, please.",
    "warn_time": "We have about a minute left.",
    "silence.reprompt": "Are you still there?",
    "silence.rephrase": "Take your time.",
    "silence.keys": "You can also press nine, so that we never contact you again.",
    "silence.hold": "Of course. Take your time.",
    "silence.goodbye": "I hear nothing from you, so I will end this now. Goodbye.",
    "transfer.now": "I am putting you through to {desk} now.",
    "transfer.failed": "I am sorry, nobody can be reached there at the moment. Goodbye.",
    "callback.offer": "Shall we call you back instead?",
    "callback.done": "We will call you back then. Thank you, and goodbye.",
    "trouble": "I am sorry, something went wrong on our side.",
    "safe": "I am sorry, I have a technical problem and must end this. Goodbye.",
    "goodbye": "Thank you for your time. Goodbye.",
    "opt_out.goodbye": "I understand. We will not contact you again. Goodbye.",
}
"""What the kernel says by itself where no `lines.yaml` says it better; names nobody's business."""


class Opened(NamedTuple):
    """A release, and what the facts that its policy declares start with."""

    release: Release
    defaults: dict[str, Value]


def shipped_config() -> Path:
    """The configuration that comes with the package: in a wheel beside this module, in a checkout at its top."""
    packed = Path(str(files("voicewarden.config").joinpath("files")))
    checkout = Path(__file__).resolve().parents[3] / "config"
    for folder in (packed, checkout):
        if (folder / "policies").is_dir():
            return folder
    raise ConfigError("the configuration that ships with voicewarden is not there; install it again", file=str(packed))


def open_release(
    policy: Path | str, *, config: Path | None = None, agents: Path | None = None, catalogue: Lists | None = None,
    lines: Mapping[str, str] | None = None, stage: Stage | None = None, shadow: Path | str | None = None,
    approved: bool = False, language: str = "en",
) -> Opened:  # fmt: skip
    """Read a policy with everything that it needs. Raises ConfigError with all findings.

    With agent files (given, or beside the whole configuration that the policy lies in) this is the release of a phone
    call. Without them, every name in a `requested_by` is a role in `stage`, and whatever the configuration lacks is
    taken from what ships here.
    """
    folder = config if config is not None else _folder_around(policy)
    roles = _agents_beside(folder) if agents is None and config is None else agents
    if roles is None:
        return _Parts(policy, folder, language).put_together(catalogue, lines, stage or "bounded", shadow, approved)
    for name, given in (("catalogue", catalogue), ("lines", lines), ("stage", stage)):
        if given is not None:
            raise ConfigError("is said by files already, as there is a folder of agents; leave it out", field=name)
    whole = folder or shipped_config()
    release = load_release(whole, roles, policy=policy, approved=approved, language=language, shadow=shadow)
    return Opened(release, fact_defaults(whole, policy))


def _folder_around(policy: Path | str) -> Path | None:
    """The configuration folder that a policy file lies in, if it does."""
    if isinstance(policy, str) and not policy.endswith((".yaml", ".yml")):
        return None
    parent = Path(policy).resolve().parent
    return parent.parent if parent.name == "policies" else None


def _agents_beside(folder: Path | None) -> Path | None:
    """The agents that belong to a whole configuration: a folder inside of it, or beside it."""
    if folder is None or not all((folder / name).is_file() for name in ("lines.yaml", "catalogue.yaml")):
        return None
    places = (folder / "agents", folder.resolve().parent / "agents")
    return next((place for place in places if any(place.glob("*/agent.yaml"))), None)


class _Parts:
    """The parts of a release that has no agent files."""

    def __init__(self, policy: Path | str, folder: Path | None, language: str) -> None:
        self._folder = folder
        self._bases = _bases(policy, folder)
        self._path = find_policy(self._bases, policy)
        self._language = language
        self._findings = Findings()
        document, source = read_policy_document(self._path, self._bases)
        self._document: PolicyDocument = document
        self._source: YamlFile = source

    def put_together(
        self, catalogue: Lists | None, lines: Mapping[str, str] | None, stage: Stage, shadow: Path | str | None,
        approved: bool,
    ) -> Opened:  # fmt: skip
        """The release of these parts. Raises ConfigError with all findings."""
        document = self._document
        file = self._catalogue_file()
        asked = {role for action in document.actions.values() for role in action.requested_by}
        roles = sorted(asked) or [SOLE_ROLE]
        lists = {**(file.listings({}) if file else {}), **_listings(catalogue or {})}
        lists["agents"] = {role: role for role in roles}
        said = {**NEUTRAL_LINES, **self._lines(), **(lines or {})}
        self._check(lists, said)
        calibration = self._present(document.hearing.calibration or "")
        check_calibration(document.hearing, self._source, calibration, self._findings)
        self._findings.raise_if_any()
        release = Release(
            name=f"{document.policy}-{self._language}", approved=approved, policy=to_policy(document),
            shadow=None if shadow is None else read_policy(shadow, _bases(shadow, self._folder)),
            lexicon=load_lexicon(self._present("lexicons", f"{self._language}.yaml")), lines=said, facts=self._facts(),
            catalogue=lists, destinations=dict(file.document.destinations) if file else {},
            lookups=file.answers() if file else {}, agents={role: _agent(role, stage, lists) for role in roles},
            edition=EDITION, answerer=load_answerer(self._present("calibration", "answerer.yaml").parents[1]),
        )  # fmt: skip
        entries = document.facts.items()
        return Opened(release, {name: entry.default for name, entry in entries if entry.default is not None})

    def _present(self, *parts: str) -> Path:
        own = self._folder.joinpath(*parts) if self._folder else None
        return own if own is not None and own.is_file() else shipped_config().joinpath(*parts)

    def _lines(self) -> dict[str, str]:
        if self._folder is None or not (self._folder / "lines.yaml").is_file():
            return {}
        file = LinesFile(self._folder / "lines.yaml")
        file.check(self._findings)
        return dict(file.document.lines)

    def _catalogue_file(self) -> CatalogueFile | None:
        if self._folder is None or not (self._folder / "catalogue.yaml").is_file():
            return None
        file = CatalogueFile(self._folder / "catalogue.yaml")
        file.check(self._findings)
        return file

    def _facts(self) -> tuple[ApprovedFact, ...]:
        """Without a file of approved facts no figure is approved: the restrained choice."""
        path = self._folder / self._document.speech.facts if self._folder else None
        return load_facts(path) if path is not None and path.is_file() else ()

    def _check(self, lists: Mapping[str, object], lines: Mapping[str, str]) -> None:
        document, source, findings = self._document, self._source, self._findings
        for index, entry in enumerate(document.speech.must_say):
            if entry.line not in lines:
                what = f"found '{entry.line}', which is no line"
                source.complain(findings, ("speech", "must_say", index, "line"), what, "lines={...}, or lines.yaml")
        for name, action in document.actions.items():
            for argument, given in action.args.items():
                route = ("actions", name, "args", argument, "from")
                # An inherited action whose list is not here is denied; one of this file cannot have been meant so.
                if given.source and given.source not in lists and source.place(route).file == str(self._path):
                    what = f"found '{given.source}', which is no list that was given"
                    source.complain(findings, route, what, "catalogue={...}, or catalogue.yaml")


def _bases(policy: Path | str, folder: Path | None) -> Path:
    """The configuration in which a base is looked for that does not lie beside the policy."""
    shipped = shipped_config()
    if folder is None:
        return shipped
    path = find_policy(folder, policy)
    if not path.is_file() and not isinstance(policy, Path) and not policy.endswith((".yaml", ".yml")):
        return shipped
    base = read_yaml(path).data.get("extends")
    return folder if isinstance(base, str) and (folder / "policies" / f"{base}.yaml").is_file() else shipped


def _listings(given: Lists) -> dict[str, dict[str, str]]:
    """Lists as a release holds them. Raises ConfigError for what can't be one."""
    lists: dict[str, dict[str, str]] = {}
    for name, values in given.items():
        said = dict(values) if isinstance(values, Mapping) else {value: value for value in values}
        texts = [text for item in said.items() for text in item]
        if isinstance(values, str) or not texts or not all(isinstance(text, str) and text for text in texts):
            accepted = "texts, each with how it is said"
            raise ConfigError("holds something else than texts", field=f"catalogue.{name}", accepted=accepted)
        lists[name] = said
    return lists


def _agent(role: str, stage: Stage, lists: Mapping[str, Mapping[str, str]]) -> Agent:
    """A role without a file; somebody who asks for a person is put through to the first desk, if there is one."""
    desk, callback = (next(iter(lists.get(name, {})), "") for name in ("desks", "callback_slots"))
    return Agent(
        name=role, stage=stage, prompt="", opening="openings.default", tools=(), desk=desk, callback=callback
    )
