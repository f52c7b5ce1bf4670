"""When to treat: start and duration against the arrival of the tumour; schedules of one drug."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from nichetrial.compare.over_particles import EFFECTS
from nichetrial.compare.ranking import amount, injections
from nichetrial.study.resolved import Arm, Sweep
from nichetrial.tables import Schema

__all__ = ["SCHEDULES", "WINDOW", "schedules", "window"]

_F, _S, _I = pa.float64(), pa.string(), pa.int64()
_EFFECT: Schema = {
    name: EFFECTS[name]
    for name in ("ratio", "ratio_low", "ratio_high", "p_fewer", "p_error", "particles", "effective")
}
"""Of foci, against the reference of the study."""
WINDOW: Schema = {
    "sweep": (_S, "1", "the sweep"),
    "arm": (_S, "1", "the arm"),
    "drug": (_S, "1", "the drug"),
    "start": (_F, "d", "first dose"),
    "duration": (_F, "d", "how long it is given"),
    "arrival": (_F, "d", "day on which tumour cells are given"),
    **_EFFECT,
    "best": (pa.bool_(), "1", "whether no other start and duration has a lower ratio"),
}
SCHEDULES: Schema = {
    "sweep": (_S, "1", "the sweep"),
    "arm": (_S, "1", "the arm"),
    "label": (_S, "1", "the schedule in words"),
    "drug": (_S, "1", "the drug"),
    "method": (_S, "1", "bolus or pump"),
    "injections": (_I, "1", "number of injections; a pump is implanted once"),
    "total": (_F, "mg/kg", "given in all"),
    **_EFFECT,
}


def window(effects: pd.DataFrame, sweep: Sweep) -> pd.DataFrame:
    """One row for each start and duration (schema WINDOW), of a sweep over both of one drug.

    ``effects``: of the arms of the sweep (schema EFFECTS).
    """
    whats = [axis.what for axis in sweep.axes]
    start, duration = whats.index("start"), whats.index("duration")
    rows = [
        {
            "sweep": sweep.name,
            "arm": arm.name,
            "drug": sweep.axes[start].drug,
            "start": point[start],
            "duration": point[duration],
            "arrival": arm.challenge.day,
        }
        for arm, point in zip(sweep.arms, sweep.points, strict=True)
    ]
    table = _with_effects(rows, effects)
    table["best"] = table["ratio"] == table["ratio"].min()
    return table[list(WINDOW)]


def schedules(effects: pd.DataFrame, sweep: Sweep) -> pd.DataFrame:
    """One row for each schedule (schema SCHEDULES), of a sweep over schedules of one drug.

    ``effects``: of the arms of the sweep (schema EFFECTS).
    """
    drug = next(axis.drug for axis in sweep.axes if axis.drug)
    rows = []
    for arm, words in zip(sweep.arms, sweep.written, strict=True):
        given = [t for t in arm.treatments if t.drug == drug]
        rows.append(
            {
                "sweep": sweep.name,
                "arm": arm.name,
                "label": _words(arm, drug) or ", ".join(words),
                "drug": drug,
                "method": given[0].method if given else "",
                "injections": sum(map(injections, given)),
                "total": sum(map(amount, given)),
            }
        )
    return _with_effects(rows, effects)[list(SCHEDULES)]


def _words(arm: Arm, drug: str) -> str:
    return "; ".join(t.written for t in arm.treatments if t.drug == drug)


def _with_effects(rows: list[dict[str, Any]], effects: pd.DataFrame) -> pd.DataFrame:
    foci = effects.loc[effects["outcome"] == "foci", ["arm", *_EFFECT]]
    return pd.DataFrame(rows).merge(foci, on="arm", how="left")
