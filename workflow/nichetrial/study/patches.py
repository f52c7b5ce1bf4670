"""Arms as patches: what an arm writes is laid over the experiment, key by key.

A patch may hold any key of the experiment and needs none. Lists are replaced whole: an arm's
``treatments`` are all that this arm is given.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model

from nichetrial.study.kinds import Line, OrNone
from nichetrial.study.language import (
    CohortSection,
    ComparisonSection,
    ExperimentSection,
    StudySection,
    as_written,
)
from nichetrial.study.questions import OptimiseSection, SweepItem
from nichetrial.study.sections import CalibrationSpec, FigureSpec, PowerSpec, Section, TrackingSpec

__all__ = ["ArmPatch", "StudyFile", "merge", "partial"]


@cache
def partial(model: type[BaseModel], name: str) -> type[BaseModel]:
    """``model`` with every key optional, down through its groups of keys (not through lists)."""
    fields: dict[str, Any] = {}
    for key, info in model.model_fields.items():
        kind: Any = _partial_kind(info.annotation)
        for marker in info.metadata:
            kind = Annotated[kind, marker]
        fields[key] = (kind, Field(None, description=info.description))
    config = ConfigDict(extra="forbid", frozen=True, validate_default=False)
    return create_model(name, __config__=config, **fields)


def _partial_kind(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return partial(annotation, annotation.__name__.replace("Section", "Patch"))
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [_partial_kind(a) for a in get_args(annotation)]
        return Union[tuple(kinds)]  # noqa: UP007 (built at run time)
    return annotation


class _Labelled(ExperimentSection):
    label: Line = Field(
        "", max_length=60, description="Name of the arm in figures and tables. Default: its key."
    )


ArmPatch: Any = partial(_Labelled, "ArmPatch")


class StudyFile(Section):
    """The whole document."""

    study: StudySection = Field(description="What this study is.")
    cohort: CohortSection = Field(as_written({}), description="The virtual mice.")
    experiment: ExperimentSection = Field(
        description="The mouse experiment that all arms share. An arm below lists only what is "
        "different in it. Times are days from the start (0 d), or hours (36 h)."
    )
    arms: dict[str, ArmPatch] = Field(
        description="The arms. Each is the experiment with these keys replaced. treatments replace "
        "the whole list. label is the name in figures and tables. An arm with only a label is the "
        "experiment as it stands."
    )
    sweeps: dict[str, SweepItem] = Field(
        {},
        description="Sweeps vary quantities of an arm. Each point is simulated like an arm and "
        "compared with the reference. A quantity is named by its place in the arm, such as "
        "treatments.amd3100.dose, challenge.day or timp1_vector.fold. A dose of 0 is no treatment. "
        "The figure depends on what varies: one dose gives a dose-response curve, the doses of two "
        "drugs a surface, start and duration the treatment window.",
    )
    comparisons: ComparisonSection = Field(description="What is compared with what.")
    power: Annotated[PowerSpec | None, OrNone()] = Field(
        as_written({}), description="How many real mice the experiment needs. Or none."
    )
    optimise: Annotated[OptimiseSection | None, OrNone()] = Field(
        as_written("none"),
        description="The best schedule of one treatment: the fewest expected foci within a total "
        "dose. Or none.",
    )
    figures: FigureSpec = Field(as_written({}), description="How figures are drawn.")
    calibration: CalibrationSpec = Field(
        as_written({}),
        description="How the model is calibrated on published findings and tested on others. Only "
        "`nichetrial calibrate` and `population: own` use this. It takes minutes.",
    )
    tracking: TrackingSpec = Field(as_written({}), description="Where runs are stored.")


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``patch`` laid over it, as a new document that shares nothing with either."""
    result = deepcopy(dict(base))
    for key, value in patch.items():
        below = result.get(key)
        if isinstance(value, Mapping):
            result[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = deepcopy(value)
    return result
