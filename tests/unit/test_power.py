"""Mice needed: against closed cases, against a plain loop, and its promises."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nichetrial import tables
from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import sample
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.power import (
    DESIGN,
    MICE_NEEDED,
    POWER,
    Experiments,
    design,
    experiments,
    mice_needed,
    power,
)
from nichetrial.study.sections import Pair
from nichetrial.trial import experiments as simulated
from nichetrial.trial.simulate import simulate
from tests.support.mice import ARMS

E, N = 2000, 20
SIZES = tuple(range(4, N + 1))
X, Y = Pair(arm="x", reference="ref"), Pair(arm="y", reference="ref")
UP = {("x", "ref"): 1, ("y", "ref"): 1}


def group(values: np.ndarray, status: np.ndarray | str = "finished") -> pd.DataFrame:
    """(experiments, animals) as a table; the values are all outcomes, none censored."""
    e, n = values.shape
    table = pd.DataFrame(
        {
            "experiment": np.repeat(np.arange(e), n),
            "animal": np.tile(np.arange(n), e),
            "foci": values.ravel(),
            "survival_days": np.minimum(values.ravel(), 1.0),
            "death_observed": values.ravel() < 1.0,
        }
    )
    return table.assign(status=status if isinstance(status, str) else status.ravel())


def normal(shift: float, seed: int, e: int = E, sd: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, sd, (e, N))


def done(
    groups, *, pairs=(X,), test="welch", outcome="foci", sizes=SIZES, directions=UP
) -> Experiments:
    return experiments(
        groups, pairs, outcome=outcome, test=test, sizes=sizes, directions=directions
    )


@pytest.fixture(scope="module")
def boot() -> Bootstrap:
    return Bootstrap(seed=1, n=E, resamples=300, interval=0.95)


@pytest.fixture(scope="module")
def shifted() -> Experiments:
    return done({"x": group(normal(1.0, 1)), "ref": group(normal(0.0, 2))})


def t_power(n: int, shift: float, alpha: float = 0.05) -> tuple[float, float]:
    """Chance of significance in the right and in the wrong direction, from the noncentral t."""
    df, far = 2 * (n - 1), shift * np.sqrt(n / 2)
    edge = stats.t.isf(alpha / 2, df)
    return float(stats.nct.sf(edge, df, far)), float(stats.nct.cdf(-edge, df, far))


def test_welch_has_the_power_of_the_noncentral_t(shifted):
    # at equal variances and sizes Welch's test is Student's but for a few degrees of freedom
    frame = power(shifted, alpha=0.05).set_index("n")
    for n in (8, 12, 16, 20):
        right, _ = t_power(n, 1.0)
        assert frame.loc[n, "chance"] == pytest.approx(right, abs=4 * frame.loc[n, "chance_error"])
    assert frame.loc[12, "chance_error"] == pytest.approx(
        np.sqrt(frame.loc[12, "chance"] * (1 - frame.loc[12, "chance"]) / E)
    )


def test_mice_needed_are_those_of_the_noncentral_t(shifted, boot):
    needed = min(n for n in SIZES if t_power(n, 1.0)[0] >= 0.8)
    row = mice_needed(shifted, alpha=0.05, correction="holm", target=0.8, bootstrap=boot).iloc[0]
    assert row["mice_low"] <= needed <= row["mice_high"]
    assert abs(row["mice"] - needed) <= 1
    assert row["written"].startswith(str(row["mice"]))


def test_an_effect_the_wrong_way_is_not_shown(shifted):
    down = done(
        {"x": group(normal(1.0, 1)), "ref": group(normal(0.0, 2))}, directions={("x", "ref"): -1}
    )
    right, wrong = power(shifted, alpha=0.05), power(down, alpha=0.05)
    np.testing.assert_array_equal(right["chance"], wrong["wrong"])
    np.testing.assert_array_equal(right["wrong"], wrong["chance"])
    none = power(
        done(
            {"x": group(normal(0.0, 1)), "ref": group(normal(0.0, 2))}, directions={("x", "ref"): 0}
        ),
        alpha=0.05,
    )
    assert (none["chance"] == 0).all()  # there is no effect to show: all that is shown is wrong
    assert none["wrong"].max() > 0.02


@pytest.mark.parametrize("test", ["welch", "mann_whitney", "log_rank"])
def test_without_an_effect_the_rate_is_alpha(test):
    outcome = "survival_days" if test == "log_rank" else "foci"
    frame = power(
        done(
            {"x": group(normal(0.0, 3)), "ref": group(normal(0.0, 4))},
            test=test,
            outcome=outcome,
            sizes=(4, 20),
        ),
        alpha=0.05,
    ).set_index("n")
    rate = frame["chance"] + frame["wrong"]
    error = np.sqrt(0.05 * 0.95 / E)
    assert rate[20] == pytest.approx(0.05, abs=4 * error + (0.01 if test == "log_rank" else 0.003))
    if test == "mann_whitney":  # of four against four only the two most extreme of 70 orders
        assert rate[4] == pytest.approx(2 / 70, abs=4 * np.sqrt(2 / 70 / E))


def test_complete_separation_shows_from_four_mice_on(boot):
    found = done({"x": group(normal(99.0, 1)), "ref": group(normal(0.0, 2))}, test="mann_whitney")
    assert (power(found, alpha=0.05)["chance"] == 1).all()
    row = mice_needed(found, alpha=0.05, correction="holm", target=0.8, bootstrap=boot).iloc[0]
    assert (row["mice"], row["mice_low"], row["mice_high"], row["written"]) == (4, 4, 4, "4")
    # 2/70 is not below 0.01: four mice can never show there
    strict = power(found, alpha=0.01).set_index("n")["chance"]
    assert strict[4] == 0
    assert strict[5] == 1


def test_counts_are_those_of_a_plain_loop():
    random = np.random.default_rng(5)
    values = {
        name: random.poisson(lam, (30, 6)).astype(float)
        for name, lam in (("x", 9), ("y", 7), ("ref", 4))
    }
    status = np.where(random.random((30, 6)) < 0.05, "step_limit", "finished")
    groups = {name: group(v, status if name == "x" else "finished") for name, v in values.items()}
    found = done(groups, pairs=(X, Y), test="mann_whitney", sizes=(4, 6))
    alone, whole = power(found, alpha=0.05), design(found, alpha=0.05, correction="bonferroni")
    for n in (4, 6):
        complete = (status[:, :n] == "finished").all(axis=1)
        kept = {"x": complete, "y": np.ones(30, bool)}
        p = {
            name: np.array(
                [
                    stats.mannwhitneyu(a[:n], b[:n]).pvalue
                    for a, b in zip(values[name], values["ref"], strict=True)
                ]
            )
            for name in ("x", "y")
        }
        higher = {
            name: np.array(
                [
                    stats.mannwhitneyu(a[:n], b[:n]).statistic > n * n / 2
                    for a, b in zip(values[name], values["ref"], strict=True)
                ]
            )
            for name in ("x", "y")
        }
        for name in ("x", "y"):
            row = alone[(alone["arm"] == name) & (alone["n"] == n)].iloc[0]
            assert row["experiments"] == kept[name].sum()
            assert row["dropped"] == 30 - kept[name].sum()
            assert row["chance"] == pytest.approx(
                ((p[name] < 0.05) & higher[name])[kept[name]].mean()
            )
        both = np.column_stack([(p[m] * 2 < 0.05) & higher[m] for m in ("x", "y")])[complete]
        row = whole[whole["n"] == n].iloc[0]
        assert row["all_show"] == pytest.approx(both.all(axis=1).mean())
        assert row["any_shows"] == pytest.approx(both.any(axis=1).mean())
        assert row["expected"] == pytest.approx(both.sum(axis=1).mean())
        assert row["experiments"] == complete.sum()


def test_a_design_needs_more_mice_than_its_comparisons(boot):
    groups = {"x": group(normal(1.2, 1)), "y": group(normal(1.1, 2)), "ref": group(normal(0.0, 3))}
    found = done(groups, pairs=(X, Y), test="mann_whitney")
    rows = mice_needed(found, alpha=0.05, correction="holm", target=0.8, bootstrap=boot)
    assert rows["arm"].tolist() == ["x", "y", ""]
    assert rows["mice"].iloc[2] > rows["mice"].iloc[:2].max()
    frames = [design(found, alpha=0.05, correction=c) for c in ("none", "holm", "bonferroni")]
    for looser, stricter in pairwise(frames):
        for column in ("all_show", "any_shows", "expected"):
            assert (looser[column] >= stricter[column]).all()
    for frame in frames:
        assert (frame["all_show"] <= frame["any_shows"]).all()
        assert (frame["expected"] <= 2 * frame["any_shows"] + 1e-12).all()


def test_a_chance_that_is_not_reached_is_said_in_words(boot, tmp_path):
    found = done({"x": group(normal(0.1, 1)), "ref": group(normal(0.0, 2))}, pairs=(X, Y))
    frame = mice_needed(found, alpha=0.05, correction="holm", target=0.8, bootstrap=boot)
    assert frame["mice"].isna().all()
    assert frame["written"].tolist() == [
        "more than 20",
        "not known: no experiment without a failure",
        "not known: no experiment without a failure",
    ]
    assert frame["chance_at_largest"].iloc[0] < 0.2
    for name, table, schema in (
        ("needed", frame, MICE_NEEDED),
        ("power", power(found, alpha=0.05), POWER),
        ("design", design(found, alpha=0.05, correction="holm"), DESIGN),
    ):
        tables.write(table, tmp_path / f"{name}.parquet", schema)
    missing = power(found, alpha=0.05)
    missing = missing[missing["arm"] == "y"]
    assert missing["chance"].isna().all()
    assert (missing["dropped"] == E).all()


def test_unknown_parameters_set_a_limit_that_no_number_of_mice_passes():
    """Half of the particles have the effect and half have none."""
    real = np.repeat([3.0, 0.0], E // 2)[:, None]
    found = done({"x": group(normal(0.0, 1) + real), "ref": group(normal(0.0, 2))})
    chance = power(found, alpha=0.05).set_index("n")["chance"]
    assert chance[20] == pytest.approx(0.5 + 0.025 / 2, abs=0.02)
    assert chance[8] == pytest.approx(chance[20], abs=0.02)


def test_what_does_not_fit_is_refused():
    groups = {"x": group(normal(0.0, 1, e=3)), "ref": group(normal(0.0, 2, e=3))}
    with pytest.raises(ValueError, match="log_rank is for"):
        done(groups, test="log_rank")
    with pytest.raises(ValueError, match="unknown test"):
        done(groups, test="t")
    with pytest.raises(ValueError, match="too few animals"):
        done(groups, sizes=(21,))
    with pytest.raises(ValueError, match="differ in their experiments"):
        done(groups | {"ref": group(normal(0.0, 2, e=4))})
    with pytest.raises(ValueError, match="number of animals"):
        done(groups | {"ref": groups["ref"].iloc[1:]})
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in groups.items()}
    np.testing.assert_array_equal(done(groups).p, done(shuffled).p)


def test_assurance_against_a_plain_loop():
    """Four experiments in each of 300 particles, which differ in size and direction of the effect;
    errors over particles, in which experiments are alike."""
    rng = np.random.default_rng(3)
    particles = np.arange(1200) % 300
    effect = rng.normal(0.6, 0.8, 300)
    x, ref = normal(0.0, 4, 1200) + effect[particles][:, None], normal(0.0, 5, 1200)
    sign = np.sign(effect).astype(np.int64)
    found = experiments(
        {"x": group(x), "ref": group(ref)},
        (X,),
        outcome="foci",
        test="welch",
        sizes=(8, 20),
        directions={("x", "ref"): sign[particles]},
        particles=particles,
    )
    row = power(found, alpha=0.05).set_index("n").loc[8]
    right, wrong = np.zeros(300), np.zeros(300)
    for k, particle in enumerate(particles):
        test = stats.ttest_ind(x[k, :8], ref[k, :8], equal_var=False)
        if test.pvalue < 0.05:
            (right if np.sign(test.statistic) == sign[particle] else wrong)[particle] += 1 / 4
    assert row["chance"] == pytest.approx(right.mean())
    assert row["wrong"] == pytest.approx(wrong.mean())
    assert row["chance_error"] == pytest.approx(right.std() / np.sqrt(300))
    assert row["chance_error"] > 1.3 * np.sqrt(row["chance"] * (1 - row["chance"]) / 1200)
    assert row["direction"] == 1
    over = Bootstrap(seed=1, n=300, resamples=300, interval=0.95)
    needed = mice_needed(found, alpha=0.05, correction="none", target=0.5, bootstrap=over)
    assert len(needed) == 2


def test_experiments_are_done_on_the_particles_of_the_cohort_with_fresh_mice():
    population = particles_of("calibrated")
    given = {"seed": 5, "overrides": {}, "population": population}
    table = simulated.groups(ARMS["amd3100"], experiments=14, particles=6, size=3, **given)
    numbers = table.groupby("experiment")["particle"]
    assert (numbers.first() == np.arange(14) % 6).all()
    assert (numbers.nunique() == 1).all()
    assert not table.duplicated(["particle", "animal"]).any()
    cohort = sample(first=0, last=5, mice=60, **given)
    done = simulate(ARMS["amd3100"], cohort.mice, seed=5).outcomes
    # a basal level that no drug changes: near that of its particle, and of no mouse of the cohort
    middle = done.groupby("particle")["blood_neutrophils"].median()
    apart = np.log(table["blood_neutrophils"].to_numpy() / middle[table["particle"]].to_numpy())
    others = np.log(table["blood_neutrophils"].to_numpy()[:, None] / middle.to_numpy())
    assert np.abs(apart).mean() < np.abs(others).mean()
    assert not set(table["timp1"]) & set(done["timp1"])
    fewer = simulated.groups(ARMS["amd3100"], experiments=7, particles=6, size=3, **given)
    assert table[: len(fewer)].equals(fewer)
