"""The window of time: when a treatment has to start, and how long it has to last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, styled, wrapped
from nichetrial.formatting import number
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Heat map of foci over the reference by start and duration; next to it when the drug is given."
)
CAPTION = (
    "Left: expected foci over those of the reference in the same mice, median over particles, for "
    "each day of the first dose and each duration; bold: the lowest. Right: when each of them "
    "gives the drug, as dark as it lowers the foci; the line is the arrival of tumour cells. Where"
    " a column turns pale, treatment has come too late; where rows do not differ, a longer "
    "treatment buys nothing."
)
MOST_BARS = 60


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """A heat map and its schedule for each sweep over start and duration."""
    table = inputs.comparison(results, "window")
    sweeps = [s for s in study.sweeps if s.name in set(table["sweep"])]
    figure = Figure(figsize=(9.4, 3.9 * max(len(sweeps), 1)))
    axes = figure.subplots(max(len(sweeps), 1), 2, squeeze=False, width_ratios=(1.25, 1.0))
    for (left, right), sweep in zip(axes, sweeps, strict=False):
        rows = table[table["sweep"] == sweep.name]
        _heat(left, rows)
        left.set_title(wrapped(sweep.label, 50, 1), fontsize=9)
        _bars(right, rows)
    return figure


def _shade(ratio: float) -> str:
    """Dark for few foci, white for as many as in the reference or more; in grey as well."""
    depth = min(max(1.0 - ratio, 0.0), 1.0) if np.isfinite(ratio) else 0.0
    pale, dark = np.array([1.0, 1.0, 1.0]), np.array([0.0, 0.27, 0.45])
    red, green, blue = pale + (dark - pale) * depth
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _heat(ax: Axes, rows: pd.DataFrame) -> None:
    starts, durations = sorted(rows["start"].unique()), sorted(rows["duration"].unique())
    for row in rows.to_dict("records"):
        x, y = starts.index(row["start"]), durations.index(row["duration"])
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=_shade(row["ratio"]), ec=GREY, lw=0.5))
        ax.text(
            x,
            y,
            number(row["ratio"]),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if row["ratio"] < 0.4 else INK,
            fontweight="bold" if row["best"] else "normal",
        )
    # between the last start before the cells come and the first that is too late to be before
    arrival = sum(s < rows["arrival"].iloc[0] for s in starts) - 0.5
    ax.axvline(arrival, color=ACCENT, lw=1.5, ls=(0, (4, 2)))
    ax.text(
        arrival,
        len(durations) - 0.42,
        "started before the cells arrive | after",
        fontsize=8,
        ha="center",
        color=INK,
    )
    ax.set_xlim(-0.5, len(starts) - 0.5)
    ax.set_ylim(-0.5, len(durations) - 0.25)
    ax.set_xticks(range(len(starts)), [number(s) for s in starts])
    ax.set_yticks(range(len(durations)), [number(d) for d in durations])
    ax.set_xlabel("first dose [day]")
    ax.set_ylabel("duration [d]")


def _bars(ax: Axes, rows: pd.DataFrame) -> None:
    shown = rows.sort_values(["duration", "start"]).head(MOST_BARS)
    for y, row in enumerate(shown.to_dict("records")):
        ax.plot(
            [row["start"], row["start"] + row["duration"]],
            [y, y],
            lw=3.2,
            color=_shade(min(row["ratio"], 0.95) - 0.15),
            solid_capstyle="butt",
        )
    ax.axvline(float(rows["arrival"].iloc[0]), color=ACCENT, lw=1.5, ls=(0, (4, 2)))
    ax.set_yticks([])
    ax.set_xlabel("day")
    ax.set_ylabel("each start and duration")
