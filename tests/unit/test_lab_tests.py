"""The tests of a lab, vectorised: each experiment as scipy has it alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial.compare.lab_tests import adjusted, log_rank, mann_whitney, welch

SIZES = [(4, 4), (5, 9), (8, 8), (8, 20), (9, 9), (20, 20)]


def groups(n: int, m: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """60 experiments; of those with ties, the first are all equal."""
    random = np.random.default_rng(n * 100 + m)
    if not ties:
        return random.normal(0.0, 1.0, (60, n)), random.normal(0.7, 2.0, (60, m))
    a, b = random.poisson(2.0, (60, n)), random.poisson(3.0, (60, m))
    a[:2], b[:2] = 0, 0
    return a.astype(float), b.astype(float)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_mann_whitney_is_scipys(n, m, ties):
    a, b = groups(n, m, ties=ties)
    peer = [stats.mannwhitneyu(x, y, method="auto") for x, y in zip(a, b, strict=True)]
    result = mann_whitney(a, b)
    np.testing.assert_allclose(result.p, [r.pvalue for r in peer], rtol=1e-12)
    assert result.sign.tolist() == np.sign([r.statistic - n * m / 2 for r in peer]).tolist()


@pytest.mark.filterwarnings("ignore:Precision loss")
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_welch_is_scipys(n, m, ties):
    a, b = groups(n, m, ties=ties)
    peer = [stats.ttest_ind(x, y, equal_var=False) for x, y in zip(a, b, strict=True)]
    result = welch(a, b)
    p = np.array([r.pvalue for r in peer])
    np.testing.assert_allclose(result.p, np.where(np.isnan(p), 1.0, p), rtol=1e-9)
    assert result.sign.tolist() == np.sign(a.mean(axis=1) - b.mean(axis=1)).tolist()


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_log_rank_is_scipys(n, m, ties):
    a, b = groups(n, m, ties=ties)
    end = 3.0 if ties else 0.8
    a, b = np.minimum(a, end), np.minimum(b, end)
    peer = [
        stats.logrank(*(stats.CensoredData.right_censored(t, t >= end) for t in pair))
        for pair in zip(a, b, strict=True)
    ]
    result = log_rank(a, a < end, b, b < end)
    p = np.array([r.pvalue for r in peer])
    np.testing.assert_allclose(result.p, np.where(np.isnan(p), 1.0, p), rtol=1e-9)
    theirs = np.nan_to_num([r.statistic for r in peer])  # above zero: the first dies sooner
    clear = np.abs(theirs) > 1e-9
    np.testing.assert_array_equal(result.sign[clear], -np.sign(theirs[clear]))


def test_complete_separation_by_hand():
    low, high = np.arange(4.0)[None], np.arange(10.0, 14.0)[None]
    result = mann_whitney(low, high)
    assert result.p[0] == pytest.approx(2 / 70)  # of the 70 ways to choose 4 of 8, two as extreme
    assert result.sign[0] == -1
    assert mann_whitney(low[:, :3], high[:, :3]).p[0] == pytest.approx(0.1)  # 3 can never show


def test_nothing_to_test_is_not_significant():
    same = np.full((1, 5), 7.0)
    unseen = np.zeros((1, 5), bool)
    for result in (
        mann_whitney(same, same),
        welch(same, same),
        log_rank(same, unseen, same, unseen),
        log_rank(same, ~unseen, same, ~unseen),
    ):
        assert result.p[0] == 1.0
        assert result.sign[0] == 0


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=8, max_size=8))
def test_groups_exchanged_give_the_same_p_and_the_other_direction(values):
    a, b = np.array(values[:4], float)[None], np.array(values[4:], float)[None]
    seen = np.ones((1, 4), bool)
    for one, other in (
        (mann_whitney(a, b), mann_whitney(b, a)),
        (welch(a, b), welch(b, a)),
        (log_rank(a, seen, b, seen), log_rank(b, seen, a, seen)),
    ):
        assert one.p[0] == pytest.approx(other.p[0], abs=1e-12)
        if one.p[0] < 0.999:
            assert one.sign[0] == -other.sign[0]


def test_corrections_by_hand():
    p = np.array([[0.01, 0.04, 0.03], [0.5, 0.001, 0.6]])
    np.testing.assert_allclose(adjusted(p, "holm"), [[0.03, 0.06, 0.06], [1.0, 0.003, 1.0]])
    np.testing.assert_allclose(adjusted(p, "bonferroni"), [[0.03, 0.12, 0.09], [1.0, 0.003, 1.0]])
    np.testing.assert_array_equal(adjusted(p, "none"), p)
    with pytest.raises(ValueError, match="hochberg"):
        adjusted(p, "hochberg")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_none_and_bonferroni_and_keeps_the_order(values):
    p = np.array(values)
    holm = adjusted(p, "holm")
    assert (holm >= p).all()
    assert (holm <= adjusted(p, "bonferroni")).all()
    assert (np.diff(holm[np.argsort(p, kind="stable")]) >= 0).all()
