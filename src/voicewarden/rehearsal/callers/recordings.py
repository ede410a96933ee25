"""Human recordings from an installable package: a prompt's name in, 8 kHz int16 at telephone level out.

Called by caller scripts for voicemail greetings and announcements. The prompts are Debian's
`asterisk-core-sounds-en-wav` (voice: Allison Smith, CC-BY-SA-3.0); they are read where the package put them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from voicewarden.model.error import MissingPart
from voicewarden.rehearsal.callers.engines import read_wav
from voicewarden.rehearsal.callers.loudness import LINE_HZ, Pcm, to_line

SOUND_FOLDERS: Final = tuple(Path("/usr/share/asterisk/sounds") / name for name in ("en_US_f_Allison", "en_US", "en"))
NEEDS: Final = "apt-get install asterisk-core-sounds-en-wav"
TONES: Final = frozenset({"beep", "beeperr", "ascending-2tone", "descending-2tone"})

PERSON_UNAVAILABLE: Final = ("vm-theperson", "digits/5", "digits/5", "digits/1", "digits/2", "vm-isunavail")
LEAVE_A_MESSAGE: Final = ("vm-intro",)


def has_recordings() -> bool:
    """Whether the package is installed."""
    return _folder() is not None


def recording(name: str) -> Pcm:
    """Return a prompt by its path in the package without `.wav`, such as `vm-intro`; raises MissingPart."""
    folder = _folder()
    if folder is None:
        raise MissingPart(f"the recorded prompts are not installed; run {NEEDS}")
    path = folder / f"{name}.wav"
    if not path.is_file():
        raise MissingPart(f"the prompt {name!r} is not in {folder.name}; look there for the names, or run {NEEDS}")
    pcm, rate_hz = read_wav(path)
    return pcm if name in TONES and rate_hz == LINE_HZ else to_line(pcm, rate_hz)


def joined(*names: str, gap_ms: int = 120) -> Pcm:
    """Return several prompts one after the other with a short pause between."""
    gap = np.zeros(gap_ms * LINE_HZ // 1000, dtype=np.int16)
    parts = [part for name in names for part in (recording(name), gap)]
    return np.concatenate(parts[:-1]) if parts else gap[:0]


def voicemail_greeting(*, has_beep: bool = True, lead_ms: int = 500) -> Pcm:
    """Return a mailbox greeting spoken by a person, with the beep at its end unless told otherwise.

    "The person at extension 5 5 1 2 is unavailable. Please leave your message after the tone ..."
    """
    lead = np.zeros(lead_ms * LINE_HZ // 1000, dtype=np.int16)
    tone = ("beep",) if has_beep else ()
    return np.concatenate((lead, joined(*PERSON_UNAVAILABLE, *LEAVE_A_MESSAGE, *tone)))


def _folder() -> Path | None:
    return next((folder for folder in SOUND_FOLDERS if (folder / "vm-intro.wav").is_file()), None)
