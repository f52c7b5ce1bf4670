"""How long the mice stay free of detectable metastasis, and below the lethal burden."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, arm_styles, spread, styled, wrapped
from nichetrial.formatting import DASH, number
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Kaplan-Meier curves of every arm over the days of the study: mice without detectable "
    "metastasis, and mice below the lethal burden, with the numbers at risk."
)
CAPTION = (
    "Share of mice without detectable metastasis (left) and below the lethal burden (right) over "
    "the days of the study, by Kaplan and Meier; a mouse without the event is censored when the "
    "follow-up ends. The number at the end of a curve is the row of its arm below, where the mice "
    "still free and observed are counted. A higher curve is a later or rarer event; days gained is"
    " the difference of the mean event-free days up to the end of follow-up, arm - reference in "
    "the same mice: median and 90 % interval over particles, the possible biologies. The band "
    "holds the curves of 90 % of the particles in the reference; those of the other arms are in the"
    " table event_free. All arms have the same particles, so two curves can differ although either"
    " lies in the band of the other. Open marks, where there are any, are "
    "what a lab sees that looks at its mice on the inspection days only: an event counts from the "
    "inspection that finds it."
)
PANELS = {
    "metastasis_free_days": "mice alive and free of detectable metastasis",
    "survival_days": "mice below the lethal burden",
}
CROWDED = 12
"""Arms beyond which the numbers of the curves are left out."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Two panels; the rows of the numbers at risk are the legend of both."""
    curves = inputs.comparison(results, "event_free")
    gains = inputs.comparison(results, "restricted_means")
    below = 0.2 * (len(study.arms) + 1)
    figure = Figure(figsize=(10.0, 3.6 + below))
    axes = figure.subplots(2, 2, sharex=True, height_ratios=(3.2, below))
    end = max(arm.readout.end for arm in study.arms)
    for column, (outcome, title) in enumerate(PANELS.items()):
        mine = curves[curves["outcome"] == outcome]
        by_arm = {str(name): table for name, table in mine.groupby("arm", sort=False)}
        top, rows = axes[:, column]
        _curves(top, study, by_arm, end)
        top.set_title(title)
        _numbers_at_risk(rows, study, by_arm, end, missing, names=column == 0)
        _days_gained(rows, study, gains[gains["outcome"] == outcome])
    return figure


def _curves(ax: Axes, study: ResolvedStudy, curves: dict[str, pd.DataFrame], end: float) -> None:
    styles, crowded = arm_styles(study), len(study.arms) > CROWDED
    ends: list[tuple[float, float, str, str]] = []
    for k, arm in enumerate(study.arms):
        if arm.name not in curves:
            continue
        style, table = styles[arm.name], curves[arm.name]
        always = table[table["view"] == "always"]
        day = always["day"].to_numpy(float)
        ax.step(day, always["free"], where="post", color=style.colour, ls=style.line, lw=1.4)
        if arm.name == study.comparisons.reference:
            ax.fill_between(
                day,
                always["free_low"],
                always["free_high"],
                step="post",
                color=GREY,
                alpha=0.3,
                lw=0,
            )
        seen = table[(table["view"] == "inspected") & (table["day"] > 0)]
        ax.plot(
            seen["day"],
            seen["free"],
            ls="none",
            marker=style.marker,
            ms=4.5,
            mfc="white",
            mec=style.colour,
            mew=0.9,
        )
        ends.append((day[-1], float(always["free"].iloc[-1]), str(k + 1), style.colour))
    ax.set_ylim(-0.02, 1.03)
    ax.set_xlim(0, end)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.0f} %"))
    ax.grid(axis="y")
    for day in sorted({arm.challenge.day for arm in study.arms}):
        ax.axvline(day, color=ACCENT, lw=0.8, ls=(0, (4, 2)), zorder=1)
        ax.annotate(
            "tumour cells",
            (day, 0),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=7,
            color=ACCENT,
        )
    if crowded:
        return
    for (x, y, text, colour), place in zip(
        ends, spread(np.array([e[1] for e in ends]), 0.045, -0.03, 1.0), strict=True
    ):
        ax.annotate(
            text,
            (x, y),
            xytext=(1.05, place),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=colour,
            fontweight="bold",
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _numbers_at_risk(
    ax: Axes,
    study: ResolvedStudy,
    curves: dict[str, pd.DataFrame],
    end: float,
    missing: Sequence[str],
    *,
    names: bool,
) -> None:
    styles = arm_styles(study)
    ticks = [t for t in MaxNLocator(6, integer=True).tick_values(0, end) if 0 <= t <= end]
    for row, arm in enumerate(study.arms):
        y, style = -row, styles[arm.name]
        if arm.name not in curves:
            note = "missing: its jobs failed" if arm.name in missing else "no mouse finished"
            ax.text(0, y, note, va="center", style="italic", color=GREY, fontsize=7)
        else:
            table = curves[arm.name]
            table = table[table["view"] == "always"]
            after = np.searchsorted(table["day"], ticks, side="left")
            for t, k in zip(ticks, after, strict=True):
                text = f"{table['at_risk'].iloc[k]:,}" if k < len(table) else DASH
                ax.text(t, y, text, ha="center", va="center", fontsize=7)
        if not names:
            continue
        ax.annotate(
            "",
            (-0.07, y),
            xytext=(-0.16, y),
            xycoords=("axes fraction", "data"),
            arrowprops={
                "arrowstyle": "-",
                "color": style.colour,
                "lw": 1.6,
                "ls": style.line,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            annotation_clip=False,
        )
        ax.annotate(
            f"{wrapped(arm.label, 30, 1)}  {row + 1}",
            (-0.18, y),
            ha="right",
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            annotation_clip=False,
        )
    ax.set_title("mice still free and observed", fontsize=7.5, color="#555555")
    ax.set_ylim(-len(study.arms) + 0.4, 0.6)
    ax.set_xticks(ticks, labels=[number(t) for t in ticks])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("day of the study")


def _days_gained(ax: Axes, study: ResolvedStudy, gains: pd.DataFrame) -> None:
    """The column at the right of the rows: each arm against its first reference."""
    ax.annotate(
        "days gained",
        (1.07, 1.0),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        fontsize=7.5,
        color="#555555",
    )
    table = gains.set_index(["arm", "reference"])
    rows = {arm.name: k + 1 for k, arm in enumerate(study.arms)}
    several = len({inputs.main_reference(study, arm.name) for arm in study.arms}) > 1
    for row, arm in enumerate(study.arms):
        reference = inputs.main_reference(study, arm.name)
        if (arm.name, reference) in table.index:
            found = table.loc[(arm.name, reference)]
            text = _gain(found["difference"], found["difference_low"], found["difference_high"])
            if several:
                text += f"  vs {rows[reference]}"
        else:
            text = "reference"
        ax.annotate(
            text,
            (1.07, -row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            annotation_clip=False,
        )


def _gain(value: float, low: float, high: float) -> str:
    """``+3.2 (2.8 to 3.6)``, to a tenth of a day."""
    if math.isnan(value):
        return DASH

    def tenth(x: float, plus: str = "") -> str:
        text = f"{x:+.1f}".replace("-", "−").replace("+", plus)
        return "0" if text.strip("+−") == "0.0" else text

    bounds = "" if math.isnan(low) else f" ({tenth(low)} to {tenth(high)})"
    return tenth(value, "+") + bounds
