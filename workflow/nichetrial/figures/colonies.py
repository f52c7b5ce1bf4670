"""How large the colonies are at read-out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nichetrial.figures import inputs
from nichetrial.figures.style import ACCENT, GREY, arm_styles, styled, wrapped
from nichetrial.formatting import share, tick
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["ALT", "CAPTION", "draw"]

ALT = "Small multiples: size distribution of the colonies at read-out in every arm."
CAPTION = (
    "Colonies by size at read-out (cells, logarithmic), as colonies per mouse in each class of "
    "size (four classes a decade; logarithmic). Filled: the arm; grey outline: its reference. "
    "Upright line: the size from which a colony is seen. A treatment that stops colonies from "
    "being founded lowers the whole shape; one that slowed or delayed growth would shift it to "
    "the left, out of sight but not out of the liver. The number is the share of living "
    "colonies that is seen."
)


@styled
def draw(study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """A panel an arm, all on the same axes."""
    there = {arm.name for arm in inputs.present(study, missing)}
    sizes = {name: inputs.colonies(study, results, name) for name in sorted(there)}
    counts = inputs.comparison(results, "arms")
    mice = dict(zip(counts["arm"], counts["finished"], strict=True))
    rates = {
        n: s.assign(rate=s["colonies"] / mice[n] if mice[n] else 0.0) for n, s in sizes.items()
    }
    filled = [r[r["rate"] > 0] for r in rates.values()]
    every = pd.concat(filled) if filled else pd.DataFrame({"rate": [], "size_high": []})
    top = float(every["rate"].max()) * 5 if len(every) else 1.0
    bottom = float(every["rate"].min()) / 2 if len(every) else 0.01
    visible = max(arm.readout.visible_cells for arm in study.arms)
    right = max(2 * float(every["size_high"].max()) if len(every) else 10.0, visible * 10)
    styles = arm_styles(study)
    columns = min(4 if len(study.arms) <= 12 else 6, len(study.arms))
    rows = math.ceil(len(study.arms) / columns)
    figure = Figure(figsize=(2.4 * columns if columns > 2 else 6, 0.7 + 1.75 * rows))
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, arm in zip(axes.flat, study.arms, strict=False):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(1, right)
        ax.set_ylim(bottom, top)
        ax.set_title(wrapped(arm.label, 26, 2), fontsize=8)
        ax.axvline(arm.readout.visible_cells, color=ACCENT, lw=0.8, ls=(0, (4, 2)))
        if arm.name not in there or not mice[arm.name]:
            note = "no mouse finished" if arm.name in there else "missing: its jobs failed"
            ax.text(0.04, 0.9, note, transform=ax.transAxes, style="italic", color=GREY, fontsize=7)
            continue
        style = styles[arm.name]
        _steps(ax, rates[arm.name], bottom, color=style.colour, alpha=0.55, fill=True, lw=0)
        other = inputs.main_reference(study, arm.name)
        if other in there and other != arm.name:
            _steps(ax, rates[other], bottom, color="#555555", lw=0.9, fill=False)
        own = sizes[arm.name]
        total = int(own["colonies"].sum())
        seen = own.loc[own["size_low"] >= arm.readout.visible_cells * 0.999, "colonies"].sum()
        note = f"{share(seen / total)} seen" if total else "no colony"
        ax.text(0.96, 0.95, note, transform=ax.transAxes, ha="right", va="top", fontsize=7)
    for ax in list(axes.flat)[len(study.arms) :]:
        ax.set_visible(False)
    for index, ax in enumerate(list(axes.flat)[: len(study.arms)]):
        ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(0, 13, 2)]))
        decades = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
        step = 2 if len(decades) > 6 else 1
        ax.yaxis.set_major_locator(FixedLocator([10.0**k for k in decades if k % step == 0]))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _power(v)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v)))
        ax.tick_params(labelsize=7, labelbottom=index + columns >= len(study.arms))
    figure.supxlabel("colony size at read-out [cells]", fontsize=8.5)
    figure.supylabel("colonies per mouse and class of size", fontsize=8.5)
    return figure


def _steps(ax: Axes, rates: pd.DataFrame, bottom: float, **looks: object) -> None:
    if rates.empty:
        return
    edges = np.append(rates["size_low"].to_numpy(float), float(rates["size_high"].iloc[-1]))
    ax.stairs(np.maximum(rates["rate"].to_numpy(float), bottom), edges, baseline=bottom, **looks)  # type: ignore[arg-type]


def _power(value: float) -> str:
    """``10000 -> 10⁴``."""
    power = round(math.log10(value)) if value > 0 else 0
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
