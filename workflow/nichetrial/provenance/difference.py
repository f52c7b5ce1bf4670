"""In what two runs differ: study, code, environment, data and results, as rows and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nichetrial.formatting import interval
from nichetrial.provenance.past_run import Account

__all__ = ["PARTS", "Difference", "differences", "in_words", "results_of", "table"]

PARTS = ("study", "code", "environment", "data", "results")

LONGEST = 44
"""Characters of a value in the table."""


@dataclass(frozen=True)
class Difference:
    """One thing in which they differ. ``part``: one of PARTS; '' where one has nothing."""

    part: str
    what: str
    a: str
    b: str


def differences(a: Account, b: Account) -> list[Difference]:
    """All of them, in the order of PARTS."""
    rows = [Difference("study", *row) for row in _unlike(flat(a.config), flat(b.config))]
    rows = [row for row in rows if not row.what.startswith("tracking.")]
    rows += [Difference("code", *row) for row in _unlike(_short(a.code), _short(b.code))]
    rows += [Difference("environment", *row) for row in _unlike(_environment(a), _environment(b))]
    rows += [Difference("data", *row) for row in _unlike(_data(a), _data(b))]
    if a.status != b.status:
        rows.append(Difference("results", "status", a.status, b.status))
    made = (_short(_named(results_of(x), x)) for x in (a, b))
    rows += [Difference("results", *row) for row in _unlike(*made)]
    return rows + [Difference("results", *row) for row in _unlike(_effects(a), _effects(b))]


def in_words(a: Account, b: Account, rows: Iterable[Difference]) -> str:
    """What the rows come to, in a few lines."""
    count = {part: sum(row.part == part for row in rows) for part in PARTS}
    lines = [f"A: {a.name} ({a.place})", f"B: {b.name} ({b.place})", ""]
    same = [part for part in PARTS if not count[part]]
    if len(same) == len(PARTS):
        return "\n".join([*lines, f"They are equal: {', '.join(PARTS)}."])
    for part in PARTS:
        if count[part]:
            lines.append(f"The {part}: {count[part]} {_things(count[part], 'difference')}.")
    if same:
        lines.append(f"Equal: {', '.join(same)}.")
    if count["results"] and len(same) == len(PARTS) - 1:
        lines.append(
            "Nothing that nichetrial knows of explains other results: look at the machines, and "
            "at files that were changed by hand."
        )
    elif not count["results"]:
        lines.append("What differs has changed no result.")
    return "\n".join(lines)


def table(rows: Iterable[Difference]) -> str:
    """The rows in columns."""
    cells = [("part", "what", "A", "B"), *((r.part, r.what, r.a, r.b) for r in rows)]
    cut = [tuple(_cut(cell) for cell in line) for line in cells]
    widths = [max(len(line[k]) for line in cut) for k in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cut
    )


def results_of(account: Account) -> dict[str, str]:
    """File, from the results folder -> its digest, of all that the jobs made."""
    return {
        _within(path, account.study): digest
        for job in account.jobs
        for path, digest in job.outputs.items()
    }


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Leaves of nested JSON by dotted path; entries of lists by their name, if they have one."""
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= flat(item, f"{path}.{key}" if path else str(key))
        return found
    if isinstance(value, list | tuple) and any(isinstance(v, Mapping | list) for v in value):
        found = {}
        for k, item in enumerate(value):
            name = item.get("name", k) if isinstance(item, Mapping) else k
            found |= flat(item, f"{path}.{name}")
        return found
    return {path: "none" if value is None else str(value)}


def _unlike(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*a, *b)):
        if a.get(key) != b.get(key):
            yield key, a.get(key, ""), b.get(key, "")


def _short(digests: Mapping[str, str]) -> dict[str, str]:
    return {name: text if name == "commit" else text[:12] for name, text in digests.items()}


def _environment(account: Account) -> dict[str, str]:
    """Packages and machine, as the jobs had them; several, if several machines took part."""
    found: dict[str, set[str]] = {}
    for job in account.jobs:
        env = job.environment
        rest = {k: v for k, v in env.items() if k != "packages"}
        for name, value in (*rest.items(), *env.get("packages", {}).items()):
            found.setdefault(name, set()).add(str(value))
    return {"lock": account.lock[:12], **{k: " and ".join(sorted(v)) for k, v in found.items()}}


def _data(account: Account) -> dict[str, str]:
    """Inputs that no job of it made: findings, and of an arm its mice."""
    made = {path for job in account.jobs for path in job.outputs}
    return {
        _within(path, account.study): digest[:12]
        for job in account.jobs
        for path, digest in job.inputs.items()
        if path not in made
    }


def _effects(account: Account) -> dict[str, str]:
    """The effect of each arm on each outcome, in words; of an arm of a sweep, that of its means."""
    return {
        f"{r['outcome']} of {'the arm' if account.arm else r['arm']} / {r['reference']}": (
            interval(r[ratio], r[f"{ratio}_low"], r[f"{ratio}_high"])
        )
        for r in account.effects
        if (ratio := next((name for name in ("ratio", "pooled_ratio") if r.get(name)), ""))
    }


def _named(files: Mapping[str, str], account: Account) -> dict[str, str]:
    """The files of an arm, so that they can be compared with those of another one."""

    def named(path: str) -> str:
        parts = path.split("/")
        return "/".join(
            p.replace(account.arm, "ARM", 1) if p.split(".")[0] == account.arm else p for p in parts
        )

    return {(named(k) if account.arm else k): digest for k, digest in files.items()}


def _within(path: str, study: str) -> str:
    """A path from the results folder on, wherever that lay."""
    return path.partition(f"/{study}/")[2] or path


def _things(count: int, thing: str) -> str:
    return thing if count == 1 else f"{thing}s"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
