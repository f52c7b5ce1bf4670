"""What an exported model is made of: quantities with their equations, and events."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from nichetrial.export.sbml_units import Unit

__all__ = ["Happening", "Item"]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A quantity. It starts at ``value`` or ``initial``; ``rule`` holds at all times instead."""

    id: str
    symbol: sp.Symbol
    unit: Unit
    name: str
    note: str = ""
    value: float | None = None
    initial: sp.Expr | None = None
    rule: sp.Expr | None = None
    rate: sp.Expr | None = None
    """Its derivative, per day."""
    set_by_events: bool = False

    @property
    def constant(self) -> bool:
        """Does it keep its first value?"""
        return self.rule is None and self.rate is None and not self.set_by_events


@dataclass(frozen=True, kw_only=True)
class Happening:
    """All that is done to the mouse at one time: at once, so that no order is left open."""

    day: float
    name: str
    changes: dict[sp.Symbol, sp.Expr]
    """Quantity -> its new value, from the values just before."""
