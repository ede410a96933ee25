"""A guarded call in memory: tell it what happens, ask before acting, read the records.

In: a policy (`open_policy`), events (`Call.observe`, or `heard`, `shown`, `pressed` where there is no audio) and
requests (`Call.request`). Out: decisions, one-shot grants and records. Nothing is executed here: a grant says that
whoever calls this API may do the action now, once, after `Call.spend`. One call belongs to one thread.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from voicewarden.embed.clock import Clock
from voicewarden.embed.outcome import Answer, Outcome, answer_of, outcome_of
from voicewarden.embed.policy import OpenedPolicy
from voicewarden.embed.records import write_records
from voicewarden.kernel.draft import Output
from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled, encode_release
from voicewarden.kernel.standing import objection
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.model import event as events
from voicewarden.model.action import Arguments, Direction, Stage, Value
from voicewarden.model.action import Outcome as EffectOutcome
from voicewarden.model.arguments import clean_text, plain_arguments
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision, Grant, Reason
from voicewarden.model.directive import Speak, StopSpeaking
from voicewarden.model.error import ConfigError, GrantRefused, LedgerError
from voicewarden.model.record import GENESIS, Record

if TYPE_CHECKING:
    from voicewarden.embed.sealing import CallSeal
    from voicewarden.ledger.store import Ledger

_CERTAIN: Final = 1000
"""Per mille: what was typed was not misheard."""


# Any: what a model wrote, as text or read already.
def _readable(args: Any) -> Arguments | None:
    """The arguments as a record can hold them; None for what it can't."""
    try:
        return plain_arguments(json.loads(args or "{}") if isinstance(args, str) else args)
    except (ValueError, TypeError, RecursionError):
        return None


def _values(given: Mapping[str, Value]) -> dict[str, Value]:
    """Facts or details as a record can hold them; what it can't is left out, and so not known."""
    return {clean_text(name): value for name, one in given.items() for value in (_readable({"": one}) or {}).values()}


class Call:
    """One guarded call, conversation or run of an agent.

    Times are milliseconds since it started. They come from `clock` unless a method is given `at_ms`, as whoever wants
    the same bytes twice has to do; time that goes back stands still.
    """

    def __init__(
        self, release: Compiled, *, call: str = "", agent: str = "", direction: Direction = "inbound",
        facts: Mapping[str, Value] | None = None, stage: Stage | None = None, epoch: int = 0,
        started_unix_ms: int | None = None, clock: Callable[[], int] | None = None, ledger: Ledger | None = None,
        sealed: bool = True,
    ) -> None:  # fmt: skip
        """`facts` are declared facts that are known from the start. With a `ledger` every record goes there at once,
        what is said being `sealed` (`embed/sealing.py` says where the keys lie), and spending a grant is durable;
        without one both live as long as this object. Raises ConfigError for a role that there is not, LedgerError where
        the ledger does not take the call.
        """
        self._release = release
        self._clock = clock or Clock()
        self._state: State = EMPTY
        self._stream = f"call:{call or secrets.token_hex(8)}"
        self._hash = GENESIS
        self._agent = _role(release, agent)
        self._requests = 0
        self._proposed = 0
        self._unshown: dict[str, str] = {}
        self._cut: list[str] = []
        self._spent: set[str] = set()
        self._ledger = ledger
        self._unrecorded = False
        self._seal: CallSeal | None = None
        self.records: list[Record] = []
        if ledger is not None:
            self._seal = _seal(ledger, self._stream) if sealed else None
            ledger.put_blob(encode_release(release.data))
        if started_unix_ms is None:
            started_unix_ms = self._clock.started_unix_ms if isinstance(self._clock, Clock) else 0
        defaults = release.defaults if isinstance(release, OpenedPolicy) else {}
        self.observe(
            events.CallStarted(
                at_ms=0, call=self.id, agent=self._agent, direction=direction, contact="", epoch=epoch,
                stage=stage or release.data.agents[self._agent].stage, release=release.hash,
                started_unix_ms=started_unix_ms, facts=_values({**defaults, **(facts or {})}),
            )
        )  # fmt: skip
        if self._unrecorded:
            raise _refused(self._stream)

    @property
    def id(self) -> str:
        """The call's name in its records."""
        return self._stream.removeprefix("call:")

    @property
    def state(self) -> State:
        """The authority state as it stands."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the call was ended, by either side: nothing is allowed any more."""
        return self._state.identity.hung_up or self._state.identity.ended

    @property
    def unshown(self) -> tuple[str, ...]:
        """What the person has to be shown (or told) now: notices, questions, goodbyes. Call `shown` once they were."""
        return tuple(self._unshown.values())

    def observe(self, event: events.Event) -> Step:
        """Fold any event in and record what follows."""
        taken = step(self._release, self._state, event)
        at_ms = max(event.at_ms, self._state.now_ms)
        made = records_of(self._stream, self._state.seq, self._hash, event, taken.outputs, at_ms, self._seal)
        self.records += made if self._seal is None else self._seal.opened(made)
        self._hash = made[-1].hash
        self._state = taken.state
        if isinstance(event, events.SentencePlayed):
            self._unshown.pop(event.sentence, None)
        self._follow(taken.outputs)
        self._record(made)
        return taken

    def _follow(self, outputs: tuple[Output, ...]) -> None:
        for item in outputs:
            if isinstance(item, Speak):
                self._unshown[item.sentence] = item.text
            elif isinstance(item, StopSpeaking):
                self._cut += self._unshown
                self._unshown.clear()

    def _record(self, made: list[Record]) -> None:
        if self._ledger is None or self._unrecorded:
            return
        try:
            self._ledger.submit(made)
        except LedgerError:
            # Law 5: what can't be written down must not be done; `spend` refuses from here on.
            self._unrecorded = True
            self.observe(events.LedgerFaltered(at_ms=self._state.now_ms))

    def _happen(self, *told: events.Event) -> tuple[Output, ...]:
        """Events of one moment; sentences that were stopped before anybody saw them count as not shown."""
        outputs: tuple[Output, ...] = ()
        for event in told:
            outputs += self.observe(event).outputs
            while self._cut:
                lost, at_ms = self._cut.pop(0), self._state.now_ms
                outputs += self.observe(
                    events.SentencePlayed(at_ms=at_ms, sentence=lost, played_ms=0, whole=False)
                ).outputs
        return outputs

    def _now(self, at_ms: int | None) -> int:
        return self._clock() if at_ms is None else at_ms

    def answered(self, *, at_ms: int | None = None) -> Answer:
        """The person is there. What must be said first is `unshown` now."""
        return answer_of(self._happen(events.CallAnswered(at_ms=self._now(at_ms))))

    def shown(self, *, at_ms: int | None = None) -> Answer:
        """Everything that was `unshown` has been shown or played to its end: only now can a question be answered."""
        now, told = self._now(at_ms), list[events.Event]()
        for sentence in self._unshown:
            told.append(events.SentenceStarted(at_ms=now, sentence=sentence))
            told.append(events.SentencePlayed(at_ms=now, sentence=sentence, played_ms=0, whole=True))
        return answer_of(self._happen(*told))

    def heard(self, text: str, *, permille: int = _CERTAIN, at_ms: int | None = None) -> Answer:
        """The person wrote or said this, as one turn; `permille` says how sure a transcriber was of it."""
        now, text = self._now(at_ms), clean_text(text)
        turn = self._state.turn.number + (0 if self._state.turn.open else 1)
        words = tuple(events.Word(word, permille, now, now) for word in text.split())
        outputs = self._happen(
            events.CallerStartedSpeaking(at_ms=now, turn=turn),
            events.CallerStoppedSpeaking(at_ms=now, turn=turn, speech_ms=0),
            events.CallerSpoke(at_ms=now, turn=turn, text=text, words=words, speech_ms=0),
            events.CallerTurnEnded(at_ms=now, turn=turn),
        )
        return answer_of(outputs)

    def pressed(self, key: str, *, at_ms: int | None = None) -> Answer:
        """The person pressed a key or a button: 1 agrees to the question that was shown, 9 opts out for good."""
        return answer_of(self._happen(events.DtmfPressed(at_ms=self._now(at_ms), digit=clean_text(key))))

    def say(self, text: str, *, at_ms: int | None = None) -> Answer:
        """The model wants to say this. What may be said, or an approved line instead of it, is `unshown` then."""
        self._proposed += 1
        floor = self._state.floor
        proposed = events.SentenceProposed(
            at_ms=self._now(at_ms), sentence=f"m{self._proposed}", generation=max(floor.dropped, floor.generation) + 1,
            turn=floor.answering or 0, text=clean_text(text),
        )  # fmt: skip
        return answer_of(self._happen(proposed))

    def learn(self, fact: str, value: Value, *, source: str = "application", at_ms: int | None = None) -> Answer:
        """An approved record says this about a declared fact. One of the wrong type is left out, so that rules fail."""
        now, known = self._now(at_ms), _values({fact: value})
        told = [events.FactLearned(at_ms=now, fact=name, value=held, source=source) for name, held in known.items()]
        return answer_of(self._happen(*told))

    def approved(self, decision: Decision, *, operator: str, at_ms: int | None = None) -> Answer:
        """A person in charge approved exactly what this decision was about, to be done once. Ask again then."""
        given = events.OperatorApproved(
            at_ms=self._now(at_ms), digest=decision.digest, operator=clean_text(operator), action=decision.action
        )
        return answer_of(self._happen(given))

    def request(
        self, action: str, args: Mapping[str, Any] | str = "", *, principal: str = "", at_ms: int | None = None
    ) -> Outcome:
        """Ask for an action, for the role that speaks unless another is named. Without a grant it must not be done.

        `args` may be the text that the model wrote as JSON. Fractions, lists and objects become texts; what cannot be
        read is denied and never raised.
        """
        self._requests += 1
        plain = _readable(args)
        event = events.ActionRequested(
            at_ms=self._now(at_ms), request=f"r{self._requests}", action=clean_text(action),
            # Named as such, which every action denies: what has no canonical form can't be bound to a yes.
            args={"unreadable": True} if plain is None else plain,
            principal=clean_text(principal) or self._state.identity.agent,
        )  # fmt: skip
        outputs = self._happen(event)
        decision = next((item for item in outputs if isinstance(item, Decision)), None)
        return outcome_of(decision or self._no_decision(event), outputs)

    def _no_decision(self, event: events.ActionRequested) -> Decision:
        """Where even the denial failed: the call is over, and this says so."""
        reason = Reason("kernel.fault", "kernel", "could decide", "an internal fault", "deny")
        state = self._state
        return Decision(
            seq=state.seq, at_ms=state.now_ms, request=event.request, action=event.action, digest=digest_of(event.args),
            principal=event.principal, verdict="deny", reasons=(reason,), policy=self._release.policy.hash,
            version=state.version, epoch=state.identity.epoch, stage=state.identity.stage,
        )  # fmt: skip

    def spend(self, grant: Grant, *, at_ms: int | None = None) -> Arguments:
        """Use a grant up and get the arguments to act with; act at once. Raises GrantRefused, and then don't.

        1 the grant is open here, unaltered; 2 nothing stands against it; 3 it was not spent before, and with a ledger
        that is durable; 4 nothing stands against it after the wait.
        """
        opened = self._state.grants.open.get(grant.id)
        if opened is None or opened.grant != grant or digest_of(grant.args) != grant.digest:  # 1
            raise GrantRefused("the grant is not open in this call: settled, altered or made elsewhere; ask anew")
        if not opened.handed:
            raise GrantRefused("the grant waits for a sentence that was not shown yet; call `shown` first")
        self._check(grant, at_ms)  # 2
        if grant.id in self._spent:  # 3
            raise GrantRefused("the grant was spent before; ask for a new one")
        self._spent.add(grant.id)
        if self._ledger is not None:
            if not self._ledger.burn(grant.id, grant.call, grant.epoch, grant.minted_at_ms):
                raise GrantRefused("the grant was spent before; ask for a new one")
            self._check(grant, at_ms)  # 4
        return dict(grant.args)

    def _check(self, grant: Grant, at_ms: int | None) -> None:
        against = "the ledger does not take records" if self._unrecorded else ""
        now_ms = max(self._now(at_ms), self._state.now_ms)
        against = against or objection(
            grant, call=self.id, state=self._state, policy=self._release.policy.hash, now_ms=now_ms
        )
        if against:
            raise GrantRefused(f"the grant is void: {against}; the call must earn it again")

    def done(self, grant: Grant, *, detail: Mapping[str, Value] | None = None, at_ms: int | None = None) -> Answer:
        """The action of a grant was done; `detail` is what the model may be told of it."""
        return self._settled(grant, "done", detail, at_ms)

    def failed(self, grant: Grant, *, unknown: bool = False, at_ms: int | None = None) -> Answer:
        """The action was certainly not done, and counts towards no limit. Say `unknown` where that is not certain."""
        return self._settled(grant, "unknown" if unknown else "failed", None, at_ms)

    def _settled(
        self, grant: Grant, outcome: EffectOutcome, detail: Mapping[str, Value] | None, at_ms: int | None
    ) -> Answer:
        told = _values(detail or {})
        receipt = events.ReceiptReturned(at_ms=self._now(at_ms), grant=grant.id, outcome=outcome, detail=told)
        return answer_of(self._happen(receipt))

    def tick(self, *, at_ms: int | None = None) -> Answer:
        """Fire the timers that are due: silence, an unanswered question, the longest call. For voices; chats wait."""
        now, outputs = self._now(at_ms), tuple[Output, ...]()
        while due := min(((due, name) for name, due in self._state.timers.items() if due <= now), default=None):
            fired = events.TimerFired(at_ms=max(due[0], self._state.now_ms), timer=due[1], due_ms=due[0])
            outputs += self._happen(fired)
        return answer_of(outputs)

    def end(self, reason: str = "ended", *, at_ms: int | None = None) -> Answer:
        """Nothing more will happen."""
        return answer_of(self._happen(events.CallEnded(at_ms=self._now(at_ms), reason=reason)))

    def save(self, target: Path | str | Ledger) -> None:
        """Write all records to a file, a line each, or with their release into a ledger that does not have them yet."""
        if isinstance(target, Path | str):
            write_records(Path(target), self.records)
            return
        if self._seal is not None:
            raise LedgerError("what is said here is sealed for the ledger that has it; copy that ledger instead")
        target.put_blob(encode_release(self._release.data))
        target.submit(self.records)
        target.flush()


def _seal(ledger: Ledger, stream: str) -> CallSeal:
    # Only who keeps a ledger needs the keys' room.
    from voicewarden.embed.sealing import seal_call

    try:
        return seal_call(ledger, stream)
    except LedgerError as error:
        raise _refused(stream) from error


def _refused(stream: str) -> LedgerError:
    name = stream.removeprefix("call:")
    return LedgerError(f"the ledger takes no call named {name!r}; is the name used, or the ledger broken?")


def _role(release: Compiled, agent: str) -> str:
    roles = sorted(release.data.agents)
    if not agent and len(roles) == 1:
        return roles[0]
    if agent not in release.data.agents:
        found = f"found '{agent}', which is no role" if agent else "is missing: there are several roles"
        raise ConfigError(found, field="agent", accepted=", ".join(roles))
    return agent
