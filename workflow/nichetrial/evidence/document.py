"""The tables of docs/evidence.md, written from the population that ships and what it says."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nichetrial.cohort.shipped import SHIPPED
from nichetrial.formatting import count, interval, markdown_table, number, share
from nichetrial.model.variants import FULL, VARIANTS

__all__ = ["sections", "tally"]

Row = Mapping[str, str]


def _rows(name: str) -> list[Row]:
    with (SHIPPED / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _scoreboard(rows: Sequence[Row]) -> str:
    lines = []
    for r in rows:
        if r["variant"] != FULL:
            continue
        published = number(r["published"]) if r["published"] else ""
        if r["published_low"] or r["published_high"]:
            low, high = number(r["published_low"] or 0.0), r["published_high"]
            span = f"{low} to {number(high)}" if high else f"at least {low}"
            published = f"{published} ({span})" if published else span
        lines.append(
            [
                f"{r['finding']}: {r['what']}",
                r["statistic"],
                published,
                interval(r["predicted"], r["low"], r["high"]),
                share(r["direction_share"]),
                f"**{r['verdict']}**" if r["verdict"] == "miss" else r["verdict"],
                r["source"],
            ]
        )
    head = [
        "finding",
        "read",
        "published",
        "predicted (90 % interval)",
        "share",
        "verdict",
        "source",
    ]
    return "\n".join(markdown_table(head, lines))


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
    head = ["variant", "what it is", "set A", "set B", "misses"]
    return "\n".join(markdown_table(head, lines))


def _calibration(how: Mapping[str, Any], curve: Sequence[Row]) -> str:
    lines = [
        [
            r["generation"],
            number(r["limit"]),
            share(r["met"]),
            share(r["acceptance"]) if r["acceptance"] else "",
            count(float(r["effective"])),
            r["origins"],
            share(r["support"]),
        ]
        for r in curve
    ]
    head = [
        "generation",
        "largest distance",
        "meet all of set A",
        "steps taken",
        "effective sample size",
        "draws of the priors that it descends from",
        "of the priors covered",
    ]
    settings = ", ".join(f"{k} {v}" for k, v in how["settings"].items() if k != "variant")
    return f"Settings: {settings}; seed {how['seed']}.\n\n" + "\n".join(markdown_table(head, lines))


def _turn(row: Row) -> str:
    if not row["turns_at"]:
        return "The median over particles does not turn within the doses."
    return (
        f"The median over particles turns at {number(row['turns_at'])}-fold of basal TIMP-1; of "
        f"the particles, {share(row['share'])} turn within the doses, 90 % of them between "
        f"{number(row['low'])}- and {number(row['high'])}-fold."
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
