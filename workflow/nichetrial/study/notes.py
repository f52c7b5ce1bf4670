"""What a study file may say, but probably does not mean. Nothing here stops a run."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.errors import Note
from nichetrial.study.checks import on_day
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.study.source import DocumentPath, Source

__all__ = ["notes"]

SOON = 2.0
"""Days after the cells are given, before which hardly any of them has left the vessels."""


def notes(source: Source, study: ResolvedStudy) -> list[Note]:
    """The notes on a study, in the order of its arms; each is given once, where it stands."""
    found: dict[tuple[object, ...], Note] = {}
    for arm in study.arms:
        for note in (*_early(source, arm), *_late(source, arm)):
            found.setdefault((note.code, note.place, note.reason), note)
    return list(found.values())


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
