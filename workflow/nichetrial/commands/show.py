"""nichetrial show: the results in a folder, or what is known of a drug, parameter or variant."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.launch.summary import summary
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS
from nichetrial.model.variants import VARIANTS
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stored_study import read_study
from nichetrial.study.kinds import did_you_mean

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial show``."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="RESULTS | KIND NAME",
        help=f"a results folder; or {', '.join(KINDS)} and a name",
    )


def run(args: argparse.Namespace) -> None:
    """Print it. Raises UserError if there is nothing of that name."""
    if len(args.what) == 1:
        lines = _results(args.what[0])
    elif len(args.what) == 2:
        lines = _named(*args.what)
    else:
        raise UserError(codes.USAGE, "give a results folder, or a kind and a name")
    print("\n".join(lines))


def _results(folder: str) -> list[str]:
    """As at the end of a run."""
    file = Path(folder, "study.json")
    return summary(Plan(read_study(file), str(file), folder=Path(folder).as_posix()))[1:]


def _named(kind: str, name: str) -> list[str]:
    if kind not in KINDS:
        raise UserError(codes.UNKNOWN_WORD, f"there is no kind {kind!r}{did_you_mean(kind, KINDS)}")
    names, describe = KINDS[kind]
    if name not in names:
        raise UserError(
            codes.UNKNOWN_WORD, f"there is no {kind} {name!r}{did_you_mean(name, names)}"
        )
    return describe(name)


def _drug(name: str) -> list[str]:
    drug = DRUGS[name]
    own = [p for p in PARAMETERS.values() if p.name.startswith((f"{drug.kinetics}_", f"{name}_"))]
    return [
        f"{drug.label} ({name})",
        f"  {drug.blocks}",
        f"  methods: {', '.join(drug.methods)}",
        f"  molar mass: {drug.molar_mass:,.4g} g/mol",
        "  parameters:",
        *(f"    {p.name}: {p.meaning}; {p.written} ({p.trust})" for p in own),
    ]


def _parameter(name: str) -> list[str]:
    found = PARAMETERS[name]
    return [
        f"{name} ({found.symbol})",
        f"  {found.meaning}",
        f"  prior: {found.written}",
        f"  {found.trust}: {found.source}",
    ]


def _variant(name: str) -> list[str]:
    found = VARIANTS[name]
    changed = [f"  {key}: {kind} {a:g} {b:g}" for key, (kind, a, b) in found.priors.items()]
    return [name, f"  {found.meaning}", *changed]


KINDS: Mapping[str, tuple[Mapping[str, object], Callable[[str], list[str]]]] = {
    "drug": (DRUGS, _drug),
    "parameter": (PARAMETERS, _parameter),
    "variant": (VARIANTS, _variant),
}
"""Kind -> what there is of it, and how one is described."""
