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
    "treatment), as ratio to the same mouse at basal TIMP-1 (no unit; both axes logarithmic). "
    "Blue line: mean of the ratios with its interval over mice; black: median and, as band, the "
    "middle half of the mice. Where the curve is above 1 TIMP-1 feeds metastasis through the "
    "niche, where it is below 1 it protects by blocking protease: one set of priors can show "
    "both signs. The upright lines mark the doses that the arms of the study use."
)
COLUMNS = ("fold", "mean", "mean_low", "mean_high", "first", "median", "third", "n")


def ratios(study: ResolvedStudy, results: Path) -> pd.DataFrame:
    """One row a fold: mean ratio of expected foci to the lowest dose with its interval over mice,
    quartiles over mice, and the number of mice. Mice without expected foci at the lowest dose, or
    that failed at a dose, have no ratio there."""
    table = inputs.dose_curve(study, results)
    wide = table.pivot(index="mouse", columns="fold", values="expected_foci").sort_index(axis=1)
    if wide.empty:
        return pd.DataFrame(columns=list(COLUMNS), dtype=float)
    basal = wide.iloc[:, 0]
    wide = wide[basal > 0].div(basal[basal > 0], axis=0)
    random = np.random.default_rng(study.seed)
    tail = (1.0 - study.comparisons.interval) / 2.0
    rows = []
    for fold, column in wide.items():
        values = column.dropna().to_numpy(float)
        if not len(values):
            continue
        # Multinomial counts are the bootstrap's draws, without an index table of mice x resamples.
        weights = random.multinomial(
            len(values), np.full(len(values), 1 / len(values)), study.comparisons.resamples
        )
        low, high = np.quantile(weights @ values / len(values), (tail, 1.0 - tail))
        first, median, third = np.quantile(values, (0.25, 0.5, 0.75))
        rows.append((float(fold), values.mean(), low, high, first, median, third, len(values)))
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
        ax.text(0.5, 0.5, "no mouse with a ratio", transform=ax.transAxes, ha="center", color=GREY)
        return figure
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.grid(axis="y")
    x = curve["fold"].to_numpy(float)
    ends = curve[["mean_low", "mean_high", "first", "third", "mean", "median"]].to_numpy(float)
    positive = ends[ends > 0]
    low = max(min(0.5, positive.min() / 1.4) if len(positive) else 0.5, 1e-4)
    high = max(2.0, ends.max() * 1.4)
    ax.set_ylim(low, high)
    ax.set_xlim(x.min() / 1.3, x.max() * (x.max() / x.min()) ** 0.17)
    ax.axhline(1.0, color=INK, lw=0.8)
    ax.fill_between(
        x, curve["first"].clip(low), curve["third"].clip(low), color=GREY, alpha=0.3, lw=0
    )
    ax.plot(x, curve["median"].clip(low), color=INK, lw=1.2, ls=(0, (5, 1.5)), marker="s", ms=3)
    ax.fill_between(
        x,
        curve["mean_low"].clip(low),
        curve["mean_high"].clip(low),
        color="#0072B2",
        alpha=0.35,
        lw=0,
    )
    ax.plot(x, curve["mean"].clip(low), color="#0072B2", lw=1.8, marker="o", ms=4)
    last = curve.iloc[-1]
    above = "mean" if last["mean"] >= last["median"] else "median"
    for name, colour in (("mean", "#0072B2"), ("median", INK)):
        ax.annotate(
            f"{name} of {int(last['n']):,} mice" if name == "mean" else "median, middle half",
            (x[-1], max(last[name], low)),
            xytext=(6, 6 if name == above else -6),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    top = curve.loc[curve["mean"].idxmax()]
    ax.annotate(
        f"{number(top['mean'])} at {number(top['fold'])}-fold",
        (top["fold"], top["mean"]),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        color="#0072B2",
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
