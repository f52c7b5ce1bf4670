"""Keyed randomness and colonies: published answers, closed forms, promises."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial.engine import philox
from nichetrial.engine.colonies import (
    BINS,
    BLOCK,
    CLOSE,
    expected_founders,
    expected_visible,
    founding_times,
    grow,
    growth_age,
    read_out,
)
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.engine.normal import normal_below, normal_quantile
from nichetrial.trial.simulate import simulate
from tests.support.mice import ARMS, SEED, cohort, row

# Random123's known-answer test of philox4x32-10: counter, key, output
KNOWN = [
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, 0xFFFFFFFFFFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter, key, words):
    assert tuple(int(w) for w in philox.block(np.uint64(key), *counter)) == words


def test_uniform_pairs_are_the_pairs_one_by_one():
    for first, n in ((0, 1), (3, 37), (2**32 - 20, 16)):
        u, v = np.empty(n), np.empty(n)
        philox.uniform_pairs(np.uint64(SEED), first, 5, philox.COLONY, u, v)
        one = [
            philox.uniform_pair(np.uint64(SEED), first + k, 5, philox.COLONY, 0) for k in range(n)
        ]
        assert list(zip(u, v, strict=True)) == one


@settings(max_examples=300)
@given(u=st.one_of(st.floats(1e-300, 1 - 2**-53), st.floats(0.05, 0.95)))
def test_normal_quantile_to_1e_15(u):
    """Relative error below 1e-15, by one exact step of Newton's method; measured: 6e-16."""
    with mpmath.workdps(40):
        z = mpmath.mpf(normal_quantile(u))
        tail = mpmath.mpf(u) if u < 0.5 else 1 - mpmath.mpf(u)
        off = (mpmath.erfc(abs(z) / mpmath.sqrt(2)) / 2 - tail) / mpmath.npdf(z)
        assert abs(off) <= 1e-15 * abs(z)
        assert u == 0.5 or (z > 0) == (u > 0.5)


@settings(max_examples=300)
@given(z=st.floats(-12.0, 12.0))
def test_normal_below_to_2e_15(z):
    """Absolute error below 2e-15; measured: 1e-15."""
    with mpmath.workdps(40):
        assert abs(mpmath.ncdf(mpmath.mpf(z)) - mpmath.mpf(normal_below(z))) <= 2e-15
    assert normal_below(np.inf) == 1.0
    assert normal_below(-np.inf) < 1e-18


def test_uniforms_are_uniform():
    """Kolmogorov-Smirnov; fails by chance once in 10,000 seeds, and the seed is fixed."""
    pairs = np.array([philox.uniform_pair(np.uint64(1), i, 7, 3, 0) for i in range(20_000)])
    assert stats.kstest(pairs.ravel(), "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / np.sqrt(20_000)


def constant_rate(rate: float, days: float) -> np.ndarray:
    """Founders at a constant rate, in the form of the integrator's steps."""
    t = np.linspace(0, days, 33)
    return np.column_stack([t, rate * t, np.full_like(t, rate)])


def a_mouse(**changes: float) -> np.ndarray:
    p = row(cohort(1), 0).copy()
    for name, value in changes.items():
        p[PARAMETER_NAMES.index(name)] = value
    return p


def test_mean_and_variance_of_foci_with_constant_rates():
    """Poisson: mean and variance are rate x outgrowth x time in which a colony becomes visible.

    4,000 mice; both within 4 standard errors, which chance misses once in 16,000 runs.
    """
    p = a_mouse(
        outgrowth_probability=0.1, colony_doubling=1.0, colony_plateau=1e9, colony_spread=0.0
    )
    steps, n = constant_rate(40.0, 10.0), 4000
    wait = growth_age(100.0, 1e9) / np.log(2)
    mean = 0.1 * 40.0 * (10.0 - wait)
    bins = np.zeros(BINS, np.int64)
    foci = np.array(
        [
            read_out(steps, 33, p, np.uint64(SEED), m, 10.0, 10.0, 100.0, 6e4, 1e12, bins)[0]
            for m in range(n)
        ]
    )
    assert expected_visible(steps, 33, p, 10.0, 100.0) == pytest.approx(mean, rel=1e-9)
    assert abs(foci.mean() - mean) < 4 * np.sqrt(mean / n)
    assert abs(foci.var() - mean) < 4 * mean * np.sqrt(2 / n + 1 / (mean * n))


def test_colony_sizes_with_constant_rates():
    """Founding uniform in time and exponential growth: the logarithm of size is uniform."""
    p = a_mouse(
        outgrowth_probability=1.0, colony_doubling=1.0, colony_plateau=1e300, colony_spread=0.0
    )
    steps = constant_rate(2000.0, 10.0)
    times, _ = founding_times(steps, 33, 1.0, np.uint64(5), 0, 10.0)
    sizes = [grow(10.0 - t, np.log(2), 1e9) for t in times]
    ages = np.array([growth_age(s, 1e9) for s in sizes]) / np.log(2)
    assert stats.kstest(ages, "uniform", args=(0, 10)).pvalue > 1e-4
    assert (np.diff(times) > 0).all()
    bins = np.zeros(BINS, np.int64)
    colonies = read_out(steps, 33, p, np.uint64(5), 0, 10.0, 10.0, 100.0, 6e4, 1e12, bins)[1]
    assert bins.sum() == colonies == len(times)


def test_expected_foci_is_the_mean_of_the_foci():
    """One mouse's parameters under 3,000 keys; within 4 standard errors."""
    frame = cohort(1).loc[[0] * 3000].assign(animal=np.arange(3000))
    out = simulate(ARMS["timp1_high"], frame, seed=SEED).outcomes
    mean = out["expected_foci"].iloc[0]
    assert abs(out["foci"].mean() - mean) < 4 * np.sqrt(mean / 3000)
    assert abs(out["foci"].var() / mean - 1) < 4 * np.sqrt(2 / 3000 + 1 / (mean * 3000))


def test_growth_and_its_inverse():
    for cells in (1.5, 100.0, 1e6):
        assert grow(growth_age(cells, 1e8) / 0.7, 0.7, 1e8) == pytest.approx(cells, rel=1e-9)
    assert growth_age(1e9, 1e8) == np.inf
    assert grow(1e6, 1.0, 1e8) == pytest.approx(1e8)


@st.composite
def courses(draw):
    """Steps of an integrator, with any slopes: flat, falling by an error, far too steep."""
    n = draw(st.integers(2, 12))
    some = {"min_size": n, "max_size": n}
    h = draw(st.lists(st.floats(1e-3, 1.0), **some))
    rise = draw(st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 50.0)), **some))
    slope = draw(st.lists(st.one_of(st.just(0.0), st.just(-1e-9), st.floats(0, 500.0)), **some))
    steps = np.zeros((n + 3, 3))
    steps[1 : n + 1, 0], steps[1 : n + 1, 1] = np.cumsum(h), np.cumsum(rise)
    steps[:n, 2] = slope
    steps[n + 1 :] = np.nan  # rows that are not valid
    return steps, n + 1


@settings(max_examples=200)
@given(course=courses(), mouse=st.integers(0, 2**31), p3=st.floats(0.01, 2.0))
def test_colonies_are_founded_when_the_expected_founders_reach_their_arrival(course, mouse, p3):
    steps, count = course
    times, _ = founding_times(steps, count, p3, np.uint64(SEED), mouse, np.inf)
    u, v = np.empty(len(times) + 1), np.empty(len(times) + 1)
    philox.uniform_pairs(np.uint64(SEED), 0, mouse, philox.COLONY, u, v)
    arrivals = np.cumsum(-np.log(u))
    assert arrivals[-1] > p3 * steps[count - 1, 1]
    assert (np.diff(times) >= 0).all()
    for t, arrival in zip(times, arrivals, strict=False):
        i = int(np.searchsorted(steps[1:count, 1] * p3, arrival))
        assert steps[i, 0] <= t <= steps[i + 1, 0]
        around = np.clip([t - 2 * np.spacing(t), t + 2 * np.spacing(t)], *steps[i : i + 2, 0])
        near = [p3 * expected_founders(steps, i, day) for day in around]
        assert near[0] - 1e-9 * (1 + arrival) <= arrival <= near[1] + 1e-9 * (1 + arrival)


@settings(max_examples=100)
@given(course=courses())
def test_expected_founders_never_fall(course):
    steps, count = course
    for i in range(count - 1):
        values = [
            expected_founders(steps, i, steps[i, 0] + x * (steps[i + 1, 0] - steps[i, 0]))
            for x in np.linspace(0, 1, 33)
        ]
        assert (np.diff(values) >= -1e-12).all()
        assert values[0] == steps[i, 1]
        assert values[-1] == pytest.approx(steps[i + 1, 1], abs=1e-12)


@settings(max_examples=40)
@given(factor=st.floats(1.0, 20.0), mouse=st.integers(0, 2**31), rate=st.floats(0.1, 200.0))
def test_more_founding_only_adds_colonies(factor, mouse, rate):
    few, luck = founding_times(constant_rate(rate, 9.0), 33, 0.5, np.uint64(SEED), mouse, 9.0)
    many, more = founding_times(
        constant_rate(rate * factor, 9.0), 33, 0.5, np.uint64(SEED), mouse, 9.0
    )
    assert len(many) >= len(few)
    assert (many[: len(few)] <= few + 1e-9).all()
    assert more[: len(few)].tobytes() == luck.tobytes()


def read(steps: np.ndarray, mouse: int = 0, lethal: float = 1e12, **how: int) -> bytes:
    """All that is read out of a mouse."""
    bins = np.zeros(BINS, np.int64)
    p = a_mouse(outgrowth_probability=1.0, colony_plateau=1e8, colony_spread=0.3)
    out = read_out(
        steps, len(steps), p, np.uint64(SEED), mouse, 10.0, 30.0, 100.0, 6e4, lethal, bins, **how
    )
    return np.array(out, dtype=np.float64).tobytes() + bins.tobytes()


@settings(max_examples=40)
@given(
    rate=st.sampled_from([0.0, 0.3, 5.0, 60.0]),
    block=st.integers(1, BLOCK),
    keep=st.sampled_from([0, 10, 100, 10_000]),
    lethal=st.sampled_from([1.0, 1e4, 1e9, 1e12]),
)
def test_same_bytes_in_blocks_of_any_size(rate, block, keep, lethal):
    steps = constant_rate(rate, 30.0)
    assert read(steps, 3, lethal, block=block, keep=keep) == read(steps, 3, lethal)
    whole = founding_times(steps, 33, 1.0, np.uint64(SEED), 3, 20.0)
    parts = founding_times(steps, 33, 1.0, np.uint64(SEED), 3, 20.0, block)
    assert np.array(whole).tobytes() == np.array(parts).tobytes()


def test_a_mouse_alone_is_the_mouse_among_others():
    steps = constant_rate(30.0, 30.0)
    among = [read(steps, mouse) for mouse in range(20)]
    assert [read(steps, mouse) for mouse in reversed(range(20))] == among[::-1]
    assert len(set(among)) == 20


@settings(max_examples=30)
@given(
    mouse=st.integers(0, 10_000),
    rate=st.floats(0.1, 30.0),
    spread=st.floats(0.0, 0.5),
    lethal=st.floats(0.0, 10.0),
)
def test_read_out_is_what_the_founding_times_say(mouse, rate, spread, lethal):
    """Sizes, first detectable day and lethal day, against sums in NumPy."""
    p = a_mouse(
        outgrowth_probability=1.0, colony_doubling=0.8, colony_plateau=1e8, colony_spread=spread
    )
    steps, bins, key = constant_rate(rate, 30.0), np.zeros(BINS, np.int64), np.uint64(SEED)
    times, luck = founding_times(steps, 33, 1.0, key, mouse, 30.0)
    assume(len(times))
    out = read_out(steps, 33, p, key, mouse, 12.0, 30.0, 100.0, 6e4, 10.0**lethal, bins)
    rates, span = np.log(2) / 0.8 * np.exp(spread * luck), np.log(1e8)

    def sizes(day: float) -> np.ndarray:
        there = times <= day
        return np.exp(span * (1 - np.exp(-rates[there] * (day - times[there]) / span)))

    there = sizes(12.0)
    assert out[:2] == ((there >= 100).sum(), len(there))
    assert out[2] == pytest.approx(there.sum(), rel=1e-12)
    assert out[3] == pytest.approx(there.max(initial=0.0), rel=1e-12)
    assert out[4] == pytest.approx((times + growth_age(6e4, 1e8) / rates).min(), rel=1e-12)
    edges = 10.0 ** (np.arange(BINS + 1) / 4)
    assert (bins == np.histogram(there, edges)[0]).all()
    if out[5] == np.inf:
        assert sizes(30.0).sum() < 10.0**lethal * (1 + 1e-12)
    else:
        assert sizes(out[5]).sum() >= 10.0**lethal * (1 - 1e-12)
        assert sizes(out[5] - 2 * CLOSE).sum() < 10.0**lethal * (1 + 1e-12)
