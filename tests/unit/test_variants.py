"""Each variant of the model is what its name says, in the model itself."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from nichetrial.cohort.between import vary
from nichetrial.cohort.space import NAMES, cohort_of, parameters, plausible, priors_of
from nichetrial.model.parameters import PARAMETERS
from nichetrial.model.variants import FULL, NEVER, VARIANTS
from nichetrial.study.resolved import Vector
from nichetrial.trial.simulate import simulate
from tests.support.mice import arm

N = 40
FOLDS = (10.0, 1e3, 1e5)


@cache
def typical(variant: str) -> np.ndarray:
    """The same points of the cube as mice of each variant (N, NAMES)."""
    u = np.random.default_rng(5).uniform(0.02, 0.98, (3000, len(NAMES)))
    full, mice = (parameters(u, priors_of(name)) for name in (FULL, variant))
    return mice[plausible(full) & plausible(mice)][:N]


def simulated(values: np.ndarray, fold: float = 1.0) -> pd.DataFrame:
    cohort = cohort_of(values)
    vector = Vector(fold=fold, onset=0.0)
    table = simulate(arm(name="a", vector=vector), cohort, seed=1).outcomes
    assert (table["status"] == "finished").all()
    return table


@cache
def of_variant(variant: str, fold: float) -> pd.DataFrame:
    return simulated(typical(variant), fold)


def ratio(variant: str, fold: float, outcome: str) -> np.ndarray:
    """At ``fold`` times basal TIMP-1 over basal."""
    return (of_variant(variant, fold)[outcome] / of_variant(variant, 1.0)[outcome]).to_numpy()


def with_values(values: np.ndarray, **changes: float) -> np.ndarray:
    changed = values.copy()
    for name, value in changes.items():
        changed[:, NAMES.index(name)] = value
    return changed


def test_the_full_model_has_the_priors_of_the_table_and_is_the_first():
    assert next(iter(VARIANTS)) == FULL
    assert priors_of(FULL) == {p.name: (p.kind, p.a, p.b) for p in PARAMETERS.values()}
    assert all(name == v.name and v.meaning for name, v in VARIANTS.items())
    assert len({v.meaning for v in VARIANTS.values()}) == len(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_priors_and_no_other(variant):
    full, own = priors_of(FULL), priors_of(variant)
    assert list(own) == list(full)
    assert {k for k in own if own[k] != full[k]} == set(VARIANTS[variant].priors)
    assert variant == FULL or own != full


def test_an_unknown_variant_is_refused():
    with pytest.raises(KeyError):
        priors_of("fulll")


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_taken_out_does_not_come_back_between_mice(variant):
    values = typical(variant)
    mice = vary(
        values, seed=1, mice=np.arange(len(values)), attempts=np.zeros(len(values), np.int64)
    )
    for name, (kind, a, _) in VARIANTS[variant].priors.items():
        if kind == "fixed":
            assert (mice[:, NAMES.index(name)] == a).all()


# --- the control: in the full model each mechanism acts -------------------------------------------


def test_in_the_full_model_all_mechanisms_act():
    assert (ratio(FULL, 10.0, "sdf1") > 1.05).all()
    assert (ratio(FULL, 10.0, "blood_neutrophils") > 1.0005).all()
    assert (ratio(FULL, 10.0, "niche") > 1.02).all()
    foci = ratio(FULL, 10.0, "expected_foci")
    assert (foci > 1.0).any()
    assert (foci < 1.0).any()
    for name, value in (("niche_threshold", 4.0), ("niche_half_time", 0.2)):
        other = simulated(with_values(typical(FULL), **{name: value}), 10.0)
        changed = other["expected_foci"] / of_variant(FULL, 10.0)["expected_foci"]
        assert (changed - 1.0).abs().max() > 0.05
    assert len(foci) == N


# --- the variants ---------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["no_niche", "hgf_only"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("niche_threshold", 4.0), ("niche_steepness", 1.0), ("niche_half_time", 0.2)],
)
def test_without_a_niche_its_parameters_have_no_influence(variant, name, value):
    other = simulated(with_values(typical(variant), **{name: value}), 10.0)
    assert (other["niche"] != of_variant(variant, 10.0)["niche"]).any()
    np.testing.assert_allclose(
        other["expected_foci"], of_variant(variant, 10.0)["expected_foci"], rtol=1e-4
    )


def test_without_a_niche_neutrophils_only_bring_protease():
    """If they bring none, more TIMP-1 can only protect."""
    values = with_values(typical("no_niche"), neutrophil_protease_share=0.0)
    basal = simulated(values)["expected_foci"]
    before = basal
    for fold in FOLDS:
        foci = simulated(values, fold)["expected_foci"]
        assert (foci < before).all()
        before = foci


def test_hgf_signals_in_the_place_of_the_niche():
    assert "hgf_gain" in VARIANTS["hgf_only"].priors
    without = with_values(typical("hgf_only"), hgf_gain=0.0)
    np.testing.assert_allclose(without, with_values(typical("no_niche"), hgf_gain=0.0))
    # founding at basal TIMP-1 is that of the mouse, however strong the signal
    np.testing.assert_allclose(
        of_variant("hgf_only", 1.0)["expected_foci"], simulated(without)["expected_foci"], rtol=1e-3
    )
    for fold in FOLDS:
        with_hgf = ratio("hgf_only", fold, "expected_foci")
        assert (with_hgf > 1.01 * ratio("no_niche", fold, "expected_foci")).all()


def test_homing_only_makes_no_more_neutrophils():
    for fold in FOLDS:
        blood = of_variant("homing_only", fold)["blood_neutrophils"]
        np.testing.assert_allclose(blood, 1.0, rtol=1e-9)
        assert (ratio("homing_only", fold, "liver_neutrophils") > 1.02).all()


def test_supply_only_makes_more_neutrophils_and_no_more_sdf1():
    """TIMP-1 still spares SDF-1 from proteases; where they do not take it, there is no more."""
    values = with_values(typical("supply_only"), sdf1_proteolysis=0.0)
    basal = simulated(values)
    for fold in FOLDS:
        high = simulated(values, fold)
        np.testing.assert_allclose(high["sdf1"], basal["sdf1"], rtol=1e-9)
        assert (high["blood_neutrophils"] > 1.0005 * basal["blood_neutrophils"]).all()
        assert (high["liver_neutrophils"] > basal["liver_neutrophils"]).all()
    full = simulated(with_values(typical(FULL), sdf1_proteolysis=0.0), 10.0)
    assert (full["sdf1"] > 1.05 * basal["sdf1"]).all()


def test_monotonic_no_fold_lowers_free_protease():
    """And with it metastasis: the more TIMP-1, the more foci."""
    values = typical("monotonic")
    (kind, ki, _) = VARIANTS["monotonic"].priors["mmp_ki"]
    assert (kind, ki) == ("fixed", NEVER)
    own = values[:, NAMES.index("timp1_basal")]
    tissue = own * values[:, NAMES.index("timp1_tissue")]
    for fold in (*FOLDS, 1e8):
        protease = (1 + (own + tissue) / ki) / (1 + (fold * own + tissue) / ki)
        assert (protease > 1 - 1e-6).all()
    before = np.ones(N)
    for fold in (3.0, *FOLDS):
        now = ratio("monotonic", fold, "expected_foci")
        assert (now > before).all()
        before = now
    # what TIMP-1 does to proteases in the full model is enough to turn it
    assert (ratio(FULL, 1e5, "expected_foci") < ratio("monotonic", 1e5, "expected_foci")).all()
