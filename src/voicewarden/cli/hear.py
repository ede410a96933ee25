"""`voicewarden hear`: what the ears make of one side of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voicewarden.rehear.hearing import HeardSide

_CHANNELS = {"left": 0, "right": 1, "0": 0, "1": 1}


def hear(
    file: Annotated[Path, typer.Argument(help="A WAV file of 16 bits or mu-law, at 8000 Hz or more.")],
    channel: Annotated[str, typer.Option("--channel", help="left, right, 0 or 1.")] = "left",
    policy: Annotated[
        str, typer.Option("--policy", help="Whose deadlines hold for who answered; a file or a name.")
    ] = "organisation",
    config: Annotated[Path, typer.Option("--config", help="The configuration folder.")] = Path("config"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say who answered, which tones were heard, when somebody spoke, and the words with the confidence of each."""
    from voicewarden.cli.recordings import NEEDS, load_transcriber, release_and_defaults
    from voicewarden.model.error import MissingPart

    number = _CHANNELS.get(channel)
    if number is None:
        raise typer.BadParameter(f"found {channel!r}; one of {', '.join(_CHANNELS)}", param_hint="--channel")
    try:
        from voicewarden.rehear import hearing, sides

        pcm = sides.read_side(file, number)
        release, _ = release_and_defaults(policy, config, None)
        found = hearing.hear(pcm, release, load_transcriber(release))
    except ImportError as error:
        raise MissingPart(f"`voicewarden hear` needs {error.name}; {NEEDS}") from None
    _print(found, as_json=as_json)


def _print(found: HeardSide, *, as_json: bool) -> None:
    import msgspec

    from voicewarden.cli.console import print_json

    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    answerer = found.answerer
    at = "" if answerer.decided_at_ms is None else f" (decided at {_s(answerer.decided_at_ms)})"
    typer.echo(f"answerer   {answerer.verdict}{at}")
    for item in answerer.evidence:
        typer.echo(f"           {_s(item.at_ms):>8}  {item.weight:+5d}  {item.what}")
    for tone in found.tones:
        typer.echo(f"tone       {_s(tone.at_ms):>8}  {tone.kind}, {tone.hz} Hz, {tone.ms} ms")
    spoken_ms = sum(end - begin for begin, end in found.speech)
    typer.echo(f"speech     {_s(spoken_ms)} of {_s(found.length_ms)}, in {len(found.speech)} pieces")
    for said in found.utterances:
        doubt = f"  [doubtful: {', '.join(said.suspect)}]" if said.suspect else ""
        text = " ".join(f"{word.word}/{_known(word.permille)}" for word in said.words) if said.words else "(no words)"
        typer.echo(f"           {_s(said.from_ms):>8}  {text if said.understood else '(not transcribed)'}{doubt}")


def _known(permille: int | None) -> str:
    return "?" if permille is None else str(permille)


def _s(ms: int) -> str:
    return f"{ms / 1000:.2f} s"
