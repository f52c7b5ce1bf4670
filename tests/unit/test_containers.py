"""The image recipe and the Kubernetes job say what lock and package say; nothing is built."""

from __future__ import annotations

import argparse
import re
import tomllib

import yaml
from packaging.specifiers import SpecifierSet

from nichetrial.commands import run
from nichetrial.launch.conda import PYTHON
from tests.support import ROOT

FOLDER = ROOT / "workflow" / "containers"
RECIPE = (FOLDER / "Dockerfile").read_text()
JOB = (FOLDER / "kubernetes.yaml").read_text()
DOCS = (ROOT / "docs" / "cluster.md").read_text()


def test_the_image_has_a_python_that_the_package_allows():
    (image,) = re.findall(r"^FROM (\S+)$", RECIPE, re.M)
    assert image == f"python:{PYTHON}-slim"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert PYTHON in SpecifierSet(project["requires-python"])


def test_the_image_has_the_locked_packages_and_no_other():
    installs = re.findall(r"pip install ((?:[^\n]|\\\n)*)", RECIPE.replace("\\\n", " "))
    locked, package = installs
    (file,) = re.findall(r"--requirement (\S+)", locked)
    assert "--require-hashes" in locked
    assert (ROOT / file).is_file()
    assert f"COPY {file} {file}" in RECIPE
    assert "--no-deps --no-build-isolation --editable ." in package


def test_the_job_runs_that_image_and_a_command_that_there_is():
    (container,) = yaml.safe_load(JOB)["spec"]["template"]["spec"]["containers"]
    assert container["image"].split(":")[0] == re.findall(r"--tag (\S+)", RECIPE)[0]
    program, *words = container["command"]
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    args = parser.parse_args(words[1:])
    assert (program, words[0]) == ("nichetrial", "run")
    assert args.cores == container["resources"]["requests"]["cpu"]
