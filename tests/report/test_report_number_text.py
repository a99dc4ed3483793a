"""Numbers as they are printed."""

import math

import pytest

from cifar100.report.tables.number_text import (
    count,
    duration,
    interval,
    millions,
    percent,
    points,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.58091), "58.09"),
        (percent(0.58091, 0.00214), "58.09 ± 0.21"),
        (percent(math.nan, 0.1), "—"),
        (points(0.012), "+1.20"),
        (points(-0.00504), "−0.50"),
        (points(-0.00001), "0.00"),
        (points(math.nan), "—"),
        (interval(-math.inf, math.inf), "[−∞, +∞]"),
        (interval(-0.001, 0.02), "[−0.10, +2.00]"),
        (count(278324), "278,324"),
        (count(math.nan), "—"),
        (millions(41_224_448), "41.22"),
        (duration(2281.974), "0:38:02"),
        (duration(3599.6), "1:00:00"),
        (duration(math.nan), "—"),
    ],
)
def test_texts(text, expected):
    assert text == expected
