"""What a calibration plans for MLflow: a parent, and a curve and findings for each variant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nichetrial.errors import UserError
from nichetrial.records.record import recording
from nichetrial.tracking import store
from nichetrial.tracking.calibration_runs import plan_evidence
from nichetrial.tracking.runs import Run
from nichetrial.tracking.study_runs import plan
from nichetrial.tracking.writer import sync
from tests.support.tracked import build, jobs, study

CURVE = (
    "generation,limit,median,met,acceptance,effective,origins,support\n"
    "0,inf,2.5,0.0,,40.0,40,0.98\n"
    "1,2.0,1.0,0.1,0.75,36.5,20,0.9\n"
    "2,0.5,0.0,0.6,0.5,30.25,9,0.8\n"
)
SCORES = (
    "variant,finding,set,predicted,low,high,direction_share,verdict,what\n"
    "full,A1,A,1.5,1.2,2.0,1.0,hit,a rise\n"
    "full,B1,B,0.05,0.0,0.4,0.97,hit,a fall | and more\n"
    "monotonic,A1,A,1.5,1.2,2.0,1.0,hit,a rise\n"
    "monotonic,B1,B,1.5,1.2,3.0,0.0,miss,a fall | and more\n"
)
METRICS = {
    "full": {"hits_a": 1.0, "hits_b": 1.0, "predicted.A1": 1.5, "predicted.B1": 0.05},
    "monotonic": {"hits_a": 1.0, "hits_b": 0.0, "predicted.A1": 1.5, "predicted.B1": float("nan")},
}


def job(results: Path, stage: str, name: str, parameters: Any, error: str | None = None) -> None:
    path = results / "records" / "evidence" / f"{stage}-{name.replace('/', '-')}.json"
    try:
        with recording(
            path,
            stage=stage,
            name=name,
            parameters={"study": {"calibration": parameters}},
            seed=7,
            rooms=["model"],
        ):
            if error:
                raise ArithmeticError(error)
    except ArithmeticError:
        pass


def calibrated(here: Path, wrong: str | None = None) -> Path:
    """A results folder after ``nichetrial calibrate``; ``wrong``: monotonic's population failed."""
    results = here / "results" / "small"
    settings = {"particles": 40, "generations": 2}
    for variant in ("full", "monotonic"):
        folder = results / "evidence" / variant
        folder.mkdir(parents=True, exist_ok=True)
        for generation in range(3):
            job(results, "particles", f"{variant}/{generation:03d}/000000-000039", settings)
        error = wrong if variant == "monotonic" else None
        job(results, "population", variant, settings | {"variant": variant}, error)
        (folder / "generations.csv").write_text(CURVE)
        (folder / "population.parquet").write_text(f"particles of {variant}")
        job(results, "predict", variant, {"variant": variant, "mice": 10})
    (results / "evidence" / "scoreboard.csv").write_text(SCORES)
    (results / "evidence" / "metrics.json").write_text(json.dumps(METRICS))
    return results


def planned(results: Path) -> dict[str, Run]:
    return {run.name: run for run in plan_evidence(study(), results)}


def test_a_parent_and_two_runs_a_variant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = planned(calibrated(tmp_path))
    assert list(runs) == [
        "A small study: evidence",
        "Calibration: full",
        "Calibration: monotonic",
        "Findings by full",
        "Findings by monotonic",
    ]
    parent, *children = runs.values()
    assert not parent.child
    assert all(c.child and c.study_key == parent.key for c in children)
    assert {r.status for r in runs.values()} == {"FINISHED"}
    assert len({r.key for r in runs.values()}) == 5
    assert parent.metrics == {
        "hits_a.full": 1.0,
        "hits_b.full": 1.0,
        "hits_a.monotonic": 1.0,
        "hits_b.monotonic": 0.0,
    }
    assert "predicted.B1" not in runs["Findings by monotonic"].metrics  # NaN is no metric
    note = parent.tags["mlflow.note.content"]
    assert "B1: a fall &#124; and more" in note
    assert "1.5" in note


def test_the_curve_has_a_point_a_generation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    history = planned(calibrated(tmp_path))["Calibration: full"].history
    assert [(step, value) for step, _, value in history["met"]] == [(0, 0.0), (1, 0.1), (2, 0.6)]
    assert [(step, value) for step, _, value in history["limit"]] == [(1, 2.0), (2, 0.5)]
    times = [at for _, at, _ in history["met"]]
    assert times == sorted(times)


def test_keys_are_of_what_was_asked_not_of_how_it_was_cut(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, asked = calibrated(tmp_path), study().model_dump(mode="json")
    keys = [run.key for run in plan_evidence(study(), results)]
    cut = study(calibration=asked["calibration"] | {"chunk": 7})
    assert [run.key for run in plan_evidence(cut, results)] == keys
    for change in (
        {"calibration": asked["calibration"] | {"mice": 11}},
        {"experiment": asked["experiment"] | {"vector": {"fold": 3.0, "onset": 0.0}}},
        {"figures": asked["figures"] | {"dose_folds": [1.0, 7.0]}},
        {"seed": 8},
    ):
        assert not set(keys) & {run.key for run in plan_evidence(study(**change), results)}


def test_a_variant_that_is_no_longer_asked_for_fails_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calibrated(tmp_path, wrong="no memory")
    asked = study(calibration={"variants": ["full"], "generations": 2, "particles": 40})
    runs = plan_evidence(asked, tmp_path / "results" / "small")
    assert [run.status for run in runs] == ["FINISHED"] * 3


def test_what_failed_or_is_left_over_is_failed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = planned(calibrated(tmp_path, wrong="no memory"))
    assert runs["Calibration: monotonic"].status == "FAILED"
    assert "no memory" in runs["Calibration: monotonic"].tags["mlflow.note.content"]
    assert not runs["Calibration: monotonic"].artifacts
    assert runs["Calibration: full"].status == "FINISHED"
    assert runs["A small study: evidence"].status == "FAILED"
    other = study(calibration={"variants": ["full"], "particles": 50})
    left = plan_evidence(other, tmp_path / "results" / "small")[1]
    assert left.status == "KILLED"
    assert "earlier study" in left.tags["mlflow.note.content"]


def test_trial_and_evidence_do_not_see_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of = study()
    results = build(tmp_path)
    before = plan(of, jobs(of), results)
    with pytest.raises(UserError, match="nichetrial calibrate"):
        plan_evidence(of, results)
    assert calibrated(tmp_path) == results
    assert plan(of, jobs(of), results) == before


@pytest.mark.slow
def test_mlflow_shows_the_curve_once_however_often_it_is_sent(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    results = calibrated(tmp_path)
    at = store.locate(f"sqlite:///{tmp_path / 'mlflow.db'}")
    for _ in range(2):
        runs = plan_evidence(study(), results)
        found = sync(runs, store=at, experiment="small", folder=tmp_path)
    client = MlflowClient(at.uri)
    runs = client.search_runs([found["experiment_id"]])
    assert len(runs) == 5
    full = next(r for r in runs if r.info.run_name == "Calibration: full")
    points = client.get_metric_history(full.info.run_id, "met")
    assert [(p.step, p.value) for p in points] == [(0, 0.0), (1, 0.1), (2, 0.6)]
    assert full.data.metrics["met"] == 0.6
    assert full.data.tags["mlflow.parentRunId"] == found["parent_run_id"]
