"""Time courses: what each arm does to TIMP-1, SDF-1, neutrophils and the niche."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, arm_styles, styled, wrapped
from nichetrial.formatting import tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Small multiples: time courses of TIMP-1, SDF-1, neutrophils and the niche in every arm."
CAPTION = (
    "Time courses over the days of the study, one row an arm: free TIMP-1 in plasma and SDF-1 "
    "in the liver (nM), neutrophils in blood and liver (fold of the untreated mouse), and how "
    "far the niche is filled (0 to 1). Line and band: median and middle half of the particles, one "
    "mouse of each. Grey "
    "underneath: the same for the reference, so that colour away from grey is the treatment. "
    "Upright line: the challenge. Scales are shared down each column. What matters for "
    "metastasis is the niche in the days after the line; read from right to left to see which "
    "step a treatment broke."
)
QUANTITIES = (
    ("timp1", "TIMP-1 [nM]"),
    ("sdf1", "SDF-1 [nM]"),
    ("blood_neutrophils", "blood neutrophils\n[fold]"),
    ("liver_neutrophils", "liver neutrophils\n[fold]"),
    ("niche", "niche [0 to 1]"),
)
BAND = (0.25, 0.5, 0.75)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """A grid, arms down and quantities across. The study's reference gets the first row."""
    there = [arm.name for arm in inputs.present(study, missing)]
    bands = {name: _bands(inputs.courses(study, results, name)) for name in there}
    reference = study.comparisons.reference
    arms = sorted(study.arms, key=lambda arm: arm.name != reference)
    styles, rows = arm_styles(study), len(study.arms)
    height = 0.95 if rows <= 15 else 0.7
    figure = Figure(figsize=(10.0, 0.9 + height * rows))
    axes = figure.subplots(rows, len(QUANTITIES), sharex=True, squeeze=False)
    figure.set_layout_engine("constrained", h_pad=0.02, hspace=0.02, w_pad=0.03)
    end = max(arm.readout.end for arm in arms)
    for column, (quantity, title) in enumerate(QUANTITIES):
        axes[0, column].set_title(title)
        every = [bands[n][quantity] for n in there if len(bands[n])]
        for row, arm in enumerate(arms):
            ax = axes[row, column]
            other = inputs.main_reference(study, arm.name)
            if other in bands and other != arm.name:
                _course(ax, bands[other], quantity, GREY, "-", 0.35)
            if arm.name in bands:
                style = styles[arm.name]
                _course(ax, bands[arm.name], quantity, style.colour, style.line, 0.3)
            elif column == 0:
                ax.text(
                    0.03,
                    0.5,
                    "missing:\nits jobs failed",
                    transform=ax.transAxes,
                    va="center",
                    fontsize=7,
                    style="italic",
                    color=GREY,
                )
            ax.axvline(arm.challenge.day, color=ACCENT, lw=0.8, ls=(0, (4, 2)), zorder=1)
            _scale(ax, quantity, every)
            ax.tick_params(labelsize=7, labelbottom=row == rows - 1)
            ax.set_xlim(0, end)
    for row, arm in enumerate(arms):
        axes[row, 0].set_ylabel(
            wrapped(arm.label, 21, 3 if rows <= 15 else 2)
            + ("\n(reference)" if arm.name == reference else ""),
            rotation=0,
            ha="right",
            va="center",
            multialignment="right",
            labelpad=8,
        )
    for ax in axes[-1]:
        ax.set_xlabel("day")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _bands(courses: pd.DataFrame) -> pd.DataFrame:
    """Quartiles over particles at each day: columns (quantity, quantile), index day."""
    names = [name for name, _ in QUANTITIES]
    return courses.groupby("day")[names].quantile(list(BAND)).unstack()


def _course(ax: Axes, bands: pd.DataFrame, quantity: str, colour: str, line, alpha: float) -> None:
    if bands.empty:
        return
    days, band = bands.index.to_numpy(float), bands[quantity]
    ax.fill_between(days, band[BAND[0]], band[BAND[2]], color=colour, alpha=alpha, lw=0)
    ax.plot(days, band[BAND[1]], color=colour, ls=line, lw=1.3)


def _scale(ax: Axes, quantity: str, every: list[pd.DataFrame]) -> None:
    """One scale down the column: logarithmic where the arms differ by more than 30-fold."""
    if quantity == "niche" or not every:
        ax.set_ylim(-0.04, 1.04)
        ax.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"])
        return
    values = np.concatenate([e.to_numpy(float).ravel() for e in every])
    positive = values[values > 0]
    if len(positive) and positive.max() / positive.min() > 30:
        # A knock-out has none at all: its line then runs along the floor of the axis.
        floor = max(positive.min(), positive.max() * 1e-6) / 2
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(floor, positive.max() * 2)
        ax.yaxis.set_major_locator(LogLocator(numticks=4))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, (positive.max() if len(positive) else 1.0) * 1.08)
        ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: tick(x)))
