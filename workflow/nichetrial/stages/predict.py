"""Stage evidence: simulated experiments of all findings, by one variant's population."""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.cohort.population import read_population
from nichetrial.evidence.finding_studies import own_files
from nichetrial.evidence.findings import all_findings, check_held_out
from nichetrial.evidence.simulated import Laboratory
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import Schema, write

__all__ = ["add_arguments", "run"]

NEW_LUCK = 1 << 62
"""Changes the seed: the experiments are not those that the particles were chosen by."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial predict``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--variant", required=True, help="variant of the model")
    parser.add_argument("--population", required=True, help="Parquet file of its population")
    parser.add_argument("--out", required=True, help="Parquet file to write")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """One experiment a particle; write what each finding would have read."""
    study = read_study(args.study)
    spec = study.calibration
    with recording(
        args.record,
        stage="predict",
        name=args.variant,
        parameters={"variant": args.variant, "mice": spec.mice},
        seed=study.seed,
        inputs=[args.population, *own_files([*spec.fit, *spec.predict])],
        code=CODE["predict"],
        **record_options(args),
    ) as record:
        check_held_out()
        findings = all_findings(spec.fit, spec.predict)
        particles = read_population(args.population)
        laboratory = Laboratory(findings, seed=study.seed ^ NEW_LUCK, mice=spec.mice)
        numbers = np.arange(len(particles))
        read_out = laboratory.experiments(particles, numbers)
        schema: Schema = {"particle": (pa.int64(), "1", "number of the particle")} | {
            f.id: (pa.float64(), "1", f"{f.statistic} of {f.outcome}") for f in findings
        }
        columns = dict(zip((f.id for f in findings), read_out.T, strict=True))
        write(pd.DataFrame({"particle": numbers, **columns}), args.out, schema)
        record.metric("experiments", len(numbers))
        record.metric("failed", int((~np.isfinite(read_out)).any(axis=1).sum()))
        record.output(args.out)
