"""Law 8. Same events, same bytes. Two processes and golden calls: `tests/replay/test_golden.py`."""

from tests.fakes.rig import Rig, shipped

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled, decode_release, encode_release
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model.record import GENESIS


def test_law_8_the_same_events_through_a_release_read_back_give_the_same_records() -> None:
    rig = Rig()
    rig.hear("are you a robot?")
    rig.play()
    rig.question()
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "done", place="45")
    again = Compiled(decode_release(encode_release(shipped().data)))
    state, last, made = EMPTY, GENESIS, []
    for event in rig.events:
        taken = step(again, state, event)
        records = records_of("call:c1", state.seq, last, event, taken.outputs, max(event.at_ms, state.now_ms))
        made += records
        state, last = taken.state, records[-1].hash
    assert again.hash == shipped().hash
    assert again.policy.source == shipped().policy.source
    assert made == rig.records
