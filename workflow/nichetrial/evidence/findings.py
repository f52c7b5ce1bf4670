"""Published findings: one row a fact, with its source and how far it can be trusted.

Set A (``fitted/``) may be fitted. Set B (``held_out/``) is only ever predicted: a calibration
checks its digest, so that nobody moves a row unseen, and no job that fits reads a row of it.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, cast, get_args

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.kinds import did_you_mean

__all__ = [
    "COLUMNS",
    "FITTED",
    "HELD_OUT",
    "OUTCOMES",
    "Finding",
    "all_findings",
    "check_held_out",
    "fitted_findings",
    "held_out_digest",
    "read_findings",
]

_HERE = Path(str(files("nichetrial.evidence")))
FITTED, HELD_OUT = _HERE / "fitted" / "findings.csv", _HERE / "held_out" / "findings.csv"
HELD_OUT_DIGEST = "65be0125655034c72cfc262601d61d48f99b8354754e8dbad5be2d817202db47"
"""Of all files in the folder of set B. Whoever changes that set changes this line, and says why."""

Statistic = Literal["ratio", "mean", "per_cell", "share_with", "parameter"]
Direction = Literal["up", "down", "none", "value"]
COLUMNS = (
    "id",
    "set",
    "finding",
    "experiment",
    "arm",
    "reference",
    "outcome",
    "statistic",
    "direction",
    "value",
    "low",
    "high",
    "source",
    "citation",
    "trust",
)
OUTCOMES = (
    "foci",
    "expected_foci",
    "burden",
    "largest_colony",
    "dormant_cells",
    "timp1",
    "sdf1",
    "blood_neutrophils",
    "liver_neutrophils",
    "niche",
    "metastasis_free_days",
    "survival_days",
)
"""What an experiment can read; SDF-1, TIMP-1, neutrophils and niche at the challenge."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One published fact.

    ``statistic``: ``ratio`` (mean of the arm over mean of the reference), ``mean``, ``per_cell``
    (mean over tumour cells given), ``share_with`` (share of mice with more than none), or
    ``parameter`` (``outcome`` is a parameter of the mouse, in the unit of parameters.csv).
    ``direction``: ``up``, ``down``, ``none`` (within low and high), ``value`` (within them).
    """

    id: str
    set: Literal["A", "B"]
    finding: str
    experiment: Path
    arm: str
    reference: str
    outcome: str
    statistic: Statistic
    direction: Direction
    value: float
    """As published; NaN where only a direction or a range was."""
    low: float
    high: float
    source: str
    citation: str
    trust: str


def read_findings(file: str | Path, only: Literal["A", "B"] | None = None) -> list[Finding]:
    """The findings in a CSV file with these COLUMNS. Raises UserError with the line.

    ``experiment`` names a study file next to the CSV, without its ending.
    """
    path = Path(file)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:  # spreadsheets write the mark
            reader = csv.DictReader(stream)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            codes.UNFIT_FINDINGS, f"cannot be read ({type(error).__name__})", place=str(path)
        ) from None
    found: list[Finding] = []
    for number, row in rows:
        place = f"{path}:{number}"
        if set(row) != set(COLUMNS) or None in row.values():
            raise UserError(
                codes.UNFIT_FINDINGS, f"the columns must be {', '.join(COLUMNS)}", place=place
            )
        found.append(_finding(row, path, place))
        if only and found[-1].set != only:
            raise UserError(
                codes.UNFIT_FINDINGS,
                f"set {found[-1].set}, but only set {only} belongs here",
                place=place,
            )
    if not found:
        raise UserError(codes.UNFIT_FINDINGS, "there is no finding in it", place=str(path))
    return found


def fitted_findings(own: Sequence[str] = ()) -> list[Finding]:
    """Set A, and the findings in the user's ``own`` files. Raises UserError."""
    return _together([FITTED, *own], "A")


def all_findings(fitted: Sequence[str] = (), predicted: Sequence[str] = ()) -> list[Finding]:
    """Sets A and B, and the user's own; those that are fitted first. Raises UserError."""
    found = fitted_findings(fitted) + _together([HELD_OUT, *predicted], "B")
    return _unlike(found, "in the files of fit and predict")


def _together(files_: Sequence[str | Path], only: Literal["A", "B"]) -> list[Finding]:
    return _unlike([f for file in files_ for f in read_findings(file, only)], str(files_[-1]))


def _unlike(found: list[Finding], place: str) -> list[Finding]:
    names = [f.id for f in found]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise UserError(codes.UNFIT_FINDING, f"the id {twice[0]} is there twice", place=place)
    return found


def _finding(row: dict[str, str], path: Path, place: str) -> Finding:
    def one_of(key: str, known: Sequence[str]) -> str:
        if row[key] not in known:
            raise UserError(
                codes.UNFIT_FINDING,
                f'{key}: "{row[key][:40]}"{did_you_mean(row[key], known)}',
                place=place,
            )
        return row[key]

    def number(key: str) -> float:
        try:
            return float(row[key]) if row[key] else math.nan
        except ValueError:
            raise UserError(
                codes.UNFIT_FINDING, f'{key}: "{row[key][:40]}" is no number', place=place
            ) from None

    direction = one_of("direction", get_args(Direction))
    statistic = one_of("statistic", get_args(Statistic))
    low, high = number("low"), number("high")
    if direction in ("none", "value") and not low < high:
        raise UserError(
            codes.UNFIT_FINDING, f"{direction} needs low and high, the lower one first", place=place
        )
    if low > high or (direction == "up" and high <= 1.0) or (direction == "down" and low >= 1.0):
        raise UserError(
            codes.UNFIT_FINDING,
            f"nothing is {direction} and within low and high; the lower one first",
            place=place,
        )
    if direction in ("up", "down", "none") and statistic != "ratio":
        raise UserError(
            codes.UNFIT_FINDING,
            f"{direction} is for ratios; write value with low and high",
            place=place,
        )
    if (statistic == "ratio") != bool(row["reference"]):
        raise UserError(
            codes.UNFIT_FINDING, "a ratio needs a reference, and nothing else has one", place=place
        )
    if row["reference"] and row["reference"] == row["arm"]:
        raise UserError(codes.UNFIT_FINDING, "arm and reference are the same", place=place)
    value = number("value")
    if value < low or value > high:
        raise UserError(codes.UNFIT_FINDING, "value lies outside low and high", place=place)
    if row["id"] == "particle":
        raise UserError(
            codes.UNFIT_FINDING,
            '"particle" is no name for a finding; write another id',
            place=place,
        )
    name = row["experiment"]
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise UserError(
            codes.UNFIT_FINDING,
            "experiment: the name of a study file next to this one",
            place=place,
        )
    one_of("outcome", tuple(PARAMETERS) if statistic == "parameter" else OUTCOMES)
    return Finding(
        id=row["id"] or place,
        set=cast(Literal["A", "B"], one_of("set", ("A", "B"))),
        finding=row["finding"],
        experiment=path.parent / f"{name}.yaml",
        arm=row["arm"],
        reference=row["reference"],
        outcome=row["outcome"],
        statistic=cast(Statistic, statistic),
        direction=cast(Direction, direction),
        value=value,
        low=low,
        high=high,
        source=row["source"],
        citation=row["citation"],
        trust=row["trust"],
    )


def held_out_digest() -> str:
    """SHA-256 over the files of set B: names and bytes, no row is read."""
    total = hashlib.sha256()
    for path in sorted(HELD_OUT.parent.iterdir()):
        if path.suffix in (".csv", ".yaml"):
            total.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def check_held_out() -> None:
    """Raises UserError if set B is not what it was when it was set aside."""
    if held_out_digest() != HELD_OUT_DIGEST:
        raise UserError(
            codes.HELD_OUT,
            "the findings that are held out have been changed since they were set aside; put them "
            "back, or change HELD_OUT_DIGEST in evidence/findings.py and say why in the commit",
            place=str(HELD_OUT.parent),
        )
