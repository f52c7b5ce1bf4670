"""The kinds of value in a study file.

They are used in annotations, such as ``Annotated[Quantity, Measure("d")]``. pydantic takes from
them the check, the message and the JSON schema.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.study.units import Quantity, UnitError, convert, pretty

__all__ = [
    "Choice",
    "Line",
    "Measure",
    "OrNone",
    "Real",
    "Slug",
    "Text",
    "Whole",
    "did_you_mean",
    "listed",
]

SLIP = 1e-9
"""In the internal unit: a quantity that is less, but not zero, is a slip."""
SLUG = r"[a-z0-9][a-z0-9_-]{0,63}"


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """``; did you mean "x"?``, or the options when none is close."""
    names = list(options)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; possible here: {listed(names)}" if names else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """``a, b, c``; long lists are cut."""
    shown = list(names)
    return ", ".join(shown[:most]) + (", ..." if len(shown) > most else "")


def show(value: Any) -> str:
    """A value as it stands in the file, cut to a readable length."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return pretty(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text[:40]}..."' if len(text) > 43 else f'"{text}"'


class Unfit(ValueError):
    """A value that cannot be what it should be, with the code of its message."""

    def __init__(self, code: Code, message: str) -> None:
        self.code = code
        super().__init__(message)


def refuse(code: Code, message: str) -> PydanticCustomError:
    """What a validator raises: the message with its code (``wording.problems_of``)."""
    return PydanticCustomError("study", "{message}", {"message": message, "code": code})


def _whole(value: Any) -> Any:
    """``1e5`` is a whole number, though YAML reads it as one with a point."""
    fits = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if fits else value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise refuse(codes.OUT_OF_RANGE, "must be one line without control characters")
    return text


def _joined(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number without a unit."""
Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
"""A whole number without a unit."""
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)
]
"""Text for people, on one line."""
Text = Annotated[str, BeforeValidator(_joined), AfterValidator(_printable)]
"""Text for people; line breaks become spaces."""


class _Kind:
    """A leaf of the document: ``read`` turns what is written into a value or raises Unfit."""

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def _checked(self, value: Any) -> Any:
        try:
            if value is None:
                raise Unfit(codes.EMPTY, "is empty; write a value, or delete the key")
            return self.read(value)
        except (Unfit, UnitError) as error:
            raise refuse(error.code, str(error)) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._checked,
            serialization=core_schema.plain_serializer_function_ser_schema(_as_written),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return self.schema()


def _as_written(value: Any) -> Any:
    return value.text if isinstance(value, Quantity) else value


@dataclass(frozen=True)
class Measure(_Kind):
    """A quantity with a unit.

    Args:
        unit: the internal unit, or ``DOSE``.
        lowest: smallest value allowed, in the internal unit; ``above`` excludes it.
        instant: a point in time, for which ``day 4`` may be written as well.
        none: ``none`` may be written.
    """

    unit: str
    lowest: float = 0.0
    above: bool = False
    highest: float = math.inf
    instant: bool = False
    none: bool = False

    def read(self, value: Any) -> Quantity | None:
        if isinstance(value, Quantity):
            return value
        if self.none and value == "none":
            return None
        if self.instant and isinstance(value, str):
            value = re.sub(r"\Aday\s+([-+0-9.eE]+)\Z", r"\1 d", value.strip())
        quantity = convert(value, self.unit)
        value = quantity.value
        if value < self.lowest or 0 < value < SLIP or (self.above and value == self.lowest):
            raise UnitError(f'"{quantity.text}" is too small; {self._needed(quantity.unit)}')
        if quantity.value > self.highest:
            raise UnitError(
                f'"{quantity.text}" is too large; at most {pretty(self.highest)} {self.unit}'
            )
        return quantity

    def _needed(self, unit: str) -> str:
        if self.lowest > 0 and not self.above:
            return f"at least {pretty(self.lowest)} {unit}"
        return f"write {'' if self.above else 'zero, or '}at least {pretty(SLIP)} {unit}"

    def schema(self) -> dict[str, Any]:
        number = r"[0-9.]+(?:[eE][-+]?[0-9]+)?"
        instant = rf"|day\s+{number}" if self.instant else ""
        text: dict[str, Any] = {
            "type": "string",
            "pattern": rf"^\s*(?:{number}\s*[^0-9\s].*{instant})\s*$",
        }
        return {"anyOf": [text, {"const": "none"}]} if self.none else text


@dataclass(frozen=True)
class Slug(_Kind):
    """A name that is also a folder: small letters, digits, ``_`` and ``-``."""

    what: str
    reserved: Callable[[str], bool] = lambda name: False

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit(codes.WRONG_KIND, f"{show(value)} is not a name; put it in quotes")
        if not re.fullmatch(SLUG, value):
            raise Unfit(
                codes.UNFIT_NAME,
                f"{show(value)} cannot be the name of {self.what}; use small letters, digits, "
                "_ and -, at most 64, starting with a letter or a digit",
            )
        if self.reserved(value):
            raise Unfit(codes.UNFIT_NAME, f'the name "{value}" is reserved; choose another')
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{SLUG}$"}


@dataclass(frozen=True)
class Choice(_Kind):
    """One of the words of a catalogue. Fixed words are a ``Literal``."""

    what: str
    options: Callable[[], Iterable[str]]

    def read(self, value: Any) -> str:
        options = list(self.options())
        if not isinstance(value, str) or value not in options:
            raise Unfit(
                codes.UNKNOWN_WORD,
                f"unknown {self.what} {show(value)}{did_you_mean(str(value), options)}",
            )
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.options())}


class OrNone:
    """A group of keys that may be ``none`` instead."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self._read,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda value, inner: "none" if value is None else inner(value)
            ),
        )

    @staticmethod
    def _read(value: Any) -> Any:
        if value is None:
            raise refuse(codes.EMPTY, "is empty; write none, or its keys")
        return None if value == "none" else value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        inner = handler(schema)
        options = [o for o in inner.get("anyOf", [inner]) if o != {"type": "null"}]
        return {"anyOf": [*options, {"const": "none"}]}
