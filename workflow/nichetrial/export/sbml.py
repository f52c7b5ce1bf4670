"""One arm in one mouse as SBML, Level 3 Version 2 Core.

States are parameters with rate rules, so that they are what the model says they are (nM, fold,
cells) without a compartment that the model does not have. All parameters of the mouse are there
in every arm and may be set from outside: what follows from them is computed when the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nichetrial import __version__
from nichetrial.export.mathml import math, reached
from nichetrial.export.quantities import Happening, Item
from nichetrial.export.sbml_units import DEFINITIONS, Unit, parse
from nichetrial.export.system import system
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Arm

__all__ = ["SBML", "document"]

SBML = "http://www.sbml.org/sbml/level3/version2/core"
XHTML = "http://www.w3.org/1999/xhtml"
OWN = "urn:nichetrial:export:1"
_DAY, _NMOL = parse("d"), parse("nmol")


def document(
    arm: Arm,
    parameters: Mapping[str, float] | NDArray[np.float64],
    *,
    name: str,
    about: Mapping[str, object] | None = None,
) -> str:
    """The text of an SBML file.

    Args:
        arm: what is done to the mouse.
        parameters: of the mouse, in internal units; by name, or an array in PARAMETERS' order.
        name: of the model, for people; its id is made from it.
        about: where the mouse comes from (study, mouse, seed), for the annotation.
    """
    if not isinstance(parameters, Mapping):
        parameters = dict(zip(PARAMETERS, parameters.tolist(), strict=True))
    items, happenings = system(arm, parameters)
    ids = {item.symbol: item.id for item in items}

    top = Element("sbml", {"xmlns": SBML, "level": "3", "version": "2"})
    model = SubElement(top, "model", {"id": _identifier(name), "name": _legal(name), **_DEFAULTS})
    _notes(model, *_story(arm, name))
    _annotation(model, arm, about or {})
    _units(SubElement(model, "listOfUnitDefinitions"), items)
    listed = SubElement(model, "listOfParameters")
    for item in items:
        _parameter(listed, item)
    starts = SubElement(model, "listOfInitialAssignments")
    rules = SubElement(model, "listOfRules")
    for item in items:
        if item.initial is not None:
            node = SubElement(starts, "initialAssignment", {"symbol": item.id})
            node.append(math(item.initial, ids, SBML))
        for kind, expression in (("assignmentRule", item.rule), ("rateRule", item.rate)):
            if expression is not None:
                node = SubElement(rules, kind, {"variable": item.id})
                node.append(math(expression, ids, SBML))
    if happenings:
        events = SubElement(model, "listOfEvents")
        for count, happening in enumerate(happenings, 1):
            _event(events, count, happening, ids)
    indent(top)
    text = tostring(top, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _story(arm: Arm, name: str) -> list[str]:
    end, day = _short(arm.readout.end), _short(arm.readout.day)
    return [
        f"{name}: one virtual mouse in the arm {arm.label}, written by nichetrial {__version__}.",
        f"Time is in days. Simulate from 0 to {end}; metastases are counted on day {day}.",
        "The colonies that founders grow into are random and are not in this file; expected "
        "founders are.",
    ]


def _annotation(model: Element, arm: Arm, about: Mapping[str, object]) -> None:
    said = {"program": "nichetrial", "version": __version__, **about, "arm": arm.name}
    own = {key: _legal(str(value)) for key, value in said.items() if value is not None}
    node = SubElement(SubElement(model, "annotation"), "nichetrial:export")
    node.attrib.update({"xmlns:nichetrial": OWN, **own})


def _notes(parent: Element, *paragraphs: str) -> None:
    notes = SubElement(parent, "notes")
    for text in paragraphs:
        SubElement(notes, "p", {"xmlns": XHTML}).text = _legal(text)


def _units(parent: Element, items: list[Item]) -> None:
    for unit in sorted({item.unit for item in items} | {_DAY, _NMOL}):
        if not unit:
            continue
        node = SubElement(parent, "unitDefinition", {"id": _unit_id(unit), "name": _written(unit)})
        factors = SubElement(node, "listOfUnits")
        for base, exponent in unit:
            d = DEFINITIONS[base]
            SubElement(
                factors,
                "unit",
                {
                    "kind": d.kind,
                    "exponent": str(d.exponent * exponent),
                    "scale": str(d.scale),
                    "multiplier": str(d.multiplier),
                },
            )


def _written(unit: Unit) -> str:
    """As in the model's tables, such as ``nmol/L/d``."""
    top = [f"{base}^{k}" if k > 1 else base for base, k in unit if k > 0]
    bottom = [f"/{base}^{-k}" if k < -1 else f"/{base}" for base, k in unit if k < 0]
    return " ".join(top or ["1"]) + "".join(bottom)


def _unit_id(unit: Unit) -> str:
    if unit in ((), _DAY):
        return "day" if unit else "dimensionless"
    text = re.sub("^1/", "per_", _written(unit)).replace("/", "_per_").replace("^", "")
    return text.replace(" ", "_")


_DEFAULTS = {
    "timeUnits": _unit_id(_DAY),
    "substanceUnits": _unit_id(_NMOL),
    "extentUnits": _unit_id(_NMOL),
    "volumeUnits": "litre",
    "areaUnits": "dimensionless",
    "lengthUnits": "metre",
}
"""Only time is used; COPASI asks for the others."""


def _parameter(parent: Element, item: Item) -> None:
    node = SubElement(
        parent,
        "parameter",
        {
            "id": item.id,
            "name": _legal(item.name),
            "units": _unit_id(item.unit),
            "constant": "true" if item.constant else "false",
        },
    )
    if item.value is not None:
        node.set("value", repr(float(item.value)))
    if item.note:
        _notes(node, item.note)


def _event(parent: Element, count: int, happening: Happening, ids: dict[sp.Symbol, str]) -> None:
    node = SubElement(
        parent,
        "event",
        {
            "id": f"event_{count}",
            "name": _legal(f"day {_short(happening.day)}: {happening.name}"),
            "useValuesFromTriggerTime": "true",
        },
    )
    # not true before the start: else an event on day 0 would never become true
    trigger = SubElement(node, "trigger", {"initialValue": "false", "persistent": "true"})
    trigger.append(reached(happening.day, _unit_id(_DAY), SBML))
    changes = SubElement(node, "listOfEventAssignments")
    for symbol, value in happening.changes.items():
        change = SubElement(changes, "eventAssignment", {"variable": ids[symbol]})
        change.append(math(value, ids, SBML))


def _short(value: float) -> str:
    return repr(value).removesuffix(".0")


def _identifier(name: str) -> str:
    return "model_" + re.sub(r"[^A-Za-z0-9_]", "_", name)  # an id that no quantity has


def _legal(text: str) -> str:
    """Without the few characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
