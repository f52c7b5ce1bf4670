"""What the figures of the evidence read: tables of the calibration, and findings as published."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nichetrial import tables
from nichetrial.evidence.finding_studies import arms_of
from nichetrial.evidence.findings import Finding, all_findings
from nichetrial.figures.inputs import require
from nichetrial.figures.style import COLOURS, GREY, LINES, MARKERS, ArmStyle
from nichetrial.formatting import interval, number, tick
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import Arm, ResolvedStudy

__all__ = [
    "Published",
    "empty",
    "findings_of",
    "log_axis",
    "name_words",
    "published",
    "published_words",
    "statistic_words",
    "table",
    "turn_words",
    "two_routes",
    "unit_words",
    "variant_styles",
]


def table(results: Path, name: str) -> pd.DataFrame:
    """One table of the evidence. Raises UserError if it is not there."""
    return tables.read(*require([_file(results, name)]))


def _file(results: Path, name: str) -> Path:
    return Path(Layout(results.as_posix()).evidence.table(name))


def findings_of(study: ResolvedStudy) -> dict[str, Finding]:
    """Id -> finding, of all that the calibration fits and predicts. Raises UserError."""
    found = all_findings(study.calibration.fit, study.calibration.predict)
    return {f.id: f for f in found}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published on foci at a dose of TIMP-1 from a vector, against none."""

    finding: Finding
    fold: float


def published(findings: Mapping[str, Finding]) -> list[Published]:
    """Findings on the ratio of foci with a TIMP-1 vector to foci without, all else equal."""
    found = []
    for f, arm, reference in _foci_pairs(findings):
        same = reference.model_copy(update={"name": "", "label": "", "vector": arm.vector})
        alike = same == arm.model_copy(update={"name": "", "label": ""})
        if arm.vector and not reference.vector and alike:
            found.append(Published(finding=f, fold=arm.vector.fold))
    return found


def two_routes(findings: Mapping[str, Finding]) -> list[tuple[Finding, Finding]]:
    """Findings on the foci of one host by two routes: (from a primary tumour, intravenous)."""
    by_route: dict[str, list[tuple[Finding, tuple[float, ...]]]] = {
        "primary": [],
        "intravenous": [],
    }
    for f, arm, reference in _foci_pairs(findings):
        plain = not (arm.treatments or reference.treatments or arm.vector or reference.vector)
        if plain and reference.host.wild and not arm.host.wild:
            by_route[arm.challenge.route].append((f, arm.host.genes))
    return [
        (spontaneous, experimental)
        for spontaneous, host in by_route["primary"]
        for experimental, other in by_route["intravenous"]
        if host == other
    ]


def _foci_pairs(findings: Mapping[str, Finding]) -> list[tuple[Finding, Arm, Arm]]:
    """Findings on ratios of foci, with the arms that are compared."""
    arms = arms_of(list(findings.values()))
    return [
        (f, arms[f.experiment, f.arm], arms[f.experiment, f.reference])
        for f in findings.values()
        if f.statistic == "ratio" and f.outcome in ("foci", "expected_foci")
    ]


def published_words(f: Finding | None, value: float, low: float, high: float) -> str:
    """A finding as published: its number with range, its range, or its direction alone."""
    direction = f.direction if f else ""
    if not math.isnan(value):
        return interval(value, low, high)
    if not (math.isnan(low) or math.isnan(high)):
        return f"{number(low)} to {number(high)}"
    if not math.isnan(low):
        return f"at least {number(low)}"
    if not math.isnan(high):
        return f"at most {number(high)}"
    return {"up": "more", "down": "less"}.get(direction, "")


def statistic_words(statistic: str) -> str:
    """``per_cell of dormant_cells`` -> ``dormant cells per tumour cell given``."""
    kind, _, of = statistic.partition(" of ")
    if kind == "parameter" and of in PARAMETERS:
        p = PARAMETERS[of]
        unit = "h" if p.written.endswith(" h") else unit_words(p.unit)  # as in evidence.simulated
        return f"{name_words(of)} [{unit}]" if unit else name_words(of)
    words = {
        "ratio": "{}, ratio",
        "mean": "{}, mean",
        "per_cell": "{} per tumour cell given",
        "share_with": "share of mice with {}",
    }
    return words.get(kind, kind + " of {}").format(name_words(of))


def unit_words(unit: str) -> str:
    """A unit as people write it; nothing for none."""
    return "" if unit == "1" else unit.replace("^2", "²").replace("^3", "³")


def turn_words(turns: pd.Series) -> str:
    """The dose at which the sign turns, e.g. ``130-fold (32 to 1,900)``; empty if it never does."""
    if math.isnan(turns["turns_at"]):
        return ""
    ends = ""
    if not (math.isnan(turns["low"]) or math.isnan(turns["high"])):
        ends = f" ({number(turns['low'])} to {number(turns['high'])})"
    return f"{number(turns['turns_at'])}-fold{ends}"


def name_words(name: str) -> str:
    """A parameter's or a variant's name as people read it."""
    return name.replace("_", " ")


def variant_styles(variants: Sequence[str]) -> dict[str, ArmStyle]:
    """Variant -> looks; neighbours differ in colour, marker and line."""
    return {
        name: ArmStyle(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], LINES[i % len(LINES)])
        for i, name in enumerate(variants)
    }


def log_axis(ax: Axes, which: str, low: float, high: float) -> None:
    """A logarithmic axis from ``low`` to ``high`` with the numbers themselves at its ticks."""
    scale, limit = (ax.set_xscale, ax.set_xlim) if which == "x" else (ax.set_yscale, ax.set_ylim)
    axis = ax.xaxis if which == "x" else ax.yaxis
    scale("log")
    limit(low, high)
    decades = math.log10(high / low)
    marks = (1,) if decades > 3 else (1, 3) if decades > 1.5 else (1, 2, 5)
    axis.set_major_locator(
        FixedLocator(
            [m * 10.0**k for k in range(-12, 13) for m in marks if low <= m * 10.0**k <= high]
        )
    )
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: tick(v)))


def empty(ax: Axes, why: str) -> None:
    """An axis that has nothing to show says so."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=GREY)
