"""Odd things in the place of a run's own files: found before anything starts, with the way out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.compat import snakemake_files
from nichetrial.errors import UserError
from nichetrial.launch.in_the_way import require_free
from nichetrial.launch.locks import LOCK
from nichetrial.pipeline.jobs import jobs
from nichetrial.pipeline.plan import Plan
from tests.support.broken_studies import SOUND

FILES = {
    "a result": "results/small/comparisons/effects.csv",
    "the study": "results/small/study.json",
    "a record": "results/small/records/compare.json",
    "a log": "results/small/logs/compare.log",
    "the receipt": "results/small/tracking/receipt.json",
    "our lock": LOCK,
    "a memory": ".snakemake/metadata/cmVzdWx0cw==",
}
FOLDERS = {
    "results": "results",
    "the study's": "results/small",
    "of results": "results/small/comparisons",
    "of records": "results/small/records",
    "Snakemake's": ".snakemake",
    "Snakemake's memory": ".snakemake/metadata",
    "Snakemake's logs": ".snakemake/log",
}


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def file(path: Path) -> None:
    path.write_text("mine")


@pytest.fixture
def plan(tmp_path, monkeypatch, small_study) -> Plan:
    """In a folder where each file of the study is there."""
    monkeypatch.chdir(tmp_path)
    plan = Plan.of(small_study, "small.yaml")
    made = [path for job in jobs(plan, evidence=False) for path in (*job.outputs, job.record)]
    for path in (*made, *FILES.values()):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    for path in FOLDERS.values():
        Path(path).mkdir(exist_ok=True)
    return plan


def refused(plan: Plan) -> list[str | None]:
    """The places that are in the way."""
    with pytest.raises(UserError) as error:
        require_free(plan)
    assert {fault.code for fault in error.value.faults} == {codes.IN_THE_WAY}
    return [fault.place for fault in error.value.faults]


@pytest.mark.parametrize("odd", [folder, link, pipe])
@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_what_is_no_file(path: str, odd: Callable[[Path], None], plan):
    require_free(plan)
    Path(path).unlink()
    require_free(plan)
    odd(Path(path))
    assert refused(plan) == [path]


@pytest.mark.parametrize("odd", [file, link])
@pytest.mark.parametrize("path", FOLDERS.values(), ids=FOLDERS)
def test_what_is_no_folder(path: str, odd: Callable[[Path], None], plan):
    shutil.rmtree(path)
    require_free(plan)
    odd(Path(path))
    assert refused(plan) == [path]


@pytest.mark.parametrize("path", [*FILES.values(), *FOLDERS.values()], ids=[*FILES, *FOLDERS])
def test_what_is_closed(path: str, plan, monkeypatch):
    monkeypatch.setattr(os, "access", lambda asked, _: asked != path)  # root may read all
    assert refused(plan) == [path]


def test_many_are_counted(plan):
    for path in Path("results/small/figures").iterdir():
        path.unlink()
        path.mkdir()
    assert len(refused(plan)) == 6


def test_results_may_lie_on_another_disk(plan, tmp_path_factory):
    other = tmp_path_factory.mktemp("disk") / "small"
    shutil.move("results/small", other)
    Path("results/small").symlink_to(other)
    require_free(plan)


def test_what_others_keep_beside_is_left_alone(plan):
    for path in ("results/other/records/x.json", ".snakemake/conda/env/lib/x"):
        Path(path).parent.mkdir(parents=True)
        Path(path).symlink_to("nowhere")
    require_free(plan)


@pytest.mark.parametrize("content", [b"[1]", b"{", b"", b"\xff", b"3"])
def test_a_damaged_memory_is_forgotten(content: bytes, plan):
    sound = Path(".snakemake/metadata/@c21hbGw/b25l")
    sound.parent.mkdir()
    sound.write_text(json.dumps({"rule": "compare"}))
    Path(FILES["a memory"]).write_bytes(content)
    assert snakemake_files.forget_damaged() == 1
    assert sound.exists()
    assert not Path(FILES["a memory"]).exists()


def test_a_run_refuses_before_it_starts(tmp_path):
    Path(tmp_path, "small.yaml").write_text(SOUND)
    page = Path(tmp_path, "results/small/report.html")
    page.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", "run", "small.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert str(codes.IN_THE_WAY) in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path(tmp_path, ".snakemake").exists()
