"""The engine against its peers on the default study, interleaved in one run, as ratios.

    python -m tests.benchmarks.run [--rounds N] [--peers a,b] [--mice N] [--rtol X]

One core. Every peer at its fastest settings with an error of at most 1e-5 (see tune.py), and all
states at the engine's output times from each, as from the engine; no peer simulates colonies, so
that the engine is also timed without them. Compilation is not counted, what is done for each mouse
is. Begins a new results/bench/engine.json, and draws results/bench/engine.png.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from tests.benchmarks.machine import machine, one_core, versions

MICE = 1000


def main() -> int:
    """The command."""
    core = one_core()  # before anything starts threads
    from nichetrial.engine.ensemble import RTOL
    from tests.benchmarks import contenders, plots, record, setting
    from tests.benchmarks.peers import LIMIT, NAMES, ROUNDS

    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=ROUNDS)
    ask.add_argument("--peers", default=",".join(NAMES), help="with commas between them; '' none")
    ask.add_argument("--mice", type=int, default=MICE, help="of each arm for the engine")
    ask.add_argument("--rtol", type=float, default=RTOL, help="of the engine; its own")
    said = ask.parse_args()
    names = [name for name in said.peers.split(",") if name]
    if unknown := set(names) - set(NAMES):
        ask.error(f"unknown peers {sorted(unknown)}; known are {', '.join(NAMES)}")

    print("preparing and compiling", flush=True)
    found = contenders.find(names, said.mice, said.rounds, said.rtol)
    cases, started = setting.cases(), machine()

    def one_round(c: contenders.Contender, first: int) -> float:
        """All arms; seconds. A peer that is slow sees new mice in each round."""
        took = 0.0
        for k in range(len(cases)):
            with setting.quiet():
                start = time.perf_counter()
                which, states = contenders.solve(c, k, first, c.rtol)
                took += time.perf_counter() - start
            c.error = max(c.error, setting.error(states, setting.exact(k, c.limit)[which]))
        return took

    for c in list(found.contenders):
        try:
            one_round(c, 0)
        except Exception as reason:  # of a peer: it must not end the benchmark
            if c.own:
                raise
            found.missing[c.label] = f"{type(reason).__name__}: {reason}"
            found.contenders.remove(c)
    for number in range(said.rounds):
        print(f"round {number + 1} of {said.rounds}", flush=True)
        for c in found.contenders:
            c.seconds.append(one_round(c, number * c.mice))

    arms, mine = len(cases), found.contenders[0]
    speeds = {c.label: arms * c.mice / statistics.median(c.seconds) for c in found.contenders}
    errors = {c.label: c.error for c in found.contenders}
    ratios = {  # rounds are compared one by one: the machine changes less within a round
        c.label: statistics.median(
            theirs / c.mice / (own / mine.mice)
            for own, theirs in zip(mine.seconds, c.seconds, strict=True)
        )
        for c in found.contenders
        if not c.own
    }
    record.begin(
        {
            "what": "all states of the default study's arms at the engine's output times, one core",
            "arms": [case.arm.name for case in cases],
            "mice": {c.label: c.mice for c in found.contenders},
            "rounds": said.rounds,
            "rtol": {c.label: c.rtol for c in found.contenders},
            "error_limit": LIMIT,
            "trajectories_per_second": speeds,
            "spread": {
                c.label: [arms * c.mice / max(c.seconds), arms * c.mice / min(c.seconds)]
                for c in found.contenders
            },
            "largest_relative_error": errors,
            "ratios": ratios,
            "not_run": found.missing,
            "machine": started | {"core": core},
            "versions": versions(found.packages),
        }
    )
    plots.speeds(speeds, ratios, max(errors.values()), record.TARGET.with_name("engine"))
    width = max(map(len, speeds))
    print(f"{'':{width}} {'per s':>9} {'ours is':>9} {'error':>9}")
    for name in sorted(speeds, key=speeds.__getitem__, reverse=True):
        times = f"{ratios[name]:.1f} x" if name in ratios else ""
        print(
            f"{name:{width}} {speeds[name]:9.1f} {times:>9} {errors[name]:9.1e}"
            + ("  over the limit" if errors[name] > LIMIT else "")
        )
    for name, reason in found.missing.items():
        print(f"{name}: {reason.splitlines()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
