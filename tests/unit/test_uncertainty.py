"""Split of the uncertainty: on invented particles whose components are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import tables
from nichetrial.compare.uncertainty import UNCERTAINTY, uncertainty
from nichetrial.study.sections import Pair
from tests.support.mice import nested

P, A = 1500, 8
PAIR = (Pair(arm="x", reference="ref"),)


def log_normal(cv: float, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Factors of mean 1 with this coefficient of variation."""
    width = np.sqrt(np.log1p(cv**2))
    return np.random.default_rng(seed).lognormal(-0.5 * width**2, width, shape)


def split(x: np.ndarray, ref: np.ndarray) -> pd.Series:
    return uncertainty({"x": nested(x), "ref": nested(ref)}, PAIR).iloc[0]


@pytest.mark.parametrize(
    ("known", "between", "foci"), [(0.5, 0.3, 40.0), (0.0, 0.5, 20.0), (1.0, 0.0, 5.0)]
)
def test_known_components_are_found(known, between, foci):
    """Log ratios with one deviation over particles, mice with a CV, foci that are counted."""
    truth = np.random.default_rng(1).normal(-0.7, known, (P, 1))
    reference = foci * log_normal(between, (P, A), 2)
    row = split(reference * np.exp(truth), reference)
    mean = foci * np.exp(-0.7)
    assert row["effect"] == pytest.approx(-0.7, abs=4 * 1.25 * known / np.sqrt(P) + 1e-9)
    assert row["sd_parameters"] == pytest.approx(known, rel=0.06, abs=1e-6)
    # in two groups of other mice the spread of both counts, though the pairs here agree
    assert row["sd_mice"] == pytest.approx(np.sqrt(2) * between, rel=0.15, abs=1e-6)
    assert row["sd_luck"] == pytest.approx(np.sqrt(1 / mean + 1 / foci), rel=0.1)
    within = row["sd_mice"] ** 2 + row["sd_luck"] ** 2
    assert row["error_floor"] == row["sd_parameters"]
    for n in (8, 20):
        assert row[f"error_{n}"] == pytest.approx(np.sqrt(row["sd_parameters"] ** 2 + within / n))
    total = row["error_8"] ** 2
    assert row["share_parameters"] == pytest.approx(row["sd_parameters"] ** 2 / total)
    assert row["share_mice"] == pytest.approx(row["sd_mice"] ** 2 / 8 / total)
    assert row["share_luck"] == pytest.approx(row["sd_luck"] ** 2 / 8 / total)
    assert (row["particles"], row["dropped"]) == (P, 0)


def test_the_noise_of_the_few_mice_that_are_simulated_is_no_knowledge_to_gain():
    """All particles alike, mice that respond differently: nothing is unknown."""
    reference = np.full((P, A), 10.0)
    row = split(reference * log_normal(0.5, (P, A), 3), reference)
    assert row["sd_parameters"] < 0.05
    assert np.log(log_normal(0.5, (P, A), 3).mean(axis=1)).std() > 0.15


def test_what_mice_buy_is_what_simulated_experiments_say():
    """The error with 20 mice per group, of experiments with other mice and counted foci."""
    known, between, foci, n, runs = 0.3, 0.4, 30.0, 20, 20_000
    truth = np.random.default_rng(1).normal(-0.5, known, (P, 1))
    reference = foci * log_normal(between, (P, A), 2)
    row = split(reference * np.exp(truth), reference)
    random = np.random.default_rng(4)
    means = [
        random.poisson(foci * factor * log_normal(between, (runs, n), seed)).mean(axis=1)
        for factor, seed in ((np.exp(random.normal(-0.5, known, (runs, 1))), 5), (1.0, 6))
    ]
    assert row["error_20"] == pytest.approx(np.log(means[0] / means[1]).std(), rel=0.05)


def test_no_effect_is_known_to_be_none():
    same = 20.0 * log_normal(0.5, (P, A), 2)
    row = split(same, same)
    assert (row["effect"], row["sd_parameters"], row["error_floor"]) == (0.0, 0.0, 0.0)
    assert row["error_8"] > 0.0


def test_particles_without_a_number_are_dropped(tmp_path):
    reference = 20.0 * log_normal(0.5, (30, 4), 2)
    arm = reference * np.linspace(0.4, 0.9, 30)[:, None]
    x = nested(arm)
    x.loc[3, "status"] = "step_limit"
    none = reference.copy()
    none[7] = 0.0
    frame = uncertainty({"x": x, "ref": nested(none)}, (*PAIR, Pair(arm="gone", reference="ref")))
    row = frame.iloc[0]
    assert (row["particles"], row["dropped"]) == (28, 2)
    kept = ~np.isin(np.arange(30), [0, 7])
    peer = split(arm[kept], reference[kept])
    for name in ("effect", "sd_parameters", "sd_mice", "sd_luck", "error_8"):
        assert row[name] == pytest.approx(peer[name])
    assert frame.iloc[1]["particles"] == 0
    assert np.isnan(frame.iloc[1]["error_8"])
    tables.write(frame, tmp_path / "uncertainty.parquet", UNCERTAINTY)


@pytest.mark.parametrize("shape", [(10, 1), (1, 4)])
def test_one_mouse_or_one_particle_tells_nothing(shape):
    row = split(np.full(shape, 5.0), np.full(shape, 10.0))
    assert np.isnan(row["error_8"])
    assert row["particles"] == shape[0]


def test_what_is_not_balanced_is_refused():
    x = nested(np.ones((3, 4)))
    for broken in (x.iloc[:-1], x.iloc[::-1].reset_index(drop=True)):
        with pytest.raises(ValueError, match="not balanced"):
            uncertainty({"x": broken, "ref": broken}, PAIR)
    with pytest.raises(ValueError, match="not balanced"):
        uncertainty({"x": x, "ref": x.assign(animal=3 - x["animal"])}, PAIR)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), unit=st.floats(0.1, 100.0))
def test_a_common_factor_changes_luck_alone(seed, unit):
    base = 20.0 * log_normal(0.4, (12, 3), seed)
    arm = base * log_normal(0.6, (12, 3), seed + 1)
    one, other = split(arm, base), split(unit * arm, unit * base)
    for name in ("effect", "sd_parameters", "sd_mice"):
        assert other[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9)
    assert other["sd_luck"] == pytest.approx(one["sd_luck"] / np.sqrt(unit))
