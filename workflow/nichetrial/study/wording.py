"""pydantic's complaints in plain words, each with its path in the document."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nichetrial import codes
from nichetrial.study.kinds import did_you_mean, listed, show
from nichetrial.study.source import DocumentPath, Problem
from nichetrial.study.units import pretty

__all__ = ["problems_of", "unknown_key", "validated"]


CODES = {
    "missing": codes.MISSING_KEY,
    "extra_forbidden": codes.UNKNOWN_KEY,
    "too_long": codes.TOO_MANY,
    "too_short": codes.TOO_FEW,
    "literal_error": codes.UNKNOWN_WORD,
    "string_too_short": codes.EMPTY,
    "string_too_long": codes.TOO_MANY,
    "finite_number": codes.OUT_OF_RANGE,
    "greater_than": codes.OUT_OF_RANGE,
    "greater_than_equal": codes.OUT_OF_RANGE,
    "less_than": codes.OUT_OF_RANGE,
    "less_than_equal": codes.OUT_OF_RANGE,
}
"""pydantic's kinds of complaint that are not of a wrong kind of value."""


GONE = {
    ("CohortSection", "mice"): "a cohort has particles now, with some mice of each: instead of "
    '"mice: 1000" write "particles: 250" and "mice_per_particle: 4"',
    ("FigureSpec", "course_mice"): 'is now "course_particles": one mouse of each is drawn',
    ("FigureSpec", "dose_mice"): 'is now "dose_particles": all mice of these are simulated',
    ("OptimiseSection", "mice"): 'is now "particles": all mice of these are simulated',
}
"""Section and key of the first edition -> what to write now."""

BOUNDS = {
    "greater_than": ("small", "more than"),
    "greater_than_equal": ("small", "at least"),
    "less_than": ("large", "less than"),
    "less_than_equal": ("large", "at most"),
}
NEEDED = {
    "float_type": "{shown} is not a number; write one without a unit",
    "finite_number": "{shown} is not a finite number",
    "int_type": "{shown} is not a whole number; write one without a unit",
    "int_from_float": "{shown} is not a whole number; write one without a unit",
    "string_type": "text is needed, but this is {shown}; put the text in quotes",
    "string_too_short": "is empty; write a few words, or delete the key",
    "string_too_long": "too long; at most {max_length} characters",
}
"""pydantic's kind of complaint -> what is wrong, and what would be right."""


def validated(
    model: type[BaseModel], data: Any, path: DocumentPath, problems: list[Problem]
) -> Any | None:
    """``data`` as ``model``; or None, with what is wrong added to ``problems`` under ``path``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, model, path)
        return None


def problems_of(
    error: ValidationError, model: type[BaseModel], path: DocumentPath
) -> list[Problem]:
    """One problem for each complaint, ``path`` being where ``model`` stands in the document."""
    found = []
    items = error.errors(include_url=False)
    below = {tuple(item["loc"][:-1]) for item in items}
    for item in items:
        where: DocumentPath = tuple(item["loc"])
        if item["type"] == "too_short" and where in below:
            continue  # of a tuple, pydantic counts only the entries that are right
        kind, value, context = item["type"], item["input"], item.get("ctx", {})
        code = CODES.get(kind, codes.WRONG_KIND)
        if value is None and kind != "study":
            code, message = codes.EMPTY, "is empty; write a value, or delete the key"
        elif kind == "missing":
            parent, key = _model_at(model, where[:-1]), str(where[-1])
            meaning = (parent.model_fields[key].description or "") if parent else ""
            message = f'missing key "{key}": {meaning}'.removesuffix(".").removesuffix(": ")
            where = where[:-1]
        elif kind == "extra_forbidden":
            known = _model_at(model, where[:-1])
            message = _gone(str(where[-1]), known) or unknown_key(
                str(where[-1]), known.model_fields if known else {}
            )
        elif kind in {"model_type", "model_attributes_type", "dict_type"}:
            known = _model_at(model, where)
            keys = f" ({listed(known.model_fields)})" if known else ""
            message = f"{_shown(value)}; write keys with values here{keys}"
        elif kind in {"list_type", "tuple_type"}:
            message = f"{_shown(value)}; write a list here, in brackets [ ] or with one - a line"
        elif kind == "too_long":
            message = (
                f"{context['actual_length']} entries are too many; at most {context['max_length']}"
            )
        elif kind == "too_short":
            message = (
                f"{context['actual_length']} entries are too few; at least {context['min_length']}"
            )
        elif kind == "study":
            message, code = item["msg"], context["code"]
        elif kind == "literal_error":
            words = re.findall(r"'([^']*)'", context["expected"])
            message = f"unknown word {show(value)}{did_you_mean(str(value), words)}"
        elif kind in BOUNDS:
            side, bound = BOUNDS[kind]
            limit = pretty(next(iter(context.values())))
            message = f"{show(value)} is too {side}; {bound} {limit}"
        else:
            message = NEEDED.get(kind, item["msg"]).format(shown=show(value), **context)
        found.append(Problem((*path, *where), code, message))
    return found


def _gone(key: str, model: type[BaseModel] | None) -> str:
    """What to write instead of a key of an earlier edition; '' for any other."""
    return GONE.get((model.__name__, key), "") if model else ""


def unknown_key(key: str, known: Mapping[str, Any]) -> str:
    """``unknown key "treatmnets"; did you mean "treatments"?``"""
    return f'unknown key "{key}"{did_you_mean(key, known)}'


def _shown(value: Any) -> str:
    return "is empty" if value is None else f"{show(value)} is not right here"


def _model_at(model: type[BaseModel], path: DocumentPath) -> type[BaseModel] | None:
    """The model that stands at ``path`` below ``model``; None where there is none."""
    at: type[BaseModel] | None = model
    kind: Any = model
    for part in path:
        if isinstance(part, str) and at is not None:
            if part not in at.model_fields:
                return None
            kind = at.model_fields[part].annotation
        elif isinstance(part, int) and get_origin(kind) in (list, tuple):
            kind = get_args(kind)[0]
        else:
            return None
        at = _as_model(kind)
    return at


def _as_model(kind: Any) -> type[BaseModel] | None:
    if get_origin(kind) in (Union, types.UnionType):
        models = [_as_model(k) for k in get_args(kind)]
        return next((m for m in models if m), None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
