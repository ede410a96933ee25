"""Intervals and agreement: published examples, the ends, and what can't be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicewarden.replay.agreement import agreements, joint_verdicts, kappa_permille, precision
from voicewarden.replay.interval import Rate, difference_permille, quantile, rate
from voicewarden.replay.labels import Label, LabelVerdict


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
    [(81, 263, 255, 367), (15, 148, 61, 161), (0, 20, 0, 162), (1, 29, 6, 172), (0, 0, 0, 1000), (7, 7, 645, 1000)],
)
def test_wilson_as_published(hits: int, of: int, low: int, high: int) -> None:
    found = rate(hits, of)
    assert found.low_permille == pytest.approx(low, abs=1)
    assert found.high_permille == pytest.approx(high, abs=1)


@pytest.mark.parametrize(
    ("new", "old", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17:873), method 10; the last by hand: 1 - sqrt(2) * 0.2775.
    [((56, 70), (48, 80), 52, 334), ((9, 10), (3, 10), 170, 809), ((10, 10), (0, 10), 607, 1000)],
)
def test_difference_of_two_rates(new: tuple[int, int], old: tuple[int, int], low: int, high: int) -> None:
    found = difference_permille(rate(*old), rate(*new))
    assert found == pytest.approx((low, high), abs=1)


def test_nothing_can_be_compared_with_nothing() -> None:
    assert difference_permille(rate(0, 0), rate(3, 9)) == (-1000, 1000)
    assert rate(0, 0).permille is None


@given(st.integers(0, 400), st.integers(0, 400))
def test_interval_holds_the_rate(one: int, other: int) -> None:
    hits, of = min(one, other), max(one, other)
    found = rate(hits, of)
    assert 0 <= found.low_permille <= found.high_permille <= 1000
    assert of == 0 or found.low_permille <= hits * 1000 / of <= found.high_permille


@given(st.integers(0, 90), st.integers(0, 90))
def test_difference_turns_round_with_its_sides(one: int, other: int) -> None:
    first, second = rate(one, 90), rate(other, 90)
    low, high = difference_permille(first, second)
    assert difference_permille(second, first) == (-high, -low)


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 1000))
def test_quantile_is_a_value_that_so_many_do_not_exceed(values: list[int], permille: int) -> None:
    ordered = sorted(values)
    found = quantile(ordered, permille)
    assert found in values
    assert sum(value <= found for value in values) * 1000 >= permille * len(values)
    assert sum(value < found for value in values) * 1000 < permille * len(values)


def test_kappa_as_in_the_textbooks() -> None:
    # Twenty times both yes, fifteen times both no, five and ten times otherwise: kappa 0.4.
    pairs = [(True, True)] * 20 + [(False, False)] * 15 + [(True, False)] * 5 + [(False, True)] * 10
    assert kappa_permille(pairs) == 400
    assert kappa_permille([(True, True), (False, False)]) == 1000
    assert kappa_permille([(True, False), (False, True)]) == -1000
    assert kappa_permille([(True, True)] * 9) is None
    assert kappa_permille([]) is None


def label(seq: int, reviewer: str, verdict: LabelVerdict) -> Label:
    return Label(unix_ms=0, call="c", seq=seq, hash="h", verdict=verdict, reason="why", reviewer=reviewer)


def test_agreement_is_about_what_both_looked_at() -> None:
    given_ = [label(1, "ann", "right"), label(1, "bo", "right"), label(2, "ann", "wrong"), label(2, "bo", "right"),
              label(3, "ann", "right"), label(4, "cy", "wrong")]  # fmt: skip
    (found,) = agreements(given_)
    assert (found.first, found.second, found.both, found.same) == ("ann", "bo", 2, 1)
    assert joint_verdicts(given_) == {
        ("c", 1): "right", ("c", 2): "disputed", ("c", 3): "right", ("c", 4): "wrong",
    }  # fmt: skip


def test_precision_leaves_out_what_is_disputed_and_what_is_gone() -> None:
    assert precision([label(1, "ann", "right")], {}) == ()
    assert rate(1, 1) == Rate(1, 1, 206, 1000)
