"""Command stage: one job of the workflow, as its rule runs it."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline import code
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stage import Job
from nichetrial.pipeline.stages import STAGES
from nichetrial.pipeline.stored_study import read_study
from nichetrial.records.record import recording
from nichetrial.stages.work import Work
from nichetrial.study.load import load

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each stage, with its wildcards as options."""
    names = parser.add_subparsers(dest="stage", required=True, metavar="NAME")
    for stage in STAGES.values():
        if stage.command:
            continue
        one = names.add_parser(stage.name, help=stage.does, allow_abbrev=False)
        one.add_argument("--study", required=True, metavar="FILE", help="RESULTS/study.json")
        if stage.name == "resolve":
            one.add_argument("--file", required=True, help="study file (YAML)")
        for wildcard in stage.wildcards:
            one.add_argument(f"--{wildcard}", required=True, help=HELP[wildcard])
        one.add_argument("--missing", nargs="*", default=[], help="arms whose jobs failed")
        one.add_argument("--expect", metavar="DIGEST", help="what the job was planned with")
        one.add_argument("--log", metavar="FILE", help="keep all that the job prints")


HELP = {
    "arm": "name of the arm",
    "sweep": "name of the sweep",
    "chunk": "chunk of the cohort: FIRST-LAST particle",
    "figure": "name of the figure",
    "variant": "variant of the model",
    "generation": "000: draws from the priors",
    "particles": "chunk of a calibration: FIRST-LAST particle",
}


def run(args: argparse.Namespace) -> None:
    """Do the job, and leave its record.

    Raises: UserError if the study is not what it was when the job was planned, there is no such
        arm, sweep or figure, or an input is not there.
    """
    stage, folder = STAGES[args.stage], Path(args.study).parent
    study = load(args.file) if args.stage == "resolve" else read_study(args.study)
    plan = Plan(study, args.study, folder=folder.as_posix()).without(args.missing)
    job = Job(stage, plan, {name: getattr(args, name) for name in stage.wildcards})
    try:
        digest = job.digest()
    except (KeyError, ValueError) as error:
        raise UserError(
            codes.NO_SUCH_ARM, f"the study has no {error}", place=f"{stage.name} {job.name}"
        ) from None
    if args.expect not in (None, digest):
        raise UserError(
            codes.CHANGED_STUDY,
            "the study or the code has changed since this job was planned; run the study again",
            place=args.study,
        )
    for path in job.inputs:
        if not Path(path).is_file():
            raise UserError(
                codes.NO_RESULTS, "this result is not there: run the stages before it", place=path
            )
    with recording(
        job.record,
        stage=stage.name,
        name=job.name,
        parameters=job.parameters,
        seed=study.seed,
        inputs=job.inputs,
        rooms={name.split(".")[0] for name in code.modules_of(stage.module)},
        code_digest=job.code,
        params_digest=digest,
    ) as record:
        module = importlib.import_module(f"nichetrial.{stage.module}")
        module.run(
            Work(
                study=job.study,
                wildcards=job.wildcards,
                missing=job.missing,
                reads=job.reads,
                writes=job.writes,
                results=folder,
                record=record,
            )
        )
        for path in job.outputs:
            record.output(path)
