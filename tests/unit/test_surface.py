"""Surfaces over the doses of two drugs: null models by hand, sham experiments, known synergy."""

from __future__ import annotations

import numpy as np
import pytest

from nichetrial.compare.hill import Hill
from nichetrial.compare.musyc import Musyc
from nichetrial.compare.surface import SURFACE, SYNERGY, loewe, surface
from tests.support.dose_curves import STUDY, mice

SWEEP = STUDY.sweep("surface")
A, B = np.array(SWEEP.points, dtype=float).T
FIRST, SECOND = Hill(1.0, 0.3, 2.0, 1.2), Hill(1.0, 0.3, 1.5, 0.9)


def judged(ratios, null: str = "loewe", noise: float = 0.0):
    sweep = SWEEP.model_copy(update={"null": null})
    table, answer = surface(mice(ratios, sweep, noise), sweep, "timp1_high")
    assert list(table) == list(SURFACE)
    assert list(answer) == list(SYNERGY)
    return table, answer.iloc[0]


def excess(table, null: str):
    rows = table[(table["null_model"] == null) & (table["dose_a"] > 0) & (table["dose_b"] > 0)]
    return rows["excess"].to_numpy()


def test_bliss_and_hsa_by_hand():
    ratios = np.where((A > 0) & (B > 0), 0.3, np.where(A > 0, 0.8, np.where(B > 0, 0.5, 1.0)))
    table, answer = judged(ratios, "bliss")
    np.testing.assert_allclose(excess(table, "bliss"), 0.3 - 0.4)
    np.testing.assert_allclose(excess(table, "hsa"), 0.3 - 0.5)
    assert answer.excess == pytest.approx(-0.1)
    assert answer.note.startswith("fewer foci than Bliss expects (synergy)")
    assert answer.p_better == 1.0
    alone = table[(table["dose_a"] == 0) | (table["dose_b"] == 0)]
    assert alone["expected"].isna().all()


def test_independent_drugs_are_as_expected_though_mice_share_their_sensitivity():
    """Bliss holds in each mouse; of the ratios of means it does not."""
    left = np.random.default_rng(1).uniform(0.1, 0.9, 40)
    tables = mice(np.ones(len(A)), SWEEP)
    for arm, a, b in zip(SWEEP.arms, A, B, strict=True):
        tables[arm.name]["expected_foci"] *= left ** (0.1 * (a + b))
    table, answer = surface(tables, SWEEP.model_copy(update={"null": "bliss"}), "timp1_high")
    assert (excess(table, "bliss") == 0.0).all()
    assert answer["p_better"].iloc[0] == 0.5


def test_a_drug_with_itself_has_no_excess_over_loewe():
    table, answer = judged(FIRST.at(A + B))
    np.testing.assert_allclose(excess(table, "loewe"), 0.0, atol=1e-6)
    assert answer.cells == answer.combined == 9
    assert excess(table, "bliss").max() > 0.01


def test_known_synergy_of_efficacy_and_potency_is_found():
    truth = Musyc(FIRST, SECOND, 0.1, 5.0, 0.5)
    _, answer = judged(truth.at(A, B), "musyc")
    assert answer.beta == pytest.approx(truth.beta, abs=1e-5)
    assert (answer.alpha12, answer.alpha21) == pytest.approx((5.0, 0.5), rel=1e-4)
    assert answer.residual < 1e-6


def test_loewe_ends_at_the_weaker_drug():
    weak = Hill(1.0, 0.7, 1.0, 1.0)
    assert np.isnan(loewe(FIRST, weak, 30.0, 1.0))
    assert 0.7 < loewe(FIRST, weak, 0.3, 0.1) < 1.0
    assert np.isnan(loewe(FIRST, Hill(1.0, 1.5, 1.0, 1.0), 1.0, 1.0))


def test_a_flat_drug_and_missing_arms_are_named():
    _, answer = judged(FIRST.at(A))
    assert "anti_ly6g alone changes nothing" in answer.note
    assert np.isnan(answer.beta)
    some = mice(FIRST.at(A + B), SWEEP)
    del some[SWEEP.arms[0].name]
    table, answer = surface(some, SWEEP, "timp1_high")
    assert answer["note"].iloc[0] == "the arm without both drugs is missing"
    assert table["excess"].isna().all()
    with pytest.raises(ValueError, match="not a grid"):
        surface({}, STUDY.sweep("dose"), "timp1_high")
    assert surface({}, SWEEP, "timp1_high")[0].empty
