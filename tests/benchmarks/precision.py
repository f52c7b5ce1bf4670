"""Work against precision: how fast each contender is at which error.

    python -m tests.benchmarks.precision [--peers a,b]

One core, and each contender's tuned method at a row of relative tolerances; one round of mice, the
better of two runs. The speed at an error of 1e-4, 1e-5 and 1e-6 is read off the line between the
points. Adds to results/bench/engine.json, and draws results/bench/precision.png.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time

from tests.benchmarks.machine import one_core

MICE, RUNS = 200, 2
STEPS = range(-4, 5)
"""Tolerances, as steps of half a decade looser (below 0) or tighter than the tuned one."""
ERRORS = (1e-4, 1e-5, 1e-6)


def speed_at(points: list[tuple[float, float]], error: float) -> float | None:
    """The fastest speed (error, speed) on the lines between neighbours; None outside of them."""
    best = None
    ordered = sorted(points)
    for (low, fast), (high, faster) in itertools.pairwise(ordered):
        if low <= error <= high and low < high:
            share = math.log(error / low) / math.log(high / low)
            speed = math.exp((1 - share) * math.log(fast) + share * math.log(faster))
            best = max(speed, best or 0.0)
    return best


def main() -> int:
    """The command."""
    one_core()  # before anything starts threads
    from nichetrial.engine.ensemble import RTOL
    from tests.benchmarks import contenders, plots, record, setting
    from tests.benchmarks.peers import NAMES

    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--peers", default=",".join(NAMES), help="with commas between them; '' none")
    said = ask.parse_args()
    found = contenders.find([n for n in said.peers.split(",") if n], MICE, 2, RTOL)
    arms = range(len(setting.cases()))
    lines: dict[str, list[tuple[float, float]]] = {}
    for c in found.contenders:
        if c.label == contenders.WHOLE:
            continue
        points = []
        for step in STEPS:
            rtol, best, error = c.rtol * 10 ** (-step / 2), math.inf, 0.0
            try:
                for _ in range(RUNS):
                    took = 0.0
                    for k in arms:
                        with setting.quiet():
                            start = time.perf_counter()
                            which, states = contenders.solve(c, k, 0, rtol)
                            took += time.perf_counter() - start
                        known = setting.exact(k, c.limit)[which]
                        error = max(error, setting.error(states, known))
                    best = min(best, took)
            except Exception as reason:  # a solver may give up at tolerances it was not tuned to
                print(f"{c.label} at {rtol:.1e}: {type(reason).__name__}")
                continue
            if math.isfinite(error):
                points.append((error, len(arms) * c.mice / best))
        lines[c.label] = points
        speeds = [speed_at(points, error) for error in ERRORS]
        print(
            f"{c.label:34}",
            "  ".join(
                f"{error:.0e}: " + ("-" if s is None else f"{s:8.1f}/s")
                for error, s in zip(ERRORS, speeds, strict=True)
            ),
            flush=True,
        )
    record.add(
        "precision",
        {
            "mice": {c.label: c.mice for c in found.contenders if c.label in lines},
            "error_and_trajectories_per_second": lines,
            "trajectories_per_second_at": {
                f"{error:.0e}": {name: speed_at(points, error) for name, points in lines.items()}
                for error in ERRORS
            },
        },
    )
    plots.precision(lines, ERRORS, record.TARGET.with_name("precision"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
