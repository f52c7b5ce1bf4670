"""How long the mice stay free of detectable metastasis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy.stats import CensoredData, ecdf

from nichetrial.figures import inputs
from nichetrial.figures.numbers import number
from nichetrial.figures.style import ACCENT, GREY, arm_styles, spread, styled, wrapped
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "TABLES", "draw", "free_curve"]

TABLES = ("outcomes",)
ALT = "Kaplan-Meier curves: share of mice without detectable metastasis over the days of the study."
CAPTION = (
    "Share of mice without detectable metastasis (Kaplan-Meier) over the days of the study; a "
    "mouse that never has one is censored when the study ends. Below: mice still free and under "
    "observation, with the line of each arm. A higher curve is a later or rarer metastasis. All "
    "curves are of the same mice, so that a gap between two curves is the treatment and not the "
    "draw of the mice."
)


def free_curve(days: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days and the share still free after each, from day 0 with 1. Right-censored days count as
    under observation up to that day."""
    sample = CensoredData.right_censored(days, ~observed)
    free = ecdf(sample).sf
    return np.append(0.0, free.quantiles), np.append(1.0, free.probabilities)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Curves above, numbers at risk below; the rows of the numbers are the legend."""
    there = {arm.name for arm in inputs.present(study, missing)}
    tables = {name: _times(inputs.outcomes(study, results, name)) for name in sorted(there)}
    styles, rows, crowded = arm_styles(study), len(study.arms), len(study.arms) > 12
    end = max(arm.readout.end for arm in study.arms)
    below = 0.21 * (rows + 1)
    figure = Figure(figsize=(8.2, 4.0 + below))
    ax, risk = figure.subplots(2, 1, sharex=True, height_ratios=(3.6, below))
    labels = []
    for arm in study.arms:
        table = tables.get(arm.name)
        if table is None or table.empty:
            continue
        style = styles[arm.name]
        days, free = free_curve(
            table["metastasis_free_days"].to_numpy(float),
            table["metastasis_observed"].to_numpy(bool),
        )
        days, free = np.append(days, end), np.append(free, free[-1])
        ax.step(days, free, where="post", color=style.colour, ls=style.line, lw=1.4)
        labels.append((free[-1], wrapped(arm.label, 24, 1), style.colour))
    ax.set_ylim(-0.02, 1.03)
    ax.set_xlim(0, end)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.0f} %"))
    ax.set_ylabel("mice free of detectable metastasis")
    ax.grid(axis="y")
    for day in sorted({arm.challenge.day for arm in study.arms}):
        ax.axvline(day, color=ACCENT, lw=0.8, ls=(0, (4, 2)), zorder=1)
        ax.annotate("tumour cells", (day, 0), xytext=(3, 3), textcoords="offset points",
                    fontsize=7, color=ACCENT)  # fmt: skip
    if not crowded:
        _label(ax, labels, end)
    _numbers_at_risk(risk, study, tables, end)
    return figure


def _times(outcomes: pd.DataFrame) -> pd.DataFrame:
    return outcomes[["metastasis_free_days", "metastasis_observed"]].dropna()


def _label(ax: Axes, labels: list[tuple[float, str, str]], end: float) -> None:
    """Names at the right end of the curves, moved apart, each tied to its curve."""
    places = spread(np.array([y for y, _, _ in labels]), 0.056, 0.0, 1.0)
    for (y, text, colour), place in zip(labels, places, strict=True):
        ax.annotate(
            text,
            (end, y),
            xytext=(1.045, place),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=colour,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "shrinkA": 2,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _numbers_at_risk(
    ax: Axes, study: ResolvedStudy, tables: dict[str, pd.DataFrame], end: float
) -> None:
    styles = arm_styles(study)
    ticks = [t for t in MaxNLocator(7, integer=True).tick_values(0, end) if 0 <= t <= end]
    for row, arm in enumerate(study.arms):
        y, style, table = -row, styles[arm.name], tables.get(arm.name)
        if table is None:
            ax.text(0, y, "missing: its jobs failed", va="center", style="italic", color=GREY,
                    fontsize=7)  # fmt: skip
        else:
            days = table["metastasis_free_days"].to_numpy(float)
            for t in ticks:
                ax.text(t, y, f"{int((days >= t).sum()):,}", ha="center", va="center", fontsize=7)
        ax.annotate("", (-0.06, y), xytext=(-0.115, y), xycoords=("axes fraction", "data"),
                    arrowprops={"arrowstyle": "-", "color": style.colour, "lw": 1.6,
                                "ls": style.line, "shrinkA": 0, "shrinkB": 0},
                    annotation_clip=False)  # fmt: skip
        ax.annotate(wrapped(arm.label, 26, 1), (-0.125, y), xycoords=("axes fraction", "data"),
                    ha="right", va="center", fontsize=7.5, annotation_clip=False)  # fmt: skip
    ax.set_title("mice still free and observed", fontsize=7.5, color="#555555")
    ax.set_ylim(-len(study.arms) + 0.4, 0.6)
    ax.set_xticks(ticks, labels=[number(t) for t in ticks])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("day of the study")
