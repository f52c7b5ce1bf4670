"""Dose-response curves: known curves are found again, and what is no curve is said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.dose_response import DOSE_CURVES, DOSE_RESPONSE, dose_response
from nichetrial.compare.hill import Hill, fit_hill
from nichetrial.study.resolved import Sweep
from tests.support.dose_curves import STUDY, SWEEP, N, mice

DOSES = np.array([point[0] for point in SWEEP.points], dtype=float)


def fitted(ratios, sweep: Sweep = SWEEP, noise: float = 0.0):
    boot = Bootstrap(seed=1, n=N, resamples=60, interval=0.95)
    row, curves = dose_response(mice(ratios, sweep, noise), sweep, "timp1_high", boot)
    assert list(row) == list(DOSE_RESPONSE)
    assert list(curves) == list(DOSE_CURVES)
    return row.iloc[0], curves


def some(count: int) -> Sweep:
    return SWEEP.model_copy(update={k: getattr(SWEEP, k)[:count] for k in ("arms", "points")})


@pytest.mark.parametrize("true", [Hill(1.0, 0.2, 5.0, 1.4), Hill(1.0, 1.8, 20.0, 0.8)])
def test_an_exact_curve_is_found_again(true):
    row, curves = fitted(true.at(DOSES))
    assert (row.e0, row.emax, row.ed50, row.hill) == pytest.approx(
        (1.0, true.emax, true.ed50, true.h), rel=1e-6
    )
    assert row.note == ""
    assert row.residual < 1e-7
    assert (row.ed50_low, row.ed50_high) == pytest.approx((true.ed50, true.ed50), rel=1e-5)
    fit = curves[curves["kind"] == "fit"]
    np.testing.assert_allclose(fit["ratio"], true.at(fit["dose"].to_numpy()), rtol=1e-6)


def test_noise_widens_the_interval_around_the_truth():
    row, curves = fitted(Hill(1.0, 0.2, 5.0, 1.4).at(DOSES), noise=0.2)
    assert row.ed50_low < 5.0 < row.ed50_high
    assert (curves["low"] <= curves["high"]).all()


def test_the_same_mice_give_the_same_fit():
    ratios = Hill(1.0, 0.2, 5.0, 1.4).at(DOSES)
    pd.testing.assert_frame_equal(fitted(ratios, noise=0.2)[1], fitted(ratios, noise=0.2)[1])


def test_flat_data_have_no_curve():
    row, curves = fitted(np.full(7, 0.9))
    assert row.note == "no dose changes the outcome"
    assert np.isnan(row.ed50)
    assert set(curves["kind"]) == {"point"}


@pytest.mark.slow
def test_few_doses_high_ed50_and_turns_are_named():
    assert fitted([1.0, 0.8, 0.5], some(3))[0].note == "fewer than three doses above zero"
    late = Hill(1.0, 0.1, 500.0, 1.5).at(DOSES)
    assert fitted(late)[0].note == "ED50 is above the highest dose tried: read it as a bound"
    assert fitted([1.0, 0.8, 0.5, 0.3, 0.5, 0.8, 0.9])[0].note.endswith("not monotone")


def test_lost_arms_and_other_sweeps():
    boot = Bootstrap(seed=1, n=N, resamples=20, interval=0.95)
    row, curves = dose_response({}, SWEEP, "timp1_high", boot)
    assert row["n"].iloc[0] == 0
    assert row["note"].iloc[0]
    assert curves.empty
    with pytest.raises(ValueError, match="not a sweep over one dose"):
        dose_response({}, STUDY.sweep("window"), "timp1_high", boot)


def test_the_inverse_of_a_curve():
    hill = Hill(1.0, 0.2, 5.0, 1.4)
    assert hill.dose(0.6) == pytest.approx(5.0)
    assert hill.dose(0.1) == np.inf
    x = np.array([1.0, 3.0, 10.0, 30.0])
    assert fit_hill(x, hill.at(x), 1.0).ed50 == pytest.approx(5.0, rel=1e-6)
