"""Null models of two drugs against the package synergy, on invented drugs.

``make_synergy.py`` made the references and says how to make them again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial.compare.hill import Hill
from nichetrial.compare.musyc import Musyc, fit_musyc, independent
from nichetrial.compare.surface import loewe

TABLE = pd.read_csv(Path(__file__).parent / "references" / "synergy.csv")


@pytest.fixture(params=sorted(TABLE["case"].unique()))
def case(request):
    rows = TABLE[TABLE["case"] == request.param]
    r = rows.iloc[0]
    return rows, Musyc(
        Hill(1.0, r.e1, r.c1, r.h1), Hill(1.0, r.e2, r.c2, r.h2), r.e3, r.alpha12, r.alpha21
    )


def test_bliss_hsa_and_loewe(case):
    rows, m = case
    x, y = m.a.at(rows["dose_a"].to_numpy()), m.b.at(rows["dose_b"].to_numpy())
    np.testing.assert_allclose(x * y, rows["bliss"], rtol=1e-12)
    np.testing.assert_allclose(np.minimum(x, y), rows["hsa"], rtol=1e-12)
    ours = [loewe(m.a, m.b, *d) for d in zip(rows["dose_a"], rows["dose_b"], strict=True)]
    # synergy minimises a square, so it is the less exact of the two
    np.testing.assert_allclose(ours, rows["loewe"], atol=2e-5)
    assert np.isfinite(ours).any()


def test_musyc_surface_null_and_beta(case):
    rows, m = case
    at = rows["dose_a"].to_numpy(), rows["dose_b"].to_numpy()
    np.testing.assert_allclose(m.at(*at), rows["musyc"], rtol=1e-10)
    np.testing.assert_allclose(independent(m.a, m.b).at(*at), rows["musyc_null"], rtol=1e-10)
    assert m.beta == pytest.approx(rows["beta"].iloc[0])


def test_musyc_finds_the_parameters_of_its_surface_again(case):
    _, m = case
    x, y = (
        d.ravel()
        for d in np.meshgrid([0, 0.1, 0.3, 1, 3, 10, 30, 100], [0, 0.1, 0.3, 1, 3, 10, 30, 100])
    )
    found = fit_musyc(x, y, m.at(x, y), m.a, m.b)
    assert (found.alpha12, found.alpha21) == pytest.approx((m.alpha12, m.alpha21), rel=1e-5)
    assert found.beta == pytest.approx(m.beta, abs=1e-6)
    assert found.a.ed50 == pytest.approx(m.a.ed50, rel=1e-6)
