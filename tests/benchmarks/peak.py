"""How near the engine comes to what the processor could do, and where the rest goes.

    python -m tests.benchmarks.peak     adds to results/bench/engine.json

Arithmetic is counted from the generated source: a fused multiply-add is 2, any other operation, a
comparison and a choice 1 each; divisions and square roots are listed apart and count 1. The peak is
that of independent fused multiply-adds in vectors, measured in the same run. Times are processor
times of one core, the best of interleaved rounds.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nichetrial.cohort.sample import sample
from nichetrial.engine import elementary, forcing, integrate, lanes
from nichetrial.engine.elementary import fma
from nichetrial.engine.ensemble import RTOL, run
from nichetrial.engine.integrate import TRACE, attempt
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.engine.vector_width import wide
from nichetrial.study.load import load
from nichetrial.study.resolved import Arm
from nichetrial.trial.events import events, reading
from tests.benchmarks import record

__all__ = ["arithmetic", "main", "measure"]

LANES = 8
STAGES = 8
MICE, ROUNDS, TRACED = 200, 15, 5
REPEATS = 500
Floats = NDArray[np.float64]
Count = Counter[str]


# --- counting --------------------------------------------------------------------------------


def _functions(module: ModuleType) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(module))
    return {f.name: f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}


_SOURCE = {m: _functions(m) for m in (elementary, lanes, forcing)}
_CHEAP = {"_bits", "_from_bits", "_shift_right", "range", "len"}
"""No arithmetic, or none of floating-point numbers."""


def _operations(node: ast.AST) -> Count:
    """Operations of an expression or statement on numbers of a lane; indices are not arithmetic."""
    here: Count = Counter()
    if isinstance(node, ast.Subscript):
        return here
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "fma":
            here["fma"] += 1
        elif name in ("exp", "log", "power"):
            here += arithmetic(elementary, name)
        elif name in ("max", "min", "abs"):
            here["other"] += 1
        elif name == "sqrt":
            here["root"] += 1
        elif name not in _CHEAP:
            raise ValueError(f"what does {name} cost?")
    elif isinstance(node, ast.BinOp):
        here["division" if isinstance(node.op, ast.Div) else "other"] += 1
    elif isinstance(node, ast.AugAssign | ast.Compare | ast.IfExp):
        here["other"] += 1
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef):
            here += _operations(child)
    return here


def arithmetic(module: ModuleType, name: str) -> Count:
    """Operations of a function for one lane, its loops over lanes and states included.

    Loops run over the lanes, or over lanes and more: their literal length, in units of LANES. A
    choice at compile time between two ways counts both: in ``forcing`` this is for the few
    operations by which the two antibodies against Ly6G differ.
    """
    total: Count = Counter()
    for statement in _SOURCE[module][name].body:
        times = 1
        if isinstance(statement, ast.For):
            end = statement.iter.args[0] if isinstance(statement.iter, ast.Call) else None
            if isinstance(end, ast.Constant) and isinstance(end.value, int):
                times = end.value // LANES
        for operation, count in _operations_of(statement).items():
            total[operation] += times * count
    return total


def _operations_of(statement: ast.stmt) -> Count:
    if isinstance(statement, ast.Expr):  # a docstring, or a call that is counted by itself
        return Counter()
    if isinstance(statement, ast.For):
        return sum((_operations_of(s) for s in statement.body), Counter())
    return _operations(statement)


def _of_inputs(on: NDArray[np.bool_]) -> tuple[Count, Count]:
    """Operations of the inputs at the start of a step and within it, for these switches."""
    at_start, within = Counter(), Counter()
    drugs = np.flatnonzero(on[: len(forcing.CHANNELS)])
    nested = {"at_start": [], "in_step": []}
    for node in ast.walk(ast.parse(inspect.getsource(forcing))):
        if isinstance(node, ast.FunctionDef) and node.name in nested:
            nested[node.name].append(sum((_operations_of(s) for s in node.body), Counter()))
    for j in drugs:
        antibody = forcing.CHANNELS[j].startswith("anti_ly6g")
        at_start += nested["at_start"][0] + (nested["at_start"][1] if antibody else Counter())
        within += nested["in_step"][0] + (nested["in_step"][1] if antibody else Counter())
    if on[forcing.VECTOR_ON]:
        at_start += arithmetic(forcing, "_vector_start")
        within += arithmetic(forcing, "_vector")
    if on[forcing.TUMOUR_ON]:
        at_start += arithmetic(forcing, "_tumour") + arithmetic(lanes, "ease_in_state")
        within += arithmetic(forcing, "_tumour") + arithmetic(lanes, "ease_in_stage")
    return at_start, within


def _flops(count: Mapping[str, int]) -> int:
    return 2 * count.get("fma", 0) + sum(n for name, n in count.items() if name != "fma")


# --- measuring -------------------------------------------------------------------------------

CALLS = {
    "start": "forcing.start(w, on, n)",
    "begin": "lanes.begin(w)",
    "stages": "; ".join(f"lanes.stage_{k}(w)" for k in range(1, STAGES)),
    "within": "forcing.within(w, on, n)",
    "evaluate": "lanes.evaluate(w)",
    "finish": f"lanes.finish(w, {RTOL!r})",
    "end": "forcing.end(w, on, n)",
    "attempt": f"attempt(w, on, n, {RTOL!r})",
}
"""Part -> what is called again and again; each is compiled into a loop of its own."""
TIMES = {"within": STAGES - 3, "evaluate": STAGES - 1}
"""How often in a step, where more than once; the last two stages are at the time of the third."""


def _repeated(call: str) -> Callable[..., None]:
    head = "def repeated(w, on, n, repeats):\n    wide()\n"
    text = f"{head}    for _ in range(repeats):\n        {call}\n"
    names: dict[str, object] = {
        "lanes": lanes,
        "forcing": forcing,
        "attempt": attempt,
        "wide": wide,
    }
    exec(text, names)  # noqa: S102 - the texts are those above
    return njit(error_model="numpy")(names["repeated"])


@njit(error_model="numpy")
def _multiply_adds(x, repeats):
    """Chains of eight; as many side by side as hide the latency."""
    wide()
    for _ in range(repeats):
        for i in range(x.shape[0]):
            a = x[i]
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            a = fma(a, 0.999, 0.001)
            x[i] = a


def _seconds(call: Callable[[], object]) -> float:
    start = time.thread_time()
    call()
    return time.thread_time() - start


def _aligned(size: int) -> Floats:
    """As the engine allocates: no vector lies across two lines of the cache."""
    room = np.zeros(size + 8)
    return room[(-room.ctypes.data % 64) // 8 :][:size]


def _in_flight(arm: Arm, parameters: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """A workspace with eight mice some steps after day 0, and the switches of the inputs."""
    e, host = events(arm), np.array(arm.host.genes)
    w, on = _aligned(forcing.SLOTS * LANES), np.empty(forcing.TUMOUR_ON + 1, np.bool_)
    forcing.acting(e.kinds, e.channels, on)
    q, y = np.empty(integrate.CONSTANT_COUNT), np.empty(len(integrate.STATE_NAMES))
    for i in range(LANES):
        integrate._enter(w, i, parameters[i], host, True, q, y)
        for k in np.flatnonzero(e.times <= 0.0):
            forcing.give(w, i, e.kinds[k], e.channels[k], e.amounts[k], parameters[i])
        w[LANES * lanes.STOP + i] = 1e9
    for _ in range(12):
        attempt(w, on, LANES, RTOL)
    return w, on


def _run(arm: Arm, parameters: Floats, trace: Floats | None = None):
    """Colonies cost nothing here: none grows, and none could be seen."""
    host = arm.host.genes
    read = replace(reading(arm), visible=np.inf)
    return run(
        parameters, host, events(arm), read, seed=1, mice=np.arange(len(parameters)), trace=trace
    )


def _attempts_per_step(arm: Arm, parameters: Floats) -> float:
    attempts = accepted = 0
    for k in range(TRACED):
        trace = np.full((50_000, len(TRACE)), np.nan)
        _run(arm, parameters[k : k + 1], trace)
        there = np.isfinite(trace[:, 0])
        attempts += int(there.sum())
        accepted += int((trace[there, TRACE.index("accepted")] != 0.0).sum())
    return attempts / accepted


def _counts(on: NDArray[np.bool_]) -> dict[str, Count]:
    at_start, within = _of_inputs(on)
    stages = sum((arithmetic(lanes, f"stage_{k}") for k in range(1, STAGES)), Counter())
    ease = arithmetic(lanes, "ease_in_stage") if on[forcing.TUMOUR_ON] else Counter()
    rates = sum((arithmetic(lanes, "evaluate") for _ in range(STAGES - 1)), Counter())
    return {
        "start": at_start,
        "begin": arithmetic(lanes, "begin"),
        "stages": stages,
        "within": Counter({name: TIMES["within"] * n for name, n in within.items()}) + ease + ease,
        "evaluate": rates,
        "finish": arithmetic(lanes, "finish"),
    }


def measure(study_file: str, mice: int, rounds: int) -> dict[str, object]:
    """Peak, and for each arm what is reached and where the time of a step goes."""
    study = load(study_file)
    frame = sample(
        seed=study.seed, first=0, last=mice - 1, mice=1, overrides=study.cohort.overrides
    ).mice
    frame["outgrowth_probability"] = 1e-12
    parameters = frame[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)
    loops = {part: _repeated(call) for part, call in CALLS.items()}
    arms = {arm.name: (arm, *_in_flight(arm, parameters)) for arm in study.arms}
    per_step = {name: _attempts_per_step(a[0], parameters) for name, a in arms.items()}
    attempts = {
        name: float(_run(a[0], parameters).steps.sum()) * per_step[name] for name, a in arms.items()
    }
    x = np.ones(1024)
    _multiply_adds(x, 1)
    peak, best = np.inf, {name: dict.fromkeys([*CALLS, "run"], np.inf) for name in arms}
    for _ in range(rounds):
        peak = min(peak, _seconds(lambda: _multiply_adds(x, 4000)))
        for name, (arm, w, on) in arms.items():
            of_arm = best[name]
            of_arm["run"] = min(of_arm["run"], _seconds(lambda arm=arm: _run(arm, parameters)))
            for part, loop in loops.items():
                copy = _aligned(len(w))
                copy[:] = w
                loop(copy, on, LANES, 1)
                took = _seconds(lambda loop=loop, v=copy, on=on: loop(v, on, LANES, REPEATS))
                of_arm[part] = min(of_arm[part], took / REPEATS)
    gflops = 16.0 * 1024 * 4000 / peak / 1e9
    return {
        "peak_gflops": gflops,
        "arms": {
            name: _of_arm(
                best[name], _counts(arms[name][2]), attempts[name], per_step[name], gflops
            )
            for name in arms
        },
    }


def _of_arm(
    best: Mapping[str, float],
    counts: Mapping[str, Count],
    attempts: float,
    per_step: float,
    gflops: float,
) -> dict[str, object]:
    total: Count = sum(counts.values(), Counter())
    flops = _flops(total)
    vector = LANES * best["run"] / attempts
    parts = {part: TIMES.get(part, 1) * best[part] for part in CALLS if part != "attempt"}
    parts["joining"] = best["attempt"] - sum(parts.values())
    parts["rest"] = vector - best["attempt"]
    return {
        "attempts_per_step": per_step,
        "attempts_per_second": attempts / best["run"],
        "flops_per_attempt": flops,
        "divisions_per_attempt": total["division"],
        "gflops": flops * attempts / best["run"] / 1e9,
        "share_of_peak": flops * attempts / best["run"] / 1e9 / gflops,
        "share_of_peak_in_a_step": flops * LANES / best["attempt"] / 1e9 / gflops,
        "nanoseconds": {part: 1e9 * seconds for part, seconds in parts.items()},
        "share_of_peak_by_part": {
            part: _flops(count) * LANES / parts[part] / 1e9 / gflops
            for part, count in counts.items()
        },
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="config.yaml")
    parser.add_argument("--mice", type=int, default=MICE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    result = measure(options.study, options.mice, options.rounds)
    print(f"peak: {result['peak_gflops']:.1f} Gflop/s, multiply-adds in vectors")
    for name, arm in result["arms"].items():
        print(
            f"{name:20} {arm['attempts_per_second'] / 1e6:5.2f} M attempts/s "
            f"({arm['attempts_per_step']:.2f} a step), {arm['flops_per_attempt']} flop, "
            f"of them {arm['divisions_per_attempt']} divisions: {arm['gflops']:.1f} Gflop/s, "
            f"{arm['share_of_peak']:.0%} of peak, {arm['share_of_peak_in_a_step']:.0%} in a step"
        )
        shares = arm["share_of_peak_by_part"]
        print(
            "   ns of eight lanes:",
            ", ".join(
                f"{part} {ns:.0f}" + (f" ({shares[part]:.0%})" if part in shares else "")
                for part, ns in arm["nanoseconds"].items()
            ),
        )
    record.add("peak", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
