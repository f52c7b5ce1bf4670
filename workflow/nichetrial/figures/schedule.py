"""The schedules of all arms in one picture: a lane an arm, days from left to right."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from nichetrial.figures.style import GREY, INK, styled, wrapped
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import GENES, Arm, Host, ResolvedStudy

__all__ = ["draw"]

# Okabe and Ito. Every row says in words what it is, so the two antibodies to Ly6G share a colour.
VECTOR, CELLS, RESECTION = "#E69F00", "#D55E00", "#D55E00"
COLOURS = {
    "amd3100": "#0072B2",
    "anti_sdf1": "#009E73",
    "anti_ly6g": "#CC79A7",
    "anti_ly6g_murinised": "#CC79A7",
    "anti_timp1": "#56B4E9",
    "mmp_inhibitor": "#000000",
}
INCH = 0.2
"""Height of a row; a lane has half a row of air besides."""


@dataclass(frozen=True)
class _Row:
    """One row of a lane: a bar from ``start`` to ``stop``, or strokes at ``doses``; its words."""

    text: str
    colour: str = GREY
    start: float = 0.0
    stop: float = 0.0
    doses: tuple[float, ...] = ()


NOTHING = _Row("nothing is given")


@styled
def draw(study: ResolvedStudy) -> Figure:
    """One lane an arm: vector and pumps as bars, doses as strokes, cells and read-out as lines.

    The axis ends soon after the last thing that is done to a mouse; its label says how long those
    left alive are followed.
    """
    lanes = [_rows(arm) for arm in study.arms]
    right = 1.03 * max(_last(arm) for arm in study.arms)
    heights = [len(rows) + 0.5 for rows in lanes]
    figure = Figure(figsize=(8.6, 1.2 + INCH * sum(heights)))
    ax = figure.subplots()
    ticks, top = [], 0.0
    for k, (arm, rows, height) in enumerate(zip(study.arms, lanes, heights, strict=True)):
        if k % 2 == 0:
            ax.axhspan(top, top + height, color="#f4f4f4", zorder=0, linewidth=0)
        _lane(ax, arm, rows, top, height, right)
        ticks.append(top + height / 2)
        top += height
    ax.set(xlim=(-0.012 * right, right), ylim=(top, 0))
    ax.set_yticks(ticks, [_name(arm, study) for arm in study.arms])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", integer=True, nbins=12)
    ax.set_xlabel(_followed(study))
    shared = _headings(ax, study, right)
    if not shared:
        _key(ax, study)
    return figure


def _rows(arm: Arm) -> list[_Row]:
    """What is given, longest first to last: genotype, vector, then treatments as in the file."""
    rows = [
        _Row(f"{name} knocked out" if value == 0 else f"{name} × {value:.15g}")
        for gene, name in GENES.items()
        if (value := getattr(arm.host, gene)) != getattr(Host(), gene)
    ]
    if arm.vector is not None:
        text = f"TIMP-1 vector, {arm.vector.fold:,.15g} × basal"
        rows.append(_Row(text, VECTOR, arm.vector.onset, arm.readout.end))
    for given in arm.treatments:
        doses = () if given.method == "pump" else given.doses()
        how = given.written.partition(",")[0]
        if doses:
            count = f"{len(doses)} doses" if len(doses) > 1 else "1 dose"
            how = f"{how.partition(' on day ')[0]} ({count})"
        colour = COLOURS.get(given.drug, INK)
        text = f"{DRUGS[given.drug].label}, {how}"
        rows.append(_Row(text, colour, given.start, given.until, doses))
    return rows or [NOTHING]


def _last(arm: Arm) -> float:
    """The day after which nothing more is done to a mouse of this arm."""
    days = [arm.readout.day, arm.challenge.resection or 0.0, *(t.until for t in arm.treatments)]
    return max(days + ([arm.vector.onset] if arm.vector else []))


def _lane(ax: Axes, arm: Arm, rows: list[_Row], top: float, height: float, right: float) -> None:
    """Draw one arm between ``top`` and ``top + height``, its words right of the axis."""
    for k, row in enumerate(rows):
        middle = top + 0.75 + k
        if row.doses:
            ax.vlines(
                row.doses, middle - 0.33, middle + 0.33, color=row.colour, linewidth=2.2, zorder=5
            )
        elif row.stop > row.start:
            stop = min(row.stop, right)
            ax.add_patch(
                Rectangle(
                    (row.start, middle - 0.24),
                    stop - row.start,
                    0.48,
                    color=row.colour,
                    linewidth=0,
                    alpha=0.85,
                )
            )
        bare = row == NOTHING
        ax.annotate(
            row.text,
            (1, middle),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=GREY if bare else INK,
            annotation_clip=False,
        )
    ends = (top, top + height)
    ax.plot([arm.challenge.day] * 2, ends, color=CELLS, linewidth=1.4, zorder=3, clip_on=False)
    ax.plot([arm.readout.day] * 2, ends, color=INK, linewidth=1.4, zorder=3, clip_on=False)
    if arm.challenge.resection is not None:
        ax.plot(
            [arm.challenge.resection] * 2,
            ends,
            color=RESECTION,
            linewidth=1.4,
            zorder=3,
            linestyle=(0, (2, 1.5)),
        )


def _name(arm: Arm, study: ResolvedStudy) -> str:
    reference = arm.name == study.comparisons.reference
    return wrapped(f"{arm.label} (reference)" if reference else arm.label, 24, lines=2)


def _followed(study: ResolvedStudy) -> str:
    ends = sorted({arm.readout.end for arm in study.arms})
    until = " to ".join(f"{e:.6g}" for e in dict.fromkeys((ends[0], ends[-1])))
    return f"day   (mice left alive are followed to day {until})"


def _headings(ax: Axes, study: ResolvedStudy, right: float) -> bool:
    """Words above the lines of cells, resection and read-out, if all arms share them."""
    first = study.arms[0]
    if any(
        (arm.challenge, arm.readout.day) != (first.challenge, first.readout.day)
        for arm in study.arms
    ):
        return False
    how = "into the blood" if first.challenge.route == "intravenous" else "as a primary tumour"
    marks = [(first.challenge.day, f"tumour cells {how}", CELLS)]
    if first.challenge.resection is not None:
        marks.append((first.challenge.resection, "tumour cut out", RESECTION))
    marks.append((first.readout.day, "read-out", INK))
    marks.sort()
    lift = 4.0
    for k, (day, text, colour) in enumerate(marks):
        if k and (day - marks[k - 1][0]) / right < 0.35:
            lift += 11.0  # on a line of its own
        elif k:
            lift = 4.0
        ax.annotate(
            text,
            (day, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, lift),
            textcoords="offset points",
            color=colour,
            annotation_clip=False,
            ha="left" if day < 0.15 * right else "center",
        )
    return True


def _key(ax: Axes, study: ResolvedStudy) -> None:
    """What the lines mean, where they differ between arms."""
    handles = [
        Line2D([], [], color=CELLS, linewidth=1.4, label="tumour cells given"),
        Line2D([], [], color=INK, linewidth=1.4, label="read-out"),
    ]
    if any(arm.challenge.resection is not None for arm in study.arms):
        handles.insert(
            1,
            Line2D(
                [],
                [],
                color=RESECTION,
                linewidth=1.4,
                linestyle=(0, (2, 1.5)),
                label="tumour cut out",
            ),
        )
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
