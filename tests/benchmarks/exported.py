"""The SBML of an arm for the peers that read it: text, values of a mouse, and doses as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nichetrial.export.sbml import document
from nichetrial.export.system import system
from nichetrial.model.equations import STATES
from nichetrial.model.parameters import PARAMETERS
from tests.benchmarks.model import Case

__all__ = ["Change", "Exported"]


@dataclass(frozen=True)
class Change:
    """What an event sets: ``ids[target]`` becomes ``value`` of the ids at ``known``."""

    target: int
    known: tuple[int, ...]
    value: Callable[..., float]


class Exported:
    """An arm as SBML, and what a mouse's parameters make of it.

    ``ids`` are all quantities that have a value of their own (no assignment rule); ``changes`` is
    (day, changes of that day) in order of time.
    """

    def __init__(self, case: Case, parameters: NDArray[np.float64]) -> None:
        self.case = case
        self.document = document(case.arm, parameters, name=case.arm.name)
        items, happenings = system(case.arm, dict(zip(PARAMETERS, parameters, strict=True)))
        own = [item for item in items if item.rule is None]
        self.ids = tuple(item.id for item in own)
        if self.ids[: len(PARAMETERS)] != tuple(PARAMETERS):
            raise ValueError("the export does not begin with the parameters in their order")
        self.states = [self.ids.index(s.name) for s in STATES]
        self.moving = [k for k, item in enumerate(own) if item.rate is not None]
        """Positions of what has a rate of its own."""

        meant: dict[sp.Symbol, sp.Expr] = {}
        for item in own[len(PARAMETERS) :]:
            how = sp.Float(item.value) if item.initial is None else item.initial
            meant[item.symbol] = how.xreplace(meant)
        symbols = [item.symbol for item in own[: len(PARAMETERS)]]
        self._make = sp.lambdify([symbols], list(meant.values()), modules="math", cse=True)

        where = {item.symbol: k for k, item in enumerate(own)}

        def change(target: sp.Symbol, to: sp.Expr) -> Change:
            known = sorted(to.free_symbols, key=where.__getitem__)
            value = sp.lambdify(known, to, modules="math")
            return Change(where[target], tuple(where[s] for s in known), value)

        self.changes = [
            (happening.day, [change(*pair) for pair in happening.changes.items()])
            for happening in happenings
        ]

    def without_events(self) -> str:
        """The document without its events, for those who restart at each dose."""
        return re.sub(r"<listOfEvents>.*</listOfEvents>", "", self.document, flags=re.DOTALL)

    def values(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the ``ids`` are in a mouse at the start, before any event."""
        v = np.array([*p, *self._make(p.tolist())])
        v[self.states] = self.case.start(p)
        return v
