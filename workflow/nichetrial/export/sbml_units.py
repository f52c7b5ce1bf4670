"""Units as products of powers: read from the model's tables, derived, and defined for SBML.

``mm^3`` and ``L`` are two units here: nothing in the model adds a tumour's volume to a volume of
distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import sympy as sp

__all__ = ["DEFINITIONS", "NONE", "Unit", "parse", "times", "unit_of"]

Unit = tuple[tuple[str, int], ...]
"""Base unit and exponent, sorted by base unit; empty for a plain number."""
NONE: Unit = ()


class Definition(NamedTuple):
    """A base unit in SBML's terms: (multiplier 10^scale kind)^exponent."""

    kind: str
    exponent: int = 1
    scale: int = 0
    multiplier: int = 1


DEFINITIONS: dict[str, Definition] = {
    "d": Definition("second", multiplier=86400),
    "nmol": Definition("mole", scale=-9),
    "L": Definition("litre"),
    "kg": Definition("kilogram"),
    "cells": Definition("item"),
    "mm^3": Definition("metre", exponent=3, scale=-3),
}
_WORDS: dict[str, Unit] = {
    **{name: ((name, 1),) for name in DEFINITIONS},
    "nM": (("L", -1), ("nmol", 1)),
    "fold": NONE,
    "1": NONE,
}


def times(a: Unit, b: Unit, power: int = 1) -> Unit:
    """``a`` times ``b`` to a power."""
    total = dict(a)
    for base, exponent in b:
        total[base] = total.get(base, 0) + power * exponent
    return tuple(sorted((base, exponent) for base, exponent in total.items() if exponent))


def parse(text: str) -> Unit:
    """A unit as the model's tables write it, such as ``nM/d``. Raises KeyError."""
    first, *rest = text.split("/")
    unit = _WORDS[first]
    for word in rest:
        unit = times(unit, _WORDS[word], -1)
    return unit


def unit_of(expression: sp.Expr, units: Mapping[sp.Symbol, Unit]) -> Unit:
    """Unit of an expression. Raises ValueError where unlike units meet."""
    if isinstance(expression, sp.Symbol):
        return units[expression]
    if expression.is_number:
        return NONE
    parts = [unit_of(part, units) for part in expression.args]
    if isinstance(expression, sp.Mul):
        product = NONE
        for part in parts:
            product = times(product, part)
        return product
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer:
        return times(NONE, parts[0], int(expression.exp))
    # what is left (sums, powers, exp, log) takes terms that are all alike
    if len(set(parts)) > 1 or (not isinstance(expression, sp.Add) and parts[0] != NONE):
        raise ValueError(f"unlike units in {expression}: {parts}")
    return parts[0]
