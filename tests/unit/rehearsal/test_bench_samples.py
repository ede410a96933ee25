"""Percentiles, rates and histograms of what was timed."""

from xml.etree import ElementTree

from voicewarden.rehearsal.bench.histogram import bins, bounds, svg, terminal
from voicewarden.rehearsal.bench.samples import Series, percentile


def series(*us: float, label: str = "a") -> Series:
    """A series of these samples."""
    return Series(label, list(us))


def test_percentiles_are_nearest_ranks() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert [percentile(ordered, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)] == [1, 50, 99, 100, 100]


def test_a_spread_has_the_keys_of_the_json() -> None:
    found = series(1, 2, 3, 4).spread()
    assert found == {
        "p50_us": 2, "p99_us": 4, "p999_us": 4, "per_second": 400_000, "mean_us": 2.5, "max_us": 4, "n": 4,
    }  # fmt: skip
    assert Series("empty").spread() == {"n": 0}


def test_a_rate_without_a_clock_is_preferred() -> None:
    timed = Series("a", [2.0], done=100, took_us=100.0)
    assert timed.per_second == 1_000_000


def test_bounds_are_decades_around_the_samples() -> None:
    assert bounds([series(0.3, 0.5), series(30, 45)]) == (-1, 2)
    assert bounds([series(1.0)]) == (0, 1)


def test_bins_hold_every_sample() -> None:
    shares = bins(series(0.001, 1.5, 15, 99_999), 0, 2, per_decade=2)
    assert shares == [0.5, 0, 0.25, 0.25]
    assert sum(shares) == 1


def test_the_terminal_shows_a_line_for_each_series() -> None:
    drawn = terminal([series(*[1.2] * 9, 50, label="one"), series(120, label="two"), Series("none")])
    axis, one, two = drawn.splitlines()
    assert "1 us" in axis and "1 ms" in axis
    assert one.startswith("one  █") and "▁" in one
    assert two.startswith("two") and two.endswith("█" + " " * (len(one) - len(two.rstrip())))
    assert terminal([]) == terminal([Series("none")]) == ""


def test_the_plot_is_xml_with_all_labels() -> None:
    drawn = svg("title <1>", "a note", [series(1, 2, 900, label="a & b"), Series("none")])
    texts = [item.text for item in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert {"title <1>", "a & b", "a note"} <= set(texts)
    assert "none" not in texts
    ElementTree.fromstring(svg("title", "", []))
