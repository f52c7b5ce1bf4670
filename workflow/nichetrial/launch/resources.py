"""What a job needs, from the size of its study: megabytes and minutes for ``resources:``.

A need is a sum over the job's loads (mice, steps of time, bootstrap draws ...), each at the price
that was measured: ``costs.csv``, which ``python -m tests.benchmarks.stages`` writes. What is asked
for is more, by factors that stand here, and twice as much at each retry.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nichetrial.study.resolved import Arm, ResolvedStudy

__all__ = [
    "BATCHES", "COLONY_CLASSES", "COSTS", "MEMORY_FACTOR", "TIME_FACTOR", "Need", "Needs",
    "course_days", "prices",
]  # fmt: skip

COSTS = Path(__file__).with_name("costs.csv")

MEMORY_FACTOR = 1.5
"""Asked for, over measured. A job that needs more is killed and sent again with twice as much."""
TIME_FACTOR = 4.0
"""The same of time: other processors, busy file systems, mice with more colonies."""
SLACK_SECONDS = 120.0
"""For what no processor does: a node that wakes up, a file system that hesitates."""
ROUND = 100
"""Megabytes: schedulers and people like round numbers."""

BATCHES = 5000
"""Units of the bootstrap at most. This and the next are those of ``compare.bootstrap`` and of the
engine, which are not asked because they load Numba; a test holds them equal."""
COLONY_CLASSES = 40
"""Rows of a table of colony sizes."""


@dataclass(frozen=True)
class Need:
    """Of one job: peak memory, processor time, and what it leaves on the disk."""

    megabytes: float = 0.0
    seconds: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.megabytes + other.megabytes,
            self.seconds + other.seconds,
            self.bytes + other.bytes,
        )

    def __mul__(self, amount: float) -> Need:
        return Need(self.megabytes * amount, self.seconds * amount, self.bytes * amount)


@functools.cache
def prices() -> dict[str, dict[str, Need]]:
    """Rule -> load -> what a unit of it costs. A figure is a rule of its own, ``figure foci``."""
    found: dict[str, dict[str, Need]] = {}
    with open(COSTS, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            price = Need(*(float(row[key]) for key in ("megabytes", "seconds", "bytes")))
            found.setdefault(row["rule"], {})[row["load"]] = price
    return found


def course_days(arm: Arm) -> int:
    """Rows of a mouse's time course: every quarter of a day to the read-out, then every day."""
    fine = math.ceil(arm.readout.day)
    return 4 * fine + math.floor(arm.readout.end) + 1 - fine


def _landings(arm: Arm) -> int:
    """Where the integration must stop at least; what a mouse costs goes with it."""
    return course_days(arm) + sum(len(t.doses()) for t in arm.treatments if t.method == "bolus")


def _size(span: str) -> tuple[int, int]:
    """First number of a chunk's name, and how many there are."""
    first, last = map(int, span.split("-"))
    return first, last + 1 - first


class Needs:
    """The needs of a study's jobs. An answer is remembered: there may be ten thousand jobs."""

    def __init__(self, study: ResolvedStudy) -> None:
        self.study = study
        self._steps = {arm.name: _landings(arm) for arm in study.arms}
        self._days = {arm.name: course_days(arm) for arm in study.arms}
        self._course_days = sum(self._days.values())
        self._dose_steps = sum(map(_landings, study.dose_curve))
        self._known: dict[tuple[Any, ...], Need] = {}

    def megabytes(self, rule: str) -> Callable[..., int]:
        """``mem_mb`` of a rule: the job and the Snakemake that starts it on its node."""

        def mem_mb(wildcards: Any, attempt: int) -> int:
            need = self.of(rule, **_names(wildcards)).megabytes + self.of("snakemake").megabytes
            return math.ceil(MEMORY_FACTOR * need / ROUND) * ROUND * 2 ** (attempt - 1)

        return mem_mb

    def minutes(self, rule: str) -> Callable[..., int]:
        """``runtime`` of a rule, at least as long as a cold start takes."""

        def runtime(wildcards: Any, attempt: int) -> int:
            need = self.of(rule, **_names(wildcards)).seconds + self.of("snakemake").seconds
            return math.ceil((TIME_FACTOR * need + SLACK_SECONDS) / 60) * 2 ** (attempt - 1)

        return runtime

    def of(self, rule: str, **wildcards: str) -> Need:
        """What the job with these wildcards was measured to need, code to be compiled anew."""
        loads = self.loads(rule, **wildcards)
        key = (rule, wildcards.get("figure"), *loads.values())
        if key not in self._known:
            self._known[key] = self.priced(rule, {**loads, "cold": 1}, **wildcards)
        return self._known[key]

    def priced(self, rule: str, loads: dict[str, float], **wildcards: str) -> Need:
        """The sum over ``loads``; nothing for a rule that is not measured yet (a test tells)."""
        name = f"{rule} {wildcards['figure']}" if "figure" in wildcards else rule
        costs = prices().get(name, {})
        total = Need()
        for load, amount in {"job": 1.0, **loads}.items():
            total += costs.get(load, Need()) * amount
        return total

    def loads(
        self, rule: str, *, mice: str = "", arm: str = "", particles: str = "", **_: str
    ) -> dict[str, float]:
        """What there is to do in a job: load -> amount. Its price may be nothing."""
        study = self.study
        arms, spec = len(study.arms), study.calibration
        mouse_arms, jobs = float(study.cohort.mice * arms), float(len(study.chunks()) * arms)
        if rule == "parameters":
            return {"mice": _size(mice)[1]}
        if rule == "simulate":
            first, count = _size(mice)
            kept = max(0, min(study.figures.course_mice - first, count))
            return {
                "mice": count,
                "steps": count * self._steps[arm],
                "course_rows": kept * self._days[arm],
            }
        if rule == "dose_curve":
            count = _size(mice)[1]
            return {"mice": count * len(study.dose_curve), "steps": count * self._dose_steps}
        if rule == "compare":
            compared = study.comparisons
            counts = compared.resamples * min(study.cohort.mice, BATCHES)
            pairs = len(compared.pairs) + len(compared.combinations)
            return {
                "mice": study.cohort.mice,
                "mouse_arms": mouse_arms,
                "counts": counts,
                "draws": counts * pairs,
            }
        if rule in ("figure", "report"):
            return {
                "arms": arms,
                "jobs": jobs,
                "mice": study.cohort.mice,
                "mouse_arms": mouse_arms,
                "course_rows": study.figures.course_mice * self._course_days,
                "dose_rows": study.figures.dose_mice * len(study.dose_curve),
            }
        if rule == "track":
            return {"arms": arms, "jobs": jobs}
        if rule == "particles":
            moved = _size(particles)[1] * spec.moves
            return {"experiments": moved * spec.mice}
        if rule == "population":
            return {"particles": spec.particles * (spec.generations + 1)}
        if rule == "predict":
            return {"experiments": spec.particles * spec.mice}
        if rule == "sensitivity":
            return {"mouse_arms": spec.sobol * arms}
        if rule == "contradiction":
            points, folds = spec.map_points**2, len(study.figures.dose_folds)
            return {"points": points, "experiments": points * spec.map_particles,
                    "particles": spec.particles * folds}  # fmt: skip
        return {"arms": arms}


def _names(wildcards: Any) -> dict[str, str]:
    return {name: str(value) for name, value in wildcards.items()}
