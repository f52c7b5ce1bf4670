"""Where the mice of a study come from: the population that ships, its own, or the priors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nichetrial import codes
from nichetrial.cohort.population import read_population
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.errors import UserError

__all__ = ["particles_of"]


def particles_of(source: str, own: str | Path = "") -> NDArray[np.float64] | None:
    """Particles (n, NAMES) that mice are drawn around; None: the priors. Raises UserError.

    ``source``: ``cohort.population`` of the study; ``own``: the file of its own calibration, which
    only the population of that name needs.
    """
    if source == "priors":
        return None
    file = SHIPPED / "population.parquet" if source == "calibrated" else Path(own)
    if not file.is_file():
        raise UserError(
            codes.NO_POPULATION,
            "this study's own population is not there yet; nichetrial calibrate makes it",
            place=str(file),
        )
    return read_population(file)
