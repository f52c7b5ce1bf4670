"""Dose-response curves: known curves are found again, and what is no curve is said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nichetrial.compare.dose_response import DOSE_CURVES, DOSE_RESPONSE, dose_response
from nichetrial.compare.hill import Hill, fit_hill
from nichetrial.study.resolved import Sweep
from tests.support.dose_curves import STUDY, SWEEP, mice

DOSES = np.array([point[0] for point in SWEEP.points], dtype=float)


def fitted(ratios, sweep: Sweep = SWEEP, noise: float = 0.0):
    row, curves = dose_response(mice(ratios, sweep, noise), sweep, "timp1_high")
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


def test_particles_that_differ_widen_the_interval_around_the_truth():
    row, curves = fitted(Hill(1.0, 0.2, 5.0, 1.4).at(DOSES), noise=0.2)
    assert row.ed50_low < 5.0 < row.ed50_high
    assert (curves["low"] <= curves["high"]).all()


def test_the_same_mice_give_the_same_fit():
    ratios = Hill(1.0, 0.2, 5.0, 1.4).at(DOSES)
    pd.testing.assert_frame_equal(fitted(ratios, noise=0.2)[1], fitted(ratios, noise=0.2)[1])


def test_each_particle_has_a_curve_of_its_own():
    """Half of them respond at a dose ten times as high: no curve through the means is theirs."""
    ratios = [Hill(1.0, 0.2, ed50, 1.4).at(DOSES) for ed50 in (3.0, 30.0)]
    tables = [mice(r) for r in ratios]
    odd = tables[0]["timp1_high"]["particle"] % 2 == 1
    mixed = {name: table.where(~odd, tables[1][name]) for name, table in tables[0].items()}
    row, curves = dose_response(mixed, SWEEP, "timp1_high")
    assert (row["ed50_low"][0], row["ed50_high"][0]) == pytest.approx((3.0, 30.0), rel=1e-4)
    assert row["hill"][0] == pytest.approx(1.4, rel=1e-4)
    fit = curves[curves["kind"] == "fit"]
    for low_or_high, of in (("low", 3.0), ("high", 30.0)):
        np.testing.assert_allclose(
            fit[low_or_high], Hill(1.0, 0.2, of, 1.4).at(fit["dose"].to_numpy()), rtol=1e-4
        )


def test_particles_that_do_not_respond_have_no_curve():
    tables = mice(Hill(1.0, 0.2, 5.0, 1.4).at(DOSES))
    deaf = tables["timp1_high"]["particle"] < 3
    tables = {n: t.where(~deaf, tables["timp1_high"]) for n, t in tables.items()}
    row = dose_response(tables, SWEEP, "timp1_high")[0].iloc[0]
    assert (row.particles, row.fitted) == (10, 7)
    assert row.ed50 == pytest.approx(5.0, rel=1e-6)


def test_flat_data_have_no_curve():
    row, curves = fitted(np.r_[1.0, np.full(6, 1.0)])
    assert row.note == "no dose changes the outcome"
    assert np.isnan(row.ed50)
    assert set(curves["kind"]) == {"point"}


@pytest.mark.slow
def test_few_doses_high_ed50_and_turns_are_named():
    assert fitted([1.0, 0.8, 0.5], some(3))[0].note == "fewer than three doses above zero"
    late = Hill(1.0, 0.1, 500.0, 1.5).at(DOSES)
    assert fitted(late)[0].note == "ED50 is mostly above the highest dose tried: read it as a bound"
    assert fitted([1.0, 0.8, 0.5, 0.3, 0.5, 0.8, 0.9])[0].note.endswith("not monotone")


def test_lost_arms_and_other_sweeps():
    row, curves = dose_response({}, SWEEP, "timp1_high")
    assert row["particles"].iloc[0] == 0
    assert row["note"].iloc[0]
    assert curves.empty
    with pytest.raises(ValueError, match="not a sweep over one dose"):
        dose_response({}, STUDY.sweep("window"), "timp1_high")


def test_the_inverse_of_a_curve():
    hill = Hill(1.0, 0.2, 5.0, 1.4)
    assert hill.dose(0.6) == pytest.approx(5.0)
    assert hill.dose(0.1) == np.inf
    x = np.array([1.0, 3.0, 10.0, 30.0])
    assert fit_hill(x, hill.at(x), 1.0).ed50 == pytest.approx(5.0, rel=1e-6)
