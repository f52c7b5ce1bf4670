"""Stage tracking: replay the run records of a results folder into MLflow."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nichetrial.stages.options import read_study
from nichetrial.tracking.evidence import plan_evidence
from nichetrial.tracking.mlflow_writer import sync
from nichetrial.tracking.plan import plan
from nichetrial.tracking.store import locate

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial track``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder of the study's results")
    parser.add_argument("--receipt", required=True, help="what was written where (JSON)")
    parser.add_argument("--to", metavar="URI", help="another store than the study's tracking.uri")
    parser.add_argument(
        "--evidence", action="store_true", help="the calibration, not the arms of the trial"
    )
    parser.add_argument("--expect", help="digest of the parameters, as the workflow passed it")


def run(args: argparse.Namespace) -> None:
    """Sync, and say in one line what there is now."""
    study = read_study(args.study)
    store = locate(args.to or study.tracking.uri)
    if args.evidence:
        runs = plan_evidence(study.model_dump(mode="json"), Path(args.results))
    else:
        chunks = [f"mice-{first:06d}-{last:06d}" for first, last in study.chunks()]
        jobs = {arm.name: [f"{arm.name}/{chunk}" for chunk in chunks] for arm in study.arms}
        runs = plan(study.model_dump(mode="json"), jobs, Path(args.results))
    sync(runs, store=store, experiment=study.tracking.experiment, receipt=Path(args.receipt))
    failed = sum(run.status != "FINISHED" for run in runs[1:])
    trouble = f", {failed} of them failed" if failed else ""
    print(
        f"track: {len(runs) - 1} runs under {runs[0].name!r}{trouble}, in {store.uri}",
        file=sys.stderr,
    )
