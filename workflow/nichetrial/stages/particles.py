"""Stage calibration: one generation of some particles of one variant."""

from __future__ import annotations

import argparse

import numpy as np

from nichetrial.cohort import smc
from nichetrial.cohort.space import priors_of
from nichetrial.evidence.agreement import distance
from nichetrial.evidence.finding_studies import own_files
from nichetrial.evidence.findings import check_held_out, fitted_findings
from nichetrial.evidence.simulated import Laboratory
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.study.layout import Chunk
from nichetrial.tables import read, write

__all__ = ["add_arguments", "run"]


LUCK = 1 << 61
"""Changes the seed: the experiments' mice are not those of the trial."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial particles``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--variant", required=True, help="variant of the model")
    parser.add_argument("--generation", type=int, required=True, help="0: draws from the priors")
    parser.add_argument("--first", type=int, required=True, help="first particle of the chunk")
    parser.add_argument("--last", type=int, required=True, help="last particle, included")
    parser.add_argument("--previous", nargs="*", default=[], help="all of the generation before")
    parser.add_argument("--out", required=True, help="Parquet file to write")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Move the particles and write them. Set B is checked to be untouched, and not read."""
    study = read_study(args.study)
    spec = study.calibration
    with recording(
        args.record,
        stage="particles",
        name=f"{args.variant}/{args.generation:03d}/{Chunk(args.first, args.last).name}",
        parameters={
            "variant": args.variant,
            "generation": args.generation,
            **spec.model_dump(mode="json", include={"particles", "moves", "mice"}),
        },
        seed=study.seed,
        inputs=[*args.previous, *own_files(spec.fit)],
        code=CODE["particles"],
        **record_options(args),
    ) as record:
        check_held_out()
        findings = fitted_findings(spec.fit)
        laboratory = Laboratory(findings, seed=study.seed ^ LUCK, mice=spec.mice)
        settings = smc.Settings(seed=study.seed, particles=spec.particles, moves=spec.moves)
        priors, slots = priors_of(args.variant), np.arange(args.first, args.last + 1)

        def far(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
            return distance(findings, laboratory.experiments(values, keys))

        if args.generation == 0:
            found = smc.start(settings, priors, slots, far)
        else:
            whole = smc.Particles.of(read(*args.previous))
            found = smc.move(settings, priors, whole, slots, args.generation, far)
        write(found.table(), args.out, smc.PARTICLES)
        record.metric("distance_median", float(np.median(found.distance)))
        record.metric("met", float(np.mean(found.distance == 0.0)))
        record.output(args.out)
