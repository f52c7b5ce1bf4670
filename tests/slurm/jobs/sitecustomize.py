"""Loaded by every Python of a run on the test cluster (it is in a folder on PYTHONPATH).

In the head: Snakemake asks Slurm more often than a real cluster would like. In a job: it has no
network and no MLflow, and does what files in the working directory ask for: ``hold`` (simulations
wait while it is there) and ``greedy`` (the first one to see it takes more memory than it may).
"""

import asyncio
import os
import sys
import time


def _head() -> None:
    sleep = asyncio.sleep
    asyncio.sleep = lambda delay, *rest: sleep(min(delay, 0.5), *rest)


class _NoMlflow:
    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "mlflow":
            raise RuntimeError("a job imports mlflow")


def _no_network(event: str, words: tuple) -> None:
    if event == "socket.connect" and isinstance(words[1], tuple):
        raise RuntimeError(f"a job connects to {words[1]}")
    if event == "sqlite3.connect":
        raise RuntimeError(f"a job opens {words[0]}")


def _job(words: list[str]) -> None:
    sys.meta_path.insert(0, _NoMlflow())  # type: ignore[arg-type]
    sys.addaudithook(_no_network)
    if "nichetrial" not in words or "stage" not in words:
        return
    stage = words[words.index("stage") + 1]
    with open("guarded", "a") as log:
        log.write(f"{stage}\n")
    if stage == "simulate":
        while os.path.exists("hold"):
            time.sleep(0.1)
        if "amd3100" in words and os.path.exists("greedy"):
            os.remove("greedy")
            taken = bytes(range(256)) * 6_000_000  # 1.5 GB
            time.sleep(60)
            del taken


if "SLURM_JOB_ID" in os.environ:
    _job(sys.orig_argv)
elif "snakemake" in sys.orig_argv and "--workflow-profile" in sys.orig_argv:
    _head()
