"""Statistics of confidence, against values worked out by hand or taken from tables."""

import random

import pytest

from voicewarden.rehear import risk
from voicewarden.rehear.risk import Item


def items(*pairs: tuple[int, bool], call: str = "") -> list[Item]:
    return [Item(call or f"c{index}", "s", permille, wrong) for index, (permille, wrong) in enumerate(pairs)]


def test_curve_counts_what_a_threshold_accepts() -> None:
    found = {point.accept_permille: point for point in risk.curve(items((900, False), (600, True), (590, False)))}
    assert (found[900].accepted, found[900].wrong, found[900].of) == (1, 0, 3)
    assert (found[600].accepted, found[600].wrong) == (2, 1)
    assert (found[590].accepted, found[590].wrong) == (3, 1)


def test_auroc_by_hand() -> None:
    # Of the 3 x 2 pairs the right one is surer in 4, one is a tie: (4 + 0.5) / 6.
    assert risk.auroc_permille(items((900, False), (700, False), (500, False), (700, True), (400, True))) == 750
    assert risk.auroc_permille(items((900, False), (800, False))) is None
    assert risk.auroc_permille([]) is None


def test_calibration_error_by_hand() -> None:
    # Two bins: (100, wrong), (300, right) are 400 against 1000; (700, right), (900, right) are 1600 against 2000.
    found = risk.ece_permille(items((100, True), (300, False), (700, False), (900, False)), bins=2)
    assert found == (600 + 400) // 4
    assert risk.ece_permille([]) is None


def test_confidence_that_is_right_has_no_calibration_error() -> None:
    assert risk.ece_permille(items(*[(500, index % 2 == 0) for index in range(20)]), bins=1) == 0


@pytest.mark.parametrize(
    ("alpha", "delta", "wanted"), [(50, 50, 59), (10, 50, 299), (100, 50, 29), (50, 100, 45), (500, 500, 1)]
)
def test_sample_size_that_is_needed(alpha: int, delta: int, wanted: int) -> None:
    assert risk.needed(alpha, delta) == wanted


@pytest.mark.parametrize(
    ("errors", "of", "rate", "wanted"),
    [(0, 10, 0.5, 1 / 1024), (1, 3, 0.5, 0.5), (2, 4, 0.25, 243 / 256), (4, 4, 0.1, 1.0)],
)
def test_binomial_by_hand(errors: int, of: int, rate: float, wanted: float) -> None:
    assert risk.chance_of_at_most(errors, of, rate) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("errors", "of", "wanted"),
    # 1 - 0.05 ** (1 / n) for no errors; the others from tables of the one-sided 95 % bound.
    [(0, 59, 50), (0, 10, 259), (1, 10, 395), (2, 100, 62), (5, 5, 1000), (0, 0, 1000)],
)
def test_clopper_pearson(errors: int, of: int, wanted: int) -> None:
    assert risk.upper_permille(errors, of, 50) == wanted


def test_threshold_needs_fifty_nine_without_an_error() -> None:
    enough = items(*[(900, False)] * 59)
    assert risk.bounding_threshold(enough, 50, 50).threshold_permille == 10
    found = risk.bounding_threshold(enough[:-1], 50, 50)
    assert found.threshold_permille is None
    assert found.point is None
    assert (found.needs, found.items) == (59, 58)


def test_threshold_stays_above_the_errors() -> None:
    found = risk.bounding_threshold(items(*[(800, False)] * 100, *[(500, True)] * 20), 50, 50)
    assert found.threshold_permille == 510
    assert found.point is not None
    assert (found.point.accepted, found.point.wrong) == (100, 0)


def test_no_threshold_is_tried_after_one_that_failed() -> None:
    # At 900 too many are wrong; that 700 would hold again must not count.
    found = risk.bounding_threshold(items(*[(900, False)] * 54, *[(900, True)] * 6, *[(700, False)] * 2000), 50, 50)
    assert found.threshold_permille is None


def test_one_item_a_call_whatever_the_order_of_calls() -> None:
    first = [Item("a", "s", 900, False), Item("a", "s", 100, True), Item("b", "s", 500, False)]
    drawn = risk.one_a_call(first)
    assert sorted(item.call for item in drawn) == ["a", "b"]
    assert risk.one_a_call(first) == drawn


def test_the_bound_holds_as_often_as_it_says() -> None:
    # With 6 % wrong everywhere, a threshold that promises 5 % may be found in one of twenty samples at most.
    found = 0
    for seed in range(200):
        lot = random.Random(seed)
        sample = items(*[(lot.randrange(1000), lot.random() < 0.06) for _ in range(300)])
        found += risk.bounding_threshold(sample, 50, 50).threshold_permille is not None
    assert found <= 17  # 5 % of 200 and three standard errors
