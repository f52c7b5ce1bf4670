"""Which parameters decide an outcome: total Sobol indices over the priors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nichetrial.figures.evidence_inputs import empty, name_words, table
from nichetrial.figures.style import INK, styled, wrapped
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Bars: the parameters with the largest total Sobol index, for the foci of the reference and "
    "for each treatment effect; unmeasured ones are marked."
)
CAPTION = (
    "Total Sobol index of the parameters that matter most, with its 95 % confidence interval: the "
    "share of the variance of the logarithm of expected foci (first panel), or of their ratio (the "
    "others), that would go if the parameter were known (no unit). Dark and hatched, with a "
    "question mark: nobody has measured it. Indices are over the priors, so they tell what one "
    "would have to measure, not what the calibration has left open. An unmeasured parameter at the "
    "head of a panel is the measurement that would settle most of that conclusion."
)
MOST = 6
"""Parameters a panel."""
UNKNOWN, KNOWN = "#b03a00", "#9fc5e0"


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Indices are over the priors of all arms, so none can be ``missing``."""
    whole = table(results, "sobol")
    labels = {arm.name: arm.label for arm in study.arms}
    groups = list(whole.groupby(["arm", "reference"], sort=False))
    rows = max(-(-len(groups) // 2), 1)
    figure = Figure(figsize=(8.6, 0.7 + 1.75 * rows))
    axes = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
    if not groups:
        empty(axes[0], "no quantity varies")
        axes[1].set_visible(False)
        return figure
    largest = max(1.0, float((whole["total"] + whole["total_conf"].fillna(0.0)).max()))
    for ax, ((arm, reference), found) in zip(axes, groups, strict=False):
        arm, reference = str(arm), str(reference)
        title = f"foci of {labels.get(arm, arm)}"
        if reference:
            title = f"{labels.get(arm, arm)} against {labels.get(reference, reference)}"
        _panel(ax, wrapped(title, 50, 2), found.head(MOST))
        ax.set_xlim(0.0, min(1.05 * largest, 1.5))
    for ax in axes[len(groups) :]:
        ax.set_visible(False)
    for ax in axes[max(len(groups) - 2, 0) : len(groups)]:
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("total Sobol index (share of variance)")
    shown = {
        "not measured (?)": Patch(fc=UNKNOWN, ec="white", hatch="////"),
        "measured or estimated": Patch(fc=KNOWN, ec=INK, lw=0.4),
    }
    figure.legend(
        list(shown.values()), list(shown), loc="outside lower center", ncols=2, frameon=False
    )
    return figure


def _panel(ax: Axes, title: str, found: pd.DataFrame) -> None:
    at = -np.arange(len(found), dtype=float)
    total = found["total"].to_numpy(float)
    unsure = found["total_conf"].fillna(0.0).to_numpy(float)
    unknown = (found["trust"] == "unknown").to_numpy()
    for y, value, open_ in zip(at, total, unknown, strict=True):
        ax.barh(
            y,
            max(value, 0.0),
            height=0.72,
            fc=UNKNOWN if open_ else KNOWN,
            ec="white" if open_ else INK,
            lw=0.4,
            hatch="////" if open_ else None,
        )
    ends = np.clip([total - unsure, total + unsure], 0.0, None)
    for y, low, high in zip(at, *ends, strict=True):
        ax.plot([low, high], [y, y], color="white", lw=3.0, zorder=3)
        ax.plot([low, high], [y, y], color=INK, lw=1.1, zorder=4)
    names = [
        name_words(p) + (" ?" if u else "")
        for p, u in zip(found["parameter"], unknown, strict=True)
    ]
    ax.set_yticks(at, labels=names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-MOST + 0.4, 0.6)
    ax.set_title(wrapped(title, 34))
    ax.grid(axis="x")
