"""A calibration: what was measured about one transcriber's confidence, and the thresholds that follow.

In: `calibration/NAME.json`, as `voicewarden calibrate` writes it. Out: a checked document. `release` and `shipped`
demand the file that a policy names under `hearing.calibration`, and hold the policy's bands against it: thresholds mean
nothing for another transcriber, and one below what firm evidence carries is refused.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from voicewarden.config.finding import Findings
from voicewarden.config.policy_blocks import HearingEntry, Permille, Why
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.model.error import ConfigError

Purpose = Literal["decide", "content", "digits", "names"]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Text = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
IsoDate = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Risk = Annotated[int, Field(ge=1, le=999)]


class CurvePoint(Document):
    """At this threshold so many of all items count, and so many of those are wrong."""

    accept_permille: Permille
    accepted: Count
    wrong: Count

    @model_validator(mode="after")
    def _wrong_ones_are_accepted(self) -> "CurvePoint":
        if self.wrong > self.accepted:
            raise ValueError("more wrong than accepted")
        return self


class HeldOut(Document):
    """A threshold found on half of the speakers, and what it does with the other half."""

    speakers: Count
    threshold_permille: Permille
    accepted: Count
    wrong: Count


class PurposeEvidence(Document):
    """What was measured for one purpose: of so many recordings came so many items, and of these were so many wrong.

    `drawn` is how many independent items the threshold rests on, one a call; of those it accepts `accepted`, and
    `upper_permille` bounds the share of wrong ones among what is accepted. `needs` is how many accepted ones without an
    error it takes at least. Without a threshold none could be shown to hold.
    """

    recordings: Count
    items: Count
    wrong: Count
    calls: Count
    speakers: Count
    drawn: Count
    needs: Count
    threshold_permille: Permille | None
    accepted: Count
    accepted_wrong: Count
    upper_permille: Permille
    auroc_permille: Permille | None
    ece_permille: Permille | None
    held_out: HeldOut | None = None
    curve: Annotated[list[CurvePoint], Field(min_length=1, max_length=200)]


class DataEntry(Document):
    """The recordings: what they are, so that others can judge whether they are like theirs."""

    about: Text
    sha256: Digest
    recordings: Count
    calls: Count
    speakers: Count


class CalibrationDocument(Document):
    """A whole calibration file."""

    transcriber: Annotated[str, Field(min_length=1, max_length=100)]
    confidence: Annotated[str, Field(min_length=1, max_length=60)]
    """How the confidence of a word is reckoned; another way needs another calibration."""
    date: IsoDate
    method: Text
    alpha_permille: Risk
    delta_permille: Risk
    data: DataEntry
    provisional: bool
    why: Why | None = None
    """Why it is provisional, and what would firm it up."""
    purposes: Annotated[dict[Purpose, PurposeEvidence], Field(min_length=1)]

    @model_validator(mode="after")
    def _says_what_it_lacks(self) -> "CalibrationDocument":
        if self.provisional and self.why is None:
            raise ValueError("a provisional calibration says why")
        lacking = [name for name, found in self.purposes.items() if found.threshold_permille is None]
        if lacking and not self.provisional:
            raise ValueError(f"no threshold for {', '.join(lacking)}, so it is provisional")
        return self


def load_calibration(path: Path) -> CalibrationDocument:
    """Read a calibration file. Raises ConfigError with everything that is wrong with it."""
    return validate(CalibrationDocument, read_yaml(path))


def check_calibration(hearing: HearingEntry, source: YamlFile, path: Path, findings: Findings) -> None:
    """Note what keeps the bands of a policy from resting on the calibration that it names, which is kept at `path`.

    A provisional one binds to its transcriber alone: its thresholds say too little about callers who were not heard.
    """
    if hearing.calibration is None:
        return
    route = ("hearing", "calibration")
    if not path.is_file():
        accepted = "a file that `voicewarden calibrate` wrote, or no calibration"
        source.complain(findings, route, f"there is no file {hearing.calibration} in the configuration", accepted)
        return
    try:
        found = load_calibration(path)
    except ConfigError as error:
        findings.take(error)
        return
    if found.transcriber != hearing.transcriber:
        what = f"it was measured for {found.transcriber}, and thresholds mean nothing for another transcriber"
        source.complain(findings, route, what, f"a calibration of {hearing.transcriber}")
        return
    if found.provisional:
        return
    for purpose, evidence in found.purposes.items():
        band = hearing.bands.named().get(purpose)
        if band is None or evidence.threshold_permille is None:
            continue
        if band.accept_permille < evidence.threshold_permille:
            what = f"found {band.accept_permille}, under what {hearing.calibration} shows to hold"
            accepted = f"at least {evidence.threshold_permille}"
            source.complain(findings, ("hearing", "bands", purpose, "accept_permille"), what, accepted)
