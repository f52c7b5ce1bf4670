"""Virtual mice: keyed draws from the priors or around the particles of a calibrated population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial import codes
from nichetrial.cohort.between import vary
from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import RULES, first_reason
from nichetrial.cohort.space import NAMES
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import Schema

__all__ = ["MAX_ATTEMPTS", "SCHEMA", "animals", "sample"]

MAX_ATTEMPTS = 1000
BEYOND = "a parameter that the study overrides is outside its physical range"
NO_PARTICLE = -1
SCHEMA: Schema = {
    "mouse": (pa.int64(), "1", "number of the mouse, the key of its randomness"),
    "particle": (pa.int64(), "1", "the calibrated particle that it varies around; -1: the priors"),
    "attempts": (pa.int32(), "1", "draws that it took, the plausible one included"),
    **{p.name: (pa.float64(), p.unit, p.meaning) for p in PARAMETERS.values()},
}

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


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
    particle = np.full_like(mice, NO_PARTICLE)

    def draw(rows: Whole, who: Whole, tries: Whole) -> Floats:
        if population is None:
            return _of_priors(seed, who, tries)
        u = uniforms(np.uint64(seed), 0, who, purpose("particle"), tries)
        particle[rows] = (u * len(population)).astype(np.int64)
        return vary(population[particle[rows]], seed=seed, mice=who, attempts=tries)

    values, attempts, rejected = _plausible(mice, draw, seed, overrides)
    frame = pd.DataFrame(
        {
            "mouse": mice,
            "particle": particle,
            "attempts": attempts.astype(np.int32),
            **{name: values[:, k] for k, name in enumerate(NAMES)},
        }
    )
    return frame, rejected


def animals(
    *,
    seed: int,
    group_seed: int,
    experiments: Whole,
    mice: Whole,
    overrides: Mapping[str, Distribution],
    population: Floats | None = None,
) -> Floats:
    """Animals (n, NAMES) of simulated experiments: all of one vary around the same typical mouse.

    Args:
        seed: of the study; with the experiment it decides on the typical mouse.
        group_seed: of the animals themselves: groups of other seeds hold other animals.
        experiments: (n,) the experiment of each animal. Its typical mouse is a particle of
            ``population`` or, without one, a plausible draw from the priors.
        mice: (n,) number of each animal, the key of its draws.
        overrides: as in ``sample``.

    Raises UserError as ``sample`` does.
    """
    numbers, place = np.unique(experiments, return_inverse=True)
    if population is None:
        typical, _, _ = _plausible(
            numbers, lambda rows, who, tries: _of_priors(seed, who, tries), seed, {}
        )
    else:
        u = uniforms(np.uint64(seed), 0, numbers, purpose("experiment"), np.zeros_like(numbers))
        typical = population[(u * len(population)).astype(np.int64)]

    def draw(rows: Whole, who: Whole, tries: Whole) -> Floats:
        return vary(typical[place[rows]], seed=group_seed, mice=who, attempts=tries)

    return _plausible(mice, draw, group_seed, overrides)[0]


def _of_priors(seed: int, mice: Whole, attempts: Whole) -> Floats:
    out = np.empty((mice.shape[0], len(NAMES)))
    for k, (name, p) in enumerate(PARAMETERS.items()):
        u = uniforms(np.uint64(seed), 0, mice, purpose(name), attempts)
        out[:, k] = quantile(p.kind, p.a, p.b, u)
    return out


def _plausible(
    mice: Whole,
    draw: Callable[[Whole, Whole, Whole], Floats],
    seed: int,
    overrides: Mapping[str, Distribution],
) -> tuple[Floats, Whole, Counter[str]]:
    """Draws (n, NAMES) repeated until each is a plausible mouse, attempts (n,), and what was not.

    ``draw(rows, mice, attempts)`` gives the draws before ``overrides``.
    """
    attempts = np.zeros_like(mice)
    waiting = np.arange(mice.shape[0])
    values = np.empty((mice.shape[0], len(NAMES)))
    rejected: Counter[str] = Counter()
    reasons = [*RULES, BEYOND]
    while waiting.size:
        who, tries = mice[waiting], attempts[waiting]
        values[waiting] = draw(waiting, who, tries)
        beyond = np.zeros(waiting.shape, dtype=bool)
        for name, d in overrides.items():
            u = uniforms(np.uint64(seed), 0, who, purpose(name), tries)
            own = quantile(d.kind, d.a, d.b, u)
            values[waiting, NAMES.index(name)] = own
            beyond |= (own < PARAMETERS[name].lowest) | (own > PARAMETERS[name].highest)
        why = first_reason({name: values[waiting, k] for k, name in enumerate(NAMES)})
        why[(why < 0) & beyond] = len(RULES)
        rejected.update(reasons[k] for k in why[why >= 0])
        attempts[waiting] += 1
        waiting = waiting[why >= 0]
        if waiting.size and attempts[waiting[0]] >= MAX_ATTEMPTS:
            commonest = reasons[int(np.bincount(why[why >= 0]).argmax())]
            raise UserError(
                codes.NO_PLAUSIBLE_MOUSE,
                f"no plausible mouse in {MAX_ATTEMPTS} draws; most were rejected because: "
                f"{commonest}. Widen the distributions that the study overrides.",
                place="cohort.parameters",
            )
    return values, attempts, rejected
