"""The kinds of value a study file holds. Each says in plain words what is wrong and what is right.

They stand in annotations, ``Annotated[Quantity, Measure("d")]``, and give pydantic both the check
and the JSON schema.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.study.units import Quantity, UnitError, convert, pretty

__all__ = [
    "Choice",
    "Line",
    "Measure",
    "Number",
    "OrNone",
    "Slug",
    "Whole",
    "did_you_mean",
    "listed",
]

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
            context = {"message": str(error), "code": error.code}
            raise PydanticCustomError("study", "{message}", context) from None

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
        if quantity.value < 0:
            raise UnitError(f'"{quantity.text}" is negative; {self._needed()}')
        if quantity.value < self.lowest or (self.above and quantity.value == self.lowest):
            raise UnitError(f'"{quantity.text}" is too small; {self._needed()}')
        if quantity.value > self.highest:
            raise UnitError(
                f'"{quantity.text}" is too large; at most {pretty(self.highest)} {self.unit}'
            )
        return quantity

    def _needed(self) -> str:
        if self.instant:
            return "time is counted from day 0"
        if self.lowest > 0 and not self.above:
            return f"at least {pretty(self.lowest)} {self.unit}"
        return "write more than zero" if self.above else "write zero or more"

    def schema(self) -> dict[str, Any]:
        number = r"[0-9.]+(?:[eE][-+]?[0-9]+)?"
        instant = rf"|day\s+{number}" if self.instant else ""
        text: dict[str, Any] = {
            "type": "string",
            "pattern": rf"^\s*(?:{number}\s*[^0-9\s].*{instant})\s*$",
        }
        return {"anyOf": [text, {"const": "none"}]} if self.none else text


@dataclass(frozen=True)
class Number(_Kind):
    """A plain number without a unit, between two bounds."""

    lowest: float
    highest: float
    above: bool = False
    below: bool = False
    why: str = ""

    def read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit(
                codes.WRONG_KIND,
                f"{show(value)} is not a number; write for example {self._example()}",
            )
        if not math.isfinite(value):
            raise Unfit(codes.OUT_OF_RANGE, f"{value} is not a finite number; {self._bounds()}")
        if value < self.lowest or (self.above and value == self.lowest):
            raise Unfit(
                codes.OUT_OF_RANGE, f"{show(value)} is too small; {self._bounds()}{self.why}"
            )
        if value > self.highest or (self.below and value == self.highest):
            raise Unfit(
                codes.OUT_OF_RANGE, f"{show(value)} is too large; {self._bounds()}{self.why}"
            )
        return float(value)

    def _bounds(self) -> str:
        low = f"{'more than' if self.above else 'at least'} {pretty(self.lowest)}"
        return f"{low} and {'less than' if self.below else 'at most'} {pretty(self.highest)}"

    def _example(self) -> str:
        return pretty((self.lowest + self.highest) / 2 if self.highest <= 1 else self.lowest + 1)

    def schema(self) -> dict[str, Any]:
        return {
            "type": "number",
            "exclusiveMinimum" if self.above else "minimum": self.lowest,
            "exclusiveMaximum" if self.below else "maximum": self.highest,
        }


@dataclass(frozen=True)
class Whole(_Kind):
    """A whole number between two bounds, both included."""

    lowest: int
    highest: int

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unfit(
                codes.WRONG_KIND,
                f"{show(value)} is not a whole number; write one without a unit, "
                f"at least {self.lowest}",
            )
        if value < self.lowest:
            raise Unfit(codes.OUT_OF_RANGE, f"{show(value)} is too small; at least {self.lowest}")
        if value > self.highest:
            raise Unfit(
                codes.OUT_OF_RANGE, f"{show(value)} is too large; at most {show(self.highest)}"
            )
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}


@dataclass(frozen=True)
class Line(_Kind):
    """Text for people; a title or label fits on one line, ``many`` allows several."""

    longest: int
    many: bool = False
    least: int = 1

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            what = "a number" if isinstance(value, int | float) else "not text"
            what = show(value) if isinstance(value, bool) else f"{show(value)}, {what}"
            raise Unfit(
                codes.WRONG_KIND, f"text is needed, but this is {what}; put the text in quotes"
            )
        text = " ".join(value.split()) if self.many else value.strip()
        if len(text) < self.least:
            raise Unfit(codes.EMPTY, "is empty; write a few words, or delete the key")
        if len(text) > self.longest:
            raise Unfit(
                codes.TOO_MANY, f"{len(text)} characters are too many; at most {self.longest}"
            )
        if not text.isprintable():
            raise Unfit(codes.OUT_OF_RANGE, "must be one line without control characters")
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": self.least, "maxLength": self.longest}


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
    """One of a few words."""

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
            context = {"message": "is empty; write none, or its keys", "code": codes.EMPTY}
            raise PydanticCustomError("study", "{message}", context)
        return None if value == "none" else value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        inner = handler(schema)
        options = [o for o in inner.get("anyOf", [inner]) if o != {"type": "null"}]
        return {"anyOf": [*options, {"const": "none"}]}
