"""The table "change this -> exactly these jobs run again" of docs/what-runs-again.md.

    python -m tests.support.reruns

writes it there from what ``test_what_runs_again.py`` asks Snakemake for, case by case.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import ROOT
from tests.support.runs import DRAWN as FIGURES
from tests.support.runs import STUDY, TINY, nichetrial

__all__ = [
    "ARMS",
    "CASES",
    "CODE_CASES",
    "COMPARED",
    "DRAWN",
    "ENDS",
    "EVERYTHING",
    "FROM_COMPARISONS",
    "PAGE",
    "experiments",
    "page",
    "simulated",
    "table",
]

PAGE = ROOT / "docs" / "what-runs-again.md"

ARMS = ("high", "amd3100", "untreated")
COMPARED = {"compare the arms"}
JUDGED = COMPARED | {"count the mice needed"}
DRAWN = {f"draw {figure}" for figure in FIGURES}
DOSES = {"dose of TIMP-1, particles 0-2"}
ENDS = {"write the report", "record the runs in MLflow"}


def simulated(*arms: str, particles: tuple[str, ...] = ("0-4", "5-9")) -> set[str]:
    """The simulations of these arms."""
    return {f"simulate {arm}, particles {chunk}" for arm in arms for chunk in particles}


def experiments(*arms: str) -> set[str]:
    """The simulated experiments of these arms."""
    return {f"simulate experiments with {arm}" for arm in arms}


EVERYTHING = {
    "draw particles 0-4",
    "draw particles 5-9",
    *DOSES,
    *JUDGED,
    *simulated(*ARMS),
    *experiments(*ARMS),
    *DRAWN,
    *ENDS,
}

MICE = {"draw particles 0-4", "draw particles 5-9"}
NEEDED = {"count the mice needed", "draw power", *ENDS}
FROM_COMPARISONS = {
    f"draw {f}" for f in ("forest", "event_free", "ranking", "foci", "colonies", "uncertainty")
}

CASES: dict[str, tuple[str, str, set[str]]] = {
    "a comment of the study file": ("# a comment", "# another comment", set()),
    "where runs are kept: `tracking`": (
        "figures:\n",
        "tracking: {experiment: mine}\nfigures:\n",
        {"record the runs in MLflow"},
    ),
    "the question, or the title": ("seed: 7", "seed: 7\n  question: Why?", ENDS),
    "the style of figures: `dpi`": ("dpi: 60", "dpi: 70", DRAWN | ENDS),
    "particles with time courses: `course_particles`": (
        "course_particles: 3",
        "course_particles: 4",
        simulated(*ARMS, particles=("0-4",)) | JUDGED | DRAWN | ENDS,
    ),
    "doses of the curve of TIMP-1": (
        "dose_folds: [1, 10]",
        "dose_folds: [1, 20]",
        DOSES | DRAWN | ENDS,
    ),
    "resamples of the bootstrap": ("resamples: 100", "resamples: 200", JUDGED | DRAWN | ENDS),
    "sizes of groups: `power`": ("sizes: [4, 6]", "sizes: [4, 5, 6]", NEEDED | DRAWN),
    "the dose of an arm": (
        "dose: 5 mg/kg",
        "dose: 6 mg/kg",
        simulated("amd3100") | experiments("amd3100") | JUDGED | DRAWN | ENDS,
    ),
    "one arm more": (
        "  untreated:\n",
        "  more:\n    host: {cd63: 0}\n  untreated:\n",
        simulated("more") | experiments("more") | JUDGED | DRAWN | ENDS,
    ),
    "one arm less": (
        "  untreated:\n    label: Untreated\n    timp1_vector: none\n",
        "",
        JUDGED | DRAWN | ENDS,
    ),
    "more particles": (
        "particles: 10",
        "particles: 15",
        {"draw particles 10-14"}
        | simulated(*ARMS, particles=("10-14",))
        | experiments(*ARMS)
        | JUDGED
        | DRAWN
        | ENDS,
    ),
    "fewer particles": (
        "particles: 10",
        "particles: 5",
        experiments(*ARMS) | JUDGED | DRAWN | ENDS,
    ),
    "the experiment of all arms": ("end: 40 d", "end: 41 d", EVERYTHING - MICE),
    "the seed": ("seed: 7", "seed: 8", EVERYTHING),
}
"""Change of the study -> text of the tiny study, what takes its place, the jobs that run."""

CODE_CASES: dict[str, tuple[str, set[str]]] = {
    "code of the model": ("model/parameters.py", EVERYTHING),
    "code of the comparison": ("compare/pooled.py", COMPARED | FROM_COMPARISONS | NEEDED),
    "code of the mice needed": ("compare/power.py", NEEDED),
    "code of a figure": ("figures/forest.py", DRAWN | ENDS),
    "code of the report": ("report/study_page.py", ENDS),
    "code of the tracking": ("tracking/writer.py", {"record the runs in MLflow"}),
    "code of the commands": ("launch/summary.py", set()),
}
"""Change of the code -> the file of the package, the jobs that run."""

COLUMNS = {
    "particles": r"draw particles",
    "simulations": r"simulate \w+, particles",
    "dose curve": r"dose of",
    "experiments": r"simulate experiments",
    "comparison": r"compare",
    "mice needed": r"count",
    "figures": r"draw (?!particles)",
    "report": r"write",
    "tracking": r"record",
}


def table() -> str:
    """In Markdown: a row a change, a column a kind of job, how many of how many."""
    cases = {name: jobs for name, (_, _, jobs) in CASES.items()}
    cases |= {name: jobs for name, (_, jobs) in CODE_CASES.items()}
    rows = [f"| change | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    for name, jobs in cases.items():
        cells = [_cell(_like(kind, jobs), _like(kind, EVERYTHING)) for kind in COLUMNS.values()]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _like(pattern: str, jobs: set[str]) -> set[str]:
    return {job for job in jobs if re.match(pattern, job)}


def _cell(jobs: set[str], all_of_them: set[str]) -> str:
    if not jobs:
        return ""
    new = len(jobs - all_of_them)
    if new:
        return f"{new} new"
    if jobs == all_of_them:
        return "all" if len(jobs) > 1 else "yes"
    return f"{len(jobs)} of {len(all_of_them)}"


def page() -> str:
    """The page with today's table in it."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("| change |")
    end = text.find("\n\n", start)
    return text[:start] + table() + (text[end + 1 :] if end >= 0 else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")


SECOND_CHUNK_OF_HIGH = {
    *simulated("high", particles=("5-9",)),
    *JUDGED,
    *(DRAWN - {f"draw {f}" for f in ("schedule", "dose", "courses")}),
    *ENDS,
}


def would_run(folder: Path, **environment: str) -> set[str]:
    """The jobs of a dry run."""
    told = nichetrial(folder, "run", STUDY, "--dry-run", **environment)
    assert told.returncode == 0, told.stdout
    return set(re.findall(r"^  (.+?)  \(", told.stdout, re.M))


def change(folder: Path, old: str, new: str) -> None:
    assert TINY.count(old) == 1
    (folder / STUDY).write_text(TINY.replace(old, new))
