"""The best schedule of one treatment within a total dose: the lowest ratio of expected foci to the
reference in the same mice, as the median over particles.

Schedules are tried by DIRECT (Jones 1993, doi 10.1007/BF00941892; Gablonsky 2001, doi
10.1023/A:1017930332101), on mice with the same random events each time. Two schedules differ by
what they do and not by chance. The best is then judged on particles that it was not chosen on.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import Bounds, direct

from nichetrial.compare.over_particles import summed, values_of
from nichetrial.compare.pooled import ratio_of_means
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import Arm, OptimiseSpec, Treatment
from nichetrial.tables import Schema
from nichetrial.trial.simulate import simulate

__all__ = ["EVALUATIONS", "OPTIMUM", "Search", "judge"]

_I, _F = pa.int64(), pa.float64()
_SCHEDULE: Schema = {
    "dose": (_F, "mg/kg", "single dose; of a pump, over each interval"),
    "start": (_F, "d", "first dose"),
    "every": (_F, "d", "time between doses"),
    "doses": (_I, "doses", "number of doses; of a pump, of intervals"),
    "total": (_F, "mg/kg", "given in all"),
}
EVALUATIONS: Schema = {
    "evaluation": (_I, "1", "number of the try; 0: the arm's own schedule"),
    **_SCHEDULE,
    "ratio": (_F, "1", "expected foci over the reference: median over the particles tried on"),
    "best_so_far": (_F, "1", "lowest ratio of a schedule within the budget until here"),
}


def _effect(name: str, what: str) -> Schema:
    return {
        **summed(name, what),
        f"{name}_p_fewer": (_F, "1", "share of the particles in which it is below 1"),
        f"{name}_p_error": (_F, "1", "its standard error from the number of particles"),
    }


OPTIMUM: Schema = {
    "schedule": (pa.string(), "1", "own: as the arm has it; best: the best within the budget"),
    **_SCHEDULE,
    "within_budget": (pa.bool_(), "1", "whether the total is within the budget"),
    "particles": (_I, "particles", "judged on, none of which it was chosen on"),
    **_effect("ratio", "expected foci over the reference"),
    **_effect("of_own", "expected foci over those of the arm's own schedule"),
}


class Search:
    """Tries schedules of one treatment of ``arm`` on ``cohort`` (a table of parameters)."""

    def __init__(
        self, arm: Arm, reference: Arm, spec: OptimiseSpec, cohort: pd.DataFrame, *, seed: int
    ) -> None:
        self.arm, self.spec, self.cohort, self.seed = arm, spec, cohort, seed
        self.drug = arm.treatments[spec.treatment].drug
        self.rows: list[dict[str, float]] = []
        self.tried: list[Treatment] = []
        self.base = self._foci(reference)
        self._try(arm.treatments[spec.treatment])

    def run(self) -> pd.DataFrame:
        """All schedules tried (schema EVALUATIONS)."""
        direct(
            lambda x: self._try(self.schedule(x)),
            Bounds([0.0] * 3, [1.0] * 3),
            maxfun=self.spec.evaluations,
            maxiter=self.spec.evaluations,
        )
        table = pd.DataFrame(self.rows[: self.spec.evaluations + 1])
        table.insert(0, "evaluation", np.arange(len(table)))
        allowed = table["ratio"].where(table["total"] <= self.budget * (1 + 1e-9))
        table["best_so_far"] = allowed.cummin().ffill()
        return table[list(EVALUATIONS)]

    def best(self, table: pd.DataFrame) -> Treatment:
        """The best schedule of those tried within the budget; of equals, the first."""
        tried = table[(table["total"] <= self.budget * (1 + 1e-9))]
        row = tried.loc[tried["ratio"].idxmin()]
        return self.tried[int(row["evaluation"])]

    def schedule(self, x: NDArray[np.float64]) -> Treatment:
        """The schedule at a point of the unit cube: dose and interval on a log scale, and start.

        As many doses as the budget and the days to the read-out allow.
        """
        spec, old = self.spec, self.arm.treatments[self.spec.treatment]
        dose = _between(spec.dose, float(x[0]))
        start = spec.start[0] + (spec.start[1] - spec.start[0]) * float(x[1])
        every = _between(spec.every, float(x[2]))
        left = (self.arm.readout.day - start) / every
        fit = math.floor(left + 1e-9) + (old.method == "bolus")
        doses = max(1, min(math.floor(spec.budget / dose + 1e-9), fit))
        last = start + every * (doses if old.method == "pump" else doses - 1)
        return old.model_copy(
            update={"amount": dose, "start": start, "every": every, "until": last, "written": ""}
        )

    def with_schedule(self, treatment: Treatment) -> Arm:
        """The arm with that schedule."""
        given = list(self.arm.treatments)
        given[self.spec.treatment] = treatment
        return self.arm.model_copy(update={"treatments": tuple(given)})

    def _try(self, treatment: Treatment) -> float:
        foci = self._foci(self.with_schedule(treatment))
        self.tried.append(treatment)
        ratio = float(np.nanmedian(ratio_of_means(foci, self.base)))
        self.rows.append({**_numbers(treatment), "ratio": ratio})
        return ratio

    def _foci(self, arm: Arm) -> NDArray[np.float64]:
        return _expected(arm, self.cohort, self.seed).mean(axis=1)

    @property
    def budget(self) -> float:
        """The most that may be given in all, mg/kg."""
        return self.spec.budget * DRUGS[self.drug].molar_mass / 1e6


def judge(
    search: Search, best: Treatment, reference: Arm, cohort: pd.DataFrame, *, effective: float
) -> pd.DataFrame:
    """The arm's own schedule and the best, on particles of ``cohort`` (schema OPTIMUM).

    ``effective``: see ``compare.over_particles``.
    """
    own = search.arm.treatments[search.spec.treatment]
    foci = np.stack(
        [
            _expected(arm, cohort, search.seed)
            for arm in (reference, search.arm, search.with_schedule(best))
        ]
    )
    foci = foci[:, np.isfinite(foci).all(axis=(0, 2))]
    rows = []
    for name, treatment, k in (("own", own, 1), ("best", best, 2)):
        numbers = _numbers(treatment)
        row: dict[str, object] = {"schedule": name, **numbers, "particles": foci.shape[1]}
        row["within_budget"] = numbers["total"] <= search.budget * (1 + 1e-9)
        for key, other in (("ratio", 0), ("of_own", 1)):
            found = values_of(foci[k], foci[other], relevant=0.0, effective=effective)
            for of in ("", "_low", "_high"):
                row[f"{key}{of}"] = found.get(f"ratio{of}")
            for of in ("p_fewer", "p_error"):
                row[f"{key}_{of}"] = found.get(of)
        rows.append(row)
    return pd.DataFrame(rows)[list(OPTIMUM)]


def _expected(arm: Arm, cohort: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """Expected foci (particles, animals); NaN in a mouse that did not finish."""
    table = simulate(arm, cohort, seed=seed).outcomes
    finished = (table["status"] == "finished").to_numpy()
    values = np.where(finished, table["expected_foci"].to_numpy(np.float64), np.nan)
    return values.reshape(table["particle"].nunique(), -1)


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low * (high / low) ** share


def _numbers(treatment: Treatment) -> dict[str, float]:
    mg = DRUGS[treatment.drug].molar_mass / 1e6
    if treatment.method == "pump" and treatment.every:
        doses = (treatment.until - treatment.start) / treatment.every
    else:
        doses = float(len(treatment.doses()))
    return {
        "dose": treatment.amount * mg,
        "start": treatment.start,
        "every": treatment.every or 0.0,
        "doses": round(doses),
        "total": treatment.amount * mg * doses,
    }
