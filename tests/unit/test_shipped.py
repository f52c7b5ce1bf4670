"""The population that ships is the one that its record tells of, and fits the model of today."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial.cohort.population import read_population
from nichetrial.cohort.sample import sample
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.cohort.space import plausible
from nichetrial.commands import generate
from nichetrial.compare.over_particles import values_of
from nichetrial.errors import UserError
from nichetrial.evidence.agreement import distance
from nichetrial.evidence.finding_studies import arms_of
from nichetrial.evidence.findings import all_findings, fitted_findings
from nichetrial.evidence.simulated import Laboratory
from nichetrial.model.variants import VARIANTS
from nichetrial.records.identity import file_digest
from nichetrial.study.load import load
from nichetrial.trial.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
HOW = json.loads((SHIPPED / "how.json").read_text())
MEND = "mend it with: make population"


def test_the_files_are_those_of_the_record():
    found = {name: file_digest(SHIPPED / name) for name in HOW["sha256"]}
    assert found == HOW["sha256"], MEND
    assert "population.parquet" in found


def test_it_was_calibrated_as_the_default_study_says():
    study = load(ROOT / "config.yaml")
    asked = study.calibration.model_dump(mode="json")
    assert HOW["seed"] == study.seed, MEND
    assert {k: v for k, v in HOW["settings"].items() if k != "variant"} == {
        k: asked[k] for k in ("particles", "generations", "moves", "mice", "fit")
    }, MEND


def test_particles_are_plausible_mice():
    particles = read_population(SHIPPED / "population.parquet")
    assert len(particles) == HOW["settings"]["particles"]
    assert plausible(particles).all()


def test_particles_still_agree_with_what_they_were_fitted_to():
    """The model of today: simulated experiments with new luck, as when they were predicted."""
    findings = fitted_findings()
    particles = read_population(SHIPPED / "population.parquet")[:100]
    laboratory = Laboratory(findings, seed=20_260, mice=HOW["settings"]["mice"])
    far = distance(findings, laboratory.experiments(particles, np.arange(len(particles))))
    assert np.mean(far == 0.0) > 0.6, MEND


def test_the_scoreboard_is_of_the_findings_of_today():
    table = pd.read_csv(SHIPPED / "scoreboard.csv", keep_default_na=False)
    assert set(table["variant"]) == set(VARIANTS), MEND
    for _, rows in table.groupby("variant"):
        assert list(rows["finding"]) == [f.id for f in all_findings()], MEND
        assert list(rows["what"]) == [f.finding for f in all_findings()], MEND


def test_the_full_model_hits_all_that_it_was_fitted_to():
    table = pd.read_csv(SHIPPED / "scoreboard.csv")
    full = table[(table["variant"] == "full") & (table["set"] == "A")]
    assert (full["verdict"] == "hit").all()


def test_a_study_says_of_a_finding_what_the_scoreboard_says():
    """The same two arms on all particles: the effect of a study, and the ratio that was predicted
    (of counted foci, in ten mice). Where they differ, it is by the noise of either."""
    (finding,) = (f for f in fitted_findings() if f.id == "A3")
    particles = read_population(SHIPPED / "population.parquet")
    mice = sample(
        seed=1, first=0, last=len(particles) - 1, mice=4, overrides={}, population=particles
    ).mice
    arms = arms_of([finding])
    arm, reference = (
        simulate(arms[finding.experiment, name], mice, seed=1).outcomes["expected_foci"]
        for name in (finding.arm, finding.reference)
    )
    shape = (len(particles), 4)
    found = values_of(
        arm.to_numpy().reshape(shape), reference.to_numpy().reshape(shape), relevant=0.2
    )
    table = pd.read_csv(SHIPPED / "scoreboard.csv").set_index(["variant", "finding"])
    predicted = table.loc[("full", "A3")]
    assert found["ratio"] == pytest.approx(predicted["predicted"], rel=0.04)
    assert found["ratio_low"] == pytest.approx(predicted["low"], rel=0.04)
    assert found["ratio_high"] == pytest.approx(predicted["high"], rel=0.08)
    assert found["p_more"] == pytest.approx(predicted["direction_share"], abs=0.03)


def test_nothing_is_shipped_from_where_nothing_was_calibrated(tmp_path):
    before = {p.name: p.read_bytes() for p in SHIPPED.iterdir()}
    with pytest.raises(UserError, match="nichetrial calibrate"):
        generate._ship(tmp_path, tmp_path)
    assert {p.name: p.read_bytes() for p in SHIPPED.iterdir()} == before
