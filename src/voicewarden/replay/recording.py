"""The recording that belongs to a call: found, checked against the record that names it, and placed on the call's
clock.

In: the file that was handed in, or the ledger's blob. Out: `Recording`, with notes for everything that is missing or
does not fit. Used by the call report.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from voicewarden.ledger.sealing import is_sealed_blob
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import ContentSealed, LedgerError
from voicewarden.model.event import RecordingStored
from voicewarden.replay.sound import Sound, mulaw_wav, read_wav

LARGEST_SOUND_BYTES: Final = 10_000_000
"""Ten minutes at telephone quality: a page with more is slow to open on a phone."""


class Recording(msgspec.Struct, frozen=True):
    """Sound of a call, and what must be said about it."""

    sound: Sound | None
    from_ms: int
    """Where the recording begins on the call's clock."""
    wav: bytes
    """What the page plays; empty when there is nothing to embed."""
    notes: tuple[str, ...]


def find_recording(ledger: LedgerView, call: str, stored: RecordingStored | None, given: Path | None) -> Recording:
    """The call's recording. A missing or unreadable one is said in the notes, never raised."""
    notes: list[str] = []
    data = _load(ledger, call, stored, given, notes)
    if data is None:
        return Recording(None, 0, b"", tuple(notes))
    if stored is None:
        notes.append("No record names a recording of this call: its place on the time axis is assumed.")
    elif not _is_of(data, ledger, call, stored):
        notes.append("This recording is not the one that the call stored: its hash is another.")
    sound = read_wav(data)
    if isinstance(sound, str):
        return Recording(None, 0, b"", (*notes, sound))
    if sound.channels == 1:
        notes.append("The recording has one channel: caller and agent can't be told apart in it.")
    return Recording(sound, stored.from_ms if stored else 0, _playable(sound, notes), tuple(notes))


def _is_of(data: bytes, ledger: LedgerView, call: str, stored: RecordingStored) -> bool:
    """Whether this sound is what the record names, or what was sealed into it."""
    if hashlib.sha256(data).hexdigest() == stored.blob:
        return True
    try:
        return is_sealed_blob(ledger.get_blob(stored.blob)) and ledger.get_recording(call, stored.blob) == data
    except LedgerError:
        return False


def _load(
    ledger: LedgerView, call: str, stored: RecordingStored | None, given: Path | None, notes: list[str]
) -> bytes | None:
    try:
        if given is not None:
            return given.read_bytes()
        if stored is not None:
            return ledger.get_recording(call, stored.blob)
    except OSError as error:
        notes.append(f"The recording {given.name if given else ''} can't be read ({error.strerror}).")
        return None
    except ContentSealed:
        notes.append("A recording was stored, and was erased since, or is sealed and its key is not here.")
        return None
    except LedgerError:
        notes.append("A recording was stored, but it is not beside the ledger: name its file with --recording.")
        return None
    notes.append("No recording: nothing was stored, so there is no sound to see or to hear.")
    return None


def _playable(sound: Sound, notes: list[str]) -> bytes:
    if len(sound.samples) > LARGEST_SOUND_BYTES:
        notes.append(f"The recording is too long to be carried by this page ({sound.ms // 60_000} minutes).")
        return b""
    return mulaw_wav(sound)
