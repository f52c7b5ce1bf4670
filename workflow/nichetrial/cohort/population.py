"""A calibrated population: particles, each a typical mouse that agrees with published findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial import codes
from nichetrial.cohort.space import NAMES
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.tables import Schema, read

__all__ = ["POPULATION", "read_population"]

POPULATION: Schema = {
    "particle": (pa.int64(), "1", "number of the particle"),
    **{p.name: (pa.float64(), p.unit, p.meaning) for p in PARAMETERS.values()},
}


def read_population(path: str | Path) -> NDArray[np.float64]:
    """Typical mice (particles, NAMES) from a file under POPULATION. Raises UserError."""
    try:
        table: pd.DataFrame = read(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(
            codes.NO_POPULATION, f"not a population ({type(error).__name__})", place=str(path)
        ) from None
    if list(table.columns) != list(POPULATION) or table.empty:
        raise UserError(
            codes.NO_POPULATION,
            "this population is of another version of the model; calibrate again",
            place=str(path),
        )
    return table[list(NAMES)].to_numpy(np.float64)
