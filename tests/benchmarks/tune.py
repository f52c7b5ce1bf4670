"""Find the fastest settings of a peer that keep its error within the limit.

    python -m tests.benchmarks.tune PEER [--methods a,b] [--mice N] [--arms N]

For each method and each absolute tolerance, the loosest relative tolerance on a grid of eighths of
a decade at which the error of every arm is within the limit; then its speed. What is fastest goes
into TUNED of the peer's module by hand.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import replace

from tests.benchmarks.peers import LIMIT, NAMES, ROUNDS, Settings, Solve
from tests.benchmarks.setting import cases, error, exact, mice, quiet

__all__ = ["main"]

LOOSEST, TIGHTEST = 28, 92
"""Relative tolerances to try, as minus eight times their decimal logarithm."""
FLOORS = (1e-2, 1e-3)
"""Absolute over relative tolerance; 0.1 and 1e-4 gained nothing beyond the noise of timing."""


def _worst(solve: Solve, arms: int, n: int, settings: Settings, give_up: float) -> float:
    """Largest error over the arms, or of the first arms if it is beyond ``give_up``."""
    worst = 0.0
    for number in sorted(range(arms), key=lambda i: -len(cases()[i].times)):
        got = solve(number, range(n), settings)
        worst = max(worst, error(got, exact(number, n)))
        if worst > give_up:
            break
    return worst


def _loosest(solve: Solve, arms: int, n: int, settings: Settings) -> tuple[Settings, float] | None:
    """Settings with the loosest relative tolerance that is good enough, and their error."""
    low, high, found = LOOSEST, TIGHTEST, None
    while low < high:  # a few mice first: most of the range is far from the limit
        middle = (low + high) // 2
        few = _worst(solve, arms, min(n, 2), replace(settings, rtol=10 ** (-middle / 8)), LIMIT)
        low, high = (low, middle) if few <= LIMIT else (middle + 1, high)
    for step in range(low, min(low + 12, TIGHTEST)):
        found = replace(settings, rtol=10 ** (-step / 8))
        worst = _worst(solve, arms, n, found, LIMIT)
        if worst <= LIMIT:
            return found, worst
    return None


def _speed(solve: Solve, arms: int, n: int, settings: Settings) -> float:
    """Trajectories a second, the better of two runs."""
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        for number in range(arms):
            solve(number, range(n), settings)
        best = min(best, time.perf_counter() - start)
    return arms * n / best


def main() -> int:
    """The command."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("peer", choices=NAMES)
    ask.add_argument("--methods", help="with commas between them; all of the peer's")
    ask.add_argument("--mice", type=int, help="of each arm; all of the benchmark")
    ask.add_argument("--arms", type=int, default=len(cases()), help="the first so many")
    said = ask.parse_args()
    peer = importlib.import_module(f"tests.benchmarks.peers.{said.peer}")
    n = said.mice or ROUNDS * peer.MICE
    arms = min(said.arms, len(cases()))
    with quiet():
        solve = peer.prepare(cases(), mice(n))
    wanted = said.methods.split(",") if said.methods else [s.method for s in peer.CANDIDATES]
    print(
        f"{n} mice, {arms} arms\n{'method':20} {'longest step':>12} {'floor':>7} {'rtol':>9} "
        f"{'error':>9} {'per s':>9}"
    )
    for trial in (s for s in peer.CANDIDATES if s.method in wanted):
        for floor in FLOORS:
            with quiet():
                found = _loosest(solve, arms, n, replace(trial, floor=floor))
            line = f"{trial.method:20} {trial.step:12.3g} {floor:7.0e} "
            if found is not None:
                settings, worst = found
                with quiet():
                    speed = _speed(solve, arms, n, settings)
                line += f"{settings.rtol:9.2e} {worst:9.1e} {speed:9.1f}"
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
