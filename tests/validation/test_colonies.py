"""Founders and colonies against closed forms.

Each check is a p-value, exact or of a classical test, and fails below ALARM / CHECKS: a right
program would fail any of them with one choice of SEED in a million (Bonferroni). The seed is fixed,
so they pass always or never.
"""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy import integrate, stats

from nichetrial.engine import philox
from nichetrial.engine.colonies import (
    BINS,
    PER_DECADE,
    expected_visible,
    founding_times,
    growth_age,
    read_out,
)
from nichetrial.engine.kernels import PARAMETER_NAMES
from tests.support.mice import SEED

ALARM, CHECKS = 1e-6, 25
KEY = np.uint64(SEED)
DOUBLING, PLATEAU, SPREAD, VISIBLE = 0.8, 1e8, 0.25, 100.0
CHALLENGE, DAY, END, TAU, FOUNDERS = 4.0, 11.0, 40.0, 1.7, 60.0
MICE = 20_000


def passes(pvalue: float) -> None:
    assert pvalue >= ALARM / CHECKS


def parameters(**changes: float) -> np.ndarray:
    values = {
        "outgrowth_probability": 0.3,
        "colony_doubling": DOUBLING,
        "colony_plateau": PLATEAU,
        "colony_spread": SPREAD,
    } | changes
    p = np.zeros(len(PARAMETER_NAMES))
    for name, value in values.items():
        p[PARAMETER_NAMES.index(name)] = value
    return p


def founders(t: np.ndarray | float) -> np.ndarray:
    """Expected founders by day t: they come from the challenge on, ever more slowly."""
    return FOUNDERS * -np.expm1(-np.maximum(t - CHALLENGE, 0.0) / TAU)


def course() -> np.ndarray:
    t = np.concatenate([[0.0], np.linspace(CHALLENGE, DAY, 141), np.linspace(DAY, END, 146)[1:]])
    slope = np.where(t < CHALLENGE, 0.0, FOUNDERS / TAU * np.exp(-(t - CHALLENGE) / TAU))
    return np.column_stack([t, founders(t), slope])


@njit
def many(steps, p, seed, mice, day, end, out, bins):
    for k in range(mice):
        a = read_out(steps, steps.shape[0], p, seed, k, day, end, VISIBLE, 65000.0, 1e300, bins)
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = a[0], a[1], a[2], a[3]


def herd(steps: np.ndarray, p: np.ndarray, day: float = DAY) -> tuple[np.ndarray, np.ndarray]:
    """(foci, colonies, burden, largest) of each mouse (MICE, 4), and the bins."""
    out, bins = np.empty((MICE, 4)), np.zeros(BINS, np.int64)
    many(steps, p, KEY, MICE, day, END, out, bins)
    return out, bins


def poisson_sum(total: float, mean: float) -> float:
    """Two-sided p-value of a Poisson count."""
    d = stats.poisson(mean)
    return min(1.0, 2 * min(d.cdf(total), d.sf(total - 1)))


def chi_square(counts: np.ndarray, expected: np.ndarray) -> float:
    """Of counts against expected ones, with those below 20 put together."""
    few = expected < 20
    if few.any():
        counts = np.append(counts[~few], counts[few].sum())
        expected = np.append(expected[~few], expected[few].sum())
    kept = expected > 0
    assert counts[~kept].sum() == 0
    return float(stats.chi2.sf(((counts - expected)[kept] ** 2 / expected[kept]).sum(), kept.sum()))


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_number_of_colonies_is_poisson_thinned_by_the_outgrowth(share):
    """Mean (exact), variance (normal), extinction (exact), and all frequencies (chi-square)."""
    colonies = herd(course(), parameters(outgrowth_probability=share))[0][:, 1]
    mean = share * founders(DAY)
    passes(poisson_sum(colonies.sum(), MICE * mean))
    spread = ((colonies - mean) ** 2).mean() - mean
    passes(2 * stats.norm.sf(abs(spread) / np.sqrt((mean + 2 * mean**2) / MICE)))
    passes(stats.binomtest(int((colonies == 0).sum()), MICE, np.exp(-mean)).pvalue)
    top = int(mean + 8 * np.sqrt(mean) + 8)
    d = stats.poisson(mean)
    expected = MICE * np.append(d.pmf(np.arange(top)), d.sf(top - 1))
    passes(
        chi_square(np.bincount(np.minimum(colonies, top).astype(int), minlength=top + 1), expected)
    )


def test_founding_times_follow_the_expected_founders():
    """Given their number they are independent, with distribution L(t) / L(end); luck is normal."""
    steps = course()
    found = [founding_times(steps, len(steps), 0.3, KEY, mouse, END) for mouse in range(3000)]
    times, luck = np.concatenate([t for t, _ in found]), np.concatenate([z for _, z in found])
    share = founders(times) / founders(END)
    passes(stats.kstest(share, "uniform").pvalue)
    passes(stats.kstest(luck, "norm").pvalue)
    passes(stats.pearsonr(share, luck).pvalue)


def test_sizes_of_colonies_founded_at_once():
    """Rates are log-normal, so the distribution of sizes is known: alone, and in the bins."""
    steps = np.array([[0.0, 0, 0], [CHALLENGE, 0, 0], [CHALLENGE + 1e-9, 3, 0], [END, 3, 0]])
    out, bins = herd(steps, parameters(outgrowth_probability=0.4))

    def share(cells: float) -> float:
        """Of colonies below ``cells``."""
        rate = growth_age(cells, PLATEAU) / (DAY - CHALLENGE)
        if rate <= 0:
            return 0.0
        return float(stats.norm.cdf(np.log(rate * DOUBLING / np.log(2)) / SPREAD))

    alone = out[out[:, 1] == 1, 2]  # the burden of a single colony is its size
    assert len(alone) > 5000
    passes(stats.kstest([share(size) for size in alone], "uniform").pvalue)
    edges = np.array([share(10 ** (k / PER_DECADE)) for k in range(BINS + 1)])
    passes(chi_square(bins, MICE * 1.2 * np.diff(edges)))
    largest = out[out[:, 1] == 2, 3]  # the larger of two: the square of the distribution
    passes(stats.kstest([share(size) ** 2 for size in largest], "uniform").pvalue)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.25])
def test_expected_visible_is_the_integral_and_the_mean_of_the_foci(spread):
    """To 1e-6 of adaptive quadrature with the exact founders; then the foci are its Poisson."""
    steps, p = course(), parameters(colony_spread=spread)
    wait = growth_age(VISIBLE, PLATEAU) * DOUBLING / np.log(2)
    if spread:
        exact, _ = integrate.quad(
            lambda z: founders(DAY - wait * np.exp(-spread * z)) * stats.norm.pdf(z),
            -9,
            9,
            points=[np.log(wait / (DAY - CHALLENGE)) / spread],
            epsabs=0,
            epsrel=1e-11,
            limit=400,
        )
    else:
        exact = float(founders(DAY - wait))
    mean = expected_visible(steps, len(steps), p, DAY, VISIBLE)
    assert mean == pytest.approx(0.3 * exact, rel=1e-6)
    foci = herd(steps, p)[0][:, 0]
    passes(poisson_sum(foci.sum(), MICE * mean))


def test_draws_are_uniform_to_the_last_bits_and_independent():
    """Between indices, mice and the two of a pair: uniformity on 64 x 64 squares, and KS."""
    u, v = np.empty((400, 500)), np.empty((400, 500))
    for mouse in range(400):
        philox.uniform_pairs(KEY, 0, mouse, philox.COLONY, u[mouse], v[mouse])

    def squares(a: np.ndarray, b: np.ndarray) -> float:
        cell = (a * 64).astype(int) * 64 + (b * 64).astype(int)
        return chi_square(np.bincount(cell.ravel(), minlength=4096), np.full(4096, a.size / 4096))

    passes(stats.kstest(np.append(u, v), "uniform").pvalue)
    passes(squares(u, v))
    passes(squares(u[:, ::2], u[:, 1::2]))
    passes(squares(u[::2], u[1::2]))
    passes(squares(v[::2], v[1::2]))
    # from 1/2 on the last of the 53 bits is rounded off
    low = np.concatenate([x[x < 0.5] * 2.0**53 % 256 for x in (u, v)]).astype(int)
    passes(chi_square(np.bincount(low, minlength=256), np.full(256, len(low) / 256)))
