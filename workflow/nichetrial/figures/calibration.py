"""How the calibration went: distance, share that meets all findings, acceptance, effective size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from nichetrial.figures.evidence_inputs import name_words, table, variant_styles
from nichetrial.figures.style import styled
from nichetrial.formatting import tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Four panels over the generations of the calibration, a line a variant: distance limit, share "
    "of particles that meet all findings, acceptance, effective sample size."
)
CAPTION = (
    "The calibration of each variant, generation by generation (0: draws from the priors). "
    "Distance limit: the sum over the fitted findings of how far, as a factor, the simulated "
    "experiment may lie outside what was published (logarithms, no unit; 0 where all are met). "
    "Share meeting all: particles whose experiment meets every fitted finding. Acceptance: share "
    "of the steps tried that were taken. Effective sample size: copies count together. "
    "A finding missed by a hair, such as a ratio of 1 where a rise was published, adds next to "
    "nothing to the distance, but is not met. A variant whose share stays near 0 cannot meet all "
    "findings at once; an effective size far below the number of particles would mean that the "
    "population rests on few distinct points."
)
PANELS = {
    "limit": "distance limit",
    "met": "share meeting all findings",
    "acceptance": "acceptance (share of steps)",
    "effective": "effective sample size (particles)",
}
SMALL = 0.01
"""Distances below are on a linear scale, so that 0 has a place."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """No arm of the study is in it, so none can be ``missing``."""
    variants = study.calibration.variants
    curves = {v: table(results, f"{v}/generations") for v in variants}
    styles = variant_styles(variants)
    figure = Figure(figsize=(7.5, 5.6))
    axes = figure.subplots(2, 2, sharex=True).ravel()
    for ax, (column, words) in zip(axes, PANELS.items(), strict=True):
        largest = 0.0
        for variant, curve in curves.items():
            s, y = styles[variant], curve[column].to_numpy(float)
            known = np.isfinite(y)
            largest = max([largest, *y[known].tolist()])
            ax.plot(
                curve["generation"].to_numpy()[known],
                y[known],
                color=s.colour,
                ls=s.line,
                marker=s.marker,
                ms=4,
                lw=1.3,
                clip_on=False,
                label=name_words(variant),
            )
        ax.set_title(words)
        ax.grid(axis="y")
        if column == "limit":
            ax.set_yscale("symlog", linthresh=SMALL)
            ax.set_yticks([0.0, *(10.0**k for k in range(-2, 4) if 10.0**k <= 2 * largest)])
            ax.yaxis.set_minor_locator(NullLocator())
            ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v)))
            ax.set_ylim(0.0, max(1.3 * largest, 2 * SMALL))
        else:
            ax.set_ylim(0.0, 1.0 if column != "effective" else max(1.05 * largest, 1.0))
    for ax in axes[2:]:
        ax.set_xlabel("generation")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(
        *axes[3].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(variants), 6),
        frameon=False,
    )
    return figure
