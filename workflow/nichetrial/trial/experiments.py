"""Simulated experiments: one arm as laboratories would see it, many times.

An experiment is done on one particle of the study's cohort, whose true effects the trial tells. As
in a laboratory, its groups hold different animals from arm to arm, and none of the trial's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.sample import draw, typical
from nichetrial.engine.philox import seed_of
from nichetrial.study.resolved import Arm, Distribution
from nichetrial.tables import Schema
from nichetrial.trial.simulate import OUTCOMES, simulate

__all__ = ["GROUPS", "groups"]

GROUPS: Schema = {"experiment": (pa.int64(), "1", "number of the experiment"), **OUTCOMES}


def groups(
    arm: Arm,
    *,
    seed: int,
    experiments: int,
    particles: int,
    size: int,
    overrides: dict[str, Distribution],
    population: NDArray[np.float64] | None,
) -> pd.DataFrame:
    """A group of ``size`` animals in each experiment (schema GROUPS); each arm has its own.

    Experiment k is done on particle k modulo ``particles``.
    """
    own = seed_of(seed, f"group:{arm.name}")
    numbers = np.repeat(np.arange(experiments), size)
    times, which = np.divmod(numbers, particles)
    animals = times * size + np.tile(np.arange(size), experiments)
    middle, _ = typical(seed, np.unique(which), overrides, population)
    mice, _ = draw(own, middle, which, animals, overrides)
    done = simulate(arm, mice, seed=own).outcomes
    done.insert(0, "experiment", numbers)
    return done
