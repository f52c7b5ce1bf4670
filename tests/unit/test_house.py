"""The house stays in order: layers, sizes, locks, licences, rules."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

from nichetrial import cli
from nichetrial.commands.run import UNTIL
from nichetrial.launch import conda
from nichetrial.pipeline.code import CODE
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import FIGURES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "workflow" / "nichetrial"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt")

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "store_address": {"codes"},
    "codes": {"errors"},
    "tables": {"errors"},
    "formatting": set(),
    "compat": set(),
    "model": set(),
    "engine": {"model", "compat"},
    "study": {"model", "store_address"},
    "cohort": {"study", "engine", "model"},
    "trial": {"cohort", "study", "engine", "model"},
    "export": {"trial", "cohort", "study", "engine", "model"},
    "compare": {"trial", "cohort", "study", "engine", "model"},
    "explore": {"compare", "trial", "cohort", "study", "engine", "model"},
    "evidence": {"explore", "compare", "trial", "cohort", "study", "engine", "model"},
    "figures": {"evidence", "explore", "compare", "trial", "cohort", "study", "engine", "model"},
    "report": {
        "figures",
        "evidence",
        "explore",
        "compare",
        "trial",
        "cohort",
        "study",
        "engine",
        "model",
        "records",
    },
    "records": set(),
    "tracking": {"records", "compat", "store_address"},
    "pipeline": {"study", "records"},
    "launch": {"pipeline", "study", "records", "compat"},
    "provenance": {"launch", "pipeline", "study", "tracking", "records"},
    "stages": {
        "report",
        "figures",
        "evidence",
        "explore",
        "compare",
        "trial",
        "cohort",
        "study",
        "engine",
        "model",
        "records",
        "pipeline",
    },
}
"""What each part may import, besides itself, errors, codes, tables and formatting; the rest may
import all."""
ON_TOP = {"commands", "cli", "__main__", "__init__"}


def modules() -> dict[str, Path]:
    """All modules of the package by dotted name, without the leading ``nichetrial.``."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        names[name.removesuffix(".__init__")] = path
    return names


@cache
def imports(name: str) -> frozenset[str]:
    """Modules of the package that a module imports, wherever in it."""
    known, found = modules(), set()
    for node in ast.walk(ast.parse(known[name].read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(n.removeprefix("nichetrial.") not in known for n in names):
                names.append(node.module or "")
        else:
            continue
        inside = (n.removeprefix("nichetrial.") for n in names if n.startswith("nichetrial."))
        found |= {n for n in inside if n in known}
    return frozenset(found)


def closure(name: str, stop: str) -> set[str]:
    """All that a module imports, directly or not; ``stop`` is not followed."""
    seen: set[str] = set()
    open_ = {name}
    while open_:
        seen |= open_
        open_ = {n for m in open_ for n in imports(m) if n.split(".")[0] != stop} - seen
        if "figures.catalogue" in open_:  # it imports the figures by name
            open_ |= {n for n in modules() if n.startswith("figures.")} - seen
    return seen


def reads(name: str, folder: str) -> bool:
    """Does a module name a folder of data (of findings) that lies beside it?"""
    path = PACKAGE / folder.replace(".", "/")
    beside = modules()[name].parent == path.parent
    return (
        path.is_dir()
        and not list(path.glob("*.py"))
        and beside
        and (f'"{path.name}"' in modules()[name].read_text())
    )


@pytest.mark.parametrize("name", modules())
def test_arrows_run_one_way(name):
    part = name.split(".")[0]
    if part in ON_TOP:
        return
    assert part in BELOW, f"{part} is not in the table of layers"
    above = {
        m
        for m in imports(name)
        if m.split(".")[0] not in BELOW[part] | {part, "errors", "codes", "tables", "formatting"}
    }
    assert not above, f"{name} imports {sorted(above)}, which is not below {part}"


def test_the_layers_have_no_cycle():
    done: set[str] = set()
    while len(done) < len(BELOW):
        ready = {part for part, below in BELOW.items() if part not in done and below <= done}
        assert ready, f"cycle among {set(BELOW) - done}"
        done |= ready


@pytest.mark.parametrize("stage", CODE)
def test_a_digest_covers_the_code_that_its_stage_runs(stage):
    """Else a change of that code would run nothing again. Tracking shapes no result but its own."""
    module = cli.COMMANDS[stage][0].removeprefix("nichetrial.")
    ignored = {
        "compat",
        "compat.numba_cache",
        "errors",
        "codes",
        "store_address",
        "tables",
        "stages.options",
        "stages",
        "study",
        "launch",
        "pipeline.code",
        "",
    }
    needed = closure(module, stop="" if stage == "track" else "records") - ignored
    loose = {n for n in needed if not any(n == c or n.startswith(f"{c}.") for c in CODE[stage])}
    assert not loose, f"{stage} imports {sorted(loose)}, which is not in CODE[{stage!r}]"


@pytest.mark.parametrize("stage", CODE)
def test_a_digest_has_no_code_that_its_stage_does_not_run(stage):
    """Else a change elsewhere would run it again for nothing."""
    needed = closure(cli.COMMANDS[stage][0].removeprefix("nichetrial."), stop="")
    idle = {
        c
        for c in CODE[stage]
        if not any(n == c or n.startswith(f"{c}.") or reads(n, c) for n in needed)
    }
    assert not idle, f"CODE[{stage!r}] has {sorted(idle)}, which {stage} does not import"


@pytest.mark.parametrize("stage", sorted(set(CODE) - {"track"}))
def test_records_name_the_code_of_their_own_stage(stage):
    """Else a record could tell of other code than that for which its job was run."""
    source = modules()[cli.COMMANDS[stage][0].removeprefix("nichetrial.")].read_text()
    assert re.findall(r"code=(.*),\n", source) == [f'CODE["{stage}"]']


def test_stages_are_the_same_everywhere():
    assert set(CODE) == set(cli.STAGES)


def test_figures_and_their_inputs_are_those_of_the_catalogue(small_study, monkeypatch):
    from nichetrial.figures import catalogue

    assert list(FIGURES) == list(catalogue.FIGURES)
    plan = Plan.of(small_study, "s.yaml", "amd3100")
    for figure in FIGURES:
        read = catalogue.sources(figure, small_study, Path(plan.results), plan.missing)
        assert sorted(plan.figure_inputs(figure)) == sorted(str(path) for path in read)


# --- dependencies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_host(lock):
    text = (ROOT / "envs" / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 80
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert not re.search(r"https?:|index-url|--find-links|@ ", text)


def test_the_tests_run_with_the_versions_that_users_get():
    runtime, dev = (conda.pins((ROOT / "envs" / lock).read_text()) for lock in LOCKS)
    assert runtime.items() <= dev.items()


def test_conda_has_the_same_pins():
    """Mended by 'python -m nichetrial.launch.conda'."""
    lock = (ROOT / "envs" / LOCKS[0]).read_text()
    text = (ROOT / "envs" / "nichetrial.yaml").read_text()
    assert text == conda.environment((ROOT / "pyproject.toml").read_text(), lock)
    listed = yaml.safe_load(text)
    assert listed["channels"][:2] == ["conda-forge", "bioconda"]
    assert len(listed["dependencies"]) == len(PROJECT["dependencies"]) + 1


def test_what_is_installed_is_what_is_locked():
    """The environment of these tests; markers choose by Python, so either pin will do."""
    text = (ROOT / "envs" / LOCKS[0]).read_text()
    for requirement in PROJECT["dependencies"]:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        assert f"\n{name}=={importlib.metadata.version(name)} " in text


def test_no_direct_dependency_is_gpl():
    for requirement in PROJECT["dependencies"]:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        about = importlib.metadata.metadata(name)
        files = [f for f in importlib.metadata.files(name) or [] if "LICEN" in f.name.upper()]
        licences = [
            *(" ".join(f.read_text().split())[:60] for f in files if ".dist-info" in str(f)),
            about.get("License-Expression") or "",
            (about.get("License") or "")[:60],
            *(c for c in about.get_all("Classifier") or [] if c.startswith("License")),
        ]
        text = " ".join(licences)
        assert text.strip(), f"{name} names no licence"
        assert not re.search(r"\bA?GPL|GNU (Affero )?General", text), f"{name}: {text}"


def test_python_versions_agree():
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info < (3, 14)" in (ROOT / "Makefile").read_text()
    assert (3, 11) <= sys.version_info < (3, 14)


# --- the workflow ---------------------------------------------------------------------------------


DIRECTIVES = ["message", "output", "log", "params", "resources", "conda", "shell"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflow" / "rules").glob("*.smk")), ids=lambda p: p.stem
)
def test_every_rule_is_complete(path):
    text = path.read_text()
    head = text.split("\n\n\n")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert re.search(r"^# in  ", head, re.M)
    assert re.search(r"^# out ", head, re.M)
    rules = re.split(r"^rule ", text, flags=re.M)[1:]
    assert rules or path.stem == "study"
    for rule in rules:
        if set(re.findall(r"^    (\w+):", rule, re.M)) == {"input"}:
            continue  # a target, not a job
        for directive in DIRECTIVES:
            assert re.search(rf"^    {directive}:", rule, re.M), f"{path.stem}: {directive}"
        assert "--expect {params.digest}" in rule
        assert "--log {log[0]:q}" in rule
        assert "config[" not in rule
        unquoted = re.findall(r"\{(?:input|output|log)[^}:]*\}", rule.split("shell:")[1])
        assert not unquoted


def test_every_stage_of_until_is_a_rule():
    text = "".join(p.read_text() for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", text, re.M))
    assert {rule for names in UNTIL.values() for rule in names} < rules
