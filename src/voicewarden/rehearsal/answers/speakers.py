"""The voices of the test set, each in one split for good: synthetic ones by engine, recorded ones by folder.

In: nothing. Out: `SPEAKERS`, and which of them are installed. Called by `casting` and `speech`. Variants of one engine
voice share an `origin`, and an origin is never in both splits, so that weights are tested on voices they never met.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Literal

import msgspec

from voicewarden.rehearsal.answers.clip import Split
from voicewarden.rehearsal.callers.engines import NEEDS, Voice, is_installed

Kind = Literal["recorded", "synthetic", "formant"]
"""A recorded person, a synthetic voice made from one, or the one voice of espeak-ng in another shape."""

SOUNDS: Final = Path("/usr/share/asterisk/sounds")
MUSIC: Final = Path("/usr/share/asterisk/moh")
CARDS: Final = Path("/usr/share/pocketsphinx/test/data/cards")
"""A person who says playing cards: short answers that no list of greetings has."""
FESTIVAL_NEEDS: Final = "apt-get install festival festvox-kdlpc16k"


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """One voice: `engine` or `festival` for texts of ours, `folder` (under SOUNDS) and `package` for recordings."""

    id: str
    origin: str
    split: Split
    kind: Kind
    language: str = "en"
    engine: Voice | None = None
    festival: str = ""
    folder: str = ""
    package: str = ""

    def is_here(self) -> bool:
        """Whether it can be heard on this machine."""
        if self.engine is not None:
            return is_installed(self.engine.engine)
        if self.festival:
            return shutil.which("text2wave") is not None and any(
                Path("/usr/share/festival/voices").glob(f"*/{self.festival}")
            )
        return (SOUNDS / self.folder).is_dir()

    def prompt_path(self, name: str) -> Path:
        """Where a recorded prompt lies, such as `vm-intro`."""
        return SOUNDS / self.folder / f"{name}.wav"

    def has_prompt(self, name: str) -> bool:
        """Whether this voice has recorded a prompt."""
        return self.prompt_path(name).is_file()

    def needs(self) -> str:
        """How to install it."""
        if self.engine is not None:
            return NEEDS[self.engine.engine]
        return FESTIVAL_NEEDS if self.festival else f"apt-get install {self.package}"


def _engine(id: str, origin: str, split: Split, voice: Voice) -> Speaker:
    return Speaker(id=id, origin=origin, split=split, kind="synthetic", engine=voice)


def _formant(variant: str, split: Split, pace_permille: int = 1000) -> Speaker:
    voice = Voice("espeak-ng", variant, pace_permille=pace_permille)
    return Speaker(id=f"espeak {variant}", origin=f"espeak {variant}", split=split, kind="formant", engine=voice)


def _recorded(folder: str, origin: str, split: Split, language: str, package: str) -> Speaker:
    return Speaker(
        id=folder, origin=origin, split=split, kind="recorded", language=language, folder=folder, package=package
    )


SPEAKERS: Final[tuple[Speaker, ...]] = (
    _engine("slt", "slt", "fit", Voice("flite", "slt")),
    _engine("slt-deep", "slt", "fit", Voice("flite", "slt", pace_permille=1100, pitch_permille=930)),
    _engine("awb", "awb", "fit", Voice("flite", "awb", pace_permille=1100)),
    _engine("awb-fast", "awb", "fit", Voice("flite", "awb", pace_permille=930, pitch_permille=1060)),
    _engine("kal", "kal", "fit", Voice("flite", "kal16")),
    _formant("en-us+m1", "fit"),
    _formant("en-us+f1", "fit", 1100),
    _formant("en-gb+m3", "fit"),
    _formant("en-gb+f3", "fit", 900),
    _formant("en-us+m7", "fit", 1050),
    _recorded("fr_CA_f_June", "June", "fit", "fr", "asterisk-core-sounds-fr-wav"),
    _recorded("it_IT_m_Carlo", "Carlo", "fit", "it", "asterisk-core-sounds-it-wav"),
    _recorded("it_IT_f_Menardi", "Menardi", "fit", "it", "asterisk-prompt-it-menardi-wav"),
    _recorded("ru_RU_f_IvrvoiceRU", "IvrvoiceRU", "fit", "ru", "asterisk-core-sounds-ru-wav"),
    _engine("joe", "joe", "test", Voice("piper", "joe")),
    _engine("joe-deep", "joe", "test", Voice("piper", "joe", pace_permille=1150, pitch_permille=920)),
    _engine("joe-light", "joe", "test", Voice("piper", "joe", pace_permille=900, pitch_permille=1100)),
    _engine("rms", "rms", "test", Voice("flite", "rms", pace_permille=1100)),
    _engine("rms-fast", "rms", "test", Voice("flite", "rms", pace_permille=930, pitch_permille=1080)),
    Speaker(id="ked", origin="ked", split="test", kind="synthetic", festival="ked_diphone"),
    _formant("en-us+m2", "test"),
    _formant("en-us+f2", "test", 1100),
    _formant("en-gb+m4", "test", 900),
    _formant("en-gb+f4", "test"),
    _recorded("en_US_f_Allison", "Allison", "test", "en", "asterisk-core-sounds-en-wav"),
    _recorded("es_MX_f_Allison", "Allison", "test", "es", "asterisk-core-sounds-es-wav"),
    Speaker(
        id="cards", origin="cards", split="test", kind="recorded", folder=str(CARDS), package="pocketsphinx-testdata"
    ),
)


def speakers(split: Split) -> tuple[Speaker, ...]:
    """The voices of a split that are installed here."""
    return tuple(one for one in SPEAKERS if one.split == split and one.is_here())


def missing() -> dict[str, str]:
    """The voices that are not installed, each with how to install it."""
    return {one.id: one.needs() for one in SPEAKERS if not one.is_here()}


def music() -> tuple[Path, ...]:
    """The pieces of hold music that are installed."""
    return tuple(sorted(MUSIC.glob("*.wav")))
