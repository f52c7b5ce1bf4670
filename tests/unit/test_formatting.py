"""Numbers as people read them: nothing that matters is rounded away, nothing is added."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial.formatting import DASH, count, interval, markdown_table, number, share, tick

SOME = st.floats(2e-3, 5e5)


def read(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def parts(text: str) -> list[float]:
    return [
        read(word) for word in text.replace("(", "").replace(")", "").split(" ") if word != "to"
    ]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ((1.08, 1.04, 1.11), "1.08 (1.04 to 1.11)"),
        ((0.89, 0.55, 1.37), "0.89 (0.55 to 1.37)"),
        ((1.0, 0.95, 1.2), "1.00 (0.95 to 1.20)"),
        ((12345, 11000, 13000), "12,000 (11,000 to 13,000)"),
        ((12.3, 1.3, 140), "12 (1.3 to 140)"),
        ((0.073, 0, 0.521), "0.073 (0 to 0.52)"),
        ((-0.051, -0.061, -0.041), "−0.051 (−0.061 to −0.041)"),
        (("0.42", "0.38", "0.47"), "0.42 (0.38 to 0.47)"),
        ((math.nan, 0, 1), DASH),
        (("", "", ""), DASH),
        ((2.0, math.nan, 3.0), "2"),
    ],
)
def test_intervals(given, shown):
    assert interval(*given) == shown


@given(SOME, st.floats(1e-3, 0.5), st.floats(1e-3, 0.5))
def test_an_interval_shows_that_its_ends_differ_from_its_value(value, below, above):
    shown = parts(interval(value, value * (1 - below), value * (1 + above)))
    assert shown[1] <= shown[0] <= shown[2]
    assert shown[1] < shown[2]
    for number_shown, exact in zip(shown, (value, value * (1 - below), value * (1 + above))):  # noqa: B905
        assert number_shown == pytest.approx(exact, rel=0.051)


@given(SOME, st.booleans())
def test_a_number_is_right_to_two_digits(value, negative):
    value = -value if negative else value
    assert read(number(value)) == pytest.approx(value, rel=0.051)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0421, "0.042"),
        (1234.5, "1,200"),
        (987, "987"),
        (2.5e7, "2.5 × 10⁷"),
        (0, "0"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
        (-0.5, "−0.50"),
        (9.99, "10"),
        (3e-7, "3.0 × 10⁻⁷"),
        (0.0999, "0.10"),
        (999.7, "1,000"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_the_same_number_reads_the_same_from_a_table():
    assert number("0.0421") == number(0.0421) == "0.042"
    assert share("0.634") == share(0.634) == "63 %"
    assert number("") == number(None) == number("n/a") == DASH


def test_shares_and_counts():
    values = (0.634, 0.0, 1.0, 0.004, 0.999, math.nan)
    assert [share(x) for x in values] == ["63 %", "0 %", "100 %", "< 1 %", "> 99 %", DASH]
    assert count(1234) == "1,234"


def test_ticks():
    values = (0.5, 100_000, 1e8, 0.0, 0.001)
    assert [tick(x) for x in values] == ["0.5", "100,000", "10⁸", "0", "0.001"]


def test_a_bar_in_a_cell_adds_no_column():
    lines = markdown_table(("a", "b"), [("x|y", "z")])
    assert [line.count("|") for line in lines] == [3, 3, 3]
