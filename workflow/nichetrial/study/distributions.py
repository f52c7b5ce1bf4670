"""The cohort's own distributions: names, units and sense checked against the model's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.model.parameters import PARAMETERS, Parameter
from nichetrial.study.kinds import did_you_mean, show
from nichetrial.study.resolved import Distribution
from nichetrial.study.source import DocumentPath, Problem
from nichetrial.study.units import Quantity, UnitError, convert, pretty

__all__ = ["distributions_schema", "read_distributions"]

_MOLAR_MASS = {"timp1": 28_000.0, "sdf1": 8_000.0}
"""g/mol, so that a measured 73.5 ug/L can be written as it was published."""

_FORMS = {
    "fixed": "{fixed: 2 nM}",
    "uniform": "{uniform: [1 nM, 2 nM]}",
    "log_uniform": "{log_uniform: [0.3 h, 6 h]}",
    "log_normal": "{log_normal: {median: 2 nM, cv: 0.5}}",
    "beta": "{beta: {mean: 0.3, size: 20}}",
}

_BETWEEN = "between_mice"
WIDEST = 2.0
"""Coefficient of variation between the mice of a particle, at most."""
SMALLEST_SAMPLE = 0.5
"""Of a beta distribution."""


class _Wrong(Exception):
    """Carries one problem out of the reading of one distribution."""

    def __init__(self, path: DocumentPath, code: Code, message: str) -> None:
        self.problem = Problem(path, code, message)


def read_distributions(
    written: Mapping[str, Any], path: DocumentPath
) -> tuple[dict[str, Distribution], list[Problem]]:
    """The overrides in internal units, by name, and what is wrong with the others.

    Args:
        written: parameter name -> distribution as in the study file.
        path: where ``written`` stands in the document.
    """
    result: dict[str, Distribution] = {}
    problems: list[Problem] = []
    for name, value in written.items():
        here = (*path, name)
        if name not in PARAMETERS:
            problems.append(
                Problem(
                    here,
                    codes.UNKNOWN_WORD,
                    f'unknown parameter "{name}"{did_you_mean(name, PARAMETERS)}',
                )
            )
            continue
        try:
            result[name] = _read(PARAMETERS[name], value, here)
        except _Wrong as error:
            problems.append(error.problem)
    return dict(sorted(result.items())), problems


def _read(parameter: Parameter, value: Any, path: DocumentPath) -> Distribution:
    """With the spread between the mice of a particle, if it is given."""
    if not isinstance(value, Mapping) or _BETWEEN not in value:
        return _drawn(parameter, value, path)
    rest = {key: body for key, body in value.items() if key != _BETWEEN}
    spread = _number(value[_BETWEEN], (*path, _BETWEEN), WIDEST)
    return _drawn(parameter, rest, path).model_copy(update={_BETWEEN: spread})


def _drawn(parameter: Parameter, value: Any, path: DocumentPath) -> Distribution:
    if not isinstance(value, Mapping) or len(value) != 1:
        raise _Wrong(
            path,
            codes.DISTRIBUTION,
            f"write one distribution, such as {_FORMS['log_uniform']} or {_FORMS['fixed']}",
        )
    ((kind, body),) = value.items()
    if kind not in _FORMS:
        raise _Wrong(
            (*path, kind),
            codes.UNKNOWN_WORD,
            f'unknown distribution "{kind}"{did_you_mean(kind, _FORMS)}',
        )
    path = (*path, kind)
    if kind == "fixed":
        return Distribution(kind="fixed", a=_quantity(parameter, body, path).value)
    if kind in {"uniform", "log_uniform"}:
        if not isinstance(body, list) or len(body) != 2:
            raise _Wrong(
                path,
                codes.DISTRIBUTION,
                f"write the lowest and the highest value, such as {_FORMS[kind]}",
            )
        low, high = (_quantity(parameter, v, (*path, i)) for i, v in enumerate(body))
        if kind == "log_uniform" and low.value <= 0:
            raise _Wrong(
                (*path, 0),
                codes.OUT_OF_RANGE,
                f'"{low.text}" must be more than zero in log_uniform; '
                "use uniform, or a small number",
            )
        if not low.value < high.value:
            raise _Wrong(
                path,
                codes.DISTRIBUTION,
                f'"{low.text}" is not below "{high.text}"; write the lowest first, or use fixed',
            )
        return Distribution(
            kind="uniform" if kind == "uniform" else "log_uniform", a=low.value, b=high.value
        )
    if kind == "log_normal":
        parts = _parts(body, ("median", "cv"), path, _FORMS[kind])
        median = _quantity(parameter, parts["median"], (*path, "median"))
        if median.value <= 0:
            raise _Wrong(
                (*path, "median"), codes.OUT_OF_RANGE, f'"{median.text}" must be more than zero'
            )
        return Distribution(
            kind="log_normal", a=median.value, b=_number(parts["cv"], (*path, "cv"), 10.0)
        )
    if parameter.unit not in {"1", ""}:
        raise _Wrong(
            path,
            codes.DISTRIBUTION,
            f"beta is for shares between 0 and 1, but {parameter.name} is in "
            f"{parameter.unit}; use log_normal or uniform",
        )
    parts = _parts(body, ("mean", "size"), path, _FORMS[kind])
    mean = _number(parts["mean"], (*path, "mean"), 1.0)
    if mean >= 1:
        raise _Wrong((*path, "mean"), codes.OUT_OF_RANGE, f"{pretty(mean)} must be less than 1")
    size = _number(parts["size"], (*path, "size"), 1e9)
    if size < SMALLEST_SAMPLE:
        raise _Wrong(
            (*path, "size"),
            codes.OUT_OF_RANGE,
            f"{pretty(size)} is too small: with less than {pretty(SMALLEST_SAMPLE)}, nearly every "
            "draw is 0 or 1",
        )
    return Distribution(kind="beta", a=mean, b=size)


def _parts(body: Any, keys: tuple[str, str], path: DocumentPath, form: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _Wrong(path, codes.DISTRIBUTION, f"write {keys[0]} and {keys[1]}, such as {form}")
    for key in body:
        if key not in keys:
            raise _Wrong(
                (*path, key), codes.UNKNOWN_KEY, f'unknown key "{key}"{did_you_mean(key, keys)}'
            )
    for key in keys:
        if key not in body:
            raise _Wrong(path, codes.MISSING_KEY, f'missing key "{key}"; write for example {form}')
    return body


def _quantity(parameter: Parameter, value: Any, path: DocumentPath) -> Quantity:
    mass = next((m for n, m in _MOLAR_MASS.items() if parameter.name.startswith(n)), None)
    try:
        quantity = convert(
            value, parameter.unit, molar_mass=mass if parameter.unit == "nM" else None
        )
    except UnitError as error:
        raise _Wrong(path, error.code, str(error)) from None
    if not parameter.lowest <= quantity.value <= parameter.highest:
        raise _Wrong(
            path,
            codes.OUT_OF_RANGE,
            f'"{quantity.text}" is outside the physical range of {parameter.name}, '
            f"{parameter.physical}; write a value within it",
        )
    return quantity


def _number(value: Any, path: DocumentPath, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(
            path, codes.WRONG_KIND, f"{show(value)} is not a number; write one without a unit"
        )
    if not math.isfinite(value) or not 0 < value <= highest:
        raise _Wrong(
            path,
            codes.OUT_OF_RANGE,
            f"{show(value)} must be more than 0 and at most {pretty(highest)}",
        )
    return float(value)


def distributions_schema() -> dict[str, Any]:
    """JSON schema of ``cohort.parameters``: each parameter with its meaning and its prior."""
    value = {"anyOf": [{"type": "string"}, {"type": "number"}]}
    pair = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    positive = {"type": "number", "exclusiveMinimum": 0}

    def group(**parts: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": parts,
            "required": list(parts),
            "additionalProperties": False,
        }

    forms = {
        "fixed": value,
        "uniform": pair,
        "log_uniform": pair,
        "log_normal": group(median=value, cv=positive),
        "beta": group(mean=positive, size=positive),
    }
    spread = {"type": "number", "exclusiveMinimum": 0, "maximum": WIDEST}
    one_of = []
    for name, form in forms.items():
        one = group(**{name: form})
        one["properties"][_BETWEEN] = spread
        one_of.append(one)
    distribution = {"oneOf": one_of}
    return {
        "Distribution": distribution,
        "Parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                p.name: {
                    "$ref": "#/$defs/Distribution",
                    "description": f"{p.meaning} ({p.symbol}; in the model: {p.written}; "
                    f"{p.trust}; physical range {p.physical})",
                }
                for p in PARAMETERS.values()
            },
        },
    }
