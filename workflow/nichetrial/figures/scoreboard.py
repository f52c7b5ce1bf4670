"""Scoreboard: each published finding against each variant of the model, hit or miss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from nichetrial.evidence.findings import Finding
from nichetrial.figures.evidence_inputs import (
    findings_of,
    log_axis,
    name_words,
    published_words,
    statistic_words,
    table,
)
from nichetrial.figures.style import GREY, INK, styled, wrapped
from nichetrial.formatting import interval
from nichetrial.model.variants import FULL
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Grid of published findings against variants of the model, hit or miss, and the full model's "
    "prediction next to what was published; the tables of the page say the same."
)
CAPTION = (
    "Left: each finding (row) and each variant of the model (column), after the variant was "
    "calibrated on set A: dark with a tick, hit; pale with a cross, miss. Set B was never fitted, "
    "only predicted; the headings count the hits. Right: median and 90 % predictive interval of "
    "the full model over simulated experiments (filled: hit, open: miss), against what was "
    "published: a diamond for a number, a grey bar for its range, an arrow where only the "
    "direction is known. Ratios have a logarithmic axis without unit, cut where an interval ends "
    "in an arrow head; other quantities stand as numbers. A row that the full model hits and "
    "a variant misses needs the mechanism which that variant lacks; a row that all hit tells "
    "nothing of the mechanism."
)
HIT, MISS, PUBLISHED = "#0072B2", "#f6dcc8", "#b8b8b8"
LIMITS = (0.02, 20.0)
"""Ratios beyond are cut: one odd interval must not squeeze all others."""
SETS = {"A": "Set A: fitted", "B": "Set B: predicted only"}
CELL, ROW = 0.32, 0.33
"""Inches."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """No arm of the study is in it, so none can be ``missing``."""
    whole, findings = table(results, "scoreboard"), findings_of(study)
    variants = list(dict.fromkeys(whole["variant"]))
    ids = list(dict.fromkeys(whole["finding"]))
    sets = [s for s in SETS if s in set(whole["set"])]
    height = ROW * (len(ids) + 1.2 * len(sets)) + 1.9
    figure = Figure(figsize=(11.2, height))
    grid, right = figure.subplots(
        1, 2, sharey=True, width_ratios=[CELL * len(variants), 2.7], gridspec_kw={"wspace": 0.02}
    )
    full = whole[whole["variant"] == FULL].set_index("finding")
    low, high = _limits(full)
    log_axis(right, "x", low, high)
    y, ticks, names = 0.0, [], []
    for s in sets:
        _heading(grid, right, y, s, whole, variants)
        for name in [i for i in ids if whole.loc[whole["finding"] == i, "set"].iloc[0] == s]:
            y -= 1.0
            rows = whole[whole["finding"] == name].set_index("variant")
            ticks.append(y)
            names.append(wrapped(f"{name}  {rows['what'].iloc[0]}", 56, 2))
            for x, variant in enumerate(variants):
                _cell(grid, x, y, rows["verdict"].get(variant, ""))
            if name in full.index:
                _prediction(right, y, full.loc[name], findings.get(name))
        y -= 1.2
    grid.set_yticks(ticks, labels=names, fontsize=7)
    grid.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0, labelleft=False)
    grid.set_xticks(
        range(len(variants)),
        labels=[name_words(v) for v in variants],
        rotation=55,
        ha="left",
        rotation_mode="anchor",
    )
    grid.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    grid.set_xlim(-0.55, len(variants) - 0.45)
    grid.set_ylim(y + 0.5, 0.6)
    for ax in (grid, right):
        ax.spines["left"].set_visible(False)
    grid.spines["bottom"].set_visible(False)
    right.axvline(1.0, color=INK, lw=0.8, zorder=1)
    right.grid(axis="x")
    right.set_xlabel("full model: ratio of the arm to its reference (median, 90 % interval)")
    _legend(figure)
    return figure


def _limits(full: pd.DataFrame) -> tuple[float, float]:
    """Axis limits around predictions and published numbers of the ratios, within LIMITS."""
    ratios = full[full["statistic"].str.startswith("ratio ")]
    columns = ["predicted", "low", "high", "published", "published_low", "published_high"]
    ends = ratios[columns].to_numpy(float).ravel()
    ends = ends[(ends > 0) & (ends < math.inf)]
    low, high = min([0.5, *ends.tolist()]) / 1.3, max([2.0, *ends.tolist()]) * 1.3
    return max(low, LIMITS[0]), min(high, LIMITS[1])


def _heading(
    grid: Axes, right: Axes, y: float, s: str, whole: pd.DataFrame, variants: list[str]
) -> None:
    of = whole[whole["set"] == s]
    grid.annotate(
        SETS[s],
        (0.0, y),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontweight="bold",
    )
    for x, variant in enumerate(variants):
        rows = of[of["variant"] == variant]
        hits = int((rows["verdict"] == "hit").sum())
        grid.text(x, y, f"{hits}/{len(rows)}", ha="center", va="center", fontsize=6.5)
    _right(right, y, "predicted", "published", bold=True)


def _cell(ax: Axes, x: float, y: float, verdict: str) -> None:
    hit = verdict == "hit"
    if not verdict:
        return
    ax.add_patch(
        Rectangle((x - 0.44, y - 0.42), 0.88, 0.84, fc=HIT if hit else MISS, ec=GREY, lw=0.4)
    )
    ax.text(
        x,
        y - 0.03,
        "✓" if hit else "✗",
        ha="center",
        va="center",
        fontsize=9,
        color="white" if hit else INK,
    )


def _prediction(ax: Axes, y: float, row: pd.Series, f: Finding | None) -> None:
    numbers = [float(row[k]) for k in ("published", "published_low", "published_high")]
    ratio = str(row["statistic"]).startswith("ratio ")
    given = interval(row["predicted"], row["low"], row["high"])
    _right(ax, y, given, published_words(f, *numbers))
    if not ratio:
        _note(ax, y, f"no ratio: {statistic_words(str(row['statistic']))}")
        return
    low, high = ax.get_xlim()
    _published(ax, y, numbers, f)
    if math.isnan(row["predicted"]):
        _note(ax, y, "no simulated experiment gave a number")
        return

    def inside(x: float) -> float:
        return min(max(x, low), high)

    hit = row["verdict"] == "hit"
    ax.plot(
        [inside(row["low"]), inside(row["high"])],
        [y, y],
        color=HIT,
        lw=1.6,
        zorder=4,
        solid_capstyle="butt",
    )
    marks: dict[str, Any] = {"color": HIT, "ls": "none", "clip_on": False, "zorder": 5}
    if row["low"] < low:
        ax.plot([low], [y], marker="<", ms=5, **marks)
    if row["high"] > high:
        ax.plot([high], [y], marker=">", ms=5, **marks)
    ax.plot(
        [inside(row["predicted"])],
        [y],
        marker="o",
        ms=5.5,
        mec=HIT,
        mew=1.3,
        mfc=HIT if hit else "white",
        **marks,
    )


def _published(ax: Axes, y: float, numbers: list[float], f: Finding | None) -> None:
    """Number, range or direction, a little above the prediction."""
    value, least, most = numbers
    low, high = ax.get_xlim()
    if not (math.isnan(least) and math.isnan(most)):
        a = low if math.isnan(least) else min(max(least, low), high)
        b = high if math.isnan(most) else min(max(most, low), high)
        ax.plot([a, b], [y, y], color=PUBLISHED, lw=6, solid_capstyle="butt", zorder=2)
    elif f and f.direction in ("up", "down"):
        to = 1.35 if f.direction == "up" else 1 / 1.35
        to = min(max(to, low), high)
        ax.annotate(
            "",
            (to, y + 0.3),
            (1.0, y + 0.3),
            zorder=3,
            arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0},
        )
    if not math.isnan(value):
        ax.plot(
            [min(max(value, low), high)],
            [y],
            marker="D",
            ms=5.5,
            mfc="white",
            mec=INK,
            mew=1.0,
            ls="none",
            zorder=6,
            clip_on=False,
        )


def _note(ax: Axes, y: float, text: str) -> None:
    ax.annotate(
        text,
        (0.0, y),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        fontsize=7,
        textcoords="offset points",
        va="center",
        style="italic",
        color="#555555",
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def _right(ax: Axes, y: float, first: str, second: str, *, bold: bool = False) -> None:
    """The two columns of numbers at the right of a row."""
    for text, offset in ((first, 8), (second, 158)):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(offset, 0),
            va="center",
            textcoords="offset points",
            fontsize=7,
            fontweight="bold" if bold else "normal",
        )


def _legend(figure: Figure) -> None:
    line: dict[str, Any] = {
        "color": HIT,
        "lw": 1.6,
        "marker": "o",
        "mec": HIT,
        "mew": 1.3,
        "ms": 5.5,
    }
    shown: Mapping[str, Any] = {
        "✓ hit": Patch(fc=HIT, ec=GREY, lw=0.4),
        "✗ miss": Patch(fc=MISS, ec=GREY, lw=0.4),
        "predicted, hit": Line2D([], [], mfc=HIT, **line),
        "predicted, miss": Line2D([], [], mfc="white", **line),
        "published number": Line2D([], [], marker="D", mfc="white", mec=INK, ls="none", ms=5.5),
        "published range": Line2D([], [], color=PUBLISHED, lw=6),
        "published direction": Line2D([], [], color=INK, marker=r">", ms=5, lw=0.9),
    }
    figure.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        ncols=7,
        frameon=False,
        fontsize=7,
        handlelength=1.6,
        columnspacing=1.2,
    )
