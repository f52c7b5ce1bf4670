"""One mouse of a study again: the same numbers as in the study, and every step on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial import cli, codes
from nichetrial.cohort.population import POPULATION, read_population
from nichetrial.cohort.sample import sample
from nichetrial.cohort.shipped import SHIPPED
from nichetrial.cohort.space import NAMES
from nichetrial.study.load import load
from nichetrial.tables import write
from nichetrial.trial.simulate import simulate

STUDY = str(Path(__file__).parents[2] / "config.yaml")


def test_the_mouse_is_the_mouse_of_the_study(tmp_path, capsys):
    trace = tmp_path / "trace.csv"
    words = ["replay", STUDY, "--particle", "3", "--arm", "amd3100", "--trace", str(trace)]
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    study = load(STUDY)
    shipped = read_population(SHIPPED / "population.parquet")
    cohort = sample(seed=study.seed, first=0, last=5, mice=3, overrides={}, population=shipped).mice
    outcomes = simulate(study.arm("amd3100"), cohort, seed=study.seed).outcomes
    among = outcomes.set_index(["particle", "animal"]).loc[(3, 0)]
    assert "particle 3, animal 0: finished" in told
    for name in ("foci", "colonies"):
        row = next(line.split() for line in told.splitlines() if line.split()[:1] == [name])
        assert int(row[1]) == among[name]

    table = pd.read_csv(trace)
    taken = table[table["accepted"] == 1]
    assert len(taken) == among["steps"]
    assert (np.diff(taken["day"]) > 0).all()
    assert taken["day"].iloc[-1] == study.arm("amd3100").readout.end
    assert (taken["error"] <= 1).all()
    assert (table.loc[table["accepted"] == 0, "error"] > 1).all()
    at_challenge = taken[taken["day"] == study.arm("amd3100").challenge.day].iloc[0]
    assert at_challenge["lands"] == 1
    assert at_challenge["sdf1"] == among["sdf1"]


@pytest.mark.parametrize("source", ["calibrated", "priors", "own"])
def test_replay_and_export_take_the_mice_of_the_study(source, tmp_path, monkeypatch, capsys):
    """From the population that the study says: timp1_basal of mouse 3 by each way."""
    monkeypatch.chdir(tmp_path)
    text = Path(STUDY).read_text().replace("population: calibrated", f"population: {source}")
    Path("study.yaml").write_text(text)
    own = Path("results/seubert2015/evidence/full/population.parquet")
    particles = read_population(SHIPPED / "population.parquet")[:2]
    if source == "own":
        words = ["study.yaml", "--arm", "untreated", "--particle", "3"]
        for command in (["replay"], ["export", "sbml"]):
            assert cli.main([*command, *words]) == 2
            assert "nichetrial calibrate makes it" in capsys.readouterr().err
        frame = pd.DataFrame({"particle": [0, 1], **dict(zip(NAMES, particles.T, strict=True))})
        write(frame, own, POPULATION)
    of = ["--study", "results/seubert2015/study.json"]
    assert cli.main(["stage", "resolve", *of, "--file", "study.yaml"]) == 0
    assert cli.main(["stage", "parameters", *of, "--chunk", "000003-000003"]) == 0
    basal = pd.read_parquet("results/seubert2015/parameters/particles-000003-000003.mice.parquet")[
        "timp1_basal"
    ].iloc[0]
    capsys.readouterr()
    assert cli.main(["replay", "study.yaml", "--arm", "untreated", "--particle", "3"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    told = next(line[1] for line in lines if line[:1] == ["timp1"])
    assert float(told) == pytest.approx(basal, rel=1e-5)  # untreated: TIMP-1 stays basal
    assert cli.main(["export", "sbml", "study.yaml", "--arm", "untreated", "--particle", "3"]) == 0
    assert f'value="{float(basal)!r}"' in Path("seubert2015-untreated-mouse3-0.xml").read_text()


def test_the_trace_has_a_usual_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["replay", "--arm=untreated", STUDY, "--particle=0", "--trace"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["seubert2015-untreated-mouse0-0-trace.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--particle", "0", "--arm", "amd310"], f"--arm: {codes.NO_SUCH_ARM} "),
        (["--particle", "1000", "--arm", "amd3100"], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--particle", "-1", "--arm", "amd3100"], "--particle"),
        (["--particle", "1", "--arm", "amd3100", "--trace", "/"], f"/: {codes.NOT_WRITABLE} "),
    ],
)
def test_bad_words_leave_nothing(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(["replay", STUDY, *words])
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
