"""The playout buffer: marks at the true end of audio, clear, holes and lateness."""

from __future__ import annotations

from voicewarden.rehearsal.carrier.playout import BUFFER_LIMIT_BYTES, Playout

VOICE = b"\x00"


def run(playout: Playout, from_ms: int, ticks: int) -> list[tuple[int, str]]:
    """Tick and return the marks with the moment of their echo."""
    echoes = []
    for at_ms in range(from_ms, from_ms + ticks * 20, 20):
        echoes += [(at_ms, name) for name in playout.due_marks()]
        playout.next_frame(at_ms)
    return echoes


def test_a_mark_is_due_when_the_last_byte_before_it_has_played() -> None:
    playout = Playout()
    playout.queue(VOICE * 800, 0)
    playout.mark("end")
    assert run(playout, 0, 10) == [(100, "end")]


def test_a_mark_on_an_empty_buffer_is_due_at_once() -> None:
    playout = Playout()
    playout.mark("start")
    assert run(playout, 40, 1) == [(40, "start")]


def test_marks_come_in_order_and_only_after_their_own_audio() -> None:
    playout = Playout()
    playout.queue(VOICE * 160, 0)
    playout.mark("first")
    playout.queue(VOICE * 320, 0)
    playout.mark("second")
    assert run(playout, 0, 5) == [(20, "first"), (60, "second")]


def test_clear_returns_pending_marks_and_does_not_delay_later_ones() -> None:
    playout = Playout()
    playout.queue(VOICE * 8000, 0)
    playout.mark("unheard")
    run(playout, 0, 2)
    assert playout.clear() == ["unheard"]
    assert playout.buffered_ms == 0
    playout.queue(VOICE * 160, 40)
    playout.mark("later")
    assert run(playout, 40, 3) == [(60, "later")]


def test_a_short_run_out_is_an_audible_hole() -> None:
    playout = Playout()
    playout.queue(VOICE * 160, 0)
    run(playout, 0, 4)
    playout.queue(VOICE * 160, 80)
    run(playout, 80, 1)
    (hole,) = playout.holes
    assert (hole.at_ms, hole.gap_ms, hole.is_audible) == (20, 60, True)


def test_a_pause_at_a_mark_or_a_long_one_is_not_audible() -> None:
    playout = Playout()
    playout.queue(VOICE * 160, 0)
    playout.mark("end")
    run(playout, 0, 4)
    playout.queue(VOICE * 160, 80)
    run(playout, 80, 30)
    playout.queue(VOICE * 160, 680)
    run(playout, 680, 1)
    assert [(hole.at_mark, hole.is_audible) for hole in playout.holes] == [(True, False), (False, False)]
    assert playout.audible_holes == 0


def test_continuous_audio_and_cleared_audio_leave_no_hole() -> None:
    playout = Playout()
    playout.queue(VOICE * 320, 0)
    run(playout, 0, 2)
    playout.queue(VOICE * 160, 39)
    run(playout, 40, 1)
    playout.clear()
    run(playout, 60, 3)
    playout.queue(VOICE * 160, 120)
    run(playout, 120, 1)
    assert playout.holes == []


def test_an_incomplete_frame_is_padded_with_silence() -> None:
    playout = Playout()
    playout.queue(VOICE * 100, 0)
    assert playout.next_frame(0) == VOICE * 100 + b"\xff" * 60


def test_the_ten_minute_limit_drops_audio() -> None:
    playout = Playout()
    assert playout.queue(VOICE * BUFFER_LIMIT_BYTES, 0)
    assert not playout.queue(VOICE, 0)


def test_lateness_counts_from_the_first_message_of_a_burst() -> None:
    playout = Playout()
    for at_ms in (0.0, 20.0, 55.0, 60.0, 1000.0):
        playout.queue(VOICE * 160, at_ms)
    assert playout.lateness_ms() == [0.0, 0.0, 15.0, 0.0, 0.0]
