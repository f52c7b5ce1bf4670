"""Forest plot: the effect of every arm on foci, over what nobody knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nichetrial.figures import inputs
from nichetrial.figures.style import GREY, INK, ArmStyle, arm_styles, styled, wrapped
from nichetrial.formatting import biologies, interval, share, tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Forest plot: ratio of foci in each arm to its reference, with intervals over particles."
CAPTION = (
    "Foci at read-out: expected foci of the arm over those of its reference in the same mice (a "
    "ratio without unit, logarithmic axis), computed in each possible biology (particle) by "
    "itself. The mark is the median over particles; the thick line holds 50 % of them, the thin "
    "one 90 %. Left of 1 the arm lowers metastasis, right of 1 it raises it. Fewer in: the share "
    "of particles in which the arm has fewer foci. More virtual mice do not make these intervals "
    "narrower; only more knowledge does. An arrow marks an interval that leaves the axis."
)
LIMITS = (1e-3, 1e3)
"""Ratios beyond are drawn as arrows: one odd arm must not squeeze all others."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One row a pair of the study, grouped by reference; numbers stand at the right."""
    styles, labels = arm_styles(study), {a.name: a.label for a in study.arms}
    table = inputs.effects(results, "foci")
    table = table[table["arm"].isin(list(labels)) & table["reference"].isin(list(labels))]
    groups = list(table.groupby("reference", sort=False))
    slots = len(table) + 1.2 * len(groups)
    figure = Figure(figsize=(7.5, 0.9 + (0.34 if slots <= 30 else 0.27) * slots))
    ax = figure.subplots()
    low, high = _limits(table)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.axvline(1.0, color=INK, lw=0.8, zorder=1)
    y = 0.0
    ticks: list[float] = []
    names: list[str] = []
    headings: list[bool] = []
    for reference, rows in groups:
        _right(ax, y, "ratio (90 %)", "fewer in", bold=True)
        ticks.append(y)
        headings.append(True)
        names.append("against " + wrapped(labels[str(reference)], 24, 1))
        for row in rows.itertuples():
            y -= 1.0
            ticks.append(y)
            headings.append(False)
            names.append(wrapped(labels[row.arm], 30, 2 if slots <= 30 else 1))
            _row(ax, y, row, styles[row.arm], missing)
        y -= 1.2
    ax.set_yticks(ticks, labels=names)
    for text, heading in zip(ax.get_yticklabels(), headings, strict=True):
        if heading:
            text.set_color("#555555")
            text.set_fontstyle("italic")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(y + 0.5, 0.7)
    ax.grid(axis="x")
    marks = [m * 10.0**k for k in range(-4, 5) for m in (1, 2, 5)]
    if math.log10(high / low) < 0.9:
        marks = [m * 10.0**k for k in range(-4, 5) for m in (1, 1.5, 2, 3, 5, 7)]
    if math.log10(high / low) > 1.8:
        marks = [10.0**k for k in range(-4, 5)]
    ax.xaxis.set_major_locator(FixedLocator([m for m in marks if low <= m <= high]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: tick(x)))
    behind = biologies(study.cohort.particles, table["effective"].max())
    ax.set_xlabel(f"foci, arm / reference (median, 50 % and 90 %)\nof {behind}")
    return figure


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Axis limits around all finite intervals, symmetric enough to show on which side of 1."""
    ends = table[["ratio", "ratio_low", "ratio_high"]].to_numpy(float).ravel()
    ends = ends[(ends > 0) & (ends < math.inf)]
    low = min([0.8, *ends.tolist()])
    high = max([1.25, *ends.tolist()])
    return max(low / 1.25, LIMITS[0]), min(high * 1.25, LIMITS[1])


def _row(ax: Axes, y: float, row, s: ArmStyle, missing: Sequence[str]) -> None:
    low, high = ax.get_xlim()
    if row.particles == 0 or math.isnan(row.ratio):
        note = "no ratio: reference without foci"
        if row.arm in missing:
            note = "missing: its jobs failed"
        elif row.reference in missing:
            note = "its reference is missing"
        elif row.particles == 0:
            note = "no mouse finished in both"
        ax.annotate(
            note,
            (0.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            style="italic",
            color=GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
        _right(ax, y, interval(math.nan, math.nan, math.nan), share(row.p_fewer))
        return

    def inside(x: float) -> float:
        return min(max(x, low), high)

    wide, half = (row.ratio_low, row.ratio_high), (row.ratio_q25, row.ratio_q75)
    for ends, width in ((wide, 1.1), (half, 3.0)):
        ax.plot(
            [inside(end) for end in ends],
            [y, y],
            color=s.colour,
            lw=width,
            solid_capstyle="butt",
            zorder=3,
        )
    if row.ratio_low < low:
        ax.plot([low], [y], marker="<", color=s.colour, ms=6, clip_on=False, zorder=4)
    if row.ratio_high > high:
        ax.plot([high], [y], marker=">", color=s.colour, ms=6, clip_on=False, zorder=4)
    ax.plot(
        [inside(row.ratio)],
        [y],
        marker=s.marker,
        ms=6,
        color=s.colour,
        mec="white",
        mew=0.6,
        ls="none",
        zorder=5,
        clip_on=False,
    )
    _right(ax, y, interval(row.ratio, row.ratio_low, row.ratio_high), share(row.p_fewer))


def _right(ax: Axes, y: float, first: str, second: str, *, bold: bool = False) -> None:
    """The two columns of numbers at the right of a row."""
    weight = "bold" if bold else "normal"
    for text, offset, side in ((first, 10, "left"), (second, 165, "right")):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(offset, 0),
            textcoords="offset points",
            va="center",
            ha=side,
            fontsize=8,
            fontweight=weight,
        )
