"""Sweeps: an arm with some of its quantities varied becomes one arm for each combination.

The name of a swept arm is made of the sweep and its values, so that it stays the same when other
values come or go.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.study.arms import complete_arm
from nichetrial.study.checks import check_experiment, mg_per_kg
from nichetrial.study.kinds import Unfit, did_you_mean, listed, show
from nichetrial.study.language import ARM_NAME, MOST_ARMS, ExperimentSection
from nichetrial.study.patches import merge
from nichetrial.study.questions import SWEEP_NAME, SweepItem
from nichetrial.study.resolved import Arm, Sweep, SweepAxis
from nichetrial.study.source import DocumentPath, Problem
from nichetrial.study.units import Quantity, pretty
from nichetrial.study.wording import validated

__all__ = ["read_sweeps"]

LONGEST_NAME = 64
EXCLUDES = {"until": "duration", "duration": "until"}


def read_sweeps(
    written: Mapping[str, Any],
    experiment: Mapping[str, Any],
    patches: Mapping[str, Mapping[str, Any]],
    problems: list[Problem],
) -> tuple[Sweep, ...]:
    """All sweeps that are right; what is wrong with the others is added to ``problems``."""
    sweeps: list[Sweep] = []
    taken = set(patches)
    for name, item in written.items():
        path: DocumentPath = ("sweeps", name)
        try:
            SWEEP_NAME.read(name)
        except Unfit as error:
            problems.append(Problem(path, error.code, str(error)))
            continue
        if name in patches:
            problems.append(
                Problem(
                    path, codes.SAME_NAME, f'there is an arm "{name}"; give the sweep another name'
                )
            )
            continue
        section = validated(SweepItem, item, path, problems)
        if section is None:
            continue
        if section.arm not in patches:
            problems.append(
                Problem(
                    (*path, "arm"),
                    codes.NO_SUCH_ARM,
                    f'there is no arm "{section.arm}"{did_you_mean(section.arm, patches)}',
                )
            )
            continue
        base = merge(experiment, patches[section.arm])
        sweep = _Expansion(name, section, base, problems).sweep()
        if sweep is None:
            continue
        if twins := sorted(taken.intersection(a.name for a in sweep.arms)):
            problems.append(
                Problem(
                    path,
                    codes.SAME_NAME,
                    f'its arm "{twins[0]}" has the name of another; rename the sweep',
                )
            )
        taken.update(a.name for a in sweep.arms)
        sweeps.append(sweep)
    count = sum(len(s.arms) for s in sweeps)
    if count > MOST_ARMS:
        problems.append(
            Problem(("sweeps",), codes.TOO_MANY, f"{count} arms are too many; at most {MOST_ARMS}")
        )
    return tuple(sweeps)


class _Expansion:
    """One sweep on its way to arms."""

    def __init__(
        self, name: str, section: SweepItem, base: dict[str, Any], problems: list[Problem]
    ) -> None:
        self.name, self.section, self.base = name, section, base
        self.problems = problems
        self.path: DocumentPath = ("sweeps", name)

    def sweep(self) -> Sweep | None:
        found = len(self.problems)
        rows = self._rows()
        if rows is None or len(self.problems) > found:
            return None
        keys = list(rows[0])
        places = {key: self._place(key) for key in keys}
        if any(place is None for place in places.values()):
            return None
        if not self._apart(places):  # type: ignore[arg-type]
            return None
        varied = [k for k in keys if len({show(row[k]) for row in rows}) > 1]
        if not varied:
            self._wrong(codes.TOO_FEW, "varies nothing; give a quantity at least two values")
            return None
        arms: dict[str, Arm] = {}
        points: list[tuple[float | None, ...]] = []
        axes: dict[str, SweepAxis] = {}
        for row in rows:
            arm, values = self._arm(row, varied, places)  # type: ignore[arg-type]
            if arm is None:
                continue
            if arm.name in arms:
                self._wrong(codes.TWICE, f'two of its arms are "{arm.name}"; delete a value')
                continue
            point = tuple(value for value, _ in values)
            if point in points and None not in point:
                twin = list(arms)[points.index(point)]
                self._wrong(
                    codes.TWICE, f'its arms "{twin}" and "{arm.name}" are the same; delete a value'
                )
                continue
            arms[arm.name] = arm
            points.append(point)
            for key, (_, unit) in zip(varied, values, strict=True):
                axes[key] = _axis(key, unit or (axes[key].unit if key in axes else ""), self.base)
        if len(self.problems) > found:
            return None
        return Sweep(
            name=self.name,
            label=self.section.label or self.name,
            base=self.section.arm,
            kind="grid" if self.section.grid else "points",
            axes=tuple(axes[key] for key in varied),
            null=self.section.null,
            arms=tuple(arms.values()),
            points=tuple(points),
            written=tuple(tuple(_text(row[k]) for k in varied) for row in rows),
        )

    def _apart(self, places: Mapping[str, tuple[str | int, ...]]) -> bool:
        """Whether every key is a quantity of its own."""
        found: dict[tuple[str | int, ...], str] = {}
        for key, place in places.items():
            other = EXCLUDES.get(str(place[-1]), "")
            first = found.get(place) or found.get((*place[:-1], other))
            if first:
                self._wrong(
                    codes.CONTRADICTION,
                    f'"{first}" and "{key}" set the same thing; delete one of them',
                )
                return False
            found[place] = key
        return True

    def _wrong(self, code: Code, message: str, *path: str | int) -> None:
        self.problems.append(Problem((*self.path, *path), code, message))

    def _rows(self) -> list[dict[str, Any]] | None:
        """One mapping quantity -> value for each arm."""
        grid, points = self.section.grid, self.section.points
        if bool(grid) == bool(points):
            self._wrong(
                codes.CONTRADICTION, 'write either "grid" or "points", with at least one quantity'
            )
            return None
        if points:
            for i, row in enumerate(points):
                if set(row) != set(points[0]) or not row:
                    self._wrong(
                        codes.WRONG_KIND,
                        f"every point names the same quantities: {listed(points[0])}",
                        "points",
                        i,
                    )
                    return None
            return points
        for key, values in grid.items():
            if not isinstance(values, list) or not values:
                self._wrong(
                    codes.WRONG_KIND, "write its values as a list, in brackets [ ]", "grid", key
                )
                return None
        count = 1
        for values in grid.values():
            count *= len(values)
        if count > MOST_ARMS:
            self._wrong(
                codes.TOO_MANY, f"{count} combinations are too many; at most {MOST_ARMS}", "grid"
            )
            return None
        return [dict(zip(grid, row, strict=True)) for row in itertools.product(*grid.values())]

    def _place(self, key: Any) -> tuple[str | int, ...] | None:
        """Where the quantity stands in the arm; None, with a problem, if it cannot be found."""
        where = "grid" if self.section.grid else "points"
        parts: list[str | int] = list(str(key).split("."))
        if parts[0] != "treatments":
            if len(parts) < 2 or parts[0] not in ExperimentSection.model_fields:
                known = ("treatments.amd3100.dose", "challenge.day", "timp1_vector.fold")
                self._wrong(
                    codes.UNKNOWN_WORD,
                    f'"{key}" is no quantity of an arm; write for example {listed(known)}',
                    where,
                    key,
                )
                return None
            return tuple(parts)
        given = self.base.get("treatments") or []
        drugs = [t.get("drug") for t in given if isinstance(t, Mapping)]
        if len(parts) != 3:
            self._wrong(
                codes.UNKNOWN_WORD,
                f'"{key}": write treatments, the drug, and what of it, such as '
                "treatments.amd3100.dose",
                where,
                key,
            )
            return None
        which = str(parts[1])
        if which.isdecimal() and int(which) < len(drugs):
            return "treatments", int(which), parts[2]
        if drugs.count(which) != 1:
            many = which in drugs
            self._wrong(
                codes.NO_SUCH_DRUG,
                f'arm "{self.section.arm}" is given {which} more than once; number its treatments '
                f"from 0, such as treatments.{drugs.index(which)}.{parts[2]}"
                if many
                else f'arm "{self.section.arm}" is not given "{which}"'
                f"{did_you_mean(which, [str(d) for d in drugs])}",
                where,
                key,
            )
            return None
        return "treatments", drugs.index(which), parts[2]

    def _arm(
        self,
        row: Mapping[str, Any],
        varied: Sequence[str],
        places: Mapping[str, tuple[str | int, ...]],
    ) -> tuple[Arm | None, list[tuple[float | None, str]]]:
        document = deepcopy(self.base)
        document.pop("label", None)
        for key, place in places.items():
            _put(document, place, row[key])
        wrong: list[Problem] = []
        section = validated(ExperimentSection, document, (), wrong)
        for problem in wrong:
            placed = self._placed(problem, row, places)
            if placed not in self.problems:
                self.problems.append(placed)
        if section is None:
            return None, []
        values = [_value(section, places[key]) for key in varied]
        # a dose of nothing is no treatment
        given = [t for t in section.treatments if t.dose.value > 0]
        section = section.model_copy(update={"treatments": given})
        words = [_text(row[key]) for key in varied]
        name = "_".join([self.name, *map(_slug, words)])
        if len(name) > LONGEST_NAME:
            self._wrong(
                codes.UNFIT_NAME,
                f'the arm name "{name}" is longer than {LONGEST_NAME}; shorten the sweep\'s',
            )
            return None, []
        try:
            ARM_NAME.read(name)
        except Unfit as error:
            self._wrong(error.code, str(error))
            return None, []
        label = f"{self.section.label or self.name}: {', '.join(words)}"
        found = check_experiment(section)
        self.problems += [self._placed(p, row, places) for p in found]
        return (None if found else complete_arm(name, label, section)), values

    def _placed(
        self, problem: Problem, row: Mapping[str, Any], places: Mapping[str, tuple[str | int, ...]]
    ) -> Problem:
        """The problem at the value that makes it, or else at the sweep."""
        for key, place in places.items():
            if problem.path[-1:] == place[-1:] and problem.code is codes.UNKNOWN_KEY:
                where = ("grid",) if self.section.grid else ("points", 0)
                return Problem((*self.path, *where, key), problem.code, problem.message)
            if problem.path[: len(place)] == place:
                if self.section.grid:
                    values = self.section.grid[key]
                    index = next(i for i, v in enumerate(values) if v is row[key] or v == row[key])
                    return Problem((*self.path, "grid", key, index), problem.code, problem.message)
                i = next(i for i, r in enumerate(self.section.points) if r is row)
                return Problem((*self.path, "points", i, key), problem.code, problem.message)
        told = ", ".join(f"{key} {_text(row[key])}" for key in places)
        return Problem(self.path, problem.code, f"{told}: {problem.message}")


def _put(document: dict[str, Any], place: Sequence[str | int], value: Any) -> None:
    at: Any = document
    for part in place[:-1]:
        if isinstance(part, str) and not isinstance(at.get(part), dict | list):
            at[part] = {}
        at = at[part]
    at[place[-1]] = value
    if place[0] == "treatments" and (other := EXCLUDES.get(str(place[-1]))):
        at.pop(other, None)


def _value(section: ExperimentSection, place: Sequence[str | int]) -> tuple[float | None, str]:
    """The number at ``place`` and its unit; doses in mg/kg."""
    at: Any = section
    for part in place:
        at = at[part] if isinstance(part, int) else getattr(at, part)
    if isinstance(at, Quantity):
        if at.unit == "nmol/kg":
            return mg_per_kg(at, section.treatments[int(place[1])].drug), "mg/kg"
        return at.value, at.unit
    return (float(at), "") if isinstance(at, int | float) else (None, "")


def _axis(key: str, unit: str, base: Mapping[str, Any]) -> SweepAxis:
    parts = key.split(".")
    drug: str | None = None
    if parts[0] == "treatments":
        drug = parts[1] if not parts[1].isdecimal() else base["treatments"][int(parts[1])]["drug"]
    return SweepAxis(key=key, what=parts[-1], drug=drug, unit=unit)


def _text(value: Any) -> str:
    return pretty(value) if isinstance(value, int | float) else str(value).strip()


def _slug(text: str) -> str:
    """``10 mg/kg`` as ``10mgkg``, ``0.5 d`` as ``0p5d``."""
    lower = re.sub(r"(?<=[0-9])\.(?=[0-9])", "p", text.lower())
    return re.sub(r"[^a-z0-9-]", "", lower)
