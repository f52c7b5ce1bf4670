"""The benchmark's two figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from nichetrial.figures.style import ACCENT, GREY, save, styled

__all__ = ["precision", "speeds"]

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#7a6a00", "#555555")
MARKERS = "osD^vP"


def speeds(
    speed: Mapping[str, float], ratios: Mapping[str, float], error: float, target: Path
) -> None:
    """Bars of trajectories a second; who has no ratio is the engine."""

    @styled
    def draw() -> Figure:
        names = sorted(speed, key=speed.__getitem__)
        figure = Figure(figsize=(6.5, 0.8 + 0.27 * len(names)))
        axes = figure.add_subplot()
        colours = [GREY if name in ratios else ACCENT for name in names]
        axes.barh(range(len(names)), [speed[n] for n in names], color=colours, height=0.7)
        axes.set_yticks(range(len(names)), labels=names)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        for place, name in enumerate(names):
            times = f"  ({ratios[name]:.3g} times slower)" if name in ratios else ""
            axes.annotate(
                f" {speed[name]:,.0f}{times}", (speed[name], place), va="center", fontsize=7.5
            )
        axes.set_xlim(min(speed.values()) / 3, max(speed.values()) * 4)
        axes.set_xlabel(f"trajectories a second on one core (largest error of all: {error:.0e})")
        axes.grid(axis="x")
        return figure

    save(draw(), target, ("png",), 150)


def precision(
    lines: Mapping[str, Sequence[tuple[float, float]]], errors: Sequence[float], target: Path
) -> None:
    """Speed over error, both logarithmic; the first line is the engine's."""

    @styled
    def draw() -> Figure:
        figure = Figure(figsize=(6.5, 4.2))
        axes = figure.add_subplot()
        for number, (name, points) in enumerate(lines.items()):
            if not points:
                continue
            colour = ACCENT if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
            axes.plot(
                *zip(*sorted(points), strict=True),
                label=name,
                color=colour,
                marker=MARKERS[number % len(MARKERS)],
                markersize=4,
                linestyle="-" if number <= len(COLOURS) else "--",
                linewidth=2.0 if number == 0 else 1.0,
            )
        for error in errors:
            axes.axvline(error, color=GREY, linewidth=0.6, linestyle=":")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(1e-7, 1e-3)
        axes.invert_xaxis()
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0e}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("largest relative error of any state of any mouse (more precise: right)")
        axes.set_ylabel("trajectories a second on one core")
        axes.grid(True)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=7.5)
        return figure

    save(draw(), target, ("png",), 150)
