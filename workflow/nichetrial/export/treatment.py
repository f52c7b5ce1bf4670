"""What is done to a mouse, as differential equations and events.

The engine has the same in closed form (``engine/forcing.py``): first-order absorption from a depot
into one compartment, a vector that approaches its plateau, Gompertz growth. The logarithm of the
tumour's volume over its capacity decays exponentially, which is smooth and needs no logarithm.
"""

from __future__ import annotations

from collections import defaultdict

import sympy as sp

from nichetrial.engine.forcing import CELLS_PER_MM3, CHANNELS, EVENT
from nichetrial.export.mathml import TIME
from nichetrial.export.quantities import Happening, Item
from nichetrial.export.sbml_units import parse
from nichetrial.model import equations as eq
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import Arm
from nichetrial.trial.events import events

__all__ = ["treatment"]

_INPUT = {u.name: u for u in eq.INPUTS}
_CIRCULATING = next(s.symbol for s in eq.STATES if s.name == "circulating")
POTENCY = {
    name: f"{name}_ic50" for name in ("amd3100", "anti_sdf1", "anti_timp1", "mmp_inhibitor")
} | {"anti_ly6g": "anti_ly6g_ec50", "anti_ly6g_murinised": "anti_ly6g_ec50"}
"""Drug -> the parameter that is its concentration of half effect."""
REBOUND_POWER = 4
AT_ONCE = 1e-9
"""Days. Events closer than this are one: 3 times 0.1 d is not 0.3 d in the last digit, and
libRoadRunner gives wrong doses for two events so close to each other."""


def _rate(half_life: str) -> sp.Symbol:
    """The equations' own constant for the rate that belongs to a half-life."""
    rate = eq.LN2 / eq.parameter(half_life)
    return next(symbol for symbol, value in eq.CONSTANTS.items() if value == rate)


class _Builder:
    """Collects the quantities and events of one arm; a quantity is made where it is first used."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.changes: dict[float, dict[sp.Symbol, sp.Expr]] = defaultdict(dict)
        self.names: dict[float, list[str]] = defaultdict(list)

    def add(self, name: str, unit: str, meaning: str, **how: object) -> sp.Symbol:
        if name not in self.items:
            symbol = _INPUT[name].symbol if name in _INPUT else sp.Symbol(name, real=True)
            self.items[name] = Item(
                id=name,
                symbol=symbol,
                unit=parse(unit),
                name=meaning,
                **how,  # type: ignore[arg-type]
            )
        return self.items[name].symbol

    def input(self, name: str, **how: object) -> None:
        self.add(name, _INPUT[name].unit, _INPUT[name].meaning, **how)

    def amount(self, name: str, unit: str, meaning: str, value: float) -> sp.Symbol:
        """A constant for an amount given; the second amount of its kind gets a number."""
        number, unique = 1, name
        while unique in self.items and self.items[unique].value != value:
            number += 1
            unique = f"{name}_{number}"
        label = meaning if number == 1 else f"{meaning} ({number})"
        return self.add(unique, unit, label, value=value)

    def change(self, day: float, target: sp.Symbol, to: sp.Expr, name: str) -> None:
        """Set ``target`` on a day, after what was already said of that day."""
        before = self.changes[day]
        before[target] = to.xreplace({target: before.get(target, target)})
        if name not in self.names[day]:
            self.names[day].append(name)


def treatment(arm: Arm) -> tuple[list[Item], list[Happening]]:
    """The quantities and the events of all that is done in an arm."""
    b, given = _Builder(), events(arm)
    first: dict[str, float] = {}
    for day, kind, channel, amount in zip(
        given.times.tolist(),
        given.kinds.tolist(),
        given.channels.tolist(),
        given.amounts.tolist(),
        strict=True,
    ):
        if abs(day - max(b.changes, default=-1.0)) < AT_ONCE:
            day = max(b.changes)
        if kind == EVENT["resect"]:
            b.change(day, _tumour(b), sp.Integer(0), "the primary tumour is cut out")
        elif amount == 0.0:
            continue  # an event of nothing does not act
        elif kind == EVENT["vector"]:
            _vector(b, day, amount)
        elif kind == EVENT["cells"]:
            cells = b.amount("injected_cells", "cells", "tumour cells injected", amount)
            b.change(day, _CIRCULATING, _CIRCULATING + cells, "tumour cells into the blood")
        elif kind == EVENT["implant"]:
            _implant(b, day, amount)
        else:
            drug = CHANNELS[channel]
            first.setdefault(drug, day)
            _dose(b, day, drug, amount, pump=kind == EVENT["pump"])
    for drug, day in first.items():
        _action(b, drug, day)
    happenings = [
        Happening(day=day, name="; ".join(b.names[day]), changes=b.changes[day])
        for day in sorted(b.changes)
    ]
    return list(b.items.values()), happenings


def _vector(b: _Builder, day: float, above_basal: float) -> None:
    plateau = b.add(
        "vector_plateau",
        "nM/d",
        "what the vector will make at its plateau",
        value=0.0,
        set_by_events=True,
    )
    fold = b.amount(
        "vector_fold_above_basal", "fold", "plasma TIMP-1 above basal at the plateau", above_basal
    )
    rise = b.add(
        "k_vector",
        "1/d",
        "rate of rise of the vector",
        initial=eq.LN2 / eq.parameter("vector_rise_half_time"),
    )
    made = _INPUT["vector"].symbol
    b.input("vector", value=0.0, rate=rise * (plateau - made))
    target = _rate("timp1_half_life") * eq.parameter("timp1_basal") * fold
    b.change(day, plateau, target, "TIMP-1 vector")


def _tumour(b: _Builder) -> sp.Symbol:
    """Is there a primary tumour: 0 or 1. With it come its volume and what sheds."""
    there = b.add(
        "tumour_there", "1", "is there a primary tumour: 1 or 0", value=0.0, set_by_events=True
    )
    if "tumour_log" in b.items:
        return there
    log = sp.Symbol("tumour_log", real=True)
    p, (timp1, _, _, tissue) = eq.parameter, eq.HOST
    here = 1 + timp1 * p("timp1_basal") * (1 + tissue * p("timp1_tissue")) / p("mmp_ki")
    basal = next(s for s in eq.CONSTANTS if s.name == "E_b")
    growth = b.add(
        "tumour_growth_here",
        "1/d",
        "growth rate of the primary tumour in this host",
        initial=p("tumour_growth") * (basal / here) ** p("protease_growth"),
    )
    b.add(
        "tumour_log",
        "1",
        "logarithm of the primary tumour's volume over its capacity",
        value=0.0,
        rate=-growth * log,
    )
    size = b.add(
        "tumour_size",
        "mm^3",
        "volume that the primary tumour has if it is there",
        rule=eq.parameter("tumour_capacity") * sp.exp(log),
    )
    one = b.add("one_mm3", "mm^3", "one cubic millimetre, to take powers of volumes", value=1.0)
    b.input("tumour_volume", rule=there * size)
    b.input("shedding_volume", rule=there * one * (size / one) ** eq.parameter("shedding_exponent"))
    return there


def _implant(b: _Builder, day: float, amount: float) -> None:
    there = _tumour(b)
    cells = b.amount("implanted_cells", "cells", "tumour cells implanted", amount)
    dense = b.add("cells_per_mm3", "cells/mm^3", "tumour cells in 1 mm3", value=CELLS_PER_MM3)
    why = "primary tumour implanted"
    b.change(day, there, sp.Integer(1), why)
    b.change(
        day,
        b.items["tumour_log"].symbol,
        sp.log(cells / (dense * eq.parameter("tumour_capacity"))),
        why,
    )


def _dose(b: _Builder, day: float, drug: str, amount: float, *, pump: bool) -> None:
    label = DRUGS[drug].label
    if pump:
        rate = b.add(
            f"{drug}_infusion",
            "nmol/kg/d",
            f"rate of the pumps of {label}",
            value=0.0,
            set_by_events=True,
        )
        pumped = b.amount(
            f"{drug}_pump_rate", "nmol/kg/d", f"rate of a pump of {label}", abs(amount)
        )
        what = "starts" if amount > 0 else "stops"
        b.change(day, rate, rate + (pumped if amount > 0 else -pumped), f"{label} pump {what}")
    else:
        depot = sp.Symbol(f"{drug}_depot", real=True)
        dose = b.amount(f"{drug}_dose", "nmol/kg", f"dose of {label}", amount)
        b.change(day, depot, depot + dose, label)


def _action(b: _Builder, drug: str, first: float) -> None:
    """Depot, level and effect of a drug; kinetics may be shared with other drugs."""
    label, kinetics = DRUGS[drug].label, DRUGS[drug].kinetics
    value = {
        what: eq.parameter(f"{kinetics}_{what}")
        for what in ("bioavailability", "volume", "half_life", "absorption_half_life")
    }
    out = b.add(
        f"k_{kinetics}_out",
        "1/d",
        f"rate of elimination ({kinetics})",
        initial=eq.LN2 / value["half_life"],
    )
    into = b.add(
        f"k_{kinetics}_in",
        "1/d",
        f"rate of absorption ({kinetics})",
        initial=eq.LN2 / value["absorption_half_life"],
    )
    share = b.add(
        f"{kinetics}_share",
        "kg/L",
        f"bioavailability over volume ({kinetics})",
        initial=value["bioavailability"] / value["volume"],
    )
    depot, level = (sp.Symbol(f"{drug}_{what}", real=True) for what in ("depot", "level"))
    infusion = b.items.get(f"{drug}_infusion")
    pumped = infusion.symbol if infusion else sp.Integer(0)
    b.add(depot.name, "nmol/kg", f"{label} not yet absorbed", value=0.0, rate=pumped - into * depot)
    b.add(
        level.name, "nM", f"{label} in plasma", value=0.0, rate=into * share * depot - out * level
    )
    half = eq.parameter(POTENCY[drug])
    if drug in _INPUT:
        b.input(drug, rule=level / half)
        return
    depth = eq.parameter(f"{drug}_depth")
    most = b.add(
        f"{drug}_most",
        "1/d",
        f"largest rate at which {label} kills neutrophils",
        initial=_rate("neutrophil_blood_half_life") * depth / (1 - depth),
    )
    kill = most * level / (half + level)
    if drug == "anti_ly6g":
        start = b.add("anti_ly6g_first", "d", f"day of the first dose of {label}", value=first)
        since = (TIME - start) / eq.parameter("anti_ly6g_rebound")
        kill = kill / (1 + since**REBOUND_POWER)
    name = "neutrophil_kill"
    if name in b.items:
        kill = kill + b.items.pop(name).rule
    b.input(name, rule=kill)
