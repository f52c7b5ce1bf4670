"""Stage calibration: the population that a variant has come to, and how it got there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from nichetrial.cohort import smc
from nichetrial.cohort.population import POPULATION
from nichetrial.cohort.space import NAMES, parameters, priors_of
from nichetrial.evidence.posterior import POSTERIOR, posterior
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import read, write, write_csv

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial population``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--variant", required=True, help="variant of the model")
    parser.add_argument(
        "--particles", nargs="+", required=True, help="chunks of all generations, in order"
    )
    parser.add_argument("--out", required=True, help="folder to write to")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Write the last generation as a population, its posterior, and how it was reached."""
    study, out = read_study(args.study), Path(args.out)
    spec, priors = study.calibration, priors_of(args.variant)
    with recording(
        args.record,
        stage="population",
        name=args.variant,
        parameters={
            "variant": args.variant,
            **spec.model_dump(
                mode="json", include={"particles", "generations", "moves", "mice", "fit"}
            ),
        },
        seed=study.seed,
        inputs=args.particles,
        code=CODE["population"],
        **record_options(args),
    ) as record:
        chunks, per = args.particles, len(spec.chunks())
        generations = [
            smc.Particles.of(read(*chunks[k : k + per])) for k in range(0, len(chunks), per)
        ]
        last = generations[-1]
        settings = smc.Settings(seed=study.seed, particles=spec.particles, moves=spec.moves)
        curve = smc.curve(settings, generations)
        values = parameters(last.u, priors)
        columns = dict(zip(NAMES, values.T, strict=True))
        write(
            pd.DataFrame({"particle": last.slot, **columns}), out / "population.parquet", POPULATION
        )
        for name, table, schema in (
            ("generations", curve, smc.GENERATIONS),
            ("posterior", posterior(values, last.u, priors), POSTERIOR),
        ):
            write(table, out / f"{name}.parquet", schema)
            write_csv(table, out / f"{name}.csv")
            record.output(out / f"{name}.parquet")
            record.output(out / f"{name}.csv")
        record.output(out / "population.parquet")
        for name in ("limit", "met", "acceptance", "effective", "origins", "support"):
            record.metric(name, curve[name].iloc[-1])
        end = curve.iloc[-1]
        print(
            f"{args.variant}: {end['met']:.0%} of {spec.particles} particles meet all findings "
            f"(largest distance {last.distance.max():.3g}); effective sample size "
            f"{end['effective']:.0f}, from {end['origins']:.0f} draws of the priors; "
            f"{end['acceptance']:.0%} of the last steps taken; {end['support']:.0%} of the priors' "
            "ranges covered",
            file=sys.stderr,
        )
