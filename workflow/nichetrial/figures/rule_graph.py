"""The rules of a run and what they hand on, from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nichetrial.figures.style import GREY, INK, styled

__all__ = ["direct", "draw", "layers"]

WIDE, HIGH = 1.0, 0.5
"""Of a box; columns are 1.55 apart, rows 0.9."""
ACROSS, DOWN = 1.55, 0.9


def layers(rules: Sequence[str], edges: Sequence[Sequence[str]]) -> list[list[str]]:
    """Columns of rules: each rule as far to the left as what it reads allows. Within a column, in
    the order of the rules before them. Raises ValueError for a cycle."""
    before: dict[str, set[str]] = {rule: set() for rule in rules}
    for first, second in edges:
        if first != second and first in before and second in before:
            before[second].add(first)
    column: dict[str, int] = {}
    while len(column) < len(before):
        ready = [r for r, b in before.items() if r not in column and b <= column.keys()]
        if not ready:
            raise ValueError("the rules go round in a circle")
        for rule in ready:
            column[rule] = max((column[b] + 1 for b in before[rule]), default=0)
    found: list[list[str]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    place: dict[str, float] = {}
    for k, names in enumerate(found):
        names += sorted(
            (rule for rule, at in column.items() if at == k),
            key=lambda rule: (
                sum(place[b] for b in before[rule]) / max(len(before[rule]), 1),
                rule,
            ),
        )
        place |= {rule: i - len(names) / 2 for i, rule in enumerate(names)}
    return found


def direct(edges: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The lines that no way over other rules makes needless."""
    after: dict[str, set[str]] = {}
    for first, second in edges:
        if first != second:
            after.setdefault(first, set()).add(second)

    def reached(rule: str) -> set[str]:
        found: set[str] = set()
        new = set(after.get(rule, ()))
        while new:
            found |= new
            new = {b for a in new for b in after.get(a, ())} - found
        return found

    return [
        (first, second)
        for first, seconds in sorted(after.items())
        for second in sorted(seconds)
        if not any(second in reached(other) for other in seconds - {second})
    ]


@styled
def draw(graph: Mapping[str, Any]) -> Figure:
    """A box for each rule with the number of its jobs; a line to each rule that reads
    its files, if not over another one.

    Args:
        graph: ``rules``, name -> number of jobs; ``edges``, pairs of names.
    """
    rules = {name: count for name, count in graph["rules"].items() if name != "all"}
    columns = layers(list(rules), graph["edges"])
    tallest = max(map(len, columns), default=1)
    figure = Figure(figsize=(max(3.0, 1.25 * len(columns)), max(1.6, 0.62 * tallest)))
    ax = figure.subplots()
    at = {
        name: (ACROSS * k, DOWN * ((len(names) - 1) / 2 - i))
        for k, names in enumerate(columns)
        for i, name in enumerate(names)
    }
    for first, second in direct(graph["edges"]):
        if first in at and second in at:
            (x, y), (to_x, to_y) = at[first], at[second]
            ax.add_patch(
                FancyArrowPatch(
                    (x + WIDE / 2, y),
                    (to_x - WIDE / 2, to_y),
                    arrowstyle="-|>",
                    mutation_scale=6,
                    connectionstyle="arc3,rad=0.06",
                    color=GREY,
                    lw=0.6,
                    shrinkA=0,
                    shrinkB=0,
                    zorder=1,
                )
            )
    for name, (x, y) in at.items():
        ax.add_patch(
            FancyBboxPatch(
                (x - WIDE / 2, y - HIGH / 2),
                WIDE,
                HIGH,
                boxstyle="round,pad=0.04",
                fc="white",
                ec=INK,
                lw=0.8,
                zorder=2,
            )
        )
        jobs = "1 job" if rules[name] == 1 else f"{rules[name]:,} jobs"
        ax.text(x, y + 0.08, name.replace("_", " "), ha="center", va="center", fontsize=7, zorder=3)
        ax.text(x, y - 0.14, jobs, ha="center", va="center", fontsize=6, color="#555555", zorder=3)
    ax.set_xlim(-WIDE / 2 - 0.15, ACROSS * (len(columns) - 1) + WIDE / 2 + 0.15)
    ax.set_ylim(-DOWN * tallest / 2 - 0.05, DOWN * tallest / 2 + 0.05)
    ax.set_axis_off()
    return figure
