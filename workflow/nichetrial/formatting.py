"""Numbers, intervals, effects and tables as people read them, wherever they are shown.

Two significant digits unless more are needed; a dash for what is not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "DASH",
    "NEAR",
    "biologies",
    "count",
    "direction",
    "effect",
    "interval",
    "markdown_table",
    "number",
    "share",
    "tick",
]

DASH = "–"
Number = float | str | None
"""A number, or the text of one in a CSV file; NaN, None and the empty text are no number."""


def number(value: Number, digits: int = 2) -> str:
    """One number with ``digits`` significant digits.

    >>> [number(v) for v in (0.0421, 1234.5, 2.5e7, None)]
    ['0.042', '1,200', '2.5 × 10⁷', '–']

    Whole numbers below 1,000 keep all their digits, because a count of 987 is not 990.
    """
    value = _read(value)
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1000 and size == int(size):
        return _signed(value, f"{int(size)}")
    mantissa, power = f"{size:.{digits - 1}e}".split("e")
    exponent = int(power)
    if -4 < exponent < 6:
        decimals = max(0, digits - 1 - exponent)
        return _signed(value, f"{float(f'{mantissa}e{power}'):,.{decimals}f}")
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return _signed(value, f"{mantissa} × 10{raised}")


def count(value: float) -> str:
    """A count in full: ``1234 -> 1,234``."""
    return f"{value:,.0f}"


def interval(value: Number, low: Number, high: Number) -> str:
    """A value with its interval, with as many digits as it takes to see that they differ.

    >>> interval(1.08, 1.04, 1.11)
    '1.08 (1.04 to 1.11)'
    >>> interval(0.4212, 0.38, 0.47)
    '0.42 (0.38 to 0.47)'
    >>> interval(12.3, 1.3, 140)
    '12 (1.3 to 140)'
    """
    value, low, high = _read(value), _read(low), _read(high)
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return number(value)
    decimals = _decimals(value, low, high)
    if decimals is None:
        return f"{number(value)} ({number(low)} to {number(high)})"
    one, two, three = (
        _signed(v, f"{round(abs(v), decimals):,.{max(decimals, 0)}f}") for v in (value, low, high)
    )
    return f"{one} ({two} to {three})"


SURE, LIKELY = 0.9, 0.75
"""Shares of the possible biologies from which an effect is said to be so, or probably so."""
UNSURE = "direction not known"
NEAR = " (borderline)"


def direction(
    less: Number, error: Number = 0.0, *, words: tuple[str, str] = ("fewer", "more")
) -> str:
    """The direction of an effect in words, by the share of possible biologies that have it.

    Args:
        less: share in which the arm has less.
        error: its standard error; a word whose limit is less than two of them away is marked.
        words: for less and for more.

    >>> direction(0.97), direction(0.8), direction(0.5), direction(0.15), direction(0.91, 0.02)
    ('fewer', 'probably fewer', 'direction not known', 'probably more', 'fewer (borderline)')
    """
    p, error = _read(less), _read(error)
    if math.isnan(p):
        return DASH
    word, chance = (words[0], p) if p >= 0.5 else (words[1], 1.0 - p)
    said = word if chance >= SURE else f"probably {word}" if chance >= LIKELY else UNSURE
    near = any(abs(chance - limit) < 2.0 * error for limit in (SURE, LIKELY))
    return f"{said}{NEAR}" if near else said


def biologies(particles: int, effective: Number) -> str:
    """How many possible biologies stand behind a share of them, copies counted together.

    >>> biologies(250, 240.4), biologies(20, 20.0)
    ('250 possible biologies (worth 240 independent ones)', '20 possible biologies')
    """
    worth = _read(effective)
    told = f"{particles:,} possible biologies"
    return (
        told
        if math.isnan(worth) or round(worth) >= particles
        else (f"{told} (worth {worth:,.0f} independent ones)")
    )


def effect(arm: str, reference: str, row: Mapping[str, Number]) -> str:
    """The effect of an arm on its foci as a sentence without a full stop.

    Args:
        row: of the table of effects: ``ratio`` with its interval over particles, ``p_fewer`` and
            ``p_error``.

    >>> row = {"ratio": 0.89, "ratio_low": 0.55, "ratio_high": 1.37, "p_fewer": 0.68}
    >>> effect("AMD3100", "TIMP-1 high", row)
    'AMD3100 against TIMP-1 high: direction not known; foci × 0.89 (0.55 to 1.37), fewer in 68 %'
    """
    found = interval(row.get("ratio"), row.get("ratio_low"), row.get("ratio_high"))
    less = row.get("p_fewer")
    said = direction(less, row.get("p_error") or 0.0, words=("fewer foci", "more foci"))
    return f"{arm} against {reference}: {said}; foci × {found}, fewer in {share(less)}"


def share(value: Number) -> str:
    """A share as a percentage; one that is small, but not nothing, is not shown as nothing.

    >>> share(0.634), share(0.001)
    ('63 %', '< 1 %')
    """
    value = _read(value)
    if math.isnan(value):
        return DASH
    percent = 100.0 * value
    if 0 < percent < 1:
        return "< 1 %"
    if 99 < percent < 100:
        return "> 99 %"
    return f"{percent:.0f} %"


def tick(value: float) -> str:
    """A round number on an axis: ``0.5``, ``10``, ``100,000``; powers of ten beyond."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return _signed(value, f"{abs(value):,.4f}".rstrip("0").rstrip("."))
    return number(value).removeprefix("1.0 × ")


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown, line by line. A bar inside a cell becomes a slash."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def _read(value: Number) -> float:
    """NaN for what is no number."""
    try:
        return math.nan if value is None or value == "" else float(value)
    except ValueError:
        return math.nan


def _signed(value: float, text: str) -> str:
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def _decimals(*values: float) -> int | None:
    """Decimals that a value, low and high are shown with (-2: rounded to hundreds); None where each
    has its own, because they differ fourfold or more, or are too large or too small."""
    sizes = [abs(v) for v in values]
    if max(sizes) > 4 * min(sizes) or not 1e-3 <= min(sizes) <= max(sizes) < 1e6:
        return None
    two_digits = max(1 - math.floor(math.log10(size)) for size in sizes)
    if max(sizes) < 1000:
        two_digits = max(0, two_digits)
    width = abs(values[2] - values[1])
    to_differ = -math.floor(math.log10(width)) if width > 1e-9 * max(sizes) else two_digits
    return max(two_digits, min(to_differ, two_digits + 2))
