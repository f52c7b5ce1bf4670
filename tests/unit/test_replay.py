"""One mouse of a study again: the same numbers as in the study, and every step on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial import cli
from nichetrial.cohort.sample import sample
from nichetrial.study.load import load
from nichetrial.trial.simulate import simulate

STUDY = str(Path(__file__).parents[2] / "config.yaml")


def test_the_mouse_is_the_mouse_of_the_study(tmp_path, capsys):
    trace = tmp_path / "trace.csv"
    words = ["simulate", STUDY, "--mouse", "3", "--arm", "amd3100", "--trace", str(trace)]
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    study = load(STUDY)
    cohort, _ = sample(seed=study.seed, first=0, last=5, overrides={})
    among = simulate(study.arm("amd3100"), cohort, seed=study.seed).outcomes.iloc[3]
    assert "mouse 3: finished" in told
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


def test_the_trace_has_a_usual_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["simulate", "--arm=untreated", STUDY, "--mouse=0", "--trace"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["seubert2015-untreated-mouse0-trace.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mouse", "0", "--arm", "amd310"], 'there is no arm "amd310"; did you mean "amd3100"?'),
        (["--mouse", "1000", "--arm", "amd3100"], "its mice are 0 to 999"),
        (["--mouse", "-1", "--arm", "amd3100"], "--mouse"),
        (["--mouse", "1", "--arm", "amd3100", "--trace", "/"], "is a folder"),
    ],
)
def test_bad_words_leave_nothing(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(["simulate", STUDY, *words])
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
