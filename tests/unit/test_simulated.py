"""Simulated experiments: what a finding reads, against a direct call of the simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial.cohort.between import vary
from nichetrial.cohort.space import NAMES, cohort_of, parameters, plausible, priors_of
from nichetrial.errors import UserError
from nichetrial.evidence import simulated
from nichetrial.evidence.findings import COLUMNS, Finding, all_findings, read_findings
from nichetrial.evidence.simulated import Laboratory
from nichetrial.study.load import load_text
from nichetrial.trial.simulate import simulate

SEED, MICE, N = 3, 4, 12
STUDY = """\
study: {name: mine}
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 2e5 cells, day: 4 d}
  readout: {day: 11 d, end: 11 d}
arms:
  control: {timp1_vector: none}
  high: {}
  ko: {host: {cd63: 0}}
comparisons: {reference: control}
"""
ROWS = """\
R,high,control,foci,ratio,up,,
S,high,control,sdf1,ratio,up,,
M,high,,burden,mean,value,0,1
P,high,,foci,per_cell,value,0,1
W,control,,foci,share_with,value,0.5,1
T,control,,timp1_half_life,parameter,value,0.9,1.5
K,control,,mmp_ki,parameter,value,1,2
G,control,,marrow_transit,parameter,value,2,6
A,again,untreated,foci,ratio,up,,
C,ko,control,blood_neutrophils,ratio,none,0.9,1.1
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory) -> list[Finding]:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.yaml").write_text(STUDY)
    renamed = STUDY.replace("control", "untreated").replace("high:", "again:")
    (folder / "other.yaml").write_text(renamed)
    lines = [",".join(COLUMNS)]
    for row in ROWS.splitlines():
        name, arm, reference, outcome, statistic, direction, low, high = row.split(",")
        study = "other" if name == "A" else "mine"
        lines.append(
            f"{name},A,x,{study},{arm},{reference},{outcome},{statistic},{direction},,"
            f"{low},{high},we,,read"
        )
    (folder / "f.csv").write_text("\n".join(lines) + "\n")
    return read_findings(folder / "f.csv")


def typical() -> np.ndarray:
    u = np.random.default_rng(8).uniform(0.02, 0.98, (1000, len(NAMES)))
    values = parameters(u, priors_of("full"))
    return values[plausible(values)][:N]


PARTICLES = typical()
KEYS = np.arange(100, 100 + N)


@pytest.fixture(scope="module")
def laboratory(findings) -> Laboratory:
    return Laboratory(findings, seed=SEED, mice=MICE)


@pytest.fixture(scope="module")
def read_out(laboratory) -> np.ndarray:
    return laboratory.experiments(PARTICLES, KEYS)


def directly(arm: str, k: int) -> pd.DataFrame:
    """The mice of experiment ``k`` in an arm, by the trial's own simulation."""
    mice = KEYS[k] * MICE + np.arange(MICE)
    values = vary(
        np.repeat(PARTICLES[[k]], MICE, axis=0),
        seed=SEED,
        mice=mice,
        attempts=np.zeros(MICE, np.int64),
    )
    cohort = cohort_of(values, mice)
    return simulate(load_text(STUDY).arm(arm), cohort, seed=SEED).outcomes


@pytest.mark.parametrize("k", [0, 5, N - 1])
def test_statistics_by_hand(k, findings, read_out):
    high, control, ko = (directly(arm, k) for arm in ("high", "control", "ko"))
    p = dict(zip(NAMES, PARTICLES[k], strict=True))
    expected = {
        "R": high["foci"].mean() / control["foci"].mean(),
        "S": high["sdf1"].mean() / control["sdf1"].mean(),
        "M": high["burden"].mean(),
        "P": high["foci"].mean() / 2e5,
        "W": (control["foci"] > 0).mean(),
        "T": p["timp1_half_life"] * 24,  # in hours, as in parameters.csv
        "K": p["mmp_ki"],
        "G": p["marrow_transit"],  # days stay days
        "A": high["foci"].mean() / control["foci"].mean(),
        "C": ko["blood_neutrophils"].mean() / control["blood_neutrophils"].mean(),
    }
    found = dict(zip((f.id for f in findings), read_out[k], strict=True))
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert high["foci"].sum() > 0


def test_the_statistics_are_not_trivial(findings, read_out):
    for f, column in zip(findings, read_out.T, strict=True):
        assert np.isfinite(column).sum() > N // 2, f.id
        if f.id not in "WC":
            assert len(np.unique(column)) > N // 2, f.id
    assert (read_out[:, 0] == read_out[:, 8]).all()


@settings(max_examples=12)
@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=6))
def test_an_experiment_does_not_depend_on_the_others_in_the_call(chosen):
    laboratory, whole = _WHOLE
    part = laboratory.experiments(PARTICLES[chosen], KEYS[chosen])
    assert part.tobytes() == whole[chosen].tobytes()


_WHOLE: tuple[Laboratory, np.ndarray]


@pytest.fixture(autouse=True, scope="module")
def whole(laboratory, read_out):
    """For hypothesis, which takes no fixtures of a module."""
    global _WHOLE
    _WHOLE = laboratory, read_out


def test_the_key_is_the_luck_of_the_experiment(laboratory, read_out, findings):
    other = laboratory.experiments(PARTICLES, KEYS + 1000)
    ids = [f.id for f in findings]
    for name in "RSM":
        assert (other[:, ids.index(name)] != read_out[:, ids.index(name)]).mean() > 0.5
    for name in "TKG":  # of the particle alone
        assert (other[:, ids.index(name)] == read_out[:, ids.index(name)]).all()


def test_no_experiment_at_all_is_none(laboratory, findings):
    """A chunk may have no plausible proposal."""
    assert laboratory.experiments(PARTICLES[:0], KEYS[:0]).shape == (0, len(findings))


def test_arms_that_are_the_same_are_simulated_once(laboratory, monkeypatch):
    names = []

    def watch(arm, cohort, *, seed):
        names.append(arm.name)
        return simulate(arm, cohort, seed=seed)

    monkeypatch.setattr(simulated, "simulate", watch)
    laboratory.experiments(PARTICLES[:1], KEYS[:1])
    assert sorted(names) == ["control", "high", "ko"]


def test_of_the_shipped_findings_no_arm_is_simulated_twice(monkeypatch):
    plain = []

    def watch(arm, cohort, *, seed):
        plain.append(arm.model_copy(update={"name": "", "label": ""}).model_dump_json())
        return simulate(arm, cohort, seed=seed)

    monkeypatch.setattr(simulated, "simulate", watch)
    Laboratory(all_findings(), seed=1, mice=2).experiments(PARTICLES[:1], KEYS[:1])
    assert len(plain) == len(set(plain)) > 8


@pytest.mark.parametrize(("arm", "failing"), [("high", "RSMPA"), ("control", "RSWAC"), ("ko", "C")])
def test_a_mouse_that_did_not_finish_leaves_its_experiment_without_a_number(
    arm, failing, laboratory, read_out, findings, monkeypatch
):
    def break_one(of, cohort, *, seed):
        result = simulate(of, cohort, seed=seed)
        if of.name == arm:
            result.outcomes.loc[2 * MICE + 1, "status"] = "step_limit"
        return result

    monkeypatch.setattr(simulated, "simulate", break_one)
    found = laboratory.experiments(PARTICLES, KEYS)
    bad = [f.id in failing for f in findings]
    assert np.isnan(found[2, bad]).all()
    found[2, bad] = read_out[2, bad]
    assert found.tobytes() == read_out.tobytes()


def test_a_ratio_over_nothing_is_no_number(findings, monkeypatch):
    def nothing(of, cohort, *, seed):
        result = simulate(of, cohort, seed=seed)
        if of.name == "control":
            result.outcomes["foci"] = 0
        return result

    monkeypatch.setattr(simulated, "simulate", nothing)
    found = Laboratory(findings, seed=SEED, mice=MICE).experiments(PARTICLES[:2], KEYS[:2])
    ids = [f.id for f in findings]
    assert np.isnan(found[:, ids.index("R")]).all()
    assert (found[:, ids.index("W")] == 0.0).all()


def test_an_experiment_that_does_not_exist_is_told_before_anything_runs(findings):
    lost = Finding(**{**vars(findings[0]), "experiment": Path("nowhere.yaml")})
    with pytest.raises(UserError, match=r"nowhere\.yaml: NT001 "):
        Laboratory([lost], seed=1, mice=2)
