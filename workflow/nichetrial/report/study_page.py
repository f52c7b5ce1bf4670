"""The report: everything a study found, on one page that needs no other file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nichetrial import tables
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.figures import dose, inputs
from nichetrial.figures.declared import FIGURES
from nichetrial.formatting import DASH
from nichetrial.model.parameters import PARAMETERS
from nichetrial.model.variants import FULL
from nichetrial.records.stored import notes_in
from nichetrial.report import layout as paper
from nichetrial.report import references
from nichetrial.report.declared import STUDY
from nichetrial.report.provenance import provenance
from nichetrial.report.sentences import (
    OUTCOME_WORDS,
    arm_words,
    combination_words,
    dose_words,
    effect_words,
    fitted_words,
    interaction_words,
    lead_words,
    noise_words,
)
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import POPULATIONS, ResolvedStudy

__all__ = ["render"]

TOP = 10
"""Parameters shown before the reader unfolds the rest."""


def render(
    study: ResolvedStudy,
    results: Path,
    missing: Sequence[str],
    records: Sequence[Mapping[str, Any]],
) -> str:
    """The page. The same inputs give the same text: no time of its own making is in it.

    Args:
        results: the folder with comparisons/, figures/, parameters/ and dose_curve/.
        missing: arms whose jobs failed.
        records: the run records of the study.

    Raises: UserError naming the file that is not there.
    """
    tabled = {n: inputs.comparison(results, n) for n in STUDY if study.asks_for(n)}

    def rows(name: str) -> list[dict[Any, Any]]:
        return tabled[name].to_dict("records") if name in tabled else []

    effects = tabled["effects"]
    labels = {arm.name: arm.label for arm in study.arms}
    foci = effects[effects["outcome"] == "foci"]
    pictures = [
        paper.shown(name, figure.title, results / "figures", study.figures.formats)
        for name, figure in FIGURES.items()
        if study.asks_for(name)
    ]
    environment = paper.environment()
    environment.globals["doi_url"] = references.doi_url
    return environment.get_template("report.html.j2").render(
        study=study,
        labels=labels,
        style=paper.style(),
        arms=[{"arm": a, "words": arm_words(a), "missing": a.name in missing} for a in study.arms],
        outcomes_of_arms=tabled["arms"].to_dict("records"),
        alone=[
            {name: row[name] for name in ("arm", "failed_particle", "failed_animal")}
            for row in tabled["arms"].dropna(subset="failed_particle").to_dict("records")
        ],
        rejected=_rejections(study, results),
        failed=_failed(tabled["arms"], missing, records),
        lead=lead_words(foci, study),
        answer=_answer(foci, rows("mice_needed")),
        effective=foci["effective"].max(),
        noisy=noise_words(foci),
        forest=next(picture for picture in pictures if picture["name"] == "forest"),
        dose=dose_words(dose.ratios(study, results)),
        effects=[
            {
                "name": name,
                "words": OUTCOME_WORDS.get(name, name),
                "unit": _unit(group),
                "directions": ("shorter", "longer") if name.endswith("_days") else ("less", "more"),
                "rows": group.to_dict("records"),
            }
            for name, group in _foci_first(effects)
        ],
        combinations=[
            {**row.to_dict(), "words": combination_words(row, study)}
            for _, row in tabled["combinations"].iterrows()
        ],
        interactions=[
            {**row.to_dict(), "words": interaction_words(row)}
            for _, row in tabled["interactions"].iterrows()
        ],
        unknowns=_unknowns(tabled["unknowns"]),
        needed=rows("mice_needed"),
        means=tabled["restricted_means"].dropna(subset="mean_arm").to_dict("records"),
        ranking=tabled["ranking"].sort_values(["front", "ratio"]).to_dict("records"),
        dose_fits=rows("dose_response"),
        synergy=rows("synergy"),
        schedules=rows("schedules"),
        window=[row for row in rows("window") if row["best"]],
        optimum=rows("optimum"),
        sweeps={sweep.name: sweep.label for sweep in study.sweeps},
        figures=pictures,
        population=POPULATIONS[study.cohort.population],
        scores=_scores(study),
        fitted=fitted_words(_scores(study), _met(study, results)),
        provenance=provenance(records),
        notes=[note.fault for record in records for note in notes_in(record)],
        failed_records=[r for r in records if r.get("status") != "FINISHED"],
        literature=references.LITERATURE,
        software=references.SOFTWARE,
        parameter_sources=references.sources_of_parameters(),
        top=TOP,
    )


def _failed(
    arms: pd.DataFrame, missing: Sequence[str], records: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether a mouse, an arm or a job has no result."""
    lost = (arms["finished"] < arms["mice"]).any()
    return bool(lost or missing or any(r.get("status") != "FINISHED" for r in records))


def _answer(foci: pd.DataFrame, needed: Sequence[Mapping[Any, Any]]) -> list[dict[Hashable, Any]]:
    """The effect of each arm on foci, with words and the mice needed to show it."""
    groups = {(row["arm"], row["reference"]): row["written"] for row in needed}
    return [
        {
            **row.to_dict(),
            "words": effect_words(row),
            "needed": groups.get((row["arm"], row["reference"]), DASH),
        }
        for _, row in foci.iterrows()
    ]


def _scores(study: ResolvedStudy) -> list[dict[str, Any]]:
    """What the population that ships says to the findings, if the mice are from it."""
    if study.cohort.population != "calibrated":
        return []
    table = pd.read_csv(SHIPPED / "scoreboard.csv")
    return table[table["variant"] == FULL].to_dict("records")


def _met(study: ResolvedStudy, results: Path) -> float | None:
    """Share of the particles of the study's own calibration, if any, that meet all findings."""
    if study.cohort.population != "own":
        return None
    path = Path(Layout(results.as_posix()).evidence.table(f"{FULL}/generations"))
    (file,) = inputs.require([path])
    return float(tables.read(file)["met"].iloc[-1])


def _rejection_files(study: ResolvedStudy, results: Path) -> list[Path]:
    layout = Layout(results.as_posix())
    return [Path(layout.rejections(chunk.name)) for chunk in study.chunks()]


def _rejections(study: ResolvedStudy, results: Path) -> list[tuple[str, int]]:
    """Reason and number of draws rejected for it over all chunks, most first."""
    total: dict[str, int] = {}
    for path in _rejection_files(study, results):
        for row in pd.read_csv(path).to_dict("records"):
            total[str(row["reason"])] = total.get(str(row["reason"]), 0) + int(row["mice"])
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _foci_first(effects: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    groups = [(str(name), group) for name, group in effects.groupby("outcome", sort=False)]
    return sorted(groups, key=lambda item: item[0] != "foci")


def _unit(group: pd.DataFrame) -> str:
    unit = str(group["unit"].iloc[0])
    return "" if unit == "1" else unit


def _unknowns(table: pd.DataFrame) -> dict[str, Any]:
    """Each unmeasured parameter at the arm where it matters most, and all rows arm by arm."""
    table = table.assign(
        meaning=[PARAMETERS[p].meaning if p in PARAMETERS else p for p in table["parameter"]],
        size=table["spearman"].abs(),
    ).sort_values(["size", "parameter", "arm"], ascending=[False, True, True], kind="stable")
    unknown = table[table["trust"] == "unknown"].dropna(subset=["spearman"])
    first = unknown.drop_duplicates("parameter")
    pairs = [
        {"arm": arm, "reference": reference, "rows": rows.to_dict("records")}
        for (arm, reference), rows in table.groupby(["arm", "reference"], sort=True)
    ]
    return {"first": first.to_dict("records"), "pairs": pairs}
