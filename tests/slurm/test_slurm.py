"""A study on a real Slurm: undisturbed, and when nodes, jobs and the head die.

One folder goes through all of it, test by test in the order of this file: each picks up what the
one before has left, as a user would, with the same command.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support import ROOT
from tests.support.runs import nichetrial
from tests.support.slurm_cluster import Cluster, Job, missing, until
from tests.support.stores import facts

PROFILE = ROOT / "workflow" / "profiles" / "slurm" / "config.yaml"
STUDY = "a study.yaml"
CHUNK = "000000-000005"
MINI = """\
study: {name: tiny, title: A tiny study, seed: 7}
cohort: {particles: 6, mice_per_particle: 2}
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 40 d}
arms:
  high: {label: TIMP-1-high}
  amd3100:
    label: AMD3100
    treatments:
      - {drug: amd3100, dose: 5 mg/kg, start: 3 d, every: 12 h}
comparisons: {reference: high, resamples: 100}
power: {experiments: 100, sizes: [4, 6]}
figures: {formats: [png], dpi: 50, course_particles: 2, dose_particles: 2, dose_folds: [1, 10]}
"""
PATIENCE = 600.0
"""Seconds for what takes much less, unless others work on the machine as well."""


def _skip(why: str) -> None:
    """No skip where Slurm has to be there."""
    if os.environ.get("NICHETRIAL_SLURM") == "required":
        pytest.fail(why)
    pytest.skip(why)


pytestmark = [pytest.mark.slow, pytest.mark.slurm]


@dataclass
class Head:
    """A run in the background, and what it says."""

    folder: Path
    process: subprocess.Popen[str]
    words: Path

    @property
    def said(self) -> str:
        return self.words.read_text()

    def until_said(self, pattern: str) -> None:
        def there() -> bool:
            found = re.search(pattern, self.said) is not None
            assert found or self.process.poll() is None, self.said
            return found

        until(there, f"{pattern!r} in:\n{self.said}", PATIENCE)

    def ends(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.said) from None

    def kill(self) -> None:
        """All its processes at once, as when the login node dies."""
        all_of_it = [self.process, *psutil.Process(self.process.pid).children(recursive=True)]
        for process in all_of_it:
            process.kill()
        self.process.wait()
        psutil.wait_procs(all_of_it[1:], timeout=30)


def environment(cluster: Cluster) -> dict[str, str]:
    return {**os.environ, **cluster.environment(), "PYTHONPATH": str(ROOT / "tests/slurm/jobs")}


def start(cluster: Cluster, folder: Path, *words: str, profile: str = "slurm") -> Head:
    said = folder / "said.txt"
    with open(said, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "nichetrial", "run", STUDY, "--profile", profile, *words],
            cwd=folder,
            env=environment(cluster),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    return Head(folder, process, said)


def profile(folder: Path, *lines: str) -> str:
    """A user's copy of the profile, with lines of their own."""
    mine = folder / "profile"
    mine.mkdir(exist_ok=True)
    named = {line.partition(":")[0] for line in lines}
    kept = [
        line for line in PROFILE.read_text().splitlines() if line.partition(":")[0] not in named
    ]
    (mine / "config.yaml").write_text("\n".join([*kept, *lines]) + "\n")
    return str(mine)


def results(folder: Path) -> dict[str, bytes]:
    """All that a run makes, but for records, logs and receipts, which tell times and places."""
    top = folder / "results" / "tiny"
    apart = {"records", "logs", "tracking", "origin"}
    files = [p for p in sorted(top.rglob("*")) if p.is_file()]
    return {
        str(p.relative_to(top)): p.read_bytes()
        for p in files
        if p.relative_to(top).parts[0] not in apart
    }


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if why := missing():
        _skip(why)
    with Cluster(2) as running:
        yield running
    assert running.left() == []


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, run on this computer."""
    folder = tmp_path_factory.mktemp("local") / "here"
    folder.mkdir()
    (folder / STUDY).write_text(MINI)
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    return folder


def without_amd3100(local: Path, folder: Path) -> Path:
    """A copy in which this arm's simulation is still to be made."""
    shutil.copytree(local, folder, symlinks=True)
    made = folder / "results" / "tiny" / "simulations" / "amd3100"
    (made / f"particles-{CHUNK}.outcomes.parquet").unlink()
    return folder


@pytest.fixture(scope="module")
def endless(
    cluster: Cluster, local: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Head]:
    """A run of which a job does not end; Slurm grants it a minute, which others use."""
    folder = without_amd3100(local, tmp_path_factory.mktemp("endless") / "run")
    (folder / "hold").touch()
    mine = profile(folder, "retries: 0", "set-resources: [simulate:runtime=1]")
    head = start(cluster, folder, "--until", "comparisons", profile=mine)
    try:
        until(lambda: running(cluster, folder), "the job that does not end", PATIENCE)
        yield head
    finally:
        if head.process.poll() is None:
            head.kill()


@pytest.fixture(scope="module")
def folder(cluster: Cluster, endless: Head, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all the others work."""
    new = tmp_path_factory.mktemp("slurm") / "on the cluster"
    new.mkdir()
    (new / STUDY).write_text(MINI)
    (new / "hold").touch()
    return new


def running(cluster: Cluster, folder: Path, rule: str = "simulate") -> dict[str, Job]:
    """Slurm's number -> job, of a rule."""
    return {
        job.number: job
        for job in cluster.jobs(folder)
        if job.state == "RUNNING" and job.comment.startswith(f"rule_{rule}_")
    }


@pytest.fixture(scope="module")
def first(cluster: Cluster, folder: Path) -> Iterator[Head]:
    """The first run of the folder, with both arms waiting in their simulations."""
    head = start(cluster, folder)
    try:
        until(lambda: len(running(cluster, folder)) == 2, "both arms to run", PATIENCE)
        yield head
    finally:
        if head.process.poll() is None:
            head.kill()


def test_a_node_that_dies_is_told_and_its_job_runs_elsewhere(cluster, folder, endless, first):
    busy = {job.node for job in running(cluster, endless.folder).values()}
    before = running(cluster, folder)
    victims = [job for job in before.values() if job.node not in busy]
    assert victims, f"{before}: all on {busy}"
    cluster.kill_node(victims[0].node)
    lost = r"FAILED  simulate \w+, particles 0-5: NODE_FAIL, its node died \(Slurm job \d+\)"
    first.until_said(lost)
    first.until_said(r"retrying  simulate \w+, particles 0-5")
    cluster.start_node(victims[0].node)
    until(lambda: len(running(cluster, folder)) == 2, "the job to run again", PATIENCE)
    assert set(running(cluster, folder)) != set(before)


def test_a_second_head_is_refused_and_disturbs_no_job(cluster, folder, first):
    before = set(running(cluster, folder))
    second = subprocess.run(
        [sys.executable, "-m", "nichetrial", "run", STUDY, "--profile", "slurm"],
        cwd=folder,
        env=environment(cluster),
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert "another nichetrial run works in" in second.stderr
    assert set(running(cluster, folder)) == before


def test_sigterm_cancels_the_jobs(cluster, folder, first):
    first.process.send_signal(signal.SIGTERM)
    assert first.ends() == 143
    assert "Run the same command to continue." in first.said
    assert "Traceback" not in first.said
    assert cluster.jobs(folder) == []


def test_jobs_of_a_killed_head_are_cancelled_by_the_next_and_sigint_cancels(cluster, folder):
    killed = start(cluster, folder)
    until(lambda: len(running(cluster, folder)) == 2, "both arms to run", PATIENCE)
    assert "draw particles" not in killed.said, "that was done before"
    killed.kill()
    left = running(cluster, folder)
    assert len(left) == 2, "a killed head cancels nothing"

    next_one = start(cluster, folder)
    next_one.until_said(r"the last run left \d+ jobs in Slurm's queue; cancelled")
    until(lambda: len(running(cluster, folder)) == 2, "both arms to run", PATIENCE)
    assert not left.keys() & running(cluster, folder).keys()
    next_one.process.send_signal(signal.SIGINT)
    assert next_one.ends() == 130
    assert cluster.jobs(folder) == []


def test_too_little_memory_is_told_more_is_asked_for_and_the_bytes_are_those_of_a_local_run(
    cluster, folder, local
):
    (folder / "hold").unlink()
    (folder / "greedy").touch()
    mine = profile(folder, "set-resources: ['simulate:mem_mb=attempt * 1200']")
    head = start(cluster, folder, profile=mine)
    asked = set()

    def over() -> bool:
        asked.update(j.memory for j in running(cluster, folder).values() if "amd3100" in j.comment)
        return head.process.poll() is not None

    until(over, "the run to end", PATIENCE)
    assert head.process.returncode == 0, head.said
    # a Slurm without cgroups, as this one, has no state for it
    said = re.search(
        r"FAILED  simulate amd3100, particles 0-5: FAILED, it was killed: most often, for more "
        r"memory than it had asked for \(Slurm job \d+\)\n"
        r"  log: results/tiny/logs/simulate/amd3100/.*\n    .*\n"
        r"  log: .*/slurm_logs/.*\n    srun: error: n\d: task 0: Killed",
        head.said,
    )
    assert said, head.said
    assert "retrying  simulate amd3100, particles 0-5" in head.said
    assert asked == {"1200M", "2400M"}
    assert "continuing without" not in head.said
    assert "Traceback" not in head.said

    here, there = results(local), results(folder)
    assert list(here) == list(there)
    assert [name for name in here if here[name] != there[name]] == []


def test_the_runs_in_mlflow_are_those_of_a_local_run(folder, local):
    assert facts(folder) == facts(local)


def test_nothing_is_left_to_do_on_this_computer(folder):
    again = nichetrial(folder, "run", STUDY)
    assert again.returncode == 0, again.stdout
    assert "nothing to do" in again.stdout


def test_jobs_had_no_network_and_no_mlflow(folder):
    stages = (folder / "guarded").read_text().split()
    assert set(stages) == {
        "parameters",
        "simulate",
        "dose_curve",
        "experiments",
        "compare",
        "power",
        "figure",
        "report",
    }


def test_a_job_that_takes_too_long_is_told_and_the_other_arms_are_reported(cluster, endless):
    assert endless.ends() == 1, endless.said
    said = endless.said
    assert re.search(
        r"FAILED  simulate amd3100, particles 0-5: TIMEOUT, it took longer than it had asked for "
        r"\(Slurm job \d+\)\n  log: results/tiny/logs/simulate/amd3100/",
        said,
    ), said
    assert "DUE TO TIME LIMIT" in said
    assert "continuing without arm amd3100" in said
    assert "compare the arms done" in said
    end = said[said.index("nichetrial: 1 job failed.") :]
    assert "simulate amd3100, particles 0-5 (TIMEOUT, " in end
    assert "do not include arm amd3100" in end
    assert cluster.jobs(endless.folder) == []


def test_snakemake_itself_where_slurm_keeps_accounts(local, tmp_path):
    if why := missing(accounting=True):
        _skip(why)
    here = without_amd3100(local, tmp_path / "run")
    with Cluster(1, accounting=True) as accounts:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("snakemake")),
                "--snakefile",
                str(ROOT / "Snakefile"),
                "--workflow-profile",
                str(PROFILE.parent),
                "--configfile",
                STUDY,
                "--until",
                "simulate",
            ],
            cwd=here,
            env=environment(accounts),
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout
        kept = accounts.ask(
            "sacct", "-X", "--noheader", "--parsable2", "--format", "State,Comment,JobName"
        )
    (line,) = kept.splitlines()
    state, comment, name = line.split("|")
    assert (state, comment) == ("COMPLETED", f"rule_simulate_wildcards_amd3100_{CHUNK}")
    assert name.startswith("nichetrial_")
    assert results(here) == results(local)
    assert accounts.left() == []
