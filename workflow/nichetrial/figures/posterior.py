"""What the calibration has learned of parameters that nobody has measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nichetrial.figures.evidence_inputs import empty, name_words, table, unit_words
from nichetrial.figures.style import ACCENT, GREY, INK, styled
from nichetrial.formatting import interval, number
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "FIRST", "draw", "unknown"]

ALT = (
    "Range of each unmeasured parameter in the calibrated population over its prior range; the "
    "table of the page has the numbers."
)
CAPTION = (
    "Parameters that nobody has measured, in the full model: the calibrated population (bar from "
    "5 % to 95 %, dot at the median) on the prior's range from its 5 % to its 95 % quantile (grey "
    "band; the axis is logarithmic, linear where a prior reaches zero). The three in orange are "
    "those behind TIMP-1's two signs: where CD63 saturates, where protease is inhibited, how "
    "strongly SDF-1 is induced; the others follow by the information gained (bit). Where a bar "
    "fills its band the calibration has learned nothing: the findings leave that parameter unknown."
)
FIRST = ("cd63_ratio", "mmp_ki", "sdf1_induction")
"""The parameters behind the two signs, shown before all others."""
ROW = 0.25


def unknown(posterior: pd.DataFrame) -> pd.DataFrame:
    """The rows of unmeasured parameters: FIRST, then by information learned."""
    table = posterior[posterior["trust"] == "unknown"]
    order = [FIRST.index(p) if p in FIRST else len(FIRST) for p in table["parameter"]]
    return table.assign(order=order).sort_values(
        ["order", "learned", "parameter"], ascending=[True, False, True], kind="stable"
    )


def place(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where values lie on the prior's range, 0 at its low and 1 at its high end."""
    if low > 0 and high > low:
        return np.log(np.maximum(values, low * 1e-6) / low) / np.log(high / low)
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """No arm of the study is in it, so none can be ``missing``."""
    rows = unknown(table(results, "full/posterior"))
    figure = Figure(figsize=(10.4, 1.3 + ROW * (len(rows) + 1.5)))
    ax = figure.subplots()
    ax.set_xlim(-0.12, 1.12)
    if rows.empty:
        empty(ax, "every parameter is known")
        return figure
    y, ticks = 0.0, []
    first = rows["parameter"].isin(FIRST).sum()
    _right(ax, 1.0, "median (5 % to 95 %)", "prior", "unit", "bit", bold=True)
    for k, row in enumerate(rows.itertuples()):
        if 0 < k == first:
            ax.axhline(y + 0.25, color=GREY, lw=0.6)
            y -= 0.5
        ticks.append(y)
        _row(ax, y, row)
        y -= 1.0
    ax.set_yticks(ticks, labels=[name_words(p) for p in rows["parameter"]])
    for label, name in zip(ax.get_yticklabels(), rows["parameter"], strict=True):
        label.set_fontweight("bold" if name in FIRST else "normal")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(y + 0.4, 0.7)
    ax.set_xticks([0.0, 1.0], labels=["5 %", "95 %"])
    ax.set_xlabel("place on the prior, between its quantiles (logarithmic)")
    shown = {
        "prior": Line2D([], [], color="#dddddd", lw=7),
        "calibrated population": Line2D(
            [], [], color="#0072B2", lw=2.4, marker="o", ms=5, mfc="white", mec="#0072B2"
        ),
    }
    figure.legend(
        list(shown.values()), list(shown), loc="outside lower center", ncols=2, frameon=False
    )
    return figure


def _row(ax: Axes, y: float, row) -> None:
    low, middle, high = np.clip(
        place(np.array([row.low, row.median, row.high]), row.prior_low, row.prior_high),
        *ax.get_xlim(),
    )
    colour = ACCENT if row.parameter in FIRST else "#0072B2"
    ax.plot([0.0, 1.0], [y, y], color="#dddddd", lw=7, solid_capstyle="butt", zorder=1)
    ax.plot([low, high], [y, y], color=colour, lw=2.4, solid_capstyle="butt", zorder=2)
    ax.plot([middle], [y], marker="o", ms=5, mfc="white", mec=colour, mew=1.4, zorder=3)
    _right(
        ax,
        y,
        interval(row.median, row.low, row.high),
        f"{number(row.prior_low)} to {number(row.prior_high)}",
        unit_words(row.unit),
        f"{row.learned:.2f}",
    )


def _right(ax: Axes, y: float, *words: str, bold: bool = False) -> None:
    for text, offset in zip(words, (8, 188, 298, 362), strict=True):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(offset, 0),
            va="center",
            textcoords="offset points",
            fontsize=7.5,
            fontweight="bold" if bold else "normal",
            color=INK,
            annotation_clip=False,
        )
