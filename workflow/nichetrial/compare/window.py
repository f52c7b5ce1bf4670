"""When to treat: start and duration against the arrival of the tumour; schedules of one drug."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.effects import Outcomes, ratio_of_means
from nichetrial.compare.ranking import amount, injections
from nichetrial.study.resolved import Arm, Sweep
from nichetrial.tables import Schema

__all__ = ["SCHEDULES", "WINDOW", "schedules", "window"]

_F, _S, _I = pa.float64(), pa.string(), pa.int64()
_EFFECT: Schema = {
    "n": (_I, "mice", "pairs compared"),
    "ratio": (_F, "1", "mean foci over those of the reference, in the same mice"),
    "ratio_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "ratio_high": (_F, "1", "upper bound"),
}
WINDOW: Schema = {
    "sweep": (_S, "1", "the sweep"),
    "arm": (_S, "1", "the arm"),
    "drug": (_S, "1", "the drug"),
    "start": (_F, "d", "first dose"),
    "duration": (_F, "d", "how long it is given"),
    "arrival": (_F, "d", "day on which tumour cells are given"),
    **_EFFECT,
    "best": (pa.bool_(), "1", "whether no other start and duration leaves fewer foci"),
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


def window(outcomes: Outcomes, sweep: Sweep, reference: str, bootstrap: Bootstrap) -> pd.DataFrame:
    """One row a start and duration (schema WINDOW), for a sweep over both of one drug."""
    whats = [axis.what for axis in sweep.axes]
    start, duration = whats.index("start"), whats.index("duration")
    effects = _ratios(outcomes, [a.name for a in sweep.arms], reference, bootstrap)
    rows = [
        {
            "sweep": sweep.name,
            "arm": arm.name,
            "drug": sweep.axes[start].drug,
            "start": point[start],
            "duration": point[duration],
            "arrival": arm.challenge.day,
            **effect,
        }
        for arm, point, effect in zip(sweep.arms, sweep.points, effects, strict=True)
    ]
    table = pd.DataFrame(rows)
    table["best"] = table["ratio"] == table["ratio"].min()
    return table[list(WINDOW)]


def schedules(
    outcomes: Outcomes, sweep: Sweep, reference: str, bootstrap: Bootstrap
) -> pd.DataFrame:
    """One row a schedule (schema SCHEDULES), for a sweep over schedules of one drug."""
    drug = next(axis.drug for axis in sweep.axes if axis.drug)
    effects = _ratios(outcomes, [a.name for a in sweep.arms], reference, bootstrap)
    rows = []
    for arm, words, effect in zip(sweep.arms, sweep.written, effects, strict=True):
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
                **effect,
            }
        )
    return pd.DataFrame(rows)[list(SCHEDULES)]


def _words(arm: Arm, drug: str) -> str:
    return "; ".join(t.written for t in arm.treatments if t.drug == drug)


def _ratios(
    outcomes: Outcomes, names: Sequence[str], reference: str, bootstrap: Bootstrap
) -> list[dict[str, float]]:
    """The effect of each arm on foci; the same mice are resampled for all."""
    ref = outcomes[reference]
    found = []
    for name in names:
        arm = outcomes[name]
        valid = ((arm["status"] == "finished") & (ref["status"] == "finished")).to_numpy()
        foci = np.column_stack([arm["foci"], ref["foci"]]).astype(np.float64)
        row = {"n": int(valid.sum()), "ratio": np.nan, "ratio_low": np.nan, "ratio_high": np.nan}
        if valid.any():
            mean = foci[valid].mean(axis=0)
            drawn = bootstrap.means(foci, valid)
            row["ratio"] = float(ratio_of_means(mean[0], mean[1]))
            row["ratio_low"], row["ratio_high"] = bootstrap.bounds(
                ratio_of_means(drawn[:, 0], drawn[:, 1])
            )
        found.append(row)
    return found
