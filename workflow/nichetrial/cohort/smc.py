"""Approximate Bayesian computation by sequential Monte Carlo, with keyed draws.

Replenishment (Drovandi and Pettitt 2011, doi 10.1111/j.1541-0420.2010.01410.x; Del Moral 2012, doi
10.1007/s11222-011-9271-y): the particles that are far from the data are replaced by copies of near
ones, then all are moved by Markov chain steps that stay as near. In the unit cube of the priors a
step is taken if it is plausible and near enough: the prior is flat there and the proposals are
symmetric. No weights arise, so correlations between the parameters are kept by the points alone.

Every draw depends on seed, particle, generation and purpose: the particles can be moved in any
chunks, on any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from nichetrial.cohort.space import NAMES, Priors, parameters, plausible
from nichetrial.engine.normal import normal_quantile
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.tables import Schema

__all__ = [
    "GENERATIONS",
    "PARTICLES",
    "Distance",
    "Particles",
    "Settings",
    "curve",
    "effective",
    "move",
    "select",
    "start",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Distance = Callable[[Floats, Ints], Floats]
"""(parameters (n, NAMES), the key of each experiment's random events (n,)) -> distances (n,)."""

PARTICLES: Schema = {
    "slot": (pa.int64(), "1", "number of the particle"),
    "origin": (pa.int64(), "1", "the particle of generation 0 that it descends from"),
    "distance": (pa.float64(), "1", "from the findings that are fitted; 0: all are met"),
    "taken": (pa.int64(), "steps", "steps taken in this generation"),
    "tried": (pa.int64(), "steps", "steps tried"),
    **{name: (pa.float64(), "1", "probability under its prior") for name in NAMES},
}
GENERATIONS: Schema = {
    "generation": (pa.int64(), "1", "0: draws from the priors"),
    "limit": (pa.float64(), "1", "distance that no particle may exceed"),
    "median": (pa.float64(), "1", "median distance"),
    "met": (pa.float64(), "1", "share of particles whose experiments meet all findings"),
    "acceptance": (pa.float64(), "1", "share of the steps tried that were taken"),
    "effective": (pa.float64(), "particles", "effective sample size: copies count together"),
    "origins": (pa.int64(), "particles", "particles of generation 0 that have descendants"),
    "support": (pa.float64(), "1", "share of a prior's 90 % range that the particles cover, mean"),
}
MAX_ATTEMPTS = 1000
SHARE_MOVED = 0.25
"""Share of the axes along which one step goes: few, or hardly any step would be taken."""
WALK, DIFFERENCE = 0.4, 0.8
"""Below the first, a step is a random walk; below the second, along the difference of two other
particles, which knows their correlations; else the axes are drawn again from the prior."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How many particles, how many steps each takes in a generation, and the share that is kept."""

    seed: int
    particles: int
    moves: int
    keep: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Particles:
    """Some particles of one generation; all arrays have a row each."""

    slot: Ints
    origin: Ints
    """The slot in generation 0 from which it descends."""
    u: Floats
    """(n, NAMES), in the cube."""
    distance: Floats
    taken: Ints
    """Steps taken in this generation, of those tried."""
    tried: Ints

    def table(self) -> pd.DataFrame:
        """As a table (schema PARTICLES)."""
        return pd.DataFrame(
            {
                "slot": self.slot,
                "origin": self.origin,
                "distance": self.distance,
                "taken": self.taken,
                "tried": self.tried,
                **dict(zip(NAMES, self.u.T, strict=True)),
            }
        )

    @classmethod
    def of(cls, table: pd.DataFrame) -> Particles:
        """From a table, or several chunks of one generation in the order of their slots."""
        columns = {c: table[c].to_numpy() for c in ("slot", "origin", "distance", "taken", "tried")}
        return cls(u=np.ascontiguousarray(table[list(NAMES)].to_numpy(np.float64)), **columns)


def _draw(s: Settings, what: str, index: int, slots: Ints, attempt: Ints | int) -> Floats:
    attempts = np.broadcast_to(np.asarray(attempt, np.int64), slots.shape).copy()
    return uniforms(np.uint64(s.seed), index, slots, purpose(f"smc:{what}"), attempts)


def _pick(s: Settings, what: str, index: int, slots: Ints, attempt: int, among: int) -> Ints:
    """For each slot one of the numbers below ``among``, with equal chance."""
    u = _draw(s, what, index, slots, attempt)
    return np.minimum((u * among).astype(np.int64), among - 1)


def _points(s: Settings, what: str, slots: Ints, attempt: Ints | int) -> Floats:
    return np.column_stack([_draw(s, what, k, slots, attempt) for k in range(len(NAMES))])


def start(s: Settings, priors: Priors, slots: Ints, distance: Distance) -> Particles:
    """Generation 0 of these slots: plausible draws from the priors.

    Raises:
        ValueError: no plausible particle in MAX_ATTEMPTS draws.
    """
    u = np.empty((len(slots), len(NAMES)))
    waiting, attempt = np.arange(len(slots)), 0
    while waiting.size:
        if attempt == MAX_ATTEMPTS:
            raise ValueError(f"no plausible particle in {MAX_ATTEMPTS} draws")
        u[waiting] = _points(s, "start", slots[waiting], attempt)
        waiting = waiting[~plausible(parameters(u[waiting], priors))]
        attempt += 1
    none = np.zeros(len(slots), np.int64)
    found = distance(parameters(u, priors), slots)
    return Particles(slot=slots, origin=slots, u=u, distance=found, taken=none, tried=none)


def select(s: Settings, whole: Particles, generation: int) -> tuple[float, Ints]:
    """The distance that must not be exceeded from here on, and whom each slot continues: (n,).

    ``whole`` is all of the generation before. A particle near enough continues itself; the others
    are replaced by near ones, drawn with equal chance.
    """
    rank = max(int(np.ceil(s.keep * len(whole.slot))) - 1, 0)
    limit = float(np.sort(whole.distance)[rank])
    near = np.flatnonzero(whole.distance <= limit)
    chosen = near[_pick(s, "select", 0, whole.slot, generation, len(near))]
    return limit, np.where(whole.distance <= limit, np.arange(len(whole.slot)), chosen)


def move(
    s: Settings, priors: Priors, whole: Particles, slots: Ints, generation: int, distance: Distance
) -> Particles:
    """Generation ``generation`` of these slots, from all of the one before."""
    limit, continues = select(s, whole, generation)
    width = np.round(whole.u[continues].std(axis=0), 3)  # the last bits differ between processors
    u, near = whole.u[continues[slots]].copy(), whole.distance[continues[slots]].copy()
    taken = np.zeros(len(slots), np.int64)
    for step in range(s.moves):
        attempt = generation * s.moves + step
        proposed = _propose(s, whole, u, width, slots, attempt)
        values = parameters(proposed, priors)
        able = np.flatnonzero(plausible(values))
        found = np.full(len(slots), np.inf)
        found[able] = distance(values[able], attempt * s.particles + slots[able])
        better = found <= limit
        u[better], near[better] = proposed[better], found[better]
        taken += better
    tried = np.full(len(slots), s.moves, np.int64)
    origin = whole.origin[continues[slots]]
    return Particles(slot=slots, origin=origin, u=u, distance=near, taken=taken, tried=tried)


@njit(cache=True, error_model="numpy")
def _normals(u):
    out = np.empty_like(u)
    for i in range(u.shape[0]):
        for k in range(u.shape[1]):
            out[i, k] = normal_quantile(u[i, k])
    return out


def _propose(
    s: Settings, whole: Particles, u: Floats, width: Floats, slots: Ints, attempt: int
) -> Floats:
    n, axes = u.shape
    along = _points(s, "along", slots, attempt) < SHARE_MOVED
    along[np.arange(n), _pick(s, "one", 0, slots, attempt, axes)] = True
    count = along.sum(axis=1, keepdims=True)
    drawn = _points(s, "step", slots, attempt)
    walk = u + 2.38 / np.sqrt(count) * width * _normals(drawn)
    other = [_pick(s, "other", k, slots, attempt, len(whole.slot)) for k in range(2)]
    apart = whole.u[other[0]] - whole.u[other[1]]
    kind = _draw(s, "kind", 0, slots, attempt)[:, None]
    difference = u + 2.38 / np.sqrt(2 * count) * apart
    to = np.where(kind < WALK, walk, np.where(kind < DIFFERENCE, difference, drawn))
    to = np.abs(to) % 2.0  # reflected at the faces of the cube
    to = np.clip(np.where(to > 1.0, 2.0 - to, to), 1e-12, 1.0 - 1e-12)
    return np.where(along, to, u)


def effective(u: Floats) -> float:
    """Effective number of points (n, axes): that of the values on an axis, of which copies share
    some, median over the axes. A step changes few axes: a point may be a copy in most of them."""

    def of(column: Floats) -> float:
        _, copies = np.unique(column, return_counts=True)
        return float(copies.sum() ** 2 / np.sum(copies.astype(np.float64) ** 2))

    return float(np.median([of(column) for column in u.T]))


def _covered(u: Floats) -> float:
    low, high = np.quantile(u, (0.05, 0.95), axis=0)
    return float(np.mean(np.minimum((high - low) / 0.9, 1.0)))


def curve(s: Settings, generations: Sequence[Particles]) -> pd.DataFrame:
    """How the calibration went: one row a generation (schema GENERATIONS)."""
    rows = []
    for g, p in enumerate(generations):
        rows.append(
            {
                "generation": g,
                "limit": select(s, generations[g - 1], g)[0] if g else np.inf,
                "median": float(np.median(p.distance)),
                "met": float(np.mean(p.distance == 0.0)),
                "acceptance": float(p.taken.sum() / p.tried.sum()) if g else np.nan,
                "effective": effective(p.u),
                "origins": len(np.unique(p.origin)),
                "support": _covered(p.u),
            }
        )
    return pd.DataFrame(rows, columns=list(GENERATIONS))
