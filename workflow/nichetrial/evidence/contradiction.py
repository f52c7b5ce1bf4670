"""The contradiction of TIMP-1, taken apart: metastasis against its dose, and where the sign turns.

The two arms of TIMP-1 are shown apart by taking the other one out of the same mice: without a niche
only protease is left (what TIMP-1 inhibits, and what the neutrophils that it draws bring), without
inhibition only the niche.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.space import NAMES, cohort_of
from nichetrial.model.variants import NEVER
from nichetrial.study.resolved import Arm, Vector
from nichetrial.tables import Schema
from nichetrial.trial.simulate import simulate

__all__ = [
    "DOSE_ARMS",
    "INTERVAL",
    "MECHANISMS",
    "PHASE_MAP",
    "TURNS",
    "dose_arms",
    "phase_map",
    "turns",
]

Floats = NDArray[np.float64]
_F = pa.float64()
INTERVAL = 0.9
MECHANISMS: dict[str, dict[str, float]] = {
    "full": {},
    "niche": {"mmp_ki": NEVER},
    "protease": {"niche_gain": 0.0},
}
"""What is left -> what is set in every particle."""
DOSE_ARMS: Schema = {
    "mechanism": (pa.string(), "1", "full; niche: TIMP-1 inhibits nothing; protease: no niche"),
    "fold": (_F, "1", "plasma TIMP-1 from the vector, as multiple of basal"),
    "mean": (_F, "1", "mean over particles of the ratio of expected foci to basal TIMP-1"),
    "median": (_F, "1", "median"),
    "low": (_F, "1", "lower bound of the 90 % interval over particles"),
    "high": (_F, "1", "upper bound"),
    "share_up": (_F, "1", "share of particles with more foci than at basal TIMP-1"),
    "n": (pa.int64(), "particles", "particles"),
}
TURNS: Schema = {
    "turns_at": (_F, "1", "fold of TIMP-1 at which the median ratio falls through 1; NaN: never"),
    "low": (_F, "1", "lower bound of the 90 % interval over the particles that turn"),
    "high": (_F, "1", "upper bound"),
    "share": (_F, "1", "share of particles whose sign turns within the doses"),
}
PHASE_MAP: Schema = {
    "fold": (_F, "1", "plasma TIMP-1, as multiple of basal"),
    "cd63_ratio": (_F, "1", "TIMP-1 that half-saturates CD63, as multiple of basal"),
    "mmp_ki": (_F, "nM", "TIMP-1 that halves free protease"),
    "median": (_F, "1", "median over particles of the ratio of expected foci to basal TIMP-1"),
    "share_up": (_F, "1", "share of particles with more foci than at basal TIMP-1"),
}


def _foci(experiment: Arm, fold: float, particles: Floats, seed: int) -> Floats:
    """Expected foci of typical mice without a treatment at ``fold`` times basal TIMP-1."""
    onset = experiment.vector.onset if experiment.vector else 0.0
    arm = experiment.model_copy(
        update={
            "vector": Vector(fold=fold, onset=onset),
            "treatments": (),
            "readout": experiment.readout.model_copy(update={"end": experiment.readout.day}),
        }
    )
    cohort = cohort_of(particles)
    return simulate(arm, cohort, seed=seed).outcomes["expected_foci"].to_numpy(np.float64)


def _with(particles: Floats, **values: float | Floats) -> Floats:
    changed = particles.copy()
    for name, value in values.items():
        changed[:, NAMES.index(name)] = value
    return changed


def _quantiles(ratios: Floats, *at: float) -> list[float]:
    """Of the ratios that are numbers; NaN where none is."""
    known = ratios[np.isfinite(ratios)]
    return [float(q) for q in np.quantile(known, at)] if len(known) else [np.nan] * len(at)


def _share_up(ratios: Floats) -> float:
    known = ratios[np.isfinite(ratios)]
    return float(np.mean(known > 1.0)) if len(known) else np.nan


def dose_arms(
    experiment: Arm, folds: Sequence[float], particles: Floats, seed: int
) -> tuple[pd.DataFrame, Floats]:
    """The table (schema DOSE_ARMS), and the ratios of the full model (particles, folds)."""
    tail = (1.0 - INTERVAL) / 2.0
    rows, whole = [], np.empty((0, 0))
    for name, setting in MECHANISMS.items():
        changed = _with(particles, **setting)
        basal = _foci(experiment, 1.0, changed, seed)
        ratios = np.column_stack([_foci(experiment, f, changed, seed) / basal for f in folds])
        if not setting:
            whole = ratios
        for fold, column in zip(folds, ratios.T, strict=True):
            low, median, high = _quantiles(column, tail, 0.5, 1.0 - tail)
            known = column[np.isfinite(column)]
            rows.append(
                {
                    "mechanism": name,
                    "fold": fold,
                    "median": median,
                    "low": low,
                    "high": high,
                    "mean": known.mean() if len(known) else np.nan,
                    "share_up": _share_up(column),
                    "n": len(known),
                }
            )
    return pd.DataFrame(rows, columns=list(DOSE_ARMS)), whole


def _falls_through_one(folds: Floats, ratios: Floats) -> float:
    """The last fold at which the curve falls below 1, on a line in the logarithms; NaN if never."""
    log = np.log(np.maximum(ratios, 1e-12))
    down = np.flatnonzero((log[:-1] > 0.0) & (log[1:] <= 0.0))
    if not down.size:
        return float("nan")
    k = down[-1]
    share = log[k] / (log[k] - log[k + 1])
    return float(folds[k] * (folds[k + 1] / folds[k]) ** share)


def turns(folds: Sequence[float], ratios: Floats) -> pd.DataFrame:
    """One row (schema TURNS): the dose at which more TIMP-1 stops to feed and begins to protect."""
    at = np.asarray(folds, np.float64)
    each = np.array([_falls_through_one(at, row) for row in ratios])
    tail = (1.0 - INTERVAL) / 2.0
    low, high = _quantiles(each, tail, 1.0 - tail)
    median = _falls_through_one(at, np.array([_quantiles(c, 0.5)[0] for c in ratios.T]))
    share = float(np.mean(np.isfinite(each)))
    return pd.DataFrame([{"turns_at": median, "low": low, "high": high, "share": share}])


def phase_map(
    experiment: Arm, fold: float, particles: Floats, seed: int, *, cd63: Floats, ki: Floats
) -> pd.DataFrame:
    """The sign of TIMP-1 over CD63 affinity and Ki (schema PHASE_MAP), all else from particles."""
    rows = []
    for a in cd63:
        for b in ki:
            changed = _with(particles, cd63_ratio=a, mmp_ki=b)
            ratio = _foci(experiment, fold, changed, seed) / _foci(experiment, 1.0, changed, seed)
            rows.append(
                {
                    "fold": fold,
                    "cd63_ratio": a,
                    "mmp_ki": b,
                    "median": _quantiles(ratio, 0.5)[0],
                    "share_up": _share_up(ratio),
                }
            )
    return pd.DataFrame(rows, columns=list(PHASE_MAP))
