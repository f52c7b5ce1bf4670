"""Stage evidence: each finding against each variant of the model, hit or miss."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from nichetrial.evidence.findings import all_findings
from nichetrial.evidence.scoreboard import SCOREBOARD, scoreboard
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import atomic, read, write, write_csv

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial scoreboard``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument(
        "--experiments", nargs="+", required=True, help="VARIANT/experiments.parquet"
    )
    parser.add_argument("--out", required=True, help="folder to write the tables to")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Judge, and write the table with its CSV twin and flat numbers for the tracking."""
    study, out = read_study(args.study), Path(args.out)
    spec = study.calibration
    with recording(
        args.record,
        stage="scoreboard",
        name="scoreboard",
        parameters={"variants": spec.variants},
        seed=study.seed,
        inputs=[*args.experiments, *spec.fit, *spec.predict],
        code=CODE["scoreboard"],
        **record_options(args),
    ) as record:
        findings = all_findings(spec.fit, spec.predict)
        ids = [f.id for f in findings]
        found = {Path(p).parent.name: read(p)[ids].to_numpy(float) for p in args.experiments}
        table = scoreboard(findings, found)
        write(table, out / "scoreboard.parquet", SCOREBOARD)
        write_csv(table, out / "scoreboard.csv")
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
        with atomic(out / "metrics.json") as part:
            part.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
        for name in ("scoreboard.parquet", "scoreboard.csv", "metrics.json"):
            record.output(out / name)
        for variant, values in numbers.items():
            for s in ("a", "b"):
                record.metric(f"hits_{s}.{variant}", values[f"hits_{s}"])
