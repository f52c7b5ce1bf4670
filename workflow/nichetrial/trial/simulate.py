"""One chunk of mice in one arm: outcomes, time courses, colony sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.cohort.space import mouse_key
from nichetrial.engine.ensemble import (
    BIN_EDGES,
    MAX_STEPS,
    STEPS_PER_EVENT,
    Ensemble,
    grid,
    run,
    states,
)
from nichetrial.engine.kernels import PARAMETER_NAMES, STATE_NAMES
from nichetrial.engine.outcome import Outcome
from nichetrial.study.resolved import Arm
from nichetrial.tables import Schema
from nichetrial.trial.events import events, reading

__all__ = ["COLONIES", "COURSES", "OUTCOMES", "SHOWN", "Simulated", "most_attempts", "simulate"]

SHOWN = ("timp1", "sdf1", "blood_neutrophils", "liver_neutrophils", "niche")
"""States whose time courses and values at the challenge are kept."""
_SHOWN_UNIT = {"timp1": "nM", "sdf1": "nM", "niche": "1"}

OUTCOMES: Schema = {
    "particle": (pa.int64(), "1", "number of the particle"),
    "animal": (pa.int64(), "1", "number of the mouse among those of its particle"),
    "status": (pa.string(), "1", "how its simulation ended"),
    "steps": (pa.int32(), "1", "steps of the integration"),
    "expected_foci": (pa.float64(), "foci", "mean of the Poisson count of visible foci"),
    "foci": (
        pa.int64(),
        "foci",
        "metastases visible at the read-out, whether or not the mouse lived so long",
    ),
    "colonies": (
        pa.int64(),
        "colonies",
        "lasting colonies founded by the read-out, visible or not",
    ),
    "burden": (pa.float64(), "cells", "tumour cells in colonies at the read-out"),
    "largest_colony": (pa.float64(), "cells", "the largest colony at the read-out"),
    "dormant_cells": (pa.float64(), "cells", "dormant single tumour cells at the read-out"),
    **{
        s: (pa.float64(), _SHOWN_UNIT.get(s, "fold"), f"{s.replace('_', ' ')} at the challenge")
        for s in SHOWN
    },
    "metastasis_free_days": (
        pa.float64(),
        "d",
        "until a detectable metastasis, death, or the study's end",
    ),
    "metastasis_observed": (
        pa.bool_(),
        "1",
        "false: neither a metastasis nor death until the study's end (censored)",
    ),
    "first_event": (pa.string(), "1", "which came first: metastasis, death, or none"),
    "survival_days": (pa.float64(), "d", "until lethal burden or the study's end"),
    "death_observed": (pa.bool_(), "1", "false: alive at the study's end (censored)"),
}
COURSES: Schema = {
    "particle": (pa.int64(), "1", "number of the particle, of which this is mouse 0"),
    "day": (pa.float64(), "d", "day of the study"),
    **{s: (pa.float32(), _SHOWN_UNIT.get(s, "fold"), s.replace("_", " ")) for s in SHOWN},
}
COLONIES: Schema = {
    "size_low": (pa.float64(), "cells", "lower bound of the size class, included"),
    "size_high": (pa.float64(), "cells", "upper bound of the size class"),
    "colonies": (
        pa.int64(),
        "colonies",
        "colonies of that size at the read-out, all mice of the chunk",
    ),
}


@dataclass(frozen=True)
class Simulated:
    """The three tables of one chunk in one arm."""

    outcomes: pd.DataFrame
    courses: pd.DataFrame
    colonies: pd.DataFrame


def simulate(
    arm: Arm,
    cohort: pd.DataFrame,
    *,
    seed: int,
    course_particles: int = 0,
    max_steps: int = MAX_STEPS,
    trace: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Simulate the mice of ``cohort`` (a table of parameters, one row per mouse) in ``arm``.

    Args:
        course_particles: time courses are kept of mouse 0 of the particles below this number.
        max_steps, trace: see ``engine.ensemble.run``.
        progress: called with the number of mice done, now and then.
    """
    particles, animals = (cohort[k].to_numpy(np.int64) for k in ("particle", "animal"))
    kept = (animals == 0) & (particles < course_particles)
    order = np.argsort(~kept, kind="stable")  # the engine keeps the courses of the first
    result = run(
        cohort[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)[order],
        arm.host.genes,
        events(arm),
        reading(arm),
        seed=seed,
        mice=mouse_key(particles, animals)[order],
        keep=int(kept.sum()),
        max_steps=max_steps,
        trace=trace,
        progress=progress,
    )
    colonies = pd.DataFrame(
        {"size_low": BIN_EDGES[:-1], "size_high": BIN_EDGES[1:], "colonies": result.bins}
    )
    outcomes = _outcomes(result, arm.readout.end).iloc[np.argsort(order)].reset_index(drop=True)
    outcomes.insert(0, "particle", particles)
    outcomes.insert(1, "animal", animals)
    return Simulated(outcomes, _courses(result, particles[kept], arm), colonies)


def most_attempts(arm: Arm) -> int:
    """How many steps a mouse may try in this arm."""
    return MAX_STEPS + STEPS_PER_EVENT * len(events(arm).times)


_LABELS = np.array([outcome.label for outcome in sorted(Outcome)], dtype=object)


def _outcomes(result: Ensemble, end: float) -> pd.DataFrame:
    x = result.numbers
    detected, dead = x[:, 5], x[:, 6]
    first = np.minimum(detected, dead)
    done = result.status == Outcome.FINISHED
    observed = done & (first <= end)

    def count(k: int) -> np.ndarray:
        return np.where(done, x[:, k], 0).astype(np.int64)

    return pd.DataFrame(
        {
            "status": _LABELS[result.status],
            "steps": result.steps.astype(np.int32),
            "expected_foci": x[:, 0],
            "foci": count(1),
            "colonies": count(2),
            "burden": x[:, 3],
            "largest_colony": x[:, 4],
            "dormant_cells": x[:, -1],
            **{s: states(result, s) for s in SHOWN},
            "metastasis_free_days": np.minimum(first, end),
            "metastasis_observed": observed,
            "first_event": np.select(
                [~observed, detected <= dead], ["none", "metastasis"], default="death"
            ),
            "survival_days": np.minimum(dead, end),
            "death_observed": done & (dead <= end),
        }
    )


def _courses(result: Ensemble, particles: np.ndarray, arm: Arm) -> pd.DataFrame:
    kept, rows, _ = result.courses.shape
    days = grid(reading(arm))
    frame = pd.DataFrame(
        {
            "particle": np.repeat(particles, rows),
            "day": np.tile(days, kept),
            **{
                s: result.courses[:, :, STATE_NAMES.index(s)].ravel().astype(np.float32)
                for s in SHOWN
            },
        }
    )
    finished = np.repeat(result.status[:kept] == Outcome.FINISHED, rows)
    return frame[finished].reset_index(drop=True)
