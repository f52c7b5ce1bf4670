"""From the parsed file to the resolved study: sections, arms, then what must hold between them.

Everything that is wrong is collected first, and reported together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nichetrial import codes
from nichetrial.errors import Note
from nichetrial.study import checks
from nichetrial.study.arms import complete_arm, dose_arm
from nichetrial.study.calibration import read_calibration
from nichetrial.study.comparison_checks import (
    check_arms,
    check_combinations,
    check_comparisons,
    check_inspections,
)
from nichetrial.study.distributions import read_distributions
from nichetrial.study.kinds import Unfit, show
from nichetrial.study.language import ARM_NAME, MOST_ARMS, ExperimentSection
from nichetrial.study.notes import notes
from nichetrial.study.optimise import check_particles, read_optimise
from nichetrial.study.patches import ArmPatch, StudyFile, merge
from nichetrial.study.power import check_power
from nichetrial.study.questions import OptimiseSection
from nichetrial.study.resolved import (
    Arm,
    CohortSpec,
    ComparisonSpec,
    Distribution,
    OptimiseSpec,
    ResolvedStudy,
    Sweep,
)
from nichetrial.study.sections import Pair, PowerSpec, Section
from nichetrial.study.source import DocumentPath, Problem, Source, raise_problems
from nichetrial.study.sweeps import read_sweeps
from nichetrial.study.wording import unknown_key, validated

__all__ = ["Assembled", "assemble"]

EXPERIMENT = "experiment"
"""Name of the bare experiment as an arm; reserved, so no arm of a study has it."""


@dataclass(frozen=True)
class Assembled:
    """A study, the bare experiment that its arms patch, and what is probably not meant in it."""

    study: ResolvedStudy
    experiment: Arm
    notes: tuple[Note, ...] = ()


def assemble(source: Source) -> Assembled:
    """Resolve a study file. Raises UserError with all that is wrong, one per line."""
    problems = list(source.problems)
    problems += [
        Problem((key,), codes.UNKNOWN_KEY, unknown_key(key, StudyFile.model_fields))
        for key in source.data
        if key not in StudyFile.model_fields
    ]
    sections = {
        key: _section(key, source.data, problems)
        for key in StudyFile.model_fields
        if key not in ("arms", "sweeps")
    }
    cohort, figures, comparisons = sections["cohort"], sections["figures"], sections["comparisons"]
    overrides: dict[str, Distribution] = {}
    if cohort:
        problems += checks.check_cohort(cohort)
        overrides, wrong = read_distributions(cohort.parameters, ("cohort", "parameters"))
        problems += wrong
    if figures:
        problems += checks.check_figures(figures)
    if sections["tracking"]:
        problems += checks.check_uri(sections["tracking"].uri)
    if sections["calibration"]:
        sections["calibration"], wrong = read_calibration(sections["calibration"], source.file)
        problems += wrong
    experiment = sections["experiment"]
    known_wrong: list[Problem] = []
    if experiment:
        known_wrong = checks.check_experiment(experiment)
        problems += [Problem(("experiment", *p.path), p.code, p.message) for p in known_wrong]
    patches = _patches(source.data, problems)
    arms = {}
    if experiment:
        for name, patch in patches.items():
            arm = _arm(name, patch, source.data["experiment"], known_wrong, problems)
            if arm:
                arms[name] = arm
    written = source.data.get("arms")
    names = [str(k) for k in written] if isinstance(written, dict) else []
    problems += check_arms(arms)
    if comparisons and names:
        wrong = check_comparisons(comparisons, names)
        problems += wrong
        if not wrong and len(arms) == len(names) and arms:
            problems += check_combinations(comparisons, arms)
        problems += check_inspections(comparisons, arms)
    sweeps: tuple[Sweep, ...] = ()
    swept = source.data.get("sweeps", {})
    if not isinstance(swept, dict):
        problems.append(
            Problem(
                ("sweeps",),
                codes.WRONG_KIND,
                f"{show(swept)} is not right here; write named sweeps",
            )
        )
    elif experiment and not known_wrong and len(arms) == len(names):
        sweeps = read_sweeps(swept, source.data["experiment"], patches, problems)
    optimise = None
    if sections["power"]:
        problems += check_power(sections["power"], cohort)
    if sections["optimise"] and len(arms) == len(names):
        optimise, wrong = read_optimise(sections["optimise"], arms)
        problems += wrong
        if cohort and not wrong:
            problems += check_particles(sections["optimise"], cohort)
    raise_problems(source, problems)
    whole = _resolved(sections, arms, sweeps, overrides, optimise)
    return dataclasses.replace(whole, notes=tuple(notes(source, whole.study)))


def _section(key: str, data: Mapping[str, Any], problems: list[Problem]) -> Any | None:
    info = StudyFile.model_fields[key]
    if key not in data and info.is_required():
        problems.append(
            Problem((), codes.MISSING_KEY, f'missing key "{key}": {info.description}'.rstrip("."))
        )
        return None
    may_be_none: dict[str, tuple[type[Section], Any]] = {
        "optimise": (OptimiseSection, "none"),
        "power": (PowerSpec, {}),
    }
    if key in may_be_none:
        kind, usual = may_be_none[key]
        written = data.get(key, usual)
        return None if written == "none" else validated(kind, written, (key,), problems)
    return validated(info.annotation, data.get(key, {}), (key,), problems)  # type: ignore[arg-type]


def _patches(data: Mapping[str, Any], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """The well-formed patches; the others are in ``problems``."""
    if "arms" not in data:
        description = StudyFile.model_fields["arms"].description
        problems.append(
            Problem((), codes.MISSING_KEY, f'missing key "arms": {description}'.rstrip("."))
        )
        return {}
    arms = data["arms"]
    if not isinstance(arms, dict) or not arms:
        shown = "is empty" if not arms else f"{show(arms)} is not right here"
        problems.append(
            Problem(
                ("arms",),
                codes.TOO_FEW,
                f"{shown}; write at least one arm, such as untreated: {{timp1_vector: none}}",
            )
        )
        return {}
    if len(arms) > MOST_ARMS:
        problems.append(
            Problem(
                ("arms",), codes.TOO_MANY, f"{len(arms)} arms are too many; at most {MOST_ARMS}"
            )
        )
        return {}
    patches = {}
    for name, patch in arms.items():
        path: DocumentPath = ("arms", name)
        try:
            ARM_NAME.read(name)
        except Unfit as error:
            problems.append(Problem(path, error.code, str(error)))
        # `timp1_high:` with nothing after it is the experiment as it is
        if validated(ArmPatch, {} if patch is None else patch, path, problems):
            patches[name] = patch or {}
    return patches


def _arm(
    name: str,
    patch: Mapping[str, Any],
    base: Mapping[str, Any],
    known_wrong: list[Problem],
    problems: list[Problem],
) -> Arm | None:
    """The complete arm, or None. What is wrong with the experiment itself is not reported again."""
    path: DocumentPath = ("arms", name)
    merged = merge(base, patch)
    label = merged.pop("label", name)
    section = validated(ExperimentSection, merged, path, problems)
    if section is None:
        return None
    found = checks.check_experiment(section)
    own = [
        p
        for p in found
        if p not in known_wrong or ("treatments" in patch and p.path[:1] == ("treatments",))
    ]
    problems += [Problem((*path, *p.path), p.code, p.message) for p in own]
    return None if found else complete_arm(name, str(label).strip(), section)


def _resolved(
    sections: Mapping[str, Any],
    arms: Mapping[str, Arm],
    sweeps: tuple[Sweep, ...],
    overrides: dict[str, Distribution],
    optimise: OptimiseSpec | None,
) -> Assembled:
    study, cohort, figures = sections["study"], sections["cohort"], sections["figures"]
    comparisons, power, tracking = sections["comparisons"], sections["power"], sections["tracking"]
    bare = complete_arm(EXPERIMENT, "The experiment", sections["experiment"])
    reference = comparisons.reference
    pairs = [Pair(arm=name, reference=reference) for name in arms if name != reference]
    pairs += comparisons.pairs
    resolved = ResolvedStudy(
        name=study.name,
        title=study.title or study.name,
        question=study.question,
        seed=study.seed,
        cohort=CohortSpec(
            particles=cohort.particles,
            mice_per_particle=cohort.mice_per_particle,
            chunk=cohort.chunk,
            population=cohort.population,
            overrides=overrides,
        ),
        arms=tuple(arms.values()),
        sweeps=sweeps,
        dose_curve=tuple(dose_arm(bare, fold) for fold in sorted(figures.dose_folds)),
        comparisons=ComparisonSpec(
            reference=reference,
            pairs=tuple(pairs),
            combinations=comparisons.combinations,
            interactions=comparisons.interactions,
            responder=comparisons.responder,
            relevant=comparisons.relevant,
            interval=comparisons.interval,
            resamples=comparisons.resamples,
            inspections=tuple(sorted(day.value for day in comparisons.inspections)),
        ),
        power=power and power.model_copy(update={"sizes": tuple(sorted(power.sizes))}),
        optimise=optimise,
        experiment=bare,
        calibration=sections["calibration"],
        figures=figures.model_copy(
            update={
                "course_particles": min(figures.course_particles, cohort.particles),
                "dose_particles": min(figures.dose_particles, cohort.particles),
                "dose_folds": tuple(sorted(figures.dose_folds)),
            }
        ),
        tracking=tracking.model_copy(update={"experiment": tracking.experiment or study.name}),
    )
    return Assembled(study=resolved, experiment=bare)
