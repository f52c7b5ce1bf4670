"""What the calibrated model says, in words; every number comes from the tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nichetrial.evidence.agreement import ENOUGH, bounds
from nichetrial.evidence.findings import Finding
from nichetrial.figures.evidence_inputs import name_words, turn_words
from nichetrial.formatting import count, interval, number, share
from nichetrial.model.variants import FULL, VARIANTS
from nichetrial.report.references import DOI, doi_url

__all__ = [
    "at_the_ends",
    "dose_rows",
    "flip_words",
    "learned_words",
    "map_words",
    "meanings",
    "miss_words",
    "needs",
    "rival_words",
    "score_words",
    "sign_words",
    "source_parts",
    "tally",
    "together",
]

PMID = re.compile(r"PMID (\d+)")
TAUGHT = 0.1
"""bit; less is not told from nothing."""
END = 0.1
"""A median within this share of the prior's range from its end lies at the end."""


def together(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def tally(scores: pd.DataFrame, variant: str, which: str) -> str:
    """Hits of a variant in a set of findings: ``11 of 12``."""
    of = scores[(scores["variant"] == variant) & (scores["set"] == which)]
    return f"{int((of['verdict'] == 'hit').sum())} of {len(of)}"


def score_words(scores: pd.DataFrame) -> str:
    """How many findings the full model meets."""
    full = scores[scores["variant"] == FULL]
    sets = set(full["set"])
    parts = []
    if "A" in sets:
        parts.append(f"{tally(scores, FULL, 'A')} findings that it was calibrated on (set A)")
    if "B" in sets:
        parts.append(f"{tally(scores, FULL, 'B')} that it was never fitted to (set B)")
    return f"The full model hits {together(parts)}."


def miss_words(row: Mapping[str, Any], f: Finding | None) -> str:
    """Why a finding is missed, and by how much."""
    low, middle, high = float(row["low"]), float(row["predicted"]), float(row["high"])
    if math.isnan(middle):
        return "no simulated experiment gave a number"
    if f is None:
        return "the finding is no longer among those that came with this calibration"
    reasons = []
    least, most = bounds(f)
    agreeing = float(row["direction_share"])
    if f.direction != "value" and agreeing < ENOUGH:
        what = "lie in the range" if f.direction == "none" else "show the direction"
        reasons.append(
            f"{share(agreeing)} of the simulated experiments {what}; a hit needs {share(ENOUGH)}"
        )
    if f.direction == "value" and not least <= middle <= most:
        side, by = ("below", least / middle) if middle < least else ("above", middle / most)
        reasons.append(f"the median lies {side} the published range{_factor(by)}")
    if math.isfinite(f.value) and not low <= f.value <= high:
        side, by = ("above", f.value / high) if f.value > high else ("below", low / f.value)
        reasons.append(
            f"the published {number(f.value)} lies {side} the predictive interval{_factor(by)}"
        )
    elif math.isnan(f.value) and (high < least or low > most):
        side, by = ("below", least / high) if high < least else ("above", low / most)
        reasons.append(f"the predictive interval lies {side} what was published{_factor(by)}")
    return "; ".join(reasons) or "see its numbers"


def _factor(by: float) -> str:
    return f", by a factor of {number(by, 3)}" if math.isfinite(by) and by > 0 else ""


def sign_words(apart: pd.DataFrame, turns: pd.Series) -> list[str]:
    """Does one distribution of parameters hold both signs of TIMP-1, and where do they part?"""
    full = apart[apart["mechanism"] == FULL].dropna(subset=["median"]).sort_values("fold")
    full = full[full["fold"] != 1.0]
    if full.empty:
        return ["No particle gave a ratio, so nothing can be said of the sign of TIMP-1."]
    sure = full[full["share_up"] >= ENOUGH]
    top = sure.loc[sure["median"].idxmax()] if len(sure) else full.loc[full["share_up"].idxmax()]
    last = full.iloc[-1]
    up = top["share_up"] >= ENOUGH
    down = last["share_up"] <= 1.0 - ENOUGH and last["fold"] > top["fold"]
    both = (
        "One distribution of parameters gives both signs of TIMP-1"
        if up and down
        else "The calibrated distribution does not give both signs of TIMP-1 in "
        f"{share(ENOUGH)} of its particles"
    )
    high, end = (interval(row["median"], row["low"], row["high"]) for row in (top, last))
    lines = [
        f"{both}: at {number(top['fold'])}-fold, foci are {high} times those at basal TIMP-1 and "
        f"rise in {share(top['share_up'])} of the particles; at {number(last['fold'])}-fold they "
        f"are {end} times those, and rise in {share(last['share_up'])}."
    ]
    turned = share(float(turns["share"]))
    if words := turn_words(turns):
        lines.append(
            f"The median curve turns from feeding to protecting at {words} TIMP-1; the sign turns "
            f"within these doses in {turned} of the particles, 90 % of them within the interval."
        )
    else:
        lines.append(
            "The median curve does not turn from feeding to protecting at these doses; that of "
            f"single particles does in {turned} of them."
        )
    return lines


def dose_rows(apart: pd.DataFrame) -> list[dict[str, Any]]:
    """The dose table: one row a fold, with the numbers of each mechanism."""
    rows = []
    for fold, of in apart.groupby("fold", sort=True):
        cells = of.set_index("mechanism")
        given = {
            str(name): interval(c["median"], c["low"], c["high"]) for name, c in cells.iterrows()
        }
        up = float(cells.loc[FULL, "share_up"]) if FULL in cells.index else math.nan
        rows.append({"fold": float(fold), "share_up": up, **given})
    return rows


def map_words(cells: pd.DataFrame, particles: pd.DataFrame) -> str:
    """On which side of each map's line the calibrated population lies."""
    if cells.empty or particles.empty:
        return "The map is empty."
    return " ".join(
        _one_map(float(fold), rows, particles) for fold, rows in cells.groupby("fold", sort=True)
    )


def _one_map(fold: float, cells: pd.DataFrame, particles: pd.DataFrame) -> str:
    wide = cells.pivot(index="mmp_ki", columns="cd63_ratio", values="share_up")
    near = [
        np.abs(
            np.log(axis.to_numpy(float))[:, None] - np.log(particles[name].to_numpy(float))
        ).argmin(axis=0)
        for axis, name in ((wide.index, "mmp_ki"), (wide.columns, "cd63_ratio"))
    ]
    at = wide.to_numpy(float)[near[0], near[1]]
    on_map, there = float(np.mean(cells["share_up"] > 0.5)), float(np.mean(at > 0.5))
    rest = " Elsewhere on the map it more often lowers them." if on_map < 1.0 else ""
    return (
        f"{number(fold)}-fold TIMP-1 more often raises than lowers foci on {share(on_map)} of the "
        f"map, and {share(there)} of the calibrated population lies there.{rest}"
    )


def needs(scores: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Which variants miss what the full model hits, what all hit, what only others hit."""
    needed, free, others = [], [], []
    for name, rows in scores.groupby("finding", sort=False):
        verdicts = rows.set_index("variant")["verdict"]
        missing = [v for v in verdicts.index if v != FULL and verdicts[v] != "hit"]
        hitting = [v for v in verdicts.index if v != FULL and verdicts[v] == "hit"]
        entry = {"finding": str(name), "set": rows["set"].iloc[0], "what": rows["what"].iloc[0]}
        if verdicts.get(FULL) != "hit":
            if hitting:
                others.append(entry | {"variants": hitting})
        elif missing:
            needed.append(entry | {"variants": missing})
        elif hitting:
            free.append(entry)
    return {"needed": needed, "free": free, "others": others}


def rival_words(scores: pd.DataFrame) -> str:
    """Which variants hit as many findings of every set as the full model; empty for one variant."""
    hits = scores.assign(hit=scores["verdict"] == "hit").pivot_table(
        index="variant", columns="set", values="hit", aggfunc="sum", sort=False
    )
    others = [v for v in hits.index if v != FULL]
    if not others or FULL not in hits.index:
        return ""
    rivals = [name_words(v) for v in others if (hits.loc[v] >= hits.loc[FULL]).all()]
    if not rivals:
        return "Every variant with a mechanism less hits fewer findings than the full model."
    return (
        f"{together(rivals).capitalize()} {'hits' if len(rivals) == 1 else 'hit'} as many findings "
        "of each set as the full model: these findings do not show that what "
        f"{'it leaves' if len(rivals) == 1 else 'they leave'} out is needed."
    )


def learned_words(posterior: pd.DataFrame) -> str:
    """Of which unmeasured parameters the findings have taught something."""
    unknown = posterior[posterior["trust"] == "unknown"]
    taught = unknown[unknown["learned"] >= TAUGHT].sort_values("learned", ascending=False)
    named = [f"{name_words(r.parameter)} ({r.learned:.2f} bit)" for r in taught.itertuples()]
    some = f": {together(named)}" if named else ""
    return (
        f"Of {count(len(unknown))} parameters that nobody has measured, the calibration has "
        f"learned at least {TAUGHT} bit of {count(len(taught))}{some}. The rest are left nearly as "
        "wide as their priors."
    )


def meanings(variants: Sequence[str]) -> list[tuple[str, str]]:
    """Variants as people read them, with what each is."""
    return [(name_words(v), VARIANTS[v].meaning if v in VARIANTS else "") for v in variants]


def flip_words(decisions: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """For which comparisons an unknown parameter decides even the sign."""
    pairs = decisions[["arm", "reference"]].drop_duplicates()
    flips = decisions[decisions["flips"]]
    if decisions.empty:
        return "No treatment effect varies, so no parameter decides one."
    if flips.empty:
        return (
            f"In none of the {count(len(pairs))} comparisons do the parameters that matter most "
            "turn the sign of the effect: its direction holds whether they are low or high."
        )
    named = [
        f"{labels.get(arm, arm)} against {labels.get(reference, reference)} "
        f"({together([name_words(p) for p in rows['parameter']])})"
        for (arm, reference), rows in flips.groupby(["arm", "reference"], sort=False)
    ]
    return (
        f"In {len(named)} of {count(len(pairs))} comparisons the sign of the effect hangs on a "
        "parameter, and stays open until that is known better: "
        f"{'; '.join(named)}."
    )


def at_the_ends(posterior: pd.DataFrame) -> list[str]:
    """Parameters whose median the findings have pushed to an end of the prior."""
    found = []
    for row in posterior.itertuples():
        a, b, x = row.prior_low, row.prior_high, row.median
        if not b > a:
            continue
        place = math.log(x / a) / math.log(b / a) if a > 0 and x > 0 else (x - a) / (b - a)
        if place < END or place > 1.0 - END:
            found.append(f"{name_words(row.parameter)} ({'low' if place < END else 'high'} end)")
    return found


def source_parts(source: str) -> list[tuple[str, str | None]]:
    """A source cut at its DOIs and PubMed numbers: (text, address or None)."""
    parts: list[tuple[str, str | None]] = []
    at = 0
    found = [(m, doi_url(m.group())) for m in DOI.finditer(source)]
    found += [(m, f"https://pubmed.ncbi.nlm.nih.gov/{m.group(1)}/") for m in PMID.finditer(source)]
    for match, address in sorted(found, key=lambda item: item[0].start()):
        if match.start() >= at:
            parts += [(source[at : match.start()], None), (match.group(), address)]
            at = match.end()
    return [part for part in [*parts, (source[at:], None)] if part[0]]
