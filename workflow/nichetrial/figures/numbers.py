"""Numbers as people read them: two or three significant digits; a dash for what is not there."""

from __future__ import annotations

import math

__all__ = ["DASH", "count", "interval", "number", "share", "tick"]

DASH = "–"


def number(value: float | None, digits: int = 2) -> str:
    """``0.0421 -> 0.042``, ``1234.5 -> 1,200``, ``2.5e7 -> 2.5 × 10⁷``, NaN -> a dash.

    Whole numbers below 1,000 keep all their digits: a count of 987 is not 990.
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size < 1000 and size == int(size):
        return f"{sign}{int(size)}"
    mantissa, power = f"{size:.{digits - 1}e}".split("e")
    exponent = int(power)
    if -4 < exponent < 6:
        decimals = max(0, digits - 1 - exponent)
        return f"{sign}{float(f'{mantissa}e{power}'):,.{decimals}f}"
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{sign}{mantissa} × 10{raised}"


def count(value: float) -> str:
    """A count in full: ``1234 -> 1,234``."""
    return f"{value:,.0f}"


def interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """``0.42 (0.38 to 0.47)``; a dash if there is no value.

    Near 1, where two digits would hide the answer, with two decimals: ``1.05 (1.00 to 1.12)``.
    """
    if math.isnan(value):
        return DASH
    if math.isnan(low) or math.isnan(high):
        return number(value, digits)
    if 0.8 <= value <= 1.25 and digits == 2 and max(abs(low), abs(high)) < 10:
        return f"{value:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
    return f"{number(value, digits)} ({number(low, digits)} to {number(high, digits)})"


def share(value: float) -> str:
    """``0.634 -> 63 %``; shares that are small but not nothing keep a digit."""
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
        return f"{value:,.4f}".rstrip("0").rstrip(".").replace("-", "−")
    return number(value).removeprefix("1.0 × ")
