"""Stage compare_sweeps: the arms of all sweeps, and what each sweep asks."""

from __future__ import annotations

import pandas as pd

from nichetrial.cohort.sample import effective_share
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.dose_response import DOSE_CURVES, DOSE_RESPONSE, dose_response
from nichetrial.compare.over_particles import EFFECTS, effects
from nichetrial.compare.pooled import pooled_effects
from nichetrial.compare.surface import SURFACE, SYNERGY, surface
from nichetrial.compare.window import SCHEDULES, WINDOW, schedules, window
from nichetrial.stages.work import Work
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema, read

__all__ = ["run"]

TABLES: dict[str, Schema] = {
    "sweep_effects": EFFECTS,
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
        seed=study.seed, n=study.cohort.particles, resamples=spec.resamples, interval=spec.interval
    )
    effective = effective_share(read(*work.reads["typical"]))
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
        pooled = pooled_effects(outcomes, own, study.cohort.mice, bootstrap)
        effect = effects(outcomes, pooled, own, effective=effective)
        found["sweep_effects"].append(effect)
        if sweep.asks == "dose_response":
            fitted, curves = dose_response(outcomes, sweep, spec.reference)
            found["dose_response"].append(fitted)
            found["dose_curves"].append(curves)
        elif sweep.asks == "surface":
            points, judged = surface(outcomes, sweep, spec.reference, effective=effective)
            found["surface"].append(points)
            found["synergy"].append(judged)
        elif sweep.asks == "window":
            found["window"].append(window(effect, sweep))
        elif sweep.asks == "schedules":
            found["schedules"].append(schedules(effect, sweep))
    for name, parts in found.items():
        work.write(name, _joined(parts, TABLES[name]), TABLES[name])
    work.record.metric("arms", sum(len(s.arms) for s in swept))


def _joined(parts: list[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """One table; without parts an empty one."""
    if not parts:
        return pd.DataFrame(columns=list(schema))
    return pd.concat(parts, ignore_index=True)
