"""Studies that are well written but impossible: found here, before any job starts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.model.drugs import DRUGS
from nichetrial.store_address import refusal
from nichetrial.study.language import CohortSection, ExperimentSection, TreatmentItem
from nichetrial.study.sections import USUAL_STORE, FigureSpec
from nichetrial.study.source import Problem
from nichetrial.study.units import Quantity, pretty

__all__ = [
    "LARGEST_DOSE",
    "check_cohort",
    "check_experiment",
    "check_figures",
    "check_uri",
    "mg_per_kg",
    "on_day",
]

MOST_DOSES = 2000
MOST_CHUNKS = 10_000
LARGEST_DOSE = 10_000
"""mg/kg."""


def on_day(day: Quantity | float) -> str:
    """``day 4``, for messages and schedules."""
    return f"day {float(f'{day.value if isinstance(day, Quantity) else day:.6g}'):.15g}"


def mg_per_kg(dose: Quantity, drug: str) -> float:
    """A dose in mg per kg of body mass."""
    return dose.value * DRUGS[drug].molar_mass / 1e6 if dose.unit == "nmol/kg" else dose.value


def check_experiment(experiment: ExperimentSection) -> list[Problem]:
    """What cannot happen in one experiment or arm; paths start at the experiment."""
    problems: list[Problem] = []

    def wrong(code: Code, message: str, *path: str | int) -> None:
        problems.append(Problem(path, code, message))

    challenge, readout = experiment.challenge, experiment.readout
    if readout.day.value <= 0:
        wrong(codes.WRONG_ORDER, "the read-out is on day 0; it must come later", "readout", "day")
    if readout.end.value < readout.day.value:
        wrong(
            codes.WRONG_ORDER,
            f"the study ends on {on_day(readout.end)}, before the read-out on "
            f"{on_day(readout.day)}; end later, or read out earlier",
            "readout",
            "end",
        )
    if challenge.day.value >= readout.day.value:
        wrong(
            codes.WRONG_ORDER,
            f"the cells are given on {on_day(challenge.day)}, but the read-out is on "
            f"{on_day(readout.day)}; give them before it",
            "challenge",
            "day",
        )
    if challenge.resection is not None:
        cut = challenge.resection
        if challenge.route != "primary":
            wrong(
                codes.WRONG_ORDER,
                "there is no primary tumour to cut out after intravenous cells; "
                "write none, or route: primary",
                "challenge",
                "resection",
            )
        elif cut.value <= challenge.day.value:
            wrong(
                codes.WRONG_ORDER,
                f"the tumour is cut out on {on_day(cut)}, not after its implantation on "
                f"{on_day(challenge.day)}; cut later",
                "challenge",
                "resection",
            )
        elif cut.value >= readout.end.value:
            wrong(
                codes.WRONG_ORDER,
                f"the tumour is cut out on {on_day(cut)}, but the study ends on "
                f"{on_day(readout.end)}; cut earlier",
                "challenge",
                "resection",
            )
    if readout.detectable.value < readout.visible.value:
        wrong(
            codes.WRONG_ORDER,
            f"a metastasis of {readout.detectable.text} is detected in the living mouse, but one "
            f"is visible only from {readout.visible.text}; detectable must not be smaller",
            "readout",
            "detectable",
        )
    if readout.lethal.value <= readout.detectable.value:
        wrong(
            codes.WRONG_ORDER,
            f"a lethal burden of {readout.lethal.text} is not above detectable "
            f"({readout.detectable.text}); write a larger one",
            "readout",
            "lethal",
        )
    vector = experiment.timp1_vector
    if vector is not None and vector.onset.value >= readout.end.value:
        wrong(
            codes.WRONG_ORDER,
            f"the vector starts on {on_day(vector.onset)}, but the study ends on "
            f"{on_day(readout.end)}; start it earlier",
            "timp1_vector",
            "onset",
        )
    doses = 0
    for i, item in enumerate(experiment.treatments):
        found = _check_treatment(item, experiment)
        problems += [Problem(("treatments", i, *p.path), p.code, p.message) for p in found]
        if not found:
            doses += _count(item, experiment)
    if doses > MOST_DOSES:
        wrong(
            codes.TOO_MANY,
            f"{doses} doses are too many for one mouse; at most {MOST_DOSES}: "
            "dose less often, or use a pump",
            "treatments",
        )
    return problems


def _check_treatment(item: TreatmentItem, experiment: ExperimentSection) -> list[Problem]:
    problems: list[Problem] = []
    readout, start, drug = experiment.readout, item.start, DRUGS[item.drug]
    until = item.last(readout.day.value)
    dose = mg_per_kg(item.dose, item.drug)
    if not 0 < dose <= LARGEST_DOSE:
        wrong = (
            "small; write more than zero" if dose == 0 else f"large; at most {LARGEST_DOSE} mg/kg"
        )
        problems.append(
            Problem(("dose",), codes.OUT_OF_RANGE, f'"{item.dose.text}" is too {wrong}')
        )
    if item.method not in drug.methods:
        problems.append(
            Problem(
                ("method",),
                codes.UNKNOWN_WORD,
                f"{item.drug} cannot be given by {item.method}; write {' or '.join(drug.methods)}",
            )
        )
    if start.value >= readout.end.value:
        return [
            *problems,
            Problem(
                ("start",),
                codes.WRONG_ORDER,
                f"the first dose is on {on_day(start)}, but the study "
                f"ends on {on_day(readout.end)}; start before it",
            ),
        ]
    if item.until is not None and item.duration is not None:
        problems.append(
            Problem(
                ("duration",),
                codes.CONTRADICTION,
                '"until" and "duration" say the same thing; delete one of them',
            )
        )
    if item.until is not None and item.until.value < start.value:
        problems.append(
            Problem(
                ("until",),
                codes.WRONG_ORDER,
                f"dosing stops on {on_day(item.until)}, before its start "
                f"on {on_day(start)}; stop later, or start earlier",
            )
        )
    elif item.until is None and item.every is not None and start.value > until:
        problems.append(
            Problem(
                (),
                codes.WRONG_ORDER,
                f"the first dose is after the read-out on {on_day(until)}; "
                'say how long with "until"',
            )
        )
    if until > readout.end.value:
        problems.append(
            Problem(
                ("duration",) if item.until is None else ("until",),
                codes.WRONG_ORDER,
                f"doses are given until {on_day(until)}, but the "
                f"study ends on {on_day(readout.end)}; stop by then",
            )
        )
    if item.method == "pump":
        if item.every is None:
            problems.append(
                Problem(
                    (),
                    codes.CONTRADICTION,
                    'a pump spreads its dose over an interval; add one, such as "every: 24 h"',
                )
            )
        elif until == start.value:
            problems.append(
                Problem(
                    ("until",), codes.CONTRADICTION, "the pump stops when it starts; stop it later"
                )
            )
    elif item.every is None and (key := _over_time(item)):
        problems.append(
            Problem(
                (key,),
                codes.CONTRADICTION,
                f'"{key}" without "every" is a single dose; add "every", or delete "{key}"',
            )
        )
    return problems


def _over_time(item: TreatmentItem) -> str:
    """The key that says how long the drug is given, if there is one."""
    return "until" if item.until is not None else "duration" if item.duration is not None else ""


def _count(item: TreatmentItem, experiment: ExperimentSection) -> int:
    if item.method == "pump" or item.every is None:
        return 1
    until = item.last(experiment.readout.day.value)
    return math.floor((until - item.start.value) / item.every.value + 1e-9) + 1


def check_cohort(cohort: CohortSection) -> list[Problem]:
    """Too many jobs."""
    chunks = math.ceil(cohort.particles / max(1, cohort.chunk // cohort.mice_per_particle))
    if chunks > MOST_CHUNKS:
        return [
            Problem(
                ("cohort", "chunk"),
                codes.CONTRADICTION,
                f"{pretty(cohort.particles * cohort.mice_per_particle)} mice in chunks of "
                f"{cohort.chunk} are {chunks} jobs an arm; at most {MOST_CHUNKS}: "
                "write a larger chunk",
            )
        ]
    return []


def check_figures(figures: FigureSpec) -> list[Problem]:
    """The same format or dose twice."""
    problems = []
    listed: dict[str, Sequence[str | float]] = {
        "formats": figures.formats,
        "dose_folds": figures.dose_folds,
    }
    for key, values in listed.items():
        for i, value in enumerate(values):
            if value in values[:i]:
                shown = value if isinstance(value, str) else pretty(value)
                problems.append(
                    Problem(("figures", key, i), codes.TWICE, f"{shown} is there twice; delete one")
                )
    return problems


def check_uri(uri: str) -> list[Problem]:
    """An address that no store can have, or an SQLite file that is not below results/."""
    found = refusal(uri)
    if not found and uri.startswith("sqlite:"):
        path = uri.removeprefix("sqlite:///")
        parts = path.split("/")
        if not re.fullmatch(r"[A-Za-z0-9._/-]+", path):
            found = codes.UNFIT_ADDRESS, "the path may have letters, digits, ., _ and - only"
        elif parts[0] != "results" or len(parts) < 2 or {"", ".", ".."} & set(parts):
            found = codes.UNFIT_ADDRESS, 'the SQLite file must be under results/, without ".."'
        if found:
            found = found[0], f"{found[1]}; write {USUAL_STORE}"
    return [Problem(("tracking", "uri"), *found)] if found else []
