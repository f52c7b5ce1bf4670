"""nichetrial list KIND: the names that a study file can use."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS
from nichetrial.model.variants import VARIANTS
from nichetrial.study.sections import OUTCOMES_OF_A_LAB

__all__ = ["KINDS", "add_arguments", "run"]

KINDS: Mapping[str, Callable[[], dict[str, str]]] = {
    "drugs": lambda: {d.name: f"{d.label}: {d.blocks}" for d in DRUGS.values()},
    "outcomes": lambda: dict.fromkeys(OUTCOMES_OF_A_LAB, ""),
    "parameters": lambda: {p.name: f"{p.meaning} ({p.trust})" for p in PARAMETERS.values()},
    "variants": lambda: {v.name: v.meaning for v in VARIANTS.values()},
}
"""Kind -> its names, each in a line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial list``."""
    parser.add_argument("kind", choices=list(KINDS), help=", ".join(KINDS))


def run(args: argparse.Namespace) -> None:
    """Print the names."""
    found = KINDS[args.kind]()
    width = max(map(len, found)) + 2
    for name, meaning in found.items():
        print(f"{name:<{width}}{meaning}".rstrip())
