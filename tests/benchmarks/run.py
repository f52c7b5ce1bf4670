"""The engine against its peers on the default study, interleaved in one run, as ratios.

    python -m tests.benchmarks.run [--rounds N] [--peers a,b] [--mice N] [--rtol X]

One core. Every peer at its fastest settings with an error of at most 1e-5 (see tune.py), and all
states at the engine's output times from each, as from the engine; no peer simulates colonies, so
that the engine is also timed without them. Compilation is not counted, what is done for each mouse
is. Writes results/bench/engine.json and engine.png.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.machine import machine, one_core, versions

__all__ = ["main"]

OURS, WHOLE = "nichetrial", "nichetrial with its colonies"
MICE, PEERS_MICE = 1000, 200
TARGET = Path("results/bench/engine.json")
OUR_PACKAGES = ("numpy", "numba", "llvmlite")


@dataclass
class Contender:
    """One way to integrate the mice of all arms."""

    label: str
    mice: int
    solve: Callable[[int, Sequence[int]], object]
    seconds: list[float] = field(default_factory=list)
    error: float = 0.0


def _contenders(names: Sequence[str], mice: int, rounds: int, rtol: float) -> tuple[
    list[Contender], dict[str, str], list[str]
]:  # fmt: skip
    """All that can run, why others cannot, and the packages of those that can."""
    from nichetrial.study.load import load
    from tests.benchmarks import setting
    from tests.benchmarks.model import ours

    cases, seed = setting.cases(), load(setting.STUDY).seed
    parameters = setting.mice(mice)

    def own(colonies: bool) -> Callable[[int, Sequence[int]], object]:
        return lambda number, which: ours(
            cases[number], parameters[list(which)], seed, rtol=rtol, colonies=colonies
        )

    found = [Contender(OURS, mice, own(False)), Contender(WHOLE, mice, own(True))]
    missing: dict[str, str] = {}
    packages = list(OUR_PACKAGES)
    for name in names:
        try:
            peer = importlib.import_module(f"tests.benchmarks.peers.{name}")
        except ImportError as reason:
            missing[name] = f"not installed ({reason})"
            continue
        each = min(peer.MICE, mice, PEERS_MICE)
        try:
            with setting.quiet():
                solve = peer.prepare(cases, setting.mice(min(mice, each * rounds, PEERS_MICE)))
        except Exception as reason:  # a peer that cannot be built must not end the benchmark
            missing[name] = f"cannot be prepared ({type(reason).__name__}: {reason})"
            continue
        packages += peer.PACKAGES
        for label, settings in peer.TUNED.items():
            found.append(
                Contender(
                    f"{peer.NAME} {label}",
                    each,
                    lambda k, which, solve=solve, settings=settings: solve(k, which, settings),
                )
            )
    return found, missing, packages


def _limit(contender: Contender, mice: int, rounds: int) -> int:
    """How many mice it sees in all rounds; for the peers, those that they were tuned on."""
    return mice if contender.label in (OURS, WHOLE) else min(PEERS_MICE, contender.mice * rounds)


def _round(contender: Contender, first: int, arms: int, limit: int, *, timed: bool) -> None:
    """All arms of the mice from ``first`` on; a peer that is slow sees new mice in each round."""
    from tests.benchmarks import setting

    which = [(first + k) % limit for k in range(contender.mice)]
    start = time.perf_counter()
    with setting.quiet():
        got = [contender.solve(number, which) for number in range(arms)]
    if timed:
        contender.seconds.append(time.perf_counter() - start)
    for number, states in enumerate(got):
        reference = setting.exact(number, limit)[which]
        contender.error = max(contender.error, setting.error(states, reference))


def _plot(speeds: dict[str, float], ratios: dict[str, float], error: float, target: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    from nichetrial.figures.style import ACCENT, GREY, save, styled

    @styled
    def draw() -> Figure:
        names = sorted(speeds, key=speeds.__getitem__)
        figure = Figure(figsize=(6.5, 0.8 + 0.27 * len(names)))
        axes = figure.add_subplot()
        colours = [GREY if name in ratios else ACCENT for name in names]
        axes.barh(range(len(names)), [speeds[n] for n in names], color=colours, height=0.7)
        axes.set_yticks(range(len(names)), labels=names)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        for place, name in enumerate(names):
            times = f"  ({ratios[name]:.3g} times slower)" if name in ratios else ""
            axes.annotate(
                f" {speeds[name]:,.0f}{times}", (speeds[name], place), va="center", fontsize=7.5
            )
        axes.set_xlim(min(speeds.values()) / 3, max(speeds.values()) * 4)
        axes.set_xlabel(
            f"trajectories a second on one core (largest relative error of any state: {error:.0e})"
        )
        axes.grid(axis="x")
        return figure

    save(draw(), target, ("png",), 150)


def main() -> int:
    """The command."""
    core = one_core()
    from nichetrial.engine.ensemble import RTOL
    from tests.benchmarks import setting
    from tests.benchmarks.peers import LIMIT, NAMES, ROUNDS

    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=ROUNDS)
    ask.add_argument("--peers", default=",".join(NAMES), help="with commas between them; '' none")
    ask.add_argument("--mice", type=int, default=MICE, help="of each arm for the engine; at most "
                     "as many for a peer")  # fmt: skip
    ask.add_argument("--rtol", type=float, default=RTOL, help="of the engine; its own")
    said = ask.parse_args()
    names = [name for name in said.peers.split(",") if name]
    if unknown := set(names) - set(NAMES):
        ask.error(f"unknown peers {sorted(unknown)}; known are {', '.join(NAMES)}")

    print("preparing and compiling", flush=True)
    contenders, missing, packages = _contenders(names, said.mice, said.rounds, said.rtol)
    arms, started = len(setting.cases()), machine()
    for contender in list(contenders):
        limit = _limit(contender, said.mice, said.rounds)
        try:
            _round(contender, 0, arms, limit, timed=False)
        except Exception as reason:  # as above
            if contender.label in (OURS, WHOLE):
                raise
            missing[contender.label] = f"{type(reason).__name__}: {reason}"
            contenders.remove(contender)
    for number in range(said.rounds):
        print(f"round {number + 1} of {said.rounds}", flush=True)
        for contender in contenders:
            limit = _limit(contender, said.mice, said.rounds)
            _round(contender, number * contender.mice, arms, limit, timed=True)

    speeds = {c.label: arms * c.mice / statistics.median(c.seconds) for c in contenders}
    errors = {c.label: c.error for c in contenders}
    mine = contenders[0]  # rounds are compared one by one: the machine changes less within a round
    ratios = {
        c.label: statistics.median(
            theirs / c.mice / (own / mine.mice)
            for own, theirs in zip(mine.seconds, c.seconds, strict=True)
        )
        for c in contenders[2:]
    }
    spread = {
        c.label: [arms * c.mice / max(c.seconds), arms * c.mice / min(c.seconds)]
        for c in contenders
    }
    result = {
        "what": "all states of the default study's arms at the engine's output times, one core",
        "arms": [c.arm.name for c in setting.cases()],
        "mice": {c.label: c.mice for c in contenders},
        "rounds": said.rounds,
        "rtol": said.rtol,
        "error_limit": LIMIT,
        "trajectories_per_second": speeds,
        "spread": spread,
        "largest_relative_error": errors,
        "ratios": ratios,
        "not_run": missing,
        "machine": started | {"core": core},
        "versions": versions(packages),
    }
    from nichetrial.tables import atomic

    with atomic(TARGET) as part:
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _plot(speeds, ratios, max(errors.values()), TARGET.with_suffix(""))
    width = max(map(len, speeds))
    print(f"{'':{width}} {'per s':>9} {'ours is':>9} {'error':>9}")
    for name in sorted(speeds, key=speeds.__getitem__, reverse=True):
        times = f"{ratios[name]:.1f} x" if name in ratios else ""
        print(f"{name:{width}} {speeds[name]:9.1f} {times:>9} {errors[name]:9.1e}"
              + ("  over the limit" if errors[name] > LIMIT else ""))  # fmt: skip
    for name, reason in missing.items():
        print(f"{name}: {reason.splitlines()[0]}")
    print(f"written: {TARGET} and {TARGET.with_suffix('.png')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
