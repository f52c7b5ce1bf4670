"""One drug on several schedules: what each does, and when the drug is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, INK, styled, wrapped
from nichetrial.formatting import number
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Foci under each schedule with its interval, and next to it when the drug is given."
CAPTION = (
    "Left: when the drug is given; the line is the arrival of tumour cells. Right: expected foci "
    "over those of the reference in the same mice, median and 90 % interval over particles. Where "
    "schedules of one total dose differ, what counts is how long the drug acts and not how much of"
    " it there is; where their intervals overlap, take the one that is easiest to give."
)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """One row a schedule; sweeps follow each other."""
    table = inputs.comparison(results, "schedules")
    rows = len(table)
    figure = Figure(figsize=(9.0, 1.5 + 0.5 * rows))
    when, effect = figure.subplots(1, 2, sharey=True, width_ratios=(1.2, 1.0))
    effect.axvline(1.0, color=GREY, lw=0.8)
    end, names = 1.0, []
    for k, row in enumerate(table.to_dict("records")):
        y = rows - 1 - k
        arm = study.arm(row["arm"])
        end = max(end, arm.readout.day)
        for t in arm.treatments:
            if t.drug != row["drug"]:
                continue
            if t.method == "pump":
                when.plot([t.start, t.until], [y, y], lw=5, color=INK, solid_capstyle="butt")
            else:
                days = t.doses()
                when.plot(days, np.full(len(days), y), "|", ms=13, mew=1.5, color=INK)
        when.plot([arm.challenge.day] * 2, [y - 0.4, y + 0.4], color=ACCENT, lw=1.5, zorder=1)
        effect.plot([row["ratio_low"], row["ratio_high"]], [y, y], color=INK, lw=1.5)
        effect.plot(row["ratio"], y, "o", color=INK, ms=6)
        effect.annotate(
            f"{number(row['ratio'])}; {row['injections']} × given",
            (row["ratio"], y),
            (0, 7),
            textcoords="offset points",
            fontsize=8,
            ha="center",
        )
        names.append(wrapped(f"{row['label']} ({number(row['total'])} mg/kg in all)", 34, 2))
    when.set_yticks(range(rows - 1, -1, -1), names)
    when.set_ylim(-0.6, rows - 0.2)
    when.set_xlim(-0.3, end + 0.3)
    when.set_xlabel("day; coloured: tumour cells arrive")
    low = min([0.9, *(0.95 * table["ratio_low"])])
    effect.set_xlim(max(0.0, low), max([1.1, *(1.05 * table["ratio_high"])]))
    effect.set_xlabel("foci over the reference")
    return figure
