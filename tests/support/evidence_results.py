"""An invented results folder of a calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nichetrial.cohort.population import POPULATION
from nichetrial.cohort.smc import GENERATIONS
from nichetrial.cohort.space import NAMES
from nichetrial.evidence import contradiction as c
from nichetrial.evidence.decisions import DECISIONS
from nichetrial.evidence.findings import Finding, all_findings
from nichetrial.evidence.posterior import POSTERIOR
from nichetrial.evidence.scoreboard import SCOREBOARD, scoreboard
from nichetrial.explore.sobol import SOBOL
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.load import load
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import write

ARMS = {"untreated": "Untreated host", "high": "TIMP-1-high", "blocked": "AMD3100"}

FOLDS = (1.0, 10.0, 1e3, 1e5)

N = 60


def make_study(
    folder: Path, variants: Sequence[str] = ("full", "monotonic"), labels: dict[str, str] = ARMS
) -> ResolvedStudy:
    """Three arms and a small calibration, through the study language."""
    treatment = "treatments: [{drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h}]"
    arms = {"untreated": "timp1_vector: none", "high": "", "blocked": treatment}
    text = [
        "study: {name: invented}",
        "experiment:",
        "  timp1_vector: {fold: 10, onset: 0 d}",
        "  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}",
        "  readout: {day: 11 d, end: 20 d}",
        "arms:",
        *(
            f"  {name}: {{label: {json.dumps(labels[name])}{', ' + what if what else ''}}}"
            for name, what in arms.items()
        ),
        "comparisons: {reference: high}",
        f"calibration: {{particles: {N}, generations: 2, moves: 1, mice: 4, chunk: 50, sobol: 16,"
        f" map_points: 3, map_particles: 10, variants: [{', '.join(variants)}]}}",
    ]
    path = folder / "invented.yaml"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return load(path)


def experiments(findings: Sequence[Finding], far: Sequence[str] = ()) -> np.ndarray:
    """Experiments that meet the findings, but for those in ``far``."""
    random = np.random.default_rng(3)
    columns = []
    for f in findings:
        middle = {"up": 1.5, "down": 0.5}.get(f.direction, 1.0)
        if math.isfinite(f.low) and math.isfinite(f.high):
            middle = (f.low + f.high) / 2
        if math.isfinite(f.low) and not math.isfinite(f.high):
            middle = 1.5 * f.low
        if math.isfinite(f.value):
            middle = f.value
        if f.id in far:
            middle = 40.0 if f.direction == "down" else middle / 40.0
        columns.append(middle * np.exp(random.normal(0.0, 0.01, N)))
    return np.column_stack(columns)


def build(
    folder: Path,
    study: ResolvedStudy | None = None,
    *,
    far: Sequence[str] = ("B2", "B8"),
    turns: bool = True,
    failed: Sequence[str] = (),
    flips: bool = True,
    moving: bool = True,
) -> tuple[ResolvedStudy, Path]:
    """Tables of an invented calibration under ``folder``; returns study and results folder."""
    study = study or make_study(folder)
    results, random = folder / "results", np.random.default_rng(5)
    out = results / "evidence"
    out.mkdir(parents=True, exist_ok=True)
    findings = all_findings(study.calibration.fit, study.calibration.predict)
    done = {}
    for variant in study.calibration.variants:
        missed = [*far, "B1"] if variant != "full" else far
        done[variant] = experiments(findings, missed)
        done[variant][:, [f.id in failed for f in findings]] = np.nan
        curve = pd.DataFrame(
            {
                "generation": [0, 1, 2],
                "limit": [np.inf, 1.5, 0.0],
                "median": [2.0, 0.8, 0.0],
                "met": [0.0, 0.2, 1.0],
                "acceptance": [np.nan, 0.5, 0.25],
                "effective": [60.0, 40.0, 31.0],
                "origins": [60, 30, 17],
                "support": [1.0, 0.9, 0.83],
            }
        )
        write(curve, out / variant / "generations.parquet", GENERATIONS)
    write(scoreboard(findings, done), out / "scoreboard.parquet", SCOREBOARD)
    open_ = [p for p in PARAMETERS.values() if p.kind != "fixed"]
    learned = pd.DataFrame(
        [
            {
                "parameter": p.name,
                "symbol": p.symbol,
                "meaning": p.meaning,
                "unit": p.unit,
                "trust": p.trust,
                "prior_low": 1.0,
                "prior_high": 16.0,
                "low": 2.0,
                "median": 4.25,
                "high": 8.0,
                "narrowed": 0.25,
                "learned": 1.0 / (1 + k),
            }
            for k, p in enumerate(open_)
        ]
    )
    write(learned, out / "full" / "posterior.parquet", POSTERIOR)
    particles = {name: np.exp(random.normal(1.0, 0.5, N)) for name in NAMES}
    write(
        pd.DataFrame({"particle": np.arange(N), **particles}),
        out / "full" / "population.parquet",
        POPULATION,
    )
    rows = []
    for mechanism in c.MECHANISMS:
        for k, fold in enumerate(FOLDS):
            middle = {"full": (1, 1.5, 0.4, 0.02), "niche": (1, 1.6, 1.7, 1.8)}.get(
                mechanism, (1, 0.95, 0.3, 0.01)
            )[k]
            rows.append(
                {
                    "mechanism": mechanism,
                    "fold": fold,
                    "mean": middle,
                    "median": middle,
                    "low": middle * 0.9,
                    "high": middle * 1.1,
                    "share_up": float(middle > 1),
                    "n": N,
                }
            )
    write(pd.DataFrame(rows), out / "dose_arms.parquet", c.DOSE_ARMS)
    turn = {"turns_at": 137.0, "low": 31.0, "high": 890.0, "share": 0.97}
    if not turns:
        turn = dict.fromkeys(turn, np.nan) | {"share": 0.0}
    write(pd.DataFrame([turn]), out / "turns.parquet", c.TURNS)
    cells = [
        {
            "fold": 10.0,
            "cd63_ratio": a,
            "mmp_ki": b,
            "median": 1.1,
            "share_up": 0.75 if not turns else (i + j) / 4,
        }
        for i, a in enumerate((1.0, 5.0, 30.0))
        for j, b in enumerate((0.3, 10.0, 300.0))
    ]
    write(pd.DataFrame(cells), out / "phase_map.parquet", c.PHASE_MAP)
    names = ("niche_gain", "mmp_ki", "colony_doubling")
    quantities = [("high", ""), *((p.arm, p.reference) for p in study.comparisons.pairs)]
    sobol = [
        {
            "arm": a,
            "reference": r,
            "parameter": p,
            "symbol": PARAMETERS[p].symbol,
            "meaning": PARAMETERS[p].meaning,
            "trust": PARAMETERS[p].trust,
            "first": 0.1,
            "first_conf": 0.1,
            "total": 0.6 - 0.2 * k,
            "total_conf": 0.1 if k else np.nan,
            "n": 99,
        }
        for a, r in quantities
        for k, p in enumerate(names)
    ]
    write(pd.DataFrame(sobol if moving else [], columns=list(SOBOL)), out / "sobol.parquet", SOBOL)
    decided = [
        {
            **{
                k: row[k]
                for k in (
                    "arm",
                    "reference",
                    "parameter",
                    "symbol",
                    "meaning",
                    "trust",
                    "total",
                    "total_conf",
                )
            },
            "ratio": 0.625,
            "ratio_lowest_third": 0.481,
            "ratio_highest_third": 1.27 if flips and row["parameter"] == "mmp_ki" else 0.793,
            "flips": flips and row["parameter"] == "mmp_ki",
        }
        for row in sobol
        if row["reference"]
    ]
    write(
        pd.DataFrame(decided if moving else [], columns=list(DECISIONS)),
        out / "decisions.parquet",
        DECISIONS,
    )
    return study, results
