"""A policy of one file, as a user would write it, for the tests of this folder."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from voicewarden.embed import Call, OpenedPolicy, open_policy
from voicewarden.model.action import Stage, Value

SERVICES = {"haircut": "a haircut", "consultation": "a consultation"}
WANTED: dict[str, Value] = {"service": "haircut", "start": "2026-12-03T11:00"}
OTHER: dict[str, Value] = {"service": "consultation", "start": "2026-12-03T11:00"}
POLICY = """\
policy: desk
extends: organisation
owner: head-of-sales
about: Books one appointment in a chat.
facts:
  account_open: {type: bool, source: crm, default: true, why: Only customers book online.}
actions:
  book:
    args: {service: {type: enum, from: services}, start: {type: local_time}}
    requested_by: [assistant]
    stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}
    read_back: [service, start]
    question: "Shall I book {service} for {start}?"
    why: An appointment takes somebody's time.
    require:
      - {fact: answerer, is: human, else: deny, why: Only a person can agree.}
      - {fact: account_open, is: true, else: deny, why: Only customers book online.}
      - {fact: consent.book, is: explicit, within_ms: 90000, else: confirm, why: Only the person's own yes counts.}
    limits: [{per: call, at_most: 1, else: deny, why: One appointment a conversation.}]
  note:
    args: {text: {type: text}, times: {type: int, optional: true}}
    requested_by: [assistant]
    stages: {observe: log, assist: approve, bounded: allow, autonomous: allow}
    why: A note changes little.
"""


def written(folder: Path, text: str = POLICY, name: str = "desk.yaml") -> Path:
    """The policy as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@cache
def desk(stage: Stage = "bounded") -> OpenedPolicy:
    """The policy, opened from its one file."""
    with TemporaryDirectory() as folder:
        return open_policy(written(Path(folder)), catalogue={"services": SERVICES}, stage=stage)


def chat(stage: Stage = "bounded") -> Call:
    """A conversation that stands still at 0 ms unless a test says otherwise, its opening shown."""
    call = Call(desk(stage), call="chat", agent="assistant", clock=lambda: 0)
    call.answered()
    call.shown()
    return call
