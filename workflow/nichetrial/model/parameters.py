"""The parameters of a virtual mouse: meaning, unit, prior, and how far each can be trusted.

The table itself is data, ``parameters.csv`` next to this file. ``trust`` is ``measured`` (in mice),
``estimated`` (another species or tissue, or a plausible range drawn from such data) or ``unknown``
(nobody has measured it: results say how far they depend on it).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

__all__ = ["PARAMETERS", "Kind", "Parameter", "Trust"]

Trust = Literal["measured", "estimated", "unknown"]
Kind = Literal["uniform", "log_uniform", "log_normal", "beta", "fixed"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter and its prior, in internal units (days, nM, fold, cells, mm^3, L/kg).

    ``kind`` with ``a, b``: ``uniform`` and ``log_uniform`` (bounds), ``log_normal`` (median, CV),
    ``beta`` (mean, sample size), ``fixed`` (value, 0).
    """

    name: str
    symbol: str
    unit: str
    kind: Kind
    a: float
    b: float
    lowest: float
    highest: float
    """The physical range: a value outside it means nothing."""
    cv: float
    """Spread between the mice of one experiment (log-normal); 0 for what belongs to molecules."""
    group: str
    meaning: str
    trust: Trust
    source: str
    written: str
    """The prior in the unit of the table, for people."""
    physical: str
    """The physical range in the unit of the table, for people."""


def _read() -> dict[str, Parameter]:
    text = files(__package__).joinpath("parameters.csv").read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        a, b, unit = float(row["a"]), float(row["b"]), row["unit"]
        lowest, highest = float(row["lowest"]), float(row["highest"])
        between = f"{row['a']} to {row['b']}"
        written = {
            "beta": f"beta, mean {row['a']}, sample size {row['b']}",
            "log_normal": f"log-normal, median {row['a']} {unit}, CV {row['b']}",
            "uniform": f"uniform, {between} {unit}",
            "log_uniform": f"log-uniform, {between} {unit}",
            "fixed": f"fixed, {row['a']} {unit}",
        }[row["kind"]].removesuffix(" 1")
        if unit == "h":  # the model counts in days
            a, b, unit = a / 24.0, b / 24.0, "d"
            lowest, highest = lowest / 24.0, highest / 24.0
        table[row["name"]] = Parameter(
            name=row["name"],
            symbol=row["symbol"],
            unit=unit,
            kind=cast(Kind, row["kind"]),
            a=a,
            b=b,
            lowest=lowest,
            highest=highest,
            cv=float(row["cv"]),
            group=row["group"],
            meaning=row["meaning"],
            trust=cast(Trust, row["trust"]),
            source=row["source"],
            written=written,
            physical=f"{row['lowest']} to {row['highest']} {row['unit']}".removesuffix(" 1"),
        )
    return table


PARAMETERS: dict[str, Parameter] = _read()
