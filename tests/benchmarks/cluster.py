"""One study on 1, 2 and 4 nodes of a Slurm on this machine, and on one core without it.

    python -m tests.benchmarks.cluster

Each node has one core, on paper: four of them share what this machine has, and its own cores are
said beside the result. Adds to results/bench/engine.json. Needs what tests/slurm needs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from nichetrial.pipeline.estimate import SUBMIT_SECONDS, lines
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.resources import Needs
from nichetrial.study.load import load
from tests.benchmarks import record
from tests.benchmarks.stages import text
from tests.support.slurm_cluster import Cluster, missing

__all__ = ["main"]

NODES = (1, 2, 4)
SIZES = {"cohort": 100_000, "mice": 2, "chunk": 100_000, "arms": 4, "doses": 0, "courses": 5}
UNTIL = ("--until", "simulations")


class _OneCore(Cluster):
    """Its nodes have one processor each, on paper."""

    def _configure(self, controller: int, ports: list[int]) -> None:
        super()._configure(controller, ports)
        conf = self.folder / "slurm.conf"
        conf.write_text(re.sub(r"CPUs=\d+", "CPUs=1", conf.read_text()))


def _run(folder: Path, *words: str, **environment: str) -> float:
    """Seconds of the whole command; the mice are there already."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", "run", "s.yaml", *words],
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    return time.perf_counter() - start


def _submitted(cluster: Cluster) -> float:
    """Seconds from one job to the next while they were handed to Slurm: at most, for it keeps full
    seconds."""
    said = cluster.ask("squeue", "--states", "all", "--noheader", "--format", "%V").split()
    times = sorted(datetime.fromisoformat(line) for line in said)
    return ((times[-1] - times[0]).total_seconds() + 1) / max(len(times) - 1, 1)


def _study(folder: Path) -> tuple[int, float]:
    """Write it and draw its mice; the number of jobs that are left to time, and the seconds that
    Snakemake takes to start in all of them, at the price of ``costs.csv``."""
    (folder / "s.yaml").write_text(text(SIZES))
    _run(folder, "--cores", "1", "--until", "parameters")
    study = load(folder / "s.yaml")
    counts = {line.rule: line.jobs for line in lines(Plan.of(study, ""))}
    jobs = sum(counts[rule] for rule in ("simulate", "experiments", "dose_curve"))
    return jobs, jobs * Needs(study).of("snakemake").seconds


def main() -> int:
    """The command. 1 where Slurm is not installed."""
    if lacking := missing():
        print(lacking)
        return 1
    with tempfile.TemporaryDirectory() as name:
        jobs, starts = _study(Path(name))
        local = _run(Path(name), "--cores", "1", *UNTIL)
    print(f"{os.cpu_count()} cores; {jobs} jobs; one core without Slurm: {local:.0f} s", flush=True)
    seconds: dict[str, float] = {}
    for nodes in NODES:
        with tempfile.TemporaryDirectory() as name, _OneCore(nodes) as cluster:
            _study(Path(name))
            took = _run(Path(name), "--profile", "slurm", *UNTIL, **cluster.environment())
            each = _submitted(cluster)
        seconds[str(nodes)] = took
        share = seconds["1"] / took / nodes
        print(
            f"{nodes} nodes: {took:.0f} s, {took / local:.2f} times one core without Slurm; "
            f"{share:.0%} of {nodes} times the speed of one node; {starts / took / nodes:.0%} of "
            f"the nodes' time is Snakemake's start in each job; at most {each:.2f} s to submit "
            "a job",
            flush=True,
        )
    record.add(
        "cluster",
        {
            "jobs": jobs,
            "local": local,
            "nodes": seconds,
            "cores": os.cpu_count(),
            "submit": SUBMIT_SECONDS,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
