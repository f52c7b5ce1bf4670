"""What is written from the models: the default study file and the JSON schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from nichetrial import cli, study
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.default import default_study
from nichetrial.study.document import config_yaml, json_schema
from nichetrial.study.language import TreatmentItem
from nichetrial.study.load import load, load_text
from nichetrial.study.patches import StudyFile
from nichetrial.study.sections import Section
from nichetrial.study.source import parse
from tests.support.broken_studies import BROKEN, SOUND, WHOLE

SCHEMA = json.loads(json_schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_generated_files_are_fresh(root: Path) -> None:
    stale = [
        path
        for path, text in study.generated().items()
        if (root / path).read_text(encoding="utf-8") != text
    ]
    assert not stale, f"{', '.join(stale)} differ from the models; run: nichetrial generate"


def test_the_default_file_is_the_default_study(root: Path) -> None:
    data = parse(config_yaml(), "config.yaml").data
    assert StudyFile.model_validate(data) == default_study()
    found = load(root / "config.yaml")
    assert (found.name, found.seed, found.cohort.mice, found.cohort.chunk) == (
        "seubert2015",
        2015,
        2000,
        2000,
    )
    assert [a.name for a in found.arms] == [
        "untreated",
        "timp1_high",
        "amd3100",
        "anti_sdf1",
        "anti_ly6g",
        "amd3100_anti_ly6g",
        "anti_timp1",
        "mmp_inhibitor",
        "cd63_ko",
        "timp1_extreme",
    ]
    assert found.comparisons.reference == "timp1_high"
    extreme = found.arm("timp1_extreme").vector
    assert extreme is not None
    assert extreme.fold == 1e5
    assert found.arm("cd63_ko").host.cd63 == 0.0


def test_every_key_of_the_default_file_has_a_comment(root: Path) -> None:
    before, arms, bare = "", False, []
    for line in (root / "config.yaml").read_text(encoding="utf-8").splitlines():
        free = line.startswith(("arms:", "sweeps:"))  # below it, keys are the user's
        arms = free or (arms and not re.match(r"[a-z]", line))
        key = re.match(r" *([a-z][a-z0-9_]*):", line)
        if key and (not arms or free) and not before.strip().startswith("#"):
            bare.append(line)
        before = line
        assert len(line) <= 100
        assert line == line.rstrip()
    assert not bare


def test_the_default_doses_are_not_claimed_for_the_paper() -> None:
    assert "NOT taken from the" in config_yaml()


def test_the_schema_is_one_and_knows_every_parameter() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]["Parameters"]["properties"]) == set(PARAMETERS)


def test_the_schema_accepts_sound_files(root: Path) -> None:
    for text in (SOUND, (root / "config.yaml").read_text(encoding="utf-8")):
        assert [e.message for e in VALIDATOR.iter_errors(parse(text, "x").data)] == []


@pytest.mark.parametrize(
    "name",
    [
        "misspelt key in an arm",
        "unknown section",
        "misspelt key of a treatment",
        "missing key",
        "missing section",
        "section is a list",
        "treatments not a list",
        "vector left empty",
        "study name leaves the folder",
        "arm name with capitals",
        "seed is negative",
        "no particles",
        "particles with a unit",
        "fold is zero",
        "dose without a unit",
        "time without a unit",
        "unknown drug",
        "unknown route",
        "unknown parameter",
        "unknown distribution",
        "one bound",
        "unknown figure format",
        "no dose fold",
        "label is a number",
    ],
)
def test_the_schema_refuses_what_is_written_wrongly(name: str) -> None:
    old, new, _ = BROKEN[name]
    assert not VALIDATOR.is_valid(parse(SOUND.replace(old, new), "x").data)


@pytest.mark.parametrize("name", ["no arms", "three errors", "a long way from a study"])
def test_the_schema_refuses_whole_files(name: str) -> None:
    assert not VALIDATOR.is_valid(parse(WHOLE[name][0], "x").data)


def _models(model: type[Section]) -> set[type[Section]]:
    found = {model}
    for kind in Section.__subclasses__():
        if kind.__module__.endswith("language"):
            found.add(kind)
    return found


def test_the_page_names_every_key_and_its_examples_are_sound(root: Path) -> None:
    page = (root / "docs" / "study-file.md").read_text(encoding="utf-8")
    keys = {key for model in _models(StudyFile) for key in model.model_fields}
    assert "dose" in keys
    assert set(TreatmentItem.model_fields) <= keys
    assert not {key for key in keys if f"`{key}`" not in page and f".{key}`" not in page}
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    whole = [text for text in examples if text.startswith("study:")]
    assert whole
    for text in whole:
        load_text(text)


def test_generate_mends_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nichetrial.commands import generate

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generate, "SOURCES", ("nichetrial.study",))
    assert cli.main(["generate"]) == 2  # not in a checkout: nothing is written
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "workflow" / "nichetrial").mkdir(parents=True)
    assert cli.main(["generate", "--check"]) == 1
    assert "config.yaml is stale; fix it with: nichetrial generate" in capsys.readouterr().out
    assert cli.main(["generate"]) == 0
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == config_yaml()
    assert cli.main(["generate", "--check"]) == 0


def test_generate_leaves_formatting_of_code_alone(tmp_path: Path) -> None:
    from nichetrial.commands.generate import _same

    path = tmp_path / "kernels.py"
    path.write_text('NAMES = (\n    "a",\n    "b",\n)\n', encoding="utf-8")
    assert _same(path, "NAMES = ('a', 'b')\n")
    assert not _same(path, "NAMES = ('a', 'c')\n")
