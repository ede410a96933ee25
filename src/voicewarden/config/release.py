"""A release from files: the configuration and agent directories come in, a `kernel.release.Release` goes out.

Called by runtime, embed, replay and the command line. What holds between the files is checked here: every line, list,
desk and template that one file names exists in another.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from voicewarden.config.agent_document import AgentFile, load_agents
from voicewarden.config.answerer_document import load_answerer
from voicewarden.config.calibration_document import check_calibration
from voicewarden.config.catalogue_document import CatalogueFile
from voicewarden.config.finding import Findings
from voicewarden.config.lexicon_file import load_lexicon
from voicewarden.config.policy_document import PolicyDocument, find_policy
from voicewarden.config.policy_reader import read_policy, read_policy_document
from voicewarden.config.policy_tree import to_policy
from voicewarden.config.spoken_documents import LinesFile, load_facts
from voicewarden.config.yaml_file import YamlFile
from voicewarden.kernel.release import Release
from voicewarden.model.error import ConfigError

T = TypeVar("T")
EDITION: Final = 2
"""Which rules of the kernel a release made now asks for, see `kernel.release.Release`."""


def load_release(
    config_dir: Path, agents_dir: Path, *, policy: Path | str, approved: bool, language: str = "en",
    shadow: Path | str | None = None,
) -> Release:  # fmt: skip
    """Read everything that governs a call; policies by name or as files. Raises ConfigError with all findings."""
    findings = Findings()
    document, source = read_policy_document(find_policy(config_dir, policy), config_dir)
    tree = to_policy(document)
    lines = _gather(findings, lambda: LinesFile(config_dir / "lines.yaml"))
    catalogue = _gather(findings, lambda: CatalogueFile(config_dir / "catalogue.yaml"))
    agents = _gather(findings, lambda: load_agents(agents_dir, tree.actions))
    facts = _gather(findings, lambda: load_facts(config_dir / document.speech.facts))
    lexicon = _gather(findings, lambda: load_lexicon(config_dir / "lexicons" / f"{language}.yaml"))
    answerer = _gather(findings, lambda: (load_answerer(config_dir),))
    if answerer is None or lines is None or catalogue is None or agents is None or facts is None or lexicon is None:
        findings.raise_if_any()
        raise AssertionError("a file failed without a finding")
    _check_together(document, source, lines, catalogue, agents, findings)
    check_calibration(document.hearing, source, config_dir / (document.hearing.calibration or ""), findings)
    findings.raise_if_any()
    return Release(
        name=f"{document.policy}-{language}",
        approved=approved,
        policy=tree,
        shadow=None if shadow is None else read_policy(shadow, config_dir),
        lexicon=lexicon,
        lines=dict(lines.document.lines),
        facts=facts,
        catalogue=catalogue.listings({file.document.agent: file.document.about for file in agents}),
        destinations=dict(catalogue.document.destinations),
        lookups=catalogue.answers(),
        agents={file.document.agent: file.agent() for file in agents},
        edition=EDITION,
        answerer=answerer[0],
    )


def _gather(findings: Findings, load: Callable[[], T]) -> T | None:
    try:
        return load()
    except ConfigError as error:
        findings.take(error)
        return None


def _check_together(
    document: PolicyDocument, source: YamlFile, lines: LinesFile, catalogue: CatalogueFile, agents: list[AgentFile],
    findings: Findings,
) -> None:  # fmt: skip
    lines.check(findings)
    catalogue.check(findings)
    for entry in document.speech.must_say:
        lines.demand(entry.line, findings, f"must_say {entry.id}")
    for line, who in _said_when_silent(document):
        lines.demand(line, findings, who)
    for template in catalogue.document.lists.get("templates", {}):
        lines.demand(f"message.{template}", findings, f"the template {template}")
    lists = sorted({*catalogue.document.lists, "agents", "lookups"})
    roles = sorted(file.document.agent for file in agents)
    for name, action in document.actions.items():
        for role in action.requested_by:
            if role not in roles:
                what = f"found '{role}', which is no agent"
                source.complain(findings, ("actions", name, "requested_by"), what, ", ".join(roles))
        for argument, given in action.args.items():
            if given.source is not None and given.source not in lists:
                what = f"found '{given.source}', which is no list of catalogue.yaml"
                source.complain(findings, ("actions", name, "args", argument, "from"), what, ", ".join(lists))
    for role in document.roles:
        if role not in roles:
            source.complain(findings, ("roles", role), f"found '{role}', which is no agent", ", ".join(roles))
    for file in agents:
        _check_agent(file, lines, catalogue, findings)


def _said_when_silent(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Lines that the policy's way with silence needs, and what says them."""
    if any(step.do == "offer_keys" for step in document.silence.ladder):
        yield "silence.keys", "the silence ladder"
    if document.silence.hold_ms is not None:
        yield "silence.hold", "hold_ms"


def _check_agent(file: AgentFile, lines: LinesFile, catalogue: CatalogueFile, findings: Findings) -> None:
    agent = file.document
    lines.demand(agent.opening, findings, f"the agent {agent.agent}")
    for key, name, value in (("desk", "desks", agent.desk), ("callback", "callback_slots", agent.callback)):
        listed = catalogue.document.lists.get(name, {})
        if value not in listed:
            what = f"found '{value}', which is not in {name} of catalogue.yaml"
            file.source.complain(findings, (key,), what, ", ".join(listed))
