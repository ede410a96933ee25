"""`step`: one event in, the new state and everything that follows from it out. The only way authority ever changes.

Pure and total. Live calls, replay, what-if, tests and benchmarks all call this same function.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from voicewarden.kernel.draft import Draft, Output
from voicewarden.kernel.facets import (
    actions,
    answerer,
    answers,
    budget,
    call,
    keypad,
    patience,
    silence,
    speech,
    turn,
)
from voicewarden.kernel.facets.ending import end_politely, hang_up
from voicewarden.kernel.gate import Request, deny_reason, refuse
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.model import event as events
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import Directive, DirectiveBase


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one event led to. `outputs` stand in the order in which they are recorded behind the event."""

    state: State
    outputs: tuple[Output, ...]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The gate's verdicts of this step."""
        return tuple(item for item in self.outputs if isinstance(item, Decision))

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Grants that were minted in this step, unsealed."""
        return tuple(item for item in self.outputs if isinstance(item, Grant))

    @property
    def directives(self) -> tuple[Directive, ...]:
        """What the loop must do now."""
        return tuple(item for item in self.outputs if isinstance(item, DirectiveBase))


def step(release: Compiled, state: State, event: events.Event) -> Step:
    """Fold one event into the state. Never raises: a fault inside takes all authority away and ends the call."""
    draft = Draft(release, state, event)
    try:
        _HANDLERS[type(event)](draft, event)
    except Exception:
        # Default deny (law 1): whatever went wrong in here, the call must not act on half a state.
        draft = Draft(release, state, event)
        _fault(draft, event)
    return Step(draft.freeze(), tuple(draft.outputs))


def _fault(draft: Draft, event: events.Event) -> None:
    try:
        if isinstance(event, events.ActionRequested):
            request = Request(id=event.request, action=event.action, args=event.args, principal=event.principal)
            reason = deny_reason("fault", "kernel", "could decide", "an internal fault")
            actions.answer(draft, request, refuse(draft, request, (reason,)))
        call.fault(draft, "kernel_fault")
    except Exception:
        hang_up(draft, "kernel_fault")


def _on_timer(draft: Draft, event: events.TimerFired) -> None:
    if draft.timers.get(event.timer) != event.due_ms:
        return  # it was cancelled or set anew while this event was on its way
    draft.forget_timer(event.timer)
    if event.timer.startswith("spend:"):
        actions.hand_to_effector(draft, event.timer.removeprefix("spend:"))
        return
    handler = _TIMERS.get(event.timer)
    if handler is not None:
        handler(draft)


def _end_of_patience(draft: Draft) -> None:
    end_politely(draft, "backstop", "silence.goodbye")


_TIMERS: dict[str, Callable[[Draft], None]] = {
    "answerer.no_speech": answerer.on_no_speech,
    "answerer.decide": answerer.on_deadline,
    "answerer.open": answerer.on_patience,
    "message_ready": answerer.message_ready,
    "voicemail": answerer.message_ready,
    "screening": answerer.on_nobody_behind,
    "silence": silence.on_timer,
    "filler": patience.on_pause,
    "keypad": keypad.on_entered,
    "backstop": _end_of_patience,
    "answer": answers.on_no_answer,
    "model": speech.falter,
    "silent_model": speech.on_silent_model,
    "longest": call.on_longest,
    "warn": call.on_warn,
    "goodbye": lambda draft: hang_up(draft, draft.identity.ending or "goodbye"),
    "transfer": lambda draft: hang_up(draft, "transfer_unknown"),
}


def _nothing(draft: Draft, event: events.Event) -> None:
    """Recorded for whoever reads the call; it changes no authority."""


# Any: each handler takes its own event type; the table pairs them and a test walks the whole union.
_HANDLERS: dict[type, Callable[[Draft, Any], None]] = {
    events.CallStarted: call.on_started,
    events.CallAnswered: lambda draft, _: call.on_answered(draft),
    events.CallerStartedSpeaking: turn.on_started,
    events.CallerStoppedSpeaking: turn.on_stopped,
    events.CallerSpoke: turn.on_spoke,
    events.CallerTurnEnded: turn.on_ended,
    events.ToneHeard: answerer.on_tone,
    events.CadenceMeasured: answerer.on_cadence,
    events.CarrierJudgedAnswerer: answerer.on_carrier,
    events.DtmfPressed: keypad.on_key,
    events.SentenceProposed: speech.on_proposed,
    events.SentenceStarted: speech.on_started,
    events.SentencePlayed: speech.on_played,
    events.GenerationEnded: speech.on_generation_ended,
    events.ActionRequested: actions.on_request,
    events.FactLearned: call.on_fact,
    events.CountReserved: call.on_counted,
    events.TokensReserved: budget.on_reserved,
    events.TokensSpent: budget.on_spent,
    events.TimerFired: _on_timer,
    events.ReceiptReturned: actions.on_receipt,
    events.ModelFaltered: speech.on_model_faltered,
    events.SpeechFaltered: speech.on_speech_faltered,
    events.HearingFaltered: turn.on_hearing_faltered,
    events.SoundStopped: patience.on_sound_stopped,
    events.SoundResumed: patience.on_sound_resumed,
    events.OperatorApproved: call.on_approved,
    events.PolicyActivated: _nothing,
    events.AuthorityTightened: call.on_tightened,
    events.AuthorityRevoked: call.on_revoked,
    events.CallsPaused: call.on_paused,
    events.LeaseLost: lambda draft, _: call.fault(draft, "lease_lost"),
    events.LedgerFaltered: lambda draft, _: call.fault(draft, "ledger_failed"),
    events.RecordingStored: _nothing,
    events.MediaEnded: call.on_media_ended,
    events.CallEnded: call.on_ended,
}
