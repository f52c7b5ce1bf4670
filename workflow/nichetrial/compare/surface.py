"""Two drugs over a grid of doses: the surface of foci, and its excess over four null models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import brentq

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.dose_response import REFITS, swept_ratios, unchanged
from nichetrial.compare.effects import Outcomes
from nichetrial.compare.hill import Hill, fit_hill
from nichetrial.compare.musyc import Musyc, fit_musyc, independent
from nichetrial.study.resolved import Sweep
from nichetrial.tables import Schema

__all__ = ["NULL_MODELS", "SURFACE", "SYNERGY", "loewe", "surface"]

MUSYC_REFITS = 60
"""At most so many resamples of mice are fitted again by MuSyC."""
NULL_MODELS = ("bliss", "hsa", "loewe", "musyc")
_Array = NDArray[np.float64]
_F = pa.float64()
SURFACE: Schema = {
    "sweep": (pa.string(), "1", "the sweep over the doses of two drugs"),
    "arm": (pa.string(), "1", "the arm of this pair of doses"),
    "dose_a": (_F, "see unit_a in synergy", "dose of the first drug"),
    "dose_b": (_F, "see unit_b in synergy", "dose of the second drug"),
    "n": (pa.int64(), "mice", "mice that finished in all these arms"),
    "ratio": (_F, "1", "ratio of mean foci, arm over reference"),
    "ratio_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "ratio_high": (_F, "1", "upper bound"),
    "null_model": (
        pa.string(),
        "1",
        "bliss: ratios multiply; hsa: the better drug alone; loewe: doses add; musyc: neither "
        "changes the other's potency or best effect",
    ),
    "expected": (_F, "1", "ratio under the null model; none for one drug alone"),
    "expected_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "expected_high": (_F, "1", "upper bound"),
    "excess": (_F, "1", "ratio - expected; below zero: synergy, more effect than expected"),
    "excess_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "excess_high": (_F, "1", "upper bound"),
}
_FITTED = ("beta", "alpha12", "alpha21")
SYNERGY: Schema = {
    "sweep": (pa.string(), "1", "the sweep over the doses of two drugs"),
    "drug_a": (pa.string(), "1", "the first drug"),
    "drug_b": (pa.string(), "1", "the second drug"),
    "unit_a": (pa.string(), "1", "unit of its doses"),
    "unit_b": (pa.string(), "1", "unit of its doses"),
    "null_model": (pa.string(), "1", "the null model that decides"),
    "excess": (_F, "1", "mean excess over the combined doses; below zero: synergy"),
    "excess_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "excess_high": (_F, "1", "upper bound"),
    "cells": (pa.int64(), "1", "combined doses in that mean: those with an expectation"),
    "combined": (pa.int64(), "1", "combined doses"),
    "beta": (_F, "1", "MuSyC: gain over the better drug, as share of its effect; > 0 synergy"),
    "beta_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "beta_high": (_F, "1", "upper bound"),
    "alpha12": (_F, "1", "MuSyC: factor by which drug a makes drug b more potent"),
    "alpha12_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "alpha12_high": (_F, "1", "upper bound"),
    "alpha21": (_F, "1", "MuSyC: factor by which drug b makes drug a more potent"),
    "alpha21_low": (_F, "1", "lower bound of its bootstrap interval over mice"),
    "alpha21_high": (_F, "1", "upper bound"),
    "residual": (_F, "1", "largest distance of a point from the MuSyC surface"),
    "n": (pa.int64(), "mice", "mice that finished in all these arms"),
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
    outcomes: Outcomes, sweep: Sweep, reference: str, bootstrap: Bootstrap
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every arm and null model (schema SURFACE), and the answer (schema SYNERGY, one row).

    Loewe and MuSyC need a curve of each drug alone: three doses above zero of each. Intervals of
    what is fitted come of fitting resamples of mice again. Raises ValueError if the sweep is not
    a grid over two doses.
    """
    if sweep.kind != "grid" or [axis.what for axis in sweep.axes] != ["dose", "dose"]:
        raise ValueError(f"{sweep.name} is not a grid over the doses of two drugs")
    places, ratios, drawn, n = swept_ratios(outcomes, sweep, reference, bootstrap)
    doses = np.array([sweep.points[k] for k in places], dtype=np.float64).reshape(-1, 2)
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
        "n": n,
    }
    flaw = "no mouse finished in the reference and in all doses"
    if n:
        flaw = grid.flaw() if np.isfinite(ratios).all() else "the reference has no foci"
    expected: dict[str, tuple[_Array, _Array]] = {}
    if not flaw:
        notes = _expect(grid, ratios, drawn, bootstrap, expected, answer)
        answer |= _mean_excess(grid, ratios, drawn, expected.get(sweep.null), bootstrap)
        flaw = "; ".join([_verdict(answer), *notes])
    answer["note"] = flaw
    rows = []
    for k, place in enumerate(places):
        low, high = bootstrap.bounds(drawn[:, k])
        base = {
            "sweep": sweep.name,
            "arm": sweep.arms[place].name,
            "dose_a": grid.a[k],
            "dose_b": grid.b[k],
            "n": n,
            "ratio": ratios[k],
            "ratio_low": low,
            "ratio_high": high,
        }
        rows += [base | {"null_model": null} for null in NULL_MODELS]
    table = pd.DataFrame(rows, columns=list(SURFACE))
    for null, (point, again) in expected.items():
        for i, k in enumerate(grid.combined):
            at = k * len(NULL_MODELS) + NULL_MODELS.index(null)
            excess = ratios[k] - point[i], *bootstrap.bounds(drawn[: len(again), k] - again[:, i])
            values = (point[i], *bootstrap.bounds(again[:, i]), *excess)
            if not np.isfinite(point[i]):
                values = (np.nan,) * 6
            table.loc[at, list(SURFACE)[-6:]] = values
    return _typed(table, SURFACE), _typed(pd.DataFrame([answer], columns=list(SYNERGY)), SYNERGY)


def _expect(
    grid: _Grid,
    ratios: _Array,
    drawn: _Array,
    bootstrap: Bootstrap,
    expected: dict[str, tuple[_Array, _Array]],
    answer: dict[str, Any],
) -> list[str]:
    """Fill ``expected``: null model -> outcome at the combined doses (cells,) and of resamples
    (resamples, cells); and MuSyC's columns of ``answer``. Returns what to know."""
    first, second = grid.partners()
    all_ratios = np.vstack([ratios[None, :], drawn])
    x, y = all_ratios[:, first], all_ratios[:, second]
    with np.errstate(invalid="ignore", divide="ignore"):
        bliss = x * y / all_ratios[:, [grid.origin]]
    for null, values in (("bliss", bliss), ("hsa", np.minimum(x, y))):
        expected[null] = values[0], values[1:]
    notes = []
    for drug in (0, 1):
        places = grid.alone(drug)
        if len(places) < 3:
            return ["fewer than three doses above zero of a drug: no Loewe, no MuSyC"]
        zero = [grid.origin]
        if unchanged(ratios[places] - ratios[zero], drawn[:, places] - drawn[:, zero], bootstrap):
            notes.append(f"{answer['drug_a' if drug == 0 else 'drug_b']} alone changes nothing")
    if notes:
        return [*notes, "no Loewe, no MuSyC"]
    a, b = grid.hills(ratios)
    cells_a, cells_b = grid.a[grid.combined], grid.b[grid.combined]
    again = [grid.hills(d) for d in drawn[:REFITS] if np.isfinite(d).all()]
    pairs = [(a, b), *again]
    added = np.array(
        [[loewe(p, q, *d) for d in zip(cells_a, cells_b, strict=True)] for p, q in pairs]
    )
    apart = np.array([independent(p, q).at(cells_a, cells_b) for p, q in pairs])
    expected["loewe"], expected["musyc"] = (added[0], added[1:]), (apart[0], apart[1:])
    if np.isnan(added[0]).any():
        notes.append("Loewe expects nothing beyond the best effect of the weaker drug")
    _musyc(grid, ratios, drawn, (a, b), again, bootstrap, answer)
    for side, curve, tried in (("a", a, grid.a.max()), ("b", b, grid.b.max())):
        if curve.ed50 > tried:
            notes.append(f"ED50 of {answer[f'drug_{side}']} is above the highest dose tried")
    return notes


def _musyc(
    grid: _Grid,
    ratios: _Array,
    drawn: _Array,
    alone: tuple[Hill, Hill],
    again: list[tuple[Hill, Hill]],
    bootstrap: Bootstrap,
    answer: dict[str, Any],
) -> None:
    best = fit_musyc(grid.a, grid.b, ratios, *alone)
    finite = [d for d in drawn[:REFITS] if np.isfinite(d).all()][:MUSYC_REFITS]
    refits: list[Musyc] = [
        fit_musyc(grid.a, grid.b, d, *hills, start=best)
        for d, hills in zip(finite, again, strict=False)
    ]
    for name in _FITTED:
        answer[name] = getattr(best, name)
        drawn_values = np.array([getattr(m, name) for m in refits], dtype=np.float64)
        answer[f"{name}_low"], answer[f"{name}_high"] = bootstrap.bounds(drawn_values)
    answer["residual"] = float(np.max(np.abs(best.at(grid.a, grid.b) - ratios)))


def _mean_excess(
    grid: _Grid,
    ratios: _Array,
    drawn: _Array,
    expected: tuple[_Array, _Array] | None,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """Over the combined doses with an expectation, in all resamples the same ones."""
    if expected is None:
        return {}
    point, again = expected
    kept = np.flatnonzero(np.isfinite(point) & np.isfinite(again).all(axis=0))
    if not kept.size:
        return {}
    places = grid.combined[kept]
    low, high = bootstrap.bounds((drawn[: len(again), places] - again[:, kept]).mean(axis=1))
    return {
        "excess": float((ratios[places] - point[kept]).mean()),
        "excess_low": low,
        "excess_high": high,
        "cells": int(kept.size),
    }


def _verdict(answer: dict[str, Any]) -> str:
    name = str(answer["null_model"])
    null = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe", "musyc": "MuSyC"}[name]
    if not answer["cells"]:
        return f"{null} has no expectation here"
    if answer["excess_high"] < 0.0:
        return f"fewer foci than {null} expects: synergy"
    if answer["excess_low"] > 0.0:
        return f"more foci than {null} expects: antagonism"
    return f"no clear difference from what {null} expects"


def _typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Columns of numbers as float64, also where nothing is known."""
    real = [name for name, (kind, _, _) in schema.items() if kind == _F]
    return frame.astype(dict.fromkeys(real, np.float64))
