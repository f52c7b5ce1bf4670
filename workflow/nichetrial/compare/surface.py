"""Two drugs over a grid of doses: the surface of foci, and its excess over four null models, in
each particle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import brentq

from nichetrial.compare.dose_response import FITTED, Swept, responds, typed
from nichetrial.compare.hill import Hill, fit_hill
from nichetrial.compare.musyc import fit_musyc, independent
from nichetrial.compare.over_particles import EXCESS, of_excess, summary, summed
from nichetrial.compare.pooled import Outcomes
from nichetrial.formatting import direction
from nichetrial.study.resolved import Sweep
from nichetrial.tables import Schema

__all__ = ["NULL_MODELS", "SURFACE", "SYNERGY", "loewe", "surface"]

FITTED_BY_MUSYC = 60
"""At most so many particles are fitted by MuSyC, the first."""
NULL_MODELS = ("bliss", "hsa", "loewe", "musyc")
_Array = NDArray[np.float64]
_F = pa.float64()


_BETTER: Schema = {name: EXCESS[name] for name in ("p_better", "p_error")}
_EXPECTED: Schema = {
    **summed("expected", "ratio under the null model; none for one drug alone"),
    **summed("excess", "ratio - expected; below zero: synergy, more effect than expected"),
    **_BETTER,
}
SURFACE: Schema = {
    "sweep": (pa.string(), "1", "the sweep over the doses of two drugs"),
    "arm": (pa.string(), "1", "the arm of this pair of doses"),
    "dose_a": (_F, "see unit_a in synergy", "dose of the first drug"),
    "dose_b": (_F, "see unit_b in synergy", "dose of the second drug"),
    "particles": (pa.int64(), "particles", "particles without a failure in all these arms"),
    **summed("ratio", "expected foci, arm over reference"),
    "null_model": (
        pa.string(),
        "1",
        "bliss: ratios multiply in each mouse; hsa: the better drug alone in each mouse; loewe: "
        "doses add; musyc: neither changes the other's potency or best effect",
    ),
    **_EXPECTED,
}
SYNERGY: Schema = {
    "sweep": (pa.string(), "1", "the sweep over the doses of two drugs"),
    "drug_a": (pa.string(), "1", "the first drug"),
    "drug_b": (pa.string(), "1", "the second drug"),
    "unit_a": (pa.string(), "1", "unit of its doses"),
    "unit_b": (pa.string(), "1", "unit of its doses"),
    "null_model": (pa.string(), "1", "the null model that decides"),
    **summed("excess", "mean excess over the combined doses; below zero: synergy"),
    **_BETTER,
    "cells": (pa.int64(), "1", "combined doses in that mean: those with an expectation"),
    "combined": (pa.int64(), "1", "combined doses"),
    **summed("beta", "MuSyC: gain over the better drug, as share of its effect; > 0 synergy"),
    **summed("alpha12", "MuSyC: factor by which drug a makes drug b more potent"),
    **summed("alpha21", "MuSyC: factor by which drug b makes drug a more potent"),
    "residual": (_F, "1", "largest distance of a point from the surface: median over particles"),
    "particles": (pa.int64(), "particles", "particles without a failure in all these arms"),
    "fitted": (pa.int64(), "particles", "of these, with curves of both drugs alone"),
    "note": (pa.string(), "1", "the answer in words, and what to know before reading the row"),
}


def loewe(a: Hill, b: Hill, dose_a: float, dose_b: float) -> float:
    """Outcome under Loewe additivity: dose_a / a.dose(E) + dose_b / b.dose(E) = 1, both > 0.

    NaN beyond the Emax of the weaker drug, or if one drug lowers what the other raises.
    """
    if (a.emax - a.e0) * (b.emax - b.e0) <= 0.0:
        return float("nan")
    weaker = min(a.emax, b.emax, key=lambda emax: abs(emax - a.e0))

    def over(log_odds: float) -> float:
        e = a.e0 + (weaker - a.e0) / (1.0 + np.exp(-log_odds))
        return dose_a / a.dose(e) + dose_b / b.dose(e) - 1.0

    low, high = -34.0, 34.0
    if over(high) >= 0.0 or over(low) <= 0.0:
        return float("nan")
    root = brentq(over, low, high, xtol=1e-13, rtol=1e-14)
    return float(a.e0 + (weaker - a.e0) / (1.0 + np.exp(-root)))


@dataclass(frozen=True)
class _Grid:
    """Doses (arms,) of the arms there are, and where those of one drug stand."""

    a: _Array
    b: _Array

    @property
    def combined(self) -> NDArray[np.int64]:
        return np.flatnonzero((self.a > 0.0) & (self.b > 0.0))

    @property
    def origin(self) -> int:
        return int(np.flatnonzero((self.a == 0.0) & (self.b == 0.0))[0])

    def alone(self, drug: int) -> NDArray[np.int64]:
        """Places of one drug alone, doses rising."""
        own, other = (self.a, self.b) if drug == 0 else (self.b, self.a)
        places = np.flatnonzero((own > 0.0) & (other == 0.0))
        return places[np.argsort(own[places], kind="stable")]

    def flaw(self) -> str:
        """Why there can be no excess; empty if it can."""
        if not np.any((self.a == 0.0) & (self.b == 0.0)):
            return "the arm without both drugs is missing"
        for own, other in ((self.a, self.b), (self.b, self.a)):
            if not set(own[self.combined]) <= set(own[other == 0.0]):
                return "a dose of one drug alone is missing"
        return "" if self.combined.size else "no combined dose"

    def partners(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each combined dose, the places of its two doses alone."""
        first = {self.a[k]: k for k in self.alone(0)}
        second = {self.b[k]: k for k in self.alone(1)}
        return (
            np.array([first[self.a[k]] for k in self.combined]),
            np.array([second[self.b[k]] for k in self.combined]),
        )

    def hills(self, ratios: _Array) -> tuple[Hill, Hill]:
        e0 = float(ratios[self.origin])
        a, b = self.alone(0), self.alone(1)
        return fit_hill(self.a[a], ratios[a], e0), fit_hill(self.b[b], ratios[b], e0)


def surface(
    outcomes: Outcomes, sweep: Sweep, reference: str, *, effective: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every arm and null model (schema SURFACE), and the answer (schema SYNERGY, one row).

    Bliss and HSA are computed in each mouse and then averaged (see ``over_particles.excess``),
    Loewe and MuSyC from curves through the ratios of each particle: they need three doses above
    zero of each drug alone. ``effective``: see ``over_particles``. Raises ValueError if the sweep
    is not a grid over two doses.
    """
    if sweep.kind != "grid" or [axis.what for axis in sweep.axes] != ["dose", "dose"]:
        raise ValueError(f"{sweep.name} is not a grid over the doses of two drugs")
    swept = Swept.of(outcomes, sweep, reference)
    ratios = swept.ratios
    doses = np.array([sweep.points[k] for k in swept.places], dtype=np.float64).reshape(-1, 2)
    grid = _Grid(doses[:, 0], doses[:, 1])
    one, two = sweep.axes
    answer: dict[str, Any] = {
        "sweep": sweep.name,
        "drug_a": one.drug or "",
        "drug_b": two.drug or "",
        "unit_a": one.unit,
        "unit_b": two.unit,
        "null_model": sweep.null,
        "cells": 0,
        "combined": int(grid.combined.size),
        "particles": len(ratios),
        "fitted": 0,
    }
    flaw = "no particle finished in all doses with foci in the reference"
    if len(ratios):
        flaw = grid.flaw()
    expected: dict[str, _Array] = {}
    if not flaw:
        notes = _expect(grid, swept, expected, answer)
        answer |= _mean_excess(grid, ratios, expected.get(sweep.null), effective)
        flaw = "; ".join([_verdict(answer), *notes])
    answer["note"] = flaw
    rows = []
    for k, place in enumerate(swept.places if len(ratios) else ()):
        base = {
            "sweep": sweep.name,
            "arm": sweep.arms[place].name,
            "dose_a": grid.a[k],
            "dose_b": grid.b[k],
            "particles": len(ratios),
            **summary("ratio", ratios[:, k]),
        }
        cell = np.flatnonzero(grid.combined == k)
        for null in NULL_MODELS:
            row = base | {"null_model": null}
            if null in expected and cell.size:
                row |= _judged(ratios[:, k], expected[null][:, cell[0]], effective)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(SURFACE))
    return typed(table, SURFACE), typed(pd.DataFrame([answer], columns=list(SYNERGY)), SYNERGY)


def _judged(ratio: _Array, expected: _Array, effective: float) -> dict[str, float]:
    """The columns _EXPECTED of one pair of doses; none where half the particles expect nothing."""
    known = np.isfinite(expected)
    if known.mean() < 0.5:
        return {}
    return summary("expected", expected[known]) | _excess(ratio[known] - expected[known], effective)


def _excess(excess: _Array, effective: float) -> dict[str, float]:
    """The columns of an excess without the counts, which are of all particles here."""
    found = of_excess(excess, effective)
    return {name: found[name] for name in (*summed("excess", ""), *_BETTER)}


def _expect(
    grid: _Grid, swept: Swept, expected: dict[str, _Array], answer: dict[str, Any]
) -> list[str]:
    """Fill ``expected``: null model -> ratio at the combined doses (particles, cells), NaN where it
    has none; and the columns of the fits in ``answer``. Returns what to know."""
    first, second = grid.partners()
    x, y = swept.foci[:, :, first], swept.foci[:, :, second]
    with np.errstate(invalid="ignore", divide="ignore"):
        bliss = x * y / swept.foci[:, :, [grid.origin]]
    base = swept.base.mean(axis=1)[:, None]
    expected["bliss"] = bliss.mean(axis=1) / base
    expected["hsa"] = np.minimum(x, y).mean(axis=1) / base
    ratios, names = swept.ratios, (answer["drug_a"], answer["drug_b"])
    alone = [grid.alone(drug) for drug in (0, 1)]
    if min(map(len, alone)) < 3:
        return ["fewer than three doses above zero of a drug: no Loewe, no MuSyC"]
    change = [responds(ratios[:, places], ratios[:, grid.origin]) for places in alone]
    notes = [
        f"{name} alone changes nothing"
        for name, any_ in zip(names, change, strict=True)
        if not any_.any()
    ]
    able = np.flatnonzero(change[0] & change[1])[:FITTED]
    answer["fitted"] = len(able)
    if not able.size:
        return [*notes, "no Loewe, no MuSyC"]
    curves = [grid.hills(ratios[k]) for k in able]
    cells_a, cells_b = grid.a[grid.combined], grid.b[grid.combined]
    added, apart = (np.full((len(ratios), grid.combined.size), np.nan) for _ in range(2))
    for k, (a, b) in zip(able, curves, strict=True):
        added[k] = [loewe(a, b, *d) for d in zip(cells_a, cells_b, strict=True)]
        apart[k] = independent(a, b).at(cells_a, cells_b)
    expected["loewe"], expected["musyc"] = added, apart
    if (np.isnan(added[able]).mean(axis=0) >= 0.5).any():
        notes.append("Loewe expects nothing beyond the best effect of the weaker drug")
    answer |= _musyc(grid, ratios[able[:FITTED_BY_MUSYC]], curves)
    for name, k, tried in zip(names, (0, 1), (grid.a.max(), grid.b.max()), strict=True):
        if np.mean([pair[k].ed50 > tried for pair in curves]) >= 0.5:
            notes.append(f"ED50 of {name} is mostly above the highest dose tried")
    return notes


def _musyc(grid: _Grid, ratios: _Array, curves: list[tuple[Hill, Hill]]) -> dict[str, float]:
    """MuSyC's columns of the answer, fitted in each of these particles."""
    middling = np.median(ratios, axis=0)
    start = fit_musyc(grid.a, grid.b, middling, *grid.hills(middling))
    fits = [
        fit_musyc(grid.a, grid.b, r, *hills, start=start)
        for r, hills in zip(ratios, curves, strict=False)
    ]
    found: dict[str, float] = {}
    for name in ("beta", "alpha12", "alpha21"):
        found |= summary(name, np.array([getattr(fit, name) for fit in fits], dtype=np.float64))
    apart = [
        np.max(np.abs(fit.at(grid.a, grid.b) - r)) for fit, r in zip(fits, ratios, strict=True)
    ]
    return found | {"residual": float(np.median(apart))}


def _mean_excess(
    grid: _Grid, ratios: _Array, expected: _Array | None, effective: float
) -> dict[str, Any]:
    """Over the combined doses that half the particles have an expectation for, in each of those
    that have all of them."""
    if expected is None:
        return {}
    cells = np.flatnonzero(np.isfinite(expected).mean(axis=0) >= 0.5)
    whole = np.isfinite(expected[:, cells]).all(axis=1)
    if not cells.size or not whole.any():
        return {}
    excess = (ratios[:, grid.combined[cells]] - expected[:, cells])[whole].mean(axis=1)
    return {**_excess(excess, effective), "cells": int(cells.size)}


def _verdict(answer: dict[str, Any]) -> str:
    name = str(answer["null_model"])
    null = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe", "musyc": "MuSyC"}[name]
    if not answer["cells"]:
        return f"{null} has no expectation here"
    words = (f"fewer foci than {null} expects (synergy)", f"more than {null} expects (antagonism)")
    return direction(answer["p_better"], answer["p_error"], words=words)
