"""SBML of a mouse in an arm: sound by libSBML, complete, and the same whenever it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import libsbml
import numpy as np
import pytest
import sympy as sp

from nichetrial import __version__, cli, codes
from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import sample
from nichetrial.export.mathml import TIME, math
from nichetrial.export.sbml import SBML, document
from nichetrial.export.sbml_units import parse, times, unit_of
from nichetrial.export.system import initial_states, system
from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.load import load
from tests.support import ROOT
from tests.support.mice import ARMS, AT_ONCE, cohort, row

pytestmark = [pytest.mark.slow]

MICE = cohort(2)
STUDY = ROOT / "config.yaml"


def written(a, **about) -> str:
    return document(a, row(MICE, 0), name=a.name, about=about)


def read(text: str) -> libsbml.Model:
    """The model; fails on anything that libSBML has to say against it."""
    found = libsbml.readSBMLFromString(text)
    found.checkConsistency()
    complaints = [found.getError(k).getMessage() for k in range(found.getNumErrors())]
    assert not complaints, "\n".join(complaints)
    read.keep = found  # the model lives as long as its document
    return found.getModel()


@pytest.mark.parametrize("a", [*ARMS.values(), AT_ONCE], ids=lambda a: a.name)
def test_every_arm_is_sound_units_included(a):
    model = read(written(a))
    states = [s.name for s in eq.STATES]
    assert all(model.getRateRule(name) for name in states)
    assert all(model.getParameter(name).getConstant() for name in PARAMETERS)
    days = {e.getName().partition(":")[0] for e in model.getListOfEvents()}
    assert len(days) == model.getNumEvents(), "events at one time leave their order open"
    for event in model.getListOfEvents():
        assert not event.getTrigger().getInitialValue(), "it would not fire on day 0"


def test_libsbml_would_see_a_wrong_unit():
    """Guards the test above: its checks are on."""
    text = written(ARMS["untreated"])
    wrong = text.replace('units="nmol_per_L" constant="false"', 'units="day" constant="false"')
    assert wrong != text
    assert libsbml.readSBMLFromString(wrong).checkConsistency() > 0


@pytest.mark.parametrize("a", [ARMS["amd3100"], ARMS["primary"], AT_ONCE], ids=lambda a: a.name)
def test_rates_and_rules_read_back_are_those_of_the_equations(a):
    """MathML, through libSBML's own formulas and SymPy's parser of them, at random values."""
    model = read(written(a))
    items, _ = system(a, dict(zip(PARAMETERS, row(MICE, 0), strict=True)))
    names = {item.symbol: sp.Symbol(item.id) for item in items} | {TIME: sp.Symbol("time")}
    draw = np.random.default_rng(1)
    values = {name: float(draw.uniform(0.5, 2.0)) for name in names.values()}
    words = {str(s): s for s in values} | {"ln": sp.log}
    checked = 0
    for item in items:
        for expression, element in (
            (item.rate, model.getRateRule(item.id)),
            (item.rule, model.getAssignmentRule(item.id)),
            (item.initial, model.getInitialAssignment(item.id)),
        ):
            assert (expression is None) == (element is None)
            if element is None:
                continue
            formula = libsbml.formulaToL3String(element.getMath()).replace("dimensionless", "")
            got = sp.sympify(formula.replace("^", "**"), locals=words)
            wanted = sp.sympify(expression).xreplace(names)
            assert float(got.subs(values)) == pytest.approx(float(wanted.subs(values)), rel=1e-12)
            checked += 1
    assert checked > 40


def test_numbers_keep_every_digit():
    a = ARMS["cd63_ko"]
    model, values = read(written(a)), row(MICE, 0)
    for name, value in zip(PARAMETERS, values, strict=True):
        assert model.getParameter(name).getValue() == value
    for state, value in zip(eq.STATES, initial_states(a, values[None])[0], strict=True):
        assert model.getParameter(state.name).getValue() == value
    tiny = math(sp.Float(1.5e-7), {}, SBML)
    assert ElementTree.tostring(tiny, encoding="unicode").count("1.5<sep />-7") == 1


def test_the_wild_type_starts_from_the_equations_and_a_knock_out_from_numbers():
    wild, knock_out = (read(written(ARMS[n])).clone() for n in ("timp1_high", "cd63_ko"))
    assert wild.getInitialAssignment("sdf1") is not None
    assert not wild.getParameter("sdf1").isSetValue()
    assert knock_out.getInitialAssignment("sdf1") is None
    # less CD63 signalling, less SDF-1
    basal = knock_out.getParameter("sdf1_basal").getValue()
    assert 0 < knock_out.getParameter("sdf1").getValue() < basal


def test_doses_at_one_time_are_one_event_and_add_up():
    model = read(written(AT_ONCE))
    by_name = {e.getName(): e for e in model.getListOfEvents()}
    first = by_name["day 0: AMD3100; AMD3100 pump starts; tumour cells into the blood"]
    changes = {
        c.getVariable(): libsbml.formulaToL3String(c.getMath())
        for c in first.getListOfEventAssignments()
    }
    assert changes["circulating"] == "circulating + injected_cells"
    assert sorted(changes["amd3100_depot"].split(" + ")) == [
        "amd3100_depot",
        "amd3100_dose",
        "amd3100_dose_2",
    ]
    assert model.getParameter("injected_cells").getValue() == 1e6
    kill = libsbml.formulaToL3String(model.getAssignmentRule("neutrophil_kill").getMath())
    assert kill.count("level") == 4
    assert model.getParameter("anti_ly6g_first").getValue() == 3.3


def test_it_says_what_it_is():
    text = written(AT_ONCE, study="s", particle=3, animal=0, seed=2015)
    model = read(text)
    said = model.getAnnotation().getChild(0)
    attributes = {
        said.getAttrName(k): said.getAttrValue(k) for k in range(said.getAttributesLength())
    }
    assert attributes == {
        "program": "nichetrial",
        "version": __version__,
        "study": "s",
        "particle": "3",
        "animal": "0",
        "seed": "2015",
        "arm": "at_once",
    }
    assert "&lt;many&gt; &amp; various \u2192" in model.getNotesString()
    assert model.getParameter("timp1").getName() == "free TIMP-1 in plasma"
    assert "measured" in model.getParameter("timp1_half_life").getNotesString()


def test_text_depends_on_nothing_but_its_inputs(tmp_path):
    code = (
        "from tests.support.mice import ARMS, cohort, row\n"
        "from nichetrial.export.sbml import document\n"
        "import hashlib\n"
        "text = document(ARMS['anti_ly6g'], row(cohort(2), 1), name='anti_ly6g', about={})\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    digests = set()
    for hash_seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        path = os.pathsep.join([str(ROOT), str(ROOT / "workflow")])
        variables = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert not {str(ROOT), str(Path.home()) + "/"} & set(written(ARMS["anti_ly6g"]).split())


def test_a_name_or_unit_that_stands_for_two_things_is_refused():
    units = {sp.Symbol("a"): parse("nM"), sp.Symbol("b"): parse("d")}
    with pytest.raises(ValueError, match="unlike units"):
        unit_of(sum(units), units)
    with pytest.raises(ValueError, match="unlike units"):
        unit_of(sp.exp(sp.Symbol("b")), units)
    assert unit_of(sp.Symbol("a") ** 2 / sp.Symbol("b"), units) == times(parse("nM/d"), parse("nM"))


# --- the command ----------------------------------------------------------------------------------


def export(*words: str) -> int:
    return cli.main(["export", "sbml", str(STUDY), *words])


def test_the_command_writes_the_mouse_of_the_study(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert export("--arm", "amd3100", "--particle", "37", "--animal", "2") == 0
    assert capsys.readouterr().out == "written: seubert2015-amd3100-mouse37-2.xml\n"
    text = Path("seubert2015-amd3100-mouse37-2.xml").read_text(encoding="utf-8")
    model, study = read(text), load(STUDY)
    among = sample(
        seed=study.seed,
        first=35,
        last=40,
        mice=4,
        overrides=study.cohort.overrides,
        population=particles_of(study.cohort.population, ""),
    ).mice.set_index(["particle", "animal"])
    for name in PARAMETERS:
        assert model.getParameter(name).getValue() == among.loc[(37, 2), name]
    words = ("--arm", "amd3100", "--particle", "37", "--animal", "2")
    assert export(*words, "--out", "-") == 0
    assert capsys.readouterr().out == text
    assert export(*words, "--out", "new/one.xml") == 0
    assert Path("new/one.xml").read_text(encoding="utf-8") == text


def test_what_the_study_overrides_is_in_the_file(tmp_path, capsys):
    study = tmp_path / "study.yaml"
    text = STUDY.read_text(encoding="utf-8")
    study.write_text(
        text.replace("  parameters: {}", "  parameters: {marrow_transit: {fixed: 3 d}}"),
        encoding="utf-8",
    )
    assert study.read_text(encoding="utf-8") != text
    words = ["--arm", "timp1_high", "--particle", "0", "--out", "-"]
    assert cli.main(["export", "sbml", str(study), *words]) == 0
    assert read(capsys.readouterr().out).getParameter("marrow_transit").getValue() == 3.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--arm", "amd310", "--particle", "0"], f"--arm: {codes.NO_SUCH_ARM} "),
        (["--arm", "zzzzzz", "--particle", "0"], f"--arm: {codes.NO_SUCH_ARM} "),
        (["--arm", "amd3100", "--particle", "-1"], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--arm", "amd3100", "--particle", "1000"], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--arm", "amd3100", "--particle", "9" * 5000], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--arm", "amd3100", "--particle", "two"], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--arm", "amd3100", "--particle", "1.5"], f"--particle: {codes.NO_SUCH_MOUSE} "),
        (["--arm", "amd3100", "--particle", "0", "--out", "."], f"--out .: {codes.NOT_WRITABLE} "),
        (
            ["--arm", "amd3100", "--particle", "0", "--out", "f/x.xml"],
            f"f/x.xml: {codes.NOT_WRITABLE} ",
        ),
    ],
)
def test_a_mistake_is_one_message_and_two(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("f").write_text("a file, not a folder")
    assert export(*words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_study_that_is_not_there(tmp_path, capsys):
    missing = tmp_path / "none.yaml"
    words = ["--arm", "a", "--particle", "0"]
    assert cli.main(["export", "sbml", str(missing), *words]) == 2
    assert "none.yaml" in capsys.readouterr().err
