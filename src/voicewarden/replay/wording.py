"""What records mean in plain English, in one line each.

In: decoded records. Out: text, never markup. Used by every part of the call report.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from voicewarden.model.decision import Grant
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
    "TokensReserved": "the model wants to produce up to {tokens} tokens (inference {inference})",
    "TokensSpent": "inference {inference} produced {tokens} tokens",
    "TimerFired": "timer {timer} came due",
    "ReceiptReturned": "the result of {grant} came back: {outcome}",
    "ModelFaltered": "the model failed: {what}",
    "SpeechFaltered": "sentence {sentence} could not be spoken",
    "HearingFaltered": "what the caller said in turn {turn} could not be transcribed",
    "SoundStopped": "no sound came from the caller's side any more",
    "SoundResumed": "sound came from the caller's side again",
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
    "TreatAs": "whoever answered is taken for: {answerer} (evidence adds up to {score})",
    "ListenFor": "a pause of {pause_ms} ms ends a turn",
    "TellModel": "tell the model: {action} {status}",
    "AnswerTool": "answer to the tool call: {action} {status}",
    "StartTimer": "start timer {timer}",
    "CancelTimer": "cancel timer {timer}",
    "SpendGrant": "do what grant {grant} permits",
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


def date(unix_ms: int) -> str:
    """A moment in UTC, or that it was not recorded (a call without a wall clock)."""
    if not 0 < unix_ms < 253_402_300_800_000:
        return "not recorded"
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=unix_ms)).strftime("%Y-%m-%d %H:%M:%S UTC")


def plain(name: str) -> str:
    """A name from a record as words."""
    return name.replace("_", " ").strip() or "not known"


def grant_end(grant: Grant, receipt: str | None, *, handed: bool, burnt: bool) -> str:
    """What became of a grant, in words."""
    if receipt is not None:
        return receipt
    if burnt:
        return "unknown: it was used, but no result came back"
    if handed:
        return "unknown: it was handed over to be done, and no result came back"
    return "never used" if not grant.escape else "kept in reserve"


def sentence_state(sentence: Sentence) -> str:
    """Whether and how far a sentence was heard."""
    if sentence.heard == "cut":
        return f"cut off after {duration(sentence.to_ms - sentence.from_ms)}"
    return HEARD[sentence.heard]
