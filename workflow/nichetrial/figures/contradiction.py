"""The contradiction of TIMP-1: both arms apart, where the sign turns, and what was published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.figures.evidence_inputs import (
    Published,
    empty,
    findings_of,
    log_axis,
    published,
    table,
    turn_words,
)
from nichetrial.figures.style import ACCENT, INK, ArmStyle, spread, styled
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Curves of metastasis against the dose of TIMP-1 for the full model, the niche alone and "
    "protease alone, with the dose at which the sign turns and the published points."
)
CAPTION = (
    "Expected foci of typical mice of the calibrated population against plasma TIMP-1 (fold of "
    "basal, given by the vector), as ratio to the same mouse at basal TIMP-1 (no unit; both axes "
    "logarithmic): median and 90 % band over particles. Niche alone: TIMP-1 inhibits no protease; "
    "protease alone: there is no niche. The bar on the line at 1 marks the dose at which the full "
    "model's sign turns, with the 90 % interval over the particles that turn. Diamonds: published "
    "numbers with their ranges; arrows: published directions; they are findings of the scoreboard "
    "and their experiments differ in times and cells from the curve's. Above 1 more TIMP-1 feeds "
    "metastasis, below 1 it protects; where the full curve follows the niche first and protease "
    "later, one set of parameters holds both published signs."
)
LOOKS = {
    "full": ("full model", ArmStyle(INK, "o", "-")),
    "niche": ("niche alone", ArmStyle("#D55E00", "^", (0, (5, 1.5)))),
    "protease": ("protease alone", ArmStyle("#0072B2", "s", (0, (1.2, 1.2)))),
}
LEAST = 3e-3
"""Ratio below which the axis ends."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """The curves are of the calibrated population, so no arm can be ``missing``."""
    curves, turns = table(results, "dose_arms"), table(results, "turns").iloc[0]
    points = published(findings_of(study))
    figure = Figure(figsize=(8.2, 5.0))
    ax = figure.subplots()
    ax.set_xlabel("plasma TIMP-1, fold of basal")
    ax.set_ylabel("expected foci, ratio to basal TIMP-1")
    known = curves.dropna(subset=["median"])
    if known.empty:
        empty(ax, "no particle with a ratio")
        return figure
    folds = [*known["fold"], *(p.fold for p in points)]
    x0, x1 = min(folds), max(folds)
    ends = known[["low", "median", "high"]].to_numpy(float)
    shown = [v for p in points for v in (p.finding.value, p.finding.low, p.finding.high)]
    every = np.array([*ends.ravel(), *shown, 0.5, 2.0])
    every = every[np.isfinite(every) & (every > 0)]
    low, high = max(every.min() / 1.3, LEAST), every.max() * 1.3
    log_axis(ax, "x", x0 / 1.3, x1 * 1.1)
    ax.set_xlim(x0 / 1.3, x1 * (x1 / x0) ** 0.24)
    log_axis(ax, "y", low, high)
    ax.grid(axis="y")
    ax.axhline(1.0, color=INK, lw=0.8, zorder=2)
    last: list[tuple[str, float, str, str]] = []
    for name, (words, s) in LOOKS.items():
        rows = known[known["mechanism"] == name]
        if rows.empty:
            continue
        x = rows["fold"].to_numpy(float)
        a, b, c = (rows[k].clip(low).to_numpy(float) for k in ("low", "median", "high"))
        ax.fill_between(x, a, c, color=s.colour, alpha=0.16, lw=0, zorder=1)
        ax.plot(x, b, color=s.colour, ls=s.line, marker=s.marker, ms=4, lw=1.7, zorder=4)
        last.append((words, b[-1], s.colour, "bold"))
    _turn(ax, turns)
    last += [(words, y, INK, "normal") for words, y in _points(ax, points, x1 / 3)]
    _names(ax, last, x1)
    return figure


def _names(ax: Axes, last: Sequence[tuple[str, float, str, str]], x: float) -> None:
    """The names of the curves and of the points next to their ends, apart from each other."""
    low, high = np.log(ax.get_ylim())
    wanted = np.log([y for _, y, _, _ in last])
    at = np.exp(spread(wanted, 0.045 * (high - low), low + 0.03 * (high - low), high))
    for (words, _, colour, weight), y in zip(last, at, strict=True):
        ax.annotate(
            words,
            (x, y),
            xytext=(22, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight=weight,
            annotation_clip=False,
        )


def _turn(ax: Axes, turns: pd.Series) -> None:
    words = turn_words(turns)
    if not words:
        ax.annotate(
            "the sign of the median does not turn at these doses",
            (0.02, 0.03),
            xycoords="axes fraction",
            color=ACCENT,
        )
        return
    x0, x1 = ax.get_xlim()
    if not (math.isnan(turns["low"]) or math.isnan(turns["high"])):
        ends = np.clip([turns["low"], turns["high"]], x0, x1)
        ax.plot(ends, [1.0, 1.0], color=ACCENT, lw=3.5, solid_capstyle="butt", zorder=5)
    ax.plot(
        [turns["turns_at"]], [1.0], marker="o", ms=7, color="white", mec=ACCENT, mew=1.8, zorder=6
    )
    y = 0.03
    ax.plot(
        [turns["turns_at"]] * 2,
        [ax.get_ylim()[0], 1.0],
        color=ACCENT,
        lw=0.8,
        zorder=2,
        ls=(0, (4, 2)),
    )
    middle = math.sqrt(x0 * x1)
    side, x = ("right", -5) if turns["turns_at"] > middle / 10 else ("left", 5)
    ax.annotate(
        f"the sign turns at\n{words}",
        (turns["turns_at"], y),
        xytext=(x, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha=side,
        va="bottom",
        color=ACCENT,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        zorder=7,
    )


def _points(ax: Axes, points: Sequence[Published], right: float) -> list[tuple[str, float]]:
    """Published numbers as diamonds, directions as arrows, each with the id of its finding.

    Returns label and height of those at doses beyond ``right``, whose labels have no place yet.
    """
    beside: list[tuple[str, float]] = []
    seen: dict[float, int] = {}
    low, high = ax.get_ylim()
    for p in points:
        f = p.finding
        nth = seen[p.fold] = seen.get(p.fold, -1) + 1
        x = p.fold * 1.25**nth
        label = f"{f.id} ({f.source})"
        if not math.isnan(f.value) or not (math.isnan(f.low) and math.isnan(f.high)):
            a = f.low if math.isfinite(f.low) else low
            b = f.high if math.isfinite(f.high) else high
            ends = np.clip([a, b], low, high)
            ax.plot([x, x], ends, color=INK, lw=1.2, zorder=7)
            y = f.value if math.isfinite(f.value) else math.sqrt(ends[0] * ends[1])
            if math.isfinite(f.value):
                ax.plot(
                    [x],
                    [min(max(y, low), high)],
                    marker="D",
                    ms=6.5,
                    mfc="white",
                    mec=INK,
                    mew=1.3,
                    zorder=8,
                )
            offset, side, v = (-7 - 3 * nth, 0), "right", "center"
            at = min(max(y, low), high)
        else:
            up = f.direction == "up"
            to = 2.0 if up else 0.5
            ax.annotate(
                "",
                (x, to),
                (x, 1.0),
                zorder=8,
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": INK,
                    "lw": 1.6,
                    "shrinkA": 0,
                    "shrinkB": 0,
                    "mutation_scale": 14,
                },
            )
            offset, side, v, at = (0, 3 if up else -3), "center", "bottom" if up else "top", to
        if p.fold > right:
            beside.append((label, at))
            continue
        ax.annotate(
            label,
            (x, at),
            xytext=offset,
            textcoords="offset points",
            ha=side,
            va=v,
            fontsize=7.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
            zorder=9,
        )
    return beside
