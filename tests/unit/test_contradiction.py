"""The two arms of TIMP-1 apart, where its sign turns, and the map of its sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial.cohort.space import NAMES, cohort_of, parameters, plausible, priors_of
from nichetrial.evidence.contradiction import (
    DOSE_ARMS,
    MECHANISMS,
    PHASE_MAP,
    TURNS,
    dose_arms,
    phase_map,
    turns,
)
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Vector
from nichetrial.trial.simulate import simulate
from tests.support.mice import arm, treatment

N, SEED = 40, 1
FOLDS = (1.0, 3.0, 10.0, 100.0, 1e3, 1e5)
EXPERIMENT = arm(name="experiment", vector=Vector(fold=10.0, onset=1.0))


def typical() -> np.ndarray:
    u = np.random.default_rng(5).uniform(0.02, 0.98, (3000, len(NAMES)))
    values = parameters(u, priors_of("full"))
    return values[plausible(values)][:N]


PARTICLES = typical()


def with_values(**changes: float) -> np.ndarray:
    changed = PARTICLES.copy()
    for name, value in changes.items():
        changed[:, NAMES.index(name)] = value
    return changed


def foci(values: np.ndarray, fold: float) -> np.ndarray:
    cohort = cohort_of(values)
    at = arm(name="x", vector=Vector(fold=fold, onset=1.0))
    return simulate(at, cohort, seed=SEED).outcomes["expected_foci"].to_numpy()


# --- where it turns -------------------------------------------------------------------------------

AT = (1.0, 10.0, 100.0, 1000.0)


def one(ratios) -> pd.Series:
    frame = turns(AT, np.atleast_2d(np.array(ratios, float)))
    assert list(frame.columns) == list(TURNS)
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([1, 2, 0.5, 0.1], 10**1.5),  # by as much below 1 as it was above
        ([1, 2, 0.25, 0.1], 10 ** (1 + 1 / 3)),
        ([1, 2, 4, 0.25], 10**2.5),
        ([1, 2, 1, 0.5], 100.0),  # at a dose itself
        ([1, 2, 0.5, 2], 10**1.5),  # and rises again
        ([2, 0.5, 4, 0.25], 10**2.5),  # twice: the last time
        ([1, 2, 0, 0], 10 ** (1 + np.log(2) / (np.log(2) - np.log(1e-12)))),  # to nothing at all
    ],
)
def test_a_curve_turns_where_it_falls_through_one(curve, expected):
    row = one(curve)
    assert row["turns_at"] == pytest.approx(expected)
    assert row["low"] == pytest.approx(expected)
    assert row["high"] == pytest.approx(expected)
    assert row["share"] == 1.0


@pytest.mark.parametrize(
    "curve",
    [
        [1, 2, 3, 4],  # only ever more
        [1, 0.5, 0.2, 0.1],  # only ever less
        [1, 1, 1, 1],
        [0.5, 0.7, 1.5, 2],  # rises through 1
        [1, np.nan, 0.5, 0.1],
    ],
)
def test_a_curve_that_does_not_fall_through_one_never_turns(curve):
    row = one(curve)
    assert row[["turns_at", "low", "high"]].isna().all()
    assert row["share"] == 0.0


def test_the_share_of_particles_that_turn_and_the_median_curve():
    curves = [[1, 2, 0.5, 0.1]] * 3 + [[1, 2, 4, 8]] * 2
    row = one(curves)
    assert row["share"] == 0.6
    assert row["turns_at"] == pytest.approx(10**1.5)  # of the curve of medians
    assert row["low"] == row["high"] == pytest.approx(10**1.5)
    assert np.isnan(one([[1, 2, 0.5, 0.1]] * 2 + [[1, 2, 4, 8]] * 3)["turns_at"])


@settings(max_examples=60)
@given(turn=st.floats(1.5, 900), steep=st.floats(0.2, 3), scale=st.floats(1.0, 100.0))
def test_a_straight_fall_is_found_exactly_whatever_the_unit_of_dose(turn, steep, scale):
    ratios = (turn / np.array(AT)) ** steep
    expected = pytest.approx(turn, rel=1e-6)
    assert one(ratios)["turns_at"] == expected
    scaled = turns([scale * f for f in AT], ratios[None, :])["turns_at"][0]
    assert scaled == pytest.approx(scale * turn, rel=1e-6)


# --- mechanisms -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def apart() -> tuple[pd.DataFrame, np.ndarray]:
    return dose_arms(EXPERIMENT, FOLDS, PARTICLES, SEED)


def test_one_row_a_mechanism_and_dose(apart):
    frame, whole = apart
    assert list(frame.columns) == list(DOSE_ARMS)
    assert list(frame["mechanism"]) == [m for m in MECHANISMS for _ in FOLDS]
    assert list(frame["fold"]) == [*FOLDS] * len(MECHANISMS)
    assert (frame["n"] == N).all()
    assert whole.shape == (N, len(FOLDS))


def test_basal_timp1_is_the_measure_of_all(apart):
    frame, whole = apart
    assert (whole[:, 0] == 1.0).all()
    basal = frame[frame["fold"] == 1.0]
    assert (basal[["mean", "median", "low", "high"]] == 1.0).all(axis=None)
    assert (basal["share_up"] == 0.0).all()


def test_numbers_by_a_direct_simulation(apart):
    frame, whole = apart
    for mechanism, setting in MECHANISMS.items():
        values = with_values(**setting)
        ratio = foci(values, 10.0) / foci(values, 1.0)
        row = frame[(frame["mechanism"] == mechanism) & (frame["fold"] == 10.0)].iloc[0]
        assert row["mean"] == pytest.approx(ratio.mean())
        assert row["median"] == pytest.approx(np.median(ratio))
        assert row[["low", "high"]].tolist() == pytest.approx(np.quantile(ratio, (0.05, 0.95)))
        assert row["share_up"] == (ratio > 1).mean()
        if mechanism == "full":
            np.testing.assert_allclose(whole[:, 2], ratio)


def test_treatments_and_the_end_of_the_study_do_not_matter(apart):
    other = arm(
        treatment("amd3100", 5),
        name="experiment",
        vector=Vector(fold=99.0, onset=1.0),
        readout=EXPERIMENT.readout.model_copy(update={"end": 300.0}),
    )
    assert dose_arms(other, FOLDS, PARTICLES, SEED)[0].equals(apart[0])


def test_with_the_niche_alone_timp1_only_feeds():
    """Of every particle, and the more of it the more."""
    _, ratios = dose_arms(EXPERIMENT, FOLDS, with_values(**MECHANISMS["niche"]), SEED)
    assert (ratios[:, 1:] > 1.0).all()
    assert (np.diff(ratios, axis=1) > 0.0).all()


def test_without_a_niche_timp1_feeds_only_by_the_protease_of_the_neutrophils_it_draws():
    """So `protease` is not below 1 at every dose; if neutrophils bring none, it is."""
    setting = MECHANISMS["protease"]
    _, ratios = dose_arms(EXPERIMENT, FOLDS, with_values(**setting), SEED)
    assert (ratios[:, 1:4] > 1.0).any()
    assert (ratios[:, -1] < 1.0).all()
    values = with_values(**setting, neutrophil_protease_share=0.0)
    _, ratios = dose_arms(EXPERIMENT, FOLDS, values, SEED)
    assert (ratios[:, 1:] < 1.0).all()
    assert (np.diff(ratios, axis=1) < 0.0).all()


def test_the_two_arms_bracket_the_whole(apart):
    frame, _ = apart
    by = frame.pivot(index="fold", columns="mechanism", values="median").iloc[1:]
    assert (by["protease"] < by["full"]).all()
    assert (by["full"] < by["niche"]).all()


def test_particles_do_not_see_each_other(apart):
    _, whole = apart
    _, half = dose_arms(EXPERIMENT, FOLDS, PARTICLES[: N // 2], SEED)
    np.testing.assert_array_equal(half, whole[: N // 2])


def test_an_experiment_without_a_vector_starts_its_dose_at_once():
    _, none = dose_arms(arm(name="e", vector=None), FOLDS[:3], PARTICLES[:5], SEED)
    start = arm(name="e", vector=Vector(fold=3.0, onset=0.0))
    _, given = dose_arms(start, FOLDS[:3], PARTICLES[:5], SEED)
    np.testing.assert_array_equal(none, given)


# --- the map --------------------------------------------------------------------------------------

CD63 = np.array([PARAMETERS["cd63_ratio"].a, PARAMETERS["cd63_ratio"].b])
KI = np.array([1e-3, 1e9])


def test_corners_of_the_map():
    frame = phase_map(EXPERIMENT, 10.0, PARTICLES, SEED, cd63=CD63, ki=KI)
    assert list(frame.columns) == list(PHASE_MAP)
    assert (frame["fold"] == 10.0).all()
    corner = frame.set_index(["cd63_ratio", "mmp_ki"])
    assert len(corner) == 4
    for a in CD63:
        for b in KI:
            values = with_values(cd63_ratio=a, mmp_ki=b)
            ratio = foci(values, 10.0) / foci(values, 1.0)
            assert corner.loc[(a, b), "median"] == pytest.approx(np.median(ratio))
            assert corner.loc[(a, b), "share_up"] == (ratio > 1.0).mean()
        # what TIMP-1 cannot inhibit it can only feed; what it does, it starves
        assert corner.loc[(a, 1e9), "share_up"] == 1.0
        assert corner.loc[(a, 1e-3), "median"] < corner.loc[(a, 1e9), "median"]
    assert frame["share_up"].min() < 1.0


def test_the_map_leaves_its_particles_alone():
    before = PARTICLES.tobytes()
    phase_map(EXPERIMENT, 10.0, PARTICLES[:2], SEED, cd63=CD63[:1], ki=KI[:1])
    assert PARTICLES.tobytes() == before
