"""Visible foci of every particle in every arm, tied to the same particle in the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.style import GREY, INK, ArmStyle, arm_styles, counts_axis, styled, wrapped
from nichetrial.formatting import number
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Strip plot: visible liver foci of every particle in every arm, tied to its reference."
CAPTION = (
    "Visible foci in the liver at read-out (mean count per mouse of a particle, logarithmic axis "
    "that starts at 0). A particle is one possible biology. In each row the coloured dots are the "
    "particles in that arm, the grey dots above are the same particles in the reference, and a "
    "thin line ties each to itself. The black bar below is the middle half of the particles in "
    "the arm, the notch in it the median, the thin line 90 % of them. Particles differ from each "
    "other far more than most treatments move them: lines that lean the same way in nearly every "
    "particle tell of an effect that the clouds alone would hide. Of more than 1,000 particles "
    "the first 1,000 are drawn; bars and medians are of all."
)
DRAWN = 1000
"""Particles that are drawn: more hide one another."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One row an arm. Arms in ``missing`` keep their row, with a note instead of dots."""
    styles = arm_styles(study)
    there = {arm.name for arm in inputs.present(study, missing)}
    table = inputs.comparison(results, "particles").dropna(subset="foci").set_index("particle")
    foci = {str(name): rows["foci"] for name, rows in table.groupby("arm")}
    rows = len(study.arms)
    figure = Figure(figsize=(7.5, 0.9 + (0.62 if rows <= 15 else 0.42) * rows))
    ax = figure.subplots()
    largest = max([float(f.max()) for f in foci.values() if len(f)], default=0.0)
    counts_axis(ax, largest)
    ax.grid(axis="x")
    for row, arm in enumerate(study.arms):
        y = rows - 1 - row
        ax.axhline(y - 0.5, color="#eeeeee", lw=0.6, zorder=0)
        counts = foci.get(arm.name)
        if counts is None or counts.empty:
            note = "no mouse finished" if arm.name in there else "missing: its jobs failed"
            ax.text(0.0, y, note, va="center", style="italic", color=GREY)
            continue
        reference = inputs.main_reference(study, arm.name)
        _row(
            ax, y, counts, foci.get(reference) if reference != arm.name else None, styles[arm.name]
        )
        ax.annotate(
            f"{number(float(counts.median()))}  ({len(counts):,})",
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.annotate(
        "median (particles)",
        (1.0, rows - 0.5),
        xycoords=("axes fraction", "data"),
        xytext=(4, 2),
        textcoords="offset points",
        va="bottom",
        fontsize=7.5,
        color="#555555",
    )
    names = [wrapped(arm.label, 26, 2 if rows <= 15 else 1) for arm in study.arms]
    ax.set_yticks(range(rows - 1, -1, -1), labels=names)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, rows - 0.4)
    ax.set_xlabel(f"visible foci per mouse at day {number(study.arms[0].readout.day)}")
    return figure


def _row(ax: Axes, y: float, counts: pd.Series, reference: pd.Series | None, s: ArmStyle) -> None:
    """One arm's strip; above it the reference's, if it has another one."""
    low, first, middle, third, high = np.quantile(counts, (0.05, 0.25, 0.5, 0.75, 0.95))
    counts = counts[counts.index < DRAWN]
    place = 0.1 * inputs.jitter(counts.index.to_numpy())
    lane, bar = (y - 0.05, y - 0.3) if reference is not None else (y + 0.1, y - 0.15)
    size, alpha = (7, 0.8) if len(counts) <= 100 else (3, 0.35)
    if reference is not None:
        both = counts.index.intersection(reference.index)
        a = counts.loc[both].to_numpy(float)
        b = reference.loc[both].to_numpy(float)
        shift = 0.1 * inputs.jitter(both.to_numpy())
        ends = np.stack(
            [np.stack([a, lane + shift], axis=1), np.stack([b, y + 0.3 + shift], axis=1)], axis=1
        )
        strength = float(np.clip(20.0 / max(len(both), 1), 0.05, 0.5))
        ax.add_collection(
            LineCollection(
                list(ends), colors=s.colour, linewidths=0.4, alpha=strength, rasterized=True
            ),
            autolim=False,
        )
        ax.scatter(b, y + 0.3 + shift, s=size, c=GREY, alpha=alpha, lw=0, rasterized=True)
    ax.scatter(counts, lane + place, s=size, c=s.colour, alpha=alpha, lw=0, rasterized=True)
    ax.plot([low, high], [bar] * 2, color=INK, lw=0.9, solid_capstyle="butt", zorder=4)
    ax.plot([first, third], [bar] * 2, color=INK, lw=4.2, solid_capstyle="butt", zorder=5)
    ax.plot([middle] * 2, [bar - 0.06, bar + 0.06], color="white", lw=1.6, zorder=6)
    ax.plot([middle] * 2, [bar - 0.09, bar + 0.09], color=INK, lw=0.7, zorder=7)
