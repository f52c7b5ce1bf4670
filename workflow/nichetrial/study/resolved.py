"""The resolved study: what every stage after the study file reads.

Quantities are plain numbers in internal units (days, nmol per kg body mass, cells, mm3) and every
arm stands complete, its patch already applied to the experiment. Stages never see the user's file.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from typing import Any, Final, Literal

from pydantic import BaseModel

from nichetrial.study.layout import Chunk
from nichetrial.study.sections import (
    CalibrationSpec,
    Combination,
    FigureSpec,
    Interaction,
    Pair,
    PowerSpec,
    Section,
    TrackingSpec,
)

__all__ = [
    "GENES",
    "POPULATIONS",
    "Arm",
    "Challenge",
    "CohortSpec",
    "ComparisonSpec",
    "Distribution",
    "Host",
    "OptimiseSpec",
    "ReadOut",
    "ResolvedStudy",
    "Sweep",
    "SweepAxis",
    "Treatment",
    "Vector",
    "digest",
]


GENES = {"timp1": "Timp1", "cd63": "Cd63", "mmp9": "Mmp9", "timp1_tissue": "tissue Timp1"}
"""Field of ``Host`` -> the gene as people write it, in the order of the model's equations."""


class Host(Section):
    """The animal's genotype: expression relative to the wild type, 0 for a knock-out."""

    timp1: float = 1.0
    cd63: float = 1.0
    mmp9: float = 1.0
    timp1_tissue: float = 1.0
    """Timp1 expressed in the tissues alone, not in the plasma; multiplies ``timp1`` there."""

    @property
    def genes(self) -> tuple[float, float, float, float]:
        """Expression in the order of the model's equations."""
        return self.timp1, self.cd63, self.mmp9, self.timp1_tissue

    @property
    def wild(self) -> bool:
        """Is it the wild type?"""
        return set(self.genes) == {1.0}


class Vector(Section):
    """A TIMP-1 vector: plasma TIMP-1 rises to ``fold`` times basal from day ``onset``."""

    fold: float
    onset: float


class Challenge(Section):
    """How tumour cells reach the mouse. ``resection`` (day) only with the ``primary`` route."""

    route: Literal["intravenous", "primary"]
    cells: float
    day: float
    resection: float | None = None


class Treatment(Section):
    """One drug on one schedule.

    ``amount`` is nmol per kg at each dose (bolus), or over each interval (pump). Doses are given at
    ``start``, ``start + every`` ... not later than ``until``; ``every`` is None for a single dose.
    A pump runs from ``start`` to ``until``.
    """

    drug: str
    method: Literal["bolus", "pump"] = "bolus"
    amount: float
    start: float
    every: float | None
    until: float
    written: str
    """The dose and schedule in the user's words, for figures and reports."""

    def doses(self) -> tuple[float, ...]:
        """Days of the doses of a bolus; of a pump, the start of each interval."""
        if self.every is None:
            return (self.start,)
        # the tolerance lets a dose on the last day be given in spite of rounding
        last = math.floor((self.until - self.start) / self.every + 1e-9)
        return tuple(self.start + k * self.every for k in range(last + 1))


class ReadOut(Section):
    """When and how metastases are counted. Days; cells."""

    day: float
    end: float
    visible_cells: float
    detectable_cells: float
    lethal_cells: float


class Arm(Section):
    """One arm, complete."""

    name: str
    label: str
    host: Host
    vector: Vector | None
    challenge: Challenge
    treatments: tuple[Treatment, ...]
    readout: ReadOut


class SweepAxis(Section):
    """One quantity that a sweep varies."""

    key: str
    """As written in the study file, such as ``treatments.amd3100.dose``."""
    what: str
    """Its last part: dose, start, duration, every, method, fold, ..."""
    drug: str | None = None
    """The drug, if it is of a treatment."""
    unit: str = ""
    """Unit of the values: d, mg/kg, cells, or none."""


class Sweep(Section):
    """An arm with some of its quantities varied: each point is an arm of its own."""

    name: str
    label: str
    base: str
    """The arm that it starts from."""
    kind: Literal["grid", "points"]
    axes: tuple[SweepAxis, ...]
    """Only what has more than one value."""
    null: Literal["loewe", "musyc", "bliss", "hsa"] = "loewe"
    """What a surface over two doses is judged against."""
    arms: tuple[Arm, ...]
    points: tuple[tuple[float | None, ...], ...]
    """(arms, axes): the values in the axes' units; None where it is a word, such as ``pump``."""
    written: tuple[tuple[str, ...], ...]
    """(arms, axes): the values in the user's words."""

    @property
    def asks(self) -> Literal["dose_response", "surface", "window", "schedules", "effects"]:
        """What the sweep asks, by what it varies."""
        whats = [axis.what for axis in self.axes]
        drugs = {axis.drug for axis in self.axes}
        if whats == ["dose"] and None not in drugs:
            return "dose_response"
        if self.kind == "grid" and whats == ["dose", "dose"] and len(drugs) == 2:
            return "surface"
        if self.kind == "grid" and sorted(whats) == ["duration", "start"] and len(drugs) == 1:
            return "window"
        schedule = {"method", "every", "dose", "start", "duration", "until"}
        if self.kind == "points" and len(drugs) == 1 and None not in drugs and schedule >= {*whats}:
            return "schedules"
        return "effects"


class Distribution(Section):
    """A prior in internal units. ``a, b``: bounds (uniform, log_uniform), median and CV
    (log_normal), mean and sample size (beta), value and 0 (fixed)."""

    kind: Literal["uniform", "log_uniform", "log_normal", "beta", "fixed"]
    a: float
    b: float = 0.0
    between_mice: float = 0.0
    """Coefficient of variation between the mice of a particle (log-normal)."""


POPULATIONS = {
    "calibrated": "The particles are from the calibrated population that comes with nichetrial.",
    "priors": "The particles are drawn from the priors: nothing is calibrated.",
    "own": "The particles are from the population of this study's own calibration.",
}
"""``cohort.population`` -> where the particles come from, in a sentence."""


class CohortSpec(Section):
    particles: int
    mice_per_particle: int
    chunk: int
    """Mice per job."""
    population: Literal["calibrated", "priors", "own"] = "calibrated"
    overrides: dict[str, Distribution]
    """Only what differs from the priors of the model; parameter name -> distribution."""

    @property
    def mice(self) -> int:
        """Of all particles together."""
        return self.particles * self.mice_per_particle


class ComparisonSpec(Section):
    reference: str
    pairs: tuple[Pair, ...]
    """All pairs to compare: every other arm against the reference, then the declared ones."""
    combinations: tuple[Combination, ...]
    interactions: tuple[Interaction, ...] = ()
    responder: float
    """Share by which foci must fall for a mouse to be a responder."""
    relevant: float
    """Share by which foci must fall for an effect to be worth having."""
    interval: float
    resamples: int
    inspections: tuple[float, ...] = ()
    """Days on which a lab looks at its mice, in order; empty: at any time."""


class OptimiseSpec(Section):
    """The search for the best schedule of one treatment. Ranges are (low, high)."""

    arm: str
    treatment: int
    """Its place among the arm's treatments."""
    budget: float
    """Total dose, nmol per kg."""
    dose: tuple[float, float]
    """nmol per kg at each dose (bolus), or over each interval (pump)."""
    start: tuple[float, float]
    every: tuple[float, float]
    """Days."""
    particles: int
    """The first of the cohort, on which schedules are tried."""
    evaluations: int


FORMAT: Final = 3
"""Of study.json and of the tables of results: 3 since a cohort has particles with mice in each."""


class ResolvedStudy(Section):
    format: Literal[3] = FORMAT
    name: str
    title: str
    question: str
    seed: int
    cohort: CohortSpec
    arms: tuple[Arm, ...]
    sweeps: tuple[Sweep, ...] = ()
    dose_curve: tuple[Arm, ...]
    """The experiment without treatments at each of ``figures.dose_folds``; not in the trial."""
    comparisons: ComparisonSpec
    power: PowerSpec | None = None
    optimise: OptimiseSpec | None = None
    experiment: Arm
    """The experiment itself, as an arm without treatments of its own."""
    calibration: CalibrationSpec
    figures: FigureSpec
    tracking: TrackingSpec

    def written(self) -> str:
        """The text of study.json."""
        return self.model_dump_json(indent=2) + "\n"

    def arm(self, name: str) -> Arm:
        """The arm of that name, those of sweeps among them. Raises KeyError."""
        return self._by_name[name] if name in self._by_name else self._swept_by_name[name]

    @functools.cached_property
    def _by_name(self) -> dict[str, Arm]:
        return {arm.name: arm for arm in self.arms}

    @functools.cached_property
    def _swept_by_name(self) -> dict[str, Arm]:
        return {arm.name: arm for arm in self.swept}

    @property
    def swept(self) -> tuple[Arm, ...]:
        """The arms of all sweeps."""
        return tuple(arm for sweep in self.sweeps for arm in sweep.arms)

    def asks_for(self, name: str) -> bool:
        """Whether a figure or table has something to show: those of sweeps, of the mice needed and
        of the best schedule, only if the study asks."""
        if name == "optimum":
            return self.optimise is not None
        if name in ("power", "design", "mice_needed"):
            return self.power is not None
        of_sweeps = {n: n for n in ("dose_response", "surface", "window", "schedules")}
        asked = (of_sweeps | {"synergy": "surface"}).get(name)
        return asked is None or any(sweep.asks == asked for sweep in self.sweeps)

    def sweep(self, name: str) -> Sweep:
        """The sweep of that name. Raises KeyError."""
        for sweep in self.sweeps:
            if sweep.name == name:
                return sweep
        raise KeyError(name)

    def chunks(self, particles: int | None = None) -> list[Chunk]:
        """The first ``particles`` (all) in the parts that one job simulates, whole particles."""
        cohort = self.cohort
        total = cohort.particles if particles is None else min(particles, cohort.particles)
        size = max(1, cohort.chunk // cohort.mice_per_particle)
        return [Chunk(a, min(a + size, total) - 1) for a in range(0, total, size)]


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no spaces) of models, dicts, lists, numbers."""

    def plain(v: Any) -> Any:
        if isinstance(v, BaseModel):
            return v.model_dump(mode="json")
        if isinstance(v, dict):
            return {str(k): plain(x) for k, x in v.items()}
        if isinstance(v, list | tuple):
            return [plain(x) for x in v]
        return v

    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
