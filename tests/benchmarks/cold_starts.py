"""Cold starts: does a run whose compiled code is not there yet give the same bytes every time?

    python -m tests.benchmarks.cold_starts [--starts 20]

One arm for each drug and one without, six jobs at once, and every time a new folder for compiled
code. Numba tells functions apart by a number that each process counts for itself, so two processes
that filled one cache could give one name to two functions (numba#10486, numba#5128). Exit code 1 if
a start differs from the first one, or a drug has no effect.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nichetrial.model.drugs import DRUGS

JOBS = 6

HEAD = """\
study: {name: cold, seed: 7}
cohort: {particles: 6, mice_per_particle: 2}
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 20 d}
comparisons: {reference: high}
arms:
  high: {label: TIMP-1-high}
"""


def main() -> int:
    """The command."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--starts", type=int, default=20)
    starts = ask.parse_args().starts
    seen: set[str] = set()
    wrong = 0
    for number in range(1, starts + 1):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            outcomes = _cold(Path(scratch))
        same = len(set(outcomes.values())) == len(outcomes)  # every arm differs from every other
        seen.add(repr(sorted(outcomes.items())))
        wrong += not same
        took = time.monotonic() - begun
        print(f"{number}: {len(outcomes)} arms, all different: {same}, {took:.0f} s", flush=True)
    print(
        f"{starts} cold starts, {len(seen)} different results, {wrong} with an arm without effect"
    )
    return int(len(seen) > 1 or wrong > 0)


def _cold(folder: Path) -> dict[str, str]:
    """Run in ``folder`` with nothing compiled: arm -> digest of its outcomes."""
    (folder / "config.yaml").write_text(_study(), encoding="utf-8")
    compiled = folder / "compiled"
    compiled.mkdir(mode=0o700)
    words = ["run", "--cores", str(JOBS), "--until", "simulations"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "nichetrial", *words],
        cwd=folder,
        env={**os.environ, "NUMBA_CACHE_DIR": str(compiled)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    tables = folder.glob("results/cold/simulations/*/*.outcomes.parquet")
    return {t.parent.name: hashlib.sha256(t.read_bytes()).hexdigest() for t in tables}


def _study() -> str:
    lines = [
        f"  {drug}: {{treatments: [{{drug: {drug}, dose: 5 mg/kg, start: 3 d, every: 24 h}}]}}"
        for drug in sorted(DRUGS)
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
