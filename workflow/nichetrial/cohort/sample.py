"""Particles and virtual mice: keyed draws from the priors, or from a calibrated population.

A particle is what science does not know: one possible biology, with its typical mouse. The mice of
a particle differ as animals of one experiment do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial import codes
from nichetrial.cohort.between import SPREAD, vary
from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import RULES, first_reason
from nichetrial.cohort.smc import effective
from nichetrial.cohort.space import NAMES, cohort_of, mouse_key
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution
from nichetrial.tables import Schema

__all__ = [
    "MAX_ATTEMPTS",
    "MICE",
    "PRIORS",
    "TYPICAL",
    "Drawn",
    "draw",
    "effective_share",
    "sample",
    "typical",
]

MAX_ATTEMPTS = 1000
BEYOND = "a parameter that the study overrides is outside its physical range"
PRIORS = -1
"""The row of a particle that is of no population."""

_VALUES: Schema = {p.name: (pa.float64(), p.unit, p.meaning) for p in PARAMETERS.values()}
_ATTEMPTS = (pa.int32(), "1", "draws that it took, the plausible one included")
TYPICAL: Schema = {
    "particle": (pa.int64(), "1", "number of the particle"),
    "row": (pa.int64(), "1", f"its row in the population; {PRIORS}: drawn from the priors"),
    "attempts": _ATTEMPTS,
    **_VALUES,
}
MICE: Schema = {
    "particle": (pa.int64(), "1", "number of the particle that the mouse varies around"),
    "animal": (pa.int64(), "1", "number of the mouse among those of its particle"),
    "attempts": _ATTEMPTS,
    **_VALUES,
}

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Overrides = Mapping[str, Distribution]


class Drawn(NamedTuple):
    """Particles (schema TYPICAL), mice (schema MICE), and the draws that each reason rejected."""

    typical: pd.DataFrame
    mice: pd.DataFrame
    rejected: Counter[str]


def sample(
    *,
    seed: int,
    first: int,
    last: int,
    mice: int,
    overrides: Overrides,
    population: Floats | None = None,
) -> Drawn:
    """Particles ``first`` to ``last`` (both included), with ``mice`` mice of each.

    A draw depends on seed, particle, animal, parameter and attempt only: more particles, more mice
    and other parameters' overrides leave it as it is.

    Args:
        overrides: parameters that are drawn from these distributions for each particle, whatever
            the rest; between the mice they differ by ``between_mice`` alone.
        population: (n, NAMES). Particle k is row k of it in a fixed shuffled order, which begins
            again behind the last. None: particles are drawn from the priors.

    Raises:
        UserError: a particle or mouse is still implausible after MAX_ATTEMPTS draws.
    """
    numbers = np.arange(first, last + 1, dtype=np.int64)
    middle, refused = typical(seed, numbers, overrides, population)
    particles = np.repeat(numbers, mice)
    animals = np.tile(np.arange(mice, dtype=np.int64), len(numbers))
    around, rejected = draw(seed, middle, particles, animals, overrides)
    return Drawn(middle, around, refused + rejected)


def typical(
    seed: int, numbers: Whole, overrides: Overrides, population: Floats | None
) -> tuple[pd.DataFrame, Counter[str]]:
    """The particles ``numbers`` (n,) of a study (schema TYPICAL), and what was rejected.

    A row of the population that the overrides make implausible is replaced by another one, at
    random. Raises UserError as ``sample`` does.
    """
    rows = np.full_like(numbers, PRIORS)

    def attempt(places: Whole, tries: Whole) -> Floats:
        who = numbers[places]
        if population is None:
            values = _of_priors(seed, who, tries)
        else:
            count = len(population)
            u = uniforms(np.uint64(seed), 0, who, purpose("particle"), tries)
            other = (u * count).astype(np.int64)
            rows[places] = _shuffled(count)[np.where(tries == 0, who % count, other)]
            values = population[rows[places]]
        for name, d in overrides.items():
            u = uniforms(np.uint64(seed), 0, who, purpose(name), tries)
            values[:, NAMES.index(name)] = quantile(d.kind, d.a, d.b, u)
        return values

    values, attempts, rejected = _plausible(len(numbers), attempt, overrides)
    columns = dict(zip(NAMES, values.T, strict=True))
    frame = pd.DataFrame({"particle": numbers, "row": rows, "attempts": attempts, **columns})
    return frame, rejected


def draw(
    seed: int, middle: pd.DataFrame, particles: Whole, animals: Whole, overrides: Overrides
) -> tuple[pd.DataFrame, Counter[str]]:
    """Mice (schema MICE) around their particles, and what was rejected.

    Args:
        seed: of these mice: under another seed a particle has other ones.
        middle: the particles (schema TYPICAL), sorted.
        particles, animals: (n,) the particle of each mouse, and its number among its mice.

    Raises UserError as ``sample`` does.
    """
    centre = middle[list(NAMES)].to_numpy(np.float64)
    at = np.searchsorted(middle["particle"].to_numpy(), particles)
    spread = SPREAD | {name: d.between_mice for name, d in overrides.items()}
    keys = mouse_key(particles, animals)

    def attempt(places: Whole, tries: Whole) -> Floats:
        return vary(centre[at[places]], seed=seed, mice=keys[places], attempts=tries, spread=spread)

    values, attempts, rejected = _plausible(len(particles), attempt, overrides)
    mice = cohort_of(values, keys)
    mice.insert(2, "attempts", attempts)
    return mice, rejected


def effective_share(middle: pd.DataFrame) -> float:
    """How many independent particles those of ``middle`` (schema TYPICAL) are worth, as a share of
    their number: where there is nothing to learn, all."""
    values = middle[list(NAMES)].to_numpy(np.float64)
    varying = values[:, np.ptp(values, axis=0) > 0.0]
    return effective(varying) / len(values) if varying.size else 1.0


def _shuffled(count: int) -> Whole:
    """The order in which the rows of a population become particles: the same in every study."""
    rows = np.arange(count)
    nought = np.zeros_like(rows)
    order: Whole = np.argsort(uniforms(np.uint64(0), 0, rows, purpose("order"), nought))
    return order


def _of_priors(seed: int, numbers: Whole, attempts: Whole) -> Floats:
    out = np.empty((numbers.shape[0], len(NAMES)))
    for k, (name, p) in enumerate(PARAMETERS.items()):
        u = uniforms(np.uint64(seed), 0, numbers, purpose(name), attempts)
        out[:, k] = quantile(p.kind, p.a, p.b, u)
    return out


def _plausible(
    n: int, attempt: Callable[[Whole, Whole], Floats], overrides: Overrides
) -> tuple[Floats, NDArray[np.int32], Counter[str]]:
    """Draws (n, NAMES) repeated until each is plausible, attempts (n,), and what was not.

    ``attempt(places, tries)`` draws those at ``places`` for the time ``tries``, counted from 0.
    """
    attempts = np.zeros(n, dtype=np.int64)
    waiting = np.arange(n)
    values = np.empty((n, len(NAMES)))
    rejected: Counter[str] = Counter()
    reasons = [*RULES, BEYOND]
    while waiting.size:
        found = attempt(waiting, attempts[waiting])
        values[waiting] = found
        why = first_reason({name: found[:, k] for k, name in enumerate(NAMES)})
        beyond = np.zeros(waiting.shape, dtype=bool)
        for name in overrides:
            own = found[:, NAMES.index(name)]
            beyond |= (own < PARAMETERS[name].lowest) | (own > PARAMETERS[name].highest)
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
    return values, attempts.astype(np.int32), rejected
