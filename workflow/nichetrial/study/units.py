"""Quantities with units, parsed once: ``5 mg/kg``, ``12 h``, ``1e6 cells``, ``73.5 ug/L``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from nichetrial import codes

__all__ = ["DOSE", "Quantity", "UnitError", "convert", "pretty"]

DOSE = "dose"
"""Not a unit but two: mg/kg and nmol/kg of body mass; the drug's molar mass joins them later."""

_NUMBER = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_NAME = r"[A-Za-zµμ%]+(?:\^(?:[23]|-[123])|[23²³](?![0-9]))?"
_QUANTITY = re.compile(
    rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>(?:1?\s*/\s*)?{_NAME}(?:\s*[*/·]\s*{_NAME})*)?\s*\Z"
)
_BODY = re.compile(r"\s*(?:/\s*(?P<per>k?g)|[*·]\s*(?P<power>k?g)\^-1)\Z")
_DIMENSIONLESS = {"", "1", "fold", "share", "fraction"}
_PLAIN = _DIMENSIONLESS | {"%"}
"""What may stand after a plain number. Other pure numbers, such as degrees, are not meant."""

_EXAMPLES = {
    "d": "4 d",
    "cells": "1e6 cells",
    "nM": "2 nM",
    DOSE: "5 mg/kg",
    "mm^3": "100 mm^3",
    "L/kg": "0.5 L/kg",
    "1/d": "0.4 /d",
}
_NOUNS = {
    "d": "a time",
    "cells": "a number of cells",
    "nM": "a concentration",
    DOSE: "a dose per body mass",
    "mm^3": "a volume",
    "1/d": "a rate",
    "L/kg": "a volume per body mass",
}


class UnitError(ValueError):
    """A quantity that cannot be understood; the text says what to write instead."""

    code = codes.QUANTITY


@dataclass(frozen=True)
class Quantity:
    """A quantity as the user wrote it, and its value in the internal unit."""

    text: str
    value: float
    unit: str
    """The internal unit; of a dose, ``mg/kg`` or ``nmol/kg``, whichever was written."""


_DEFINED = """\
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
day = [time] = d
week = 7 day
hour = day / 24 = h = hr
minute = hour / 60 = min
second = minute / 60 = s = sec
meter = [length] = m
liter = 1e-3 meter ** 3 = l = L
gram = [mass] = g
mole = [substance] = mol
molar = mole / liter = M
cell = [cell_count]
fold = []
percent = 0.01 = %
bodykg = [body_mass]
bodyg = bodykg / 1000
"""
"""The units of a study file. A whole table of units takes longer to load than a study."""


@cache
def _registry() -> Any:
    import pint  # slow to import, and not needed to print a help text

    registry: Any = pint.UnitRegistry(None)
    for line in _DEFINED.splitlines():
        registry.define(line)
    return registry


@cache
def _units(text: str) -> Any:
    """The pint unit of ``text``; raises UnitError for an unknown one."""
    import pint

    if text in _DIMENSIONLESS:
        return _registry().dimensionless
    tidy = text.replace("²", "^2").replace("³", "^3").replace("·", "*").strip()
    tidy = re.sub(r"([A-Za-zµμ])([23])(?![0-9])", r"\1^\2", tidy)
    tidy = f"1{tidy}" if tidy.startswith("/") else tidy
    try:
        return _registry().parse_units(tidy)
    except (pint.PintError, ValueError, TypeError, AttributeError):
        raise UnitError(text) from None


def convert(value: Any, unit: str, *, molar_mass: float | None = None) -> Quantity:
    """``value`` as written in a study file, in the internal ``unit``.

    Args:
        value: text such as ``12 h``; a bare number only where ``unit`` is dimensionless.
        unit: internal unit, or ``DOSE``.
        molar_mass: g/mol; where given, mass concentrations (``ug/L``) become molar ones.

    Raises UnitError, whose text says what to write.
    """
    example = _example(unit)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"expected a quantity such as {example}")
    bare = isinstance(value, int | float)
    text = pretty(value) if isinstance(value, int | float) else value.strip()
    match = _QUANTITY.match(text) if len(text) <= 60 else None
    if bare and not math.isfinite(value):  # type: ignore[arg-type]
        raise UnitError(f"{value} is not a finite number; write a quantity such as {example}")
    if match is None:
        raise UnitError(
            f'"{text[:60]}" is not a quantity; write a number with its unit, such as {example}'
        )
    number, written = float(match["number"]), match["unit"] or ""
    if not math.isfinite(number):
        raise UnitError(f"{text} is not a finite number; write a quantity such as {example}")
    if not written and unit not in _DIMENSIONLESS:
        suggestion = f"{text} {unit}" if unit in {"d", "cells", "nM"} else example.strip('"')
        suggestion = f"{text} mg/kg" if unit == DOSE else suggestion
        raise UnitError(f'{text} has no unit; write for example "{suggestion}"')
    if math.copysign(1.0, number) < 0:
        raise UnitError(f'"{text}" is negative; write zero or more')
    if unit == DOSE:
        return _dose(text, number, match, example)
    if unit in _DIMENSIONLESS and written not in _PLAIN:
        raise UnitError(f'"{text}" is not a plain number; write for example {example}')
    try:
        source, target = _units(written), _units(unit)
    except UnitError as error:
        raise UnitError(
            f'unknown unit "{error}" in "{text}"; {_meant(match, unit, example)}'
        ) from None
    if source.dimensionality != target.dimensionality:
        if molar_mass and source.dimensionality == _units("g/L").dimensionality:
            grams_per_litre = number * _factor(written, "g/L")
            return Quantity(text, _tidy(grams_per_litre / molar_mass * 1e9), unit)
        hint = '; minutes are "min"' if written == "m" and unit == "d" else ""
        noun = _NOUNS.get(unit, "a plain number" if unit in _DIMENSIONLESS else f"in {unit}")
        raise UnitError(f'"{text}" is not {noun}; write for example {example}{hint}')
    return Quantity(text, _tidy(number * _factor(written, unit)), unit)


def _dose(text: str, number: float, match: re.Match[str], example: str) -> Quantity:
    # In plain dimensions mg/kg is a pure number, as 5 % is: body mass gets a dimension of its own.
    of_body = _BODY.sub(lambda m: f"/body{m['per'] or m['power']}", match["unit"])
    try:
        dimension = _units(of_body).dimensionality
    except UnitError:
        raise UnitError(
            f'unknown unit "{match["unit"]}" in "{text}"; {_meant(match, DOSE, example)}'
        ) from None
    for unit in ("mg/kg", "nmol/kg"):
        target = unit.replace("/kg", "/bodykg")
        if dimension == _units(target).dimensionality:
            return Quantity(text, _tidy(number * _factor(of_body, target)), unit)
    raise UnitError(f'"{text}" is not a dose per body mass; write for example {example}')


def _meant(match: re.Match[str], unit: str, example: str) -> str:
    """What to write in place of an unknown unit: the same in other letters, or an example."""
    for other in (match["unit"].lower(), match["unit"].lower().replace("nm", "nM")):
        if other != match["unit"]:
            try:
                quantity = convert(f"{match['number']} {other}", unit)
            except UnitError:
                continue
            return f'write "{quantity.text}" (capital and small letters differ)'
    return f"write for example {example}"


@cache
def _factor(written: str, unit: str) -> float:
    return float((1.0 * _units(written)).to(_units(unit)).magnitude)


def _tidy(value: float) -> float:
    """15 digits: 12 h and 0.5 d are the same number, whichever way the factor was rounded."""
    return float(f"{value:.15g}")


def _example(unit: str) -> str:
    example = _EXAMPLES.get(unit, "2" if unit in _DIMENSIONLESS else f"2 {unit}")
    return f'"{example}"' if unit not in _DIMENSIONLESS else example


def pretty(value: float) -> str:
    """A number as people write it: ``10``, ``0.25``, ``1e6``."""
    if isinstance(value, int) or (value == int(value) if math.isfinite(value) else False):
        whole = str(int(value))
        stripped = whole.rstrip("0")
        zeros = len(whole) - len(stripped)
        if zeros >= 5 and len(stripped.lstrip("-")) <= 2:
            return (
                f"{stripped}e{zeros}"
                if len(stripped.lstrip("-")) == 1
                else (f"{stripped[:-1]}.{stripped[-1]}e{zeros + 1}")
            )
        return whole
    text = f"{value:.15g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text
