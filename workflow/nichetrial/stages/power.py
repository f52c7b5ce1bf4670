"""Stage comparisons: mice needed by a real experiment, and where the uncertainty comes from."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.power import (
    DESIGN,
    MICE_NEEDED,
    POWER,
    design,
    experiments,
    mice_needed,
    power,
)
from nichetrial.compare.uncertainty import UNCERTAINTY, uncertainty
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import (
    add_record_options,
    read_study,
    record_options,
    write_tables,
)
from nichetrial.tables import read

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial power``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--effects", required=True, help="Parquet file of the effects")
    parser.add_argument("--experiments", required=True, help="folder: <arm>.groups.parquet, ...")
    parser.add_argument("--out", required=True, help="folder to write the tables to")
    parser.add_argument("--missing", nargs="*", default=[], help="arms whose jobs failed")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Do the test in every simulated experiment, split the uncertainty, write the tables."""
    study = read_study(args.study)
    asked, spec, folder = study.power, study.comparisons, Path(args.experiments)
    names = [arm.name for arm in study.arms if arm.name not in args.missing]
    files = {kind: [folder / f"{n}.{kind}.parquet" for n in names] for kind in ("groups", "twins")}
    with recording(
        args.record,
        stage="power",
        name="power",
        parameters={
            "power": asked.model_dump(mode="json"),
            "pairs": [p.model_dump() for p in spec.pairs],
            "interval": spec.interval,
            "resamples": spec.resamples,
            "missing": sorted(args.missing),
        },
        seed=study.seed,
        inputs=[args.effects, *files["groups"], *files["twins"]],
        code=CODE["power"],
        **record_options(args),
    ) as record:
        effects = read(args.effects)
        seen = effects[effects["outcome"] == asked.outcome]
        directions = {
            (row.arm, row.reference): 0
            if math.isnan(row.difference)
            else int(math.copysign(1, row.difference) if row.difference else 0)
            for row in seen.itertuples()
        }
        groups, twins = (
            dict(zip(names, map(read, files[kind]), strict=True)) for kind in ("groups", "twins")
        )
        done = experiments(
            groups, spec.pairs, outcome=asked.outcome, test=asked.test, sizes=asked.sizes,
            directions=directions,
        )  # fmt: skip

        def bootstrap(n: int) -> Bootstrap:
            return Bootstrap(seed=study.seed, n=n, resamples=spec.resamples, interval=spec.interval)

        needed = mice_needed(
            done, alpha=asked.alpha, correction=asked.correction, target=asked.target,
            bootstrap=bootstrap(asked.experiments),
        )  # fmt: skip
        write_tables(
            record,
            Path(args.out),
            {
                "power": (power(done, alpha=asked.alpha), POWER),
                "design": (design(done, alpha=asked.alpha, correction=asked.correction), DESIGN),
                "mice_needed": (needed, MICE_NEEDED),
                "uncertainty": (
                    uncertainty(twins, spec.pairs, bootstrap(asked.particles)),
                    UNCERTAINTY,
                ),
            },
        )
        record.metric("experiments", asked.experiments)
