"""The stages of a study, each declared once, in the order in which a run needs them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nichetrial.figures.declared import EVIDENCE, FIGURES
from nichetrial.model.variants import FULL
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import COMPARED, TABLES
from nichetrial.pipeline.stage import WHOLE, Files, Stage, Wildcards
from nichetrial.report.declared import CALIBRATION, STUDY
from nichetrial.study.layout import Chunk
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["STAGES", "UNTIL"]

KINDS = ("parquet", "csv")
"""A table for programs and its twin for people."""


def _without(*keys: str) -> tuple[str, ...]:
    return tuple(key for key in WHOLE if key not in keys)


def _missing(plan: Plan, wildcards: Wildcards) -> tuple[str, ...]:
    return plan.missing


def _compared(name: str) -> Any:
    """Writes: the tables of comparisons/ that this stage makes."""

    def writes(plan: Plan, wildcards: Wildcards) -> Files:
        return {t: [plan.layout.comparison(t, kind) for kind in KINDS] for t in TABLES[name]}

    return writes


def _judged(name: str) -> Any:
    """Writes: the same of evidence/."""

    def writes(plan: Plan, wildcards: Wildcards) -> Files:
        kept = plan.layout.evidence
        return {t: [kept.table(t, kind) for kind in KINDS] for t in TABLES[name]}

    return writes


def _variants(plan: Plan) -> Iterable[tuple[str, ...]]:
    return [(variant,) for variant in plan.study.calibration.variants]


def _population(plan: Plan, wildcards: Wildcards) -> Files:
    """Reads: the population, if a job of this study makes it."""
    return {"population": plan.population}


def _own_population(plan: Plan, wildcards: Wildcards) -> Files:
    return {"population": [plan.own_population]}


# --- the calibration ------------------------------------------------------------------------------


def _particles(plan: Plan) -> Iterable[tuple[str, ...]]:
    spec = plan.study.calibration
    return [
        (variant, f"{generation:03d}", chunk.name)
        for variant in spec.variants
        for generation in range(spec.generations + 1)
        for chunk in spec.chunks()
    ]


PARTICLES = Stage(
    name="particles",
    does="one generation of a calibration",
    wildcards=("variant", "generation", "particles"),
    each=_particles,
    depends=("seed", *(f"calibration.{key}" for key in ("fit", "particles", "moves", "mice"))),
    reads=lambda plan, w: {
        "previous": plan.particles(w["variant"], int(w["generation"]) - 1),
        "findings": plan.findings("fit"),
    },
    writes=lambda plan, w: {
        "particles": [plan.layout.evidence.particles(w["variant"], w["generation"], w["particles"])]
    },
    cost=("chunk_experiments",),
    evidence=True,
)

POPULATION = Stage(
    name="population",
    does="what a calibration has come to",
    wildcards=("variant",),
    each=_variants,
    depends=(
        "seed",
        *(f"calibration.{key}" for key in ("fit", "particles", "generations", "moves", "mice")),
    ),
    reads=lambda plan, w: {
        f"{generation:03d}": plan.particles(w["variant"], generation)
        for generation in range(plan.study.calibration.generations + 1)
    },
    writes=lambda plan, w: {
        "population": [plan.layout.evidence.table(f"{w['variant']}/population")],
        **{
            table: [plan.layout.evidence.table(f"{w['variant']}/{table}", kind) for kind in KINDS]
            for table in ("generations", "posterior")
        },
    },
    cost=("all_particles",),
    evidence=True,
)

# --- the trial ------------------------------------------------------------------------------------


def _chunks(plan: Plan) -> Iterable[tuple[str, ...]]:
    return [(chunk,) for chunk in plan.chunks]


def _one_arm(study: ResolvedStudy, wildcards: Wildcards) -> dict[str, Any]:
    return {"arms": (study.arm(wildcards["arm"]),)}


def _simulated(study: ResolvedStudy, wildcards: Wildcards) -> dict[str, Any]:
    """Of the particles with time courses, only how many of this chunk are among them."""
    chunk, kept = Chunk.named(wildcards["chunk"]), study.figures.course_particles
    below = min(max(kept, chunk.first), chunk.last + 1)
    return {
        **_one_arm(study, wildcards),
        "figures": study.figures.model_copy(update={"course_particles": below}),
    }


def _as_many_labs(study: ResolvedStudy, wildcards: Wildcards) -> dict[str, Any]:
    """Of the sizes of groups, only the largest; of the particles, those that get an experiment."""
    asked, cohort = study.power, study.cohort
    if asked is None:
        return _one_arm(study, wildcards)
    used = min(cohort.particles, asked.experiments)
    return {
        **_one_arm(study, wildcards),
        "power": asked.model_copy(update={"sizes": (max(asked.sizes),)}),
        "cohort": cohort.model_copy(update={"particles": used}),
    }


def _two_arms(study: ResolvedStudy, wildcards: Wildcards) -> dict[str, Any]:
    """The arm whose schedule is looked for, and the reference."""
    if study.optimise is None:
        return {"arms": ()}
    names = dict.fromkeys((study.optimise.arm, study.comparisons.reference))
    return {"arms": tuple(study.arm(name) for name in names)}


RESOLVE = Stage(
    name="resolve",
    does="the study file, complete and in plain numbers",
    each=lambda plan: [],  # no job of the workflow: a run writes it when it starts
    writes=lambda plan, w: {"study": [plan.layout.study]},
)

PARAMETERS = Stage(
    name="parameters",
    does="one chunk of particles and their mice",
    wildcards=("chunk",),
    each=_chunks,
    depends=("seed", "cohort.mice_per_particle", "cohort.overrides", "cohort.population"),
    reads=_population,
    writes=lambda plan, w: {
        "typical": [plan.layout.particles(w["chunk"])],
        "mice": [plan.layout.parameters(w["chunk"])],
        "rejections": [plan.layout.rejections(w["chunk"])],
    },
    cost=("chunk_mice",),
    until="parameters",
)

SIMULATE = Stage(
    name="simulate",
    does="one chunk of mice in one arm",
    wildcards=("arm", "chunk"),
    each=lambda plan: [(arm, chunk) for arm in plan.arms for chunk in plan.chunks],
    depends=("seed", "arms", "figures.course_particles"),
    narrowed=_simulated,
    reads=lambda plan, w: {"mice": [plan.layout.parameters(w["chunk"])]},
    writes=lambda plan, w: {
        table: [plan.layout.simulation(w["arm"], w["chunk"], table)]
        for table in ("outcomes", "courses", "colonies")
    },
    cost=("chunk_mice", "chunk_steps", "chunk_course_rows"),
    until="simulations",
)

EXPERIMENTS = Stage(
    name="experiments",
    does="an arm as many laboratories would see it",
    wildcards=("arm",),
    each=lambda plan: [(arm,) for arm in plan.arms] if plan.study.power else [],
    depends=(
        "seed",
        "arms",
        "cohort.particles",
        "cohort.overrides",
        "cohort.population",
        "power.experiments",
        "power.sizes",
    ),
    narrowed=_as_many_labs,
    reads=_population,
    writes=lambda plan, w: {"groups": [plan.layout.experiments(w["arm"])]},
    cost=("animals", "animal_steps"),
    until="simulations",
)

DOSE_CURVE = Stage(
    name="dose_curve",
    does="metastasis against the dose of TIMP-1",
    wildcards=("chunk",),
    each=lambda plan: [(chunk,) for chunk in plan.dose_chunks],
    depends=("seed", "dose_curve"),
    reads=lambda plan, w: {"mice": [plan.layout.parameters(plan.dose_chunks[w["chunk"]])]},
    writes=lambda plan, w: {"dose_curve": [plan.layout.dose_curve(w["chunk"])]},
    cost=("dose_mice", "dose_steps"),
    until="simulations",
)

SWEEP = Stage(
    name="sweep",
    does="one chunk of mice in all arms of a sweep",
    wildcards=("sweep", "chunk"),
    each=lambda plan: [(sweep, chunk) for sweep in plan.sweeps for chunk in plan.chunks],
    depends=("seed", "sweeps.name", "sweeps.arms"),
    narrowed=lambda study, w: {"sweeps": (study.sweep(w["sweep"]),)},
    reads=lambda plan, w: {"mice": [plan.layout.parameters(w["chunk"])]},
    writes=lambda plan, w: {"outcomes": [plan.layout.sweep(w["sweep"], w["chunk"])]},
    cost=("sweep_arms", "sweep_mice", "sweep_steps"),
    until="simulations",
)

COMPARE = Stage(
    name="compare",
    does="paired effects of all arms, and what they are uncertain by",
    depends=(
        "seed",
        "arms",
        "comparisons",
        "cohort.particles",
        "cohort.mice_per_particle",
        "figures.course_particles",
    ),
    reads=lambda plan, w: {
        "typical": plan.typical(),
        **{f"outcomes of {arm}": plan.simulated(arm, "outcomes") for arm in plan.arms},
        **{f"courses of {arm}": plan.simulated(arm, "courses") for arm in plan.arms},
    },
    writes=lambda plan, w: {**_compared("compare")(plan, w), "metrics": [plan.layout.metrics]},
    missing=_missing,
    cost=("arms", "pairs", "mice", "mouse_arms", "particle_arms", "counts", "draws", "course_rows"),
    until="comparisons",
)

COMPARE_SWEEPS = Stage(
    name="compare_sweeps",
    does="what the sweeps ask",
    each=lambda plan: [()] if plan.study.sweeps else [],
    depends=("seed", "sweeps", "comparisons", "cohort.particles", "cohort.mice_per_particle"),
    reads=lambda plan, w: plan.swept(),
    writes=_compared("compare_sweeps"),
    missing=_missing,
    cost=("swept", "swept_mice", "largest", "counts", "sweep_draws", "curves", "cells"),
    until="comparisons",
)

POWER = Stage(
    name="power",
    does="mice needed",
    each=lambda plan: [()] if plan.study.power else [],
    depends=("seed", "arms.name", "comparisons", "cohort.particles", "power"),
    reads=lambda plan, w: {
        **{f"outcomes of {arm}": plan.simulated(arm, "outcomes") for arm in plan.arms},
        "groups": [plan.layout.experiments(arm) for arm in plan.arms],
    },
    writes=_compared("power"),
    missing=_missing,
    cost=(
        "arms",
        "mice",
        "mouse_arms",
        "animals_of_arms",
        "tests",
        "log_ranks",
        "experiment_counts",
        "test_draws",
    ),
    until="comparisons",
)

OPTIMISE = Stage(
    name="optimise",
    does="the best schedule within a total dose",
    each=lambda plan: [()] if plan.study.optimise else [],
    depends=("seed", "arms", "optimise", "comparisons.reference"),
    narrowed=_two_arms,
    reads=lambda plan, w: {"mice": plan.mice(), "typical": plan.typical()},
    writes=_compared("optimise"),
    cost=("mice", "evaluations", "search_steps", "search_counts"),
    until="comparisons",
)


def _shown(plan: Plan, wildcards: Wildcards) -> Files:
    """Reads: the tables of a figure."""
    found: Files = {}
    for table in FIGURES[wildcards["figure"]].shows:
        if table in COMPARED:
            found[table] = [plan.layout.comparison(table)]
        elif table == "dose_curve":
            found[table] = [plan.layout.dose_curve(chunk) for chunk in plan.dose_chunks]
        else:
            found[table] = [path for arm in plan.arms for path in plan.simulated(arm, table)]
    return found


def _missing_in(plan: Plan, wildcards: Wildcards) -> tuple[str, ...]:
    """A figure that shows no result of an arm is the same with and without it."""
    shows = set(FIGURES[wildcards["figure"]].shows) - {"dose_curve"}
    return plan.missing if shows else ()


FIGURE = Stage(
    name="figure",
    does="one figure",
    wildcards=("figure",),
    each=lambda plan: [(figure,) for figure in plan.figures],
    depends=_without("name", "title", "question", "tracking", "calibration", "experiment"),
    reads=_shown,
    writes=lambda plan, w: {"pictures": plan.pictures(w["figure"])},
    missing=_missing_in,
    cost=("of_figure",),
    until="figures",
)

REPORT = Stage(
    name="report",
    does="the report",
    depends=_without("tracking"),
    reads=lambda plan, w: {
        "comparisons": [plan.layout.comparison(t) for t in STUDY if plan.study.asks_for(t)],
        "figures": plan.pictures(),
        "dose_curve": [plan.layout.dose_curve(chunk) for chunk in plan.dose_chunks],
        "rejections": [plan.layout.rejections(chunk) for chunk in plan.chunks],
        "calibration": [plan.layout.evidence.table(f"{FULL}/generations") for _ in plan.population],
    },
    writes=lambda plan, w: {"page": [plan.layout.page]},
    missing=_missing,
    cost=(
        "arms",
        "swept",
        "pairs",
        "jobs",
        "mice",
        "particle_arms",
        "course_rows",
        "dose_rows",
        "shares",
        "evaluations",
    ),
    until="report",
)

TRACK = Stage(
    name="track",
    does="the runs in MLflow",
    reads=lambda plan, w: {
        "comparisons": plan.comparisons(),
        "figures": plan.pictures(),
        "page": [plan.layout.page],
    },
    writes=lambda plan, w: {"receipt": [plan.layout.receipt]},
    missing=_missing,
    cost=("arms", "swept", "jobs"),
    command="track",
)

# --- what the calibrated model says ---------------------------------------------------------------

PREDICT = Stage(
    name="predict",
    does="simulated experiments of all findings",
    wildcards=("variant",),
    each=_variants,
    depends=("seed", "calibration.fit", "calibration.predict", "calibration.mice"),
    reads=lambda plan, w: {
        "population": [plan.layout.evidence.table(f"{w['variant']}/population")],
        "findings": plan.findings("fit", "predict"),
    },
    writes=lambda plan, w: {
        "experiments": [plan.layout.evidence.table(f"{w['variant']}/experiments")]
    },
    cost=("experiments",),
    evidence=True,
)

SCOREBOARD = Stage(
    name="scoreboard",
    does="findings against variants of the model, hit or miss",
    depends=("seed", "calibration.variants", "calibration.fit", "calibration.predict"),
    reads=lambda plan, w: {
        "experiments": [
            plan.layout.evidence.table(f"{variant}/experiments")
            for variant in plan.study.calibration.variants
        ],
        "findings": plan.findings("fit", "predict"),
    },
    writes=lambda plan, w: {
        **_judged("scoreboard")(plan, w),
        "metrics": [plan.layout.evidence.metrics],
    },
    cost=("variants",),
    evidence=True,
)

SENSITIVITY = Stage(
    name="sensitivity",
    does="Sobol indices, and what they decide",
    depends=("seed", "arms", "comparisons.reference", "comparisons.pairs", "calibration.sobol"),
    reads=_own_population,
    writes=_judged("sensitivity"),
    cost=("sobol_runs",),
    evidence=True,
)

CONTRADICTION = Stage(
    name="contradiction",
    does="the two arms of TIMP-1, taken apart",
    depends=(
        "seed",
        "experiment",
        "figures.dose_folds",
        "calibration.map_points",
        "calibration.map_particles",
    ),
    reads=_own_population,
    writes=_judged("contradiction"),
    cost=("points", "map_experiments", "dose_particles"),
    evidence=True,
)

OF_EVIDENCE = _without("tracking", "question", "cohort", "dose_curve")
"""What the figures and the page of a calibration show."""

EVIDENCE_FIGURE = Stage(
    name="evidence_figure",
    does="one figure of the calibration",
    wildcards=("figure",),
    each=lambda plan: [(figure,) for figure in EVIDENCE],
    depends=OF_EVIDENCE,
    reads=lambda plan, w: {"tables": plan.evidence(*EVIDENCE[w["figure"]].shows)},
    writes=lambda plan, w: {"pictures": plan.evidence_pictures(w["figure"])},
    cost=("variants",),
    evidence=True,
)

EVIDENCE_REPORT = Stage(
    name="evidence_report",
    does="the page of the calibration",
    depends=OF_EVIDENCE,
    reads=lambda plan, w: {
        "tables": plan.evidence(*CALIBRATION),
        "figures": plan.evidence_pictures(),
    },
    writes=lambda plan, w: {"page": [plan.layout.evidence.page]},
    cost=("variants",),
    evidence=True,
)

TRACK_EVIDENCE = Stage(
    name="track_evidence",
    does="the runs of the calibration in MLflow",
    reads=lambda plan, w: {**EVIDENCE_REPORT.reads(plan, w), "page": [plan.layout.evidence.page]},
    writes=lambda plan, w: {"receipt": [plan.layout.evidence.receipt]},
    cost=("variants",),
    evidence=True,
    command="track",
)

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        RESOLVE,
        PARTICLES,
        POPULATION,
        PARAMETERS,
        SIMULATE,
        EXPERIMENTS,
        DOSE_CURVE,
        SWEEP,
        COMPARE,
        COMPARE_SWEEPS,
        POWER,
        OPTIMISE,
        FIGURE,
        REPORT,
        TRACK,
        PREDICT,
        SCOREBOARD,
        SENSITIVITY,
        CONTRADICTION,
        EVIDENCE_FIGURE,
        EVIDENCE_REPORT,
        TRACK_EVIDENCE,
    )
}
"""Name -> stage, each after those that it reads from."""

UNTIL: dict[str, tuple[str, ...]] = {
    part: tuple(stage.name for stage in STAGES.values() if stage.until == part)
    for part in dict.fromkeys(stage.until for stage in STAGES.values() if stage.until)
}
"""Part of a run -> the rules after which it stops. None may need another of its part: Snakemake
would leave it out."""
