"""Code and packages that can only be read, as where somebody else installed them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.runs import STUDY

pytestmark = [pytest.mark.slow]


def where_they_are_read_only(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run in a view of the file system of its own, in which they are mounted so."""
    places = {ROOT, Path(sys.prefix).resolve()}
    mounts = "".join(
        f"mount --bind {q} {q} && mount -o remount,bind,ro {q} && "
        for q in (shlex.quote(str(place)) for place in sorted(places))
    )
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mounts} exec {shlex.join(words)}"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder / "tmp")},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )


def test_a_run_writes_neither_beside_the_code_nor_into_the_environment(fresh):
    if shutil.which("unshare") is None or where_they_are_read_only(fresh, "true").returncode:
        pytest.skip("nothing can be mounted here")
    for place in (ROOT / "workflow" / "nichetrial", Path(sys.prefix)):
        refused = where_they_are_read_only(fresh, "touch", str(place / "written"))
        assert "Read-only file system" in refused.stdout, refused.stdout
    done = where_they_are_read_only(
        fresh,
        sys.executable,
        "-m",
        "nichetrial",
        "run",
        STUDY,
        "--cores",
        "2",
        "--until",
        "parameters",
    )
    assert done.returncode == 0, done.stdout
    assert "draw particles 0-4 done" in done.stdout
    assert "Traceback" not in done.stdout
    assert "Read-only" not in done.stdout
    assert len(list((fresh / "results" / "tiny" / "parameters").glob("*.mice.parquet"))) == 2
