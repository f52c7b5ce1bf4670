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

from nichetrial.launch import conda
from nichetrial.pipeline import code
from nichetrial.pipeline.stages import STAGES
from nichetrial.records.identity import CODE_SUFFIXES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "workflow" / "nichetrial"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt")

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "store_address": {"codes"},
    "codes": {"errors"},
    "files": {"errors"},
    "room": set(),
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
    "tracking": {"records", "compat", "store_address", "study", "model"},
    "pipeline": {"figures", "report", "study", "records", "compat", "model"},
    "launch": {"pipeline", "study", "records", "compat"},
    "provenance": {"launch", "pipeline", "study", "tracking", "records", "compat"},
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
"""What each part may import, apart from itself and FOR_ALL; the rest may import everything."""
FOR_ALL = {"errors", "codes", "files", "room", "tables", "formatting"}
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


@pytest.mark.parametrize("name", modules())
def test_arrows_run_one_way(name):
    part = name.split(".")[0]
    if part in ON_TOP:
        return
    assert part in BELOW, f"{part} is not in the table of layers"
    above = {m for m in imports(name) if m.split(".")[0] not in BELOW[part] | FOR_ALL | {part}}
    assert not above, f"{name} imports {sorted(above)}, which is not below {part}"


def test_the_layers_have_no_cycle():
    done: set[str] = set()
    while len(done) < len(BELOW):
        ready = {part for part, below in BELOW.items() if part not in done and below <= done}
        assert ready, f"cycle among {set(BELOW) - done}"
        done |= ready


@pytest.mark.parametrize("name", modules())
def test_the_imports_of_a_module_are_found_as_python_finds_them(name):
    """Else a change of that code would run nothing again."""
    assert imports(name) - {""} <= code.imported(name) <= modules().keys()


@pytest.mark.parametrize("name", code.ALSO_READS)
def test_data_that_a_module_reads_is_there(name):
    assert name in modules()
    for pattern in code.ALSO_READS[name]:
        assert [*PACKAGE.glob(pattern)], pattern


def test_all_data_of_the_package_is_declared():
    """Else a change of it would run nothing again."""
    data = {p for p in PACKAGE.rglob("*") if p.suffix in CODE_SUFFIXES - {".py"}}
    data -= {PACKAGE / "pipeline" / "costs.csv"}
    assert data == {
        path
        for patterns in code.ALSO_READS.values()
        for pattern in patterns
        for path in PACKAGE.glob(pattern)
        if path.suffix in CODE_SUFFIXES - {".py"}
    }


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_has_one_name(stage):
    """Of its module and its rule."""
    assert stage.module in modules()
    text = "".join(p.read_text() for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert stage.name == "resolve" or f"rule {stage.name}:\n" in text


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


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflow" / "rules").glob("*.smk")), ids=lambda p: p.stem
)
def test_no_name_of_a_file_is_read_by_the_shell(path):
    for shell in re.findall(r"^    shell:\n((?:        .*\n)+)", path.read_text(), re.M):
        assert not re.findall(r"\{(?:input|output|log|wildcards)[^}:]*\}", shell)


def test_what_tests_share_is_in_support() -> None:
    """No test module, and no conftest, is imported by another."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                last = str(node.module).rsplit(".", 1)[-1]
                assert not last.startswith(("test_", "conftest")), f"{path}: {node.module}"
