"""The page of the calibration: what the model explains, and what not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nichetrial.evidence.agreement import ENOUGH, INTERVAL
from nichetrial.evidence.findings import Finding
from nichetrial.figures.declared import EVIDENCE
from nichetrial.figures.evidence_inputs import (
    findings_of,
    name_words,
    published_words,
    statistic_words,
    table,
    two_routes,
    unit_words,
)
from nichetrial.figures.posterior import FIRST, unknown
from nichetrial.formatting import DASH, interval
from nichetrial.model.variants import FULL
from nichetrial.report import evidence_words as words
from nichetrial.report import layout as paper
from nichetrial.report.provenance import provenance
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["recorded", "render"]

STAGES = (
    "particles",
    "population",
    "predict",
    "scoreboard",
    "sensitivity",
    "contradiction",
    "evidence_figure",
)


def render(study: ResolvedStudy, results: Path, records: Sequence[Mapping[str, Any]]) -> str:
    """The page. The same inputs give the same text: no time of its own making is in it.

    Args:
        results: the folder with evidence/.
        records: the run records of the study; those of the calibration are shown.

    Raises: UserError naming the file that is not there.
    """
    findings = findings_of(study)
    scores = table(results, "scoreboard")
    posterior, decisions = table(results, "full/posterior"), table(results, "decisions")
    apart, turns = table(results, "dose_arms"), table(results, "turns").iloc[0]
    labels = {arm.name: arm.label for arm in study.arms}
    variants = list(dict.fromkeys(scores["variant"]))
    full = [_finding(row, findings) for row in _of(scores, FULL).to_dict("records")]
    environment = paper.environment()
    environment.filters["words"] = name_words
    environment.filters["decimals"] = lambda v: DASH if math.isnan(v) else f"{v:.2f}"
    environment.globals["unit_words"] = unit_words
    return environment.get_template("evidence.html.j2").render(
        study=study,
        spec=study.calibration,
        labels=labels,
        style=paper.style(),
        enough=ENOUGH,
        level=INTERVAL,
        score=words.score_words(scores),
        signs=words.sign_words(apart, turns),
        rivals=words.rival_words(scores),
        learned=words.learned_words(posterior),
        full=full,
        missed=[f for f in full if f["verdict"] != "hit"],
        variants=words.meanings(variants),
        verdicts=_verdicts(scores, variants),
        tallies={s: [words.tally(scores, v, s) for v in variants] for s in _sets(scores)},
        needs=words.needs(scores),
        doses=words.dose_rows(apart),
        map_words=words.map_words(table(results, "phase_map"), table(results, "full/population")),
        routes=_routes(findings, {f["finding"]: f for f in full}),
        unknown=unknown(posterior).to_dict("records"),
        known=posterior[posterior["trust"] != "unknown"].to_dict("records"),
        first=FIRST,
        ends=words.at_the_ends(posterior),
        decided=[
            {"arm": str(arm), "reference": str(reference), "rows": rows.to_dict("records")}
            for (arm, reference), rows in decisions.groupby(["arm", "reference"], sort=False)
        ],
        flips=words.flip_words(decisions, labels),
        curves=[
            {"name": v, "rows": table(results, f"{v}/generations").to_dict("records")}
            for v in study.calibration.variants
        ],
        figures={
            name: paper.shown(
                name, figure.title, results / "evidence" / "figures", study.figures.formats
            )
            for name, figure in EVIDENCE.items()
        },
        provenance=provenance(recorded(records)),
    )


def recorded(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records of the calibration; those of the trial are in its own report."""
    return [r for r in records if r["stage"] in STAGES]


def _of(scores: pd.DataFrame, variant: str) -> pd.DataFrame:
    return scores[scores["variant"] == variant]


def _sets(scores: pd.DataFrame) -> list[str]:
    return sorted(set(scores["set"]))


def _finding(row: dict[str, Any], findings: Mapping[str, Finding]) -> dict[str, Any]:
    """A row of the scoreboard, with what was published and its source in words."""
    f = findings.get(str(row["finding"]))
    numbers = [float(row[k]) for k in ("published", "published_low", "published_high")]
    return row | {
        "read": statistic_words(str(row["statistic"])),
        "said": published_words(f, *numbers),
        "given": interval(row["predicted"], row["low"], row["high"]),
        "links": words.source_parts(str(row["source"])),
        "why": "" if row["verdict"] == "hit" else words.miss_words(row, f),
    }


def _verdicts(scores: pd.DataFrame, variants: Sequence[str]) -> list[dict[str, Any]]:
    """One row a finding: its verdict in each variant."""
    rows = []
    for name, of in scores.groupby("finding", sort=False):
        verdict = of.set_index("variant")["verdict"]
        rows.append(
            {
                "finding": str(name),
                "set": of["set"].iloc[0],
                "what": of["what"].iloc[0],
                "verdicts": [str(verdict.get(v, "")) for v in variants],
            }
        )
    return rows


def _routes(
    findings: Mapping[str, Finding], full: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Findings on one host by two routes, as the full model predicts them."""
    return [
        {
            "spontaneous": full[a.id],
            "experimental": full[b.id],
            "both": full[a.id]["verdict"] == full[b.id]["verdict"] == "hit",
        }
        for a, b in two_routes(findings)
        if a.id in full and b.id in full
    ]
