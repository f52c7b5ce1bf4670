"""Many mice by the pipeline's own route: does time grow in proportion, and memory not at all?

    python -m tests.benchmarks.scale [--mice 1000000] [--arms 10] [--chunk 10000]

Chunk by chunk: mice are drawn, simulated in each arm and written as Parquet into a temporary
folder, which is emptied again after each chunk. Each measurement is a process of its own, so that
its peak memory is its own. Adds to results/bench/engine.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nichetrial.cohort.sample import sample
from nichetrial.study.load import load
from nichetrial.tables import Schema, write
from nichetrial.trial.simulate import COLONIES, COURSES, OUTCOMES, simulate
from tests.benchmarks import record

__all__ = ["main"]

MICE, CHUNK, PARALLEL_MICE, ROUNDS = 100_000, 10_000, 4_000, 3
TABLE_MICE, COURSE_MICE = 10_000, 2_000
MEMORY_LIMIT = 2 * 1024**3
SETTINGS: dict[str, dict[str, Any]] = {
    "zstd, dictionaries": {"compression": "zstd"},
    "zstd 1": {"compression": "zstd", "compression_level": 1, "use_dictionary": False},
    "zstd 1, floats split by byte": {"compression": "zstd", "compression_level": 1, "split": True},
    "lz4, floats split by byte (tables.py)": {"compression": "lz4", "split": True},
    "snappy, dictionaries": {"compression": "snappy"},
    "none": {"compression": "none", "use_dictionary": False},
}
"""Settings of ``pyarrow.parquet.write_table``; ``split``: floating-point columns in
BYTE_STREAM_SPLIT, dictionaries for text alone."""


# --- a child: some chunks in some arms ---------------------------------------------------------


def _chunks(first: int, mice: int, chunk: int) -> Iterator[tuple[int, int]]:
    for low in range(first, first + mice, chunk):
        yield low, min(low + chunk, first + mice) - 1


def _child(options: argparse.Namespace) -> dict[str, float]:
    study = load(options.study)
    arms = study.arms[: options.arms]
    spent = {"draw": 0.0, "simulate": 0.0, "write": 0.0}
    size = {"columns": 0, "files": 0}

    def timed(what: str, call: Any, *args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        result = call(*args, **more)
        spent[what] += time.perf_counter() - start
        return result

    # what is compiled depends on whether a chunk is more than one block: a whole chunk, beforehand
    warm = _mice(study, options.first, options.first + min(options.chunk, options.mice) - 1)
    simulate(arms[0], warm, seed=study.seed, course_particles=study.figures.course_particles)
    begin, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for first, last in _chunks(options.first, options.mice, options.chunk):
            cohort = timed("draw", _mice, study, first, last)
            for arm in arms:
                done = timed(
                    "simulate",
                    simulate,
                    arm,
                    cohort,
                    seed=study.seed,
                    course_particles=study.figures.course_particles,
                )
                for name, schema in (
                    ("outcomes", OUTCOMES),
                    ("courses", COURSES),
                    ("colonies", COLONIES),
                ):
                    frame, path = getattr(done, name), Path(folder) / f"{arm.name}-{name}.parquet"
                    timed("write", write, frame, path, schema)
                    size["columns"] += _bytes(frame, schema)
                    size["files"] += path.stat().st_size
    return {
        "mice": options.mice,
        "seconds": time.perf_counter() - begin,
        "processor_seconds": time.process_time() - cpu,
        **{f"{what}_seconds": seconds for what, seconds in spent.items()},
        "megabytes_of_columns": size["columns"] / 1e6,
        "megabytes_of_files": size["files"] / 1e6,
        "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _mice(study: Any, first: int, last: int) -> pd.DataFrame:
    return sample(
        seed=study.seed, first=first, last=last, mice=1, overrides=study.cohort.overrides
    ).mice


def _bytes(frame: pd.DataFrame, schema: Schema) -> int:
    """Bytes of the columns as Arrow holds them."""
    fields = pa.schema([pa.field(name, kind) for name, (kind, _, _) in schema.items()])
    return pa.Table.from_pandas(frame, schema=fields, preserve_index=False).nbytes


def _start(options: argparse.Namespace, mice: int, first: int = 0) -> subprocess.Popen[str]:
    command = [
        *(sys.executable, "-m", "tests.benchmarks.scale", "--child", "--study", options.study),
        *("--mice", str(mice), "--first", str(first), "--arms", str(options.arms)),
        *("--chunk", str(options.chunk)),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _result(process: subprocess.Popen[str]) -> dict[str, float]:
    text = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f"a child ended with {process.returncode}")
    return json.loads(text.splitlines()[-1])


# --- measurements ------------------------------------------------------------------------------


def _growth(options: argparse.Namespace) -> list[dict[str, float]]:
    """One process for a hundredth, a tenth and all of the mice."""
    rows = []
    for mice in sorted({max(options.mice // part, 100) for part in (100, 10, 1)}):
        row = _result(_start(options, mice))
        row["trajectories_per_second"] = mice * options.arms / row["seconds"]
        row["microseconds_of_processor"] = 1e6 * row["processor_seconds"] / mice / options.arms
        row["megabytes_per_second_written"] = row["megabytes_of_columns"] / row["write_seconds"]
        print(
            f"{mice:>8} mice x {options.arms} arms: {row['seconds']:7.1f} s "
            f"({row['processor_seconds']:.1f} s of processor; drawing {row['draw_seconds']:.1f}, "
            f"simulating {row['simulate_seconds']:.1f}, writing {row['write_seconds']:.1f}), "
            f"{row['trajectories_per_second']:.0f} a second "
            f"({row['microseconds_of_processor']:.0f} us of processor each), "
            f"peak {row['peak_memory'] / 2**20:.0f} MiB, "
            f"{row['megabytes_per_second_written']:.0f} MB/s written"
        )
        rows.append(row)
    return rows


def _two_processes(options: argparse.Namespace) -> dict[str, float]:
    """The same mice by one process and by two, each with half of them; best of rounds.

    From the first to the last chunk: the start of Python is not a matter of how work is shared. On
    a machine with other work the two do not get two cores: ``cores`` says how many they had, and
    ``processor_ratio`` what two cores of their own would give.
    """
    mice = min(options.mice, PARALLEL_MICE) // 2 * 2
    one = two = alone = shared = float("inf")
    cores = 0.0
    for _ in range(ROUNDS):
        single = _result(_start(options, mice))
        one, alone = min(one, single["seconds"]), min(alone, single["processor_seconds"])
        halves = [_start(options, mice // 2, first) for first in (0, mice // 2)]
        pair = [_result(process) for process in halves]
        wall = max(row["seconds"] for row in pair)
        if wall < two:
            two, cores = wall, sum(row["processor_seconds"] for row in pair) / wall
        shared = min(shared, max(row["processor_seconds"] for row in pair))
    return {
        "mice": mice,
        "one_seconds": one,
        "two_seconds": two,
        "ratio": one / two,
        "cores": cores,
        "processor_ratio": alone / shared,
    }


def _tables(options: argparse.Namespace) -> dict[str, pa.Table]:
    """Real rows of a treated arm, no mouse twice: repeated or constant rows would flatter."""
    study = load(options.study)
    arm = next(a for a in study.arms if a.treatments)
    done = simulate(
        arm, _mice(study, 0, TABLE_MICE - 1), seed=study.seed, course_particles=COURSE_MICE
    )
    return {
        "outcomes": _arrow(done.outcomes, OUTCOMES),
        "courses": _arrow(done.courses, COURSES),
        "outcomes of a chunk": _arrow(done.outcomes[:1000], OUTCOMES),
    }


def _arrow(frame: pd.DataFrame, schema: Schema) -> pa.Table:
    fields = pa.schema([pa.field(name, kind) for name, (kind, _, _) in schema.items()])
    return pa.Table.from_pandas(frame, schema=fields, preserve_index=False)


def _write_options(table: pa.Table, settings: dict[str, Any]) -> dict[str, Any]:
    more = {name: value for name, value in settings.items() if name != "split"}
    if settings.get("split"):
        more["use_byte_stream_split"] = [
            f.name for f in table.schema if pa.types.is_floating(f.type)
        ]
        more["use_dictionary"] = [f.name for f in table.schema if pa.types.is_string(f.type)]
    return more


def _parquet(options: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """MB of columns written a second, and MB of file per MB of columns."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        for name, table in _tables(options).items():
            best: dict[str, float] = {}
            share: dict[str, float] = {}
            for _ in range(2 * ROUNDS):
                for label, settings in SETTINGS.items():
                    more = _write_options(table, settings)
                    start = time.perf_counter()
                    pq.write_table(table, path, **more)
                    took = time.perf_counter() - start
                    best[label] = min(best.get(label, took), took)
                    share[label] = path.stat().st_size / table.nbytes
            found[name] = {
                label: {
                    "megabytes_per_second": table.nbytes / best[label] / 1e6,
                    "size": share[label],
                }
                for label in SETTINGS
            }
            print(f"{name}: {table.nbytes / 1e6:.1f} MB of columns")
            for label, row in found[name].items():
                print(
                    f"   {label:42} {row['megabytes_per_second']:6.0f} MB/s, "
                    f"{row['size']:.2f} of the size"
                )
    return found


def _warm(options: argparse.Namespace) -> float:
    """Seconds of a fresh process that imports all and simulates eight mice, from a warm cache."""
    code = (
        "from nichetrial.study.load import load; from nichetrial.cohort.sample import sample; "
        "from nichetrial.trial.simulate import simulate; "
        f"s = load({options.study!r}); "
        "c = sample(seed=s.seed, first=0, last=7, mice=1, overrides=s.cohort.overrides).mice; "
        "simulate(s.arms[0], c, seed=s.seed)"
    )
    best = float("inf")
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - start)
    return best


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="config.yaml")
    parser.add_argument("--mice", type=int, default=MICE)
    parser.add_argument("--arms", type=int, default=10)
    parser.add_argument("--chunk", type=int, default=CHUNK)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.arms = min(options.arms, len(load(options.study).arms))
    if options.child:
        print(json.dumps(_child(options)))
        return 0
    result: dict[str, Any] = {"processors": os.cpu_count(), "arms": options.arms}
    result["warm_seconds"] = _warm(options)
    print(f"a fresh process, import and first use: {result['warm_seconds']:.1f} s")
    result["growth"] = _growth(options)
    result["two_processes"] = _two_processes(options)
    both = result["two_processes"]
    print(
        f"two processes: {both['ratio']:.2f} x one, with {both['cores']:.2f} cores; by processor "
        f"time {both['processor_ratio']:.2f} x"
    )
    result["parquet"] = _parquet(options)
    record.add("scale", result)
    return 0 if all(row["peak_memory"] < MEMORY_LIMIT for row in result["growth"]) else 1


if __name__ == "__main__":
    sys.exit(main())
