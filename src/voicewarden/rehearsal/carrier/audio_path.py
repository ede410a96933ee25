"""The 20 ms clock of one answered call: joins the caller's line to a media stream or to a dialled party, and records.

Comes in: the line, and whatever the interpreter plugs in. Goes out: caller frames to the stream, heard frames to the
line, both to the recording. Ticks follow real time; a late tick is caught up at once, so nothing drifts.
"""

from __future__ import annotations

from voicewarden.rehearsal.carrier.call import SimulatedCall
from voicewarden.rehearsal.carrier.frame import FRAME_MS, Pcm, silence
from voicewarden.rehearsal.carrier.impairment import Impairment, Path
from voicewarden.rehearsal.carrier.line import Line
from voicewarden.rehearsal.carrier.stream import MediaStream
from voicewarden.sensors.mulaw import decode, encode


class AudioPath:
    """What the caller is connected to right now; at most one of `stream` and `party` is set."""

    def __init__(self, call: SimulatedCall, line: Line, impairment: Impairment) -> None:
        self._call = call
        self._line = line
        self._uplink: Path[tuple[bytes, int]] = Path(impairment, "uplink")
        self._downlink: Path[bytes] = Path(impairment, "downlink")
        self._plugged_at_ms = 0
        self._stream: MediaStream | None = None
        self.party: Line | None = None

    @property
    def stream(self) -> MediaStream | None:
        """The media stream that the caller talks to, if any."""
        return self._stream

    def plug(self, stream: MediaStream | None) -> None:
        """Join a stream from the next tick on, or part from it."""
        self._stream = stream
        self._plugged_at_ms = self._call.recording.duration_ms

    async def run(self) -> None:
        """Tick every 20 ms until cancelled."""
        started_at_ms = self._call.clock.now_ms()
        while True:
            self.tick()
            await self._call.clock.sleep_until(started_at_ms + self._call.recording.duration_ms)

    def tick(self) -> None:
        """Carry 20 ms in both directions.

        A caller's frame leaves when it is complete, one tick after it began, as on a real line.
        """
        at_ms = self._call.recording.duration_ms
        self._deliver(at_ms)
        heard = self._heard(at_ms)
        payload = encode(self._line.next_frame())
        if not self._uplink.loses():
            self._uplink.send((payload, at_ms), at_ms + FRAME_MS)
        said = decode(payload)
        if self.party is not None:
            self.party.hear(said)
        self._call.recording.append(said, heard)
        self._line.hear(heard)

    def _deliver(self, at_ms: int) -> None:
        for payload, captured_at_ms in self._uplink.arrived(at_ms):
            if self._stream is not None and captured_at_ms >= self._plugged_at_ms:
                self._stream.send_frame(payload, captured_at_ms)

    def _heard(self, at_ms: int) -> Pcm:
        if self._stream is not None:
            frame = decode(self._stream.play(at_ms))
        elif self.party is not None:
            frame = decode(encode(self.party.next_frame()))
        else:
            frame = silence()
        return silence() if self._downlink.loses() else frame
