"""The sections without units: the same in a study file and in the resolved study.

A description is the comment in ``config.yaml``: write it for a biologist.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nichetrial.model.variants import VARIANTS
from nichetrial.study.kinds import Choice, Line, Real, Whole
from nichetrial.study.layout import Chunk

__all__ = [
    "MOST_MICE",
    "MOST_PARTICLES",
    "OUTCOMES_OF_A_LAB",
    "USUAL_STORE",
    "ArmName",
    "CalibrationSpec",
    "Combination",
    "FigureSpec",
    "Interaction",
    "Pair",
    "PowerSpec",
    "Section",
    "TrackingSpec",
]

MOST_PARTICLES, MOST_MICE = 2**18, 2**14
"""Particles of a study and mice of each, at most: the 32 bits of a mouse's key hold both."""

OUTCOMES_OF_A_LAB = (
    "foci",
    "burden",
    "largest_colony",
    "liver_neutrophils",
    "blood_neutrophils",
    "sdf1",
    "metastasis_free_days",
    "survival_days",
)
"""What a real experiment can measure in a mouse."""

ArmName = Annotated[Line, Field(max_length=64)]
Findings = Annotated[tuple[Annotated[Line, Field(max_length=500)], ...], Field(max_length=20)]


class Section(BaseModel):
    """A group of keys; others are refused."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)


class Pair(Section):
    """Two arms to compare."""

    arm: ArmName = Field(description="The arm.")
    reference: ArmName = Field(description="The arm that it is compared with.")


class Combination(Section):
    """An arm that gives together what others give alone."""

    arm: ArmName = Field(description="The arm with all treatments together.")
    of: tuple[ArmName, ...] = Field(description="The arms with the single treatments.")
    null: Literal["bliss", "hsa"] = Field(
        "bliss",
        description="The null model that counts. bliss (default): the treatments act "
        "independently; hsa: the combination equals the better treatment alone.",
    )


class Interaction(Section):
    """Two effects, of which one is compared with the other."""

    effect: Pair = Field(
        description="An arm and its reference, such as TIMP-1 with a drug, and the drug alone."
    )
    against: Pair = Field(
        description="The same difference without it, such as TIMP-1, and the untreated host."
    )


class PowerSpec(Section):
    """Simulated experiments as a laboratory would do them, and their statistical test."""

    outcome: Annotated[str, Choice("outcome", lambda: OUTCOMES_OF_A_LAB)] = Field(
        "foci", description="What the experiment measures: " + ", ".join(OUTCOMES_OF_A_LAB) + "."
    )
    test: Literal["mann_whitney", "welch", "log_rank"] = Field(
        "mann_whitney",
        description="The two-sided test of your laboratory: mann_whitney, welch, or log_rank for "
        "metastasis_free_days and survival_days.",
    )
    alpha: Real = Field(0.05, gt=0, le=0.5, description="The significance level of the test.")
    sizes: tuple[Annotated[Whole, Field(ge=2, le=200)], ...] = Field(
        tuple(range(4, 21)), min_length=1, max_length=100, description="Mice per group to try."
    )
    chance: Real = Field(0.8, ge=0.5, le=0.99, description="The power that you want.")
    correction: Literal["holm", "bonferroni", "none"] = Field(
        "holm",
        description="Correction for the number of comparisons, for the design as a whole: holm, "
        "bonferroni or none.",
    )
    experiments: Whole = Field(
        500,
        ge=100,
        le=100_000,
        description="Number of simulated experiments. They take the particles of the cohort in "
        "turn, with fresh mice in every group.",
    )


class FigureSpec(Section):
    """What is drawn, and how."""

    formats: tuple[Literal["png", "svg"], ...] = Field(
        ("png", "svg"), min_length=1, description="png for slides, svg for papers."
    )
    dpi: Whole = Field(150, ge=50, le=600, description="Dots per inch of png figures.")
    course_particles: Whole = Field(
        50,
        ge=1,
        le=2000,
        description="Particles of which one mouse's time course is stored and drawn.",
    )
    dose_particles: Whole = Field(
        50,
        ge=1,
        le=MOST_PARTICLES,
        description="Particles in the curve of metastasis against TIMP-1.",
    )
    dose_folds: tuple[Annotated[Real, Field(ge=1, le=1e8)], ...] = Field(
        (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5),
        min_length=2,
        max_length=50,
        description="TIMP-1 levels of this curve, as multiples of the basal level.",
    )


class CalibrationSpec(Section):
    """How particles are found."""

    fit: Findings = Field(
        (),
        description="Your own findings to fit, in addition to those of nichetrial: CSV files, with "
        "paths relative to this file (docs/evidence.md describes the format).",
    )
    predict: Findings = Field(
        (), description="Your own findings that are only predicted, never fitted."
    )
    variants: tuple[Annotated[str, Choice("variant", lambda: tuple(VARIANTS))], ...] = Field(
        tuple(VARIANTS),
        min_length=1,
        description="Variants of the model to calibrate and compare. full is required.",
    )
    particles: Whole = Field(
        1000,
        ge=20,
        le=100_000,
        description="Number of particles. A particle is one possible biology.",
    )
    generations: Whole = Field(
        8,
        ge=1,
        le=100,
        description="Generations after the draws from the priors. Each replaces the half of the "
        "particles that fits worse.",
    )
    moves: Whole = Field(
        3, ge=1, le=100, description="Steps that each particle tries in a generation."
    )
    mice: Whole = Field(10, ge=2, le=1000, description="Mice per group in a simulated experiment.")
    chunk: Whole = Field(
        500, ge=1, le=100_000, description="Particles per job. This never changes a result."
    )
    sobol: Whole = Field(
        512, ge=16, le=65_536, description="Base samples for the Sobol indices; a power of two."
    )
    map_points: Whole = Field(
        20, ge=2, le=200, description="Points along each side of the map of TIMP-1's sign."
    )
    map_particles: Whole = Field(
        100, ge=1, le=10_000, description="Particles at each point of that map."
    )

    def chunks(self) -> list[Chunk]:
        """The particles, in the parts that one job makes."""
        return [
            Chunk(a, min(a + self.chunk, self.particles) - 1)
            for a in range(0, self.particles, self.chunk)
        ]


USUAL_STORE = "sqlite:///results/mlflow/mlflow.db"
"""Where the runs of a study are kept that names no store."""


class TrackingSpec(Section):
    """Where runs are stored."""

    uri: Line = Field(
        USUAL_STORE,
        max_length=500,
        description="Where MLflow stores the runs: an SQLite file under results/, or the http(s) "
        "address of a server (put its password into the environment, not here).",
    )
    experiment: Line = Field(
        "",
        validate_default=False,
        max_length=200,
        description="Name of the experiment in MLflow. Default: the name of the study.",
    )
