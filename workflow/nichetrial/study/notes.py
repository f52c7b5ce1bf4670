"""What a study file may say, but probably does not mean. Nothing here stops a run."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nichetrial import codes
from nichetrial.errors import Note
from nichetrial.model.parameters import PARAMETERS, Parameter
from nichetrial.study.checks import on_day
from nichetrial.study.resolved import Arm, CohortSpec, Distribution, ResolvedStudy
from nichetrial.study.source import DocumentPath, Source
from nichetrial.study.units import pretty

__all__ = ["notes"]

SOON = 2.0
"""Days after the cells are given, before which hardly any of them has left the vessels."""
FEW = 50
"""Particles below which a share of them says little."""
EDGE = 0.1
"""Share of a physical range, at each end, that is near its edge."""
TAIL = 2.326
"""Standard deviations: 1 in 100 draws lies further out on one side."""


def notes(source: Source, study: ResolvedStudy) -> list[Note]:
    """The notes on a study, in the order of its arms; each is given once, where it stands."""
    found: dict[tuple[object, ...], Note] = {}
    for arm in study.arms:
        for note in (*_early(source, arm), *_late(source, arm)):
            found.setdefault((note.code, note.place, note.reason), note)
    edges = _near_edges(source, study.cohort.overrides)
    return [*_few(source, study.cohort), *edges, *found.values()]


def _few(source: Source, cohort: CohortSpec) -> list[Note]:
    if cohort.particles >= FEW:
        return []
    count = f"{cohort.particles} particle{'s' if cohort.particles > 1 else ''}"
    return [
        Note(
            codes.FEW_PARTICLES,
            f"{count} cannot tell how likely an effect is: a share of them is off by up to "
            f"{100 / math.sqrt(cohort.particles):.0f} %",
            f"write at least {FEW}",
            place=source.place(("cohort", "particles")),
        )
    ]


def _near_edges(source: Source, overrides: Mapping[str, Distribution]) -> list[Note]:
    return [
        Note(
            codes.NEAR_THE_EDGE,
            f"{pretty(value)}{'' if parameter.unit == '1' else f' {parameter.unit}'} is near the "
            f"edge of the physical range, {parameter.physical}",
            "look at the value and its unit again",
            place=source.place(("cohort", "parameters", name)),
        )
        for name, distribution in overrides.items()
        if (parameter := PARAMETERS[name])
        for value in _ends(distribution)
        if _is_near_edge(parameter, value)
    ]


def _ends(d: Distribution) -> tuple[float, ...]:
    """The value, or the lowest and highest, or where a tail of 1 in 100 begins."""
    if d.kind == "log_normal":
        spread = math.exp(TAIL * math.sqrt(math.log1p(d.b**2)))
        return d.a / spread, d.a * spread
    return {"fixed": (d.a,), "beta": ()}.get(d.kind, (d.a, d.b))


def _is_near_edge(parameter: Parameter, value: float) -> bool:
    """In the outer tenth of the range; on a log scale, unless it starts at zero.

    Zero, which switches a mechanism off, and shares are never near an edge.
    """
    low, high = parameter.lowest, parameter.highest
    if low == 0:
        return high > 1 and value > (1 - EDGE) * high
    margin = (high / low) ** EDGE
    return value < low * margin or (value > high / margin and high > 1)


def _early(source: Source, arm: Arm) -> list[Note]:
    gap = arm.readout.day - arm.challenge.day
    if gap >= SOON:
        return []
    return [
        Note(
            codes.READ_OUT_EARLY,
            f"foci are counted {gap:g} d after the cells are given, when they cannot have grown",
            "move the read-out to a later day",
            place=_place(source, arm, "readout", "day"),
        )
    ]


def _late(source: Source, arm: Arm) -> list[Note]:
    return [
        Note(
            codes.DOSED_AFTER_READ_OUT,
            f"the first dose of {treatment.drug} is given on {on_day(treatment.start)}, and foci "
            f"are counted on {on_day(arm.readout.day)}, so it cannot change them",
            "start it before the read-out",
            place=_place(source, arm, "treatments", i, "start"),
        )
        for i, treatment in enumerate(arm.treatments)
        if treatment.start >= arm.readout.day
    ]


def _place(source: Source, arm: Arm, *path: str | int) -> str:
    """Where it stands: in the arm, or else in the experiment that the arm patches."""
    own: DocumentPath = ("arms", arm.name, *path)
    return source.place(
        own if ("arms", arm.name, path[0]) in source.lines else ("experiment", *path)
    )
