"""Figures of the evidence: they draw whatever the calibration came to, always with equal bytes."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nichetrial import cli
from nichetrial.errors import UserError
from nichetrial.evidence import contradiction as c
from nichetrial.figures import catalogue
from nichetrial.figures import evidence_inputs as evidence
from nichetrial.figures.declared import EVIDENCE
from nichetrial.figures.posterior import FIRST, place, unknown
from nichetrial.figures.style import save
from nichetrial.pipeline.jobs import job
from nichetrial.pipeline.plan import Plan
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import write
from tests.support.evidence_results import build, make_study

pytestmark = [pytest.mark.slow]


def words(figure: Figure) -> str:
    """All text in a figure, line breaks as spaces."""
    return " | ".join(t.get_text().replace("\n", " ") for t in figure.findobj(Text))


def draw(name: str, study: ResolvedStudy, results: Path, out: Path) -> Figure:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = catalogue.draw(name, study, results, [])
        save(figure, out / name, ("png",), 40)
    return figure


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResolvedStudy, Path]:
    return build(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_figure_shows_the_numbers_of_its_tables(name: str, plain, tmp_path: Path) -> None:
    text = words(draw(name, *plain, tmp_path))
    expected = {
        "scoreboard": [
            "12/12",
            "7/9",
            "6/9",
            "predicted only",
            "monotonic",
            "0.060 (0.020 to 0.15)",
        ],
        "contradiction": [
            "137-fold (31 to 890)",
            "B1 (Elezkurtaj 2004)",
            "A3 (Seubert 2015)",
            "niche alone",
        ],
        "phase_map": ["10-fold TIMP-1", "[nM]"],
        "posterior": ["cd63 ratio", "4.2 (2.0 to 8.0)", "1 to 16"],
        "sobol": ["foci of TIMP-1-high", "AMD3100 against TIMP-1-high", "mmp ki ?"],
        "calibration": ["distance limit", "effective sample size (particles)", "monotonic"],
    }
    for word in expected[name]:
        assert word in text


@pytest.mark.parametrize("name", EVIDENCE)
def test_the_same_tables_give_the_same_bytes(name: str, plain, tmp_path: Path) -> None:
    study, results = plain
    first = save(catalogue.draw(name, study, results, []), tmp_path / "a", ("png", "svg"), 40)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.grid": True}):
        second = save(catalogue.draw(name, study, results, []), tmp_path / "b", ("png", "svg"), 40)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert len(one.read_bytes()) > 2000
    assert b"dc:date" not in first[1].read_bytes()
    assert b"Software" not in first[0].read_bytes()


@pytest.mark.parametrize("name", EVIDENCE)
def test_caption_and_alternative_text_are_there(name: str) -> None:
    assert catalogue.caption(name).endswith(".")
    assert len(catalogue.caption(name)) > len(catalogue.alt(name)) > 40
    assert EVIDENCE[name]


def test_one_variant_without_turn_flip_or_difference_can_be_drawn(tmp_path: Path) -> None:
    study, results = build(
        tmp_path, make_study(tmp_path, ["full"]), turns=False, moving=False, failed=["A1", "B7"]
    )
    texts = {name: words(draw(name, study, results, tmp_path)) for name in EVIDENCE}
    assert "does not turn at these doses" in texts["contradiction"]
    assert "no quantity varies" in texts["sobol"]
    assert "no simulated experiment gave a number" in texts["scoreboard"]


def test_curves_without_a_number_can_be_drawn(tmp_path: Path) -> None:
    study, results = build(tmp_path)
    path = results / "evidence" / "dose_arms.parquet"
    table = pd.read_parquet(path).assign(median=np.nan, low=np.nan, high=np.nan)
    write(table, path, c.DOSE_ARMS)
    assert "no particle with a ratio" in words(draw("contradiction", study, results, tmp_path))


def test_labels_with_dollars_and_markup_are_text(tmp_path: Path) -> None:
    labels = {"untreated": "costs $5 and $6 \\frac{", "high": "two <b>", "blocked": "x" * 60}
    study, results = build(tmp_path, make_study(tmp_path, labels=labels))
    text = words(draw("sobol", study, results, tmp_path))
    assert "$5" in text
    assert "<b>" in text


def test_a_missing_table_is_told(plain, tmp_path: Path) -> None:
    study, _ = plain
    for name in EVIDENCE:
        with pytest.raises(UserError, match="run the stages before it"):
            catalogue.draw(name, study, tmp_path, [])


def test_published_points_are_those_under_a_vector(plain) -> None:
    findings = evidence.findings_of(plain[0])
    points = {p.finding.id: p.fold for p in evidence.published(findings)}
    assert points == {"A3": 10.0, "B1": 1e5, "B2": 1e5}
    assert [(a.id, b.id) for a, b in evidence.two_routes(findings)] == [("B7", "B9")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0.3, 0.1, 0.5), "0.30 (0.10 to 0.50)"),
        ((math.nan, 0.1, 0.5), "0.10 to 0.50"),
        ((math.nan, 2.0, math.nan), "at least 2"),
        ((math.nan, math.nan, 0.5), "at most 0.50"),
        ((math.nan, math.nan, math.nan), ""),
    ],
)
def test_what_was_published_in_words(given, said: str) -> None:
    assert evidence.published_words(None, *given) == said


def test_a_statistic_in_words() -> None:
    assert evidence.statistic_words("ratio of foci") == "foci, ratio"
    assert evidence.statistic_words("parameter of timp1_half_life") == "timp1 half life [h]"
    assert evidence.statistic_words("parameter of mmp_ki") == "mmp ki [nM]"


def test_unknown_parameters_start_with_those_behind_the_sign(plain) -> None:
    rows = unknown(evidence.table(plain[1], "full/posterior"))
    assert tuple(rows["parameter"][:3]) == FIRST
    assert set(rows["trust"]) == {"unknown"}
    assert rows["learned"][3:].is_monotonic_decreasing


def test_places_on_a_prior() -> None:
    assert place(np.array([1.0, 4.0, 16.0]), 1.0, 16.0) == pytest.approx([0.0, 0.5, 1.0])
    assert place(np.array([0.0, 1.0]), 0.0, 2.0) == pytest.approx([0.0, 0.5])
    assert place(np.array([3.0]), 3.0, 3.0) == pytest.approx([0.5])


def test_what_a_figure_does_not_show_does_not_draw_it_again(plain) -> None:
    study, _ = plain
    other = study.model_copy(
        update={"question": "Why?", "cohort": study.cohort.model_copy(update={"particles": 7})}
    )
    for name, wildcards in (("evidence_figure", {"figure": "sobol"}), ("evidence_report", {})):
        one, two = (job(Plan.of(s, "s"), name, **wildcards) for s in (study, other))
        assert one.digest() == two.digest()


def test_the_stage_writes_pictures_and_record(plain, tmp_path: Path) -> None:
    study, results = plain
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    (folder / "study.json").write_text(study.written(), encoding="utf-8")
    words = ["--study", str(folder / "study.json"), "--figure", "calibration"]
    assert cli.main(["stage", "evidence_figure", *words]) == 0
    record = json.loads((folder / "records/evidence/evidence_figure/calibration.json").read_text())
    assert (record["stage"], record["name"], record["status"]) == (
        "evidence_figure",
        "calibration",
        "FINISHED",
    )
    for kind in study.figures.formats:
        assert (folder / f"evidence/figures/calibration.{kind}").stat().st_size > 2000
