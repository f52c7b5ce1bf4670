"""Stage comparisons: the arms of all sweeps, and what each sweep asks."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.dose_response import DOSE_CURVES, DOSE_RESPONSE, dose_response
from nichetrial.compare.effects import EFFECTS, effects
from nichetrial.compare.surface import SURFACE, SYNERGY, surface
from nichetrial.compare.window import SCHEDULES, WINDOW, schedules, window
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options, write_tables
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import Pair
from nichetrial.tables import Schema, read

__all__ = ["add_arguments", "run"]

TABLES: dict[str, Schema] = {
    "sweep_effects": EFFECTS,
    "dose_response": DOSE_RESPONSE,
    "dose_curves": DOSE_CURVES,
    "surface": SURFACE,
    "synergy": SYNERGY,
    "window": WINDOW,
    "schedules": SCHEDULES,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial compare-sweeps``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder: results/<study>")
    parser.add_argument("--missing", nargs="*", default=[], help="arms, sweeps whose jobs failed")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Compare each sweep's arms with the reference, answer what it asks, write all tables."""
    study, layout = read_study(args.study), Layout(args.results)
    spec, chunks = study.comparisons, study.chunks()
    swept = [s for s in study.sweeps if s.name not in args.missing]
    if spec.reference in args.missing:
        swept = []
    files = {s.name: [layout.sweep(s.name, c.name) for c in chunks] for s in swept}
    base = [layout.simulation(spec.reference, c.name, "outcomes") for c in chunks] if swept else []
    with recording(
        args.record,
        stage="compare-sweeps",
        name="sweeps",
        parameters={
            "sweeps": [s.model_dump(mode="json") for s in study.sweeps],
            "comparisons": spec.model_dump(mode="json"),
            "missing": sorted(args.missing),
        },
        seed=study.seed,
        inputs=[*base, *(f for fs in files.values() for f in fs)],
        code=CODE["compare-sweeps"],
        **record_options(args),
    ) as record:
        bootstrap = Bootstrap(
            seed=study.seed, n=study.cohort.mice, resamples=spec.resamples, interval=spec.interval
        )
        found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
        for sweep in swept:
            table = read(*files[sweep.name])
            outcomes = {
                str(name): rows.drop(columns="arm").reset_index(drop=True)
                for name, rows in table.groupby("arm", sort=False)
            }
            outcomes[spec.reference] = read(*base)
            pairs = tuple(Pair(arm=arm.name, reference=spec.reference) for arm in sweep.arms)
            own = spec.model_copy(update={"pairs": pairs})
            found["sweep_effects"].append(effects(outcomes, own, study.cohort.mice, bootstrap))
            asked = (outcomes, sweep, spec.reference, bootstrap)
            if sweep.asks == "dose_response":
                fitted, curves = dose_response(*asked)
                found["dose_response"].append(fitted)
                found["dose_curves"].append(curves)
            elif sweep.asks == "surface":
                points, judged = surface(*asked)
                found["surface"].append(points)
                found["synergy"].append(judged)
            elif sweep.asks == "window":
                found["window"].append(window(*asked))
            elif sweep.asks == "schedules":
                found["schedules"].append(schedules(*asked))
        write_tables(
            record,
            Path(layout.comparison("sweep_effects")).parent,
            {name: (_joined(parts, TABLES[name]), TABLES[name]) for name, parts in found.items()},
        )
        record.metric("arms", sum(len(s.arms) for s in swept))


def _joined(parts: list[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """One table; without parts an empty one."""
    if not parts:
        return pd.DataFrame(columns=list(schema))
    return pd.concat(parts, ignore_index=True)
