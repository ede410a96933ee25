"""Scenes: calls as short scripts, with everything that the kernel makes of them written beside it.

A file of `data/scenes` holds both, scene by scene: a line with the setting, lines `> step` that drive the rig, and
below each step the events it consists of, what they put out (`<`) and what they changed in the state (`=`). How a call
with the same setting begins is written once a file. Whatever the kernel does otherwise shows as a difference that a
person can judge. After a change of the kernel that was meant: `python -m tests.unit.kernel.scenes` writes all outcomes
anew from the steps.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.fakes.rig import BOOK, Rig, shipped, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.step import Step
from voicewarden.model import event as events
from voicewarden.model.action import Value

SCENES: Final = Path(__file__).parent / "data" / "scenes"
ARGS: Final[dict[str, dict[str, Value]]] = {
    "book": BOOK, "transfer": {"desk": "sales"}, "schedule_callback": {"when": "tomorrow_morning"},
    "send_message": {"template": "directions"}, "look_up": {"what": "quote"}, "hand_over": {"to": "closing"},
    "advance_commitment": {"offer": "haircut"},
}  # fmt: skip
_TELLING: Final = ("turn", "text", "sentence", "whole", "action", "timer", "due_ms", "inference", "tokens")
"""What is shown of an event, whose other fields follow from the step."""
_KINDS: Final = ("event", "directive")
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")


class Scene(Rig):
    """A rig that writes down what happens; its release's hashes are named, not written, since they change often."""

    def __init__(self, setting: str) -> None:
        self.told: list[str] = []
        given = dict(part.split("=", 1) for part in setting.split())
        opened = given.pop("opened", "yes") == "yes"
        policy, pausing = given.pop("policy", "outbound-sales"), given.pop("pausing", "")
        facts = {name: _value(text) for name, text in given.items() if name not in ("direction", "agent", "stage")}
        super().__init__(
            _release(policy, pausing),
            direction=given.get("direction", "inbound"), agent=given.get("agent", "booking"),  # type: ignore[arg-type]
            stage=given.get("stage", "bounded"), facts=facts, opened=opened,  # type: ignore[arg-type]
        )  # fmt: skip

    def feed(self, event: events.Event) -> Step:
        """One event through the step, written down."""
        before, at = self.state, len(self.told)
        taken = super().feed(event)
        named = [str(getattr(event, name)) for name in _TELLING if hasattr(event, name)]
        lines = [" ".join([type(event).__name__, str(event.at_ms), *named])]
        lines += [self._line(item) for item in taken.outputs]
        lines += [f"  = {line}" for line in _changes(_plain(before), _plain(taken.state))]
        # What was cut is fed from inside: it stands behind what cut it.
        self.told[at:at] = lines
        return taken

    def _line(self, item: Any) -> str:
        plain = msgspec.to_builtins(item)
        told = json.dumps({k: v for k, v in plain.items() if k not in _KINDS}, ensure_ascii=False, sort_keys=True)
        told = told.replace(self.release.hash, "release").replace(self.release.policy.hash, "policy")
        return f"  < {type(item).__name__} {_DIGEST.sub(_short, told)}"

    def perform(self, said: str) -> None:
        """One step of a script: a verb and what it is about."""
        verb, _, rest = said.partition(" ")
        STEPS[verb](self, rest)


@lru_cache(maxsize=4)
def _release(policy: str, pausing: str) -> Compiled:
    if not pausing:
        return shipped(policy)
    oversight = msgspec.structs.replace(shipped(policy).data.policy.oversight, pause_finishes_calls=pausing)
    return with_policy({"oversight": oversight}, policy)


def _value(text: str) -> Value:
    return {"true": True, "false": False}.get(text, int(text) if text.lstrip("-").isdecimal() else text)


def _short(digest: re.Match[str]) -> str:
    return digest[0][:8]


def _plain(state: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(state)
    plain["heard_claims"] = sorted(plain["heard_claims"])
    plain["turn"]["words"] = [" ".join(map(str, word)) for word in plain["turn"]["words"]]
    for part, name in (("floor", "queue"), ("turn", "cut")):
        plain[part][name] = [_sentence(**item) for item in plain[part][name]]
    del plain["seq"], plain["now_ms"]
    return plain


def _sentence(*, id: str, text: str, purpose: str, line: str, started_ms: int | None) -> str:
    """A queued sentence: its words stand in the `Speak` that queued it, so their number is enough here."""
    return f"{id}/{purpose}/{line}/{len(text)}/{started_ms}"


def _changes(before: dict[str, Any], after: dict[str, Any], path: str = "") -> Iterator[str]:
    """What differs, one line a leaf; grants are in the outputs already."""
    for key in sorted({*before, *after}, key=str):
        old, new = before.get(key), after.get(key)
        if old == new or key == "grant":
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{path}{key}.")
        elif key not in after:
            yield f"{path}{_DIGEST.sub(_short, str(key))} gone"
        else:
            shown = {k: v for k, v in new.items() if k != "grant"} if isinstance(new, dict) else new
            told = json.dumps(shown, ensure_ascii=False, sort_keys=True)
            yield f"{path}{_DIGEST.sub(_short, str(key))} {_DIGEST.sub(_short, told)}"


def _ask(rig: Scene, rest: str) -> None:
    """`ask book`, `ask book@3` (for that turn), `ask book service=haircut`."""
    name, *given = rest.split()
    action, _, turn = name.partition("@")
    args = dict(ARGS.get(action, {}))
    args |= {key: _value(text) for key, _, text in (item.partition("=") for item in given)}
    principal = str(args.pop("by", ""))
    rig.ask(action, principal, int(turn) if turn else None, **args)


def _hear(rig: Scene, rest: str) -> None:
    """`hear yes, book it`, `hear 450 yes` (heard with 450 per mille), `hear none yes`."""
    first, _, words = rest.partition(" ")
    if first.isdecimal() or first == "none":
        rig.hear(words, permille=int(first) if first.isdecimal() else None)
    else:
        rig.hear(rest)


def _receipt(rig: Scene, rest: str) -> None:
    """`receipt done`, `receipt failed`, `receipt done note=three`: for the newest grant."""
    outcome, *given = rest.split()
    detail = {key: _value(text) for key, _, text in (item.partition("=") for item in given)}
    grant = rig.grants[-1].id if rig.grants else "c1/99"
    rig.happen(events.ReceiptReturned, grant=grant, outcome=outcome, detail=detail)


def _propose(rig: Scene, rest: str) -> None:
    """`propose One. | Two.`: sentences of one generation, which then ends."""
    rig.propose(*(part.strip() for part in rest.split("|")), ends=True)


def _raw(rig: Scene, kind: type[Any], **fields: Any) -> None:
    rig.happen(kind, **fields)


def _approve(rig: Scene, rest: str) -> None:
    """The newest decision's arguments are approved, with `named` for its action by name."""
    digest = rig.decisions[-1].digest if rig.decisions else "d"
    action = rig.decisions[-1].action if rest == "named" and rig.decisions else ""
    rig.happen(events.OperatorApproved, digest=digest, operator="o1", action=action)


STEPS: Final[dict[str, Callable[[Scene, str], object]]] = {
    "answered": lambda rig, _: rig.happen(events.CallAnswered),
    "ask": _ask,
    "hear": _hear,
    "begin": lambda rig, _: rig.begin(),
    "words": lambda rig, rest: rig.segment(rest),
    "suspect": lambda rig, rest: rig.segment(rest, suspect=("repetition",)),
    "late": lambda rig, rest: rig.happen(
        events.CallerSpoke, turn=rig.turn + 7, text=rest, words=(events.Word(rest, 900, rig.now_ms, rig.now_ms),),
        speech_ms=100,
    ),
    "stop": lambda rig, _: rig.end(),
    "noise": lambda rig, _: rig.noise(),
    "press": lambda rig, rest: rig.press(rest),
    "play": lambda rig, rest: rig.play(int(rest or 100)),
    "start": lambda rig, rest: rig.happen(events.SentenceStarted, sentence=rest),
    "cut": lambda rig, _: _cut(rig),
    "wait": lambda rig, rest: rig.wait(int(rest)),
    "clock": lambda rig, rest: setattr(rig, "now_ms", rig.now_ms + int(rest)),
    "propose": _propose,
    "reserve": lambda rig, rest: rig.happen(events.TokensReserved, inference=rig.generation + 1, tokens=int(rest)),
    "spend": lambda rig, rest: rig.happen(events.TokensSpent, inference=rig.generation, tokens=int(rest)),
    "ended": lambda rig, _: rig.happen(events.GenerationEnded, generation=rig.generation),
    "stale": lambda rig, rest: rig.happen(
        events.SentenceProposed, sentence="s9", generation=rig.generation, turn=rig.turn - 1, text=rest
    ),
    "receipt": _receipt,
    "approve": _approve,
    "tone": lambda rig, rest: rig.happen(events.ToneHeard, tone=rest, hz=1_000, ms=300),
    "cadence": lambda rig, rest: rig.happen(
        events.CadenceMeasured, onset_ms=0, speech_ms=9, longest_run_ms=int(rest), bursts=1, trailing_silence_ms=0
    ),
    "carrier": lambda rig, rest: rig.happen(events.CarrierJudgedAnswerer, verdict=rest),
    "fact": lambda rig, rest: rig.happen(
        events.FactLearned, fact=rest.split("=")[0], value=_value(rest.split("=")[1]), source="crm"
    ),
    "count": lambda rig, rest: rig.happen(
        events.CountReserved, limit=rest.split("=")[0], used=int(rest.split("=")[1])
    ),
    "timer": lambda rig, rest: rig.happen(events.TimerFired, timer=rest, due_ms=-1),
    "unheard": lambda rig, _: rig.happen(events.HearingFaltered, turn=rig.turn),
    "mute": lambda rig, _: rig.happen(
        events.SpeechFaltered, sentence=rig.queue.pop(0).sentence if rig.queue else "k0"
    ),
    "falter": lambda rig, rest: rig.happen(events.ModelFaltered, generation=rig.generation, what=rest),
    "tighten": lambda rig, rest: rig.happen(events.AuthorityTightened, stage=rest, epoch=5, operator="o1"),
    "revoke": lambda rig, _: rig.happen(events.AuthorityRevoked, epoch=3, operator="o1"),
    "pause": lambda rig, _: rig.happen(events.CallsPaused, epoch=4, operator="o1"),
    "lease": lambda rig, _: rig.happen(events.LeaseLost),
    "ledger": lambda rig, _: rig.happen(events.LedgerFaltered),
    "media": lambda rig, rest: rig.happen(events.MediaEnded, clean=rest != "lost"),
    "end": lambda rig, rest: rig.happen(events.CallEnded, reason=rest or "remote"),
    "again": lambda rig, _: rig.happen(
        events.CallStarted, call="c2", agent="closing", direction="outbound", contact="x", stage="autonomous", epoch=9,
        release="r", started_unix_ms=1,
    ),
}  # fmt: skip


def _cut(rig: Scene) -> None:
    """The sentence that plays is cut without anybody having spoken."""
    if rig.queue:
        rig.happen(events.SentencePlayed, sentence=rig.queue.pop(0).sentence, played_ms=200, whole=False)


def outcome(text: str) -> str:
    """A file as it has to be: scenes with an empty line between, their steps each with what follows from it now."""
    begun: set[str] = set()
    return "\n".join(_scene(part, begun) for part in text.split("\n\n"))


def _scene(text: str, begun: set[str]) -> str:
    setting, *lines = text.splitlines()
    rig = Scene(setting)
    told = [setting, *(() if setting in begun else rig.told)]
    begun.add(setting)
    for line in lines:
        if line.startswith("> "):
            rig.told = []
            rig.perform(line.removeprefix("> "))
            told += [line, *rig.told]
    return "\n".join(told) + "\n"


def write() -> None:
    """Write the outcomes of all scenes anew."""
    shipped()
    for path in sorted(SCENES.glob("*.txt")):
        path.write_text(outcome(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
