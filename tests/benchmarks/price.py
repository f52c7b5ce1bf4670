"""What equal bytes cost: the rates of a stage with other arithmetic, and mice that run with few.

    python -m tests.benchmarks.price     adds to results/bench/engine.json

The engine writes each fused multiply-add out, re-associates nothing and has its own exp and log.
Compared with: leave for the compiler to do what it likes, and the C library's exp and log. Times
are processor times of one core, the best of interleaved rounds.
"""

from __future__ import annotations

import inspect
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from nichetrial.engine import elementary, lanes
from nichetrial.engine.vector_width import wide
from nichetrial.study.load import load
from tests.benchmarks import record, setting
from tests.benchmarks.model import ours

ROUNDS, REPEATS = 25, 2000
FEW, MANY = 8, 1000


@njit(error_model="numpy", fastmath=True)
def _product_and_sum(a, b, c):
    return a * b + c


@njit(error_model="numpy")
def _exp(x):
    return math.exp(x)


@njit(error_model="numpy")
def _log(x):
    return math.log(x)


OWN: dict[str, Any] = {
    "fma": elementary.fma,
    "exp": elementary.exp,
    "log": elementary.log,
    "wide": wide,
}
VARIANTS: dict[str, tuple[bool, dict[str, Any]]] = {
    "as it is": (False, OWN),
    "fast mathematics": (True, OWN | {"fma": _product_and_sum}),
    "exp and log of the C library": (False, OWN | {"exp": _exp, "log": _log}),
}


def _rates(fastmath: bool, names: dict[str, Any]) -> Callable[..., None]:
    """A loop over ``lanes.evaluate``, compiled from its source with these functions."""
    source = inspect.getsource(lanes.evaluate.py_func)
    space = dict(names)
    exec(source[source.index("def ") :], space)  # noqa: S102 - the engine's own source
    compiled = njit(error_model="numpy", fastmath=fastmath)(space["evaluate"])

    @njit(error_model="numpy")
    def repeated(w, repeats):
        wide()
        for _ in range(repeats):
            compiled(w)

    return repeated


def _seconds(call: Callable[[], object]) -> float:
    start = time.thread_time()
    call()
    return time.thread_time() - start


def _arithmetic() -> dict[str, float]:
    """Variant -> nanoseconds for eight lanes."""
    w = np.random.default_rng(1).uniform(0.5, 1.5, lanes.SLOTS * 8)
    loops = {name: _rates(*variant) for name, variant in VARIANTS.items()}
    best = dict.fromkeys(loops, math.inf)
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            copy = w.copy()
            loop(copy, 1)
            took = _seconds(lambda loop=loop, copy=copy: loop(copy, REPEATS))
            best[name] = min(best[name], 1e9 * took / REPEATS)
    return best


def _company() -> dict[str, float]:
    """Number of mice -> microseconds a mouse, over all arms."""
    seed, cases, parameters = load(setting.STUDY).seed, setting.cases(), setting.mice(MANY)
    best = {FEW: math.inf, MANY: math.inf}
    for _ in range(3):
        few = sum(
            _seconds(lambda c=c, k=k: ours(c, parameters[k : k + FEW], seed))
            for c in cases
            for k in range(0, MANY, FEW)
        )
        many = sum(_seconds(lambda c=c: ours(c, parameters, seed)) for c in cases)
        best = {FEW: min(best[FEW], few), MANY: min(best[MANY], many)}
    return {str(n): 1e6 * seconds / MANY / len(cases) for n, seconds in best.items()}


def main() -> int:
    """The command."""
    rates, company = _arithmetic(), _company()
    for name, nanoseconds in rates.items():
        print(f"rates of a stage, eight lanes, {name}: {nanoseconds:.0f} ns")
    for n, microseconds in company.items():
        print(f"{n} mice at a time: {microseconds:.1f} microseconds each")
    record.add("price", {"nanoseconds": rates, "microseconds_a_mouse": company})
    return 0


if __name__ == "__main__":
    sys.exit(main())
