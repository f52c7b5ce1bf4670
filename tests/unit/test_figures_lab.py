"""Figures of event-free days, mice needed and uncertainty: what a lab plans with."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from nichetrial.figures.style import save
from nichetrial.study.resolved import ResolvedStudy
from tests.support.lab_figures import lab_tables
from tests.support.trial_results import FACTOR, FEW, build, make_study, outcome_table, words

pytestmark = [pytest.mark.slow]

NAMES = ("event_free", "power", "uncertainty")


def draw(name: str, study: ResolvedStudy, results: Path, missing=()) -> Figure:
    return import_module(f"nichetrial.figures.{name}").draw(study, results, list(missing))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory):
    return build(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_names_what_it_shows(name: str, plain) -> None:
    text = words(draw(name, *plain))
    for label in ("TIMP-1-high", "AMD3100 twice daily", "Cd63 -/-"):
        assert label in text
    expected = {
        "event_free": "mice alive and free of detectable metastasis",
        "power": "all 6 at once (Holm)",
        "uncertainty": "share of the variance of the effect",
    }
    assert expected[name] in text


@pytest.mark.parametrize("name", NAMES)
def test_the_same_results_give_the_same_bytes(name: str, plain, tmp_path: Path) -> None:
    first = save(draw(name, *plain), tmp_path / "a", ("png", "svg"), 60)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.grid": True}):
        second = save(draw(name, *plain), tmp_path / "b", ("png", "svg"), 60)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [["amd3100", "cd63_ko"], ["timp1_high"]])
def test_missing_arms_are_named_and_stop_nothing(name: str, missing: list[str], tmp_path) -> None:
    study, results = build(tmp_path, make_study(FEW), missing=missing)
    figure = draw(name, study, results, missing)
    save(figure, tmp_path / "f", ("png",), 40)
    text = words(figure)
    if name == "event_free" or missing != ["timp1_high"]:
        assert "missing: its jobs failed" in text
    else:
        assert "its reference is missing" in text


@pytest.mark.parametrize("name", NAMES)
def test_no_foci_at_all_can_be_drawn(name: str, tmp_path: Path) -> None:
    study, results = build(tmp_path, make_study(FEW), zero=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(name, study, results)
        save(figure, tmp_path / "f", ("png", "svg"), 40)
    if name == "power":
        assert words(figure).count("more than 10") == 3  # both pairs, and the design


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_arms_can_be_drawn(name: str, tmp_path: Path) -> None:
    labels = {f"arm_{i}": f"Arm number {i} with a rather long label" for i in range(30)}
    study, results = build(tmp_path, make_study(labels, particles=2))
    assert "Arm number 29" in words(draw(name, study, results))


def test_mice_needed_stand_in_words_beside_their_row(plain) -> None:
    study, results = plain
    needed = pd.read_parquet(results / "comparisons" / "mice_needed.parquet")
    text = words(draw("power", study, results))
    for written in needed["written"]:
        assert written in text
    assert needed["mice"].notna().any()
    assert needed["mice"].isna().any()


def test_days_gained_stand_beside_the_row_of_their_arm(plain) -> None:
    study, results = plain
    table = pd.read_parquet(results / "comparisons" / "restricted_means.parquet")
    row = table[(table["arm"] == "anti_ly6g") & (table["outcome"] == "metastasis_free_days")].iloc[
        0
    ]
    assert row["difference"] > 0
    assert f"+{row['difference']:.1f} (" in words(draw("event_free", study, results))


def test_numbers_at_risk_are_those_of_the_mice(plain) -> None:
    study, results = plain
    table = outcome_table(np.arange(study.cohort.particles), FACTOR["amd3100"])
    table = table[table["status"] == "finished"]
    figure = draw("event_free", study, results)
    rows = figure.axes[2]  # numbers at risk of the first panel
    row = [a.name for a in study.arms].index("amd3100")
    shown = {t.get_position()[0]: t.get_text() for t in rows.texts if t.get_position()[1] == -row}
    for day in (0.0, 15.0, 20.0):
        assert shown[day] == str(int((table["metastasis_free_days"] >= day).sum()))


def test_inspections_are_marked_on_the_curves(plain, tmp_path: Path) -> None:
    study, results = plain
    assert not marks(draw("event_free", study, results))
    outcomes = {
        a.name: outcome_table(np.arange(study.cohort.particles), FACTOR[a.name]) for a in study.arms
    }
    looks = (14.0, 18.0, 28.0)
    (tmp_path / "comparisons").mkdir()
    for name, table in lab_tables(study, outcomes, FACTOR, inspections=looks).items():
        table.to_parquet(tmp_path / "comparisons" / f"{name}.parquet")
    found = marks(draw("event_free", study, tmp_path))
    assert found
    assert found <= set(looks)


def marks(figure: Figure) -> set[float]:
    """Days of the open marks on the first panel."""
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    return {float(day) for line in lines for day in line.get_xdata()}


def test_parts_of_a_bar_add_up(plain) -> None:
    figure = draw("uncertainty", *plain)
    ends = {}
    for patch in figure.axes[0].patches:
        y = round(patch.get_y(), 3)
        ends[y] = max(ends.get(y, 0.0), patch.get_x() + patch.get_width())
    assert len(ends) == 6
    assert list(ends.values()) == pytest.approx([1.0] * 6)
