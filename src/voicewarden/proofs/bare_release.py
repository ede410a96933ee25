"""A release with nothing in it but a policy: enough to ask the kernel's own gate and to fold control events.

In: a policy and contexts. Out: what the real `kernel.gate` and `kernel.step` do. Called by theorems, so that what is
proved about terms is also seen in the code that runs.
"""

from collections import defaultdict
from typing import Any, Final

import msgspec

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.gate import Request, decide
from voicewarden.kernel.release import Agent, Compiled, Release
from voicewarden.kernel.state import ConsentPart, GrantPart, Identity, State
from voicewarden.model.action import Arguments, Value, Verdict
from voicewarden.model.canonical import digest_of
from voicewarden.model.event import CallAnswered
from voicewarden.policy.ast import Argument, Policy
from voicewarden.proofs.context import Context

NOW_MS: Final = 10_000_000
AGENTS: Final = ("one", "other")
_WORD: Final = "x"
_EXAMPLES: Final[dict[str, Value]] = {"enum": _WORD, "text": _WORD, "int": 1, "local_time": "2026-12-01T15:00"}


def bare_release(policy: Policy) -> Compiled:
    """The policy with no words and two agents; every list that arguments are taken from has one entry."""
    lists = {argument.source for rule in policy.actions.values() for argument in rule.args if argument.source}
    agents = {
        name: Agent(
            name=name, stage="autonomous", prompt="", opening=_WORD, tools=(), desk=_WORD, callback=_WORD
        )
        for name in AGENTS
    }  # fmt: skip
    return Compiled(
        Release(
            name=policy.name, approved=False, policy=policy, lexicon=_no_words(), lines=defaultdict(lambda: _WORD),
            facts=(), catalogue={name: {_WORD: _WORD} for name in lists} | {"agents": {AGENTS[1]: _WORD}},
            destinations={}, lookups={}, agents=agents,
        )
    )  # fmt: skip


# Any: the type of the word lists is the reading room's, which this room does not import; `Release` knows it.
def _no_words() -> Any:
    lexicon = next(field.type for field in msgspec.structs.fields(Release) if field.name == "lexicon")
    fields = msgspec.structs.fields(lexicon)
    return msgspec.convert({field.name: "en" if field.type is str else () for field in fields}, lexicon)


def arguments(policy: Policy, action: str) -> Arguments:
    """Well-formed arguments for an action under a bare release."""
    rule = policy.actions.get(action)
    return {item.name: _example(item) for item in rule.args} if rule else {}


def _example(argument: Argument) -> Value:
    return AGENTS[1] if argument.source == "agents" else _EXAMPLES[argument.kind]


def gate_says(release: Compiled, action: str, context: Context) -> Verdict:
    """The verdict of `kernel.gate.decide` in a call in which the context holds and no question was asked yet."""
    args = arguments(release.data.policy, action)
    digest = digest_of(args)
    last = {} if context.since_last_ms is None else {action: NOW_MS - context.since_last_ms}
    state = State(
        now_ms=NOW_MS, facts=context.as_facts(NOW_MS, digest), identity=Identity(call="c", stage=context.stage),
        grants=GrantPart(minted={action: context.minted}, minted_at_ms=last),
        consent=ConsentPart(approved=(f"{action}:{digest}",) if context.approved else ()),
    )  # fmt: skip
    draft = Draft(release, state, CallAnswered(at_ms=NOW_MS))
    return decide(draft, Request(id="r", action=action, args=args, principal=context.role)).verdict
