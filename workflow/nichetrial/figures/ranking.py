"""Which arms are worth it: effect against injections, with the harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, spread, styled, wrapped
from nichetrial.formatting import number, share
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Foci of each arm against its number of injections; those that no other arm beats are filled."
CAPTION = (
    "Effect on foci (median over possible biologies) against the number of injections (a pump is "
    "implanted once), for arms on the mice of the reference; next to each name the lowest blood "
    "neutrophils of its course (median over mice, as a multiple of "
    "basal). Filled: no other arm is at least as good in all three, effect, "
    "injections and neutrophils, and better in one. Choose among these; an open mark has a better "
    "one next to it, named in the table."
)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One mark an arm."""
    table = inputs.comparison(results, "ranking")
    table = table[table["front"] > 0].reset_index(drop=True)
    figure = Figure(figsize=(8.0, 4.2))
    ax = figure.subplots()
    ax.axhline(1.0, color=GREY, lw=0.8)
    right = max(float(table["injections"].max()), 1.0) if len(table) else 1.0
    top = max(1.1, 1.1 * float(table["ratio"].max())) if len(table) else 1.1
    places = spread(table["ratio"].to_numpy(np.float64), 0.065 * top, 0.0, top)
    for row, y in zip(table.to_dict("records"), places, strict=True):
        first = row["front"] == 1
        fill, edge = (ACCENT, ACCENT) if first else ("white", INK)
        shape = "o" if first else "s"
        ax.plot(row["injections"], row["ratio"], shape, ms=8, mfc=fill, mec=edge, zorder=3)
        low = f"; {share(row['neutropenic'])} neutropenic" if row["neutropenic"] > 0 else ""
        ax.annotate(
            f"{wrapped(row['label'], 34, 1)} (neutrophils {number(row['nadir'])}{low})",
            (row["injections"], row["ratio"]),
            (1.08 * right, y),
            fontsize=8,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5},
            annotation_clip=False,
        )
    ax.set_xlim(-0.05 * right, 1.05 * right)
    ax.set_ylim(0.0, top)
    ax.set_xlabel("injections")
    ax.set_ylabel("foci over the reference")
    return figure
