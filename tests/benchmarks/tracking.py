"""Runs into MLflow's SQLite store: replayed by our writer, and in the usual way, as a ratio.

    python -m tests.benchmarks.tracking [--runs N] [--usual N]     adds to results/bench/engine.json
    python -m tests.benchmarks.tracking --runs 10000 --no-record   many runs; not part of make bench

Each run has 40 params, 40 metrics and two pictures. The usual way is a process for each run, which
imports MLflow and calls ``start_run``, ``log_params``, ``log_metrics``, ``log_artifact``. Ours is
one process, with MLflow's import and the making of the store; then again with nothing
new. Beside the time on the clock stands that of the processor: a commit waits for the disk, which
on a machine that others use as well takes several times as long.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import record

PARTS = 40
USUAL = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("usual")
with mlflow.start_run(run_name=sys.argv[2]):
    mlflow.log_params({f"p{k}": k for k in range(40)})
    mlflow.log_metrics({f"m{k}": k + 0.5 for k in range(40)})
    for picture in sys.argv[3:]:
        mlflow.log_artifact(picture, "figures")
"""
OURS = """
import sys
from tests.benchmarks.tracking import replay
replay(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
"""


def replay(uri: str, runs: int, pictures: list[str]) -> None:
    """Sync this many runs."""
    from nichetrial.records import identity
    from nichetrial.tracking import store
    from nichetrial.tracking.runs import Artifact, Run
    from nichetrial.tracking.writer import sync

    files = tuple(
        Artifact(path=Path(p), folder="figures", digest=identity.file_digest(p)) for p in pictures
    )
    plan = [
        Run(
            key=f"key {i}",
            study_key="key 0",
            name=f"run {i}",
            status="FINISHED",
            start=1000 + i,
            end=2000 + i,
            child=i > 0,
            artifacts=files,
            params={f"p{k}": str(k) for k in range(PARTS)},
            metrics={f"m{k}": k + 0.5 for k in range(PARTS)},
            tags={f"nichetrial.t{k}": "x" for k in range(10)},
        )
        for i in range(runs)
    ]
    sync(plan, store=store.locate(uri), experiment="ours", folder=Path(pictures[0]).parent)


def _seconds(code: str, *words: str, place: str | None = None) -> tuple[float, float]:
    """On the clock, and of the processor, of a process that runs ``code`` in ``place``."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    start, before = time.perf_counter(), os.times()
    words = (sys.executable, "-c", code, *words)
    subprocess.run(words, env=os.environ | quiet, cwd=place, check=True)
    after = os.times()
    processor = sum(after[2:4]) - sum(before[2:4])
    return time.perf_counter() - start, processor


def main() -> int:
    """The command."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--runs", type=int, default=1000)
    ask.add_argument("--usual", type=int, default=20, help="runs to time the usual way with")
    ask.add_argument("--no-record", action="store_true", help="only print")
    said = ask.parse_args()
    with tempfile.TemporaryDirectory() as place:
        pictures = [f"{place}/{name}.png" for name in ("a", "b")]
        for picture in pictures:
            Path(picture).write_bytes(os.urandom(60_000))
        ours, usual = (f"sqlite:///{place}/{name}.db" for name in ("ours", "usual"))
        first, of_it = _seconds(OURS, ours, str(said.runs), *pictures)
        second, _ = _seconds(OURS, ours, str(said.runs), *pictures)
        print(
            f"{said.runs} runs: {first:.1f} s ({of_it:.1f} s of the processor); "
            f"nothing new: {second:.1f} s",
            flush=True,
        )
        # MLflow leaves the files in the working directory
        _seconds(USUAL, usual, "the store is made", *pictures, place=place)
        each = (
            sum(
                _seconds(USUAL, usual, f"run {i}", *pictures, place=place)[0]
                for i in range(said.usual)
            )
            / said.usual
        )
    ratio = each / (first / said.runs)
    print(f"the usual way: {each:.2f} s a run, {ratio:.0f} times as long")
    if not said.no_record:
        record.add(
            "tracking",
            {
                "runs": said.runs,
                "seconds": first,
                "processor_seconds": of_it,
                "nothing_new_seconds": second,
                "usual_seconds_a_run": each,
                "ratio": ratio,
            },
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
