"""The parameters of a virtual mouse as a unit cube: each axis is the probability under its prior.

The prior is uniform in the cube, so that a sampler needs no densities, only points.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nichetrial.cohort.distributions import quantile
from nichetrial.cohort.plausibility import first_reason
from nichetrial.model.parameters import PARAMETERS
from nichetrial.model.variants import VARIANTS
from nichetrial.study.sections import MOST_MICE

__all__ = ["NAMES", "Priors", "cohort_of", "mouse_key", "parameters", "plausible", "priors_of"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Priors = Mapping[str, tuple[str, float, float]]
"""Parameter -> (kind, a, b), see ``model.parameters``."""

NAMES: tuple[str, ...] = tuple(PARAMETERS)
"""The axes, in the order of the engine's parameters."""


def priors_of(variant: str) -> Priors:
    """The priors of a variant of the model. Raises KeyError."""
    base: dict[str, tuple[str, float, float]] = {
        p.name: (p.kind, p.a, p.b) for p in PARAMETERS.values()
    }
    return base | dict(VARIANTS[variant].priors)


def parameters(u: Floats, priors: Priors) -> Floats:
    """Parameters (n, NAMES) at points ``u`` (n, NAMES) of the cube, in internal units."""
    out = np.empty_like(u)
    for k, name in enumerate(NAMES):
        out[:, k] = quantile(*priors[name], np.ascontiguousarray(u[:, k]))
    return out


def mouse_key(particles: Whole, animals: Whole) -> Whole:
    """The keys of the mice's randomness, of 32 bits: the particle of each, and its number there."""
    return particles * MOST_MICE + animals


def cohort_of(values: Floats, keys: Whole | None = None) -> pd.DataFrame:
    """Mice (n, NAMES) as the table that a trial takes. ``keys`` (n,): from 0 unless said."""
    particle, animal = np.divmod(np.arange(len(values)) if keys is None else keys, MOST_MICE)
    columns = dict(zip(NAMES, values.T, strict=True))
    return pd.DataFrame({"particle": particle, "animal": animal, **columns})


def plausible(values: Floats) -> NDArray[np.bool_]:
    """Which of the mice (n, NAMES) are plausible: (n,)."""
    return first_reason({name: values[:, k] for k, name in enumerate(NAMES)}) < 0
