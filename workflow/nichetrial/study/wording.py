"""pydantic's complaints in plain words, each with its path in the document."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nichetrial import codes
from nichetrial.study.kinds import did_you_mean, listed, show
from nichetrial.study.source import DocumentPath, Problem

__all__ = ["problems_of", "unknown_key", "validated"]


CODES = {
    "missing": codes.MISSING_KEY,
    "extra_forbidden": codes.UNKNOWN_KEY,
    "too_long": codes.TOO_MANY,
    "too_short": codes.TOO_FEW,
}
"""pydantic's kinds of complaint that are not of a wrong kind of value."""


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
    for item in error.errors(include_url=False):
        where: DocumentPath = tuple(item["loc"])
        kind, value, context = item["type"], item["input"], item.get("ctx", {})
        code = CODES.get(kind, codes.WRONG_KIND)
        if kind == "missing":
            parent, key = _model_at(model, where[:-1]), str(where[-1])
            meaning = (parent.model_fields[key].description or "") if parent else ""
            message = f'missing key "{key}": {meaning}'.removesuffix(".").removesuffix(": ")
            where = where[:-1]
        elif kind == "extra_forbidden":
            known = _model_at(model, where[:-1])
            message = unknown_key(str(where[-1]), known.model_fields if known else {})
        elif kind in {"model_type", "model_attributes_type", "dict_type"}:
            known = _model_at(model, where)
            keys = f" ({listed(known.model_fields)})" if known else ""
            message = f"{_shown(value)}; write keys with values here{keys}"
        elif kind == "list_type":
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
        else:
            message = f"{item['msg']} (found {show(value)})"
        found.append(Problem((*path, *where), code, message))
    return found


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
        elif isinstance(part, int) and get_origin(kind) is list:
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
