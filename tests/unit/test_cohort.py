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
from nichetrial.cohort.sample import BEYOND, SCHEMA, sample
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import read, units, write
from tests.support.broken_studies import SOUND

WHOLE = sample(seed=7, first=0, last=299, overrides={})[0]


@settings(max_examples=25)
@given(first=st.integers(0, 299), size=st.integers(1, 40))
def test_a_mouse_does_not_depend_on_chunk_or_number_of_mice(first, size):
    last = min(299, first + size - 1)
    part = sample(seed=7, first=first, last=last, overrides={})[0]
    assert part.to_numpy().tobytes() == WHOLE.iloc[first : last + 1].to_numpy().tobytes()


def test_seed_and_parameter_are_part_of_the_key():
    other = sample(seed=8, first=0, last=299, overrides={})[0]
    free = [p.name for p in PARAMETERS.values() if p.kind != "fixed"]
    assert len(free) > 50
    for name in free:
        assert not (other[name] == WHOLE[name]).any()
        assert abs(stats.spearmanr(other[name], WHOLE[name]).statistic) < 0.25


def test_an_override_leaves_the_other_parameters_alone():
    overrides = {"sdf1_basal": Distribution(kind="fixed", a=2.0)}
    changed = sample(seed=7, first=0, last=299, overrides=overrides)[0]
    assert (changed["sdf1_basal"] == 2.0).all()
    others = [n for n in PARAMETERS if n != "sdf1_basal"]
    assert changed[others].equals(WHOLE[others])


def test_all_mice_are_plausible_and_rejections_have_reasons():
    frame, rejected = sample(seed=7, first=0, last=299, overrides={})
    assert (first_reason({n: frame[n].to_numpy() for n in PARAMETERS}) == -1).all()
    assert sum(rejected.values()) == (frame["attempts"] - 1).sum()
    assert set(rejected) <= set(RULES)


def test_no_draw_is_outside_its_physical_range():
    wide = {"niche_steepness": Distribution(kind="log_normal", a=4.0, b=3.0)}
    drawn, rejected = sample(seed=7, first=0, last=299, overrides=wide)
    assert drawn["niche_steepness"].between(0.2, 20).all()
    assert rejected[BEYOND] > 0


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda p: p.name)
def test_the_physical_range_holds_the_prior(parameter):
    p = parameter
    low, high = quantile(p.kind, p.a, p.b, np.array([1e-4, 1 - 1e-4]))
    assert p.lowest <= low <= high <= p.highest


def test_check_refuses_parameters_that_leave_no_mouse(tmp_path):
    study = tmp_path / "study.yaml"
    own = "  mice: 20\n  parameters: {niche_threshold: {fixed: 0.5}}\n"
    study.write_text(SOUND.replace("  mice: 20\n", own))
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", "check", str(study)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert f"cohort.parameters: {codes.NO_PLAUSIBLE_MOUSE} " in done.stderr


def test_impossible_priors_end_with_advice():
    overrides = {"niche_threshold": Distribution(kind="fixed", a=0.5)}
    with pytest.raises(UserError, match=r"no plausible mouse in 1000 draws.*half a niche"):
        sample(seed=1, first=0, last=2, overrides=overrides)


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
    mice = sample(seed=3, first=0, last=1999, overrides={})[0]
    for name in ("timp1_half_life", "sdf1_induction", "antibody_volume"):
        p = PARAMETERS[name]
        assert stats.kstest(mice[name], stats.loguniform(p.a, p.b).cdf).pvalue > 1e-4


def test_table_carries_units_and_refuses_another_shape(tmp_path):
    path = tmp_path / "mice.parquet"
    write(WHOLE, path, SCHEMA)
    assert read(path).equals(WHOLE)
    assert units(path)["timp1_basal"] == "nM"
    with pytest.raises(ValueError, match="columns do not match"):
        write(WHOLE.drop(columns="mouse"), tmp_path / "bad.parquet", SCHEMA)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["mice.parquet"]
