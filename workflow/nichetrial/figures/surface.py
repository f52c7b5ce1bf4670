"""Two drugs over a grid of doses: foci, and the excess over the null model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.evidence_inputs import empty
from nichetrial.figures.phase_map import SIGNS
from nichetrial.figures.style import INK, styled, wrapped
from nichetrial.formatting import SURE, interval, number, tick
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = (
    "Heat maps over the doses of two drugs: ratio of visible foci to the reference, and the excess "
    "over the null model."
)
CAPTION = (
    "Left: expected foci over the doses of two drugs, as ratio to the reference in the same mice, "
    "median over particles; the darker, the fewer. Right: what the combination does beyond the "
    "null model of the study, observed minus expected ratio inside each particle. Below zero (dark"
    " blue) is synergy, fewer foci than expected; above (orange) antagonism. A star marks cells "
    "whose sign is the same in at least 90 % of the particles; a dash stands where the null model "
    "has no expectation. One drug alone has no excess. Synergy is judged against a null model: "
    "another null model may judge otherwise."
)
NAMES = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe", "musyc": "MuSyC null"}


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Two maps a surface, in the order of the study; the answer in words above them."""
    table, answers = inputs.comparison(results, "surface"), inputs.comparison(results, "synergy")
    labels = {sweep.name: sweep.label for sweep in study.sweeps}
    if answers.empty:
        figure = Figure(figsize=(4.6, 3.6))
        empty(figure.subplots(), "no grid over the doses of two drugs")
        return figure
    figure = Figure(figsize=(9.2, 4.3 * len(answers)))
    axes = figure.subplots(len(answers), 2, squeeze=False)
    for (left, right), answer in zip(axes, answers.itertuples(), strict=True):
        cells = table[(table["sweep"] == answer.sweep) & (table["null_model"] == answer.null_model)]
        title = wrapped(labels.get(answer.sweep, answer.sweep), 44, 1)
        if cells["ratio"].isna().all():
            empty(left, answer.note)
            right.set_visible(False)
            continue
        top = max(1.0, float(cells["ratio"].max()))
        _map(left, cells, "ratio", answer, ("Blues_r", 0.0, top))
        left.set_title(f"{title}\nfoci, arm / reference")
        size = max(0.05, float(cells["excess"].abs().max())) if cells["excess"].notna().any() else 1
        _map(right, cells, "excess", answer, (SIGNS, -size, size))
        mean = interval(answer.excess, answer.excess_low, answer.excess_high)
        right.set_title(
            f"excess over {NAMES[answer.null_model]}, mean {mean}\n" + wrapped(answer.note, 62, 3)
        )
    return figure


def _map(ax: Axes, cells: pd.DataFrame, column: str, answer, colours) -> None:
    """A grid of cells, each with its number, black or white by the darkness under it."""
    wide = cells.pivot(index="dose_b", columns="dose_a", values=column)
    better = cells.pivot(index="dose_b", columns="dose_a", values="p_better")
    cmap, least, most = colours
    image = ax.imshow(
        np.ma.masked_invalid(wide.to_numpy(float)),
        cmap=cmap,
        vmin=least,
        vmax=most,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    size = 8 if wide.size <= 40 else 6
    for (i, j), value in np.ndenumerate(wide.to_numpy(float)):
        r, g, b, _ = image.cmap(image.norm(value)) if value == value else (1.0, 1.0, 1.0, 1.0)
        dark = 0.299 * r + 0.587 * g + 0.114 * b < 0.5
        text = number(round(value, 3))
        if column == "excess":
            clear = abs(better.iat[i, j] - 0.5) >= SURE - 0.5
            alone = wide.index[i] == 0.0 or wide.columns[j] == 0.0
            text = "" if alone else text + (" *" if clear else "")
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color="white" if dark else INK)
    ax.set_xticks(range(wide.shape[1]), labels=[tick(float(d)) for d in wide.columns])
    ax.set_yticks(range(wide.shape[0]), labels=[tick(float(d)) for d in wide.index])
    ax.set_xlabel(f"{_words(answer.drug_a)} [{answer.unit_a}]")
    ax.set_ylabel(f"{_words(answer.drug_b)} [{answer.unit_b}]")
    ax.tick_params(length=0)


def _words(drug: str) -> str:
    return DRUGS[drug].label if drug in DRUGS else drug
