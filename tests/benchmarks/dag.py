"""Planning: a study of a thousand arms is read, and ten thousand jobs are planned by Snakemake.

    python -m tests.benchmarks.dag

The plan of ten thousand jobs is measured against its peer: as many jobs of one rule with one output
file each and nothing else, which is what Snakemake itself costs. Adds to results/bench/engine.json.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nichetrial.pipeline.estimate import lines
from nichetrial.pipeline.plan import Plan
from nichetrial.study.load import load
from tests.benchmarks import record
from tests.benchmarks.stages import ROOT, text

__all__ = ["main"]

SECONDS, MEGABYTES = 30.0, 300.0
"""What planning ten thousand jobs should take at most."""
ARMS, CHUNKS, MANY_ARMS = 100, 100, 1000
PEER = """\
rule all:
    input: expand("out/{i}.txt", i=range(JOBS))

rule job:
    output: "out/{i}.txt"
    shell: "touch {output}"
"""
READ = """\
import sys, time
start = time.perf_counter()
from nichetrial.pipeline.jobs import jobs
from nichetrial.pipeline.plan import Plan
from nichetrial.study.load import load
plan = Plan.of(load(sys.argv[1]), sys.argv[1])
for one in jobs(plan, evidence=False):
    one.digest()
"""


def _used(words: list[str], folder: Path) -> dict[str, float]:
    """Seconds, seconds of processor and peak megabytes of a process; of those it starts, too."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    with open(folder / "said", "wb") as said:
        child = subprocess.Popen(words, cwd=folder, stdout=said, stderr=said, env=environment)
        _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError((folder / "said").read_text(errors="replace")[-2000:])
    return {
        "seconds": time.perf_counter() - start,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024,
    }


def _planned(folder: Path) -> dict[str, dict[str, float]]:
    (folder / "s.yaml").write_text(text({"arms": ARMS, "cohort": CHUNKS, "chunk": 1, "dosed": 1}))
    plan = Plan.of(load(folder / "s.yaml"), "s.yaml")
    jobs = sum(line.jobs for line in lines(plan))
    ours = [sys.executable, "-m", "nichetrial", "run", "s.yaml", "--dry-run", "--cores", "2"]
    (folder / "Snakefile").write_text(PEER.replace("JOBS", str(jobs)))
    peer = [
        sys.executable,
        "-m",
        "snakemake",
        "--dry-run",
        "--cores",
        "2",
        "--quiet",
        "all",
        "--snakefile",
        "Snakefile",
        "--scheduler",
        "greedy",
    ]
    return {"ours": _used(ours, folder) | {"jobs": jobs}, "peer": _used(peer, folder)}


def main() -> int:
    """The command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "many.yaml").write_text(text({"arms": MANY_ARMS}))
        read = _used([sys.executable, "-c", READ, "many.yaml"], folder)
        check = _used([sys.executable, "-m", "nichetrial", "check", "many.yaml"], folder)
        start = _used([sys.executable, "-c", "import snakemake.cli"], folder)
        planned = _planned(folder)
    result = {"read": read, "check": check, "start": start, **planned}
    for what, row in result.items():
        print(
            f"{what:6} {row['seconds']:6.1f} s, {row['processor_seconds']:6.1f} s of processor, "
            f"{row['megabytes']:5.0f} MB"
        )
    ours, peer = planned["ours"], planned["peer"]
    times, size = (ours[key] / peer[key] for key in ("processor_seconds", "megabytes"))
    print(
        f"{ours['jobs']:,} jobs: {times:.2f} times the processor time and {size:.2f} times the "
        "memory of as many jobs of one output each"
    )
    for key, limit, unit in (("seconds", SECONDS, "s"), ("megabytes", MEGABYTES, "MB")):
        word = "below" if ours[key] < limit else "NOT below"
        print(f"  {ours[key]:.0f} {unit}, {word} {limit:g} {unit}; plain: {peer[key]:.0f} {unit}")
    record.add("dag", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
