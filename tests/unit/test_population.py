"""Mice around the particles of a population: their spread, their keys, their correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial.cohort.between import vary
from nichetrial.cohort.plausibility import first_reason
from nichetrial.cohort.population import POPULATION, read_population
from nichetrial.cohort.sample import NO_PARTICLE, sample
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.cohort.space import NAMES, parameters, plausible, priors_of
from nichetrial.engine.philox import purpose, uniforms
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


# --- mice from a population -----------------------------------------------------------------------


def draw(first: int, last: int, population=MANY, **overrides: Distribution) -> pd.DataFrame:
    return sample(seed=7, first=first, last=last, overrides=overrides, population=population)[0]


WHOLE = draw(0, 999)


@settings(max_examples=25)
@given(first=st.integers(0, 999), size=st.integers(1, 40))
def test_a_mouse_does_not_depend_on_chunk_or_number_of_mice(first, size):
    last = min(999, first + size - 1)
    part = draw(first, last)
    assert part.to_numpy().tobytes() == WHOLE.iloc[first : last + 1].to_numpy().tobytes()


def test_all_mice_are_plausible_and_rejections_are_counted():
    frame, rejected = sample(seed=7, first=0, last=999, overrides={}, population=MANY)
    assert (first_reason({n: frame[n].to_numpy() for n in PARAMETERS}) == -1).all()
    assert sum(rejected.values()) == (frame["attempts"] - 1).sum() > 0


def test_the_particle_of_each_mouse_is_told_and_every_particle_has_its_chance():
    mice = WHOLE.to_numpy()[:, -len(NAMES) :]
    particle = WHOLE["particle"].to_numpy()
    for name in CONSTANT:
        k = NAMES.index(name)
        assert mice[:, k].tobytes() == MANY[particle, k].tobytes()
    n = 6000
    many = np.tile(MANY[[0]], (8, 1))  # of equal particles none is rejected more often
    counts = np.bincount(draw(0, n - 1, many)["particle"], minlength=8)
    assert stats.chisquare(counts).pvalue > ALARM


def test_a_mouse_is_its_particle_with_the_spread_of_its_number_and_attempt():
    frame = WHOLE.iloc[:200]
    tries = frame["attempts"].to_numpy(np.int64) - 1
    u = uniforms(np.uint64(7), 0, frame["mouse"].to_numpy(), purpose("particle"), tries)
    assert (tries > 0).any()  # another attempt is another particle
    assert (frame["particle"] == (u * len(MANY)).astype(int)).all()
    expected = vary(MANY[frame["particle"]], seed=7, mice=frame["mouse"].to_numpy(), attempts=tries)
    assert frame[list(NAMES)].to_numpy().tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["sdf1_basal", "mmp_ki", "tumour_growth"])
def test_an_override_replaces_exactly_its_parameter(name):
    distribution = Distribution(kind="log_uniform", a=0.5, b=5.0)
    changed = draw(0, 299, **{name: distribution})
    others = [c for c in WHOLE.columns if c != name]
    assert changed[others].equals(WHOLE.loc[:299, others])
    assert changed[name].between(0.5, 5.0).all()
    u = np.log(changed[name] / 0.5) / np.log(10.0)
    assert stats.kstest(u, "uniform").pvalue > ALARM
    # drawn as without a population: the same key
    plain = sample(seed=7, first=0, last=299, overrides={name: distribution})[0]
    once = (plain["attempts"] == 1) & (changed["attempts"] == 1)
    assert once.sum() > 100
    assert plain.loc[once, name].equals(changed.loc[once, name])


def test_without_a_population_mice_come_from_the_priors_and_have_no_particle():
    frame = sample(seed=7, first=0, last=49, overrides={})[0]
    assert (frame["particle"] == NO_PARTICLE).all()
    assert (WHOLE["particle"] >= 0).all()
    p = PARAMETERS["mmp_ki"]
    assert frame["mmp_ki"].between(p.a, p.b).all()
    assert frame["mmp_ki"].nunique() == 50


def test_correlations_between_parameters_survive():
    """Two parameters in the same order over all particles, one of which differs between mice."""
    u = np.random.default_rng(2).uniform(0.02, 0.98, (20_000, len(NAMES)))
    a, b = NAMES.index("mmp_ki"), NAMES.index("cd63_ratio")
    c = NAMES.index("sdf1_induction")
    u[:, b] = u[:, c] = u[:, a]
    values = parameters(u, priors_of("full"))
    values = values[plausible(values)]
    mice = draw(0, 999, values)
    assert stats.spearmanr(mice["mmp_ki"], mice["cd63_ratio"]).statistic == 1.0
    # between mice sdf1_induction varies by 30 %, over particles ten-fold
    inside = np.log1p(0.3**2)
    outside = np.var(np.log(values[:, c]))
    expected = np.sqrt(outside / (outside + inside))
    found = np.corrcoef(np.log(mice["mmp_ki"]), np.log(mice["sdf1_induction"]))[0, 1]
    assert found == pytest.approx(expected, abs=0.03)
    none = sample(seed=7, first=0, last=999, overrides={})[0]
    assert abs(stats.spearmanr(none["mmp_ki"], none["sdf1_induction"]).statistic) < 0.2


def test_a_population_of_impossible_particles_ends_with_advice():
    bad = MANY[:3].copy()
    bad[:, NAMES.index("anti_ly6g_depth")] = 1.0
    with pytest.raises(UserError, match=r"no plausible mouse in 1000 draws.*every neutrophil"):
        draw(0, 2, bad)


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
