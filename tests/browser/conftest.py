"""Chromium, and a store of MLflow that was made in one place and is looked at in another."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nichetrial.compat.mlflow_pages import runs_page
from nichetrial.figures import catalogue
from nichetrial.figures.declared import FIGURES
from nichetrial.figures.style import save
from nichetrial.records.record import recording
from nichetrial.records.stored import read_records
from nichetrial.report.study_page import render
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.study.sections import TrackingSpec
from nichetrial.tracking.server import HOST, serving
from nichetrial.tracking.store import locate, opened
from tests.support import ROOT
from tests.support.browsing import CHROMIUM, REAL, Site
from tests.support.trial_results import LABELS, build, make_study

TEN = LABELS | {f"amd3100_{day}": f"AMD3100 from day {day}" for day in (7, 9, 11, 13)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield running
        running.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    here = tmp_path_factory.mktemp("made") / "here"
    if REAL:
        results = here / "results" / Path(REAL).name
        shutil.copytree(ROOT / REAL, results)
    else:
        results = invented(here)
    content = json.loads((results / "study.json").read_text())
    tracked = [sys.executable, "-m", "nichetrial", "track", "sync", str(results)]
    uri = "sqlite:///results/mlflow/mlflow.db"
    subprocess.run([*tracked, "--to", uri], cwd=here, check=True, capture_output=True)
    there = tmp_path_factory.mktemp("moved") / "över there"
    shutil.move(here, there)
    store = locate(f"sqlite:///{there}/results/mlflow/mlflow.db")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    token = secrets.token_urlsafe(32)
    with serving(store, port=port, token=token):
        with opened(store) as client:
            experiment = client.get_experiment_by_name(content["tracking"]["experiment"])
            found = client.search_runs([experiment.experiment_id], max_results=1000)
        roles = {run.info.run_id: run.data.tags["nichetrial.role"] for run in found}
        address = f"http://{HOST}:{port}"
        place = runs_page(experiment.experiment_id, content["name"])
        yield Site(
            address=address,
            token=token,
            made=here,
            results=there / results.relative_to(here),
            experiment=experiment.experiment_id,
            parent=next(run for run in found if roles[run.info.run_id] == "study"),
            runs={run.info.run_name: run for run in found},
            link=f"{address}/?token={token}{place}",
        )


def invented(root: Path) -> Path:
    """Results of ten arms, invented, with a record of every job."""
    spec = TrackingSpec(uri="sqlite:///results/mlflow/mlflow.db", experiment="invented")
    study, results = build(root, make_study(TEN, particles=4).model_copy(update={"tracking": spec}))
    shutil.rmtree(results / "records")
    for table in (results / "comparisons").glob("*.parquet"):
        pd.read_parquet(table).to_csv(table.with_suffix(".csv"), index=False)
    _record(results, "resolve", "study", {})
    for mice in sorted((results / "parameters").glob("*.mice.parquet")):
        chunk = mice.name.removesuffix(".mice.parquet")
        _record(results, "parameters", chunk, {}, outputs=[mice])
        for arm in study.arms:
            _simulated(results, study, arm.name, chunk, mice)
    outcomes = sorted((results / "simulations").rglob("*.outcomes.parquet"))
    asked = study.model_dump(mode="json")
    compared = {"study": {"comparisons": asked["comparisons"]}, "missing": []}
    tables = sorted((results / "comparisons").iterdir())
    _record(results, "compare", "comparisons", compared, inputs=outcomes, outputs=tables)
    _record(results, "power", "power", {"study": {"power": asked["power"]}})
    (results / "figures").mkdir()
    for figure in filter(study.asks_for, FIGURES):
        drawn = catalogue.draw(figure, study, results, [])
        files = save(drawn, results / "figures" / figure, ("svg",), 60)
        _record(results, "figure", figure, {}, outputs=files)
    page = render(study, results, [], read_records(results))
    (results / "report.html").write_text(page, encoding="utf-8")
    _record(results, "report", "report", {}, outputs=[results / "report.html"])
    return results


def _simulated(results: Path, study: ResolvedStudy, arm: str, chunk: str, mice: Path) -> None:
    out = results / "simulations" / arm / f"{chunk}.outcomes.parquet"
    given = {"study": {"arms": [study.arm(arm).model_dump(mode="json")]}}
    _record(results, "simulate", f"{arm}/{chunk}", given, inputs=[mice], outputs=[out])


def _record(
    results: Path,
    stage: str,
    name: str,
    given: dict[str, Any],
    *,
    inputs: list[Path] | None = None,
    outputs: list[Path] | None = None,
) -> None:
    with recording(
        results / "records" / stage / f"{name}.json",
        stage=stage,
        name=name,
        parameters=given,
        seed=7,
        inputs=inputs or [],
        rooms=("model",),
    ) as record:
        for path in outputs or ():
            record.output(path)
