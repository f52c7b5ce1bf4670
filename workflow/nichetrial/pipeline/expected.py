"""Which run records a study's jobs leave, and what each must say to be of this study.

The same as the rules say with ``record=`` and ``digest=``; a test holds them equal. Without
Snakemake, so that results can be judged before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import EVIDENCE_FIGURES

__all__ = ["Expected", "expected"]


@dataclass(frozen=True)
class Expected:
    """One job: where its record is, and how the plan is asked for its digest. ``rule`` is the
    workflow's word for it."""

    record: str
    rule: str
    asked: tuple[str, dict[str, str]]

    def digest(self, plan: Plan) -> str:
        """What the record's ``params_digest`` should be."""
        stage, wildcards = self.asked
        return plan.digest(stage, **wildcards)


def expected(plan: Plan, *, evidence: bool) -> Iterator[Expected]:
    """All jobs with a record, each after those that it reads from.

    Args:
        evidence: those of the calibration too.
    """

    def job(record: str, rule: str, stage: str = "", **wildcards: Any) -> Expected:
        path = plan.layout.record(record)
        return Expected(path, rule, (stage or rule.replace("_", "-"), wildcards))

    study = plan.study
    if evidence:
        for variant in study.calibration.variants:
            for generation in range(study.calibration.generations + 1):
                for file in plan.particles(variant, generation):
                    chunk = file.rpartition("/")[2].removesuffix(".parquet")
                    name = f"evidence/{variant}/particles-{generation:03d}-{chunk}"
                    yield job(name, "particles", variant=variant)
            yield job(f"evidence/{variant}/population", "population", variant=variant)
    for mice in plan.chunks:
        yield job(f"parameters/mice-{mice}", "parameters")
    for arm in plan.arms:
        for mice in plan.chunks:
            yield job(f"simulations/{arm}/mice-{mice}", "simulate", arm=arm, mice=mice)
        yield job(f"experiments/{arm}", "experiments", arm=arm)
    for mice in plan.dose_chunks:
        yield job(f"dose_curve/mice-{mice}", "dose_curve")
    for sweep in plan.sweeps:
        for mice in plan.chunks:
            yield job(f"sweeps/{sweep}/mice-{mice}", "sweep", arm=sweep)
    yield job("comparisons/comparisons", "compare")
    yield job("comparisons/sweeps", "compare_sweeps")
    yield job("comparisons/power", "power")
    yield job("comparisons/optimise", "optimise")
    for figure in plan.figures:
        yield job(f"figures/{figure}", "figure", figure=figure)
    yield job("report/report", "report")
    if evidence:
        for variant in study.calibration.variants:
            yield job(f"evidence/{variant}/predict", "predict", variant=variant)
        for rule in ("scoreboard", "sensitivity", "contradiction"):
            yield job(f"evidence/{rule}", rule)
        for figure in EVIDENCE_FIGURES:
            yield job(f"evidence/figures/{figure}", "evidence_figure", "figure", figure=figure)
        yield job("evidence/report", "evidence_report")
