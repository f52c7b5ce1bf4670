"""What a calibration has learned of each parameter, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from nichetrial.cohort.space import NAMES, parameters, priors_of
from nichetrial.evidence.posterior import POSTERIOR, posterior
from nichetrial.model.parameters import PARAMETERS

PRIORS = priors_of("full")
N = 20_000
U = np.random.default_rng(6).uniform(size=(N, len(NAMES)))


def table(u: np.ndarray, priors=PRIORS):
    return posterior(parameters(u, priors), u, priors)


def squeezed(low: float, high: float) -> np.ndarray:
    """Uniform, but for ``mmp_ki`` within a part of its prior."""
    u = U.copy()
    k = NAMES.index("mmp_ki")
    u[:, k] = low + (high - low) * u[:, k]
    return u


def test_of_draws_from_the_priors_nothing_is_learned():
    frame = table(U)
    assert list(frame.columns) == list(POSTERIOR)
    assert sorted(frame["parameter"]) == sorted(n for n in NAMES if PRIORS[n][0] != "fixed")
    assert frame["learned"].between(0.0, 0.005).all()
    assert frame["narrowed"].between(0.0, 0.02).all()
    np.testing.assert_allclose(frame["low"], frame["prior_low"], rtol=0.1)
    np.testing.assert_allclose(frame["high"], frame["prior_high"], rtol=0.1)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0.0, 0.5, 1.0), (0.25, 0.5, 2.0), (0.9, 0.95, np.log2(20))]
)
def test_half_a_prior_is_one_bit(low, high, bits):
    frame = table(squeezed(low, high))
    row = frame.iloc[0]  # the most learned first
    assert row["parameter"] == "mmp_ki"
    assert row["learned"] == pytest.approx(bits, abs=0.005)
    assert row["narrowed"] == pytest.approx(1 - (high - low), abs=0.01)
    p = PARAMETERS["mmp_ki"]
    middle = p.a * (p.b / p.a) ** ((low + high) / 2)
    assert row["median"] == pytest.approx(middle, rel=0.05)
    assert row["low"] < row["median"] < row["high"]
    assert frame["learned"][1:].max() < 0.005


def test_few_particles_are_not_taken_for_knowledge():
    """The bias of an entropy of few points is taken off: of 200, its mean is below 0.02 bit."""
    frame = table(U[:200])
    assert frame["learned"].mean() < 0.02
    assert frame["learned"].max() < 0.1


def test_what_a_variant_fixes_is_not_told():
    priors = priors_of("monotonic")
    assert "mmp_ki" not in set(table(U, priors)["parameter"])
    assert "hgf_gain" in set(table(U, priors_of("hgf_only"))["parameter"])
