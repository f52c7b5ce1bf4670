"""One arm in one mouse as a closed system: quantities, their equations, and what happens when.

The equations are those of ``model/equations.py``. What the engine knows in closed form (drug
levels, the vector, the tumour) comes from ``export/treatment.py`` as equations of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nichetrial import codes
from nichetrial.engine.ensemble import Events, Reading, run
from nichetrial.errors import UserError
from nichetrial.export.mathml import TIME
from nichetrial.export.quantities import Happening, Item
from nichetrial.export.sbml_units import Unit, parse, times, unit_of
from nichetrial.export.treatment import treatment
from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import GENES, Arm

__all__ = ["initial_states", "system"]


def initial_states(arm: Arm, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the engine starts the arm's untreated host: (mice, PARAMETERS) to (mice, STATES)."""
    none, no = np.empty(0), np.empty(0, np.int64)
    host = arm.host.genes
    mice = np.arange(len(parameters))
    left_alone = run(
        parameters,
        host,
        Events(none, no, no, none),
        Reading(challenge=0.0, day=1.0, end=1.0, visible=1.0, detectable=2.0, lethal=3.0),
        seed=0,
        mice=mice,
        keep=len(mice),
    )
    return left_alone.courses[:, 0]


def system(arm: Arm, parameters: Mapping[str, float]) -> tuple[list[Item], list[Happening]]:
    """All quantities, each after those its initial value needs, and all that happens, by time."""
    items = [*_parameters(parameters), *_host(arm)]
    units = {item.symbol: item.unit for item in items}
    for symbol, expression in eq.CONSTANTS.items():
        units[symbol] = unit_of(expression, units)
        items.append(
            Item(
                id=symbol.name,
                symbol=symbol,
                unit=units[symbol],
                name=f"{symbol.name} = {expression}",
                initial=expression,
            )
        )
    forced, happenings = treatment(arm)
    items += [*forced, *_idle({item.symbol for item in forced}), *_states(arm, parameters)]
    units |= {item.symbol: item.unit for item in items} | {TIME: parse("d")}
    for symbol, (expression, meaning) in eq.PARTS.items():
        units[symbol] = unit_of(expression, units)
        items.append(
            Item(id=symbol.name, symbol=symbol, unit=units[symbol], name=meaning, rule=expression)
        )
    _check(items, units)
    return items, happenings


def _parameters(parameters: Mapping[str, float]) -> list[Item]:
    return [
        Item(
            id=p.name,
            symbol=eq.parameter(p.name),
            unit=parse(p.unit),
            name=p.meaning,
            note=f"{p.symbol}, a parameter of the mouse ({p.group}, {p.trust}). "
            f"Prior of the model: {p.written}; {p.source}.",
            value=float(parameters[p.name]),
        )
        for p in PARAMETERS.values()
    ]


def _host(arm: Arm) -> list[Item]:
    return [
        Item(
            id=f"host_{gene}",
            symbol=symbol,
            unit=parse("1"),
            name=f"expression of the host's {written} gene",
            note="1 in the wild type, 0 in a knock-out.",
            value=float(getattr(arm.host, gene)),
        )
        for (gene, written), symbol in zip(GENES.items(), eq.HOST, strict=True)
    ]


def _idle(forced: set[sp.Symbol]) -> list[Item]:
    """Inputs on which nothing acts in this arm."""
    return [
        Item(
            id=u.name,
            symbol=u.symbol,
            unit=parse(u.unit),
            name=u.meaning,
            note="Nothing in this arm acts on it.",
            value=0.0,
        )
        for u in eq.INPUTS
        if u.symbol not in forced
    ]


def _states(arm: Arm, parameters: Mapping[str, float]) -> list[Item]:
    """States; the wild type starts where the equations say, other hosts where the engine finds."""
    wild = arm.host.wild
    found = initial_states(arm, np.array([[parameters[name] for name in PARAMETERS]]))[0]
    if not np.isfinite(found).all():
        raise UserError(
            codes.NO_STEADY_STATE,
            "this mouse has no steady state in this arm's host",
            place=arm.name,
        )
    items = []
    for state, value in zip(eq.STATES, found, strict=True):
        start = eq.BASAL[state.symbol]
        closed = wild and bool(start.free_symbols)
        items.append(
            Item(
                id=state.name,
                symbol=state.symbol,
                unit=parse(state.unit),
                name=state.meaning,
                note="State of the model. It starts in the steady state of the untreated host.",
                value=None if closed else float(value),
                initial=start if closed else None,
                rate=eq.SHORT_RATES[state.symbol],
            )
        )
    return items


def _check(items: list[Item], units: dict[sp.Symbol, Unit]) -> None:
    """Raises ValueError where a name stands for two things or an equation mixes units."""
    names = [item.id for item in items]
    if len(set(names)) != len(names):
        raise ValueError(f"one name for two quantities: {sorted(names)}")
    for item in items:
        for expression, wanted in (
            (item.initial, item.unit),
            (item.rule, item.unit),
            (item.rate, times(item.unit, parse("d"), -1)),
        ):
            if expression is not None and expression != 0:
                got = unit_of(expression, units)
                if got != wanted:
                    raise ValueError(f"{item.id}: unit {got} where {wanted} is needed")
