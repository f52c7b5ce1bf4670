"""What became of every arm: how its mice ended, and its numbers for tracking."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pyarrow as pa

from nichetrial.compare.pooled import OUTCOME_UNITS, Outcomes
from nichetrial.engine.outcome import Outcome
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import Schema

__all__ = ["ARMS", "arms", "metrics"]

_I = pa.int64()
ARMS: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "label": (pa.string(), "1", "its name for people"),
    "mice": (_I, "mice", "mice planned"),
    **{o.label: (_I, "mice", f"mice with this outcome; advice: {o.advice}") for o in Outcome},
    "missing": (_I, "mice", "mice of jobs that failed"),
    "failed_particle": (_I, "1", "particle of the first mouse that did not finish; empty: none"),
    "failed_animal": (_I, "1", "its number among the mice of its particle"),
}


def arms(outcomes: Outcomes, study: ResolvedStudy) -> pd.DataFrame:
    """One row an arm (schema ARMS)."""
    rows = []
    for arm in study.arms:
        row: dict[str, Any] = {"arm": arm.name, "label": arm.label, "mice": study.cohort.mice}
        table = outcomes.get(arm.name)
        for outcome in Outcome:
            row[outcome.label] = (
                0 if table is None else int((table["status"] == outcome.label).sum())
            )
        row["missing"] = study.cohort.mice if table is None else 0
        if table is not None:
            failed = table.loc[table["status"] != Outcome.FINISHED.label, ["particle", "animal"]]
            for mouse in failed.head(1).itertuples():
                row["failed_particle"], row["failed_animal"] = mouse.particle, mouse.animal
        rows.append(row)
    first = dict.fromkeys(("failed_particle", "failed_animal"), "Int64")
    return pd.DataFrame(rows, columns=list(ARMS)).astype(first)


def metrics(
    outcomes: Outcomes, study: ResolvedStudy, combinations: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """Flat finite numbers for tracking: arm -> metric -> value, and those of the comparison."""
    per_arm: dict[str, dict[str, float]] = {}
    for name, table in outcomes.items():
        done = table[table["status"] == "finished"]
        numbers = {_mean(o, u): float(done[o].mean()) for o, u in OUTCOME_UNITS.items()}
        numbers["foci_median"] = float(done["foci"].median())
        numbers["mice_finished"] = float(len(done))
        numbers["mice_failed"] = float(len(table) - len(done))
        per_arm[name] = {k: v for k, v in numbers.items() if math.isfinite(v)}
    comparison = {
        "arms": float(len(study.arms)),
        "arms_missing": float(len(study.arms) - len(outcomes)),
    }
    for row in combinations.to_dict("records"):
        comparison[f"excess_{row['null_model']}.{row['arm']}"] = float(row["excess"])
    return {
        "arms": per_arm,
        "comparison": {k: v for k, v in comparison.items() if math.isfinite(v)},
    }


def _mean(outcome: str, unit: str) -> str:
    """Name of the metric, with its unit unless the outcome is called by it or has none."""
    told = unit == "1" or outcome.endswith({"d": "days"}.get(unit, unit))
    return f"{outcome}_mean" if told else f"{outcome}_mean_{unit}"
