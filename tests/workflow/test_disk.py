"""A disk that fills up, and folders that cannot be written: said in words, and taken up again."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from nichetrial import codes
from tests.support.runs import STUDY, TINY, nichetrial, parquet, started, until_said

pytestmark = [pytest.mark.slow]


@pytest.fixture
def small(tmp_path):
    """A folder on a disk of its own, of 12 MB; more room with ``small(megabytes)``."""
    place = tmp_path / "disk"
    place.mkdir()

    def disk(megabytes: int, *options: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", ",".join((f"size={megabytes}m", *options)), "tmpfs"]
        subprocess.run([*words, str(place)], check=True, capture_output=True)
        return place

    try:
        disk(12)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a disk here")
    (place / STUDY).write_text(TINY)
    yield disk
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_told_and_the_same_command_goes_on(small, finished, tmp_path):
    folder = tmp_path / "disk"
    ballast = folder / "ballast"
    run = started(folder, "--cores", "2")
    until_said(r"draw particles \d+-\d+ done", run, folder)
    with suppress(OSError):  # jobs write as well
        ballast.write_bytes(bytes(_free(folder)))
    assert run.wait(timeout=240) == 1
    said = (folder / "said.txt").read_text()
    told = [line for line in said.splitlines() if not line.startswith("nichetrial: note: ")]
    wrong = next(line for line in told if "FAILED" in line or "NT" in line)
    assert wrong.startswith(f"nichetrial: {codes.NOT_WRITABLE} the disk at {folder} ")
    assert "Traceback" not in said
    assert "Logging error" not in said
    made = set(parquet(folder / "results" / "tiny"))

    refused = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert refused.returncode == 2
    assert "results/tiny: NT104 " in refused.stdout
    assert set(parquet(folder / "results" / "tiny")) == made
    ballast.unlink()

    small(200, "remount")
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert parquet(folder / "results" / "tiny") == parquet(finished[0] / "results" / "tiny")
    again = nichetrial(folder, "run", STUDY, "--dry-run")
    assert "nothing to do" in again.stdout


def _free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def test_a_folder_that_cannot_be_written_is_told_before_anything_starts(small, tmp_path):
    folder = tmp_path / "disk"
    small(12, "remount", "ro")
    refused = nichetrial(folder, "run", STUDY)
    assert refused.returncode == 2
    assert "results/tiny: NT104 " in refused.stdout
