"""envs/nichetrial.yaml: the direct dependencies, at the versions of the lock, for conda.

python -m nichetrial.launch.conda        writes it; 'make lock' does so too
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from nichetrial.files import atomic
from nichetrial.launch.process import checkout

__all__ = ["environment", "pins"]

PYTHON = "3.12"
"""Where the lock has one version for older and one for newer Pythons, the newer is taken."""

CONDA_NAMES = {"matplotlib": "matplotlib-base"}  # without GUI toolkits

HEAD = f"""\
# The conda environment of the workflow: the direct dependencies of pyproject.toml, at the versions
# of envs/requirements.txt. Generated: change pyproject.toml, then 'make lock'. Tested.
name: nichetrial
channels:
  - conda-forge
  - bioconda
  - nodefaults
dependencies:
  - python={PYTHON}
"""


def pins(lock: str) -> dict[str, str]:
    """Package -> version in a lock file, for Python PYTHON."""
    found: dict[str, str] = {}
    for line in lock.splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+))?", line)
        if match and "python_full_version < '3.12'" not in (match[3] or ""):
            found[match[1]] = match[2]
    return found


def environment(project: str, lock: str) -> str:
    """The text of the conda environment for a pyproject.toml and its lock. Raises KeyError for a
    dependency that is not locked."""
    locked = pins(lock)
    text = HEAD
    for requirement in tomllib.loads(project)["project"]["dependencies"]:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        text += f"  - {CONDA_NAMES.get(name, name)}={locked[name]}\n"
    return text


def _write(root: Path) -> None:
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    lock = (root / "envs" / "requirements.txt").read_text(encoding="utf-8")
    with atomic(root / "envs" / "nichetrial.yaml") as part:
        part.write_text(environment(project, lock), encoding="utf-8")


if __name__ == "__main__":
    _write(checkout())
