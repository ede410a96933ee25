"""Calls in which anything may happen at any time: requests, answers, keys, waits, orders, receipts, by a seed."""

import random
from collections.abc import Callable
from typing import Final

from tests.fakes.rig import BOOK, HAIRCUT, Rig

from voicewarden.model import event as events
from voicewarden.model.action import STAGES, Arguments

REQUESTS: Final[tuple[tuple[str, Arguments], ...]] = (
    ("book", BOOK), ("book", HAIRCUT), ("transfer", {"desk": "sales"}), ("send_message", {"template": "confirmation"}),
    ("schedule_callback", {"when": "2026-12-01T15:00"}), ("look_up", {"what": "price"}),
    ("advance_commitment", {"offer": "standard"}), ("hand_over", {"to": "closing"}), ("no_such_action", {}),
)  # fmt: skip
HEARD: Final = (
    "yes, book it", "yes, go ahead", "no thank you", "yes", "what does it cost?", "stop calling me",
    "I want to talk to a person please", "this is Quillfeather from Zollikon, 555 01 99",
)  # fmt: skip
PROPOSED: Final = ("I am a real person.", "It costs 19.99 dollars.", "Let me see.", "What is your name?")


def random_call(seed: int) -> Rig:
    """One call of three to thirty moves."""
    rnd = random.Random(seed)
    rig = Rig(
        direction=rnd.choice(("inbound", "outbound")), agent=rnd.choice(("booking", "closing")),
        stage=rnd.choice(STAGES),
        facts={"quote_open": rnd.random() < 0.6, "desk_open": rnd.random() < 0.5, "vetted": rnd.random() < 0.5},
    )  # fmt: skip
    for _ in range(rnd.randrange(3, 30)):
        rnd.choices(tuple(_MOVES), weights=tuple(_MOVES.values()))[0](rig, rnd)
    return rig


def _ask(rig: Rig, rnd: random.Random) -> None:
    action, args = rnd.choice(REQUESTS)
    rig.asked += 1
    rig.happen(
        events.ActionRequested, request=f"r{rig.asked}", action=action, args=args, principal=rig.state.identity.agent,
        turn=rnd.choice((None, rig.turn)),
    )  # fmt: skip


def _answer(rig: Rig, rnd: random.Random) -> None:
    """A question is heard to its end and answered."""
    rig.play()
    rig.hear("yes, book it" if rnd.random() < 0.7 else rnd.choice(HEARD))


def _hear(rig: Rig, rnd: random.Random) -> None:
    rig.hear(rnd.choice(HEARD), permille=rnd.choice((950, 700, 500, None)))


def _propose(rig: Rig, rnd: random.Random) -> None:
    rig.propose(rnd.choice(PROPOSED))


def _wait(rig: Rig, rnd: random.Random) -> None:
    rig.wait(rnd.choice((500, 5_000, 30_000, 100_000)))


def _press(rig: Rig, rnd: random.Random) -> None:
    rig.press(rnd.choice("12905"))


def _receive(rig: Rig, rnd: random.Random) -> None:
    if rig.grants:
        rig.receipt(rnd.choice(rig.grants), rnd.choice(("done", "failed", "unknown")))


def _tighten(rig: Rig, rnd: random.Random) -> None:
    rig.happen(events.AuthorityTightened, stage="assist", epoch=3, operator="somebody")


_MOVES: Final[dict[Callable[[Rig, random.Random], None], int]] = {
    _ask: 5, _answer: 4, _hear: 2, _propose: 2, _wait: 2, _press: 1, _receive: 2, _tighten: 1,
}  # fmt: skip
