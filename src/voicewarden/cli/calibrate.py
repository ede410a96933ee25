"""`voicewarden calibrate`: from which confidence on words may be believed, measured on recordings of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicewarden.cli.policy import ConfigOption

if TYPE_CHECKING:
    from voicewarden.config.calibration_document import CalibrationDocument, PurposeEvidence
    from voicewarden.rehear.calibrating import Items


def calibrate(
    recordings: Annotated[
        Path,
        typer.Argument(help="A folder of WAV files, one answer or utterance each, with labels.jsonl or labels.csv."),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write the calibration file here.")] = None,
    alpha_permille: Annotated[
        int, typer.Option("--alpha-permille", min=1, max=500, help="At most so many of the accepted may be wrong.")
    ] = 50,
    delta_permille: Annotated[
        int, typer.Option("--delta-permille", min=1, max=500, help="The chance that this bound does not hold.")
    ] = 50,
    about: Annotated[
        str, typer.Option("--about", help="What the recordings are, for those who read the file.")
    ] = "recordings of our own",
    policy: Annotated[str, typer.Option("--policy", help="Whose pauses and word lists hold.")] = "organisation",
    config: ConfigOption = Path("config"),
    plot: Annotated[Path | None, typer.Option("--plot", help="Write the risk-coverage curves here, as an SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the confidence from which on at most ALPHA of what is accepted is wrong, for answers, words, digits, names.

    Exit code 1 when there is no such threshold for one of them; it says how many recordings it would take.
    """
    from voicewarden.cli.recordings import NEEDS
    from voicewarden.model.error import MissingPart

    try:
        found, calibration = _measured(recordings, policy, config, about, alpha_permille, delta_permille, quiet=as_json)
        from voicewarden.rehear import calibration_file
    except ImportError as error:
        raise MissingPart(f"`voicewarden calibrate` needs {error.name}; {NEEDS}") from None
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(calibration_file.text(calibration), encoding="utf-8")
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(calibration_file.plot(calibration), encoding="utf-8")
    lacking = calibration_file.lacks(calibration.purposes)
    _print(found, calibration, lacking, as_json=as_json)
    if lacking:
        raise typer.Exit(1)


def _measured(
    folder: Path, policy: str, config: Path, about: str, alpha_permille: int, delta_permille: int, *, quiet: bool
) -> tuple[Items, CalibrationDocument]:
    """Hear everything and reckon."""
    from datetime import UTC, datetime

    from voicewarden.cli.console import progress
    from voicewarden.cli.recordings import load_transcriber, release_and_defaults
    from voicewarden.rehear import calibrating, calibration_file
    from voicewarden.rehear.labelled import labelled

    rows = labelled(folder)
    release, _ = release_and_defaults(policy, config, None)
    transcriber = load_transcriber(release)
    with progress("recordings", len(rows), quiet=quiet) as done:
        heard = calibrating.listen(folder, rows, transcriber, release, done)
    found = calibrating.items_of(heard, release)
    purposes = calibrating.evidence(found, alpha_permille, delta_permille)
    data = calibration_file.data_of(folder, rows, about)
    calibration = calibration_file.document(
        found, purposes, data, identity=transcriber.identity, date=datetime.now(UTC).date().isoformat(),
        alpha_permille=alpha_permille, delta_permille=delta_permille,
    )  # fmt: skip
    return found, calibration


def _print(found: Items, calibration: CalibrationDocument, lacking: list[str], *, as_json: bool) -> None:
    from voicewarden.cli.console import print_json

    rate = round(1000 * found.errors / found.said) if found.said else None
    if as_json:
        print_json({**calibration.model_dump(), "word_error_permille": rate, "lacking": lacking})
        return
    data = calibration.data
    typer.echo(f"transcriber {calibration.transcriber}, confidence {calibration.confidence}")
    typer.echo(f"recordings  {data.recordings} of {data.calls} calls and {data.speakers} speakers")
    if rate is not None:
        typer.echo(f"words       {found.said} said, word error rate {rate / 10:.1f} %")
    for purpose, shown in calibration.purposes.items():
        _print_purpose(purpose, shown)
    if calibration.why:
        typer.echo(f"provisional: {calibration.why}")
    for sentence in lacking:
        typer.echo(sentence)


def _print_purpose(purpose: str, shown: PurposeEvidence) -> None:
    known = [
        f"{name} {value}" for name, value in (("AUROC", shown.auroc_permille), ("ECE", shown.ece_permille)) if value
    ]
    typer.echo(f"{purpose:<12}{shown.items} items, {shown.wrong} wrong  {'  '.join(known)}")
    if shown.threshold_permille is not None:
        typer.echo(
            f"            accept from {shown.threshold_permille}: {shown.accepted_wrong} of {shown.accepted} wrong, at "
            f"most {shown.upper_permille / 10:.1f} %"
        )
    if shown.held_out is not None:
        held = shown.held_out
        typer.echo(
            f"            held out: {held.wrong} of {held.accepted} wrong at {held.threshold_permille}, with "
            f"{held.speakers} speakers that threshold was not found on"
        )
