"""The abstraction: one normal form for all states that can't be told apart by anything that follows.

In: a state of the kernel and what the onlooker knows. Out: both in normal form, and eight bytes that name it. Called by
`search` for every state that it reaches. The normal form is a state itself, on which the real step goes on.

What is merged, and why it changes nothing that a step or a promise can see (`test_model_check_abstraction` compares the
successors of states with those of their normal forms):

1 Sequence numbers, ids of sentences, grants and requests: they are only ever compared for being the same, so they are
  numbered anew in the order in which the state names them.
2 Times: only differences are looked at. Now is always the same moment; what happened before keeps its age, up to the
  longest age that anything asks for (`Ages`). The end of a question and the wish for a person are compared with the
  caller's words: where they come before all words that can still count, it does not matter how long before. A timer's
  due time is compared for being the same and nothing else, since any running timer may fire at any moment here: so it
  is dropped, which covers timers that fire late.
3 Versions and epochs: compared with the current one for being the same; older ones are one.
4 Turns and inferences: compared for being the current one; kept are the current, the one before, and what was dropped.
5 Counters that are compared with a limit stop one above it.
6 What nobody reads any more: words, cuts and doubts of a turn that has ended, digests of yeses that were used up, the
  age of a fact whose value meets no requirement, confidence and length of the call where the policy has no rule about
  them, the wording of why a call ends. In a call that is ending everything is refused and the model is asked nothing
  more, so that the counts of questions, grants, repetitions and silence, the answers and the figures that were named
  are read by nobody.

Every field of the state that is not named here takes part as it is: a new one is never merged by mistake.
"""

import hashlib
from typing import Final, NamedTuple

import msgspec

from voicewarden.kernel.draft import replace
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import BudgetPart, ConsentPart, GrantPart, Identity, State, Turn
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.generator import atoms
from voicewarden.proofs.model_check.age import OLD_MS, PERSON, ages_of, earliest_word_ms
from voicewarden.proofs.model_check.alphabet import EARLY_MS
from voicewarden.proofs.model_check.naming import Names, names_of, request_name
from voicewarden.proofs.model_check.parts import (
    CONSENT,
    INFERENCE,
    NOISY,
    NOW_MS,
    SEQ,
    TURN,
    answerer_of,
    floor_of,
    is_explicit,
    nothing_left,
    opened_of,
    sentence_of,
)
from voicewarden.proofs.model_check.watch import Watch, Yes

_UNREAD_FACT: Final = Fact(0, NOW_MS, SEQ)
_UNREAD: Final = ("call_ms", "hearing_permille")
_SHARED: Final = ("facts", "identity", "turn", "floor", "answerer", "consent", "grants", "timers")

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Node(NamedTuple):
    """A state of the check."""

    state: State
    watch: Watch


class Normal:
    """Makes normal forms for one release."""

    def __init__(self, release: Compiled) -> None:
        policy = release.policy.policy
        self._policy = policy
        self._ages = ages_of(policy)
        looked_at = {
            atom.fact for rule in policy.actions.values() for item in rule.require for atom in atoms(item.condition)
        }
        self._unread = frozenset(_UNREAD) - looked_at
        self._normal_facts: set[int] = set()
        self._limited = {name for name, rule in policy.actions.items() if rule.limits}
        self._cooling = {name: rule.cooldown_ms for name, rule in policy.actions.items() if rule.cooldown_ms}
        self._parts: dict[bytes, object] = {}

    def of(self, state: State, watch: Watch) -> Node:
        """The normal form."""
        names = names_of(state, watch)
        if state.identity.ending:
            state = nothing_left(state)
        normal = replace(
            state, seq=SEQ, now_ms=NOW_MS, version=1, facts=self._facts(state), identity=self._identity(state),
            turn=self._turn(state, names), floor=floor_of(state, names), answerer=answerer_of(state),
            consent=self._consent(state, names), grants=self._grants(state, names), budget=self._budget(state),
            timers={names.timer(name): NOW_MS for name in state.timers},
            silence_step=min(state.silence_step, len(self._policy.silence.ladder)),
        )  # fmt: skip
        return Node(normal, self._watch(state, watch, names))

    def name(self, node: Node) -> bytes:
        """Eight bytes that name a normal form: equal for equal ones; among 10^6 two others agree once in 10^7."""
        state, reserved = node.state, tuple(sorted(node.state.budget.reserved.items()))
        if reserved:  # the encoder sorts keys that are text only
            state = replace(state, budget=replace(state.budget, reserved={}))
        return hashlib.blake2b(_encode((state, reserved, node.watch)), digest_size=8).digest()

    def shared(self, node: Node) -> Node:
        """The same with equal parts held in memory once."""
        parts = {name: self._part(name, getattr(node.state, name)) for name in _SHARED}
        self._normal_facts.add(id(parts["facts"]))  # held in memory by `_parts`: its id is its own for good
        return Node(replace(node.state, **parts), node.watch)

    def _part(self, name: str, part: object) -> object:
        return self._parts.setdefault(name.encode() + _encode(part), part)

    def _facts(self, state: State) -> Facts:
        now_ms = state.now_ms
        if now_ms == NOW_MS and id(state.facts) in self._normal_facts and not _asked_before(state):
            return state.facts
        facts: Facts = {}
        for name, fact in state.facts.items():
            if name in self._unread:
                facts[name] = _UNREAD_FACT
                continue
            at_ms = NOW_MS
            if name == PERSON and fact.value is True:
                at_ms -= self._person_age(state, fact)
            elif name in self._ages.atoms:
                at_ms -= min(now_ms - fact.at_ms, self._ages.of(name, fact.value))
            same = fact.at_ms == at_ms and fact.seq == SEQ
            facts[name] = fact if same else Fact(fact.value, at_ms, SEQ, fact.digest)
        return facts

    def _person_age(self, state: State, fact: Fact) -> int:
        old = fact.at_ms < earliest_word_ms(state) and PERSON not in self._ages.atoms
        return OLD_MS if old else min(state.now_ms - fact.at_ms, OLD_MS)

    def _heard(self, state: State, at_ms: int) -> int:
        """When a question had been heard, as far as any word can tell."""
        old = at_ms - self._policy.questions.answer_tolerance_ms <= earliest_word_ms(state)
        return NOW_MS - (OLD_MS if old else state.now_ms - at_ms)

    def _identity(self, state: State) -> Identity:
        identity = state.identity
        answered = identity.answered_ms
        if answered is not None:
            answered = NOW_MS - min(state.now_ms - answered, self._ages.answered_ms)
        return replace(
            identity, answered_ms=answered, ending="ending" if identity.ending else "", epoch=1,
            fault="fault" if identity.fault else "",
        )  # fmt: skip

    def _turn(self, state: State, names: Names) -> Turn:
        turn = state.turn
        most = self._policy.budget.tool_calls_per_turn + 1
        normal = replace(
            turn, number=TURN if turn.number else 0, wordless=min(turn.wordless, NOISY),
            tool_calls=min(turn.tool_calls, most),
        )  # fmt: skip
        if not turn.open:
            return replace(normal, words=(), cut=(), suspect=False, faltered=False)
        shift = NOW_MS - state.now_ms
        words = tuple(
            msgspec.structs.replace(word, from_ms=word.from_ms + shift, to_ms=word.to_ms + shift) for word in turn.words
        )
        return replace(normal, words=words, cut=tuple(sentence_of(item, names) for item in turn.cut))

    def _consent(self, state: State, names: Names) -> ConsentPart:
        consent = state.consent
        pending = consent.pending
        if pending is not None:
            armed = pending.armed_ms
            if armed is not None:
                armed = self._heard(state, armed)
            pending = replace(
                pending, seq=0, request=request_name(pending.request), armed_ms=armed,
                sentences=tuple(names.sentence(item) for item in pending.sentences),
                last_argument=names.sentence(pending.last_argument),
            )  # fmt: skip
        explicit = [name for name in consent.confirmed if is_explicit(state.facts.get(f"consent.{name}"))]
        return replace(
            consent, pending=pending, refused=tuple(sorted(set(consent.refused))),
            approved=tuple(sorted(consent.approved)), confirmed=dict.fromkeys(explicit, "yes"),
        )  # fmt: skip

    def _grants(self, state: State, names: Names) -> GrantPart:
        grants = state.grants
        return replace(
            grants, open={names.grant(name): opened_of(item, state, names) for name, item in grants.open.items()},
            minted={name: count for name, count in grants.minted.items() if count and name in self._limited},
            minted_at_ms={
                name: NOW_MS - min(state.now_ms - at_ms, self._cooling[name])
                for name, at_ms in grants.minted_at_ms.items()
                if name in self._cooling
            },
        )  # fmt: skip

    def _budget(self, state: State) -> BudgetPart:
        shift = INFERENCE - state.floor.generation
        reserved = {number + shift: tokens for number, tokens in state.budget.reserved.items()}
        most = self._policy.budget
        return replace(
            state.budget, reserved=reserved, spent=min(state.budget.spent, most.per_call_tokens),
            turn_spent=min(state.budget.turn_spent, most.per_turn_tokens),
        )  # fmt: skip

    def _watch(self, state: State, watch: Watch, names: Names) -> Watch:
        shift, asked = NOW_MS - state.now_ms, watch.asked
        if asked is not None:
            heard = asked.heard_ms
            if heard is not None:
                heard = self._heard(state, heard)
            asked = replace(asked, heard_ms=heard, unheard=tuple(names.sentence(item) for item in asked.unheard))
        said = (
            tuple(replace(item, from_ms=item.from_ms + shift, to_ms=item.to_ms + shift) for item in watch.said)
            if state.turn.open
            else ()
        )
        yeses = tuple(self._yes(item, state.now_ms) for item in sorted(watch.yeses, key=lambda item: item.action))
        live = tuple(replace(item, grant=names.grant(item.grant)) for item in watch.live)
        if state.identity.ending:
            return Watch(live=live, opted_out=watch.opted_out, stopped=watch.stopped)
        return replace(watch, asked=asked, said=said, yeses=yeses, live=live)

    def _yes(self, item: Yes, now_ms: int) -> Yes:
        return replace(item, at_ms=NOW_MS - min(now_ms - item.at_ms, self._ages.of(CONSENT + item.action, "explicit")))


def _asked_before(state: State) -> bool:
    """Whether the age of the wish for a person has to be looked at anew: words that it is compared with change."""
    asked = state.facts.get(PERSON)
    return asked is not None and NOW_MS - OLD_MS < asked.at_ms < NOW_MS - EARLY_MS
