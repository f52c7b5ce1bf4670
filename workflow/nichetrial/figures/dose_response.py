"""Dose and response: foci against the dose of a drug, with the fitted Hill curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.evidence_inputs import empty
from nichetrial.figures.style import ACCENT, INK, styled, wrapped
from nichetrial.formatting import interval, tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Ratio of visible foci to the reference against the dose of each drug, with the fitted Hill "
    "curve, its band and the dose of half the effect."
)
CAPTION = (
    "Expected foci against dose, as ratio to the reference in the same mice. Points: simulated, "
    "median and 90 % interval over particles; dose 0 stands apart at the left. Curve and band: "
    "Hill curves fitted in each particle, their median and 90 % interval. The dashed line is the "
    "median ED50, the dose of half the drug's full effect. More drug than where the curve is flat "
    "buys nothing; where it is still falling at the highest dose, ED50 and the full effect are "
    "bounds, not measurements."
)
BLUE = "#0072B2"


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One panel a sweep over a dose, in the order of the study."""
    rows = inputs.comparison(results, "dose_response")
    curves = inputs.comparison(results, "dose_curves")
    labels = {sweep.name: sweep.label for sweep in study.sweeps}
    if rows.empty:
        figure = Figure(figsize=(4.6, 3.6))
        empty(figure.subplots(), "no sweep over a dose")
        return figure
    across = min(len(rows), 2)
    down = -(-len(rows) // across)
    figure = Figure(figsize=(4.4 * across + 0.8, 3.6 * down))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, row in zip(axes, rows.itertuples(), strict=False):
        _panel(ax, row, curves[curves["sweep"] == row.sweep])
        ax.set_title(wrapped(labels.get(row.sweep, row.sweep), 48, 2))
    for ax in axes[len(rows) :]:
        ax.set_visible(False)
    return figure


def _panel(ax: Axes, row, curve: pd.DataFrame) -> None:
    points = curve[curve["kind"] == "point"].dropna(subset=["ratio"])
    above = points[points["dose"] > 0.0]
    if above.empty:
        empty(ax, row.note or "no dose was simulated")
        return
    fit = curve[curve["kind"] == "fit"]
    doses = above["dose"].to_numpy(float)
    zero = doses.min() / 4.0
    ax.set_xscale("log")
    if len(fit):
        ax.fill_between(fit["dose"], fit["low"], fit["high"], color=BLUE, alpha=0.22, lw=0)
        ax.plot(fit["dose"], fit["ratio"], color=BLUE, lw=1.6)
    at = np.where(points["dose"] > 0.0, points["dose"], zero)
    ratio = points["ratio"].to_numpy(float)
    ax.vlines(at, points["low"], points["high"], color=INK, lw=1.4, zorder=3)
    ax.plot(at, ratio, ls="none", marker="o", ms=5, color=INK, mec="white", mew=0.6, zorder=4)
    ax.axhline(1.0, color="#555555", lw=0.8, zorder=1)
    if doses.min() <= row.ed50 <= doses.max():
        ax.axvline(row.ed50, color=ACCENT, lw=1.1, ls=(0, (4, 2)), zorder=2)
    if row.ed50 == row.ed50:
        words = f"ED50 {interval(row.ed50, row.ed50_low, row.ed50_high)} {row.unit}"
        ax.annotate(
            words,
            (0.98, 0.97),
            xycoords="axes fraction",
            ha="right",
            va="top",
            color=ACCENT,
            fontsize=7.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    if row.note:
        ax.annotate(
            wrapped(row.note, 40, 3),
            (0.02, 0.03),
            xycoords="axes fraction",
            va="bottom",
            style="italic",
            fontsize=7.5,
            color="#555555",
        )
    ticks, names = list(doses), [tick(float(d)) for d in doses]
    if len(at) > len(doses):
        ticks, names = [zero, *ticks], ["0", *names]
        ax.axvline(doses.min() / 2.0, color="#8c8c8c", lw=0.8, ls=":", zorder=0)
    ax.set_xticks(ticks, labels=names)
    ax.set_xticks([], minor=True)
    tops = [1.0, *ratio, *points["high"].dropna(), *fit["high"].dropna()]
    ax.set_ylim(-0.03, 1.18 * max(tops))
    ax.set_xlim((zero if len(at) > len(doses) else doses.min()) / 1.5, doses.max() * 1.5)
    ax.set_xlabel(f"dose [{row.unit}]" if row.unit else "dose")
    ax.set_ylabel("foci, arm / reference (90 % interval)")
    ax.grid(axis="y")
