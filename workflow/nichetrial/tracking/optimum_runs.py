"""The search for the best schedule in MLflow: a parent run, and a run for each schedule tried."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nichetrial.formatting import number, tick
from nichetrial.records import identity
from nichetrial.records.stored import made_by, part_of, read_records
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.runs import Run, common_tags, files, finite, ms, rows_of

__all__ = ["plan_optimum"]

SCHEDULE = {
    "dose": "dose_mg_per_kg",
    "start": "start_d",
    "every": "every_d",
    "doses": "doses",
    "total": "total_mg_per_kg",
}
"""Column -> parameter of a run."""


def plan_optimum(study: ResolvedStudy, results: Path) -> list[Run]:
    """The runs of the search, the parent first; none if it has not finished."""
    records = [r for r in read_records(results) if r["stage"] == "optimise"]
    spec = study.optimise
    if not records or records[0]["status"] != "FINISHED" or spec is None:
        return []
    record = records[0]
    if part_of(record).get("optimise") != spec.model_dump(mode="json"):
        return []  # left from an earlier study
    code = hashlib.sha256(identity.canonical(record["science"]).encode()).hexdigest()

    def key(name: str, parameters: Any, inputs: list[str]) -> str:
        return identity.run_key(
            stage="optimum",
            name=name,
            parameters=parameters,
            seed=study.seed,
            code=code,
            inputs=inputs,
            lock=record["lock_digest"],
        )

    cohort = study.cohort.model_dump(mode="json", exclude={"chunk"})
    whole = key(study.name, {"asked": record["parameters"], "cohort": cohort}, [])
    tags = common_tags("optimum", record, study=study.name, seed=study.seed, code=code)
    start, end = ms(record["start"]), ms(record["end"])
    arm, drug = study.arm(spec.arm), study.arm(spec.arm).treatments[spec.treatment].drug
    layout = Layout(str(results))
    tried = rows_of(layout.comparison("evaluations", "csv"))
    children = [
        Run(
            key=key(row["evaluation"], row, [whole]),
            study_key=whole,
            name=_called(row),
            status="FINISHED",
            start=start,
            end=end,
            params={name: number(row[column], 3) for column, name in SCHEDULE.items()},
            metrics=finite({"expected_foci_ratio": row["ratio"]}),
            tags=tags | {"nichetrial.role": "schedule"},
        )
        for row in tried
    ]
    found = {row["schedule"]: row for row in rows_of(layout.comparison("optimum", "csv"))}
    metrics = {
        f"{name}_{column}": row[column]
        for name, row in found.items()
        for column in ("ratio", "ratio_low", "ratio_high", "total", "doses")
    }
    made = made_by(read_records(results))
    kept = files(
        results,
        layout.comparison("evaluations", "*"),
        layout.comparison("optimum", "*"),
        folder="comparisons",
        made=made,
    ) + files(results, layout.figure("optimum", "*"), folder="figures", made=made)
    parent = Run(
        key=whole,
        study_key=whole,
        name=f"Best schedule of {arm.label}",
        status="FINISHED",
        start=start,
        end=end,
        params={"arm": spec.arm, "particles": str(spec.particles), "schedules": str(len(tried))},
        metrics=finite(metrics),
        tags=tags
        | {
            "mlflow.note.content": words.schedule_note(
                arm.label, drug, found, [a.name for a in kept]
            )
        },
        artifacts=kept,
        child=False,
    )
    return [parent, *children]


def _called(row: Mapping[str, str]) -> str:
    """A schedule in a few words."""
    start, every = (tick(float(row[name])) for name in ("start", "every"))
    doses = f"{row['doses']} doses" if row["doses"] != "1" else "1 dose"
    told = f"{doses} of {number(row['dose'], 3)} mg/kg every {every} d from day {start}"
    return f"{'own' if row['evaluation'] == '0' else row['evaluation']}: {told}"
