"""Metastasis against the dose of TIMP-1: the hump."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, styled
from nichetrial.formatting import number, tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw", "ratios"]

ALT = "Curve of metastasis against the dose of TIMP-1, relative to basal TIMP-1."
CAPTION = (
    "Expected visible foci against plasma TIMP-1 (fold of basal, given by the vector, no "
    "treatment), as ratio to the same mice at basal TIMP-1 (no unit; both axes logarithmic), "
    "inside each particle. Line: median over particles; dark and pale band: the middle half of "
    "the particles, and 90 % of them. Where the curve is above 1 TIMP-1 feeds metastasis through "
    "the niche, where it is below 1 it protects by blocking protease: one set of parameters can "
    "show both signs. The upright lines mark the doses that the arms of the study use."
)
BLUE = "#0072B2"
QUANTILES = {"low": 0.05, "first": 0.25, "median": 0.5, "third": 0.75, "high": 0.95}
COLUMNS = ("fold", *QUANTILES, "particles")


def ratios(study: ResolvedStudy, results: Path) -> pd.DataFrame:
    """One row for each fold: quantiles over particles of the ratio of expected foci to the lowest
    dose, and their number. Particles without expected foci at the lowest dose, or of which a mouse
    failed at a dose, have no ratio there."""
    table = inputs.dose_curve(study, results)
    foci = table["expected_foci"].where(table["status"] == "finished")
    means = foci.groupby([table["particle"], table["fold"]]).agg(lambda x: x.mean(skipna=False))
    wide = means.unstack("fold").sort_index(axis=1)
    if wide.empty:
        return pd.DataFrame(columns=list(COLUMNS), dtype=float)
    basal = wide.iloc[:, 0]
    wide = wide[basal > 0].div(basal[basal > 0], axis=0)
    rows = []
    for fold, column in zip(wide.columns.to_numpy(float), wide.to_numpy(float).T, strict=True):
        values = column[np.isfinite(column)]
        if len(values):
            found = np.quantile(values, list(QUANTILES.values()))
            rows.append((fold, *found, len(values)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """The dose curve is a run of its own: ``missing`` arms only lose their mark."""
    curve = ratios(study, results)
    figure = Figure(figsize=(7.5, 4.2))
    ax = figure.subplots()
    ax.set_xlabel("plasma TIMP-1, fold of basal")
    ax.set_ylabel("expected foci, ratio to basal")
    if curve.empty:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.text(
            0.5, 0.5, "no particle with a ratio", transform=ax.transAxes, ha="center", color=GREY
        )
        return figure
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.grid(axis="y")
    x = curve["fold"].to_numpy(float)
    ends = curve[list(QUANTILES)].to_numpy(float)
    positive = ends[ends > 0]
    low = max(min(0.5, positive.min() / 1.4) if len(positive) else 0.5, 1e-4)
    high = max(2.0, ends.max() * 1.4)
    ax.set_ylim(low, high)
    ax.set_xlim(x.min() / 1.3, x.max() * (x.max() / x.min()) ** 0.17)
    ax.axhline(1.0, color=INK, lw=0.8)
    for first, third, alpha in (("low", "high", 0.15), ("first", "third", 0.35)):
        ax.fill_between(
            x, curve[first].clip(low), curve[third].clip(low), color=BLUE, alpha=alpha, lw=0
        )
    ax.plot(x, curve["median"].clip(low), color=BLUE, lw=1.8, marker="o", ms=4)
    last, top = curve.iloc[-1], curve.loc[curve["median"].idxmax()]
    ax.annotate(
        f"median of {int(last['particles']):,}\nparticles",
        (x[-1], max(last["median"], low)),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=BLUE,
    )
    ax.annotate(
        f"{number(top['median'])} at {number(top['fold'])}-fold",
        (top["fold"], top["median"]),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        color=BLUE,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )
    marked = sorted({a.vector.fold for a in inputs.present(study, missing) if a.vector})
    for fold in marked:
        ax.axvline(fold, color=ACCENT, lw=0.8, ls=(0, (4, 2)), zorder=1)
        ax.annotate(
            f"{number(fold)}-fold in this study",
            (fold, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(-2, 4),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=7,
            color=ACCENT,
        )
    ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(-2, 9)]))
    marks = (1,) if high / low > 50 else (1, 2, 5)
    ax.yaxis.set_major_locator(FixedLocator([m * 10.0**k for k in range(-5, 4) for m in marks]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda v, _: tick(v)))
    return figure
