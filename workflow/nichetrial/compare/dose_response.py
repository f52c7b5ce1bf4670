"""Dose and response: a Hill curve through the foci of a sweep over the dose of one drug, in each
particle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.hill import COEFFICIENTS, Hill, fit_hill
from nichetrial.compare.nested import Design
from nichetrial.compare.over_particles import ROUNDING, summary, summed
from nichetrial.compare.pooled import Outcomes
from nichetrial.study.resolved import Sweep
from nichetrial.tables import Schema

__all__ = ["DOSE_CURVES", "DOSE_RESPONSE", "FITTED", "Swept", "dose_response", "responds", "typed"]

FITTED = 200
"""At most so many particles are fitted, the first."""
CURVE = 61
"""Doses of the fitted curve."""
WIGGLE = 0.05
"""A turn is one only if it is at least this share of the whole range of the ratios."""

Floats = NDArray[np.float64]

_F = pa.float64()


DOSE_RESPONSE: Schema = {
    "sweep": (pa.string(), "1", "the sweep over doses"),
    "drug": (pa.string(), "1", "the drug"),
    "unit": (pa.string(), "1", "unit of doses and of ed50"),
    **summed("e0", "ratio of foci at dose 0, as simulated if the sweep has it, else 1"),
    **summed("emax", "ratio of foci at a dose without end"),
    **summed("ed50", "dose of half the effect", "see unit"),
    **summed("hill", "Hill coefficient"),
    "residual": (_F, "1", "largest distance of a point from the curve: median over particles"),
    "doses": (pa.int64(), "1", "doses above zero that were simulated"),
    "particles": (pa.int64(), "particles", "particles without a failure in all these arms"),
    "fitted": (pa.int64(), "particles", f"of these, fitted: those that respond, at most {FITTED}"),
    "beyond": (_F, "1", "share of the fitted whose ed50 is above the highest dose"),
    "note": (pa.string(), "1", "what to know before reading the row; empty: nothing"),
}
DOSE_CURVES: Schema = {
    "sweep": (pa.string(), "1", "the sweep over doses"),
    "dose": (_F, "see unit in dose_response", "the dose"),
    "kind": (pa.string(), "1", "point: simulated; fit: the curve"),
    **{
        {"ratio_low": "low", "ratio_high": "high"}.get(name, name): column
        for name, column in summed("ratio", "expected foci, arm over reference").items()
    },
}


@dataclass(frozen=True)
class Swept:
    """Expected foci of the arms of a sweep, in the particles that finished in all of them.

    Attributes:
        places: of the arms that are there, in the sweep.
        foci: (particles, animals, arms). base: (particles, animals), of the reference.
    """

    places: list[int]
    foci: Floats
    base: Floats

    @classmethod
    def of(cls, outcomes: Outcomes, sweep: Sweep, reference: str) -> Swept:
        """Those of ``sweep`` that are among ``outcomes``; of none where the reference is absent.

        A particle whose reference expects nothing is left out.
        """
        places = [k for k, arm in enumerate(sweep.arms) if arm.name in outcomes]
        if reference not in outcomes or not places:
            return cls([], np.empty((0, 1, 0)), np.empty((0, 1)))
        tables = [outcomes[sweep.arms[k].name] for k in places]
        design = Design.of([*tables, outcomes[reference]])
        base = design.values(outcomes[reference], "expected_foci")
        foci = np.stack([design.values(t, "expected_foci") for t in tables], axis=2)
        able = base.mean(axis=1) > 0.0
        return cls(places, foci[able], base[able])

    @property
    def ratios(self) -> Floats:
        """(particles, arms): expected foci over those of the reference, inside each particle."""
        return self.foci.mean(axis=1) / self.base.mean(axis=1)[:, None]


def responds(ratios: Floats, start: Floats) -> NDArray[np.bool_]:
    """(particles,): does any dose (particles, doses) differ from ``start`` (particles,)?"""
    return np.asarray(np.abs(ratios - start[:, None]).max(axis=1) > ROUNDING)


def _turns(ratios: Floats) -> bool:
    """Does the outcome, from dose to dose, both rise and fall, in nine of ten particles each?"""
    least = WIGGLE * float(np.ptp(np.median(ratios, axis=0)))
    signs = set()
    for i in range(ratios.shape[1]):
        for j in range(i + 1, ratios.shape[1]):
            step = ratios[:, j] - ratios[:, i]
            low, high = np.quantile(step, (0.1, 0.9))
            if abs(float(np.median(step))) > least and (low > 0.0 or high < 0.0):
                signs.add(bool(low > 0.0))
    return len(signs) > 1


def dose_response(
    outcomes: Outcomes, sweep: Sweep, reference: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The fit (schema DOSE_RESPONSE, one row) and points and curve (schema DOSE_CURVES).

    Where no curve can be fitted its columns are NaN and ``note`` says why. Raises ValueError if the
    sweep is not over one dose.
    """
    if [axis.what for axis in sweep.axes] != ["dose"]:
        raise ValueError(f"{sweep.name} is not a sweep over one dose")
    axis, swept = sweep.axes[0], Swept.of(outcomes, sweep, reference)
    dose = np.array([sweep.points[k][0] for k in swept.places], dtype=np.float64)
    order = np.argsort(dose, kind="stable")
    dose, ratios = dose[order], swept.ratios[:, order]
    row: dict[str, Any] = {
        "sweep": sweep.name,
        "drug": axis.drug or "",
        "unit": axis.unit,
        "doses": int(np.sum(dose > 0.0)),
        "particles": len(ratios),
        "fitted": 0,
    }
    curves: list[dict[str, Any]] = []
    if not swept.places:
        row["note"] = "the reference is missing, or all doses are"
    elif not len(ratios):
        row["note"] = "no particle finished in all doses with foci in the reference"
    else:
        curves += [{"kind": "point"} | point for point in _points(dose, ratios)]
        found, fitted = _fitted(dose, ratios)
        row |= found
        curves += [{"kind": "fit"} | point for point in fitted]
    table = pd.DataFrame([{"sweep": sweep.name, **c} for c in curves], columns=list(DOSE_CURVES))
    return (
        typed(pd.DataFrame([row], columns=list(DOSE_RESPONSE)), DOSE_RESPONSE),
        typed(table, DOSE_CURVES),
    )


def _points(dose: Floats, ratios: Floats) -> list[dict[str, float]]:
    points = []
    for k, d in enumerate(dose):
        ratio, low, high = summary("ratio", ratios[:, k]).values()
        points.append({"dose": float(d), "ratio": ratio, "low": low, "high": high})
    return points


def _fitted(dose: Floats, ratios: Floats) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Columns of the fit, and the points of its curve."""
    above, zero = dose > 0.0, dose == 0.0
    start = ratios[:, zero][:, 0] if zero.any() else np.ones(len(ratios))
    out: dict[str, Any] = summary("e0", start) if zero.any() else {"e0": 1.0}
    x, y = dose[above], ratios[:, above]
    if len(x) < 3:
        return out | {"note": "fewer than three doses above zero"}, []
    able = np.flatnonzero(responds(y, start))[:FITTED]
    if not able.size:
        return out | {"note": "no dose changes the outcome"}, []
    hills = [fit_hill(x, y[k], float(start[k])) for k in able]
    for name, of in (("emax", "emax"), ("ed50", "ed50"), ("hill", "h")):
        out |= summary(name, np.array([getattr(hill, of) for hill in hills]))
    apart = [np.max(np.abs(hill.at(x) - y[k])) for hill, k in zip(hills, able, strict=True)]
    out["residual"] = float(np.median(apart))
    out["fitted"] = len(hills)
    out["beyond"] = float(np.mean([hill.ed50 > x[-1] for hill in hills]))
    notes = []
    if out["beyond"] >= 0.5:
        notes.append("ED50 is mostly above the highest dose tried: read it as a bound")
    if len(x) == 3:
        notes.append("a curve of three parameters through three doses says little more than they")
    if not COEFFICIENTS[0] * 1.01 < out["hill"] < COEFFICIENTS[1] * 0.99:
        notes.append("the slope is at the bound of the fit: ED50 is only known between two doses")
    if _turns(ratios):
        notes.append("not monotone")
    return out | {"note": "; ".join(notes)}, _curve(hills, np.geomspace(x[0], x[-1], CURVE))


def _curve(hills: list[Hill], grid: Floats) -> list[dict[str, float]]:
    return _points(grid, np.array([hill.at(grid) for hill in hills]))


def typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Columns of numbers as float64, also where nothing is known."""
    real = [name for name, (kind, _, _) in schema.items() if kind == _F]
    return frame.astype(dict.fromkeys(real, np.float64))
