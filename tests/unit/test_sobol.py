"""Sobol indices against closed forms, what they refuse, and what hangs on a parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nichetrial.cohort.space import NAMES, cohort_of, parameters, plausible, priors_of
from nichetrial.errors import UserError
from nichetrial.evidence.decisions import DECISIONS, MARGIN, MOST, decisions
from nichetrial.explore import sobol
from nichetrial.explore.sobol import SOBOL, indices, points, quantities
from nichetrial.model.parameters import PARAMETERS
from nichetrial.trial.simulate import simulate

FREE = ("mmp_ki", "cd63_ratio", "niche_gain")
ANGLES = {name: ("uniform", 0.0, 1.0) if name in FREE else ("fixed", 1.0, 0.0) for name in NAMES}
"""Priors of three free parameters, here uniform angles of Ishigami's function."""


def columns(design: np.ndarray) -> list[np.ndarray]:
    return [design[:, NAMES.index(name)] for name in FREE]


def ishigami(design: np.ndarray, a: float = 7.0, b: float = 0.1) -> np.ndarray:
    x, y, z = (np.pi * (2 * u - 1) for u in columns(design))
    return np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x)


def closed_form(a: float = 7.0, b: float = 0.1) -> tuple[list[float], list[float]]:
    """First and total indices (Ishigami and Homma 1990)."""
    one = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    two, both = a**2 / 8, 8 * b**2 * np.pi**8 / 225
    whole = one + two + both
    return [one / whole, two / whole, 0.0], [(one + both) / whole, two / whole, both / whole]


def test_ishigami_against_its_closed_form():
    design = points(ANGLES, seed=3, n=4096)
    assert design.shape == (4096 * 5, len(NAMES))
    frame = indices(ANGLES, {("a", ""): 5 + 3 * ishigami(design)}, seed=3)
    assert list(frame.columns) == list(SOBOL)
    assert list(frame["parameter"]) == [FREE[0], FREE[1], FREE[2]]  # the most important first
    first, total = closed_form()
    assert frame["first"].tolist() == pytest.approx(first, abs=0.02)
    assert frame["total"].tolist() == pytest.approx(total, abs=0.02)
    # the intervals that are told: 95 %, and none of six is off by three times as much
    assert ((frame["first"] - first).abs() < 3 * frame["first_conf"]).all()
    assert ((frame["total"] - total).abs() < 3 * frame["total_conf"]).all()
    assert (frame[["first_conf", "total_conf"]] < 0.1).all(axis=None)
    assert (frame["n"] == len(design)).all()


def test_of_a_sum_the_shares_are_those_of_the_variances():
    """Over all the model's priors: each parameter by its place under its own."""
    priors = priors_of("full")
    n = 256
    design = points(priors, seed=1, n=n)
    weights = {"mmp_ki": 3.0, "cd63_ratio": 2.0, "sdf1_half_life": 1.0}
    y = sum(
        w
        * np.log(design[:, NAMES.index(name)] / priors[name][1])
        / np.log(priors[name][2] / priors[name][1])
        for name, w in weights.items()
    )
    frame = indices(priors, {("a", "b"): y}, seed=1)
    whole = sum(w**2 for w in weights.values())
    assert list(frame["parameter"][:3]) == list(weights)
    expected = [w**2 / whole for w in weights.values()]
    assert frame["first"][:3].tolist() == pytest.approx(expected, abs=0.05)
    assert frame["total"][:3].tolist() == pytest.approx(expected, abs=0.05)
    assert (frame["total"][3:].abs() < 1e-12).all()
    free = [name for name in NAMES if priors[name][0] != "fixed"]
    assert sorted(frame["parameter"]) == sorted(free)
    assert len(design) == n * (len(free) + 2)
    assert frame["symbol"][0] == PARAMETERS["mmp_ki"].symbol


def test_the_design_covers_the_priors_and_keeps_what_is_fixed():
    priors = priors_of("monotonic")
    design = points(priors, seed=1, n=64)
    assert np.isfinite(design).all()
    for k, name in enumerate(NAMES):
        kind, a, b = priors[name]
        if kind == "fixed":
            assert (design[:, k] == a).all()
        elif kind in ("uniform", "log_uniform"):
            assert design[:, k].min() >= a * (1 - 1e-12)
            assert design[:, k].max() <= b * (1 + 1e-12)
            assert len(np.unique(design[:, k])) >= 64


def test_a_quantity_that_does_not_vary_has_no_rows():
    design = points(ANGLES, seed=3, n=64)
    values = {("still", ""): np.full(len(design), 2.5), ("a", ""): ishigami(design)}
    frame = indices(ANGLES, values, seed=3)
    assert set(frame["arm"]) == {"a"}
    none = indices(ANGLES, {("still", ""): np.zeros(len(design))}, seed=3)
    assert none.empty
    assert list(none.columns) == list(SOBOL)


def test_twice_the_same_and_with_another_seed_not():
    one, two = (points(ANGLES, seed=3, n=64) for _ in range(2))
    assert one.tobytes() == two.tobytes()
    assert points(ANGLES, seed=4, n=64).tobytes() != one.tobytes()
    frames = [indices(ANGLES, {("a", ""): ishigami(one)}, seed=3) for _ in range(2)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    other = indices(ANGLES, {("a", ""): ishigami(one)}, seed=4)
    assert (other["first_conf"] != frames[0]["first_conf"]).any()


def test_units_and_zero_of_a_quantity_do_not_matter():
    design = points(ANGLES, seed=3, n=128)
    y = ishigami(design)
    one, two = (indices(ANGLES, {("a", ""): v}, seed=3) for v in (y, 1e6 - 1e3 * y))
    np.testing.assert_allclose(one["total"], two["total"], atol=1e-9)


# --- simulations ----------------------------------------------------------------------------------


def typical(n: int) -> np.ndarray:
    u = np.random.default_rng(5).uniform(0.02, 0.98, (60 * n, len(NAMES)))
    values = parameters(u, priors_of("full"))
    return values[plausible(values)][:n]


def directly(study, name: str, mice: np.ndarray) -> np.ndarray:
    cohort = cohort_of(mice)
    return simulate(study.arm(name), cohort, seed=study.seed).outcomes["expected_foci"].to_numpy()


def test_quantities_by_a_direct_simulation(small_study):
    mice = typical(12)
    found = quantities(small_study, mice)
    pairs = [(p.arm, p.reference) for p in small_study.comparisons.pairs]
    assert list(found) == [("high", ""), *pairs]
    reference = directly(small_study, "high", mice)
    least = 0.01  # of a focus: mice with next to none must not rule the variance
    np.testing.assert_allclose(found["high", ""], np.log(reference + least))
    ratio = (directly(small_study, "both", mice) + least) / (reference + least)
    np.testing.assert_allclose(found["both", "high"], np.log(ratio))


def test_a_run_that_failed_is_refused(small_study, monkeypatch):
    def break_two(arm, cohort, *, seed):
        result = simulate(arm, cohort, seed=seed)
        if arm.name == "anti_ly6g":
            result.outcomes.loc[[1, 3], "status"] = ["step_limit", "not_finite"]
        return result

    monkeypatch.setattr(sobol, "simulate", break_two)
    with pytest.raises(UserError) as caught:
        quantities(small_study, typical(5))
    assert caught.value.place == "sobol"
    assert "2 of 5 runs in the arm anti_ly6g" in caught.value.message


def test_no_foci_at_all_are_no_infinity(small_study):
    mice = typical(3)
    mice[:, NAMES.index("outgrowth_probability")] = 0.0
    assert all(np.isfinite(y).all() for y in quantities(small_study, mice).values())


def test_what_decides_by_hand(small_study):
    mice = typical(30)
    table = pd.DataFrame(
        [
            {
                "arm": p.arm,
                "reference": p.reference,
                "parameter": name,
                "symbol": "s",
                "meaning": PARAMETERS[name].meaning,
                "trust": PARAMETERS[name].trust,
                "first": 0.0,
                "first_conf": 0.0,
                "total": 0.9 - 0.1 * k,
                "total_conf": 0.01,
                "n": 1,
            }
            for p in small_study.comparisons.pairs
            for k, name in enumerate([*FREE, "sdf1_half_life", "cxcr4_kd", "marrow_transit"])
        ]
    )
    frame = decisions(small_study, mice, table)
    assert list(frame.columns) == list(DECISIONS)
    assert len(frame) == MOST * len(small_study.comparisons.pairs)
    row = frame[(frame["arm"] == "amd3100") & (frame["parameter"] == "cd63_ratio")].iloc[0]
    a, b = directly(small_study, "amd3100", mice), directly(small_study, "high", mice)
    order = np.argsort(mice[:, NAMES.index("cd63_ratio")])
    low, high = (a[k].sum() / b[k].sum() for k in (order[:10], order[-10:]))
    assert row["ratio"] == pytest.approx(a.sum() / b.sum())
    assert row["ratio_lowest_third"] == pytest.approx(low)
    assert row["ratio_highest_third"] == pytest.approx(high)
    assert row["total"] == pytest.approx(0.8)
    thirds = frame[["ratio_lowest_third", "ratio_highest_third"]]
    flips = (thirds.min(axis=1) < 1 - MARGIN) & (thirds.max(axis=1) > 1 + MARGIN)
    assert (frame["flips"] == flips).all()
