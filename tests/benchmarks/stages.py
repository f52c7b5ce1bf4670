"""What each stage needs, by running small studies whole and asking each process as it ends.

    python -m tests.benchmarks.stages [--write]

Peak memory, processor time and bytes left, of every job of studies of several sizes, each load
fitted by non-negative least squares; ``--write`` puts the prices into
workflow/nichetrial/pipeline/costs.csv, from which jobs on a cluster are given memory and time. Jobs
of the "cold" studies compile all anew, as on a node that has never seen nichetrial. Then it says
how far any job needed more than its estimate. Adds to results/bench/engine.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import nnls

from nichetrial.files import atomic
from nichetrial.pipeline.estimate import lines
from nichetrial.pipeline.jobs import job
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.resources import COSTS, MEMORY_FACTOR, TIME_FACTOR, Need, Needs
from nichetrial.pipeline.stages import STAGES
from nichetrial.study.load import load
from tests.benchmarks import record

__all__ = ["PROBE", "Job", "jobs_of", "main", "text"]

ROOT = Path(__file__).resolve().parents[2]
QUANTITIES = ("megabytes", "seconds", "bytes")

PROBE = """\
import atexit, json, os, resource, sys, tempfile
if "live" in sys.orig_argv:
    os._exit(0)
if os.environ.get("PROBE_COLD"):
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(dir=os.environ["PROBE_COLD"])
def tell(me=os.getpid()):
    if os.getpid() == me and "-m" in sys.orig_argv:
        used = resource.getrusage(resource.RUSAGE_SELF)
        line = {"words": sys.orig_argv, "megabytes": used.ru_maxrss / 1024,
                "seconds": used.ru_utime + used.ru_stime}
        with open(os.environ["PROBE"], "a") as out:
            out.write(json.dumps(line) + "\\n")
atexit.register(tell)
"""
"""A ``sitecustomize.py``: each Python that starts says, when it ends, what it has used. What would
follow the run while it runs is not let in: the last job has all of the tracking to do."""

DEFAULTS: dict[str, Any] = {
    "cohort": 50,
    "mice": 2,
    "chunk": 100,
    "arms": 2,
    "end": 40,
    "resamples": 100,
    "courses": 5,
    "dosed": 10,
    "doses": 4,
    "grid": 0,
    "starts": 0,
    "schedules": 0,
    "experiments": 100,
    "sizes": 2,
    "test": "mann_whitney",
    "evaluations": 0,
    "tried": 10,
    "variants": 1,
    "group": 2,
    "particles": 20,
    "sobol": 16,
    "points": 2,
}
SIZES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cold", {"evaluations": 10}),
    (
        "run",
        {
            "cohort": 250,
            "mice": 8,
            "chunk": 2000,
            "grid": 4,
            "starts": 4,
            "schedules": 2,
            "sizes": 17,
            "experiments": 1000,
            "evaluations": 40,
            "tried": 25,
            "resamples": 2000,
        },
    ),
    (
        "run",
        {
            "cohort": 10_000,
            "mice": 4,
            "chunk": 40_000,
            "arms": 3,
            "end": 90,
            "courses": 2000,
            "dosed": 5000,
            "resamples": 500,
            "doses": 12,
            "starts": 2,
            "evaluations": 20,
            "tried": 1000,
            "test": "log_rank",
        },
    ),
    (
        "run",
        {"cohort": 250, "mice": 4, "chunk": 500, "arms": 14, "courses": 50, "grid": 6, "sizes": 12},
    ),
    (
        "run",
        {
            "cohort": 2000,
            "mice": 50,
            "chunk": 100_000,
            "arms": 9,
            "resamples": 500,
            "doses": 0,
            "experiments": 2000,
        },
    ),
    (
        "run",
        {
            "cohort": 1500,
            "mice": 4,
            "chunk": 6000,
            "arms": 3,
            "resamples": 5000,
            "starts": 12,
            "evaluations": 150,
        },
    ),
    ("cold calibrate", {}),
    ("calibrate", {"arms": 3, "variants": 2}),
    ("calibrate", {"particles": 400, "group": 10, "sobol": 128, "points": 6}),
)
"""How it is run, and what is not as in DEFAULTS."""
PASSING = {"mouse_arms", "draws", "steps", "tests", "log_ranks", "curves", "cells"}
"""Loads that take time, but neither memory nor room on the disk: done and forgotten."""
RIDGE = 0.02
PLANNED = ((2, 1), (1000, 1), (10, 400))
"""Arms and chunks of studies that Snakemake only plans."""


@dataclass(frozen=True)
class Job:
    """One process of a run: its rule, what it had to do, what it used."""

    rule: str
    loads: dict[str, float]
    need: Need


def text(sizes: dict[str, Any]) -> str:
    """A study file of these sizes; what is not named is as in DEFAULTS."""
    size = DEFAULTS | sizes
    study = {
        "study": {"name": "sized"},
        "cohort": {
            "particles": size["cohort"],
            "mice_per_particle": size["mice"],
            "chunk": size["chunk"],
        },
        "experiment": {
            "timp1_vector": {"fold": 10, "onset": "0 d"},
            "challenge": {"route": "intravenous", "cells": "1e6 cells", "day": "4 d"},
            "readout": {"day": "11 d", "end": f"{size['end']} d"},
        },
        "arms": {"high": {"label": "TIMP-1 high"}, **dict(map(_arm, range(1, size["arms"])))},
        "sweeps": _sweeps(size),
        "comparisons": {"reference": "high", "resamples": size["resamples"]},
        "power": {"experiments": size["experiments"], "sizes": list(range(4, 4 + size["sizes"]))},
        "figures": {
            "course_particles": size["courses"],
            "dose_particles": size["dosed"],
            "dose_folds": [1, 10, 1000],
        },
        "calibration": {
            "variants": ["full", "no_niche"][: size["variants"]],
            "generations": 1,
            "mice": size["group"],
            "particles": size["particles"],
            "chunk": size["particles"],
            "sobol": size["sobol"],
            "map_points": size["points"],
            "map_particles": size["particles"],
        },
    }
    if size["test"] == "log_rank":
        study["power"] |= {"test": "log_rank", "outcome": "metastasis_free_days"}
    if size["grid"]:
        study["arms"]["both"] = {"treatments": [_dosed("amd3100", 5), _dosed("anti_ly6g", 10)]}
    if size["evaluations"]:
        study["optimise"] = {
            "arm": "a1",
            "budget": "20 mg/kg",
            "dose": ["1 mg/kg", "20 mg/kg"],
            "start": ["0 d", "8 d"],
            "every": ["12 h", "4 d"],
            "particles": size["tried"],
            "evaluations": size["evaluations"],
        }
    return yaml.safe_dump(study, sort_keys=False)


def _dosed(drug: str, mg: float, every: int = 24) -> dict[str, str]:
    return {
        "drug": drug,
        "dose": f"{mg:g} mg/kg",
        "start": "0 d",
        "every": f"{every} h",
        "until": "11 d",
    }


def _arm(k: int) -> tuple[str, Any]:
    return f"a{k}", {"treatments": [_dosed("amd3100", 1 + k / 10, (12, 24, 48)[k % 3])]}


def _sweeps(size: dict[str, Any]) -> dict[str, Any]:
    """A sweep of each kind that has a size."""
    drug = "treatments.amd3100"
    doses = [f"{0 if k == 0 else 2**k} mg/kg" for k in range(12)]
    starts = [f"{k / 2:g} d" for k in range(size["starts"])]
    points = [
        {f"{drug}.dose": doses[k], f"{drug}.every": f"{12 * k} h"}
        for k in range(1, 1 + size["schedules"])
    ]
    grid = doses[: size["grid"]]
    all_ = {
        "dose": {"arm": "a1", "grid": {f"{drug}.dose": doses[: size["doses"]]}},
        "surface": {
            "arm": "both",
            "grid": {f"{drug}.dose": [*grid], "treatments.anti_ly6g.dose": [*grid]},
        },
        "window": {
            "arm": "a1",
            "grid": {f"{drug}.start": starts, f"{drug}.duration": ["2 d", "4 d"]},
        },
        "schedule": {"arm": "a1", "points": points},
    }
    asked = {"dose": "doses", "surface": "grid", "window": "starts", "schedule": "schedules"}
    return {name: sweep for name, sweep in all_.items() if size[asked[name]]}


def jobs_of(folder: Path, sizes: dict[str, Any], words: list[str], cold: bool = False) -> list[Job]:
    """Run ``python -m`` with ``words`` on a study in ``folder``: all the jobs that it starts."""
    file, probe, told = folder / "sized.yaml", folder / "probe", folder / "told.jsonl"
    probe.mkdir()
    (probe / "sitecustomize.py").write_text(PROBE)
    file.write_text(text(sizes))
    environment = {**os.environ, "PYTHONPATH": str(probe), "PROBE": str(told)} | {
        "NICHETRIAL_WARM": "no"
    }
    if cold:
        (folder / "cold").mkdir()
        environment["PROBE_COLD"] = str(folder / "cold")
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    needs = Needs(load(file))
    ended = [json.loads(line) for line in told.read_text().splitlines()]
    found = [_job(line["words"], line, needs, folder) for line in ended]
    more = {"cold": 1.0} if cold else {}
    return [Job(one.rule, one.loads | more, one.need) for one in found if one]


def _job(words: list[str], used: dict[str, float], needs: Needs, folder: Path) -> Job | None:
    module, *rest = words[words.index("-m") + 1 :]
    size = Need(used["megabytes"], used["seconds"])
    if module in ("snakemake", "nichetrial.launch.snakemake"):
        planned = sum(line.jobs for line in lines(Plan.of(needs.study, "")))
        return Job("snakemake", {"job": 1.0, **needs.loads("snakemake"), "planned": planned}, size)
    if module != "nichetrial" or rest[0] not in ("stage", "track"):
        return None
    options = {a: b for a, b in pairwise(rest) if a.startswith("--")}
    if rest[0] == "track":
        rule = "track_evidence" if "evidence" in rest else "track"
        left = _size(folder / "results" / "mlflow")
        return Job(rule, {"job": 1.0} | needs.loads(rule), size + Need(bytes=left))
    stage = STAGES[rest[1]]
    if stage.name == "resolve":
        return None
    wildcards = {name: options[f"--{name}"] for name in stage.wildcards}
    one = job(Plan.of(needs.study, options["--study"]), stage.name, **wildcards)
    left = sum(_size(folder / path) for path in (*one.outputs, one.record, one.log))
    rule = f"figure {wildcards['figure']}" if stage.name == "figure" else stage.name
    return Job(rule, {"job": 1.0} | needs.loads(stage.name, **wildcards), size + Need(bytes=left))


def _size(path: Path) -> float:
    """Bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return float(sum(file.stat().st_size for file in files if file.is_file()))


def _measure() -> list[Job]:
    jobs: list[Job] = []
    for kind, sizes in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            words = ["nichetrial", kind.removeprefix("cold ").replace("cold", "run"), "sized.yaml"]
            found = jobs_of(Path(folder), sizes, [*words, "--cores", "2"], kind.startswith("cold"))
        print(f"{kind} {sizes}: {len(found)} processes", flush=True)
        jobs += [job for job in found if job.rule != "snakemake"]
    profile = str(ROOT / "workflow" / "profiles" / "default")
    words = [
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--configfile",
        "sized.yaml",
        "--workflow-profile",
        profile,
        "--dry-run",
    ]
    for arms, chunks in PLANNED:
        with tempfile.TemporaryDirectory() as folder:
            jobs += jobs_of(Path(folder), {"arms": arms, "cohort": chunks, "chunk": 1}, words)
    return jobs


def _fit(jobs: list[Job]) -> dict[str, Need]:
    """Load -> price, by relative error: small jobs count as much as large ones.

    Where loads cannot be told apart, what every job needs explains it rather than a load.
    """
    loads = sorted({load for job in jobs for load in job.loads})
    loads = [load for load in loads if any(job.loads.get(load) for job in jobs)]
    amounts = np.array([[job.loads.get(load, 0.0) for load in loads] for job in jobs])
    scale = amounts.max(axis=0)
    found = {}
    for quantity in QUANTITIES:
        used = np.array([getattr(job.need, quantity) for job in jobs])
        may = np.array([quantity == "seconds" or load not in PASSING for load in loads])
        found[quantity] = np.zeros(len(loads))
        if not used.any():
            continue
        weight = 1.0 / np.maximum(used, used.max() / 1000)
        ridge = np.diag([RIDGE * (load != "job") / used.max() for load in loads])
        rows = np.vstack([amounts / scale * weight[:, None], ridge])[:, may]
        solved, _ = nnls(rows, np.concatenate([used * weight, np.zeros(len(loads))]))
        found[quantity][may] = solved / scale[may]
    return {load: Need(*(float(found[q][k]) for q in QUANTITIES)) for k, load in enumerate(loads)}


def _short(jobs: list[Job], prices: dict[str, Need], quantity: str) -> float:
    """The largest use over estimate of a rule's jobs."""
    return max(
        getattr(job.need, quantity)
        / max(sum(getattr(prices[k], quantity) * v for k, v in job.loads.items() if v), 1e-9)
        for job in jobs
    )


def main() -> int:
    """The command."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--write", action="store_true", help="write pipeline/costs.csv")
    said = ask.parse_args()
    by_rule: dict[str, list[Job]] = defaultdict(list)
    for one in _measure():
        by_rule[one.rule].append(one)
    rows, worst = [], {}
    for rule, jobs in sorted(by_rule.items()):
        prices = _fit(jobs)
        for load_, price in prices.items():
            if any(getattr(price, q) for q in QUANTITIES):
                rows.append(
                    {"rule": rule, "load": load_}
                    | {q: f"{getattr(price, q):.3g}" for q in QUANTITIES}
                )
        worst[rule] = {q: _short(jobs, prices, q) for q in QUANTITIES[:2]}
        memory, seconds = (max(getattr(job.need, q) for job in jobs) for q in QUANTITIES[:2])
        print(
            f"{rule:24} {len(jobs):4} jobs, at most {memory:5.0f} MB and {seconds:6.1f} s; used "
            f"over estimate at most {worst[rule]['megabytes']:.2f} and "
            f"{worst[rule]['seconds']:.2f}"
        )
    if said.write:
        with atomic(COSTS) as part, open(part, "w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, ["rule", "load", *QUANTITIES], lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    used = [asdict(job) for jobs in by_rule.values() for job in jobs]
    record.add("stages", {"prices": rows, "used_over_estimate": worst, "jobs": used})
    held = all(
        w["megabytes"] < MEMORY_FACTOR and w["seconds"] < TIME_FACTOR for w in worst.values()
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
