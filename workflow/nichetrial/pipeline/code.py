"""Which code shapes the result of a stage: its module, and all that this imports."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from nichetrial.records.identity import PACKAGE, files_digest

__all__ = ["code_digest", "modules_of"]

IMPORT = re.compile(
    r"^\s*(?:from (nichetrial[\w.]*) import (\([^)]*\)|[^\n]*)|import (nichetrial[\w.]*))", re.M
)
"""An import as the formatter leaves it. A test compares it with Python's own parser."""

SHAPES_NOTHING = {
    "codes",
    "commands",
    "compat",
    "errors",
    "launch",
    "pipeline",
    "records",
    "store_address",
}
"""Rooms and modules that are imported but shape no result: how a job is run, recorded, refused."""

ALSO_READS: dict[str, tuple[str, ...]] = {
    "cohort.shipped": ("cohort/calibrated/*",),
    "evidence.findings": ("evidence/fitted/*", "evidence/held_out/*"),
    "figures.catalogue": ("figures/*.py",),
    "model.parameters": ("model/parameters.csv",),
    "report.calibration_page": ("report/evidence.html.j2",),
    "report.layout": ("report/report.css",),
    "report.study_page": ("report/report.html.j2",),
}
"""Module -> data, and modules that it imports by name, as patterns from the top of the package."""


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Modules of the package that ``module`` imports, wherever in it; dotted, without the package.

    >>> "study.part" in imported("pipeline.code"), "engine.ensemble" in imported("trial.simulate")
    (False, True)
    """
    found = set()
    for base, names, plain in IMPORT.findall(_file(module).read_text(encoding="utf-8")):
        bare = re.sub(r"#.*", "", names).strip("() \n")
        for name in filter(str.strip, bare.split(",")) if base else [""]:
            word = f"{base}.{name.split(' as ')[0].strip()}" if base else plain
            inside = word.removeprefix("nichetrial").lstrip(".")
            found.add(inside if _exists(inside) else inside.rpartition(".")[0])
    return frozenset(found - {""})


@functools.cache
def modules_of(module: str) -> frozenset[str]:
    """``module`` and all that it imports, directly or not, as far as it shapes a result."""
    seen: set[str] = set()
    ahead = {module}
    while ahead:
        seen |= ahead
        new = {name for one in ahead for name in imported(one)}
        new |= {name for one in ahead for name in _by_name(one)}
        ahead = {name for name in new if name.split(".")[0] not in SHAPES_NOTHING} - seen
    return frozenset(seen)


@functools.cache
def code_digest(module: str) -> str:
    """SHA-256 over the code of ``modules_of(module)`` and the data that it reads. It does not
    depend on where the package lies."""
    names = modules_of(module)
    files = {_file(name) for name in names}
    return files_digest(files | {path for name in names for path in _also(name)})


def _exists(module: str) -> bool:
    path = PACKAGE.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _file(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _also(module: str) -> list[Path]:
    patterns = ALSO_READS.get(module, ())
    return [path for pattern in patterns for path in PACKAGE.glob(pattern) if path.is_file()]


def _by_name(module: str) -> set[str]:
    found = (path for path in _also(module) if path.suffix == ".py")
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in found}
