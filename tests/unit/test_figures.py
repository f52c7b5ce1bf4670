"""Figures: they draw whatever happened to the mice, always with the same bytes."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D

from nichetrial import cli, codes
from nichetrial.figures import catalogue, dose, foci, inputs
from nichetrial.figures.declared import FIGURES
from nichetrial.figures.style import arm_styles, save, spread, wrapped
from tests.support.trial_results import FEW, LABELS, build, make_study, words

pytestmark = [pytest.mark.slow]

SCHEDULE = importlib.util.find_spec("nichetrial.figures.schedule") is not None
ELSEWHERE = {
    "event_free",
    "dose_response",
    "surface",
    "window",
    "schedules",
    "optimum",
    "power",
    "uncertainty",
    "ranking",
}
"""Tested in test_figures_lab and test_figures_sweeps."""
DRAWN = [n for n in FIGURES if n not in ELSEWHERE and (n != "schedule" or SCHEDULE)]
FROM_RESULTS = [name for name in DRAWN if name != "schedule"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory):
    return build(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory):
    return build(tmp_path_factory.mktemp("gap"), make_study(FEW), missing=["amd3100", "cd63_ko"])


@pytest.mark.parametrize("name", FROM_RESULTS)
def test_a_figure_names_what_it_shows(name: str, plain) -> None:
    study, results = plain
    text = words(catalogue.draw(name, study, results, []))
    if name != "dose":
        for label in ("TIMP-1-high", "AMD3100 twice daily", "Cd63 -/-"):
            assert label in text
    expected = {
        "foci": "visible foci per mouse at day 21",
        "forest": "of 10 possible biologies",
        "courses": "liver neutrophils [fold]",
        "dose": "plasma TIMP-1, fold of basal",
        "colonies": "colony size at read-out [cells]",
    }
    assert expected[name] in text


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_results_give_the_same_bytes(name: str, plain, tmp_path: Path) -> None:
    study, results = plain
    first = save(catalogue.draw(name, study, results, []), tmp_path / "a", ("png", "svg"), 60)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.grid": True}):
        second = save(catalogue.draw(name, study, results, []), tmp_path / "b", ("png", "svg"), 60)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert len(one.read_bytes()) > 2000
    assert b"dc:date" not in first[1].read_bytes()
    assert b"Software" not in first[0].read_bytes()


@pytest.mark.parametrize("name", FROM_RESULTS)
def test_a_missing_arm_is_named_and_does_not_stop_the_figure(name: str, gap, tmp_path) -> None:
    study, results = gap
    figure = catalogue.draw(name, study, results, ["amd3100", "cd63_ko"])
    save(figure, tmp_path / "f", ("png",), 40)
    if name != "dose":
        text = words(figure)
        assert "Cd63 -/-" in text
        assert "missing: its jobs failed" in text


@pytest.mark.parametrize("name", FROM_RESULTS)
def test_a_missing_reference_does_not_stop_the_figure(name: str, tmp_path) -> None:
    study, results = build(tmp_path, make_study(FEW), missing=["timp1_high"])
    save(catalogue.draw(name, study, results, ["timp1_high"]), tmp_path / "f", ("png",), 40)


@pytest.mark.parametrize("name", FROM_RESULTS)
def test_no_foci_at_all_can_be_drawn(name: str, tmp_path: Path) -> None:
    study, results = build(tmp_path, make_study(FEW), zero=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(catalogue.draw(name, study, results, []), tmp_path / "f", ("png", "svg"), 40)


@pytest.mark.parametrize("name", FROM_RESULTS)
def test_an_arm_in_which_every_mouse_failed_can_be_drawn(name: str, tmp_path: Path) -> None:
    study, results = build(tmp_path, make_study(FEW))
    for emptied, columns in (
        ("particles", ["finished", "foci", "expected_foci", "metastasis_free_days"]),
        ("arms", ["finished"]),
    ):
        path = results / "comparisons" / f"{emptied}.parquet"
        table = pd.read_parquet(path).astype(dict.fromkeys(columns, float))
        table.loc[table["arm"] == "amd3100", columns] = np.nan
        table["finished"] = table["finished"].fillna(0).astype(int)
        table.to_parquet(path, index=False)
    for path in results.glob("simulations/amd3100/*.courses.parquet"):
        table = pd.read_parquet(path)
        table.loc[:, ["timp1", "niche"]] = np.nan
        table.to_parquet(path, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(catalogue.draw(name, study, results, []), tmp_path / "f", ("png",), 40)


def test_labels_with_dollars_and_line_breaks_are_text(tmp_path: Path) -> None:
    labels = {"timp1_high": "costs $5 and $6 \\frac{", "amd3100": "two\nlines <b>"}
    study, results = build(tmp_path, make_study(labels, particles=3))
    for name in FROM_RESULTS:
        figure = catalogue.draw(name, study, results, [])
        save(figure, tmp_path / name, ("svg",), 40)
        if name != "dose":
            assert "$5" in words(figure)


@pytest.mark.slow
def test_many_arms_can_be_drawn(tmp_path: Path) -> None:
    labels = {f"arm_{i}": f"Arm number {i} with a rather long label" for i in range(30)}
    study, results = build(tmp_path, make_study(labels, particles=2))
    for name in FROM_RESULTS:
        figure = catalogue.draw(name, study, results, [])
        if name != "dose":
            assert "Arm number 29" in words(figure)
    looks = [(s.colour, s.marker, str(s.line)) for s in arm_styles(study).values()]
    assert len(set(looks)) == 30


def test_the_looks_of_an_arm_depend_on_its_place_only() -> None:
    short = make_study(dict(list(LABELS.items())[:3]))
    whole = make_study()
    for name, style in arm_styles(short).items():
        assert arm_styles(whole)[name] == style


def test_the_forest_shows_the_numbers_of_the_table(plain) -> None:
    study, results = plain
    text = words(catalogue.draw("forest", study, results, []))
    assert "0.55 (0.44 to 0.66)" in text
    assert "against AMD3100 twice daily" in text


def test_the_dose_curve_is_a_ratio_to_the_lowest_dose(plain) -> None:
    study, results = plain
    curve = dose.ratios(study, results)
    assert curve["fold"].tolist() == list(study.figures.dose_folds)
    for column in ("low", "median", "high"):
        np.testing.assert_allclose(curve[column], [1.0, 1.8, 1.4, 0.4, 0.04, 0.004])
    assert (curve["particles"] < study.figures.dose_particles).all()  # some mice did not finish


def test_every_arm_is_compared_with_its_first_pair() -> None:
    study = make_study()
    assert inputs.main_reference(study, "amd3100_anti_ly6g") == "timp1_high"
    assert inputs.main_reference(study, "timp1_high") == "timp1_high"


def test_of_many_particles_the_first_are_drawn_and_all_are_counted(plain, monkeypatch) -> None:
    study, results = plain

    def drawn() -> tuple[int, list[str]]:
        figure = catalogue.draw("foci", study, results, [])
        dots = [len(c.get_offsets()) for c in figure.findobj(PathCollection)]
        bars = [str(line.get_xydata()) for line in figure.findobj(Line2D)]
        return max(dots), [words(figure), *bars]

    most, told = drawn()
    monkeypatch.setattr(foci, "DRAWN", 4)
    fewer, same = drawn()
    assert most > 4
    assert 0 < fewer <= 4
    assert same == told


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.2))
def test_spread_labels_keep_their_order_and_their_distance(wanted: list[float], gap: float) -> None:
    places = spread(np.array(wanted), gap, 0.0, 1.0)
    assert places.min() >= -1e-9
    assert places.max() <= 1 + 1e-9
    order = np.argsort(wanted, kind="stable")
    steps = np.diff(places[order])
    closest = min(gap, 1.0 / max(len(wanted) - 1, 1))
    assert (steps >= closest - 1e-9).all()


@given(st.lists(st.floats(0.1, 0.9), min_size=1, max_size=4, unique=True))
def test_labels_far_enough_apart_stay_where_they_are(wanted: list[float]) -> None:
    places = np.array(wanted)
    if len(wanted) == 1 or np.diff(np.sort(places)).min() > 0.01:
        np.testing.assert_allclose(spread(places, 0.01, 0.0, 1.0), places)


def test_long_labels_are_wrapped() -> None:
    assert wrapped("a label  that\nis long", 8, 2) == "a label\nthat …"


def test_the_stage_writes_the_figure_and_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _ = build(tmp_path, missing=["amd3100"])
    monkeypatch.chdir(tmp_path)
    folder = f"results/{study.name}"
    words = ["stage", "figure", "--figure", "foci", "--study", f"{folder}/study.json"]
    assert cli.main([*words, "--missing", "amd3100"]) == 0
    record = json.loads(Path(folder, "records/figure/foci.json").read_text())
    assert record["status"] == "FINISHED"
    assert list(record["outputs"]) == [f"{folder}/figures/foci.png", f"{folder}/figures/foci.svg"]
    assert list(record["inputs"]) == [f"{folder}/comparisons/particles.parquet"]


def test_the_stage_names_the_file_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study, _ = build(tmp_path, missing=["amd3100"])
    monkeypatch.chdir(tmp_path)
    folder = f"results/{study.name}"
    words = ["stage", "figure", "--figure", "courses", "--study", f"{folder}/study.json"]
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert f"amd3100/particles-000000-000005.courses.parquet: {codes.NO_RESULTS} " in told
