"""Stage experiments: one arm as many labs would see it, for the mice needed."""

from __future__ import annotations

import argparse
from typing import Any

from nichetrial.cohort.particle_source import particles_of
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.stages.selection import arm_named
from nichetrial.tables import write
from nichetrial.trial.experiments import GROUPS, TWINS, groups, twins

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial experiments``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--arm", required=True, help="name of the arm")
    parser.add_argument(
        "--population", help="Parquet file of particles; left out: as the study says"
    )
    parser.add_argument("--groups", required=True, help="Parquet file to write: the groups")
    parser.add_argument("--twins", required=True, help="Parquet file to write: the twins")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Draw the animals, simulate them in the arm, and write both tables."""
    study = read_study(args.study)
    arm, cohort, power = arm_named(study, args.arm), study.cohort, study.power
    with recording(
        args.record,
        stage="experiments",
        name=arm.name,
        parameters={
            "arm": arm.model_dump(mode="json"),
            "population": cohort.population,
            "overrides": {k: v.model_dump(mode="json") for k, v in cohort.overrides.items()},
            "experiments": power.experiments,
            "size": max(power.sizes),
        },
        seed=study.seed,
        inputs=[args.population] if args.population else [],
        code=CODE["experiments"],
        **record_options(args),
    ) as record:
        given: dict[str, Any] = {
            "seed": study.seed,
            "overrides": cohort.overrides,
            "population": particles_of(cohort.population, args.population or "--population"),
        }
        size, count = max(power.sizes), power.experiments
        write(groups(arm, experiments=count, size=size, **given), args.groups, GROUPS)
        write(twins(arm, particles=power.particles, **given), args.twins, TWINS)
        record.metric("experiments", count)
        for path in (args.groups, args.twins):
            record.output(path)
