"""Virtual mice: keyed draws from the priors, drawn again until plausible."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import RULES, first_reason
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import Schema

__all__ = ["MAX_ATTEMPTS", "SCHEMA", "sample"]

MAX_ATTEMPTS = 1000
SCHEMA: Schema = {
    "mouse": (pa.int64(), "1", "number of the mouse, the key of its randomness"),
    "attempts": (pa.int32(), "1", "draws that it took, the plausible one included"),
    **{p.name: (pa.float64(), p.unit, p.meaning) for p in PARAMETERS.values()},
}


def sample(
    *, seed: int, first: int, last: int, overrides: dict[str, Distribution]
) -> tuple[pd.DataFrame, Counter[str]]:
    """Mice ``first`` to ``last`` (both included), and how many draws each reason rejected.

    A draw depends on seed, mouse, parameter and attempt only: other mice and other parameters'
    overrides leave it as it is.

    Raises:
        UserError: a mouse is still implausible after MAX_ATTEMPTS draws.
    """
    mice = np.arange(first, last + 1, dtype=np.int64)
    attempts = np.zeros_like(mice)
    waiting = np.arange(mice.shape[0])
    values = {name: np.empty(mice.shape[0]) for name in PARAMETERS}
    rejected: Counter[str] = Counter()
    reasons = list(RULES)
    while waiting.size:
        for name, prior in PARAMETERS.items():
            d = overrides.get(name, prior)
            u = uniforms(np.uint64(seed), 0, mice[waiting], purpose(name), attempts[waiting])
            values[name][waiting] = quantile(d.kind, d.a, d.b, u)
        why = first_reason({name: v[waiting] for name, v in values.items()})
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
    frame = pd.DataFrame({"mouse": mice, "attempts": attempts.astype(np.int32), **values})
    return frame, rejected
