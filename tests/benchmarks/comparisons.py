"""Fifty arms on a thousand mice compared, and a thousand arms planned.

    python -m tests.benchmarks.comparisons [--mice 1000] [--arms 50]

The whole command is timed, with Snakemake and the start of every process, on two cores. Beside it
the intervals alone by ``scipy.stats.bootstrap``, one effect at a time, of which some are done and
the rest are counted from them; and the planning of a study of one arm.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

__all__ = ["main"]

STUDY = """\
study: {{name: bench, seed: 1}}
cohort: {{particles: {mice}, mice_per_particle: 1}}
experiment:
  timp1_vector: {{fold: 10, onset: 0 d}}
  challenge: {{route: intravenous, cells: 1e6 cells, day: 4 d}}
  readout: {{day: 11 d, end: 40 d}}
arms:
  high: {{label: TIMP-1 high}}
  pump:
    treatments:
      - {{drug: amd3100, method: pump, dose: 5 mg/kg, every: 24 h, start: 0 d, until: 11 d}}
{arms}
{sweeps}
comparisons: {{reference: high}}
power: {{experiments: 200}}
"""
ARM = """\
  dose{k}:
    treatments: [{{drug: amd3100, dose: {k} mg/kg, start: 0 d, every: 12 h, until: 11 d}}]
"""
SWEEP = """\
sweeps:
  many:
    arm: pump
    grid:
      treatments.pump_or_not.dose: [{doses}]
      treatments.pump_or_not.start: [{starts}]
""".replace("pump_or_not", "amd3100")
TRIED = 5
"""Effects that SciPy is asked for."""


def _spent(folder: Path, *words: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", *words],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    return time.perf_counter() - start


def _compared(mice: int, arms: int) -> None:
    text = "".join(ARM.format(k=k) for k in range(1, arms - 1))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study.yaml").write_text(STUDY.format(mice=mice, arms=text, sweeps=""))
        run = ("run", "study.yaml", "--cores", "2", "--until", "comparisons")
        first = _spent(folder, *run)
        shutil.rmtree(folder / "results" / "bench" / "comparisons")
        ours = _spent(folder, *run)
        table = pd.read_parquet(folder / "results" / "bench" / "comparisons" / "effects.parquet")
        outcomes = folder / "results" / "bench" / "simulations"
        high, arm = (
            np.concatenate(
                [
                    pd.read_parquet(f, columns=["foci"])["foci"].to_numpy(float)
                    for f in sorted((outcomes / n).glob("*.outcomes.parquet"))
                ]
            )
            for n in ("high", "pump")
        )
    start = time.perf_counter()
    for k in range(TRIED):
        bootstrap(
            (arm, high),
            lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis),
            paired=True,
            n_resamples=2000,
            method="percentile",
            rng=np.random.default_rng(k),
        )
    each = (time.perf_counter() - start) / TRIED
    print(
        f"{mice} mice x {arms} arms simulated and compared: {first:.1f} s; compared again, with "
        f"mice needed: {ours:.1f} s"
    )
    print(
        f"scipy.stats.bootstrap: {each:.3f} s an effect, {each * len(table):.0f} s for the "
        f"intervals of {len(table)} ratios alone: {each * len(table) / ours:.1f} times as long"
    )


def _planned(arms: int) -> None:
    doses = ", ".join(f"{k} mg/kg" for k in range(1, arms // 40 + 1))
    starts = ", ".join(f"{k / 4:g} d" for k in range(40))
    sweeps = SWEEP.format(doses=doses, starts=starts)
    spent: dict[int, list[float]] = {}
    for count, section in ((1, ""), (arms, sweeps)):
        with tempfile.TemporaryDirectory() as name:
            text = STUDY.format(mice=1000, arms="", sweeps=section)
            Path(name, "study.yaml").write_text(text)
            spent[count] = [
                _spent(Path(name), "check", "study.yaml"),
                _spent(Path(name), "run", "study.yaml", "--dry-run"),
            ]
    (check, dry), (check_one, dry_one) = spent[arms], spent[1]
    print(
        f"a sweep of {arms} arms: checked in {check:.1f} s, planned by a dry run in {dry:.1f} s; "
        f"{check / check_one:.1f} and {dry / dry_one:.1f} times a study without a sweep"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mice", type=int, default=1000)
    parser.add_argument("--arms", type=int, default=50)
    options = parser.parse_args()
    _compared(options.mice, options.arms)
    _planned(1000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
