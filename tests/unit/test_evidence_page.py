"""The page of the evidence: whole, self-contained, safe, and made of the tables alone."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial import cli
from nichetrial.errors import UserError
from nichetrial.evidence.scoreboard import SCOREBOARD
from nichetrial.figures import catalogue
from nichetrial.figures.declared import EVIDENCE
from nichetrial.figures.evidence_inputs import findings_of, table
from nichetrial.report import evidence_words as w
from nichetrial.report.calibration_page import recorded, render
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import write
from tests.support.evidence_results import build, make_study
from tests.support.pages import PIXEL, Page

pytestmark = [pytest.mark.slow]

RECORDS = [
    {
        "stage": "scoreboard",
        "name": "scoreboard",
        "run_key": "k" * 64,
        "status": "FINISHED",
        "seed": 1,
        "code_digest": "c" * 64,
        "lock_digest": "l" * 64,
        "git": {"commit": "abc"},
        "environment": {"python": "3.12", "platform": "Linux", "packages": {"numpy": "2"}},
    },
    {"stage": "figure", "name": "foci", "run_key": "f" * 64, "status": "FINISHED"},
    {"stage": "evidence_figure", "name": "sobol", "run_key": "s" * 64, "status": "FINISHED"},
]


def add_pictures(results: Path) -> None:
    for name in EVIDENCE:
        for kind in ("png", "svg"):
            path = results / "evidence" / "figures" / f"{name}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PIXEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResolvedStudy, Path]:
    study, results = build(tmp_path_factory.mktemp("page"))
    add_pictures(results)
    return study, results


@pytest.fixture(scope="module")
def html(folder) -> str:
    return render(*folder, RECORDS)


def test_nothing_is_loaded_from_anywhere(html: str) -> None:
    page = Page(html)
    assert page.loads
    assert all(load.startswith("data:image/") for load in page.loads)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= set(page.links)


def test_the_page_is_well_formed(html: str) -> None:
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.ids) == len(set(page.ids))
    inner = [x[1:] for x in page.links if x.startswith("#")]
    assert inner
    assert set(inner) <= set(page.ids)
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert sorted(page.alts) == sorted(catalogue.alt(name) for name in EVIDENCE)
    for name in EVIDENCE:
        assert catalogue.caption(name) in page.plain
    assert "nan" not in page.plain.lower().split()


def test_headlines_come_from_the_tables(html: str) -> None:
    page = Page(html).plain
    for words in (
        "The full model hits 12 of 12 findings that it was calibrated on (set A) and 7 of 9 that",
        "One distribution of parameters gives both signs of TIMP-1: at 10-fold, foci are "
        "1.5 (1.4 to 1.7) times those at basal TIMP-1 and rise in 100 % of the particles",
        "at 137-fold (31 to 890) TIMP-1; the sign turns within these doses in 97 % of the",
        "In 2 of 2 comparisons the sign of the effect hangs on a parameter",
        "Every variant with a mechanism less hits fewer findings than the full model.",
        "the calibration has learned at least 0.1 bit of",
        "The model gives both answers.",
        "Missed by monotonic.",
        "31 of 60",
        "17 of 60",
        "83 %",
    ):
        assert words in page


def test_other_tables_give_other_words(tmp_path: Path) -> None:
    study, results = build(tmp_path, far=["B7"], turns=False, flips=False)
    add_pictures(results)
    page = Page(render(study, results, [])).plain
    for words in (
        "8 of 9 that it was never fitted to",
        "The median curve does not turn",
        "In none of the 2 comparisons",
        "The model does not give both answers.",
        "No run record was found.",
    ):
        assert words in page
    assert "flips" not in page


def test_one_variant_without_a_conclusion(tmp_path: Path) -> None:
    study, results = build(
        tmp_path, make_study(tmp_path, ["full"]), far=[], turns=False, moving=False
    )
    add_pictures(results)
    page = Page(render(study, results, [])).plain
    assert "Only one variant was calibrated" in page
    assert "The full model misses none of the findings." in page
    assert "No treatment effect varies" in page


def test_every_finding_stands_with_its_source(html: str, folder) -> None:
    page = Page(html)
    for f in findings_of(folder[0]).values():
        assert f"{f.id}: {f.finding}" in page.plain
    assert "https://doi.org/10.1002/hep.27378" in page.links
    assert "https://pubmed.ncbi.nlm.nih.gov/9736035/" in page.links
    assert "second-hand" in page.plain


def test_only_records_of_the_calibration_are_shown(html: str) -> None:
    assert "k" * 64 in html
    assert "s" * 64 in html
    assert "f" * 64 not in html
    assert [r["name"] for r in recorded(RECORDS)] == ["scoreboard", "sobol"]


def test_the_same_tables_give_the_same_page(html: str, folder) -> None:
    later = [{**r, "start": "2030-01-01T00:00:00Z"} for r in RECORDS]
    assert render(*folder, later) == html


def test_hostile_text_is_text(tmp_path: Path) -> None:
    bad = '<script>alert(1)</script>"><img src=http://x.y/z>'
    labels = {"untreated": bad, "high": "a & b", "blocked": "'\"{{ 7 * 7 }}"}
    study, results = build(tmp_path, make_study(tmp_path, labels=labels))
    add_pictures(results)
    path = results / "evidence" / "scoreboard.parquet"
    scores = pd.read_parquet(path).assign(what=bad, source=f"{bad} doi 10.1000/x", trust=bad)
    write(scores, path, SCOREBOARD)
    html = render(study.model_copy(update={"title": bad}), results, [])
    page = Page(html)
    assert "script" not in page.tags
    assert all(load.startswith("data:image/") for load in page.loads)
    assert bad in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert all(link.startswith(("#", "https://")) for link in page.links)


def test_a_table_that_is_missing_is_named(tmp_path: Path) -> None:
    study, results = build(tmp_path)
    add_pictures(results)
    (results / "evidence" / "turns.parquet").unlink()
    with pytest.raises(UserError, match=r"turns\.parquet"):
        render(study, results, [])


def test_the_stage_writes_page_and_record(folder, tmp_path: Path) -> None:
    study, results = folder
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    (copy / "study.json").write_text(study.written(), encoding="utf-8")
    assert cli.main(["stage", "evidence_report", "--study", str(copy / "study.json")]) == 0
    record = json.loads((copy / "records/evidence/evidence_report.json").read_text())
    assert record["status"] == "FINISHED"
    assert "What the model explains" in (copy / "evidence" / "report.html").read_text()


# --- words ----------------------------------------------------------------------------------------


def row(**given: float) -> dict[str, float]:
    return {"predicted": 1.0, "low": 0.9, "high": 1.1, "direction_share": 1.0, **given}


def test_a_miss_says_by_how_much(folder) -> None:
    findings = findings_of(folder[0])
    high = w.miss_words(row(predicted=0.05, low=0.01, high=0.135), findings["B2"])
    assert high == "the published 0.27 lies above the predictive interval, by a factor of 2"
    low = w.miss_words(row(predicted=0.6, low=0.54, high=0.7), findings["B2"])
    assert low == "the published 0.27 lies below the predictive interval, by a factor of 2"
    short = w.miss_words(row(low=0.9, high=1.6, direction_share=0.6), findings["B8"])
    assert "60 % of the simulated experiments show the direction; a hit needs 90 %" in short
    assert "the predictive interval lies below what was published, by a factor of 1.25" in short
    value = w.miss_words(row(predicted=0.25, low=0.2, high=0.4), findings["A7"])
    assert value == "the median lies below the published range, by a factor of 1.20"
    range_ = w.miss_words(row(direction_share=0.5), findings["B9"])
    assert range_ == "50 % of the simulated experiments lie in the range; a hit needs 90 %"
    assert "no simulated" in w.miss_words(row(predicted=math.nan), findings["B9"])
    assert "no longer" in w.miss_words(row(), None)


def test_needs_tell_variants_apart() -> None:
    scores = pd.DataFrame(
        [
            (v, f, "A", f"says {f}", verdict)
            for f, verdicts in {
                "needed": "hit miss",
                "free": "hit hit",
                "other": "miss hit",
                "lost": "miss miss",
            }.items()
            for v, verdict in zip(("full", "no_niche"), verdicts.split(), strict=True)
        ],
        columns=["variant", "finding", "set", "what", "verdict"],
    )
    found = w.needs(scores)
    assert {k: [e["finding"] for e in v] for k, v in found.items()} == {
        "needed": ["needed"],
        "free": ["free"],
        "others": ["other"],
    }
    assert w.tally(scores, "full", "A") == "2 of 4"


def test_a_variant_that_hits_as_much_is_not_ruled_out() -> None:
    def scores(**hits: str) -> pd.DataFrame:
        rows = [
            (v, s, "hit" if k == "1" else "miss")
            for v, of in hits.items()
            for s, k in zip("AABB", of, strict=True)
        ]
        return pd.DataFrame(rows, columns=["variant", "set", "verdict"])

    assert w.rival_words(scores(full="1110")) == ""
    assert w.rival_words(scores(full="1110", a="0110")).startswith("Every variant")
    said = w.rival_words(scores(full="1110", no_niche="1101", b="1010", hgf_only="1111"))
    assert said.startswith("No niche and hgf only hit as many findings")


def test_what_was_learned_is_counted(folder) -> None:
    posterior = table(folder[1], "full/posterior")
    unknown = int((posterior["trust"] == "unknown").sum())
    one = posterior.assign(learned=np.where(posterior["parameter"] == "mmp_ki", 0.5, 0.01))
    said = w.learned_words(one)
    assert said.startswith(f"Of {unknown} parameters that nobody has measured")
    assert "at least 0.1 bit of 1: mmp ki (0.50 bit). The rest" in said
    assert "0.1 bit of 0. The rest" in w.learned_words(posterior.assign(learned=0.0))


def test_one_sign_is_not_called_both(folder) -> None:
    apart, turns = table(folder[1], "dose_arms"), table(folder[1], "turns").iloc[0]
    up = w.sign_words(apart.assign(share_up=1.0), turns)[0]
    assert up.startswith("The calibrated distribution does not give both signs")
    none = w.sign_words(apart.assign(median=np.nan), turns)
    assert none == ["No particle gave a ratio, so nothing can be said of the sign of TIMP-1."]


def test_the_map_says_where_the_population_lies(folder) -> None:
    cells, particles = table(folder[1], "phase_map"), table(folder[1], "full/population")
    inside = particles.assign(cd63_ratio=30.0, mmp_ki=300.0)
    said = w.map_words(cells, inside)
    assert "raises than lowers foci on 33 % of the map, and 100 % of the calibrated" in said
    assert "0 % of the calibrated" in w.map_words(cells, inside.assign(cd63_ratio=1, mmp_ki=0.3))
    assert "Elsewhere" not in w.map_words(cells.assign(share_up=0.9), inside)
    assert w.map_words(cells.iloc[:0], inside) == "The map is empty."


def test_sources_are_cut_at_their_links() -> None:
    parts = w.source_parts("A 1998, PMID 973; B, doi 10.1000/ab.c.")
    assert "".join(text for text, _ in parts) == "A 1998, PMID 973; B, doi 10.1000/ab.c."
    assert [address for _, address in parts if address] == [
        "https://pubmed.ncbi.nlm.nih.gov/973/",
        "https://doi.org/10.1000/ab.c",
    ]
    assert w.source_parts("Blood 1997;90:1993") == [("Blood 1997;90:1993", None)]


def test_a_median_at_the_end_of_its_prior_is_told(folder) -> None:
    posterior = table(folder[1], "full/posterior").head(3)
    assert w.at_the_ends(posterior) == []
    pushed = posterior.assign(median=[15.9, 1.01, 4.0])
    names = [str(p).replace("_", " ") for p in posterior["parameter"]]
    assert w.at_the_ends(pushed) == [f"{names[0]} (high end)", f"{names[1]} (low end)"]


def test_lists_in_words() -> None:
    assert w.together([]) == ""
    assert w.together(["a"]) == "a"
    assert w.together(["a", "b", "c"]) == "a, b and c"
