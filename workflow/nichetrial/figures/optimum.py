"""The best schedule within a total dose: all schedules tried, the best, and the arm's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, styled
from nichetrial.formatting import interval, number
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Expected foci of every schedule tried against its total dose; the best next to the arm's own."
)
CAPTION = (
    "Left: expected foci, over the reference in the same mice, of every schedule that was tried "
    "(median over particles), against its total dose; right of the line is beyond the budget. "
    "Right: when the arm's own schedule and the best within the budget give the drug, and their "
    "effect, with the 90 % interval, on particles that the best was not chosen on. If the best "
    "does as much as the arm's own with less, the rest of the drug buys nothing; if many schedules"
    " lie as low as the best, choose the most convenient."
)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Schedules tried at the left, the two schedules at the right."""
    spec = study.optimise
    if spec is None:
        raise KeyError("optimum")
    arm = study.arm(spec.arm)
    drug = DRUGS[arm.treatments[spec.treatment].drug]
    tried = inputs.comparison(results, "evaluations")
    found = inputs.comparison(results, "optimum")
    figure = Figure(figsize=(9.0, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    budget = spec.budget * drug.molar_mass / 1e6
    left.plot(tried["total"], tried["ratio"], "o", ms=4, mfc="none", mec=GREY, mew=0.8)
    own, best = found.iloc[0], found.iloc[1]
    first = tried.iloc[0]
    left.plot(first["total"], first["ratio"], "s", ms=8, color=INK, label="the arm's own")
    allowed = tried[tried["total"] <= budget * (1 + 1e-9)]
    lowest = allowed.loc[allowed["ratio"].idxmin()]
    left.plot(lowest["total"], lowest["ratio"], "*", ms=13, color=ACCENT, label="the best")
    left.axvline(budget, color=INK, lw=0.8, ls=(0, (4, 2)))
    left.set_xlabel(f"total dose of {drug.label} [mg/kg]")
    left.set_ylabel("expected foci over the reference")
    left.set_xlim(0, 1.1 * float(tried["total"].max()))
    left.set_ylim(0, max(1.05, 1.05 * float(tried["ratio"].max())))
    left.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2, frameon=False)
    for y, row, colour in ((1.0, own, INK), (0.0, best, ACCENT)):
        _schedule(right, y, row, colour, pump=arm.treatments[spec.treatment].method == "pump")
    right.axvline(arm.challenge.day, color=GREY, lw=1.0)
    right.text(arm.challenge.day, 1.62, " tumour cells arrive", color=INK, fontsize=8, va="center")
    right.set_xlim(-0.4, arm.readout.day + 0.4)
    right.set_ylim(-0.6, 1.8)
    right.set_yticks([1.0, 0.0], ["the arm's own", "the best"])
    right.set_xlabel("day")
    right.spines["left"].set_visible(False)
    right.tick_params(axis="y", length=0)
    return figure


def _schedule(ax: Axes, y: float, row: pd.Series, colour: str, *, pump: bool) -> None:
    days = row["start"] + row["every"] * np.arange(int(row["doses"]))
    if pump:
        ax.plot([row["start"], row["start"] + row["every"] * row["doses"]], [y, y], lw=5, c=colour)
    else:
        ax.plot(days, np.full(len(days), y), "|", ms=16, mew=2, color=colour)
    words = (
        f"{number(row['dose'])} mg/kg × {int(row['doses'])} = {number(row['total'])} mg/kg; "
        f"foci × {interval(row['ratio'], row['ratio_low'], row['ratio_high'])}"
    )
    ax.text(0.0, y - 0.32, words, fontsize=8, color=INK, va="center")
