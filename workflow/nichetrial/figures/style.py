"""How every figure looks: fonts, the colour, line and marker of each arm, and equal bytes."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nichetrial.files import atomic
from nichetrial.study.resolved import ResolvedStudy

__all__ = [
    "ACCENT",
    "GREY",
    "INK",
    "RC",
    "ArmStyle",
    "arm_styles",
    "counts_axis",
    "save",
    "spread",
    "styled",
    "wrapped",
]

INK, GREY, FAINT, ACCENT = "#222222", "#8c8c8c", "#dddddd", "#b03a00"

RC: dict[str, Any] = {
    "backend": "Agg",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a label is the user's text: a dollar sign in it is a dollar sign
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",  # the same picture where DejaVu is not installed
    "svg.hashsalt": "nichetrial",  # ids in the SVG would otherwise be random
    "path.simplify": True,
}

# Okabe and Ito's colours without the yellow, which is too pale for lines on white. The numbers of
# colours, markers and lines share no divisor: 252 arms before a combination comes back.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


@dataclass(frozen=True)
class ArmStyle:
    """One arm's looks; colour, marker and line each tell neighbouring arms apart, also in grey."""

    colour: str
    marker: str
    line: Any


def arm_styles(study: ResolvedStudy) -> dict[str, ArmStyle]:
    """Arm name -> looks. Depends on the order of the arms only, so it is one in all figures."""
    return {
        arm.name: ArmStyle(
            COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], LINES[i % len(LINES)]
        )
        for i, arm in enumerate(study.arms)
    }


Arguments = ParamSpec("Arguments")


def styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Draw under the rcParams of this module, whatever the process or its user has set."""

    @functools.wraps(draw)
    def inside(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(RC)
            return draw(*args, **kwargs)

    return inside


def save(figure: Figure, stem: Path, formats: Iterable[str], dpi: int) -> list[Path]:
    """Write ``stem.png``, ``stem.svg`` ...: the same bytes for the same figure. Returns the paths.

    Dates and program versions are left out of the files.
    """
    nothing: dict[str, dict[str, None]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    written = []
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        for kind in formats:
            path = stem.with_name(f"{stem.name}.{kind}")
            with atomic(path) as part:
                figure.savefig(part, format=kind, dpi=dpi, metadata=nothing.get(kind))
            written.append(path)
    return written


def wrapped(label: str, width: int = 24, lines: int = 3) -> str:
    """The label on at most ``lines`` lines of about ``width`` characters."""
    return "\n".join(
        textwrap.wrap(" ".join(label.split()), width, max_lines=lines, placeholder=" …")
    )


def counts_axis(ax: Axes, largest: float, which: str = "x") -> None:
    """A log(1 + count) axis from 0, labelled with the counts themselves."""
    ticks = [0.0, 1.0]
    while ticks[-1] < max(largest, 3.0):
        ticks.append(ticks[-1] * (3 if str(ticks[-1])[0] == "1" else 10 / 3))
    if len(ticks) > 9:
        ticks = [t for t in ticks if str(t)[0] != "3"]
    scale = ax.set_xscale if which == "x" else ax.set_yscale
    scale("function", functions=(np.log1p, lambda x: np.expm1(np.clip(x, None, 600))))
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_ticks([round(t) for t in ticks], labels=[f"{round(t):,}" for t in ticks])
    limit = ax.set_xlim if which == "x" else ax.set_ylim
    limit(-0.25, max(largest, 3.0) * 1.25)


def spread(wanted: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Positions near ``wanted`` at least ``gap`` apart within [low, high], in the same order.

    If they do not fit, they are spaced evenly over the whole range.
    """
    n = len(wanted)
    if n == 0:
        return np.empty(0)
    if gap * (n - 1) >= high - low:
        even = np.linspace(low, high, n) if n > 1 else np.array([(low + high) / 2])
        out = np.empty(n)
        out[np.argsort(wanted, kind="stable")] = even
        return out
    order = np.argsort(wanted, kind="stable")
    # With the gaps taken out, the closest non-decreasing sequence is an isotonic regression.
    level = wanted[order] - gap * np.arange(n)
    blocks: list[list[float]] = []
    for value in level:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, k), (b, m) = blocks[-2:]
            blocks[-2:] = [[(a * k + b * m) / (k + m), k + m]]
    flat = np.concatenate([np.full(int(k), v) for v, k in blocks])
    out = np.empty(n)
    out[order] = np.clip(flat, low, high - gap * (n - 1)) + gap * np.arange(n)
    return out
