"""The section on the best schedule, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.study.arms import per_kg
from nichetrial.study.checks import LARGEST_DOSE, mg_per_kg
from nichetrial.study.kinds import did_you_mean, listed
from nichetrial.study.language import CohortSection
from nichetrial.study.questions import FEWEST_TO_OPTIMISE, OptimiseSection
from nichetrial.study.resolved import Arm, OptimiseSpec
from nichetrial.study.source import Problem

__all__ = ["check_particles", "read_optimise"]


def read_optimise(
    section: OptimiseSection, arms: Mapping[str, Arm]
) -> tuple[OptimiseSpec | None, list[Problem]]:
    """The search, or None with what is wrong."""
    problems: list[Problem] = []

    def wrong(code: Code, message: str, *path: str) -> None:
        problems.append(Problem(("optimise", *path), code, message))

    if section.arm not in arms:
        wrong(
            codes.NO_SUCH_ARM,
            f'there is no arm "{section.arm}"{did_you_mean(section.arm, arms)}',
            "arm",
        )
        return None, problems
    arm = arms[section.arm]
    drugs = [t.drug for t in arm.treatments]
    if not drugs:
        wrong(
            codes.NO_SUCH_DRUG,
            f'arm "{section.arm}" is given nothing; name an arm with a treatment',
            "arm",
        )
        return None, problems
    drug = section.drug or drugs[0]
    if not section.drug and len(drugs) > 1:
        wrong(
            codes.NO_SUCH_DRUG,
            f'arm "{section.arm}" is given {listed(drugs)}; say which with "drug"',
            "drug",
        )
    elif drugs.count(drug) != 1:
        how = "more than once" if drug in drugs else f"no {drug}{did_you_mean(drug, drugs)}"
        wrong(
            codes.NO_SUCH_DRUG,
            f'arm "{section.arm}" is given {drug} {how}'
            if drug in drugs
            else f'arm "{section.arm}" is given {how}',
            "drug",
        )
    for key in ("dose", "start", "every"):
        low, high = getattr(section, key)
        unlike = low.unit != high.unit
        if unlike:
            wrong(
                codes.QUANTITY,
                f"{low.text} and {high.text} are in different units; write both in one",
                key,
            )
        elif low.value >= high.value:
            wrong(
                codes.WRONG_ORDER,
                f"{low.text} is not below {high.text}; write the smaller one first",
                key,
            )
    if problems:
        return None, problems
    budget = per_kg(section.budget, drug)
    dose = (per_kg(section.dose[0], drug), per_kg(section.dose[1], drug))
    for key, written in (("budget", section.budget), ("dose", section.dose[1])):
        if mg_per_kg(written, drug) > LARGEST_DOSE:
            wrong(
                codes.OUT_OF_RANGE,
                f"{written.text} is too large; at most {LARGEST_DOSE} mg/kg",
                key,
            )
    if dose[0] > budget:
        wrong(
            codes.OUT_OF_RANGE,
            f"one dose of {section.dose[0].text} is above {section.budget.text} already",
            "budget",
        )
    if (latest := section.start[1]).value >= arm.readout.day:
        wrong(
            codes.WRONG_ORDER, f"{latest.text} is not before the read-out; start earlier", "start"
        )
    spec = OptimiseSpec(
        arm=arm.name,
        treatment=drugs.index(drug),
        budget=budget,
        dose=dose,
        start=(section.start[0].value, section.start[1].value),
        every=(section.every[0].value, section.every[1].value),
        particles=section.particles,
        evaluations=section.evaluations,
    )
    return (None if problems else spec), problems


def check_particles(section: OptimiseSection, cohort: CohortSection) -> list[Problem]:
    """The best schedule is judged on particles that it was not chosen on."""
    if section.particles * 2 <= cohort.particles:
        return []
    most = cohort.particles // 2
    remedy = (
        f"write at most {most}, or more particles in the cohort"
        if most >= FEWEST_TO_OPTIMISE
        else f"the cohort needs at least {2 * FEWEST_TO_OPTIMISE} particles"
    )
    return [
        Problem(
            ("optimise", "particles"),
            codes.TOO_FEW,
            f"{section.particles} of {cohort.particles} particles leave too few to judge the best "
            f"schedule on; {remedy}",
        )
    ]
