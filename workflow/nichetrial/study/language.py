"""The study file as typed models: the one source of its keys, checks, comments and JSON schema.

A description is the comment in ``config.yaml``: write it for a biologist.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from nichetrial.model.drugs import DRUGS
from nichetrial.model.variants import VARIANTS
from nichetrial.study.kinds import Choice, Line, Measure, Number, OrNone, Slug, Whole
from nichetrial.study.units import DOSE, Quantity

__all__ = [
    "ARM_NAME",
    "LONGEST_DAYS",
    "MOST_ARMS",
    "CalibrationSection",
    "ChallengeSection",
    "CohortSection",
    "CombinationItem",
    "ComparisonSection",
    "ExperimentSection",
    "FigureSection",
    "HostSection",
    "PairItem",
    "ReadOutSection",
    "Section",
    "StudySection",
    "TrackingSection",
    "TreatmentItem",
    "VectorSection",
    "as_written",
]

LONGEST_DAYS = 365.0
MOST_ARMS = 2000

RESERVED_ARMS = {
    "all",
    "none",
    "experiment",
    "reference",
    "comparison",
    "comparisons",
    "dose_curve",
}
RESERVED_STUDIES = {"mlflow"}  # results/mlflow is the store of the tracking

ARM_NAME = Slug(
    "an arm", lambda name: name in RESERVED_ARMS or bool(re.fullmatch(r"dose_[0-9][0-9p]*", name))
)

Instant = Annotated[Quantity, Measure("d", instant=True, highest=LONGEST_DAYS)]
Interval = Annotated[Quantity | None, Measure("d", above=True, highest=LONGEST_DAYS)]
Cells = Annotated[Quantity, Measure("cells", lowest=1.0, highest=1e10)]
Expression = Annotated[float, Number(0, 100)]


def as_written(value: str | dict[str, Any]) -> Any:
    """A default in the words of a study file; validation turns it into the field's type."""
    return value


class Section(BaseModel):
    """A group of keys; others are refused."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)


class StudySection(Section):
    name: Annotated[str, Slug("a study", lambda name: name in RESERVED_STUDIES)] = Field(
        description="Short name; results go to results/<name>/. Small letters, digits, _ and -."
    )
    title: Annotated[str | None, Line(200)] = Field(
        None,
        validate_default=False,
        description="One line for the top of the report. Left out: the name.",
    )
    question: Annotated[str, Line(2000, many=True, least=0)] = Field(
        "", description="What you want to know, in a sentence or two. It opens the report."
    )
    seed: Annotated[int, Whole(0, 2**63 - 1)] = Field(
        1,
        description="Any whole number. The same seed gives the same virtual mice with the same "
        "luck, byte for byte.",
    )


class CohortSection(Section):
    mice: Annotated[int, Whole(1, 10_000_000)] = Field(
        1000,
        description="Number of virtual mice. Every mouse is treated in every arm, so arms are "
        "compared within the same mouse.",
    )
    chunk: Annotated[int, Whole(1, 1_000_000)] = Field(
        1000,
        description="Mice simulated in one job. It changes how the work is cut, never a result.",
    )
    population: Annotated[str, Choice("population", lambda: ("calibrated", "priors", "own"))] = (
        Field(
            "calibrated",
            description="Where mice come from. calibrated: the population that comes with "
            "nichetrial and agrees with published findings (docs/evidence.md); priors: all that "
            "the literature leaves open; own: that of this study's own calibration, made first.",
        )
    )
    # read by study.distributions, which knows the units
    parameters: dict[str, Any] = Field(
        {},
        description="How mice differ from one another: distributions that replace those of the "
        "model (all of them are listed in docs/model.md). For example:\n"
        "  sdf1_half_life: {log_uniform: [0.3 h, 6 h]}\n"
        "  timp1_basal: {fixed: 2.6 nM}\n"
        "  sdf1_proteolysis: {uniform: [0.1, 0.8]}\n"
        "  tumour_growth: {log_normal: {median: 0.4 /d, cv: 0.5}}\n"
        "  arrest_probability: {beta: {mean: 0.8, size: 20}}",
    )


class HostSection(Section):
    timp1: Expression = Field(
        1, description="Timp1 gene of the mouse itself: 1 wild type, 0 knock-out, 0.5 half."
    )
    cd63: Expression = Field(1, description="Cd63, the receptor through which TIMP-1 signals.")
    mmp9: Expression = Field(1, description="Mmp9, the protease that neutrophils bring.")
    timp1_tissue: Expression = Field(
        1,
        description="Timp1 made in liver and skin alone, as by a transgene that leaves the "
        "plasma as it is: 3 is three times as much there.",
    )


class VectorSection(Section):
    fold: Annotated[
        float,
        Number(1, 1e8, why=" (a vector only adds TIMP-1; for less, use host.timp1)"),
    ] = Field(description="Plasma TIMP-1 with the vector, as a multiple of the basal level.")
    onset: Instant = Field(
        as_written("0 d"),
        description="When the vector starts to express. Days count from the first intervention.",
    )


class ChallengeSection(Section):
    route: Annotated[str, Choice("route", lambda: ("intravenous", "primary"))] = Field(
        description="intravenous: cells injected into the blood; primary: a tumour that "
        "sheds cells."
    )
    cells: Cells = Field(description="Tumour cells given.")
    day: Instant = Field(description="When they are given.")
    resection: Annotated[
        Quantity | None, Measure("d", instant=True, highest=LONGEST_DAYS, none=True)
    ] = Field(
        as_written("none"),
        description="When a primary tumour is cut out; none if it stays. Only with primary.",
    )


class TreatmentItem(Section):
    drug: Annotated[str, Choice("drug", lambda: tuple(DRUGS))] = Field(
        description="One of " + ", ".join(DRUGS) + "."
    )
    method: Annotated[str, Choice("method", lambda: ("bolus", "pump"))] = Field(
        "bolus",
        description="bolus (default): an injection; pump: the dose is spread over each interval.",
    )
    dose: Annotated[Quantity, Measure(DOSE, highest=10_000.0)] = Field(
        description="Per body mass, such as 5 mg/kg or 30 nmol/kg."
    )
    start: Instant = Field(description="First dose, such as 4 d.")
    every: Interval = Field(
        None,
        validate_default=False,
        description="Time between doses, such as 12 h. Left out: a single dose.",
    )
    until: Annotated[Quantity | None, Measure("d", instant=True, highest=LONGEST_DAYS)] = Field(
        None,
        validate_default=False,
        description="No dose after this time. Left out: the day of the read-out.",
    )
    duration: Interval = Field(
        None,
        validate_default=False,
        description="Instead of until: how long the drug is given; 3 d every 12 h are 6 doses.",
    )

    def last(self, readout: float) -> float:
        """The day after which nothing is given; ``readout``: the day of the read-out."""
        start = self.start.value
        if self.every is None:
            return start
        if self.duration is not None:
            if self.method == "pump":
                return start + self.duration.value
            doses = math.ceil(self.duration.value / self.every.value - 1e-9)
            return start + (doses - 1) * self.every.value
        return self.until.value if self.until else readout


class ReadOutSection(Section):
    day: Instant = Field(description="When the liver is taken and its metastases are counted.")
    end: Instant = Field(
        description="How long a mouse is followed that is not taken: for the day of the first "
        "detectable metastasis and for survival. At most 365 d."
    )
    visible: Cells = Field(
        as_written("100 cells"),
        description="Size from which a colony is counted as a focus at the read-out.",
    )
    detectable: Cells = Field(
        as_written("65000 cells"),
        description="Size from which a metastasis is detected in the living mouse (about 0.5 mm).",
    )
    lethal: Cells = Field(
        as_written("5e8 cells"), description="Total burden in the liver at which a mouse dies."
    )


class ExperimentSection(Section):
    host: HostSection = Field(
        as_written({}),
        description="The mouse strain: expression of a gene relative to the wild type.",
    )
    timp1_vector: Annotated[VectorSection | None, OrNone()] = Field(
        as_written("none"),
        description="A vector that makes the mouse express more TIMP-1, or none.",
    )
    challenge: ChallengeSection = Field(description="How tumour cells reach the mouse.")
    treatments: list[TreatmentItem] = Field(
        [],
        max_length=20,
        description="What every arm is given, unless the arm has a list of its own.",
    )
    readout: ReadOutSection = Field(description="When and how metastases are counted.")


class PairItem(Section):
    arm: Annotated[str, Line(64)] = Field(description="The arm that is judged.")
    reference: Annotated[str, Line(64)] = Field(description="The arm that it is judged against.")


class CombinationItem(Section):
    arm: Annotated[str, Line(64)] = Field(description="The arm that gives everything together.")
    of: list[Annotated[str, Line(64)]] = Field(description="The arms that give each part alone.")
    null: Annotated[str, Choice("null model", lambda: ("bliss", "hsa"))] = Field(
        "bliss",
        description="The null model that decides: bliss (default), the parts act independently; "
        "hsa, no more than the better part alone.",
    )


class ComparisonSection(Section):
    reference: Annotated[str, Line(64)] = Field(
        description="Every other arm is compared with this one."
    )
    pairs: list[PairItem] = Field([], max_length=500, description="Further pairs to compare.")
    combinations: list[CombinationItem] = Field(
        [],
        max_length=100,
        description="Is a combination more than its parts? Judged against Bliss independence and "
        "against the best part alone (HSA); the null model that is named decides.",
    )
    responder: Annotated[float, Number(0, 1, above=True, below=True)] = Field(
        0.5,
        description="A mouse responds if its foci fall by at least this share (0.5 = by half).",
    )
    interval: Annotated[float, Number(0.5, 0.999)] = Field(
        0.95, description="Coverage of the intervals."
    )
    resamples: Annotated[int, Whole(100, 100_000)] = Field(
        2000, description="Bootstrap resamples of mice behind each interval."
    )
    inspections: list[Instant] = Field(
        [],
        max_length=200,
        description="Days on which your lab looks at its mice, such as [7 d, 14 d, 21 d]: curves "
        "and mean times are then also given as seen on those days. Empty: at any time.",
    )


class FigureSection(Section):
    formats: list[Annotated[str, Choice("format", lambda: ("png", "svg"))]] = Field(
        ["png", "svg"], min_length=1, description="png for slides, svg for papers."
    )
    dpi: Annotated[int, Whole(50, 600)] = Field(150, description="Dots per inch of png figures.")
    course_mice: Annotated[int, Whole(1, 2000)] = Field(
        50, description="Mice whose time courses are kept and drawn."
    )
    dose_mice: Annotated[int, Whole(1, 10_000_000)] = Field(
        200, description="Mice behind the curve of metastasis against TIMP-1."
    )
    dose_folds: list[Annotated[float, Number(1, 1e8)]] = Field(
        [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5],
        max_length=50,
        min_length=2,
        description="The TIMP-1 levels of that curve, as multiples of the basal level.",
    )


class CalibrationSection(Section):
    fit: list[Annotated[str, Line(500)]] = Field(
        [],
        max_length=20,
        description="Findings of your own that are fitted besides those that come with nichetrial: "
        "CSV files, named from this file on (docs/evidence.md tells their form).",
    )
    predict: list[Annotated[str, Line(500)]] = Field(
        [],
        max_length=20,
        description="Findings of your own that are only predicted, never fitted.",
    )
    variants: list[Annotated[str, Choice("variant", lambda: tuple(VARIANTS))]] = Field(
        list(VARIANTS),
        min_length=1,
        description="Variants of the model that are calibrated and compared; full must be there.",
    )
    particles: Annotated[int, Whole(20, 100_000)] = Field(
        1000, description="Particles: typical mice that the population consists of."
    )
    generations: Annotated[int, Whole(1, 100)] = Field(
        8,
        description="Generations after the draws from the priors; in each, the farther half of the "
        "particles is replaced.",
    )
    moves: Annotated[int, Whole(1, 100)] = Field(
        3, description="Steps that each particle tries in a generation."
    )
    mice: Annotated[int, Whole(2, 1000)] = Field(
        10, description="Mice a group in a simulated experiment."
    )
    chunk: Annotated[int, Whole(1, 100_000)] = Field(
        500, description="Particles moved in one job. It changes how work is cut, never a result."
    )
    sobol: Annotated[int, Whole(16, 65_536)] = Field(
        512, description="Base samples behind the Sobol indices; a power of two."
    )
    map_points: Annotated[int, Whole(2, 200)] = Field(
        20, description="Points along each side of the map of TIMP-1's sign."
    )
    map_particles: Annotated[int, Whole(1, 10_000)] = Field(
        100, description="Particles behind each point of that map."
    )


class TrackingSection(Section):
    uri: Annotated[str, Line(500)] = Field(
        "sqlite:///results/mlflow/mlflow.db",
        description="Where MLflow keeps the runs: an SQLite file under results/, or the http(s) "
        "address of a server (its password belongs in the environment, not here).",
    )
    experiment: Annotated[str | None, Line(200)] = Field(
        None,
        validate_default=False,
        description="Name of the experiment in MLflow. Left out: the name of the study.",
    )
