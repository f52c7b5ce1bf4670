"""Put what was measured into docs/engine.md, between its marks, and the figures beside it.

    python -m tests.benchmarks.docs

All numbers come from results/bench/engine.json, which `make bench` wrote.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import record

PAGE, IMAGES = Path("docs/engine.md"), Path("docs/images")
MARKS = ("<!-- bench -->", "<!-- /bench -->")
TARGETS = {
    "libRoadRunner CVODE restarts": 60,
    "AMICI CVODES dense": 90,
    "COPASI LSODA": 80,
    "diffrax Tsit5": 40,
    "scipy solve_ivp LSODA": 250,
    "numbalsoda LSODA": 12,
    "CyRK TSIT5": 12,
}
"""How many times faster than a peer the engine was meant to be."""
Record = Mapping[str, Any]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(found: Record) -> str:
    m = found["machine"]
    family, model, _ = m["family_model_stepping"]
    packages = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"Measured on: {m['processor']} (family {family}, model {model}; "
        f"{', '.join(m['vectors'])}), {m['cores']} shared cores, {m['system']}; load at the start "
        f"{m['load'][0]:.1f}. {packages}."
    )


def _peers(found: Record) -> str:
    speeds, ratios = found["trajectories_per_second"], found["ratios"]
    errors = found["largest_relative_error"]
    rows = []
    for name in sorted(speeds, key=speeds.__getitem__, reverse=True):
        low, high = found["spread"][name]
        ratio, target = ratios.get(name), TARGETS.get(name)
        said = "" if ratio is None else f"{ratio:.1f}"
        aim = "" if target is None else f"{target}, {'met' if ratio >= target else 'missed'}"
        rows.append(
            [
                name,
                f"{speeds[name]:,.0f}",
                f"{low:,.0f} to {high:,.0f}",
                said,
                aim,
                f"{errors[name]:.1e}",
            ]
        )
    text = _table(
        [
            "",
            "trajectories/s",
            "slowest to fastest round",
            "engine over it",
            "aim",
            "largest error",
        ],
        rows,
    )
    for name, reason in found["not_run"].items():
        text += f"\n\nNot run: {name}, {reason.splitlines()[0]}."
    return (
        f"{text}\n\nAll states of {len(found['arms'])} arms at the engine's output times, one "
        f"core, median of {found['rounds']} interleaved rounds; each peer at its fastest settings "
        f"with a largest relative error of at most {found['error_limit']:.0e}. No peer simulates "
        "colonies; the ratios are of the engine without them.\n\n![speeds](images/engine.png)"
    )


def _precision(found: Record) -> str:
    at = found["precision"]["trajectories_per_second_at"]
    names = list(next(iter(at.values())))
    ours = names[0]
    rows = []
    for name in names:
        row = [name]
        for speeds in at.values():
            speed, own = speeds[name], speeds[ours]
            times = f" ({own / speed:.0f} x)" if speed and own and name != ours else ""
            row.append(f"{speed:,.0f}{times}" if speed else "not reached")
        rows.append(row)
    return (
        "**Work and precision.** Trajectories a second at a largest relative error of\n\n"
        + _table(["", *at], rows)
        + "\n\nRead off the lines of the figure; in brackets how many times faster the engine is."
        "\n\n![work and precision](images/precision.png)"
    )


def _yardstick(found: Record) -> str:
    y = found["yardstick"]
    said = [
        f"{ratio:.2f} times that of C with `{label}`" for label, ratio in y["engine_over_c"].items()
    ]
    worst = max(y["largest_relative_difference"].values())
    return (
        f"**Against C by hand.** The same method, written by hand in C "
        f"(`tests/benchmarks/yardstick/`, {y['compiler']}): the engine's speed is "
        f"{' and '.join(said)}; the states agree to {worst:.0e}."
    )


def _peak(found: Record) -> str:
    p = found["peak"]
    arms: Mapping[str, Any] = p["arms"]

    def span(value: Callable[[Record], float]) -> str:
        values = [value(arm) for arm in arms.values()]
        return f"{min(values):.0%} to {max(values):.0%}"

    def part(name: str) -> str:
        return span(lambda arm: arm["share_of_peak_by_part"][name])

    def rest(arm: Record) -> float:
        return arm["nanoseconds"]["rest"] / sum(arm["nanoseconds"].values())

    joined = arms.values()
    share = sum(a["share_of_peak"] for a in joined) / len(arms)
    inside = sum(a["share_of_peak_in_a_step"] for a in joined) / len(arms)
    return (
        f"**Share of the core's peak.** {share:.0%} of its peak arithmetic ({p['peak_gflops']:.0f} "
        "Gflop/s of independent fused multiply-adds, measured in the same run) on average over the "
        f"arms, {span(lambda a: a['share_of_peak'])}; {inside:.0%} within a step. Where the rest "
        f"goes: sums of stages reach {part('stages')} of the peak and rates with the solution "
        f"{part('evaluate')} (a chain: power after logarithm after division, with little to do "
        f"beside it), Jacobian and factors {part('begin')} and the step control "
        f"{part('finish')} (divisions count 1 and take nine times as long), and "
        f"{span(rest)} of the time is not arithmetic in vectors at all: landings, doses, entries, "
        "lane by lane."
    )


def _price(found: Record) -> str:
    p = found["price"]
    ours, *others = p["nanoseconds"].items()
    said = " and ".join(f"{ns / ours[1]:.2f} times as long with {name}" for name, ns in others)
    (few, alone), (many, among) = p["microseconds_a_mouse"].items()
    return (
        f"**The price of equal bytes.** The rates of a stage take {said}. Mice that run {few} at a "
        f"time, all lanes waiting for the last one, take {alone / among:.2f} times as long each as "
        f"{many} at a time."
    )


def _scale(found: Record) -> str:
    s = found["scale"]
    rows = [
        [
            f"{g['mice']:,}",
            f"{g['seconds']:.1f}",
            f"{g['microseconds_of_processor']:.0f}",
            f"{g['simulate_seconds'] / g['seconds']:.0%}",
            f"{g['peak_memory'] / 2**20:.0f}",
            f"{g['megabytes_per_second_written']:.0f}",
        ]
        for g in s["growth"]
    ]
    head = [
        "mice",
        "seconds",
        "us of processor a trajectory",
        "of it simulation",
        "peak memory, MiB",
        "MB/s written",
    ]
    two = s["two_processes"]

    def written(table: str) -> str:
        ours = next(v for k, v in s["parquet"][table].items() if k.endswith("(tables.py)"))
        return f"{ours['megabytes_per_second']:.0f}"

    return (
        f"**Many mice.** By the pipeline's route (drawn, simulated in {s['arms']} arms, written as "
        "Parquet, chunk by chunk, one process):\n\n"
        + _table(head, rows)
        + f"\n\nTwo processes do the same work {two['ratio']:.2f} times as fast as one, with "
        f"{two['cores']:.2f} cores at their disposal. One table at a time is written at "
        f"{written('outcomes')} MB/s (outcomes of 10,000 mice), {written('courses')} MB/s (time "
        f"courses) and {written('outcomes of a chunk')} MB/s (outcomes of a default chunk, most of "
        "it the cost of a file); the route above has many small ones. A fresh process with a warm "
        f"cache has "
        f"imported all and simulated its first mice after {s['warm_seconds']:.1f} s."
    )


def _colonies(found: Record) -> str:
    speed = found["colonies"]["million_a_second"]
    return (
        f"**Colonies.** {speed['all']:.1f} million a second and core, keyed draws of 53 bits "
        f"included; {speed['all, lethal']:.1f} million with the search for the day "
        "of lethal burden."
    )


def main() -> int:
    """The command."""
    found = record.read()
    parts = {
        "ratios": _peers,
        "precision": _precision,
        "yardstick": _yardstick,
        "peak": _peak,
        "price": _price,
        "colonies": _colonies,
        "scale": _scale,
    }
    if lacking := [key for key in parts if key not in found]:
        print(f"not measured: {', '.join(lacking)}; `make bench` measures all", file=sys.stderr)
        return 2
    text = "\n\n".join([_machine(found), *(part(found) for part in parts.values())])
    page = PAGE.read_text(encoding="utf-8")
    first, last = MARKS
    new = re.sub(f"{first}.*{last}", lambda _: f"{first}\n{text}\n{last}", page, flags=re.DOTALL)
    PAGE.write_text(new, encoding="utf-8")
    for name in ("engine.png", "precision.png"):
        shutil.copyfile(record.TARGET.with_name(name), IMAGES / name)
    print(f"written: {PAGE}, {IMAGES}/engine.png and precision.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
