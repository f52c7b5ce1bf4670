"""Which run records a study's jobs leave, and what each must say to be of this study.

The same as the rules say with ``record=`` and ``digest=``; a test holds them equal. Without
Snakemake, so that results can be judged before it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import (
    COMPARISONS,
    EVIDENCE_FIGURES,
    EVIDENCE_TABLES,
    OUTCOME_TABLES,
)

__all__ = ["Expected", "expected"]


@dataclass(frozen=True)
class Expected:
    """One job: where its record is, what it makes, and how the plan is asked for its digest.
    ``rule`` is the workflow's word for it."""

    record: str
    rule: str
    asked: tuple[str, dict[str, str]]
    outputs: tuple[str, ...]

    def digest(self, plan: Plan, code: str | None = None) -> str:
        """What the record's ``params_digest`` should be; ``code``: the digest of the code that the
        job ran, if not of the one that is here."""
        stage, wildcards = self.asked
        return plan.digest(stage, **wildcards, code=code)


def expected(plan: Plan, *, evidence: bool) -> Iterator[Expected]:
    """All jobs with a record, each after those that it reads from.

    Args:
        evidence: those of the calibration too.
    """

    def job(
        record: str, rule: str, outputs: Iterable[str], stage: str = "", **wildcards: str
    ) -> Expected:
        asked = (stage or rule.replace("_", "-"), wildcards)
        return Expected(layout.record(record), rule, asked, tuple(outputs))

    def both(table: str) -> list[str]:
        return [kept.table(table, kind) for kind in ("parquet", "csv")]

    study, layout, kept = plan.study, plan.layout, plan.layout.evidence
    if evidence:
        for variant in study.calibration.variants:
            for generation in range(study.calibration.generations + 1):
                for chunk in study.calibration.chunks():
                    name = f"evidence/{variant}/particles-{generation:03d}-{chunk.name}"
                    file = kept.particles(variant, f"{generation:03d}", chunk.name)
                    yield job(name, "particles", [file], variant=variant)
            made = [kept.table(f"{variant}/population"), *both(f"{variant}/generations"),
                    *both(f"{variant}/posterior")]  # fmt: skip
            yield job(f"evidence/{variant}/population", "population", made, variant=variant)
    for mice in plan.chunks:
        made = [layout.parameters(mice), layout.rejections(mice)]
        yield job(f"parameters/mice-{mice}", "parameters", made)
    for arm in plan.arms:
        for mice in plan.chunks:
            made = [layout.simulation(arm, mice, table) for table in OUTCOME_TABLES]
            yield job(f"simulations/{arm}/mice-{mice}", "simulate", made, arm=arm, mice=mice)
        made = [layout.experiments(arm, table) for table in ("groups", "twins")]
        yield job(f"experiments/{arm}", "experiments", made, arm=arm)
    for mice in plan.dose_chunks:
        yield job(f"dose_curve/mice-{mice}", "dose_curve", [layout.dose_curve(mice)])
    for sweep in plan.sweeps:
        for mice in plan.chunks:
            made = [layout.sweep(sweep, mice)]
            yield job(f"sweeps/{sweep}/mice-{mice}", "sweep", made, arm=sweep)
    names = {"compare": "comparisons", "compare_sweeps": "sweeps"}
    for rule in filter(plan.asks_for, COMPARISONS):
        yield job(f"comparisons/{names.get(rule, rule)}", rule, plan.comparisons(rule))
    for figure in plan.figures:
        yield job(f"figures/{figure}", "figure", plan.pictures(figure), figure=figure)
    yield job("report/report", "report", [layout.page])
    if evidence:
        for variant in study.calibration.variants:
            made = [kept.table(f"{variant}/experiments")]
            yield job(f"evidence/{variant}/predict", "predict", made, variant=variant)
        for rule, tables in EVIDENCE_TABLES.items():
            made = [path for table in tables for path in both(table)]
            made += [kept.metrics] if rule == "scoreboard" else []
            yield job(f"evidence/{rule}", rule, made)
        for figure in EVIDENCE_FIGURES:
            made = [kept.figure(figure, kind) for kind in study.figures.formats]
            name = f"evidence/figures/{figure}"
            yield job(name, "evidence_figure", made, "figure", figure=figure)
        yield job("evidence/report", "evidence_report", [kept.page])
