"""Dose and response: a Hill curve through the foci of a sweep over the dose of one drug."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.effects import Outcomes, ratio_of_means
from nichetrial.compare.hill import COEFFICIENTS, Hill, fit_hill
from nichetrial.study.resolved import Sweep
from nichetrial.tables import Schema

__all__ = ["DOSE_CURVES", "DOSE_RESPONSE", "REFITS", "dose_response", "swept_ratios", "unchanged"]

REFITS = 200
"""At most so many resamples of mice are fitted again for an interval."""
CURVE = 61
"""Doses of the fitted curve."""
WIGGLE = 0.05
"""A turn is one only if it is at least this share of the whole range of the ratios."""

_F = pa.float64()
DOSE_RESPONSE: Schema = {
    "sweep": (pa.string(), "1", "the sweep over doses"),
    "drug": (pa.string(), "1", "the drug"),
    "unit": (pa.string(), "1", "unit of doses and of ed50"),
    "e0": (_F, "1", "ratio of foci at dose 0: measured if the sweep has it, else 1"),
    "e0_low": (_F, "1", "lower bound of its bootstrap interval over mice, if measured"),
    "e0_high": (_F, "1", "upper bound"),
    "emax": (_F, "1", "ratio of foci at a dose without end"),
    "emax_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "emax_high": (_F, "1", "upper bound"),
    "ed50": (_F, "see unit", "dose of half the effect"),
    "ed50_low": (_F, "see unit", "lower bound of its bootstrap interval over mice"),
    "ed50_high": (_F, "see unit", "upper bound"),
    "hill": (_F, "1", "Hill coefficient"),
    "hill_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "hill_high": (_F, "1", "upper bound"),
    "residual": (_F, "1", "largest distance of a point from the curve"),
    "doses": (pa.int64(), "1", "doses above zero that were simulated"),
    "n": (pa.int64(), "mice", "mice that finished in all these arms"),
    "note": (pa.string(), "1", "what to know before reading the row; empty: nothing"),
}
DOSE_CURVES: Schema = {
    "sweep": (pa.string(), "1", "the sweep over doses"),
    "dose": (_F, "see unit in dose_response", "the dose"),
    "kind": (pa.string(), "1", "point: simulated; fit: the curve"),
    "ratio": (_F, "1", "ratio of mean foci, arm over reference"),
    "low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "high": (_F, "1", "upper bound"),
}


def swept_ratios(
    outcomes: Outcomes, sweep: Sweep, reference: str, bootstrap: Bootstrap
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64], int]:
    """Ratios of mean foci of the arms of ``sweep`` to ``reference``, by the mice that finished in
    all of them: places in the sweep of the arms that are there, ratios (arms,), those of each
    resample (resamples, arms), and the mice."""
    places = [k for k, arm in enumerate(sweep.arms) if arm.name in outcomes]
    if reference not in outcomes or not places:
        return [], np.empty(0), np.empty((0, 0)), 0
    tables = [outcomes[sweep.arms[k].name] for k in places] + [outcomes[reference]]
    valid = np.logical_and.reduce([(t["status"] == "finished").to_numpy() for t in tables])
    foci = np.column_stack([t["foci"].to_numpy(np.float64) for t in tables])
    if not valid.any():
        return [], np.empty(0), np.empty((0, 0)), 0
    point, drawn = foci[valid].mean(axis=0), bootstrap.means(foci, valid)
    return (
        places,
        ratio_of_means(point[:-1], point[-1:]),
        ratio_of_means(drawn[:, :-1], drawn[:, -1:]),
        int(valid.sum()),
    )


def unchanged(changes: NDArray[np.float64], drawn: NDArray[np.float64], boot: Bootstrap) -> bool:
    """Do the intervals of all ``changes`` (doses,) from dose 0 cover no change?"""
    if not np.any(np.abs(changes) > 1e-12):
        return True
    bounds = [boot.bounds(drawn[:, k]) for k in range(len(changes))]
    return all(low <= 0.0 <= high for low, high in bounds)


def _turns(ratios: NDArray[np.float64], drawn: NDArray[np.float64], boot: Bootstrap) -> bool:
    """Does the outcome, from dose to dose, both rise and fall, beyond what chance does?"""
    least = WIGGLE * float(np.ptp(ratios))
    signs = set()
    for i in range(len(ratios)):
        for j in range(i + 1, len(ratios)):
            step = ratios[j] - ratios[i]
            low, high = boot.bounds(drawn[:, j] - drawn[:, i])
            if abs(step) > least and (low > 0.0 or high < 0.0):
                signs.add(bool(step > 0.0))
    return len(signs) > 1


def dose_response(
    outcomes: Outcomes, sweep: Sweep, reference: str, bootstrap: Bootstrap
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The fit (schema DOSE_RESPONSE, one row) and points and curve (schema DOSE_CURVES).

    Where no curve can be fitted its columns are NaN and ``note`` says why. Intervals come of
    fitting resamples of mice again. Raises ValueError if the sweep is not over one dose.
    """
    if [axis.what for axis in sweep.axes] != ["dose"]:
        raise ValueError(f"{sweep.name} is not a sweep over one dose")
    axis = sweep.axes[0]
    places, ratios, drawn, n = swept_ratios(outcomes, sweep, reference, bootstrap)
    dose = np.array([sweep.points[k][0] for k in places], dtype=np.float64)
    order = np.argsort(dose, kind="stable")
    dose, ratios, drawn = dose[order], ratios[order], drawn[:, order] if n else drawn
    row: dict[str, Any] = {
        "sweep": sweep.name,
        "drug": axis.drug or "",
        "unit": axis.unit,
        "doses": int(np.sum(dose > 0.0)),
        "n": n,
    }
    curves = [
        {"sweep": sweep.name, "dose": d, "kind": "point", "ratio": r, "low": low, "high": high}
        for k, (d, r) in enumerate(zip(dose, ratios, strict=True))
        for low, high in [bootstrap.bounds(drawn[:, k])]
    ]
    if not n:
        row["note"] = "no mouse finished in the reference and in all doses"
    elif not np.isfinite(ratios).all():
        row["note"] = "the reference has no foci"
    else:
        found, fitted = _fitted(dose, ratios, drawn, bootstrap)
        row |= found
        curves += [{"sweep": sweep.name, "kind": "fit"} | point for point in fitted]
    return (
        _typed(pd.DataFrame([row], columns=list(DOSE_RESPONSE)), DOSE_RESPONSE),
        _typed(pd.DataFrame(curves, columns=list(DOSE_CURVES)), DOSE_CURVES),
    )


def _fitted(
    dose: NDArray[np.float64],
    ratios: NDArray[np.float64],
    drawn: NDArray[np.float64],
    bootstrap: Bootstrap,
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Columns of the fit, and the points of its curve."""
    above, zero = dose > 0.0, dose == 0.0
    e0, e0_drawn = 1.0, np.ones(len(drawn))
    out: dict[str, Any] = {}
    if zero.any():
        e0, e0_drawn = float(ratios[zero][0]), drawn[:, zero][:, 0]
        out["e0_low"], out["e0_high"] = bootstrap.bounds(e0_drawn)
    out["e0"] = e0
    x, y = dose[above], ratios[above]
    if len(x) < 3:
        return out | {"note": "fewer than three doses above zero"}, []
    if unchanged(y - e0, drawn[:, above] - e0_drawn[:, None], bootstrap):
        return out | {"note": "no dose changes the outcome"}, []
    best = fit_hill(x, y, e0)
    grid = np.geomspace(x[0], x[-1], CURVE)
    again = [
        fit_hill(x, resample, float(start), None)
        for resample, start in zip(drawn[:REFITS, above], e0_drawn[:REFITS], strict=True)
        if np.isfinite(resample).all()
    ]
    for name, of in (("emax", "emax"), ("ed50", "ed50"), ("hill", "h")):
        out[name] = getattr(best, of)
        out[f"{name}_low"], out[f"{name}_high"] = bootstrap.bounds(
            np.array([getattr(hill, of) for hill in again])
        )
    out["residual"] = float(np.max(np.abs(best.at(x) - y)))
    notes = []
    if best.ed50 > x[-1]:
        notes.append("ED50 is above the highest dose tried: read it as a bound")
    if len(x) == 3:
        notes.append("a curve of three parameters through three doses says little more than they")
    if not COEFFICIENTS[0] * 1.01 < best.h < COEFFICIENTS[1] * 0.99:
        notes.append("the slope is at the bound of the fit: ED50 is only known between two doses")
    if _turns(ratios, drawn, bootstrap):
        notes.append("not monotone")
    return out | {"note": "; ".join(notes)}, _curve(best, again, grid, bootstrap)


def _curve(
    best: Hill, again: list[Hill], grid: NDArray[np.float64], bootstrap: Bootstrap
) -> list[dict[str, float]]:
    band = np.array([hill.at(grid) for hill in again])
    points = []
    for k, (d, r) in enumerate(zip(grid, best.at(grid), strict=True)):
        low, high = bootstrap.bounds(band[:, k])
        points.append({"dose": float(d), "ratio": float(r), "low": low, "high": high})
    return points


def _typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Columns of numbers as float64, also where nothing is known."""
    real = [name for name, (kind, _, _) in schema.items() if kind == _F]
    return frame.astype(dict.fromkeys(real, np.float64))
