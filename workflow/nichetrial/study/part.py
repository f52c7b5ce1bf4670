"""A part of a study: what a stage may read, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

__all__ = ["part"]

M = TypeVar("M", bound=BaseModel)


def part(model: M, keys: Iterable[str], narrowed: Mapping[str, Any] | None = None) -> M:
    """A copy of ``model`` with these fields alone; to read any other is an AttributeError.

    Args:
        keys: names of fields. A field of a model inside has a dot (``figures.dpi``); of a tuple of
            models, it is taken of each (``arms.name``).
        narrowed: field -> the value to take instead, such as one arm of all.
    """
    inside: dict[str, list[str]] = {}
    for key in keys:
        head, _, rest = key.partition(".")
        inside.setdefault(head, []).append(rest)
    values: dict[str, Any] = {}
    for name, rests in inside.items():
        value = (narrowed or {}).get(name, getattr(model, name))
        values[name] = value if "" in rests else _parts(value, rests)
    copy = type(model).model_construct(_fields_set=set(values), **values)
    for name in type(model).model_fields.keys() - values.keys():
        copy.__dict__.pop(name, None)  # a default is none of the part
    return copy


def _parts(value: Any, keys: list[str]) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(part(item, keys) for item in value)
    return part(value, keys)
