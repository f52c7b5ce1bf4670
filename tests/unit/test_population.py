"""Mice around the particles of a population: their spread, their keys, their correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial.cohort.between import vary
from nichetrial.cohort.population import POPULATION, read_population
from nichetrial.cohort.sample import PRIORS, Drawn, effective_share, sample
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.cohort.space import NAMES, mouse_key, parameters, plausible, priors_of
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import write

VARYING = [p.name for p in PARAMETERS.values() if p.cv > 0.0]
CONSTANT = [p.name for p in PARAMETERS.values() if p.cv == 0.0]
ALARM = 1e-6
"""Chance that one of these tests fails for a sound program under another seed, a parameter."""


def typical(n: int) -> np.ndarray:
    """Plausible points of the prior (n, NAMES), all different."""
    u = np.random.default_rng(5).uniform(0.02, 0.98, (40 * n, len(NAMES)))
    values = parameters(u, priors_of("full"))
    return values[plausible(values)][:n]


MANY = typical(60)


def around(particles: np.ndarray, mice, seed: int = 3, attempt: int = 0) -> np.ndarray:
    numbers = np.asarray(mice, np.int64)
    return vary(particles, seed=seed, mice=numbers, attempts=np.full_like(numbers, attempt))


# --- vary -----------------------------------------------------------------------------------------


def test_the_spread_is_log_normal_with_the_declared_cv_about_the_particle():
    n = 20_000
    mice = around(np.tile(MANY[0], (n, 1)), np.arange(n))
    assert len(VARYING) > 15
    scaled = []
    for name in VARYING:
        k, cv = NAMES.index(name), PARAMETERS[name].cv
        width = np.sqrt(np.log1p(cv**2))
        z = np.log(mice[:, k] / MANY[0, k]) / width
        assert stats.kstest(z, "norm").pvalue > ALARM, name
        # the median of n normal draws has a standard error of sqrt(pi / 2 n)
        assert abs(np.median(z)) < stats.norm.isf(ALARM / 2) * np.sqrt(np.pi / 2 / n), name
        assert mice[:, k].std() / mice[:, k].mean() == pytest.approx(cv, rel=0.05), name
        scaled.append(z)
    # all together tell the CV of a log-normal from the spread of its logarithm, 2 % apart
    whole = np.concatenate(scaled)
    assert abs(whole.std() - 1.0) < stats.norm.isf(ALARM / 2) / np.sqrt(2 * len(whole))


def test_what_belongs_to_molecules_is_that_of_the_particle_to_the_bit():
    mice = around(MANY, np.arange(len(MANY)))
    assert {"mmp_ki", "timp1_half_life", "cxcr4_kd"} <= set(CONSTANT)
    for name in CONSTANT:
        k = NAMES.index(name)
        assert mice[:, k].tobytes() == MANY[:, k].tobytes(), name
    for name in VARYING:
        k = NAMES.index(name)
        assert (mice[:, k] != MANY[:, k]).all(), name


def test_parameters_vary_independently_of_each_other_and_the_particles_are_left_alone():
    n = 4000
    whole = np.tile(MANY[0], (n, 1))
    before = whole.tobytes()
    z = np.log(around(whole, np.arange(n))[:, [NAMES.index(name) for name in VARYING]])
    assert whole.tobytes() == before
    r = np.corrcoef(z.T)[np.triu_indices(len(VARYING), 1)]
    assert np.abs(r).max() < stats.norm.isf(ALARM / 2) / np.sqrt(n)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 59), min_size=1, max_size=20))
def test_a_mouse_varies_alike_whoever_is_with_it(mice):
    whole = around(MANY, np.arange(len(MANY)))
    assert around(MANY[mice], mice).tobytes() == whole[mice].tobytes()


@settings(max_examples=30)
@given(one=st.integers(0, 59), other=st.integers(0, 59), mouse=st.integers(0, 10**6))
def test_the_factors_of_a_mouse_do_not_depend_on_its_particle(one, other, mouse):
    here = [NAMES.index(name) for name in VARYING]
    a, b = (around(MANY[[k]], [mouse])[0, here] / MANY[k, here] for k in (one, other))
    np.testing.assert_allclose(a, b, rtol=1e-14)


def test_seed_mouse_and_attempt_are_part_of_the_key():
    here = [NAMES.index(name) for name in VARYING]
    base = around(MANY[[0]], [1])[:, here]
    for changed in (
        around(MANY[[0]], [2]),
        around(MANY[[0]], [1], seed=4),
        around(MANY[[0]], [1], attempt=1),
    ):
        assert (changed[:, here] != base).all()


# --- particles and mice from a population -------------------------------------------------------


def draw(last: int, population=MANY, *, first=0, mice=1, **overrides: Distribution) -> Drawn:
    return sample(
        seed=7, first=first, last=last, mice=mice, overrides=overrides, population=population
    )


WHOLE = draw(199, mice=3)


@settings(max_examples=25)
@given(first=st.integers(0, 199), size=st.integers(1, 40))
def test_a_particle_does_not_depend_on_chunk_or_number_of_particles(first, size):
    last = min(199, first + size - 1)
    part = draw(last, first=first, mice=3)
    assert part.typical.to_numpy().tobytes() == WHOLE.typical[first : last + 1].to_numpy().tobytes()
    mice = WHOLE.mice[WHOLE.mice["particle"].between(first, last)]
    assert part.mice.to_numpy().tobytes() == mice.to_numpy().tobytes()


def test_particles_are_the_rows_in_one_order_each_once_as_far_as_they_reach():
    rows = WHOLE.typical["row"].to_numpy()
    assert sorted(rows[: len(MANY)]) == list(range(len(MANY)))
    assert (rows[: len(MANY)] != np.arange(len(MANY))).any()
    assert (rows == np.resize(rows[: len(MANY)], len(rows))).all()  # then again from the first
    assert (WHOLE.typical["attempts"] == 1).all()
    values = WHOLE.typical[list(NAMES)].to_numpy()
    assert values.tobytes() == MANY[rows].tobytes()
    other = sample(seed=8, first=0, last=59, mice=1, overrides={}, population=MANY)
    assert (other.typical["row"] == rows[:60]).all()  # in every study the same


def test_copies_among_the_particles_count_together():
    assert effective_share(WHOLE.typical[: len(MANY)]) == 1.0
    assert effective_share(WHOLE.typical[:120]) == pytest.approx(0.5)


def test_a_mouse_is_its_particle_with_the_spread_of_its_key_and_attempt():
    tries = WHOLE.mice["attempts"].to_numpy(np.int64) - 1
    keys = mouse_key(WHOLE.mice["particle"].to_numpy(), WHOLE.mice["animal"].to_numpy())
    assert len(set(keys)) == len(keys)
    middle = WHOLE.typical[list(NAMES)].to_numpy()[WHOLE.mice["particle"]]
    expected = vary(middle, seed=7, mice=keys, attempts=tries)
    assert WHOLE.mice[list(NAMES)].to_numpy().tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["sdf1_basal", "mmp_ki", "tumour_growth"])
def test_an_override_replaces_exactly_its_parameter(name):
    distribution = Distribution(kind="log_uniform", a=0.5, b=5.0)
    changed = draw(199, mice=3, **{name: distribution})
    for one, other in ((changed.typical, WHOLE.typical), (changed.mice, WHOLE.mice)):
        others = [c for c in other.columns if c != name]
        assert one[others].equals(other[others])
        assert one[name].between(0.5, 5.0).all()
    u = np.log(changed.typical[name] / 0.5) / np.log(10.0)
    assert stats.kstest(u, "uniform").pvalue > ALARM
    # all mice of a particle have its value, and it is drawn as without a population: the same key
    assert (changed.mice.groupby("particle")[name].nunique() == 1).all()
    plain = draw(199, None, **{name: distribution}).typical
    once = plain["attempts"] == 1
    assert once.sum() > 60
    assert plain.loc[once, name].equals(changed.typical.loc[once, name])


def test_a_row_that_an_override_makes_implausible_is_replaced_by_another():
    narrow = Distribution(kind="fixed", a=float(MANY[:, NAMES.index("arrest_probability")].max()))
    middle = draw(59, arrest_probability=narrow).typical
    again = middle["attempts"] > 1
    assert plausible(middle[list(NAMES)].to_numpy()).all()
    assert (middle.loc[~again, "row"] == WHOLE.typical.loc[:59].loc[~again, "row"]).all()


def test_without_a_population_particles_come_from_the_priors():
    found = draw(49, None)
    assert (found.typical["row"] == PRIORS).all()
    p = PARAMETERS["mmp_ki"]
    assert found.typical["mmp_ki"].between(p.a, p.b).all()
    assert found.typical["mmp_ki"].nunique() == 50


def test_correlations_between_parameters_survive():
    """Two parameters in the same order over all particles, one of which differs between mice."""
    u = np.random.default_rng(2).uniform(0.02, 0.98, (20_000, len(NAMES)))
    a, b = NAMES.index("mmp_ki"), NAMES.index("cd63_ratio")
    c = NAMES.index("sdf1_induction")
    u[:, b] = u[:, c] = u[:, a]
    values = parameters(u, priors_of("full"))
    values = values[plausible(values)]
    mice = draw(999, values).mice
    assert stats.spearmanr(mice["mmp_ki"], mice["cd63_ratio"]).statistic == 1.0
    # between mice sdf1_induction varies by 30 %, over particles ten-fold
    inside = np.log1p(0.3**2)
    outside = np.var(np.log(values[:, c]))
    expected = np.sqrt(outside / (outside + inside))
    found = np.corrcoef(np.log(mice["mmp_ki"]), np.log(mice["sdf1_induction"]))[0, 1]
    assert found == pytest.approx(expected, abs=0.03)
    none = draw(999, None).typical
    assert abs(stats.spearmanr(none["mmp_ki"], none["sdf1_induction"]).statistic) < 0.2


def test_a_population_of_impossible_particles_ends_with_advice():
    bad = MANY[:3].copy()
    bad[:, NAMES.index("anti_ly6g_depth")] = 1.0
    with pytest.raises(UserError, match=r"no plausible mouse in 1000 draws.*every neutrophil"):
        draw(2, bad)


# --- files ----------------------------------------------------------------------------------------


def table(values: np.ndarray) -> pd.DataFrame:
    columns = dict(zip(NAMES, values.T, strict=True))
    return pd.DataFrame({"particle": np.arange(len(values)), **columns})


def test_a_population_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "population.parquet"
    write(table(MANY), path, POPULATION)
    assert read_population(path).tobytes() == MANY.tobytes()


def test_the_shipped_population_is_one_and_its_particles_are_typical_mice():
    particles = read_population(SHIPPED / "population.parquet")
    assert particles.shape[1] == len(NAMES)
    assert len(particles) >= 100
    assert np.isfinite(particles).all()
    assert plausible(particles).all()
    for k, p in enumerate(PARAMETERS.values()):
        if p.kind in ("uniform", "log_uniform"):
            inside = (particles[:, k] >= p.a * (1 - 1e-9)) & (particles[:, k] <= p.b * (1 + 1e-9))
            assert inside.all(), p.name
        if p.kind == "fixed":
            assert (particles[:, k] == p.a).all(), p.name


def _other_columns(path):
    table(MANY).drop(columns="mmp_ki").to_parquet(path)


def _other_order(path):
    table(MANY)[["particle", *reversed(NAMES)]].to_parquet(path)


def _empty(path):
    write(table(MANY[:0]), path, POPULATION)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, r"not a population \(FileNotFoundError\)"),
        (lambda path: path.write_text("mouse,mmp_ki\n1,2\n"), r"not a population \(ArrowInvalid\)"),
        (lambda path: path.write_bytes(b""), r"not a population \(ArrowInvalid\)"),
        (_other_columns, "another version of the model; calibrate again"),
        (_other_order, "another version of the model; calibrate again"),
        (_empty, "another version of the model; calibrate again"),
    ],
    ids=["missing", "text", "nothing in it", "a column less", "another order", "no particle"],
)
def test_what_is_no_population_is_told_with_its_place(make, told, tmp_path):
    path = tmp_path / "population.parquet"
    make(path)
    with pytest.raises(UserError, match=told) as caught:
        read_population(path)
    assert caught.value.place == str(path)
