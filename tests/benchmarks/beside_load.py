"""Tests of processes, disks and kills, again and again beside four busy processes.

    python -m tests.benchmarks.beside_load [--rounds 10] [TESTS]

Such a test may depend on how fast its machine is. One that falls here is at fault. It is no part of
the suite, because it takes longer than all of it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
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
def load() -> Iterator[None]:
    """Processes that take all the time that they get."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> None:
    """Say what fell in each round, and at the end how often each test did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("tests", nargs="*", default=TESTS)
    args = parser.parse_args()
    fell: Counter[str] = Counter()
    with load():
        for number in range(1, args.rounds + 1):
            start = time.monotonic()
            words = ["-m", "pytest", "-q", "-rfE", "--tb=short", "-p", "no:cacheprovider"]
            done = subprocess.run(
                [sys.executable, *words, *args.tests], stdout=subprocess.PIPE, text=True
            )
            names = [
                line.split(" ")[1]
                for line in done.stdout.splitlines()
                if line.startswith(("FAILED ", "ERROR "))
            ]
            fell.update(names)
            took = time.monotonic() - start
            print(f"round {number}: {len(names)} fell, {took:.0f} s", flush=True)
            if names:
                print(done.stdout, flush=True)
    for name, times in fell.most_common():
        print(f"{times} of {args.rounds}: {name}")
    sys.exit(bool(fell))


if __name__ == "__main__":
    main()
