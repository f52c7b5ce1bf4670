"""Tests of processes, disks and kills, again and again on a computer that has more to do.

    python -m tests.benchmarks.beside_load [--rounds 10] [--at-once 1] [TESTS]

Such a test may depend on how fast its machine is. One that falls here is at fault. Four busy
processes are the load; with more than four rounds at once, they are the load of each other.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

BUSY = 4
TESTS = (
    "tests/unit/test_launch.py",
    "tests/unit/test_interrupts.py",
    "tests/unit/test_locks.py",
    "tests/unit/test_room.py",
    "tests/unit/test_tracking_kills.py",
    "tests/unit/test_tracking_server.py",
    "tests/unit/test_warm.py",
    "tests/workflow/test_disk.py",
    "tests/workflow/test_kills.py",
    "tests/workflow/test_run.py",
)


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Processes that take all the time that they get."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def once(tests: Sequence[str]) -> str:
    """What pytest says of the tests."""
    words = ["-m", "pytest", "-q", "-rfE", "--tb=short", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, *words, *tests], stdout=subprocess.PIPE, text=True)
    return done.stdout


def main() -> None:
    """Say what fell in each round, and at the end how often each test did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("tests", nargs="*", default=TESTS)
    args = parser.parse_args()
    fell: Counter[str] = Counter()
    busy = 0 if args.at_once > BUSY else BUSY
    with load(busy), ThreadPoolExecutor(args.at_once) as rounds:
        for number, said in enumerate(rounds.map(once, [args.tests] * args.rounds), 1):
            lines = said.splitlines()
            names = [x.split(" ")[1] for x in lines if x.startswith(("FAILED ", "ERROR "))]
            fell.update(names)
            print(f"round {number}: {lines[-1]}", flush=True)
            if names:
                print(said, flush=True)
    for name, times in fell.most_common():
        print(f"{times} of {args.rounds}: {name}")
    sys.exit(bool(fell))


if __name__ == "__main__":
    main()
