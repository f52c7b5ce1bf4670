"""Virtual mice: keyed draws, plausibility, overrides."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial import codes
from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import RULES, first_reason
from nichetrial.cohort.sample import BEYOND, MICE, PRIORS, TYPICAL, Drawn, sample
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import read, units, write
from tests.support.broken_studies import SOUND


def drawn(last: int = 299, *, seed: int = 7, first: int = 0, mice: int = 1, **of: object) -> Drawn:
    """Of the priors, unless said."""
    return sample(seed=seed, first=first, last=last, mice=mice, overrides=of)  # type: ignore[arg-type]


WHOLE = drawn().typical


@settings(max_examples=25)
@given(first=st.integers(0, 299), size=st.integers(1, 20), mice=st.integers(1, 5))
def test_more_particles_and_more_mice_leave_the_others_as_they_are(first, size, mice):
    last = min(299, first + size - 1)
    part, more = drawn(last, first=first, mice=mice), drawn(last, first=first, mice=mice + 2)
    assert part.typical.to_numpy().tobytes() == WHOLE.iloc[first : last + 1].to_numpy().tobytes()
    kept = more.mice[more.mice["animal"] < mice]
    assert part.mice.to_numpy().tobytes() == kept.to_numpy().tobytes()
    places = list(zip(part.mice["particle"], part.mice["animal"], strict=True))
    assert places == [(k, i) for k in range(first, last + 1) for i in range(mice)]


def test_seed_and_parameter_are_part_of_the_key():
    other = drawn(seed=8).typical
    free = [p.name for p in PARAMETERS.values() if p.kind != "fixed"]
    assert len(free) > 50
    for name in free:
        assert not (other[name] == WHOLE[name]).any()
        assert abs(stats.spearmanr(other[name], WHOLE[name]).statistic) < 0.25


def test_an_override_leaves_the_other_parameters_alone():
    overrides = {"sdf1_basal": Distribution(kind="fixed", a=2.0)}
    changed = drawn(**overrides).typical
    assert (changed["sdf1_basal"] == 2.0).all()
    others = [n for n in PARAMETERS if n != "sdf1_basal"]
    assert changed[others].equals(WHOLE[others])


@pytest.mark.parametrize("between", [0.0, 0.25])
def test_mice_differ_in_an_overridden_parameter_by_what_the_study_says(between):
    own = Distribution(kind="uniform", a=1.0, b=3.0, between_mice=between)
    middle, mice, _ = drawn(39, mice=50, sdf1_basal=own)
    assert middle["sdf1_basal"].between(1.0, 3.0).all()
    assert middle["sdf1_basal"].nunique() == 40
    apart = np.log(mice["sdf1_basal"] / np.repeat(middle["sdf1_basal"].to_numpy(), 50))
    assert apart.std() == pytest.approx(np.sqrt(np.log1p(between**2)), rel=0.05)
    plain = drawn(39, mice=50).mice
    assert mice.loc[plain["attempts"] == mice["attempts"], "timp1_basal"].equals(
        plain.loc[plain["attempts"] == mice["attempts"], "timp1_basal"]
    )


def test_all_mice_are_plausible_and_rejections_have_reasons():
    middle, mice, rejected = drawn(mice=3)
    for frame in (middle, mice):
        assert (first_reason({n: frame[n].to_numpy() for n in PARAMETERS}) == -1).all()
    assert sum(rejected.values()) == sum((f["attempts"] - 1).sum() for f in (middle, mice))
    assert set(rejected) <= set(RULES)
    assert (middle["row"] == PRIORS).all()


def test_no_draw_is_outside_its_physical_range():
    wide = Distribution(kind="log_normal", a=4.0, b=3.0, between_mice=1.0)
    found = drawn(mice=2, niche_steepness=wide)
    for frame in (found.typical, found.mice):
        assert frame["niche_steepness"].between(0.2, 20).all()
    assert found.rejected[BEYOND] > 0


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda p: p.name)
def test_the_physical_range_holds_the_prior(parameter):
    p = parameter
    low, high = quantile(p.kind, p.a, p.b, np.array([1e-4, 1 - 1e-4]))
    assert p.lowest <= low <= high <= p.highest


def test_check_refuses_parameters_that_leave_no_mouse(tmp_path):
    study = tmp_path / "study.yaml"
    own = "  particles: 60\n  parameters: {niche_threshold: {fixed: 0.5}}\n"
    study.write_text(SOUND.replace("  particles: 60\n", own))
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", "check", str(study)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert f"cohort.parameters: {codes.NO_PLAUSIBLE_MOUSE} " in done.stderr


def test_impossible_priors_end_with_advice():
    overrides = {"niche_threshold": Distribution(kind="fixed", a=0.5)}
    with pytest.raises(UserError, match=r"no plausible mouse in 1000 draws.*half a niche"):
        drawn(2, **overrides)


@pytest.mark.parametrize(
    ("kind", "a", "b", "peer"),
    [
        ("uniform", 2.0, 5.0, stats.uniform(2, 3)),
        ("log_uniform", 0.1, 30.0, stats.loguniform(0.1, 30.0)),
        ("log_normal", 3.0, 0.5, stats.lognorm(np.sqrt(np.log1p(0.25)), scale=3.0)),
        ("beta", 0.025, 80.0, stats.beta(2.0, 78.0)),
    ],
)
def test_quantiles_against_scipy(kind, a, b, peer):
    u = np.linspace(0.001, 0.999, 101)
    np.testing.assert_allclose(quantile(kind, a, b, u), peer.ppf(u), rtol=1e-10)
    if kind == "log_normal":
        assert peer.std() / peer.mean() == pytest.approx(b)


def test_untouched_priors_have_their_distribution():
    particles = drawn(1999, seed=3).typical
    for name in ("timp1_half_life", "sdf1_induction", "antibody_volume"):
        p = PARAMETERS[name]
        assert stats.kstest(particles[name], stats.loguniform(p.a, p.b).cdf).pvalue > 1e-4


def test_table_carries_units_and_refuses_another_shape(tmp_path):
    path = tmp_path / "typical.parquet"
    write(WHOLE, path, TYPICAL)
    assert read(path).equals(WHOLE)
    assert units(path)["timp1_basal"] == "nM"
    for schema in (TYPICAL, MICE):
        with pytest.raises(ValueError, match="columns do not match"):
            write(WHOLE.drop(columns="row"), tmp_path / "bad.parquet", schema)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["typical.parquet"]
