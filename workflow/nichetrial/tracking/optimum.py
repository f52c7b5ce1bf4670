"""The search for the best schedule in MLflow: a parent run, and a run for each schedule tried."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nichetrial.tracking import identity, words
from nichetrial.tracking.records import read_records
from nichetrial.tracking.runs import Run, common_tags, files, finite, ms, rows_of

__all__ = ["plan_optimum"]

SCHEDULE = {"dose": "dose_mg_per_kg", "start": "start_d", "every": "every_d", "doses": "doses",
            "total": "total_mg_per_kg"}  # fmt: skip
"""Column -> parameter of a run."""


def plan_optimum(study: Mapping[str, Any], results: Path) -> list[Run]:
    """The runs of the search, the parent first; none if it has not finished."""
    records = [r for r in read_records(results) if r["stage"] == "optimise"]
    if not records or records[0]["status"] != "FINISHED":
        return []
    record = records[0]
    code = hashlib.sha256(identity.canonical(record["science"]).encode()).hexdigest()

    def key(name: str, parameters: Any, inputs: list[str]) -> str:
        return identity.run_key(
            stage="optimum", name=name, parameters=parameters, seed=study["seed"], code=code,
            inputs=inputs, lock=record["lock_digest"],
        )  # fmt: skip

    cohort = {k: v for k, v in study["cohort"].items() if k != "chunk"}
    whole = key(study["name"], {"asked": record["parameters"], "cohort": cohort}, [])
    tags = common_tags("optimum", record, study, code)
    start, end = ms(record["start"]), ms(record["end"])
    arm = record["parameters"]["arm"]["label"]
    tried = rows_of(results / "comparisons" / "evaluations.csv")
    children = [
        Run(
            key=key(row["evaluation"], row, [whole]),
            study_key=whole,
            name="the arm's own" if row["evaluation"] == "0" else f"schedule {row['evaluation']}",
            status="FINISHED",
            start=start,
            end=end,
            params={name: words.short(row[column]) for column, name in SCHEDULE.items()},
            metrics=finite(
                {"expected_foci_mean_foci": row["expected_foci"],
                 "expected_foci_ratio": row["ratio"]}
            ),
            tags=tags | {"nichetrial.role": "schedule"},
        )
        for row in tried
    ]  # fmt: skip
    found = {row["schedule"]: row for row in rows_of(results / "comparisons" / "optimum.csv")}
    metrics = {
        f"{name}_{column}": row[column]
        for name, row in found.items()
        for column in ("ratio", "ratio_low", "ratio_high", "total", "doses")
    }
    spec = record["parameters"]["optimise"]
    parent = Run(
        key=whole,
        study_key=whole,
        name=f"Best schedule of {arm}",
        status="FINISHED",
        start=start,
        end=end,
        params={"arm": spec["arm"], "mice": str(spec["mice"]), "schedules": str(len(tried))},
        metrics=finite(metrics),
        tags=tags,
        artifacts=files(
            results, "comparisons/evaluations.*", "comparisons/optimum.*", folder="comparisons"
        )
        + files(results, "figures/optimum.png", folder="figures"),
        child=False,
    )
    return [parent, *children]
