"""Mu-law is bit-exact G.711."""

import numpy as np
import pytest

from voicewarden.sensors import mulaw

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))


def test_equals_the_standard_library() -> None:
    audioop = pytest.importorskip("audioop")
    assert mulaw.encode(EVERY_SAMPLE) == audioop.lin2ulaw(EVERY_SAMPLE.tobytes(), 2)
    assert mulaw.decode(EVERY_CODE).tobytes() == audioop.ulaw2lin(EVERY_CODE, 2)


def test_round_trip_keeps_every_code_but_the_second_zero() -> None:
    assert mulaw.encode(mulaw.decode(EVERY_CODE)) == EVERY_CODE.replace(b"\x7f", b"\xff")


def test_corners() -> None:
    assert mulaw.decode(b"\x00\x80\xff\x7f").tolist() == [-32124, 32124, 0, 0]
    assert mulaw.encode(np.array([32767, -32768, 0], dtype=np.int16)) == b"\x80\x00\xff"
    assert mulaw.decode(mulaw.SILENCE).tolist() == [0]
    assert mulaw.decode(b"").size == 0
