"""Stage compare_sweeps: the arms of all sweeps, and what each sweep asks."""

from __future__ import annotations

import pandas as pd

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.dose_response import DOSE_CURVES, DOSE_RESPONSE, dose_response
from nichetrial.compare.effects import POOLED, pooled_effects
from nichetrial.compare.surface import SURFACE, SYNERGY, surface
from nichetrial.compare.window import SCHEDULES, WINDOW, schedules, window
from nichetrial.stages.work import Work
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema, read

__all__ = ["run"]

TABLES: dict[str, Schema] = {
    "sweep_effects": POOLED,
    "dose_response": DOSE_RESPONSE,
    "dose_curves": DOSE_CURVES,
    "surface": SURFACE,
    "synergy": SYNERGY,
    "window": WINDOW,
    "schedules": SCHEDULES,
}


def run(work: Work) -> None:
    """Compare each sweep's arms with the reference, answer what it asks, write all tables."""
    study, spec = work.study, work.study.comparisons
    bootstrap = Bootstrap(
        seed=study.seed, n=study.cohort.mice, resamples=spec.resamples, interval=spec.interval
    )
    swept = [sweep for sweep in study.sweeps if f"sweep {sweep.name}" in work.reads]
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for sweep in swept:
        table = read(*work.reads[f"sweep {sweep.name}"])
        outcomes = {
            str(name): rows.drop(columns="arm").reset_index(drop=True)
            for name, rows in table.groupby("arm", sort=False)
        }
        outcomes[spec.reference] = read(*work.reads["reference"])
        pairs = tuple(Pair(arm=arm.name, reference=spec.reference) for arm in sweep.arms)
        own = spec.model_copy(update={"pairs": pairs})
        found["sweep_effects"].append(pooled_effects(outcomes, own, study.cohort.mice, bootstrap))
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
    for name, parts in found.items():
        work.write(name, _joined(parts, TABLES[name]), TABLES[name])
    work.record.metric("arms", sum(len(s.arms) for s in swept))


def _joined(parts: list[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """One table; without parts an empty one."""
    if not parts:
        return pd.DataFrame(columns=list(schema))
    return pd.concat(parts, ignore_index=True)
