"""Colonies read out a second, on one core, draws included.

    python -m tests.benchmarks.colonies     adds to results/bench/engine.json

Processor time, since the machine may be busy. A colony counts once, whatever is worked out of it:
draws, founding time, rate, size on two days, class, first detectable day, and with "lethal" the
search for the day of lethal burden.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numba import njit

from nichetrial.engine.colonies import BINS, expected_visible, read_out
from nichetrial.engine.kernels import PARAMETER_NAMES
from tests.benchmarks import record
from tests.support.mice import SEED

COLONIES, ROUNDS = (20, 50, 200, 500, 2000), 9
ROWS, CHALLENGE, DAY, END, TAU = 250, 4.0, 11.0, 40.0, 1.7


def course(founders: float) -> np.ndarray:
    """Steps of an integrator: dense after the challenge, up to a day at the end."""
    t = np.append(0.0, CHALLENGE + (END - CHALLENGE) * np.linspace(0, 1, ROWS - 1) ** 2)
    left = np.exp(-np.maximum(t - CHALLENGE, 0.0) / TAU)
    slope = np.where(t < CHALLENGE, 0.0, founders / TAU * left)
    return np.column_stack([t, founders * (1.0 - left), slope])


def parameters() -> np.ndarray:
    p = np.zeros(len(PARAMETER_NAMES))
    for name, value in (
        ("outgrowth_probability", 0.06),
        ("colony_doubling", 0.8),
        ("colony_plateau", 1e8),
        ("colony_spread", 0.2),
    ):
        p[PARAMETER_NAMES.index(name)] = value
    return p


@njit
def many(steps, p, seed, first, mice, lethal, bins):
    """Colonies of so many mice by the read-out; the last few founded later are not counted."""
    colonies = 0
    for mouse in range(first, first + mice):
        colonies += read_out(
            steps, steps.shape[0], p, seed, mouse, DAY, END, 100.0, 65000.0, lethal, bins
        )[1]
    return colonies


@njit
def means(steps, p, times):
    total = 0.0
    for k in range(times):
        total += expected_visible(steps, steps.shape[0], p, DAY + 1e-9 * k, 100.0)
    return total


def main() -> int:
    p, key, bins = parameters(), np.uint64(SEED), np.zeros(BINS, np.int64)
    speeds: dict[str, float] = {}
    for lethal, name in ((1e300, ""), (5e8, ", lethal")):
        done, spent = 0.0, 0.0
        for n in COLONIES:
            steps, mice = course(n / 0.06), 200_000 // n
            many(steps, p, key, 0, 1, lethal, bins)
            best = 0.0
            for k in range(ROUNDS):
                start = time.process_time()
                colonies = many(steps, p, key, k * mice, mice, lethal, bins)
                best = max(best, colonies / (time.process_time() - start))
            speeds[f"{n} a mouse{name}"] = best / 1e6
            done, spent = done + 1.0, spent + 1.0 / best
        speeds[f"all{name}"] = done / spent / 1e6
    steps, best = course(1000.0), np.inf
    means(steps, p, 1)
    for _ in range(ROUNDS):
        start = time.process_time()
        means(steps, p, 1000)
        best = min(best, (time.process_time() - start) / 1000)
    for name, speed in speeds.items():
        print(f"{speed:6.1f} million colonies a second ({name})")
    print(f"{1e6 * best:6.1f} microseconds for the expected foci of a mouse ({ROWS} steps)")
    record.add("colonies", {"million_a_second": speeds, "expected_foci_microseconds": 1e6 * best})
    return 0


if __name__ == "__main__":
    sys.exit(main())
