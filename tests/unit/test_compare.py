"""Paired comparison: by hand, against scipy's bootstrap, and its promises."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nichetrial.cohort.sample import sample
from nichetrial.compare.bootstrap import BATCHES, Bootstrap
from nichetrial.compare.combinations import combinations
from nichetrial.compare.over_particles import particles
from nichetrial.compare.pooled import OUTCOME_UNITS, pooled_effects
from nichetrial.compare.unknowns import unknowns
from nichetrial.study.resolved import CohortSpec, ComparisonSpec, ResolvedStudy
from nichetrial.study.sections import (
    CalibrationSpec,
    Combination,
    FigureSpec,
    Pair,
    PowerSpec,
    TrackingSpec,
)
from nichetrial.trial.simulate import simulate
from tests.support.mice import ARMS, SEED, nested

N = 200


def spec(*pairs: tuple[str, str], combos: tuple[Combination, ...] = ()) -> ComparisonSpec:
    return ComparisonSpec(
        reference="ref",
        pairs=tuple(Pair(arm=a, reference=b) for a, b in pairs),
        combinations=combos,
        responder=0.5,
        relevant=0.2,
        interval=0.95,
        resamples=2000,
    )


def table(foci, status="finished") -> pd.DataFrame:
    """One mouse of each particle."""
    return nested(np.asarray(foci)[:, None], status)


@pytest.fixture(scope="module")
def boot() -> Bootstrap:
    return Bootstrap(seed=1, n=N, resamples=2000, interval=0.95)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    b = rng.poisson(rng.lognormal(3, 1, N)) + 1
    return rng.binomial(b, 0.4), b


def one(frame: pd.DataFrame, outcome: str = "foci") -> pd.Series:
    return frame[frame["outcome"] == outcome].iloc[0]


def test_effect_by_hand(boot, pair):
    a, b = pair
    row = one(pooled_effects({"x": table(a), "ref": table(b)}, spec(("x", "ref")), N, boot))
    assert row["mean_arm"] == a.mean()
    assert row["pooled_ratio"] == pytest.approx(a.mean() / b.mean())
    assert row["pooled_difference"] == pytest.approx((a - b).mean())
    assert row["responders"] == (a <= 0.5 * b).mean()
    assert row["variance_saved"] == pytest.approx(1 - np.var(a - b) / (np.var(a) + np.var(b)))
    assert row["n"] == N
    assert row["failures"] == 0


def test_intervals_against_scipy(boot, pair):
    a, b = pair
    row = one(pooled_effects({"x": table(a), "ref": table(b)}, spec(("x", "ref")), N, boot))
    for low, high, statistic in (
        ("pooled_ratio_low", "pooled_ratio_high", lambda x, y, axis: x.mean(axis) / y.mean(axis)),
        ("pooled_difference_low", "pooled_difference_high", lambda x, y, axis: (x - y).mean(axis)),
    ):
        peer = stats.bootstrap(
            (a, b), statistic, paired=True, method="percentile", n_resamples=9999, rng=2
        ).confidence_interval
        width = peer.high - peer.low
        assert row[low] == pytest.approx(peer.low, abs=0.1 * width)
        assert row[high] == pytest.approx(peer.high, abs=0.1 * width)


def test_all_mice_of_a_particle_are_drawn_together():
    """So the interval is that of the particles, however many mice each of them has."""
    means = np.random.default_rng(1).lognormal(0, 1, N)
    boot = Bootstrap(seed=1, n=N, resamples=500, interval=0.95)
    one = boot.means(means[:, None], np.ones(N, bool))
    many = boot.means(np.repeat(means, 5)[:, None], np.ones(5 * N, bool))
    assert many == pytest.approx(one)
    with pytest.raises(ValueError, match="mice are not those"):
        boot.means(means[:-1, None], np.ones(N - 1, bool))


def test_batches_of_particles_give_the_interval_of_the_mean():
    n = 3 * BATCHES
    x = np.random.default_rng(1).lognormal(0, 1, n)
    many = Bootstrap(seed=1, n=n, resamples=500, interval=0.95)
    low, high = many.bounds(many.means(x[:, None], np.ones(n, bool))[:, 0])
    half = 1.96 * x.std() / np.sqrt(n)
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)


def test_a_treatment_without_effect_gives_exactly_zero(boot, pair):
    _, b = pair
    frame = pooled_effects({"x": table(b), "ref": table(b)}, spec(("x", "ref")), N, boot)
    zero = frame[[f"pooled_difference{end}" for end in ("", "_low", "_high")]].to_numpy()
    assert (zero == 0.0).all()
    assert (frame[[f"pooled_ratio{end}" for end in ("", "_low", "_high")]].to_numpy() == 1.0).all()
    assert one(frame)["variance_saved"] == 1.0


def test_failures_leave_pairs_out_and_missing_arms_stay_visible(boot, pair):
    a, b = pair
    status = np.where(np.arange(N) < 7, "not_finite", "finished")
    broken = table(a, status).astype({"foci": float})
    broken.loc[:6, "expected_foci"] = np.nan
    frame = pooled_effects(
        {"x": broken, "ref": table(b)}, spec(("x", "ref"), ("gone", "ref")), N, boot
    )
    row = one(frame, "expected_foci")
    assert (row["n"], row["failures"]) == (N - 7, 7)
    assert row["pooled_ratio"] == pytest.approx(a[7:].mean() / b[7:].mean())
    assert row["pooled_ratio_low"] < row["pooled_ratio"] < row["pooled_ratio_high"]
    gone = frame[frame["arm"] == "gone"]
    assert len(gone) == len(OUTCOME_UNITS)
    assert (gone["failures"] == N).all()
    assert gone["pooled_ratio"].isna().all()


def test_reference_without_foci_has_no_ratio(boot):
    none = table(np.zeros(N))
    row = one(pooled_effects({"x": none, "ref": none}, spec(("x", "ref")), N, boot))
    assert np.isnan(row["pooled_ratio"])
    assert np.isnan(row["responders"])
    assert row["pooled_difference"] == 0.0


def test_bliss_and_hsa_by_hand(boot):
    foci = {"ref": 100, "a": 50, "b": 40, "ab": 10}
    outcomes = {name: nested(np.full((N, 2), count)) for name, count in foci.items()}
    named = spec(combos=(Combination(arm="ab", of=("a", "b")),))
    frame = combinations(outcomes, named, boot).set_index("null_model")
    assert frame.loc["bliss", "pooled_expected"] == pytest.approx(0.2)
    assert frame.loc["hsa", "pooled_excess_high"] == pytest.approx(-0.3)
    for null, excess in (("bliss", -0.1), ("hsa", -0.3)):
        row = frame.loc[null]
        assert row["excess"] == row["excess_high"] == pytest.approx(excess)
        assert row["pooled_excess"] == pytest.approx(excess)
        assert (row["p_better"], row["particles"]) == (1.0, N)
    assert list(frame["decides"]) == [True, False]
    named = (Combination(arm="ab", of=("a", "b"), null="hsa"),)
    first = combinations(outcomes, spec(combos=named), boot).iloc[0]
    assert (first["null_model"], first["decides"]) == ("hsa", True)


def test_unknown_parameter_that_decides_is_found():
    found = sample(seed=SEED, first=0, last=149, mice=2, overrides={})
    mice, typical = found.mice, found.typical
    names = ("untreated", "timp1_high", "anti_ly6g")
    outcomes = {name: simulate(ARMS[name], mice, seed=SEED).outcomes for name in names}
    study = trial(names, spec(("timp1_high", "untreated"), ("anti_ly6g", "timp1_high")))
    means = particles(outcomes)
    frame = unknowns(means, typical, study).set_index(["arm", "parameter"])
    ki = frame.loc[("timp1_high", "mmp_ki")]
    assert ki["low"] > 0  # TIMP-1 helps metastasis more where it inhibits protease less
    assert ki["ratio_highest_third"] > ki["ratio_lowest_third"]
    foci = {name: t["expected_foci"].to_numpy() for name, t in means.groupby("arm")}
    peer = stats.spearmanr(typical["mmp_ki"], foci["timp1_high"] / foci["untreated"]).statistic
    assert ki["spearman"] == pytest.approx(peer, abs=1e-3)
    # what cannot act in a pair is not said to matter in it
    assert not frame.loc["timp1_high"].index.str.startswith(("anti_", "amd3100", "tumour")).any()
    depleted = set(frame.loc["anti_ly6g"].index)
    assert {"anti_ly6g_depth", "anti_ly6g_ec50", "antibody_half_life"} <= depleted
    assert not depleted & {"anti_ly6g_murinised_depth", "amd3100_ic50", "tumour_growth"}


def trial(names, comparisons: ComparisonSpec) -> ResolvedStudy:
    return ResolvedStudy(
        name="s",
        title="s",
        question="",
        seed=SEED,
        cohort=CohortSpec(particles=150, mice_per_particle=2, chunk=300, overrides={}),
        arms=tuple(ARMS[n] for n in names),
        dose_curve=(),
        comparisons=comparisons,
        experiment=ARMS["timp1_high"],
        calibration=CalibrationSpec(variants=("full",)),
        power=PowerSpec(),
        figures=FigureSpec(formats=("png",), dpi=72),
        tracking=TrackingSpec(experiment="s"),
    )


@pytest.mark.slow
def test_bytes_do_not_depend_on_threads_of_blas():
    code = (
        "import numpy as np, hashlib\n"
        "from nichetrial.compare.bootstrap import Bootstrap\n"
        "x = np.random.default_rng(0).lognormal(3, 1, (1000, 24))\n"
        "b = Bootstrap(seed=1, n=1000, resamples=2000, interval=0.95)\n"
        "m = b.means(x, np.ones(1000, bool))\n"
        "print(hashlib.sha256(m.tobytes()).hexdigest())\n"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(prints) == 1


@pytest.mark.parametrize(("share", "after", "before"), [(0.9, 1, 10), (0.8, 1, 5), (0.5, 1, 2)])
def test_a_fall_by_exactly_the_share_is_a_response(boot, share, after, before):
    exact = spec(("x", "ref")).model_copy(update={"responder": share})
    tables = {"x": table(np.full(N, after)), "ref": table(np.full(N, before))}
    assert one(pooled_effects(tables, exact, N, boot))["responders"] == 1.0
