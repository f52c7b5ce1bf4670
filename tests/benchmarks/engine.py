"""Engine against SciPy's LSODA on this project's model, interleaved in one run, as a ratio.

    python -m tests.benchmarks.engine     writes results/bench/engine.json

The peer gets the same compiled right-hand side with closed-form drugs, and restarts at each event.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from nichetrial.engine import forcing, kernels
from nichetrial.engine.ensemble import run
from nichetrial.engine.rodas import GRID, host_steady_state
from nichetrial.study.resolved import Arm
from nichetrial.tables import atomic
from nichetrial.trial.events import events, reading
from tests.mice import ARMS, SEED, cohort

BENCH_ARMS = ("untreated", "timp1_high", "amd3100", "anti_ly6g", "mmp_inhibitor")
PEER_MICE, OUR_MICE, ROUNDS = 2, 100, 3
STATES = len(kernels.STATE_NAMES)
PEER_RTOL = 1e-8
"""The loosest power of ten at which the peer's error is not above the engine's."""


def ours(a: Arm, p: np.ndarray, keep: int = 0, rtol: float = 1e-6) -> np.ndarray:
    host = (a.host.timp1, a.host.cd63, a.host.mmp9)
    mice = np.arange(len(p))
    return run(p, host, events(a), reading(a), seed=SEED, mice=mice, keep=keep, rtol=rtol).courses


def peer(a: Arm, p: np.ndarray) -> np.ndarray:
    """States on the grid of one mouse, by LSODA."""
    e, end = events(a), a.readout.end
    host = np.array([a.host.timp1, a.host.cd63, a.host.mmp9])
    c, kin, y = np.empty(kernels.CONSTANT_COUNT), np.empty((5, 6)), np.empty(STATES)
    kernels.constants(p, host, c)
    forcing.kinetics(p, kin)
    host_steady_state(p, host, c, y)
    s = forcing.new_forcing()
    u, du, dy = np.empty(8), np.empty(8), np.empty(STATES)

    def rhs(t, y):
        forcing.inputs(s, t, p, kin, u, du)
        kernels.rates(y, u, p, host, c, dy)
        return dy

    grid = np.arange(int(end / GRID) + 1) * GRID
    out = np.empty((len(grid), STATES))
    for low, high in pairwise(sorted({0.0, end, *e.times})):
        for k in np.flatnonzero(e.times == low):
            forcing.give(s, low, e.kinds[k], e.channels[k], e.amounts[k], kin, y)
        at = grid[(grid > low) & (grid <= high)]
        out[np.flatnonzero(grid == low)] = y
        solved = solve_ivp(rhs, (low, high), y, method="LSODA", rtol=PEER_RTOL,
                           atol=PEER_RTOL * 1e-3, t_eval=np.union1d(at, [high]))  # fmt: skip
        out[np.isin(grid, at)] = solved.y.T[: len(at)]
        y = solved.y[:, -1].copy()
    out[-1] = y
    return out


def error(got: np.ndarray, exact: np.ndarray) -> float:
    """Largest relative error of the states that matter at that time (not below 1e-3)."""
    return float(np.max(np.abs(got - exact) / np.maximum(np.abs(exact), 1e-3)))


def main() -> int:
    p = cohort(OUR_MICE)[list(kernels.PARAMETER_NAMES)].to_numpy(dtype=np.float64)
    errors: dict[str, float] = {"nichetrial": 0.0, "scipy solve_ivp LSODA": 0.0}
    for name in BENCH_ARMS:
        a = ARMS[name]
        rows = int(a.readout.end / GRID) + 1
        exact = ours(a, p[:PEER_MICE], PEER_MICE, 1e-11)[:, :rows]
        got = ours(a, p[:PEER_MICE], PEER_MICE)[:, :rows]
        errors["nichetrial"] = max(errors["nichetrial"], error(got, exact))
        theirs = np.array([peer(a, x) for x in p[:PEER_MICE]])
        worst = max(errors["scipy solve_ivp LSODA"], error(theirs, exact))
        errors["scipy solve_ivp LSODA"] = worst
    speeds: dict[str, list[float]] = {name: [] for name in errors}
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for name in BENCH_ARMS:
            ours(ARMS[name], p)
        speeds["nichetrial"].append(len(BENCH_ARMS) * OUR_MICE / (time.perf_counter() - start))
        start = time.perf_counter()
        for name in BENCH_ARMS:
            for x in p[:PEER_MICE]:
                peer(ARMS[name], x)
        speeds["scipy solve_ivp LSODA"].append(
            len(BENCH_ARMS) * PEER_MICE / (time.perf_counter() - start)
        )
    median = {name: statistics.median(v) for name, v in speeds.items()}
    result = {
        "arms": BENCH_ARMS,
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
        "trajectories_per_second": median,
        "largest_relative_error": errors,
        "ratios": {
            name: median["nichetrial"] / v for name, v in median.items() if name != "nichetrial"
        },
    }
    target = Path("results/bench/engine.json")
    with atomic(target) as part:
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, ratio in result["ratios"].items():
        print(f"{ratio:.1f} x {name} ({median['nichetrial']:.0f} against {median[name]:.0f} "
              f"trajectories a second; largest relative error {errors['nichetrial']:.1e} "
              f"against {errors[name]:.1e})")  # fmt: skip
    print(f"written: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
