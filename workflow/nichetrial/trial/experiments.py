"""Simulated experiments: one arm as labs would see it, many times.

An experiment is one typical mouse that nobody knows, with animals around it. In the groups of a
real experiment the animals differ from arm to arm (``groups``). To tell where uncertainty comes
from, the same animals are in every arm, each twice, with other random events (``twins``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.sample import animals
from nichetrial.cohort.space import cohort_of
from nichetrial.engine.philox import seed_of
from nichetrial.study.resolved import Arm, Distribution
from nichetrial.tables import Schema
from nichetrial.trial.simulate import OUTCOMES, simulate

__all__ = ["ANIMALS", "GROUPS", "TWINS", "groups", "twins"]

ANIMALS = 4
"""Animals around each typical mouse among the twins; each is there twice."""

GROUPS: Schema = {
    "experiment": (pa.int64(), "1", "number of the experiment"),
    "animal": (pa.int64(), "1", "number of the animal in its group"),
    **OUTCOMES,
}
TWINS: Schema = {
    "particle": (pa.int64(), "1", "number of the typical mouse"),
    "animal": (pa.int64(), "1", "number of the animal around it"),
    "twin": (pa.int64(), "1", "0 or 1: the same animal with other random events"),
    **OUTCOMES,
}

Floats = NDArray[np.float64]


def groups(
    arm: Arm,
    *,
    seed: int,
    experiments: int,
    particles: int,
    size: int,
    overrides: dict[str, Distribution],
    population: Floats | None,
) -> pd.DataFrame:
    """A group of ``size`` animals in each experiment (schema GROUPS); each arm has its own.

    Experiment k is done on particle k modulo ``particles``, whose true effects the twins tell.
    """
    own = seed_of(seed, f"group:{arm.name}")
    table = _table(experiments, size, ("experiment", "animal"))
    mice = np.arange(len(table))
    values = animals(
        seed=seed,
        group_seed=own,
        experiments=table["experiment"].to_numpy() % particles,
        mice=mice,
        overrides=overrides,
        population=population,
    )
    done = simulate(arm, cohort_of(values, mice), seed=own).outcomes
    return pd.concat([table, done], axis=1)


def twins(
    arm: Arm,
    *,
    seed: int,
    particles: int,
    overrides: dict[str, Distribution],
    population: Floats | None,
) -> pd.DataFrame:
    """The same animals in every arm, each twice (schema TWINS)."""
    table = _table(particles, ANIMALS, ("particle", "animal"))
    mice = np.arange(len(table))
    values = animals(
        seed=seed,
        group_seed=seed_of(seed, "twins"),
        experiments=table["particle"].to_numpy(),
        mice=mice,
        overrides=overrides,
        population=population,
    )
    cohort = cohort_of(values, mice)
    parts = []
    for twin in (0, 1):
        done = simulate(arm, cohort, seed=seed_of(seed, f"twin:{twin}")).outcomes
        parts.append(pd.concat([table.assign(twin=twin), done], axis=1))
    both = pd.concat(parts, ignore_index=True)
    return both.sort_values(["particle", "animal", "twin"], kind="stable", ignore_index=True)


def _table(blocks: int, size: int, names: tuple[str, str]) -> pd.DataFrame:
    block, animal = np.divmod(np.arange(blocks * size), size)
    return pd.DataFrame({names[0]: block, names[1]: animal})
