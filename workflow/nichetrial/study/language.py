"""The study file as typed models: the one source of its keys, checks, comments and JSON schema.

A description is the comment in ``config.yaml``: write it for a biologist.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import Field

from nichetrial.model.drugs import DRUGS
from nichetrial.study.kinds import Choice, Line, Measure, OrNone, Real, Slug, Text, Whole
from nichetrial.study.sections import (
    MOST_MICE,
    MOST_PARTICLES,
    ArmName,
    Combination,
    Interaction,
    Pair,
    Section,
)
from nichetrial.study.units import DOSE, Quantity

__all__ = [
    "ARM_NAME",
    "LONGEST_DAYS",
    "MOST_ARMS",
    "ChallengeSection",
    "CohortSection",
    "ComparisonSection",
    "ExperimentSection",
    "HostSection",
    "ReadOutSection",
    "StudySection",
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
Seen = Annotated[Quantity, Measure("cells", lowest=10.0, highest=1e10)]
"""A colony that a method can tell from single cells."""
Burden = Annotated[Quantity, Measure("cells", lowest=1e4, highest=1e11)]
Expression = Annotated[Real, Field(ge=0, le=100)]


def as_written(value: str | dict[str, Any]) -> Any:
    """A default in the words of a study file; validation turns it into the field's type."""
    return value


class StudySection(Section):
    name: Annotated[str, Slug("a study", lambda name: name in RESERVED_STUDIES)] = Field(
        description="Short name. Results go to results/<name>/. Lower-case letters, digits, _, -."
    )
    title: Line = Field(
        "",
        validate_default=False,
        max_length=200,
        description="One line for the top of the report. Default: the name.",
    )
    question: Text = Field(
        "",
        max_length=2000,
        description="What you want to know, in a sentence or two. It opens the report.",
    )
    seed: Whole = Field(
        1,
        ge=0,
        le=2**63 - 1,
        description="Any whole number. The same seed gives the same virtual mice and the same "
        "random events, byte for byte.",
    )


class CohortSection(Section):
    particles: Whole = Field(
        250,
        ge=1,
        le=MOST_PARTICLES,
        description="Number of particles. A particle is one possible biology: parameters that "
        "agree with what is known. Effects are computed in each, and vary over them by what nobody "
        "knows. More particles make the probabilities more precise.",
    )
    mice_per_particle: Whole = Field(
        8,
        ge=1,
        le=MOST_MICE,
        description="Virtual mice of each particle. Every mouse is simulated in every arm, so arms "
        "are compared within the same mouse. More of them lower the noise inside a particle.",
    )
    chunk: Whole = Field(
        2000,
        ge=1,
        le=1_000_000,
        description="Mice per job; a job holds whole particles. This never changes a result.",
    )
    population: Literal["calibrated", "priors", "own"] = Field(
        "calibrated",
        description="Where the particles come from. calibrated: the population that comes with "
        "nichetrial and agrees with published findings (docs/evidence.md); priors: the full range "
        "that the literature allows; own: this study's own calibration, which runs first.",
    )
    # read by study.distributions, which knows the units
    parameters: dict[str, Any] = Field(
        {},
        description="Your own distributions, drawn for each particle, in place of those of the "
        "model (docs/model.md lists them). All mice of a particle get the same value, unless "
        "between_mice gives the coefficient of variation between them. Examples:\n"
        "  sdf1_half_life: {log_uniform: [0.3 h, 6 h]}\n"
        "  timp1_basal: {fixed: 2.6 nM}\n"
        "  sdf1_proteolysis: {uniform: [0.1, 0.8]}\n"
        "  tumour_growth: {log_normal: {median: 0.4 /d, cv: 0.5}, between_mice: 0.1}\n"
        "  arrest_probability: {beta: {mean: 0.8, size: 20}}",
    )


class HostSection(Section):
    timp1: Expression = Field(
        1, description="The mouse's own Timp1 gene: 1 wild type, 0 knock-out, 0.5 half."
    )
    cd63: Expression = Field(1, description="Cd63, the receptor through which TIMP-1 signals.")
    mmp9: Expression = Field(1, description="Mmp9, the protease that neutrophils bring.")
    timp1_tissue: Expression = Field(
        1,
        description="Timp1 expression in liver and skin only, as by a transgene that does not "
        "change the plasma: 3 is three times as much.",
    )


class VectorSection(Section):
    fold: Real = Field(
        ge=1,
        le=1e8,
        description="Plasma TIMP-1 with the vector, as a multiple of the basal level. A vector "
        "only adds TIMP-1; for less, use host.timp1.",
    )
    onset: Instant = Field(
        as_written("0 d"),
        description="When expression starts. Days count from the first intervention.",
    )


class ChallengeSection(Section):
    route: Literal["intravenous", "primary"] = Field(
        description="intravenous: cells injected into the blood; primary: a tumour that "
        "sheds cells."
    )
    cells: Cells = Field(description="Number of tumour cells.")
    day: Instant = Field(description="When they are injected.")
    resection: Annotated[
        Quantity | None, Measure("d", instant=True, highest=LONGEST_DAYS, none=True)
    ] = Field(
        as_written("none"),
        description="When a primary tumour is resected; none if it stays. Only with primary.",
    )


class TreatmentItem(Section):
    drug: Annotated[str, Choice("drug", lambda: tuple(DRUGS))] = Field(
        description="One of " + ", ".join(DRUGS) + "."
    )
    method: Literal["bolus", "pump"] = Field(
        "bolus",
        description="bolus (default): an injection; pump: the dose is spread over each interval.",
    )
    dose: Annotated[Quantity, Measure(DOSE)] = Field(
        description="Per body mass, such as 5 mg/kg, 5 ug/g or 30 nmol/kg; at most 10 g/kg."
    )
    start: Instant = Field(description="First dose, such as 4 d.")
    every: Interval = Field(
        None,
        validate_default=False,
        description="Time between doses, such as 12 h. Default: a single dose.",
    )
    until: Annotated[Quantity | None, Measure("d", instant=True, highest=LONGEST_DAYS)] = Field(
        None,
        validate_default=False,
        description="No dose after this time. Default: the day of the read-out.",
    )
    duration: Interval = Field(
        None,
        validate_default=False,
        description="Instead of until: how long to treat. Every 12 h for 3 d gives 6 doses.",
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
    day: Instant = Field(description="When the liver is removed and metastases are counted.")
    end: Instant = Field(
        description="End of follow-up for mice that are not killed at the read-out: for the first "
        "detectable metastasis and for survival. At most 365 d."
    )
    visible: Seen = Field(
        as_written("100 cells"),
        description="Smallest colony that counts as a focus at the read-out.",
    )
    detectable: Seen = Field(
        as_written("65000 cells"),
        description="Smallest metastasis that can be detected in the living mouse (about 0.5 mm).",
    )
    lethal: Burden = Field(
        as_written("5e8 cells"), description="Total liver burden at which a mouse dies."
    )


class ExperimentSection(Section):
    host: HostSection = Field(
        as_written({}),
        description="The mouse strain: expression of a gene relative to the wild type.",
    )
    timp1_vector: Annotated[VectorSection | None, OrNone()] = Field(
        as_written("none"), description="A vector that raises TIMP-1, or none."
    )
    challenge: ChallengeSection = Field(description="How tumour cells reach the mouse.")
    treatments: list[TreatmentItem] = Field(
        [], max_length=20, description="Treatments of every arm that has no list of its own."
    )
    readout: ReadOutSection = Field(description="When and how metastases are counted.")


class ComparisonSection(Section):
    reference: ArmName = Field(description="Every other arm is compared with this one.")
    pairs: tuple[Pair, ...] = Field((), max_length=500, description="Further pairs to compare.")
    combinations: tuple[Combination, ...] = Field(
        (),
        max_length=100,
        description="Is a combination more than its parts? It is compared with Bliss independence "
        "and with the better treatment alone (HSA). The null model that is named counts.",
    )
    interactions: tuple[Interaction, ...] = Field(
        (),
        max_length=100,
        description="Does one treatment change the effect of another? The ratio of two effects. "
        "Example: {effect: {arm: high_drug, reference: drug}, against: {arm: high, reference: "
        "untreated}}. Below 1, the drug reduces what TIMP-1 does.",
    )
    responder: Real = Field(
        0.5,
        gt=0,
        lt=1,
        description="A mouse responds if its foci fall by at least this fraction (0.5 = by half).",
    )
    relevant: Real = Field(
        0.2,
        gt=0,
        lt=1,
        description="The smallest effect worth having: the fraction by which foci must fall.",
    )
    interval: Real = Field(
        0.95, ge=0.5, le=0.999, description="Coverage of the intervals of pooled means."
    )
    resamples: Whole = Field(
        2000,
        ge=100,
        le=100_000,
        description="Bootstrap resamples of particles for these intervals.",
    )
    inspections: list[Instant] = Field(
        [],
        max_length=200,
        description="Days on which your laboratory inspects its mice, such as [7 d, 14 d, 21 d]. "
        "Curves and mean times are then also given as seen on these days. Empty: at any time.",
    )
