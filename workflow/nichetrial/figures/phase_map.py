"""The sign of TIMP-1 over the two parameters that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from nichetrial.figures.evidence_inputs import empty, log_axis, table
from nichetrial.figures.style import INK, styled
from nichetrial.formatting import number, share
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Map of the share of particles with more foci at high TIMP-1 over CD63 affinity and protease "
    "inhibition, with the calibrated population as points."
)
CAPTION = (
    "Share of particles with more foci at the fold of TIMP-1 above each map than at basal TIMP-1, "
    "where the two parameters of the axes are set to the values shown and all others are "
    "those of calibrated particles. Across: TIMP-1 that half-saturates CD63, as multiple of basal; "
    "up: TIMP-1 that halves free protease (nM); both logarithmic, over their priors. Dark blue: "
    "fewer foci, orange: more; the line, if there is one, is where as many particles rise as fall. "
    "Points: the calibrated population; the cross: its medians. Where points lie on both sides, "
    "measuring these two parameters would settle the sign of TIMP-1 at this dose; if they lie on "
    "one side only, the sign at this dose does not hang on these two."
)
SIGNS = LinearSegmentedColormap.from_list(
    "signs",
    [(0.0, "#0b3c6f"), (0.25, "#6f9cc4"), (0.5, "#f4f4f4"), (0.75, "#f0a860"), (1.0, "#d97a1a")],
)
"""Blue to orange through white; blue is the darker, so that grey prints keep the sides apart."""


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """The map is of the calibrated population, so no arm can be ``missing``."""
    cells, particles = table(results, "phase_map"), table(results, "full/population")
    folds = sorted(cells["fold"].unique())
    figure = Figure(figsize=(4.6 * max(len(folds), 1.3), 5.0))
    if not folds:
        empty(figure.subplots(), "no point of the map")
        return figure
    axes = figure.subplots(1, len(folds), sharey=True, squeeze=False)[0]
    turning = False
    for ax, fold in zip(axes, folds, strict=True):
        mesh, turns = _map(ax, cells[cells["fold"] == fold], particles)
        ax.set_title(f"{number(float(fold))}-fold TIMP-1")
        turning = turning or turns
    axes[0].set_ylabel("TIMP-1 that halves free protease [nM]")
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label("share of particles with more foci than at basal TIMP-1")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: share(v)))
    bar.ax.axhline(0.5, color=INK, lw=1.6)
    bar.outline.set_linewidth(0.6)
    line = {"as many rise as fall": Line2D([], [], color=INK, lw=1.6)} if turning else {}
    shown = line | {
        "calibrated population": Line2D([], [], color=INK, marker="o", ms=2.5, ls="none"),
        "its medians": Line2D([], [], marker="P", ms=9, mfc="white", mec=INK, ls="none"),
    }
    figure.legend(
        list(shown.values()), list(shown), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def _map(ax: Axes, cells: pd.DataFrame, particles: pd.DataFrame) -> tuple[QuadMesh, bool]:
    """One map; the coloured cells, and whether the sign turns on it."""
    ax.set_xlabel("TIMP-1 that half-saturates CD63, multiple of basal")
    wide = cells.pivot(index="mmp_ki", columns="cd63_ratio", values="share_up")
    x, y, z = wide.columns.to_numpy(float), wide.index.to_numpy(float), wide.to_numpy(float)
    across, up = _edges(x), _edges(y)
    log_axis(ax, "x", across[0], across[-1])
    log_axis(ax, "y", up[0], up[-1])
    mesh = ax.pcolormesh(across, up, z, cmap=SIGNS, vmin=0.0, vmax=1.0, rasterized=True)
    turning = min(z.shape) > 1 and np.nanmin(z) < 0.5 < np.nanmax(z)
    if turning:
        ax.contour(x, y, z, levels=[0.5], colors=[INK], linewidths=1.6)
    ax.scatter(particles["cd63_ratio"], particles["mmp_ki"], s=5, c=INK, alpha=0.45, lw=0, zorder=3)
    ax.plot(
        [particles["cd63_ratio"].median()],
        [particles["mmp_ki"].median()],
        marker="P",
        ms=11,
        mfc="white",
        mec=INK,
        mew=1.2,
        ls="none",
        zorder=4,
    )
    return mesh, turning


def _edges(at: np.ndarray) -> np.ndarray:
    """Borders between points on a logarithmic axis, half a step beyond the ends."""
    log = np.log(at)
    step = np.diff(log) if len(log) > 1 else np.array([1.0])
    middle = log[:-1] + step / 2 if len(log) > 1 else np.empty(0)
    return np.exp(np.concatenate([[log[0] - step[0] / 2], middle, [log[-1] + step[-1] / 2]]))
