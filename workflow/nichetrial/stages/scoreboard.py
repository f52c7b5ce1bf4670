"""Stage scoreboard: each finding against each variant of the model, hit or miss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nichetrial.evidence.findings import all_findings
from nichetrial.evidence.scoreboard import SCOREBOARD, scoreboard
from nichetrial.files import atomic
from nichetrial.stages.work import Work
from nichetrial.tables import read

__all__ = ["run"]


def run(work: Work) -> None:
    """Judge, and write the table and flat numbers for the tracking."""
    spec = work.study.calibration
    findings = all_findings(spec.fit, spec.predict)
    ids = [f.id for f in findings]
    found = {Path(p).parent.name: read(p)[ids].to_numpy(float) for p in work.reads["experiments"]}
    table = scoreboard(findings, found)
    work.write("scoreboard", table, SCOREBOARD)
    numbers = {}
    for variant, rows in table.groupby("variant", sort=False):
        hit = rows["verdict"] == "hit"
        numbers[variant] = {
            f"hits_{s.lower()}": float(hit[rows["set"] == s].sum()) for s in ("A", "B")
        } | {
            f"{column}.{row['finding']}": row[column]
            for _, row in rows.iterrows()
            for column in ("direction_share", "predicted")
            if np.isfinite(row[column])
        }
    with atomic(work.target("metrics")) as part:
        part.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    for variant, values in numbers.items():
        for s in ("a", "b"):
            work.record.metric(f"hits_{s}.{variant}", values[f"hits_{s}"])
