"""The engine and those of its peers that are installed, with one way to call them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nichetrial.study.load import load
from tests.benchmarks import setting
from tests.benchmarks.model import ours

__all__ = ["OURS", "PEERS_MICE", "WHOLE", "Contender", "Found", "find", "solve"]

OURS, WHOLE = "nichetrial", "nichetrial with its colonies"
PEERS_MICE = 200
"""A peer never sees more: on so many were the fastest ones tuned."""
OUR_PACKAGES = ("numpy", "numba", "llvmlite")
Floats = NDArray[np.float64]


@dataclass
class Contender:
    """One way to integrate the mice of all arms."""

    label: str
    mice: int
    """In each arm of a round."""
    limit: int
    """How many it sees in all rounds."""
    rtol: float
    """Its own, or the one that it was tuned to."""
    solve: Callable[[int, Sequence[int], float], Floats]
    """(number of the arm, mice, relative tolerance) -> states."""
    seconds: list[float] = field(default_factory=list)
    error: float = 0.0

    @property
    def own(self) -> bool:
        """Is it the engine?"""
        return self.label in (OURS, WHOLE)


@dataclass
class Found:
    """Who takes part, why others do not, and the packages of those that do."""

    contenders: list[Contender]
    missing: dict[str, str]
    packages: list[str]


def find(names: Sequence[str], mice: int, rounds: int, rtol: float) -> Found:
    """The engine, with and without its colonies, and the peers of these names."""
    cases, seed = setting.cases(), load(setting.STUDY).seed
    parameters = setting.mice(mice)

    def own(label: str) -> Contender:
        return Contender(
            label,
            mice,
            mice,
            rtol,
            lambda number, which, tolerance: ours(
                cases[number],
                parameters[list(which)],
                seed,
                rtol=tolerance,
                colonies=label == WHOLE,
            ),
        )

    found = Found([own(OURS), own(WHOLE)], {}, list(OUR_PACKAGES))
    for name in names:
        try:
            peer = importlib.import_module(f"tests.benchmarks.peers.{name}")
        except ImportError as reason:
            found.missing[name] = f"not installed ({reason})"
            continue
        each = min(peer.MICE, mice, PEERS_MICE)
        limit = min(mice, each * rounds, PEERS_MICE)
        try:
            with setting.quiet():
                run = peer.prepare(cases, setting.mice(limit))
        except Exception as reason:  # a peer that cannot be built must not end the benchmark
            found.missing[name] = f"cannot be prepared ({type(reason).__name__}: {reason})"
            continue
        found.packages += peer.PACKAGES
        for label, settings in peer.TUNED.items():
            found.contenders.append(
                Contender(
                    f"{peer.NAME} {label}",
                    each,
                    limit,
                    settings.rtol,
                    lambda number, which, tolerance, run=run, settings=settings: run(
                        number, which, replace(settings, rtol=tolerance)
                    ),
                )
            )
    return found


def solve(contender: Contender, number: int, first: int, rtol: float) -> tuple[list[int], Floats]:
    """One round of an arm from mouse ``first`` on: which mice, and their states."""
    which = [(first + k) % contender.limit for k in range(contender.mice)]
    return which, contender.solve(number, which, rtol)
