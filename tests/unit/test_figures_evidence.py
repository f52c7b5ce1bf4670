"""Figures of the evidence: they draw whatever the calibration came to, always with equal bytes."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nichetrial import cli
from nichetrial.cohort.population import POPULATION
from nichetrial.cohort.smc import GENERATIONS
from nichetrial.cohort.space import NAMES
from nichetrial.errors import UserError
from nichetrial.evidence import contradiction as c
from nichetrial.evidence.decisions import DECISIONS
from nichetrial.evidence.findings import Finding, all_findings
from nichetrial.evidence.posterior import POSTERIOR
from nichetrial.evidence.scoreboard import SCOREBOARD, scoreboard
from nichetrial.explore.sobol import SOBOL
from nichetrial.figures import catalogue
from nichetrial.figures import evidence_inputs as evidence
from nichetrial.figures.declared import EVIDENCE
from nichetrial.figures.posterior import FIRST, place, unknown
from nichetrial.figures.style import save
from nichetrial.model.parameters import PARAMETERS
from nichetrial.pipeline.jobs import job
from nichetrial.pipeline.plan import Plan
from nichetrial.study.load import load
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import write

ARMS = {"untreated": "Untreated host", "high": "TIMP-1-high", "blocked": "AMD3100"}
FOLDS = (1.0, 10.0, 1e3, 1e5)
N = 60


def make_study(
    folder: Path, variants: Sequence[str] = ("full", "monotonic"), labels: dict[str, str] = ARMS
) -> ResolvedStudy:
    """Three arms and a small calibration, through the study language."""
    treatment = "treatments: [{drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h}]"
    arms = {"untreated": "timp1_vector: none", "high": "", "blocked": treatment}
    text = [
        "study: {name: invented}",
        "experiment:",
        "  timp1_vector: {fold: 10, onset: 0 d}",
        "  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}",
        "  readout: {day: 11 d, end: 20 d}",
        "arms:",
        *(
            f"  {name}: {{label: {json.dumps(labels[name])}{', ' + what if what else ''}}}"
            for name, what in arms.items()
        ),
        "comparisons: {reference: high}",
        f"calibration: {{particles: {N}, generations: 2, moves: 1, mice: 4, chunk: 50, sobol: 16,"
        f" map_points: 3, map_particles: 10, variants: [{', '.join(variants)}]}}",
    ]
    path = folder / "invented.yaml"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return load(path)


def experiments(findings: Sequence[Finding], far: Sequence[str] = ()) -> np.ndarray:
    """Experiments that meet the findings, but for those in ``far``."""
    random = np.random.default_rng(3)
    columns = []
    for f in findings:
        middle = {"up": 1.5, "down": 0.5}.get(f.direction, 1.0)
        if math.isfinite(f.low) and math.isfinite(f.high):
            middle = (f.low + f.high) / 2
        if math.isfinite(f.low) and not math.isfinite(f.high):
            middle = 1.5 * f.low
        if math.isfinite(f.value):
            middle = f.value
        if f.id in far:
            middle = 40.0 if f.direction == "down" else middle / 40.0
        columns.append(middle * np.exp(random.normal(0.0, 0.01, N)))
    return np.column_stack(columns)


def build(
    folder: Path,
    study: ResolvedStudy | None = None,
    *,
    far: Sequence[str] = ("B2", "B8"),
    turns: bool = True,
    failed: Sequence[str] = (),
    flips: bool = True,
    moving: bool = True,
) -> tuple[ResolvedStudy, Path]:
    """Tables of an invented calibration under ``folder``; returns study and results folder."""
    study = study or make_study(folder)
    results, random = folder / "results", np.random.default_rng(5)
    out = results / "evidence"
    out.mkdir(parents=True, exist_ok=True)
    findings = all_findings(study.calibration.fit, study.calibration.predict)
    done = {}
    for variant in study.calibration.variants:
        missed = [*far, "B1"] if variant != "full" else far
        done[variant] = experiments(findings, missed)
        done[variant][:, [f.id in failed for f in findings]] = np.nan
        curve = pd.DataFrame({
            "generation": [0, 1, 2], "limit": [np.inf, 1.5, 0.0], "median": [2.0, 0.8, 0.0],
            "met": [0.0, 0.2, 1.0], "acceptance": [np.nan, 0.5, 0.25],
            "effective": [60.0, 40.0, 31.0], "origins": [60, 30, 17], "support": [1.0, 0.9, 0.83],
        })  # fmt: skip
        write(curve, out / variant / "generations.parquet", GENERATIONS)
    write(scoreboard(findings, done), out / "scoreboard.parquet", SCOREBOARD)
    open_ = [p for p in PARAMETERS.values() if p.kind != "fixed"]
    learned = pd.DataFrame([
        {"parameter": p.name, "symbol": p.symbol, "meaning": p.meaning, "unit": p.unit,
         "trust": p.trust, "prior_low": 1.0, "prior_high": 16.0, "low": 2.0, "median": 4.25,
         "high": 8.0, "narrowed": 0.25, "learned": 1.0 / (1 + k)}
        for k, p in enumerate(open_)
    ])  # fmt: skip
    write(learned, out / "full" / "posterior.parquet", POSTERIOR)
    particles = {name: np.exp(random.normal(1.0, 0.5, N)) for name in NAMES}
    write(pd.DataFrame({"particle": np.arange(N), **particles}),
          out / "full" / "population.parquet", POPULATION)  # fmt: skip
    rows = []
    for mechanism in c.MECHANISMS:
        for k, fold in enumerate(FOLDS):
            middle = {"full": (1, 1.5, 0.4, 0.02), "niche": (1, 1.6, 1.7, 1.8)}.get(
                mechanism, (1, 0.95, 0.3, 0.01)
            )[k]
            rows.append({"mechanism": mechanism, "fold": fold, "mean": middle, "median": middle,
                         "low": middle * 0.9, "high": middle * 1.1,
                         "share_up": float(middle > 1), "n": N})  # fmt: skip
    write(pd.DataFrame(rows), out / "dose_arms.parquet", c.DOSE_ARMS)
    turn = {"turns_at": 137.0, "low": 31.0, "high": 890.0, "share": 0.97}
    if not turns:
        turn = dict.fromkeys(turn, np.nan) | {"share": 0.0}
    write(pd.DataFrame([turn]), out / "turns.parquet", c.TURNS)
    cells = [
        {"fold": 10.0, "cd63_ratio": a, "mmp_ki": b, "median": 1.1,
         "share_up": 0.75 if not turns else (i + j) / 4}
        for i, a in enumerate((1.0, 5.0, 30.0)) for j, b in enumerate((0.3, 10.0, 300.0))
    ]  # fmt: skip
    write(pd.DataFrame(cells), out / "phase_map.parquet", c.PHASE_MAP)
    names = ("niche_gain", "mmp_ki", "colony_doubling")
    quantities = [("high", ""), *((p.arm, p.reference) for p in study.comparisons.pairs)]
    sobol = [
        {"arm": a, "reference": r, "parameter": p, "symbol": PARAMETERS[p].symbol,
         "meaning": PARAMETERS[p].meaning, "trust": PARAMETERS[p].trust, "first": 0.1,
         "first_conf": 0.1, "total": 0.6 - 0.2 * k, "total_conf": 0.1 if k else np.nan, "n": 99}
        for a, r in quantities for k, p in enumerate(names)
    ]  # fmt: skip
    write(pd.DataFrame(sobol if moving else [], columns=list(SOBOL)), out / "sobol.parquet", SOBOL)
    decided = [
        {**{k: row[k] for k in ("arm", "reference", "parameter", "symbol", "meaning", "trust",
                                "total", "total_conf")},
         "ratio": 0.625, "ratio_lowest_third": 0.481,
         "ratio_highest_third": 1.27 if flips and row["parameter"] == "mmp_ki" else 0.793,
         "flips": flips and row["parameter"] == "mmp_ki"}
        for row in sobol if row["reference"]
    ]  # fmt: skip
    write(pd.DataFrame(decided if moving else [], columns=list(DECISIONS)),
          out / "decisions.parquet", DECISIONS)  # fmt: skip
    return study, results


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
        "scoreboard": ["12/12", "7/9", "6/9", "predicted only", "monotonic",
                       "0.060 (0.020 to 0.15)"],
        "contradiction": ["137-fold (31 to 890)", "B1 (Elezkurtaj 2004)", "A3 (Seubert 2015)",
                          "niche alone"],
        "phase_map": ["10-fold TIMP-1", "[nM]"],
        "posterior": ["cd63 ratio", "4.2 (2.0 to 8.0)", "1 to 16"],
        "sobol": ["foci of TIMP-1-high", "AMD3100 against TIMP-1-high", "mmp ki ?"],
        "calibration": ["distance limit", "effective sample size (particles)", "monotonic"],
    }  # fmt: skip
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
    [((0.3, 0.1, 0.5), "0.30 (0.10 to 0.50)"), ((math.nan, 0.1, 0.5), "0.10 to 0.50"),
     ((math.nan, 2.0, math.nan), "at least 2"), ((math.nan, math.nan, 0.5), "at most 0.50"),
     ((math.nan, math.nan, math.nan), "")],
)  # fmt: skip
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
        update={"question": "Why?", "cohort": study.cohort.model_copy(update={"mice": 7})}
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
        "evidence_figure", "calibration", "FINISHED",
    )  # fmt: skip
    for kind in study.figures.formats:
        assert (folder / f"evidence/figures/calibration.{kind}").stat().st_size > 2000
