"""JSON lines on stdin: as many as there are, and then more; used by the commands that a script may keep running."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK_BYTES = 1 << 16


def lines(stream: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """All whole lines there are so far, with their numbers; blank ones are none. What ends without a newline counts."""
    rest, number = b"", 0
    read = getattr(stream, "read1", stream.read)
    while True:
        chunk: bytes = read(_CHUNK_BYTES)
        *whole, rest = (rest + chunk).split(b"\n") if chunk else (rest, b"")
        found = [(number + at, line) for at, line in enumerate(whole, 1) if line.strip()]
        number += len(whole)
        if found:
            yield found
        if not chunk:
            return


def answer_all(answer: Callable[[bytes, int], tuple[bytes, bool]]) -> int:
    """Answer each line of stdin with one on stdout, in order and at once; returns how many were not fine.

    `answer` takes a line and its number, and says beside its answer whether the line was fine. Exits when whoever reads
    has gone away.
    """
    import sys

    bad = 0
    try:
        for found in lines(sys.stdin.buffer):
            answered = [answer(line, number) for number, line in found]
            bad += sum(not fine for _, fine in answered)
            sys.stdout.buffer.write(b"".join(made for made, _ in answered))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever reads has gone away (`head`); Python would complain once more when it closes stdout.
        import os

        import typer

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    return bad
