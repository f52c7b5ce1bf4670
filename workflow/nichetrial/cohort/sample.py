"""Virtual mice: keyed draws from the priors or around the particles of a calibrated population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.between import vary
from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import RULES, first_reason
from nichetrial.cohort.space import NAMES
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import Schema

__all__ = ["MAX_ATTEMPTS", "SCHEMA", "sample"]

MAX_ATTEMPTS = 1000
NO_PARTICLE = -1
SCHEMA: Schema = {
    "mouse": (pa.int64(), "1", "number of the mouse, the key of its randomness"),
    "particle": (pa.int64(), "1", "the calibrated particle that it varies around; -1: the priors"),
    "attempts": (pa.int32(), "1", "draws that it took, the plausible one included"),
    **{p.name: (pa.float64(), p.unit, p.meaning) for p in PARAMETERS.values()},
}

Floats = NDArray[np.float64]


def sample(
    *,
    seed: int,
    first: int,
    last: int,
    overrides: Mapping[str, Distribution],
    population: Floats | None = None,
) -> tuple[pd.DataFrame, Counter[str]]:
    """Mice ``first`` to ``last`` (both included), and how many draws each reason rejected.

    A draw depends on seed, mouse, parameter and attempt only: other mice and other parameters'
    overrides leave it as it is.

    Args:
        overrides: parameters that are drawn from these distributions, whatever the rest.
        population: (particles, NAMES); the rest is a particle with the spread between mice. None:
            the rest is drawn from the priors.

    Raises:
        UserError: a mouse is still implausible after MAX_ATTEMPTS draws.
    """
    mice = np.arange(first, last + 1, dtype=np.int64)
    attempts = np.zeros_like(mice)
    waiting = np.arange(mice.shape[0])
    values = np.empty((mice.shape[0], len(NAMES)))
    particle = np.full_like(mice, NO_PARTICLE)
    rejected: Counter[str] = Counter()
    reasons = list(RULES)
    while waiting.size:
        who, tries = mice[waiting], attempts[waiting]
        if population is not None:
            u = uniforms(np.uint64(seed), 0, who, purpose("particle"), tries)
            chosen = (u * len(population)).astype(np.int64)
            particle[waiting] = chosen
            values[waiting] = vary(population[chosen], seed=seed, mice=who, attempts=tries)
        for k, (name, prior) in enumerate(PARAMETERS.items()):
            if population is None or name in overrides:
                d = overrides.get(name, prior)
                u = uniforms(np.uint64(seed), 0, who, purpose(name), tries)
                values[waiting, k] = quantile(d.kind, d.a, d.b, u)
        why = first_reason({name: values[waiting, k] for k, name in enumerate(NAMES)})
        rejected.update(reasons[k] for k in why[why >= 0])
        attempts[waiting] += 1
        waiting = waiting[why >= 0]
        if waiting.size and attempts[waiting[0]] >= MAX_ATTEMPTS:
            commonest = reasons[int(np.bincount(why[why >= 0]).argmax())]
            raise UserError(
                f"no plausible mouse in {MAX_ATTEMPTS} draws; most were rejected because: "
                f"{commonest}. Widen the distributions that the study overrides.",
                place="cohort.parameters",
            )
    frame = pd.DataFrame(
        {
            "mouse": mice,
            "particle": particle,
            "attempts": attempts.astype(np.int32),
            **{name: values[:, k] for k, name in enumerate(NAMES)},
        }
    )
    return frame, rejected
