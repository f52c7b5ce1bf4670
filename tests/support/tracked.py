"""A results folder with run records, and the MLflow runs that are planned from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nichetrial.records.record import recording
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking.runs import Run
from nichetrial.tracking.study_runs import plan

LABELS = {"high": "TIMP-1 high", "amd3100": "AMD3100 twice daily", "untreated": "Untreated host"}

ROOMS = ("model", "engine")

EFFECTS = (
    "outcome,arm,reference,n,mean_arm,mean_reference,ratio,ratio_low,ratio_high,p_fewer,responders\n"
    "foci,amd3100,high,4,12.5,50.0,0.25,0.2,0.31,0.94,0.9\n"
    "foci,untreated,high,4,5.0,50.0,0.1,0.08,0.12,1,1.0\n"
    "foci,untreated,amd3100,4,5.0,12.5,0.4,0.3,0.5,1,1.0\n"
    "burden,amd3100,high,4,1e6,4e6,0.3,0.2,0.4,0.9,\n"
    "burden,untreated,high,0,,,,,,,\n"
)


def study(**changed: Any) -> ResolvedStudy:
    """Three arms, four mice, two chunks."""
    readout = {"day": 17.0, "end": 90.0, "visible_cells": 1e4, "detectable_cells": 1e6}
    arms = [
        {
            "name": name,
            "label": LABELS[name],
            "host": {},
            "vector": None if name == "untreated" else {"fold": 2.5, "onset": 0.0},
            "challenge": {"route": "intravenous", "cells": 5e5, "day": 3.0},
            "treatments": [
                {
                    "drug": "amd3100",
                    "amount": 6300.0,
                    "start": 2.0,
                    "every": 0.5,
                    "until": 16.0,
                    "written": "5 mg/kg every 12 h from day 2 to day 16",
                }
            ]
            if name == "amd3100"
            else [],
            "readout": readout | {"lethal_cells": 1e9},
        }
        for name in LABELS
    ]
    content: dict[str, Any] = {
        "name": "small",
        "title": "A small study",
        "question": "Does it track?",
        "seed": 7,
        "cohort": {"particles": 4, "mice_per_particle": 1, "chunk": 2, "overrides": {}},
        "arms": arms,
        "dose_curve": [],
        "comparisons": {
            "reference": "high",
            "pairs": [{"arm": a, "reference": "high"} for a in ("amd3100", "untreated")],
            "combinations": [],
            "responder": 0.3,
            "relevant": 0.2,
            "interval": 0.95,
            "resamples": 100,
        },
        "power": {},
        "experiment": arms[0] | {"name": "experiment"},
        "calibration": {"variants": ["full", "monotonic"], "generations": 2, "particles": 40},
        "figures": {
            "formats": ["png"],
            "dpi": 100,
            "course_particles": 2,
            "dose_particles": 2,
            "dose_folds": [1.0, 10.0],
        },
        "tracking": {"uri": "sqlite:///results/mlflow/mlflow.db", "experiment": "small"},
    }
    return ResolvedStudy.model_validate(content | changed)


def jobs(of: ResolvedStudy) -> dict[str, list[str]]:
    """The names of all simulate records of each arm."""
    chunks = [f"particles-{a:06d}-{b:06d}" for a, b in of.chunks()]
    return {arm.name: [f"{arm.name}/{c}" for c in chunks] for arm in of.arms}


def simulate(
    results: Path, of: ResolvedStudy, name: str, error: str | BaseException | None = None
) -> None:
    """One simulate job: a file and its record."""
    arm, chunk = name.split("/")
    mice = results / "parameters" / f"{chunk}.mice.parquet"
    out = results / "simulations" / arm / f"{chunk}.outcomes.parquet"
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with recording(
            results / "records" / "simulate" / arm / f"{chunk}.json",
            stage="simulate",
            name=name,
            parameters={"study": {"arms": [of.arm(arm).model_dump(mode="json")]}},
            seed=of.seed,
            inputs=[mice],
            rooms=ROOMS,
        ) as record:
            if error:
                raise error if isinstance(error, BaseException) else ArithmeticError(error)
            out.write_text(f"outcomes of {name}")
            record.output(out)
            record.metric("mice_finished", 2)
            record.metric("mice_failed", 0)
    except (ArithmeticError, KeyboardInterrupt, SystemExit):
        pass


def build(
    folder: Path, of: ResolvedStudy | None = None, failed: tuple[str, ...] = (), skip: str = ""
) -> Path:
    """A results folder of small text files with true records, as the stages would leave it."""
    of = of or study()
    results = folder / "results" / of.name
    records = results / "records"
    for sub in ("parameters", "comparisons", "figures"):
        (results / sub).mkdir(parents=True, exist_ok=True)
    _made(results, "resolve", {"study.json": of.written()})
    for first, last in of.chunks():
        name = f"particles-{first:06d}-{last:06d}"
        mice = results / "parameters" / f"{name}.mice.parquet"
        with recording(
            records / "parameters" / f"{name}.json",
            stage="parameters",
            name=name,
            parameters={},
            seed=of.seed,
        ) as record:
            mice.write_text(f"mice {first} to {last}")
            record.output(mice)
    for name in (n for names in jobs(of).values() for n in names):
        if name != skip:
            simulate(results, of, name, "step too small" if name in failed else None)
    compare(results, of, [n.split("/")[0] for n in (*failed, skip) if n])
    for figure in ("foci", "forest"):
        pictures = {f"{figure}.png": figure * 50, f"{figure}.svg": f"<svg>{figure}</svg>"}
        _made(results, "figure", {f"figures/{name}": text for name, text in pictures.items()})
    _made(results, "report", {"report.html": "<html>report</html>"})
    return results


def _made(results: Path, stage: str, files: dict[str, str]) -> None:
    """Some files and the record of the job that made them."""
    name = Path(next(iter(files))).stem
    path = results / "records" / (f"{stage}.json" if stage == "resolve" else f"{stage}/{name}.json")
    with recording(path, stage=stage, name=name, parameters={}) as record:
        for within, text in files.items():
            (results / within).write_text(text)
            record.output(results / within)


def compare(results: Path, of: ResolvedStudy, missing: list[str]) -> None:
    """The comparison: tables and record."""
    outcomes = sorted((results / "simulations").rglob("*.outcomes.parquet"))
    with recording(
        results / "records" / "compare.json",
        stage="compare",
        name="comparisons",
        parameters={
            "study": {"comparisons": of.comparisons.model_dump(mode="json")},
            "missing": sorted(missing),
        },
        seed=of.seed,
        inputs=[p for p in outcomes if p.parent.name not in missing],
        rooms=("compare",),
    ) as record:
        (results / "comparisons" / "effects.csv").write_text(EFFECTS)
        metrics = {
            "arms": {name: {"foci mean": 3.0, "nothing": None, "odd%name": 1} for name in LABELS},
            "comparison": {"largest excess": 0.5, "not a number": float("nan")},
        }
        (results / "comparisons" / "metrics.json").write_text(json.dumps(metrics))
        for name in ("effects.csv", "metrics.json"):
            record.output(results / "comparisons" / name)


def planned(results: Path, of: ResolvedStudy | None = None) -> dict[str, Run]:
    """Name -> run."""
    of = of or study()
    runs = plan(of, jobs(of), results)
    assert not runs[0].child
    assert all(run.child and run.study_key == runs[0].key for run in runs[1:])
    return {run.name: run for run in runs}


PARENT, COMPARISON = "A small study", "Comparison of the arms"
