"""Where the uncertainty of each effect comes from, and what more mice would buy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, styled, wrapped
from nichetrial.formatting import share
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Stacked bars: shares of the variance of each effect on foci that come from unknown "
    "parameters, from differences between mice and from luck; next to them the error of the "
    "effect with 8, with 20 and with any number of mice per group."
)
CAPTION = (
    "An experiment finds the ratio of visible foci in two groups; the scale is the logarithm of "
    "that ratio. Left: where its variance comes from, with 8 mice per group: what nobody knows "
    "(parameters), which mice are in the groups, and luck, the counting of few foci. Right: its "
    "standard error with 8 and with 20 mice per group, and the floor that no number of mice gets "
    "below, because parameters stay unknown; the cross is the size of the effect (an error of "
    "0.7 is a factor of 2). Where the marks lie close to the floor, more mice buy little: measure "
    "what is unknown instead. Where they lie far to its right, more mice help. A cross left of the "
    "floor: the effect is not known to better than itself, however many mice one plans; its "
    "direction can be sure all the same, which mice needed tells."
)
PARTS = {
    "parameters": ("parameters: what nobody knows", "#0072B2", ""),
    "mice": ("between mice", "#E69F00", "////"),
    "luck": ("luck", "#bbbbbb", "...."),
}
"""Part -> its name, colour and hatch; dark, middle and light, so that grey tells them apart."""
MARKS = {
    "error_floor": ("floor: any number of mice", "|", INK, INK),
    "error_20": ("20 mice per group", "o", INK, INK),
    "error_8": ("8 mice per group", "o", "white", INK),
    "effect": ("size of the effect", "x", ACCENT, ACCENT),
}


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One row a comparison: stacked shares at the left, errors at the right."""
    table = inputs.comparison(results, "uncertainty")
    rows = len(table)
    figure = Figure(figsize=(9.0, 1.9 + 0.27 * rows))
    shares, errors = figure.subplots(1, 2, sharey=True)
    labels = {arm.name: arm.label for arm in study.arms}
    references = set(table["reference"])
    names = []
    for k, row in enumerate(table.to_dict("records")):
        name = labels[row["arm"]]
        if len(references) > 1:
            name = f"{wrapped(name, 24, 1)} vs {wrapped(labels[row['reference']], 16, 1)}"
        names.append(wrapped(name, 42, 1))
        _row(shares, errors, -k, row, missing)
    shares.set_yticks([-k for k in range(rows)], labels=names)
    shares.tick_params(axis="y", length=0)
    shares.set_ylim(-rows + 0.4, 0.6)
    shares.set_xlim(0, 1)
    shares.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.0f} %"))
    shares.set_xlabel("share of the variance of the effect")
    errors.set_xlim(left=0)
    errors.xaxis.set_major_locator(MaxNLocator(5))
    errors.set_xlabel("standard error of the log ratio")
    errors.grid(axis="x")
    errors.tick_params(axis="y", length=0)
    errors.spines["left"].set_visible(False)
    _legends(shares, errors)
    if len(references) == 1:
        reference = wrapped(labels[next(iter(references))], 40, 1)
        figure.suptitle(f"ratio of visible foci, over {reference}", fontsize=9, x=0.01, ha="left")
    else:
        figure.suptitle("ratio of visible foci", fontsize=9, x=0.01, ha="left")
    return figure


def _row(
    shares: Axes, errors: Axes, y: float, row: dict[Hashable, Any], missing: Sequence[str]
) -> None:
    note = ""
    if row["arm"] in missing:
        note = "missing: its jobs failed"
    elif row["reference"] in missing:
        note = "its reference is missing"
    elif pd.isna(row["share_luck"]):
        note = "not known: too few mice, or no foci"
    if note:
        shares.text(0.02, y, note, va="center", style="italic", color=GREY, fontsize=7.5)
        return
    left = 0.0
    for part, (_, colour, hatch) in PARTS.items():
        width = row[f"share_{part}"]
        shares.barh(y, width, left=left, height=0.72, color=colour, hatch=hatch, ec="white", lw=0.4)
        if width >= 0.09:
            plain = part == "parameters"
            shares.text(
                left + width / 2,
                y,
                share(width),
                ha="center",
                va="center",
                fontsize=7,
                color="white" if plain else INK,
                bbox=None if plain else {"fc": colour, "ec": "none", "pad": 0.8},
            )
        left += width
    errors.plot([row["error_floor"], row["error_8"]], [y, y], color=GREY, lw=0.9, zorder=2)
    for column in MARKS:
        errors.plot(
            [abs(row[column])],
            [y],
            ls="none",
            clip_on=False,
            zorder=4 if column == "error_8" else 3,
            **_mark(column),
        )


def _legends(shares: Axes, errors: Axes) -> None:
    bars = [
        Patch(fc=colour, hatch=hatch, ec="white", lw=0.4, label=name)
        for name, colour, hatch in PARTS.values()
    ]
    marks = [
        Line2D([], [], ls="none", label=name, **_mark(column))
        for column, (name, *_) in MARKS.items()
    ]
    for ax, handles in ((shares, bars), (errors, marks)):
        ax.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            frameon=False,
            fontsize=7.5,
            handlelength=1.4,
            borderpad=0.0,
        )


def _mark(column: str) -> dict[str, Any]:
    _, marker, face, edge = MARKS[column]
    floor = marker == "|"
    return {
        "marker": marker,
        "mfc": face,
        "mec": edge,
        "ms": 9 if floor else 5,
        "mew": 2.0 if floor else 1.1,
    }
