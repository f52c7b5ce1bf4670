"""The report: whole, self-contained, safe against hostile labels, and always the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial import cli, codes
from nichetrial.cohort.smc import GENERATIONS
from nichetrial.figures import catalogue
from nichetrial.figures.declared import FIGURES
from nichetrial.figures.dose import COLUMNS
from nichetrial.records.stored import read_records
from nichetrial.report import references
from nichetrial.report import sentences as words
from nichetrial.report.provenance import provenance
from nichetrial.report.study_page import render
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import Host, ResolvedStudy
from nichetrial.tables import write
from tests.support.pages import PIXEL, Page
from tests.support.trial_results import build, make_study


def add_pictures(study: ResolvedStudy, results: Path) -> None:
    for name in FIGURES:
        for kind in study.figures.formats:
            path = results / "figures" / f"{name}.{kind}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(PIXEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResolvedStudy, Path]:
    study, results = build(tmp_path_factory.mktemp("whole"))
    add_pictures(study, results)
    return study, results


@pytest.fixture(scope="module")
def html(folder: tuple[ResolvedStudy, Path]) -> str:
    study, results = folder
    return render(study, results, [], read_records(results))


def test_nothing_is_loaded_from_anywhere(html: str) -> None:
    page = Page(html)
    assert page.loads
    assert all(load.startswith("data:image/") for load in page.loads)
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert "url(" not in html
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= set(page.links)


def test_the_page_is_well_formed(html: str, folder) -> None:
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.ids) == len(set(page.ids))
    inner = [x[1:] for x in page.links if x.startswith("#")]
    assert inner
    assert set(inner) <= set(page.ids)
    assert page.tags.count("h1") == page.tags.count("main") == 1
    asked = [n for n in FIGURES if folder[0].asks_for(n)]
    first = ["forest", "schedule"]  # with the answer, and with the experiment
    shown = [*first, *(n for n in asked if n not in first)]
    assert page.alts == [catalogue.alt(n) for n in shown]
    assert '<html lang="en">' in html


def test_every_arm_caption_and_doi_is_there(html: str, folder) -> None:
    study, _ = folder
    page = Page(html)
    for arm in study.arms:
        assert arm.label in page.plain
    for name in filter(study.asks_for, FIGURES):
        assert catalogue.caption(name) in page.plain
    dois = {
        "10.1002/hep.27378",
        "10.1002/jgm.637",
        "10.3324/haematol.2014.121590",
        "10.1371/journal.pone.0050028",
    }
    dois |= {r.doi for r in (*references.LITERATURE, *references.SOFTWARE) if r.doi}
    dois |= {doi for _, doi, _ in references.sources_of_parameters() if doi}
    assert len(dois) > 8
    for doi in dois:
        assert references.doi_url(doi) in page.links
    for software in ("Snakemake", "MLflow"):
        assert software in page.plain


def test_failures_stand_before_the_results(html: str) -> None:
    page = Page(html).plain
    sections = [
        "The question",
        "neutrophils above 20-fold: 6",
        "0.55 (0.44 to 0.66)",
        "The arms in words",
        "Visible foci at read-out [foci]",
        "Bliss",
        "Limits",
        "Spearman",
        "k" * 64,
    ]
    assert [s for s in sections if s not in page] == []
    assert page.index("neutrophils above 20-fold") < page.index("0.55 (0.44 to 0.66)")
    assert "12 simulations stopped by the solver and 18 refused as implausible" in page
    assert "nichetrial replay STUDY.yaml --particle 3 --animal 0 --arm untreated --trace" in page


def test_the_numbers_of_the_tables_are_there(html: str) -> None:
    page = Page(html).plain
    assert "Foci against TIMP-1-high: " in page
    cells = ["TIMP-1-high", "fewer"]
    told = "AMD3100 twice daily</th>" + "".join(f"<td>{cell}</td>" for cell in cells)
    assert f'{told}\n<td class="n">0.55 (0.44 to 0.66)</td><td class="n">100 %</td>' in html
    assert "more effect than expected" not in page
    assert "better than the better part alone" not in page
    assert "TIMP-1 that half-saturates CD63, as multiple of basal TIMP-1" in page
    assert "highest at 10-fold, 1.8 (1.8 to 1.8) times those at basal TIMP-1" in page
    assert "5 mg/kg every 12 h from day 5 until day 20" in page
    assert "nan" not in page.lower().split()


def test_the_same_results_give_the_same_page(html: str, folder) -> None:
    study, results = folder
    records = read_records(results)
    later = [{**r, "start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"} for r in records]
    assert render(study, results, [], later) == html
    assert "2026-01-01" not in html


@pytest.mark.parametrize("zero", [False, True])
def test_a_missing_arm_and_no_foci(tmp_path: Path, zero: bool) -> None:
    study, results = build(tmp_path, missing=["cd63_ko"], zero=zero)
    add_pictures(study, results)
    html = render(study, results, ["cd63_ko"], [])
    page = Page(html).plain
    assert "Missing, because their jobs failed: Cd63 -/-." in page
    lost = "<td>TIMP-1-high</td><td>no result: jobs or all mice failed</td>"
    assert f"Cd63 -/-</th>{lost}" in html
    assert "No run record was found." in page
    if zero:
        assert "no ratio: the reference has no foci" in page


def test_all_tables_may_be_empty(tmp_path: Path) -> None:
    study, results = build(tmp_path, make_study({"timp1_high": "alone"}, particles=1))
    add_pictures(study, results)
    for path in (results / "parameters").glob("*.csv"):
        path.write_text("reason,mice\n")
    page = Page(render(study, results, [], [])).plain
    assert "The study declares no combination." in page
    assert "No draw was rejected" in page
    assert "Too few particles" in page


HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/a.png onerror=1>"


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    plain = make_study({"timp1_high": HOSTILE, "amd3100": "& {{ 7 * 7 }}"}, particles=3)
    study = plain.model_copy(update={"title": HOSTILE, "question": HOSTILE})
    study, results = build(tmp_path, study)
    add_pictures(study, results)
    arms = results / "comparisons" / "arms.parquet"
    pd.read_parquet(arms).assign(label=HOSTILE).to_parquet(arms, index=False)
    record = {"stage": "simulate", "name": HOSTILE, "status": "FAILED", "error": HOSTILE}
    html = render(study, results, [], [record])
    page = Page(html)
    assert "script" not in page.tags
    assert all(load.startswith("data:") for load in page.loads)
    assert HOSTILE in page.plain
    assert "{{ 7 * 7 }}" in page.plain


def test_png_is_taken_where_there_is_no_svg(tmp_path: Path) -> None:
    study = make_study(particles=3)
    study = study.model_copy(
        update={"figures": study.figures.model_copy(update={"formats": ("png",)})}
    )
    study, results = build(tmp_path, study)
    for name in FIGURES:
        path = results / "figures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x89PNG")
    assert "data:image/png;base64,iVBORw==" in render(study, results, [], [])


def test_effects_against_effects_are_there(tmp_path: Path) -> None:
    study, results = build(tmp_path)
    add_pictures(study, results)
    assert "Effects against effects" not in render(study, results, [], [])
    found = {
        "arm": "amd3100",
        "reference": "untreated",
        "against_arm": "timp1_high",
        "against_reference": "untreated",
        **{"ratio": 0.7, "ratio_low": 0.5, "ratio_high": 0.9},
        **{"p_smaller": 0.97, "p_error": 0.01, "particles": 250},
    }
    pd.DataFrame([found]).to_parquet(results / "comparisons" / "interactions.parquet")
    html = render(study, results, [], [])
    assert '<td>smaller</td>\n<td class="n">0.70 (0.50 to 0.90)</td>' in html


def row(**changes: float | str | int) -> pd.Series:
    values = {
        "arm": "amd3100",
        "reference": "timp1_high",
        "particles": 250,
        "ratio": 0.5,
        "ratio_low": 0.4,
        "ratio_high": 0.6,
        "p_fewer": 0.97,
        "p_relevant": 0.9,
        "p_error": 0.01,
        "widened": 1.02,
        "enough": 2,
        "pooled_difference_low": -4.0,
        "pooled_difference_high": -2.0,
    }
    return pd.Series(values | changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "fewer"),
        ({"p_fewer": 0.8}, "probably fewer"),
        ({"p_fewer": 0.5}, "direction not known"),
        ({"p_fewer": 0.2}, "probably more"),
        ({"p_fewer": 0.02}, "more"),
        ({"p_fewer": 0.91}, "fewer (borderline)"),
        (
            {"pooled_difference_low": 0.0, "pooled_difference_high": 0.0},
            "exactly as many, in every mouse",
        ),
        ({"ratio": float("nan")}, "no ratio: the reference has no foci"),
        ({"particles": 0}, "no result: jobs or all mice failed"),
    ],
)
def test_an_effect_in_words(changes: dict[str, float], expected: str) -> None:
    assert words.effect_words(row(**changes)) == expected


def test_the_answer_in_sentences() -> None:
    """Arms with the same word stand together, in the order in which the words come."""
    rows = [
        row(),
        row(arm="untreated", p_fewer=0.01),
        row(arm="anti_ly6g", p_fewer=0.91),
        row(arm="untreated", reference="amd3100", p_fewer=0.5),
    ]
    labels = {arm.name: arm.label for arm in make_study().arms}
    both = f"{labels['amd3100']} and {labels['anti_ly6g']}"
    assert words.lead_words(pd.DataFrame(rows), make_study()) == [
        f"Foci against TIMP-1-high: fewer with {both}; more with {labels['untreated']}.",
        f"Foci against {labels['amd3100']}: direction not known with {labels['untreated']}.",
    ]
    assert words.noise_words(pd.DataFrame(rows)) == ""
    told = words.noise_words(pd.DataFrame([row(), row(widened=1.3, enough=24)]))
    assert "1.3 times" in told
    assert "mice_per_particle: 24" in told
    assert "Too few" in words.noise_words(pd.DataFrame([row(widened=np.nan, enough=np.nan)]))
    assert "hide" in words.noise_words(pd.DataFrame([row(), row(widened=np.inf, enough=np.nan)]))


@pytest.mark.parametrize(
    ("null", "better", "expected"),
    [
        ("bliss", 0.95, "more effect than expected"),
        ("bliss", 0.8, "probably more effect"),
        ("bliss", 0.04, "less effect than expected"),
        ("bliss", 0.5, "direction not known"),
        ("hsa", 0.95, "better than the better part"),
        ("hsa", 0.04, "worse"),
        ("bliss", float("nan"), "no result"),
    ],
)
def test_a_combination_in_words(null: str, better: float, expected: str) -> None:
    row = {"null_model": null, "decides": True, "p_better": better, "p_error": 0.01}
    assert words.combination_words(pd.Series(row), make_study()).startswith(expected)


def test_a_null_model_that_the_study_does_not_name_has_no_verdict() -> None:
    row = {"null_model": "hsa", "decides": False, "p_better": 0.95, "p_error": 0.01}
    assert words.combination_words(pd.Series(row), make_study()) == "for comparison"


def test_the_dose_curve_in_words() -> None:
    def curve(*means: float) -> pd.DataFrame:
        rows = [(10.0**k, m * 0.9, m, m, m, m * 1.1, 9) for k, m in enumerate(means)]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    assert "highest at 10-fold, 1.8 (1.6 to 2.0)" in str(words.dose_words(curve(1, 1.8, 0.2)))
    assert "no hump" in str(words.dose_words(curve(1, 0.8, 0.2)))
    assert "no hump" in str(words.dose_words(curve(1, 2, 3)))
    assert words.dose_words(curve()) is None


def test_an_arm_in_words() -> None:
    study = make_study()
    assert words.arm_words(study.arm("untreated"))[0].startswith("nothing")
    assert "host Cd63 -/-" in words.arm_words(study.arm("cd63_ko"))
    assert "10-fold plasma TIMP-1 from day 0" in words.arm_words(study.arm("timp1_high"))[0]
    high = study.arm("timp1_high").model_copy(update={"host": Host(timp1=2.5)})
    assert "host Timp1 expressed 2.5-fold" in words.arm_words(high)


def test_provenance_leaves_itself_out_and_gathers_the_rest(folder) -> None:
    records = read_records(folder[1])
    extra = [{**records[0], "stage": "report", "seed": 99}, {**records[0], "git": {}}]
    found = provenance([*records, *extra])
    assert [s.stage for s in found.stages] == ["simulate"]
    assert found.seeds == ("7",)
    assert found.commits == ("a" * 40, "no git commit known")


def test_the_sources_of_parameters_have_clean_dois() -> None:
    dois = [doi for _, doi, _ in references.sources_of_parameters() if doi]
    assert "10.1074/jbc.272.47.29975" in dois
    assert "10.1038/sj.bjc.6690384" in dois
    assert all(re.fullmatch(r"10\.\d{4,9}/[\w.()-]+\w", doi) for doi in dois)


def test_the_stage_writes_the_same_page_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, results = build(tmp_path)
    add_pictures(study, results)
    monkeypatch.chdir(tmp_path)
    at = f"results/{study.name}"
    words = ["stage", "report", "--study", f"{at}/study.json"]
    assert cli.main(words) == 0
    first = Path(at, "report.html").read_bytes()
    assert cli.main(words) == 0  # its own record lies there now
    assert Path(at, "report.html").read_bytes() == first
    record = json.loads(Path(at, "records/report.json").read_text())
    assert f"{at}/figures/dose.svg" in record["inputs"]
    assert list(record["outputs"]) == [f"{at}/report.html"]


def test_the_stage_names_a_table_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study, results = build(tmp_path)
    add_pictures(study, results)
    (results / "comparisons" / "unknowns.parquet").unlink()
    monkeypatch.chdir(tmp_path)
    at = f"results/{study.name}"
    assert cli.main(["stage", "report", "--study", f"{at}/study.json"]) == 2
    assert f"unknowns.parquet: {codes.NO_RESULTS} " in capsys.readouterr().err
    assert not Path(at, "report.html").exists()


@pytest.mark.parametrize("met", [0.07, 1.0])
def test_what_a_calibration_of_its_own_reached_is_in_the_report(tmp_path, met):
    """The claim comes from the numbers of this study, not from those of the shipped population."""
    study, results = build(tmp_path)
    add_pictures(study, results)
    study = study.model_copy(
        update={"cohort": study.cohort.model_copy(update={"population": "own"})}
    )
    path = Path(Layout(results.as_posix()).evidence.table("full/generations"))
    row = dict.fromkeys(GENERATIONS, 1.0) | {"generation": 5, "origins": 9, "met": met}
    write(pd.DataFrame([row]).astype({"generation": int, "origins": int}), path, GENERATIONS)
    page = render(study, results, [], read_records(results))
    assert words.fitted_words([], met) in page
    assert "12 of the 12" not in page
