"""An invented results folder of a trial: tables, figures and records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from nichetrial.compare.combinations import COMBINATIONS
from nichetrial.compare.dose_response import DOSE_RESPONSE
from nichetrial.compare.over_particles import EFFECTS, INTERACTIONS
from nichetrial.compare.ranking import ranking
from nichetrial.compare.surface import SYNERGY
from nichetrial.compare.window import SCHEDULES, WINDOW
from nichetrial.study.resolved import (
    Arm,
    Challenge,
    CohortSpec,
    ComparisonSpec,
    Host,
    ReadOut,
    ResolvedStudy,
    Treatment,
    Vector,
)
from nichetrial.study.sections import (
    CalibrationSpec,
    Combination,
    FigureSpec,
    Pair,
    PowerSpec,
    TrackingSpec,
)
from tests.support.lab_figures import lab_tables

LABELS = {
    "untreated": "Untreated host",
    "timp1_high": "TIMP-1-high",
    "amd3100": "AMD3100 twice daily",
    "anti_ly6g": "anti-Ly6G (rat 1A8)",
    "amd3100_anti_ly6g": "AMD3100 twice daily + anti-Ly6G (rat 1A8)",
    "cd63_ko": "Cd63 -/-",
}

FACTOR = {
    "untreated": 0.5,
    "timp1_high": 1.0,
    "amd3100": 0.55,
    "anti_ly6g": 0.7,
    "amd3100_anti_ly6g": 0.4,
    "cd63_ko": 0.5,
}

FOLDS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)

UNKNOWNS = (
    "arm reference parameter symbol unit trust spearman low high ratio_lowest_third "
    "ratio_highest_third n"
)

OUTCOMES = {
    "foci": "foci",
    "expected_foci": "foci",
    "burden": "cells",
    "largest_colony": "cells",
    "dormant_cells": "cells",
    "timp1": "nM",
    "sdf1": "nM",
    "blood_neutrophils": "fold",
    "liver_neutrophils": "fold",
    "niche": "1",
    "metastasis_free_days": "d",
    "survival_days": "d",
}


def make_study(labels: dict[str, str] | None = None, particles: int = 10) -> ResolvedStudy:
    labels = labels or LABELS
    reference = "timp1_high" if "timp1_high" in labels else next(iter(labels))
    readout = ReadOut(day=21, end=28, visible_cells=1e5, detectable_cells=1e6, lethal_cells=1e9)
    challenge = Challenge(route="intravenous", cells=5e5, day=7)
    doses = Treatment(
        drug="amd3100",
        amount=9944.0,
        start=5,
        every=0.5,
        until=20,
        written="5 mg/kg every 12 h from day 5 until day 20",
    )
    arms = tuple(
        Arm(
            name=name,
            label=label,
            host=Host(cd63=0.0 if name == "cd63_ko" else 1.0),
            vector=None if name == "untreated" else Vector(fold=10, onset=0),
            challenge=challenge,
            treatments=(doses,) if "amd3100" in name else (),
            readout=readout,
        )
        for name, label in labels.items()
    )
    pairs = [Pair(arm=a, reference=reference) for a in labels if a != reference]
    both = {"amd3100", "anti_ly6g", "amd3100_anti_ly6g"} <= set(labels)
    if both:
        pairs.append(Pair(arm="amd3100_anti_ly6g", reference="amd3100"))
    return ResolvedStudy(
        name="invented",
        title="An invented study",
        question="Does any of this matter?",
        seed=7,
        cohort=CohortSpec(particles=particles, mice_per_particle=4, chunk=25, overrides={}),
        arms=arms,
        dose_curve=(),
        comparisons=ComparisonSpec(
            reference=reference,
            pairs=tuple(pairs),
            combinations=(
                (Combination(arm="amd3100_anti_ly6g", of=("amd3100", "anti_ly6g")),) if both else ()
            ),
            responder=0.5,
            relevant=0.2,
            interval=0.95,
            resamples=200,
        ),
        figures=FigureSpec(
            formats=("png", "svg"), dpi=60, course_particles=5, dose_particles=7, dose_folds=FOLDS
        ),
        experiment=arms[0].model_copy(update={"name": "experiment", "treatments": ()}),
        calibration=CalibrationSpec(variants=("full",)),
        power=PowerSpec(),
        tracking=TrackingSpec(uri="sqlite:///mlflow.db", experiment="invented"),
    )


def outcome_table(particles: np.ndarray, factor: float, *, zero: bool = False) -> pd.DataFrame:
    """Outcomes of four invented mice of each particle; some are implausible, some stopped at the
    step limit."""
    mice = (4 * particles[:, None] + np.arange(4)).ravel()
    random = np.random.default_rng(1)
    luck = np.exp(random.normal(3.0, 1.6, int(mice.max()) + 1))[mice]
    expected = 0.0 * luck if zero else factor * luck
    foci = np.random.default_rng(2).poisson(expected)
    status = np.where(mice % 13 == 12, "implausible", "finished")
    status = np.where(mice % 17 == 16, "step_limit", status)
    free = np.minimum(28.0, 14.0 + 10.0 / (0.2 + expected))
    n = len(mice)
    return pd.DataFrame(
        {
            "particle": mice // 4,
            "animal": mice % 4,
            "status": status,
            "steps": np.full(n, 400, "int32"),
            "expected_foci": expected,
            "foci": foci.astype("int64"),
            "colonies": (foci * 4).astype("int64"),
            "burden": foci * 2e6,
            "largest_colony": np.where(foci > 0, 3e6, 0.0),
            "dormant_cells": np.full(n, 1e4),
            "timp1": np.full(n, 3.0),
            "sdf1": np.full(n, 2.0) * factor,
            "blood_neutrophils": np.full(n, 1.3),
            "liver_neutrophils": np.full(n, 2.0) * factor,
            "niche": np.full(n, 0.6) * factor,
            "metastasis_free_days": free,
            "metastasis_observed": free < 28,
            "first_event": np.where(free < 28, "metastasis", "none"),
            "survival_days": np.full(n, 28.0),
            "death_observed": np.zeros(n, bool),
        }
    )


def course_table(particles: np.ndarray, factor: float) -> pd.DataFrame:
    days = np.arange(0, 28.01, 1.0)
    rows = [
        pd.DataFrame(
            {
                "particle": np.int64(particle),
                "day": days,
                "timp1": np.float32(0.3 * (1 + 9 * (1 - np.exp(-days)))),
                "sdf1": np.float32(1 + factor * (1 - np.exp(-days / 2)) + 0.02 * particle),
                "blood_neutrophils": np.float32(1 + 0.5 * factor + 0.01 * particle + 0 * days),
                "liver_neutrophils": np.float32(1 + factor * (1 - np.exp(-days / 3))),
                "niche": np.float32(0.6 * factor * (1 - np.exp(-days / 4))),
            }
        )
        for particle in particles
    ]
    return pd.concat(rows, ignore_index=True)


def colony_table(factor: float, *, zero: bool = False) -> pd.DataFrame:
    edges = 10.0 ** np.arange(0, 10.01, 0.25)
    peak = np.exp(-((np.log10(edges[:-1]) - 5.5) ** 2))
    counts = np.zeros(40) if zero else np.round(300 * factor * peak)
    return pd.DataFrame(
        {"size_low": edges[:-1], "size_high": edges[1:], "colonies": counts.astype("int64")}
    )


def interval(name: str, value: float, low: float, high: float) -> dict[str, float]:
    """Three columns of a table."""
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def effect_table(study: ResolvedStudy, missing: Sequence[str], *, zero: bool) -> pd.DataFrame:
    rows = []
    for outcome, unit in OUTCOMES.items():
        for pair in study.comparisons.pairs:
            lost = pair.arm in missing or pair.reference in missing
            ratio = FACTOR.get(pair.arm, 0.9) / FACTOR.get(pair.reference, 1.0)
            ratio = np.nan if lost or zero else ratio
            difference = np.nan if lost else 0.0 if zero else 20.0 * (ratio - 1)
            low, high = (np.nan, np.nan) if lost else (-3.0, 2.0)
            rows.append(
                {
                    "outcome": outcome,
                    "arm": pair.arm,
                    "reference": pair.reference,
                    "particles": 0 if lost else 9,
                    "without": 0,
                    "dropped": 9 if lost else 0,
                    "p_fewer": np.nan if lost else 0.5 if zero else float(ratio < 1),
                    "p_more": np.nan if lost else 0.5 if zero else float(ratio > 1),
                    "p_relevant": np.nan if lost or zero else float(ratio <= 0.8),
                    "p_error": np.nan if lost else 0.01,
                    "noise": np.nan if lost or zero else 0.02,
                    "widened": np.nan if lost or zero else 1.01,
                    "enough": np.nan if lost or zero else 1,
                    "effective": 0.0 if lost else 8.5,
                    "ratio_q25": ratio * 0.9,
                    "ratio_q75": ratio * 1.1,
                    "n": 0 if lost else 36,
                    "mean_arm": np.nan if lost else 0.0 if zero else 20.0 * ratio,
                    "mean_reference": np.nan if lost else 0.0 if zero else 20.0,
                    **interval("ratio", ratio, 0.8 * ratio, 1.2 * ratio),
                    **interval("pooled_ratio", ratio, 0.95 * ratio, 1.05 * ratio),
                    **interval("difference", difference, low, high),
                    **interval("pooled_difference", difference, low, high),
                    "responders": np.nan if lost or outcome != "foci" else 0.61,
                    "variance_saved": np.nan if lost else 0.82,
                    "failures": study.cohort.mice if lost else 4,
                    "unit": unit,
                }
            )
    return pd.DataFrame(rows, columns=list(EFFECTS))


def combination_table(study: ResolvedStudy) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "arm": c.arm,
                "of": "+".join(c.of),
                "reference": study.comparisons.reference,
                "null_model": null,
                "decides": null == "bliss",
                **interval("excess", e - 0.4, e - 0.45, e - 0.35),
                "p_better": 0.3,
                "p_error": 0.05,
                "particles": 9,
                "effective": 8.5,
                "pooled_observed": 0.4,
                "pooled_expected": e,
                **interval("pooled_excess", e - 0.4, e - 0.45, e - 0.35),
                "n": 36,
            }
            for c in study.comparisons.combinations
            for null, e in (("bliss", 0.385), ("hsa", 0.55))
        ],
        columns=list(COMBINATIONS),
    )


def unknown_table(study: ResolvedStudy) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "arm": p.arm,
                "reference": p.reference,
                "parameter": name,
                "symbol": symbol,
                "unit": "1",
                "trust": "unknown",
                "spearman": rho,
                "low": 1.0,
                "high": 30.0,
                "ratio_lowest_third": 0.4,
                "ratio_highest_third": 0.4 + abs(rho),
                "n": 9,
            }
            for p in study.comparisons.pairs
            for name, symbol, rho in (("cd63_ratio", "k_63", 0.55), ("niche_gain", "eta", -0.3))
        ],
        columns=UNKNOWNS.split(),
    )


def arms_table(study: ResolvedStudy, missing: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "arm": a.name,
                "label": a.label,
                "mice": study.cohort.mice,
                "finished": 0 if a.name in missing else study.cohort.mice - 5,
                "implausible": 0 if a.name in missing else 3,
                "step_limit": 0 if a.name in missing else 2,
                "not_finite": 0,
                "missing": study.cohort.mice if a.name in missing else 0,
                "failed_particle": pd.NA if a.name in missing else 3,
                "failed_animal": pd.NA if a.name in missing else 0,
            }
            for a in study.arms
        ]
    )


def build(
    root: Path,
    study: ResolvedStudy | None = None,
    *,
    missing: Sequence[str] = (),
    zero: bool = False,
) -> tuple[ResolvedStudy, Path]:
    """Write the results folder of a study below ``root``; files of ``missing`` arms are absent."""
    study = study or make_study()
    results = root / "results" / study.name
    results.mkdir(parents=True)
    (results / "study.json").write_text(study.model_dump_json(indent=2))

    def put(frame: pd.DataFrame, name: str) -> None:
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path, index=False)

    for first, last in study.chunks():
        numbers, stem = np.arange(first, last + 1), f"particles-{first:06d}-{last:06d}"
        rejected = results / "parameters" / f"{stem}.rejections.csv"
        rejected.parent.mkdir(parents=True, exist_ok=True)
        rejected.write_text("reason,mice\nneutrophils above 20-fold,3\nno foci possible,1\n")
        put(pd.DataFrame({"particle": numbers, "attempts": 1}), f"parameters/{stem}.mice.parquet")
        for arm in study.arms:
            if arm.name in missing:
                continue
            factor = FACTOR.get(arm.name, 0.9)
            at = f"simulations/{arm.name}/{stem}"
            put(outcome_table(numbers, factor, zero=zero), f"{at}.outcomes.parquet")
            kept = numbers[numbers < study.figures.course_particles]
            table = course_table(kept if len(kept) else numbers[:1], factor)
            put(table if len(kept) else table.iloc[:0], f"{at}.courses.parquet")
            put(colony_table(factor, zero=zero), f"{at}.colonies.parquet")
    hump = dict(zip(FOLDS, (1.0, 1.8, 1.4, 0.4, 0.04, 0.004), strict=True))
    for first, last in study.chunks(study.figures.dose_particles):
        tables = [
            outcome_table(np.arange(first, last + 1), f, zero=zero).assign(fold=fold)
            for fold, f in hump.items()
        ]
        table = pd.concat(tables, ignore_index=True)
        put(
            table[["fold", *table.columns[:-1]]],
            f"dose_curve/particles-{first:06d}-{last:06d}.parquet",
        )
    for name, frame in {
        "effects": effect_table(study, missing, zero=zero),
        "combinations": combination_table(study),
        "interactions": pd.DataFrame(columns=list(INTERACTIONS)),
        "unknowns": unknown_table(study),
        "arms": arms_table(study, missing),
    }.items():
        put(frame, f"comparisons/{name}.parquet")
    for name, schema in {
        "dose_response": DOSE_RESPONSE,
        "synergy": SYNERGY,
        "schedules": SCHEDULES,
        "window": WINDOW,
    }.items():
        put(pd.DataFrame(columns=list(schema)), f"comparisons/{name}.parquet")
    everyone = np.arange(study.cohort.particles)
    outcomes = {
        arm.name: outcome_table(everyone, FACTOR.get(arm.name, 0.9), zero=zero)
        for arm in study.arms
        if arm.name not in missing
    }
    courses = {name: course_table(np.arange(4), FACTOR.get(name, 0.9)) for name in outcomes}
    put(
        ranking(effect_table(study, missing, zero=zero), courses, study),
        "comparisons/ranking.parquet",
    )
    for name, frame in lab_tables(study, outcomes, FACTOR, zero=zero).items():
        put(frame, f"comparisons/{name}.parquet")
    record = {
        "run_key": "k" * 64,
        "stage": "simulate",
        "name": "amd3100/particles-000000-000005",
        "parameters": {},
        "metrics": {},
        "seed": study.seed,
        "inputs": {},
        "outputs": {},
        "code_digest": "c" * 64,
        "code": ["engine"],
        "science": {"engine": "s" * 64},
        "params_digest": None,
        "lock_digest": "l" * 64,
        "environment": {"python": "3.12.1", "platform": "linux", "packages": {"numpy": "2.4.6"}},
        "git": {"commit": "a" * 40, "dirty": False},
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T00:01:00Z",
        "status": "FINISHED",
        "error": None,
    }
    path = results / "records" / "simulate" / "amd3100" / "particles-000000-000005.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    return study, results


FEW = {name: LABELS[name] for name in ("timp1_high", "amd3100", "cd63_ko")}


def words(figure: Figure) -> str:
    """All text in a figure, line breaks as spaces."""
    return " | ".join(t.get_text().replace("\n", " ") for t in figure.findobj(Text))
