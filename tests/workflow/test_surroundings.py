"""What surrounds a run decides nothing: settings for Snakemake, and files in the working folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import STUDY, nichetrial

PROFILE = "rerun-triggers: mtime\nexecutor: no-such-executor\n"


@pytest.fixture
def another_dose(folder) -> Path:
    """The finished study, in which the dose of an arm has changed."""
    path = folder / STUDY
    text = path.read_text()
    assert "dose: 5 mg/kg" in text
    path.write_text(text.replace("dose: 5 mg/kg", "dose: 50 mg/kg"))
    return folder


@pytest.mark.parametrize("by", ["the environment", "the user", "the folder"])
def test_profiles_of_others_are_not_obeyed(another_dose, tmp_path, by):
    profile = {
        "the environment": tmp_path / "mine",
        "the user": tmp_path / "config/snakemake/default",
        "the folder": another_dose / "workflow/profiles/default",
    }[by]
    profile.mkdir(parents=True)
    (profile / "config.yaml").write_text(PROFILE)
    settings = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    if by == "the environment":
        settings |= {"SNAKEMAKE_PROFILE": str(profile)}
    done = nichetrial(another_dose, "run", STUDY, "--cores", "2", "--dry-run", **settings)
    assert done.returncode == 0, done.stdout
    assert "simulate amd3100" in done.stdout
    assert "no-such-executor" not in done.stdout


def test_modules_of_the_working_folder_are_not_imported(another_dose, tmp_path):
    trace = tmp_path / "trace"
    for name in ("random", "mlflow", "numpy", "nichetrial", "sitecustomize", "snakemake"):
        (another_dose / f"{name}.py").write_text(f"open({str(trace)!r}, 'a').write({name!r})\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [Path(sys.executable).with_name("nichetrial"), "run", STUDY, "--cores", "2"],
        cwd=another_dose,
        env=environment,
        text=True,
        capture_output=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not trace.exists()
