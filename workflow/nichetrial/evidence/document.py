"""The tables of docs/evidence.md, written from the population that ships and what it says."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nichetrial.cohort.shipped import SHIPPED
from nichetrial.model.variants import FULL, VARIANTS

__all__ = ["sections", "tally"]

Row = Mapping[str, str]


def _rows(name: str) -> list[Row]:
    with (SHIPPED / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(text: str) -> str:
    return f"{float(text):.3g}" if text else ""


def _scoreboard(rows: Sequence[Row]) -> str:
    lines = []
    for r in rows:
        if r["variant"] != FULL:
            continue
        published = _short(r["published"])
        if r["published_low"] or r["published_high"]:
            low, high = _short(r["published_low"]) or "0", _short(r["published_high"])
            span = f"{low} to {high}" if high else f"at least {low}"
            published = f"{published} ({span})" if published else span
        lines.append([
            f"{r['finding']}: {r['what']}", r["statistic"], published,
            f"{_short(r['predicted'])} ({_short(r['low'])} to {_short(r['high'])})",
            f"{float(r['direction_share']):.0%}",
            f"**{r['verdict']}**" if r["verdict"] == "miss" else r["verdict"], r["source"],
        ])  # fmt: skip
    head = [
        "finding",
        "read",
        "published",
        "predicted (90 % interval)",
        "share",
        "verdict",
        "source",
    ]
    return _grid(head, lines)


def tally(rows: Sequence[Row], variant: str) -> tuple[str, str, str]:
    """Hits of a variant in set A and in set B, ``11 of 12``, and the findings that it misses."""
    own = [r for r in rows if r["variant"] == variant]

    def hits(letter: str) -> str:
        of = [r["verdict"] == "hit" for r in own if r["set"] == letter]
        return f"{sum(of)} of {len(of)}"

    missed = ", ".join(r["finding"] for r in own if r["verdict"] == "miss") or "none"
    return hits("A"), hits("B"), missed


def _variants(rows: Sequence[Row]) -> str:
    lines = []
    for name, variant in VARIANTS.items():
        if any(r["variant"] == name for r in rows):
            lines.append([f"`{name}`", variant.meaning, *tally(rows, name)])
    return _grid(["variant", "what it is", "set A", "set B", "misses"], lines)


def _calibration(how: Mapping[str, Any], curve: Sequence[Row]) -> str:
    lines = [
        [r["generation"], _short(r["limit"]), f"{float(r['met']):.0%}",
         f"{float(r['acceptance']):.0%}" if r["acceptance"] else "",
         f"{float(r['effective']):.0f}", r["origins"], f"{float(r['support']):.0%}"]
        for r in curve
    ]  # fmt: skip
    head = ["generation", "largest distance", "meet all of set A", "steps taken",
            "effective sample size", "draws of the priors that it descends from",
            "of the priors covered"]  # fmt: skip
    settings = ", ".join(f"{k} {v}" for k, v in how["settings"].items() if k != "variant")
    return f"Settings: {settings}; seed {how['seed']}.\n\n{_grid(head, lines)}"


def _turn(row: Row) -> str:
    if not row["turns_at"]:
        return "The median over particles does not turn within the doses."
    return (
        f"The median over particles turns at {_short(row['turns_at'])}-fold of basal TIMP-1; of "
        f"the particles, {float(row['share']):.0%} turn within the doses, 90 % of them between "
        f"{_short(row['low'])}- and {_short(row['high'])}-fold."
    )


def sections() -> dict[str, str]:
    """Name of a generated section -> its Markdown."""
    scores = _rows("scoreboard.csv")
    how = json.loads((SHIPPED / "how.json").read_text(encoding="utf-8"))
    return {
        "scoreboard": _scoreboard(scores),
        "variants": _variants(scores),
        "calibration": _calibration(how, _rows("generations.csv")),
        "turn": _turn(_rows("turns.csv")[0]),
    }
