"""Distance from a finding, and hit or miss: by hand and by its promises."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial.evidence.agreement import FARTHEST, agrees, bounds, distance, predict
from nichetrial.evidence.findings import Finding
from nichetrial.evidence.scoreboard import SCOREBOARD, scoreboard

NAN = math.nan
JUST_ABOVE, JUST_BELOW = math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0)


def finding(direction: str = "up", low=NAN, high=NAN, value=NAN, **changes) -> Finding:
    """A finding about a ratio."""
    values = {
        "id": "X1",
        "set": "A",
        "finding": "something",
        "experiment": Path("x.yaml"),
        "arm": "a",
        "reference": "b",
        "outcome": "foci",
        "statistic": "ratio",
        "source": "Somebody 2000",
        "citation": "doi 1",
        "trust": "read",
    } | changes
    return Finding(direction=direction, low=low, high=high, value=value, **values)


def far(f: Finding, *values: float) -> np.ndarray:
    return distance([f], np.array(values, float)[:, None])


FINDINGS = {
    "up": finding("up"),
    "down": finding("down"),
    "up, at least": finding("up", low=2.0),
    "up, range": finding("up", low=1.5, high=3.1),
    "down, range": finding("down", low=0.05, high=0.6),
    "down, at most": finding("down", low=0.0, high=0.1),
    "none": finding("none", low=0.67, high=1.5),
    "value": finding("value", low=1e-6, high=0.0059, statistic="per_cell"),
    "share": finding("value", low=0.7, high=1.0, statistic="share_with"),
}
EACH = pytest.mark.parametrize("f", FINDINGS.values(), ids=FINDINGS)
POSITIVE = st.floats(1e-8, 1e8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("up", (JUST_ABOVE, math.inf)),
        ("down", (-math.inf, JUST_BELOW)),
        ("up, at least", (2.0, math.inf)),
        ("up, range", (1.5, 3.1)),
        ("down, range", (0.05, 0.6)),
        ("none", (0.67, 1.5)),
        ("share", (0.7, 1.0)),
    ],
)
def test_bounds(name, expected):
    assert bounds(FINDINGS[name]) == expected


def test_a_range_does_not_undo_the_direction():
    """Published as raised, with an interval that reaches below 1."""
    assert bounds(finding("up", low=0.8, high=2.0)) == (JUST_ABOVE, 2.0)
    assert bounds(finding("down", low=0.2, high=1.3)) == (0.2, JUST_BELOW)


# --- distance -------------------------------------------------------------------------------------


@EACH
@settings(max_examples=200)
@given(x=POSITIVE | st.just(0.0) | st.just(1.0))
def test_distance_is_zero_just_where_the_bounds_are_met(f, x):
    low, high = bounds(f)
    assert (far(f, x)[0] == 0.0) == (low <= x <= high)


@EACH
def test_bounds_are_met_at_their_ends_and_not_beyond(f):
    for end, out in zip(bounds(f), (-math.inf, math.inf), strict=True):
        if math.isfinite(end) and end > 0.0:
            assert far(f, end)[0] == 0.0
            assert far(f, math.nextafter(end, out))[0] > 0.0


@EACH
@settings(max_examples=200)
@given(x=POSITIVE, further=st.floats(1.0, 1e4))
def test_distance_does_not_fall_on_the_way_out(f, x, further):
    low, high = bounds(f)
    if x >= low:
        assert far(f, x * further)[0] >= far(f, x)[0]
    if x <= high:
        assert far(f, x / further)[0] >= far(f, x)[0]


def test_distance_is_the_logarithm_of_the_factor_outside():
    assert far(FINDINGS["up, range"], 1.5 / 2, 3.1 * 2) == pytest.approx(math.log(2.0))
    assert far(FINDINGS["up"], 0.1)[0] == pytest.approx(math.log(10.0))
    assert far(FINDINGS["down"], 10.0)[0] == pytest.approx(math.log(10.0))
    assert far(FINDINGS["value"], 0.059)[0] == pytest.approx(math.log(10.0))
    assert far(FINDINGS["value"], 1e-7)[0] == pytest.approx(math.log(10.0))


@settings(max_examples=100)
@given(wide=st.floats(1.01, 100.0), x=st.floats(1e-2, 1e2))
def test_distance_is_symmetric_on_the_logarithmic_scale(wide, x):
    f = finding("none", low=1 / wide, high=wide)
    assert far(f, x)[0] == pytest.approx(far(f, 1 / x)[0], abs=2e-9)
    assert far(FINDINGS["up"], x)[0] == pytest.approx(far(FINDINGS["down"], 1 / x)[0], abs=2e-9)


def test_one_finding_adds_no_more_than_the_farthest():
    assert far(FINDINGS["down"], 1e9)[0] == FARTHEST
    assert far(FINDINGS["up"], 0.0)[0] == FARTHEST  # nothing at all: not infinitely far
    assert far(FINDINGS["none"], 0.0)[0] == FARTHEST


def test_nothing_at_all_is_as_far_as_a_thousandth_of_the_least_that_counts():
    f = finding("value", low=0.1, high=1.0, statistic="share_with")
    assert far(f, 0.0)[0] == pytest.approx(min(math.log(0.1 / 1e-4), FARTHEST))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FINDINGS)), POSITIVE), min_size=1, max_size=len(FINDINGS)
    )
)
def test_distances_of_findings_add_up(pairs):
    findings = [FINDINGS[name] for name, _ in pairs]
    values = np.array([[x for _, x in pairs]])
    alone = sum(far(f, x)[0] for f, (_, x) in zip(findings, pairs, strict=True))
    assert distance(findings, values)[0] == pytest.approx(alone, abs=1e-8)


@settings(max_examples=40)
@given(st.lists(POSITIVE, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_experiments_do_not_see_each_other(values, random):
    f = FINDINGS["up, range"]
    order = random.sample(range(len(values)), len(values))
    whole = far(f, *values)
    assert (far(f, *(values[k] for k in order)) == whole[order]).all()


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_an_experiment_that_failed_is_infinitely_far(bad):
    findings = [FINDINGS["up"], FINDINGS["down"]]
    values = np.array([[2.0, 0.5], [2.0, bad], [bad, 0.5]])
    assert list(distance(findings, values)) == [0.0, math.inf, math.inf]


def test_a_range_without_a_number_other_than_zero_has_a_distance():
    """From 0 upwards: nothing is outside."""
    f = finding("value", low=0.0, high=math.inf, statistic="mean")
    assert list(far(f, 0.0, 1e-9, 5.0)) == [0.0, 0.0, 0.0]


# --- verdicts -------------------------------------------------------------------------------------


def mix(*parts: tuple[int, float]) -> np.ndarray:
    return np.concatenate([np.full(n, x) for n, x in parts])


@pytest.mark.parametrize(
    ("f", "values", "share", "hit"),
    [
        # a direction alone: just as many as ENOUGH do
        ("up", mix((90, 2.0), (10, 0.5)), 0.9, True),
        ("up", mix((89, 2.0), (11, 0.5)), 0.89, False),
        ("up", mix((9, 2.0), (1, 0.5)), 0.9, True),
        ("up", mix((27, 2.0), (3, 1.0)), 0.9, True),
        ("up", mix((100, 1.0)), 0.0, False),
        ("down", mix((90, 0.5), (10, 2.0)), 0.9, True),
        ("down", mix((89, 0.5), (11, 2.0)), 0.89, False),
        # an experiment without a number agrees with nothing
        ("up", mix((90, 2.0), (10, NAN)), 0.9, True),
        ("up", mix((89, 2.0), (11, NAN)), 0.89, False),
        # a half-open range: some of it within the interval, and the direction in as many
        ("up, at least", mix((90, 1.2), (10, 2.5)), 1.0, True),
        ("up, at least", mix((96, 1.2), (4, 2.5)), 1.0, False),
        ("up, at least", mix((100, 50.0)), 1.0, True),
        ("up, at least", mix((85, 3.0), (15, 0.9)), 0.85, False),
        # a closed one
        ("up, range", mix((100, 2.0)), 1.0, True),
        ("up, range", mix((100, 4.0)), 1.0, False),
        ("up, range", mix((100, 1.2)), 1.0, False),
        ("down, at most", mix((50, 0.2), (50, 0.05)), 1.0, True),
        # no effect: in its range in as many
        ("none", mix((90, 1.0), (10, 3.0)), 0.9, True),
        ("none", mix((89, 1.0), (11, 3.0)), 0.89, False),
        ("none", mix((50, 0.67), (50, 1.5)), 1.0, True),
        # a value: the median in its range
        ("share", mix((51, 0.8), (49, 0.1)), 0.51, True),
        ("share", mix((49, 0.8), (51, 0.1)), 0.49, False),
        ("value", mix((100, 0.0059)), 1.0, True),
        ("value", mix((100, 0.006)), 0.0, False),
    ],
)
def test_verdicts_by_hand(f, values, share, hit):
    p = predict(FINDINGS[f], values)
    assert p.direction_share == share
    assert p.hit is hit
    assert p.failed == np.isnan(values).sum()


@pytest.mark.parametrize(
    ("direction", "value", "low", "high", "hit"),
    [
        ("down", 0.5, NAN, NAN, True),
        ("down", 0.05, NAN, NAN, False),  # the direction is right, the number is not
        ("down", 0.95, NAN, NAN, False),
        ("down", 0.5, 0.97, 0.99, True),  # the number decides, not its range
        ("down", 0.97, 0.4, 0.99, False),
        ("value", 0.5, 0.4, 0.6, True),
        ("value", 0.5, 0.51, 0.6, False),  # the median must lie in the range
        ("value", 0.95, 0.4, 0.99, False),  # and the number within the interval
        ("none", 0.5, 0.05, 0.98, True),
        ("none", 0.95, 0.05, 0.98, False),
    ],
)
def test_a_published_number_lies_in_the_interval_or_not(direction, value, low, high, hit):
    values = np.linspace(0.1, 0.9, 1001)
    p = predict(finding(direction, low, high, value), values)
    assert (p.low, p.predicted, p.high) == pytest.approx((0.14, 0.5, 0.86))
    assert p.hit is hit


def test_the_ends_of_the_interval_belong_to_it():
    values = np.linspace(0.1, 0.9, 1001)
    p = predict(finding("down", value=0.5), values)
    assert predict(finding("down", value=p.low), values).hit
    assert predict(finding("down", value=p.high), values).hit
    assert not predict(finding("down", value=math.nextafter(p.high, 1)), values).hit
    assert not predict(finding("down", value=math.nextafter(p.low, 0)), values).hit


def test_the_place_of_the_published_number_among_the_predictions():
    values = np.arange(1.0, 11.0)
    assert predict(finding("up", value=4.0), values).place == 0.3
    assert predict(finding("up", value=0.5), values).place == 0.0
    assert predict(finding("up", value=99.0), values).place == 1.0
    assert math.isnan(predict(finding("up"), values).place)


def test_without_a_number_there_is_no_prediction():
    p = predict(FINDINGS["up"], np.full(5, NAN))
    assert p.hit is False
    assert (p.failed, p.direction_share) == (5, 0.0)
    assert all(math.isnan(x) for x in (p.predicted, p.low, p.high, p.place))


@EACH
@settings(max_examples=40)
@given(st.lists(POSITIVE, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_verdicts_do_not_depend_on_the_order_of_experiments(f, values, random):
    mixed, known = random.sample(values, len(values)), replace(f, value=0.5)
    assert predict(known, np.array(values)) == predict(known, np.array(mixed))


@EACH
@settings(max_examples=60)
@given(st.lists(POSITIVE, min_size=1, max_size=30))
def test_a_population_without_distance_agrees_in_all_experiments(f, values):
    """What is fitted and what is judged are the same bounds."""
    near = np.array(values)[far(f, *values) == 0.0]
    assert agrees(f, near).all()
    if len(near):
        p = predict(f, near)
        assert p.direction_share == 1.0
        assert p.hit


def test_the_scoreboard_by_hand():
    findings = [FINDINGS["up"], finding("value", 0.7, 1.0, 0.9, id="X2", set="B")]
    values = np.array([[2.0, 0.9], [3.0, 0.8], [4.0, 1.0]])
    frame = scoreboard(findings, {"full": values, "monotonic": 1 / values})
    assert list(frame.columns) == list(SCOREBOARD)
    assert list(frame["variant"]) == ["full", "full", "monotonic", "monotonic"]
    assert list(frame["finding"]) == ["X1", "X2"] * 2
    assert list(frame["set"]) == ["A", "B"] * 2
    assert list(frame["verdict"]) == ["hit", "hit", "miss", "miss"]
    assert list(frame["predicted"]) == pytest.approx([3.0, 0.9, 1 / 3, 1 / 0.9])
    assert frame["source"][0] == "Somebody 2000, doi 1"
    assert frame["statistic"][0] == "ratio of foci"
    assert frame["published"].isna().tolist() == [True, False] * 2
