"""Who answered, in any order of evidence: always a verdict in time, and the same whatever the chunks of sound."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.rig import Rig

from voicewarden.model.directive import TreatAs
from voicewarden.model.event import CadenceMeasured, CarrierJudgedAnswerer, ToneHeard
from voicewarden.sensors.mulaw import decode, encode
from voicewarden.sensors.segments import Rhythm, Segment, Segmenter
from voicewarden.sensors.voice import Framer

TEXTS = ("Hello?", "you have reached us", "please leave a message after the tone", "press one for sales",
         "state your name", "how can I help you", "the number is not in service", "blue boats", "busy")  # fmt: skip
_SPEECH = st.tuples(st.just("speech"), st.sampled_from(TEXTS))
_TONE = st.tuples(st.just("tone"), st.sampled_from(["beep", "ringback", "busy", "sit", "fax", "other"]))
_CARRIER = st.tuples(st.just("carrier"), st.sampled_from(["human", "voicemail", "fax", "unknown"]))
_RHYTHM = st.tuples(st.just("rhythm"), st.sampled_from(["400", "1500", "2600", "6000"]))
_WAIT = st.tuples(st.just("wait"), st.sampled_from(["200", "1000", "4000"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(_SPEECH, _TONE, _CARRIER, _RHYTHM, _WAIT), max_size=8))
def test_every_order_of_evidence_ends_in_a_verdict_that_changes_at_most_twice(course: list[tuple[str, str]]) -> None:
    rig = Rig(direction="outbound")
    for what, how in course:
        _happen(rig, what, how)
    rules = rig.release.policy.policy.answerer
    rig.wait(rules.no_speech_ms + rules.decide_by_ms)
    assert rig.state.answerer.decided or rig.state.identity.ending
    orders = [item.answerer for item in rig.outputs if isinstance(item, TreatAs)]
    # The question itself, a verdict, one revision; behind a screen a person, who may be revised in turn.
    assert len(orders) <= (5 if "screening" in orders else 3)
    assert sum(piece.weight for piece in rig.state.answerer.evidence) >= rig.state.answerer.score


def _happen(rig: Rig, what: str, how: str) -> None:
    if what == "speech":
        rig.hear(how)
    elif what == "tone":
        rig.happen(ToneHeard, tone=how, hz=1000, ms=300)
    elif what == "carrier":
        rig.happen(CarrierJudgedAnswerer, verdict=how)
    elif what == "wait":
        rig.wait(int(how))
    else:
        rig.happen(
            CadenceMeasured, onset_ms=0, speech_ms=int(how), longest_run_ms=int(how), bursts=1, trailing_silence_ms=0
        )


class _Nobody:
    """A transcriber that never answers."""

    def submit(self, segment: Segment) -> None:
        """Take a segment in and forget it."""

    def revoke(self, number: int) -> Segment | None:
        """Nothing comes back."""
        return None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), sizes=st.lists(st.sampled_from([80, 160, 333, 480, 1_600]), min_size=1, max_size=6))
def test_chunks_make_no_difference_to_what_is_measured(seed: int, sizes: list[int]) -> None:
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(6):
        ms = int(random.integers(80, 700))
        wave = np.sin(2 * np.pi * float(random.uniform(300, 2_300)) * np.arange(8 * ms) / 8_000)
        sound = random.normal(0, 1, 8 * ms) if random.random() < 0.4 else wave
        parts += [sound * float(random.uniform(300, 6_000)), np.zeros(8 * int(random.integers(0, 500)))]
    pcm = decode(encode(np.clip(np.concatenate(parts), -32_768, 32_767).astype(np.int16)))
    assert _measured(pcm, sizes) == _measured(pcm, [160])


def _measured(pcm: np.ndarray, sizes: list[int]) -> list[object]:
    """The events of a sound that comes in chunks of these sizes, over and over."""
    events: list[object] = []
    segmenter = Segmenter(_Nobody(), events.append, Rhythm(), pause_ms=500)
    segmenter.finds_out = True
    framer, at, turn = Framer(), 0, 0
    while at < pcm.size:
        size = sizes[turn % len(sizes)]
        for frame in framer.cut(pcm[at : at + size]):
            segmenter.feed(frame)
        at, turn = at + size, turn + 1
    return events
