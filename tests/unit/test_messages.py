"""Messages: each kind has one code, one cause and one cure; notes are a level below errors."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nichetrial
from nichetrial import codes
from nichetrial.commands.messages import generated
from nichetrial.errors import Fault, Note, UserError, refuse
from nichetrial.study.load import load_with_experiment
from tests.support.broken_studies import SOUND

PACKAGE = Path(nichetrial.__file__).parent


def test_numbers_are_unique_and_in_order():
    numbers = [code.number for code in codes.ALL]
    assert numbers == sorted(set(numbers))
    assert {number // 100 * 100 for number in numbers} <= codes.SECTIONS.keys()
    assert all(code.cause.endswith(".") and code.cure.endswith(".") for code in codes.ALL)


def test_every_code_is_used_and_every_page_of_them_is_current():
    text = "".join(p.read_text() for p in PACKAGE.rglob("*.py") if p.name != "codes.py")
    names = [name for name, value in vars(codes).items() if isinstance(value, codes.Code)]
    assert [name for name in names if f"codes.{name}" not in text] == []
    for page, content in generated().items():
        assert (PACKAGE.parents[1] / page).read_text() == content


def test_every_message_has_its_code():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError":
                first = ast.unparse(node.args[0])
                assert "code" in first.lower(), f"{path}:{node.lineno}"


def test_several_faults_are_one_error_with_a_line_each():
    faults = [Fault(codes.TWICE, "a", "s.yaml:1"), Fault(codes.EMPTY, "b")]
    error = UserError.several(faults)
    assert str(error).splitlines() == ["s.yaml:1: NT014 a", "NT009 b"]
    assert (error.code, error.place, error.faults) == (codes.TWICE, "s.yaml:1", tuple(faults))


def test_strict_makes_notes_errors():
    refuse([])
    notes = [Note(codes.NO_EFFECT, "nothing", "do it", "arms.a"), Note(codes.NO_EFFECT, "b", "c")]
    with pytest.raises(UserError) as caught:
        refuse(notes)
    assert [(f.code, f.place) for f in caught.value.faults] == [
        (codes.NO_EFFECT, "arms.a"),
        (codes.NO_EFFECT, None),
    ]


NOTED = {
    "counted a day after the cells": (
        "    day: 11 d",
        "    day: 5 d",
        codes.READ_OUT_EARLY,
        "study.yaml:13: experiment.readout.day",
    ),
    "dosed after the count": (
        "{drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:",
        "{drug: anti_ly6g, dose: 10 mg/kg, start: 11 d, every: 2 d, until: 15 d}\n  both:",
        codes.DOSED_AFTER_READ_OUT,
        "study.yaml:23: arms.ly6g.treatments[0].start",
    ),
    "a value at the edge of what is physical": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    niche_steepness: {uniform: [1, 19]}",
        codes.NEAR_THE_EDGE,
        "study.yaml:7: cohort.parameters.niche_steepness",
    ),
    "a tail beyond what is physical": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    niche_steepness: {log_normal: {median: 4, cv: 1}}",
        codes.NEAR_THE_EDGE,
        "study.yaml:7: cohort.parameters.niche_steepness",
    ),
}


def noted(tmp_path: Path, old: str, new: str) -> Path:
    text = SOUND.replace("combinations:\n    - {arm: both, of: [amd3100, ly6g]}", "pairs: []")
    assert text.count(old) == 1
    path = tmp_path / "study.yaml"
    path.write_text(
        text.replace(old, new).replace("until: 11 d", "until: 4 d")
        if "day: 5" in new
        else text.replace(old, new)
    )
    return path


@pytest.mark.parametrize("name", NOTED)
def test_notes_have_their_place(name, tmp_path, monkeypatch):
    old, new, code, place = NOTED[name]
    noted(tmp_path, old, new)
    monkeypatch.chdir(tmp_path)
    found = load_with_experiment("study.yaml").notes
    assert [(n.code, n.place) for n in found] == [(code, place)]


def test_a_sound_study_has_none(tmp_path):
    (tmp_path / "s.yaml").write_text(SOUND)
    assert load_with_experiment(tmp_path / "s.yaml").notes == ()


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 2)])
def test_check_prints_notes_and_strict_refuses(words, code, tmp_path):
    old, new, kind, place = NOTED["counted a day after the cells"]
    noted(tmp_path, old, new)
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", "check", "study.yaml", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert f"{place}: {kind} " in done.stderr
    assert ("note: " in done.stderr) == (code == 0)


@pytest.mark.parametrize("words", [["rum"], ["run", "--what"], ["check", "a", "b"], ["simulate"]])
def test_a_wrong_command_line_has_a_code(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"nichetrial: {codes.USAGE} ")
    assert len(done.stderr.splitlines()) == 1
