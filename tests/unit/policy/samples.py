"""Small policies for tests."""

from voicewarden.policy.ast import (
    ActionRule,
    AnswererRules,
    Band,
    Budget,
    CallLength,
    Contact,
    Hearing,
    MustSay,
    Oversight,
    Policy,
    Questions,
    Silence,
    SilenceStep,
    Speech,
)


def policy_with(*actions: ActionRule) -> Policy:
    """A policy with ordinary numbers and these actions."""
    return Policy(
        name="sample", owner="test", about="", facts={},
        hearing=Hearing(
            transcriber="t", end_of_turn_ms=500, end_of_turn_spelling_ms=800,
            decide=Band(accept_permille=600, confirm_permille=350),
            content=Band(accept_permille=500, confirm_permille=250),
        ),
        answerer=AnswererRules(
            no_speech_ms=5000, decide_by_ms=3500, default="human",
            when={"voicemail": "leave_voicemail", "no_speech": "end_call"},
        ),
        silence=Silence(
            ladder=(
                SilenceStep(after_ms=7000, do="reprompt"), SilenceStep(after_ms=8000, do="rephrase"),
                SilenceStep(after_ms=10000, do="goodbye"),
            ),
            backstop_ms=120_000,
        ),
        call=CallLength(longest_ms=600_000, warn_before_ms=60_000),
        budget=Budget(per_turn_tokens=160, per_call_tokens=4000, tool_calls_per_turn=2),
        questions=Questions(
            answer_within_ms=15_000, answer_tolerance_ms=150, times_per_arguments=2, times_per_action=4
        ),
        speech=Speech(
            must_say=(
                MustSay(id="ai", line="disclosures.ai", within_ms=8000),
                MustSay(id="recording", line="disclosures.recording", before="recording"),
            ),
            refuse=("denies_ai", "private_data"),
        ),
        contact=Contact(consent_level="none"),
        oversight=Oversight(owner="test", review_days=30, contact="x", pause_finishes_calls="politely"),
        actions={action.name: action for action in actions},
    )  # fmt: skip
