"""The picture of the three levels of uncertainty in docs/planning.md.

    python -m tests.benchmarks.levels

Simulates AMD3100 and its reference of the default study, and writes docs/images/levels.png.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import sample
from nichetrial.figures.style import ACCENT, INK, styled
from nichetrial.study.load import load
from nichetrial.trial.simulate import simulate

PICTURE = Path("docs/images/levels.png")
ARM, REFERENCE = "amd3100", "timp1_high"
PARTICLES, MICE, LUCK = 250, 60, 400
SHOWN = ((0.1, "#0072B2"), (0.5, INK), (0.9, ACCENT))
"""Particles that are looked into: their place among all, by ratio, and their colour."""


def _ratio_axis(ax: Axes, title: str) -> None:
    ax.axvline(1.0, color="#8c8c8c", lw=0.8)
    ax.set_xscale("log")
    ax.set_xlim(0.2, 3.0)
    ax.set_xticks([0.25, 0.5, 1.0, 2.0], ["0.25", "0.5", "1", "2"])
    ax.set_xticks([], minor=True)
    ax.set_yticks([])
    ax.set_xlabel("foci with AMD3100 / without")
    ax.set_title(title, fontsize=9)


@styled
def draw() -> Figure:
    """Particles, the mice of three of them, and the foci of one mouse under other luck."""
    study = load("config.yaml")
    arms = study.arm(ARM), study.arm(REFERENCE)
    mice = sample(
        seed=study.seed,
        first=0,
        last=PARTICLES - 1,
        mice=MICE,
        overrides={},
        population=particles_of("calibrated"),
    ).mice
    foci = [
        simulate(arm, mice, seed=study.seed)
        .outcomes["expected_foci"]
        .to_numpy()
        .reshape(PARTICLES, MICE)
        for arm in arms
    ]
    ratio = foci[0].mean(axis=1) / foci[1].mean(axis=1)
    order = np.argsort(ratio)
    chosen = [(int(order[round(place * (PARTICLES - 1))]), colour) for place, colour in SHOWN]
    figure = Figure(figsize=(9.6, 2.9))
    left, middle, right = figure.subplots(1, 3)
    _ratio_axis(left, f"what nobody knows: {PARTICLES} particles")
    left.plot(ratio[order], np.arange(PARTICLES), ".", ms=3, color="#8c8c8c")
    _ratio_axis(middle, f"how mice differ: {MICE} mice of three particles")
    for row, (k, colour) in enumerate(chosen):
        left.plot(ratio[k], np.flatnonzero(order == k), "o", ms=6, color=colour)
        places = row + 0.3 * np.linspace(-1, 1, MICE)
        with np.errstate(invalid="ignore"):  # a mouse that expects nothing has no ratio
            each = foci[0][k] / foci[1][k]
        middle.plot(each, places, ".", ms=4, color=colour, alpha=0.7)
        middle.plot([ratio[k]] * 2, [row - 0.4, row + 0.4], color=colour, lw=1.5)
    one = mice[(mice["particle"] == chosen[1][0]) & (mice["animal"] == 0)]
    counts = [simulate(arms[0], one, seed=k).outcomes["foci"].iloc[0] for k in range(LUCK)]
    right.hist(counts, bins=20, color=INK, alpha=0.6)
    right.set_yticks([])
    right.set_xlabel("visible foci with AMD3100")
    right.set_title(f"luck: one mouse, {LUCK} times", fontsize=9)
    return figure


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=130)
    print(f"written: {PICTURE}")
