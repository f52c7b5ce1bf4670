"""Mice needed: the chance that a real experiment shows each effect, against mice in each group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, arm_styles, spread, styled, wrapped
from nichetrial.formatting import share
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Chance that a real experiment shows the effect of each comparison against the mice in each "
    "group, and the smallest group that is enough, with its interval."
)
CAPTION = (
    "Above: chance that a real experiment of so many mice in each group comes out significant, and "
    "in the direction that the effect has in its biology, with the test that a lab would use. "
    "Each simulated experiment is one answer to what nobody knows, with its own mice in each group "
    "and random events; the number at the end of a curve is its row below. Below: the smallest "
    "group "
    "that reaches the chance of the dashed line, with the interval that comes of simulating so "
    "many experiments and not more; an arrow: no group tried is enough. Plan for the largest group "
    "among the comparisons that matter to you, or for the black line if all of them must show at "
    "once. A curve that levels off below the line will not reach it with more mice: then it is not "
    "known well enough whether, or which way, the treatment acts. Wrong way: share of experiments "
    "of the largest group that would be significant against the effect."
)
TESTS = {
    "mann_whitney": "Mann-Whitney test",
    "welch": "Welch's t test",
    "log_rank": "log-rank test",
}
CORRECTIONS = {"holm": "Holm", "bonferroni": "Bonferroni", "none": "uncorrected"}
CROWDED = 12
"""Comparisons beyond which the curves have no numbers."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Curves above, a row a comparison below, over the same axis of mice per group."""
    chances = inputs.comparison(results, "power")
    needed = inputs.comparison(results, "mice_needed")
    design = inputs.comparison(results, "design").sort_values("n")
    below = 0.21 * (len(needed) + 1)
    figure = Figure(figsize=(8.2, 3.6 + below))
    top, rows = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, below))
    _curves(top, study, chances, design, needed)
    _rows(rows, study, chances, design, needed, missing)
    return figure


def _curves(
    ax: Axes,
    study: ResolvedStudy,
    chances: pd.DataFrame,
    design: pd.DataFrame,
    needed: pd.DataFrame,
) -> None:
    styles = arm_styles(study)
    ends: list[tuple[float, str, str]] = []
    for k, row in enumerate(needed.itertuples()):
        if not row.arm:
            curve, colour, line = design.rename(columns={"all_show": "chance"}), INK, "-"
        else:
            curve = chances[(chances["arm"] == row.arm) & (chances["reference"] == row.reference)]
            curve, (colour, line) = (
                curve.sort_values("n"),
                (styles[row.arm].colour, styles[row.arm].line),
            )
        if curve["chance"].isna().all():
            continue
        ax.plot(curve["n"], curve["chance"], color=colour, ls=line, lw=1.4 if row.arm else 2.6)
        ends.append((float(curve["chance"].iloc[-1]), str(k + 1), colour))
    sizes = chances["n"] if len(chances) else pd.Series([4, 20])
    low, high = int(sizes.min()), int(sizes.max())
    ax.set_xlim(low - 0.3, high + 0.3)
    ax.set_ylim(-0.02, 1.03)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.0f} %"))
    ax.set_ylabel("chance to show the effect")
    ax.grid(axis="y")
    if len(needed):
        target = float(needed["target"].iloc[0])
        ax.axhline(target, color=ACCENT, lw=1.0, ls=(0, (4, 2)), zorder=1)
        ax.annotate(
            share(target),
            (low - 0.3, target),
            xytext=(3, 3),
            color=ACCENT,
            fontsize=7.5,
            textcoords="offset points",
        )
        first = chances.iloc[0]
        ax.set_title(
            f"{_words(first['outcome'])}; {TESTS[first['test']]}, two-sided {first['alpha']:g}"
        )
    if len(needed) > CROWDED:
        return
    places = spread(np.array([e[0] for e in ends]), 0.05, 0.0, 1.0)
    for (y, text, colour), place in zip(ends, places, strict=True):
        ax.annotate(
            text,
            (high, y),
            xytext=(1.035, place),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=colour,
            fontweight="bold",
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _rows(
    ax: Axes,
    study: ResolvedStudy,
    chances: pd.DataFrame,
    design: pd.DataFrame,
    needed: pd.DataFrame,
    missing: Sequence[str],
) -> None:
    styles, labels = arm_styles(study), {arm.name: arm.label for arm in study.arms}
    wrong = chances[chances["n"] == chances["n"].max()].set_index(["arm", "reference"])["wrong"]
    references = set(needed["reference"]) - {""}
    for k, row in enumerate(needed.itertuples()):
        y = -k
        if row.arm:
            style = styles[row.arm]
            colour, marker, line = style.colour, style.marker, style.line
            name = labels[row.arm]
            if len(references) > 1:
                name = f"{wrapped(name, 24, 1)} vs {wrapped(labels[row.reference], 16, 1)}"
            else:
                name = wrapped(name, 40, 1)
        else:
            colour, marker, line = INK, "s", "-"
            name = f"all {design['comparisons'].iloc[0]} at once ({_correction(design)})"
        ax.annotate(
            "",
            (-0.03, y),
            xytext=(-0.095, y),
            xycoords=("axes fraction", "data"),
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 1.6 if row.arm else 2.6,
                "ls": line,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            annotation_clip=False,
        )
        ax.annotate(
            f"{name}  {k + 1}",
            (-0.105, y),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="center",
            fontsize=7.5,
            annotation_clip=False,
        )
        lost = [n for n in (row.arm, row.reference) if n in missing]
        if lost or row.written.startswith("not known"):
            note = "missing: its jobs failed" if lost else row.written
            if lost == [row.reference]:
                note = "its reference is missing"
            ax.text(row.largest * 0.5, y, note, va="center", style="italic", color=GREY, fontsize=7)
            continue
        _needed(ax, y, row, colour, marker)
        _beside(ax, y, row.written, share(wrong[row.arm, row.reference]) if row.arm else "")
    _beside(ax, 1.0, "mice in each group", "wrong way", head=True)
    if len(references) == 1:
        reference = labels[next(iter(references))]
        ax.annotate(
            f"against {wrapped(reference, 34, 1)}",
            (-0.095, 1.0),
            ha="right",
            va="center",
            xycoords=("axes fraction", "data"),
            fontsize=7.5,
            color="#555555",
            annotation_clip=False,
        )
    ax.set_ylim(-len(needed) + 0.4, 0.6)
    ax.set_xticks(sorted(set(chances["n"])) if len(chances) else [])
    ax.set_yticks([])
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("mice in each group")


def _needed(ax: Axes, y: float, row, colour: str, marker: str) -> None:
    """The smallest group with its interval; an arrow where it leaves the axis."""
    right = ax.get_xlim()[1]
    low = right if pd.isna(row.mice_low) else float(row.mice_low)
    high = right if pd.isna(row.mice_high) else float(row.mice_high)
    ax.plot([low, high], [y, y], color=colour, lw=1.8, solid_capstyle="butt", zorder=3)
    if pd.isna(row.mice_high):
        ax.plot([right], [y], marker=">", color=colour, ms=6, clip_on=False, zorder=4)
    if not pd.isna(row.mice):
        ax.plot([row.mice], [y], marker=marker, color=colour, ms=6, mec="white", mew=0.6, zorder=5)


def _beside(ax: Axes, y: float, first: str, second: str, *, head: bool = False) -> None:
    colour = "#555555" if head else INK
    for text, place in ((first, 12), (second, 118)):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(place, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=colour,
            annotation_clip=False,
        )


def _correction(design: pd.DataFrame) -> str:
    return CORRECTIONS[design["correction"].iloc[0]]


def _words(outcome: str) -> str:
    return outcome.replace("_", " ").replace("sdf1", "SDF-1")
