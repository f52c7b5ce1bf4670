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

from nichetrial.figures.declared import FIGURES
from nichetrial.pipeline.stages import STAGES
from nichetrial.study.layout import Chunk
from nichetrial.study.resolved import Arm, OptimiseSpec, ResolvedStudy

__all__ = [
    "BATCHES",
    "COLONY_CLASSES",
    "COSTS",
    "MEMORY_FACTOR",
    "OF_TABLE",
    "TIME_FACTOR",
    "Need",
    "Needs",
    "course_days",
    "prices",
]

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
OF_TABLE: dict[str, tuple[str, ...]] = {
    "particles": ("particle_arms",),
    "courses": ("course_rows",),
    "colonies": ("jobs",),
    "dose_curve": ("dose_rows",),
    "evaluations": ("evaluations",),
    "power": ("shares",),
    **dict.fromkeys(("effects", "restricted_means", "uncertainty"), ("pairs",)),
    **dict.fromkeys(("dose_response", "surface", "window", "schedules"), ("swept",)),
}
"""Table that a figure reads -> the loads that it comes with; of each figure also the arms."""

SNAKEMAKE = ("all_arms",)
"""What the cost of Snakemake itself goes with."""


@dataclass(frozen=True)
class Need:
    """Of one job: peak memory, processor time, and what it leaves on the disk."""

    megabytes: float = 0.0
    seconds: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.megabytes + other.megabytes, self.seconds + other.seconds, self.bytes + other.bytes
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


def _most_landings(arm: Arm, spec: OptimiseSpec) -> int:
    """The same of the schedule with most doses that a search may try."""
    doses = math.ceil(spec.budget / spec.dose[0])
    doses = min(doses, math.ceil((arm.readout.day - spec.start[0]) / spec.every[0]) + 1)
    return _landings(arm) + (doses if arm.treatments[spec.treatment].method == "bolus" else 0)


class Needs:
    """The needs of a study's jobs. An answer is remembered: there may be ten thousand jobs."""

    def __init__(self, study: ResolvedStudy) -> None:
        self.study = study
        self._steps = {arm.name: _landings(arm) for arm in study.arms}
        self._swept = {s.name: (len(s.arms), sum(map(_landings, s.arms))) for s in study.sweeps}
        self._days = {arm.name: course_days(arm) for arm in study.arms}
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
        """What the job with these wildcards was measured to need, code to be compiled first."""
        loads = self.loads(rule, **wildcards)
        key = (rule, wildcards.get("figure"), *loads.values())
        if key not in self._known:
            self._known[key] = self.priced(rule, {**loads, "cold": 1}, **wildcards)
        return self._known[key]

    def priced(self, rule: str, loads: dict[str, float], **wildcards: str) -> Need:
        """The sum over ``loads``; nothing for a rule that is not measured yet (a test tells)."""
        costs = prices().get(f"figure {wildcards['figure']}" if rule == "figure" else rule, {})
        total = Need()
        for load, amount in {"job": 1.0, **loads}.items():
            total += costs.get(load, Need()) * amount
        return total

    def loads(self, rule: str, **wildcards: str) -> dict[str, float]:
        """What there is to do in a job: load -> amount. Its price may be nothing.

        Raises KeyError for a rule that is not known.
        """
        if rule == "figure":
            tables = FIGURES[wildcards["figure"]].shows
            names = [load for table in tables for load in OF_TABLE.get(table, ())]
            names.append("arms")
        else:
            names = list(SNAKEMAKE if rule == "snakemake" else STAGES[rule].cost)
        whole = self._of_study
        return {
            name: whole[name] if name in whole else self._of_job(name, **wildcards)
            for name in names
        }

    def _of_job(
        self,
        load: str,
        *,
        chunk: str = "",
        arm: str = "",
        sweep: str = "",
        particles: str = "",
        **_: str,
    ) -> float:
        """The amount of a load that goes with a job's wildcards. Raises KeyError."""
        study = self.study
        if load == "chunk_mice":
            return self._mice(chunk)
        if load == "chunk_steps":
            return self._mice(chunk) * self._steps[arm]
        if load == "chunk_course_rows":
            some = Chunk.named(chunk)
            kept = max(0, min(study.figures.course_particles - some.first, some.size))
            return kept * self._days[arm]
        if load == "dose_mice":
            return self._mice(chunk) * len(study.dose_curve)
        if load == "dose_steps":
            return self._mice(chunk) * self._dose_steps
        if load == "sweep_arms":
            return self._swept[sweep][0]
        if load == "sweep_mice":
            return self._mice(chunk) * self._swept[sweep][0]
        if load == "sweep_steps":
            return self._mice(chunk) * self._swept[sweep][1]
        if load == "animals":
            return self._animals()
        if load == "animal_steps":
            return self._animals() * self._steps[arm]
        if load == "chunk_experiments":
            spec = study.calibration
            return Chunk.named(particles).size * spec.moves * spec.mice
        raise KeyError(load)

    def _mice(self, chunk: str) -> int:
        return Chunk.named(chunk).size * self.study.cohort.mice_per_particle

    def _animals(self) -> float:
        """Mice in the simulated experiments of one arm."""
        asked = self.study.power
        return float(asked.experiments * max(asked.sizes)) if asked else 0.0

    @functools.cached_property
    def _of_study(self) -> dict[str, float]:
        """Load -> amount, of loads that go with the whole study."""
        study, spec, cohort = self.study, self.study.calibration, self.study.cohort
        compared, asked = study.comparisons, study.power
        groups, experiments = (len(asked.sizes), asked.experiments) if asked else (0, 0)
        arms, swept, pairs = len(study.arms), len(study.swept), len(compared.pairs)
        counts = float(compared.resamples * min(cohort.particles, BATCHES))
        tests = float(pairs * groups * experiments)
        points = spec.map_points**2
        return {
            "arms": arms,
            "swept": swept,
            "pairs": pairs,
            "jobs": float(len(study.chunks()) * (arms + len(study.sweeps))),
            "mice": cohort.mice,
            "mouse_arms": float(cohort.mice * arms),
            "particle_arms": float(cohort.particles * arms),
            "course_rows": study.figures.course_particles * sum(self._days.values()),
            "dose_rows": study.figures.dose_particles
            * cohort.mice_per_particle
            * len(study.dose_curve),
            "shares": pairs * groups,
            "counts": counts,
            "draws": counts * (pairs + len(compared.combinations)),
            "swept_mice": float(cohort.mice * swept),
            "largest": float(cohort.mice * max([len(s.arms) for s in study.sweeps], default=0)),
            "sweep_draws": counts * swept,
            "curves": sum(s.asks == "dose_response" for s in study.sweeps),
            "cells": sum(len(s.arms) for s in study.sweeps if s.asks == "surface"),
            "animals_of_arms": self._animals() * arms,
            "tests": tests,
            "log_ranks": tests if asked and asked.test == "log_rank" else 0.0,
            "experiment_counts": float(
                compared.resamples * min(experiments, cohort.particles, BATCHES)
            ),
            "test_draws": compared.resamples * tests,
            "all_particles": spec.particles * (spec.generations + 1),
            "experiments": spec.particles * spec.mice,
            "variants": len(spec.variants),
            "sobol_runs": spec.sobol * arms,
            "points": points,
            "map_experiments": points * spec.map_particles,
            "dose_particles": spec.particles * len(study.figures.dose_folds),
            "all_arms": arms + swept,
            **self._search(),
        }

    def _search(self) -> dict[str, float]:
        study, spec = self.study, self.study.optimise
        if spec is None:
            return dict.fromkeys(("evaluations", "search_steps", "search_counts"), 0.0)
        cohort = study.cohort
        tried = min(spec.particles, cohort.particles)
        others = cohort.particles - tried
        mice = (tried * spec.evaluations + 3 * others) * cohort.mice_per_particle
        steps = _most_landings(study.arm(spec.arm), spec)
        return {
            "evaluations": spec.evaluations,
            "search_steps": float(mice * steps),
            "search_counts": float(study.comparisons.resamples * min(others, BATCHES)),
        }


def _names(wildcards: Any) -> dict[str, str]:
    return {name: str(value) for name, value in wildcards.items()}
