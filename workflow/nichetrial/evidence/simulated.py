"""Simulated experiments: what each finding would have read if a particle were the truth.

One experiment is one particle with a few mice around it in each arm. The arms have the same mice
with the same random events, as everywhere in nichetrial: the sign of an effect then shows what the
mechanism does, not how lucky a small experiment was. What a real one of that size would show is
another
question (`mice needed`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nichetrial.cohort.between import vary
from nichetrial.cohort.space import NAMES, cohort_of
from nichetrial.evidence.finding_studies import arms_of
from nichetrial.evidence.findings import Finding
from nichetrial.model.parameters import PARAMETERS
from nichetrial.trial.simulate import simulate

__all__ = ["Laboratory"]

Floats = NDArray[np.float64]
HOURS = 24.0


class Laboratory:
    """Does the experiments behind some findings. Raises UserError for one that does not exist."""

    def __init__(self, findings: Sequence[Finding], *, seed: int, mice: int) -> None:
        self.findings, self.seed, self.mice = list(findings), seed, mice
        self.arms = arms_of(findings)

    def experiments(self, particles: Floats, keys: NDArray[np.int64]) -> Floats:
        """Statistics (n, findings) of ``particles`` (n, NAMES); NaN where a mouse did not finish.

        ``keys`` (n,) number the experiments: an experiment depends on its particle and its key.
        """
        n, m = len(particles), self.mice
        mice = (keys[:, None] * m + np.arange(m)).ravel()
        typical = np.repeat(particles, m, axis=0)
        none = np.zeros(len(mice), np.int64)
        values = vary(typical, seed=self.seed, mice=mice, attempts=none)
        cohort = cohort_of(values, mice)
        done: dict[int, pd.DataFrame] = {}
        for arm in self.arms.values():
            if id(arm) not in done:
                done[id(arm)] = simulate(arm, cohort, seed=self.seed).outcomes
        read = [self._statistic(f, done, particles).reshape(n) for f in self.findings]
        return np.column_stack(read)

    def _statistic(self, f: Finding, done: dict[int, pd.DataFrame], particles: Floats) -> Floats:
        if f.statistic == "parameter":
            scale = HOURS if _in_hours(f.outcome) else 1.0
            return particles[:, NAMES.index(f.outcome)] * scale
        arm = self.arms[f.experiment, f.arm]
        values = self._values(f.outcome, done[id(arm)])
        if f.statistic == "share_with":
            return np.where(np.isfinite(values), values > 0.0, np.nan).mean(axis=1)
        mean: Floats = values.mean(axis=1)
        if f.statistic == "per_cell":
            return mean / arm.challenge.cells
        if f.statistic == "mean":
            return mean
        other = self._values(f.outcome, done[id(self.arms[f.experiment, f.reference])]).mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(other > 0.0, mean / other, np.nan)

    def _values(self, outcome: str, table: pd.DataFrame) -> Floats:
        values = table[outcome].to_numpy(np.float64)
        finished = (table["status"] == "finished").to_numpy()
        return np.where(finished, values, np.nan).reshape(-1, self.mice)


def _in_hours(parameter: str) -> bool:
    """Does parameters.csv, and with it whoever writes a finding, give it in hours?"""
    return PARAMETERS[parameter].written.endswith(" h")
