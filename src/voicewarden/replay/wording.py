"""What records mean in plain English, in one line each.

In: decoded records. Out: text, never markup. Used by every part of the call report.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from voicewarden.model.decision import Decision, Grant, Reason
from voicewarden.replay.entries import Entry
from voicewarden.replay.timeline import Sentence

_TEXTS: Final = {
    "CallStarted": "call started: agent {agent}, {direction}, stage {stage}",
    "CallAnswered": "the line was picked up",
    "CallerStartedSpeaking": "the caller began to speak (turn {turn})",
    "CallerStoppedSpeaking": "the caller fell silent after {speech_ms} ms (turn {turn})",
    "CallerSpoke": "the caller said “{text}” (turn {turn})",
    "CallerTurnEnded": "the caller's turn {turn} ended",
    "ToneHeard": "a tone was heard: {tone}, {hz} Hz, {ms} ms",
    "CadenceMeasured": "speech so far: {speech_ms} ms in {bursts} bursts, longest {longest_run_ms} ms",
    "CarrierJudgedAnswerer": "the carrier thinks that this is: {verdict}",
    "DtmfPressed": "the caller pressed {digit}",
    "SentenceProposed": "the model wants to say “{text}”",
    "SentenceStarted": "sentence {sentence} began to be heard",
    "GenerationEnded": "the model finished generation {generation}",
    "ActionRequested": "{principal} asks for {action}",
    "CountReserved": "other calls have used {used} of the limit {limit}",
    "FactLearned": "{source} says: {fact} is {value}",
    "TokensReserved": "inference {inference} wants up to {tokens} tokens",
    "TokensSpent": "inference {inference} produced {tokens} tokens",
    "TimerFired": "timer {timer} came due",
    "ReceiptReturned": "the effect of {grant} ended: {outcome}",
    "ModelFaltered": "the model failed: {what}",
    "SpeechFaltered": "sentence {sentence} could not be spoken",
    "HearingFaltered": "what the caller said in turn {turn} could not be transcribed",
    "OperatorApproved": "operator {operator} approved these arguments",
    "PolicyActivated": "another release governs from here on",
    "AuthorityTightened": "operator {operator} lowered the stage to {stage}",
    "AuthorityRevoked": "operator {operator} took the right to act away",
    "CallsPaused": "operator {operator} paused all calls",
    "LeaseLost": "this worker may not act for the call any more",
    "LedgerFaltered": "records could not be made durable: nothing may act",
    "RecordingStored": "a recording of {ms} ms was stored",
    "CallEnded": "the call ended: {reason}",
    "Speak": "say ({purpose}): “{text}”",
    "StopSpeaking": "be silent at once",
    "DropGeneration": "generation {generation} may say nothing more",
    "ConsultModel": "the model has the floor",
    "AnswerInference": "inference {inference} may produce {tokens} tokens",
    "ListenFor": "a pause of {pause_ms} ms ends a turn",
    "TellModel": "tell the model: {action} {status}",
    "AnswerTool": "answer to the tool call: {action} {status}",
    "StartTimer": "start timer {timer}",
    "CancelTimer": "cancel timer {timer}",
    "SpendGrant": "hand grant {grant} to its effector",
    "SwitchAgent": "agent {agent} speaks from here on",
    "StartRecording": "recording begins",
    "StopRecording": "recording stops",
    "HangUp": "hang up: {reason}",
    "Grant": "grant for {action}",
    "Decision": "{action}: {verdict}",
    "Shadowed": "{action}: {source} would have {verdict}, log only",
}
VERDICTS: Final = {"allow": "allowed", "confirm": "must be confirmed", "escalate": "to a person", "deny": "refused"}
SIGNS: Final = {"allow": "✓", "confirm": "?", "escalate": "↑", "deny": "✕"}
"""One sign a verdict, so that colour alone never says anything."""
PURPOSES: Final = {
    "must_say": "must say", "line": "approved line", "question": "question", "model": "model", "safe": "safe line",
    "goodbye": "goodbye", "voicemail": "voicemail",
}  # fmt: skip
HEARD: Final = {
    "whole": "heard to the end", "cut": "cut off", "unheard": "never heard", "unknown": "not known whether heard",
}  # fmt: skip


def summary(entry: Entry) -> str:
    """A record in one line."""
    value = entry.value
    if value is None:
        return "can't be read by this version" if entry.record.kind != "note" else "a note"
    name = type(value).__name__
    if name == "CallerSpoke" and not getattr(value, "text", ""):
        return "a sound of the caller without words"
    if name == "SentencePlayed":
        return "sentence {sentence} {how}, {played_ms} ms".format(
            how="was heard to its end" if getattr(value, "whole", False) else "was cut", **msgspec.structs.asdict(value)
        )
    if name == "MediaEnded":
        return "the audio connection ended"
    fields = msgspec.structs.asdict(value)
    fields |= {key: plain(fields[key]) for key in ("reason", "what", "verdict", "status") if key in fields}
    return _TEXTS.get(name, name).format(**fields)


def clock(ms: int) -> str:
    """A moment of the call, such as 1:04.2."""
    minutes, rest = divmod(max(0, ms), 60_000)
    return f"{minutes}:{rest // 1000:02d}.{rest % 1000 // 100}"


def duration(ms: int) -> str:
    """A length of time, such as 1 min 4 s."""
    seconds = ms / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def plain(name: str) -> str:
    """A name from a record as words."""
    return name.replace("_", " ").strip() or "not known"


def decision_sentence(decision: Decision, title: str) -> str:
    """One decision as a sentence about what its title names."""
    action = title.capitalize()
    because = reasons_in_words(tuple(reason for reason in decision.reasons if reason.verdict != "allow"))
    match decision.verdict:
        case "allow":
            met = len(decision.reasons)
            return f"{action} was allowed: " + (f"all {met} rules were met." if met else "nothing stands against it.")
        case "confirm":
            return f"{action} must first be agreed to by the caller ({because})."
        case "escalate":
            return f"{action} is for a person to decide ({because})."
        case "deny":
            return f"{action} was refused ({because})."


def reasons_in_words(reasons: Sequence[Reason]) -> str:
    """What each reason needed and found."""
    return "; ".join(f"{reason.fact}: needed “{reason.needed}”, found “{reason.found}”" for reason in reasons)


def grant_end(grant: Grant, receipt: str | None, *, handed: bool, burnt: bool) -> str:
    """What became of a grant, in words."""
    if receipt is not None:
        return receipt
    if burnt:
        return "unknown: it was spent, but no receipt came back"
    if handed:
        return "unknown: it was handed to its effector, and no receipt came back"
    return "never spent" if not grant.escape else "kept in reserve"


def sentence_state(sentence: Sentence) -> str:
    """Whether and how far a sentence was heard."""
    if sentence.heard == "cut":
        return f"cut off after {duration(sentence.to_ms - sentence.from_ms)}"
    return HEARD[sentence.heard]
