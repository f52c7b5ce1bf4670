"""Stage simulations: one chunk of mice in one arm."""

from __future__ import annotations

import argparse

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, progress, read_study, record_options
from nichetrial.study.layout import Chunk
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.tables import read, write
from nichetrial.trial.simulate import COLONIES, COURSES, OUTCOMES, simulate

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial simulate``."""
    parser.epilog = (
        "One mouse of a study file again, by itself: "
        "nichetrial simulate STUDY --mouse 17 --arm amd3100 --trace"
    )
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--arm", required=True, help="name of the arm")
    parser.add_argument("--parameters", required=True, help="Parquet file of the chunk's mice")
    parser.add_argument("--outcomes", required=True, help="Parquet file to write: one row a mouse")
    parser.add_argument("--courses", required=True, help="Parquet file to write: time courses")
    parser.add_argument("--colonies", required=True, help="Parquet file to write: colony sizes")
    add_record_options(parser)


def _arm(study: ResolvedStudy, name: str) -> Arm:
    try:
        return study.arm(name)
    except KeyError:
        known = ", ".join(a.name for a in study.arms)
        raise UserError(
            codes.NO_SUCH_ARM, f"the study has no arm {name!r}; it has {known}", place="--arm"
        ) from None


def run(args: argparse.Namespace) -> None:
    """Simulate and write."""
    study = read_study(args.study)
    arm = _arm(study, args.arm)
    cohort = read(args.parameters)
    mice = f"mice-{Chunk(cohort['mouse'].iloc[0], cohort['mouse'].iloc[-1]).name}"
    with recording(
        args.record,
        stage="simulate",
        name=f"{arm.name}/{mice}",
        parameters={
            "arm": arm.model_dump(mode="json"),
            "course_mice": study.figures.course_mice,
        },
        seed=study.seed,
        inputs=[args.parameters],
        code=CODE["simulate"],
        **record_options(args),
    ) as record:
        result = simulate(
            arm,
            cohort,
            seed=study.seed,
            course_mice=study.figures.course_mice,
            progress=progress(f"simulate {arm.name}, {mice}", len(cohort)),
        )
        write(result.outcomes, args.outcomes, OUTCOMES)
        write(result.courses, args.courses, COURSES)
        write(result.colonies, args.colonies, COLONIES)
        done = result.outcomes[result.outcomes["status"] == "finished"]
        record.metric("mice_finished", len(done))
        record.metric("mice_failed", len(result.outcomes) - len(done))
        record.metric("foci_mean", done["foci"].mean())
        for path in (args.outcomes, args.courses, args.colonies):
            record.output(path)
