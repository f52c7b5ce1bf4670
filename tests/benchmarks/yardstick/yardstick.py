"""A hand-written C version of the engine's method against the engine: same states, and how fast.

    python -m tests.benchmarks.yardstick.yardstick     adds to results/bench/engine.json

Speeds are of one core, in processor time (a busy machine does not change it much), best of
interleaved rounds. Colonies are not in C: in the engine they are made to cost nothing, by an
outgrowth probability of almost 0 and a size from which colonies are visible that none reaches.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nichetrial.cohort.sample import sample
from nichetrial.engine import codegen, forcing, integrate
from nichetrial.engine.ensemble import MAX_STEPS, RTOL, STEPS_PER_EVENT, grid, run
from nichetrial.engine.kernels import PARAMETER_NAMES, STATE_NAMES
from nichetrial.study.load import load
from nichetrial.study.resolved import Arm
from nichetrial.trial.events import events, reading
from tests.benchmarks import record

__all__ = ["FLAGS", "NAME", "VERSION", "NotRun", "build", "main", "prepare"]

NAME = "C by hand: Rodas5P, 8 mice a vector"
FLAGS = {"-O3": ("-O3", "-fno-math-errno", "-fno-trapping-math"), "-Ofast": ("-Ofast",)}
"""Label -> options, besides those for this processor. -Ofast may take NaN for a number."""
COMMON = (
    *("-march=native", "-std=gnu11", "-shared", "-fPIC"),
    f"-DFLOORS={','.join(map(repr, codegen.FLOOR))}",
    f"-DWEIGHTS={','.join(map(repr, codegen.WEIGHT))}",
    *(
        f"-D{name}={getattr(module, name)!r}"
        for module, name in (
            (codegen, "NO_CELLS"),
            (integrate, "FIRST_STEP"),
            (integrate, "SMALLEST_STEP"),
            (forcing, "LONGEST_FIRST_STEP"),
            (forcing, "RISE_IN_FIRST_STEP"),
        )
    ),
)
"""The engine's settings are handed on, so that both do the same."""
HERE = Path(__file__).parent
CHECKED, TOLERANCE, FLOOR = 50, 1e-6, 1e-3
MICE, ROUNDS = 200, 9
Floats = NDArray[np.float64]
Solve = Callable[[int, Sequence[int], float], Floats]


class NotRun(RuntimeError):
    """Why there is nothing to compare with."""


class _Task(ctypes.Structure):
    """The C structure of the same name."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("events", "rows", "mice")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "times",
                "amounts",
                "kinds",
                "channels",
                "grid",
                "marks",
                "host",
                "parameters",
            )
        ),
        ("rtol", ctypes.c_double),
        ("most", ctypes.c_int64),
        ("courses", ctypes.c_void_p),
        ("steps", ctypes.c_void_p),
        ("attempts", ctypes.c_int64),
    ]


def _compiler() -> str:
    found = shutil.which("gcc")
    if found is None:
        raise NotRun("not run: no gcc")
    return found


@cache
def _version() -> str:
    try:
        done = subprocess.run(
            [_compiler(), "--version"], capture_output=True, text=True, check=True
        )
    except NotRun as why:
        return str(why)
    return done.stdout.splitlines()[0]


VERSION = _version()


@cache
def build(label: str = "-O3") -> ctypes.CDLL:
    """Compile for this machine and load. Raises NotRun where that is impossible."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Path(folder) / "rodas5p.so"
        command = [_compiler(), *FLAGS[label], *COMMON, str(HERE / "rodas5p.c"), "-o", str(library)]
        done = subprocess.run([*command, "-lm"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotRun(f"not run: gcc failed: {done.stderr.strip()[:300]}")
        return ctypes.CDLL(str(library))


def _integrate(library: ctypes.CDLL, arm: Arm, parameters: Floats, rtol: float):
    """States (mice, times, states), accepted steps (mice,), and steps of eight mice at once."""
    e, read = events(arm), reading(arm)
    days = grid(read)
    arrays = {
        "times": e.times,
        "amounts": e.amounts,
        "kinds": e.kinds,
        "channels": e.channels,
        "grid": days,
        "marks": np.array([read.challenge, read.day, read.end]),
        "host": np.array(arm.host.genes, dtype=np.float64),
        "parameters": np.ascontiguousarray(parameters),
        "courses": np.full((len(parameters), len(days), len(STATE_NAMES)), np.nan),
        "steps": np.zeros(len(parameters), np.int64),
    }
    task = _Task(
        events=len(e.times),
        rows=len(days),
        mice=len(parameters),
        rtol=rtol,
        most=MAX_STEPS + STEPS_PER_EVENT * len(e.times),
        **{name: array.ctypes.data for name, array in arrays.items()},
    )
    library.integrate(ctypes.byref(task))
    return arrays["courses"], arrays["steps"], int(task.attempts)


def prepare(arms: Sequence[Arm], parameters: Floats) -> Solve:
    """The interface of the peers: ``solve(number of the arm, mice, rtol)`` -> states."""
    library = build()

    def solve(number: int, mice: Sequence[int], rtol: float) -> Floats:
        return _integrate(library, arms[number], parameters[list(mice)], rtol)[0]

    return solve


def _engine(arm: Arm, parameters: Floats, seed: int, keep: int):
    host = arm.host.genes
    read = replace(reading(arm), visible=np.inf)
    return run(
        parameters, host, events(arm), read, seed=seed, mice=np.arange(len(parameters)), keep=keep
    )


def _seconds(call: Callable[[], object]) -> float:
    start = time.thread_time()
    call()
    return time.thread_time() - start


def _difference(library: ctypes.CDLL, arms: Sequence[Arm], parameters: Floats, seed: int) -> float:
    """Largest relative difference of any state, at any time of the grid, of any mouse and arm."""
    worst = 0.0
    for arm in arms:
        states, steps, _ = _integrate(library, arm, parameters, RTOL)
        engine = _engine(arm, parameters, seed, len(parameters))
        if (steps < 0).any():
            return float("inf")
        scale = np.maximum(np.abs(engine.courses), FLOOR)
        worst = max(worst, float(np.max(np.abs(states - engine.courses) / scale)))
    return worst


def measure(study_file: str, mice: int, rounds: int) -> dict[str, object]:
    """Difference and speeds, engine and C in turn. Raises NotRun."""
    libraries = {label: build(label) for label in FLAGS}
    study = load(study_file)
    frame = sample(
        seed=study.seed,
        first=0,
        last=max(mice, CHECKED) - 1,
        mice=1,
        overrides=study.cohort.overrides,
    ).mice
    frame["outgrowth_probability"] = 1e-12
    parameters = frame[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)
    difference = {
        label: _difference(library, study.arms, parameters[:CHECKED], study.seed)
        for label, library in libraries.items()
    }
    some = parameters[:mice]
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for arm in study.arms:
            of_arm = best.setdefault(arm.name, {})
            calls: dict[str, Callable[[], object]] = {
                "engine": lambda arm=arm: _engine(arm, some, study.seed, mice),
                **{
                    label: lambda arm=arm, library=library: _integrate(library, arm, some, RTOL)
                    for label, library in libraries.items()
                },
            }
            for name, call in calls.items():
                of_arm[name] = min(of_arm.get(name, np.inf), _seconds(call))
    seconds = {name: sum(b[name] for b in best.values()) for name in ("engine", *FLAGS)}
    return {
        "compiler": VERSION,
        "mice": mice,
        "largest_relative_difference": difference,
        "trajectories_per_second": {n: mice * len(best) / s for n, s in seconds.items()},
        "by_arm": {a: {n: mice / s for n, s in b.items()} for a, b in best.items()},
        "engine_over_c": {label: seconds[label] / seconds["engine"] for label in FLAGS},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="config.yaml")
    parser.add_argument("--mice", type=int, default=MICE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    try:
        result = measure(options.study, options.mice, options.rounds)
    except NotRun as why:
        print(why)
        return 0
    record.add("yardstick", result)
    for arm, speeds in result["by_arm"].items():
        print(f"{arm:20}", "  ".join(f"{name} {speed:8.0f}" for name, speed in speeds.items()))
    for label, ratio in result["engine_over_c"].items():
        difference = result["largest_relative_difference"][label]
        print(f"engine: {ratio:.2f} x C {label} (largest relative difference {difference:.1e})")
    return 0 if max(result["largest_relative_difference"].values()) <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
