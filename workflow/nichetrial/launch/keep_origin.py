"""What is kept when a run starts: commit and uncommitted code, study file, lock, graph of rules.

Once a run, in the process of Snakemake itself: no job pays for it. A run never fails for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from nichetrial.files import atomic
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stages import STAGES
from nichetrial.records import git, identity
from nichetrial.records.origin import DIFF, FOLDER, LOCK, ORIGIN, RULES, STUDY, Origin
from nichetrial.records.uncommitted import uncommitted

__all__ = ["below", "keep", "rule_graph"]

LAST = {
    name: "evidence" if stage.evidence else ""
    for name, stage in STAGES.items()
    if stage.command == "track"
}
"""The last rule of a whole run -> the folder below the results that it is about."""


def keep(plan: Plan, dag: Any) -> None:
    """Write ``results/<study>/origin``, over what an earlier start left.

    Args:
        plan: of the study.
        dag: Snakemake's, of all jobs. The graph of its rules is kept if it is that of a whole run.
    """
    try:
        _keep(plan, Path(plan.results, FOLDER))
        graph = rule_graph(dag)
        for last in LAST.keys() & graph["rules"].keys():
            text = json.dumps(graph, indent=1) + "\n"
            _put(Path(plan.results, LAST[last], FOLDER, RULES), text.encode())
    except OSError as error:
        print(
            f"nichetrial: where this run comes from could not be kept ({error.strerror}); "
            "`nichetrial reproduce` will not be able to make it again",
            file=sys.stderr,
        )


def _keep(plan: Plan, folder: Path) -> None:
    root, lock = identity.checkout(), identity.lock_digest()
    commit: str | None = None
    diff, left_out = b"", tuple[str, ...]()
    if root is not None:
        try:
            found = uncommitted(root)
            commit, diff, left_out = found.commit, found.diff, found.left_out
        except git.GitError:
            pass  # no repository: the run says so where it is asked for
    if diff:
        _put(folder / DIFF, diff)
    else:
        (folder / DIFF).unlink(missing_ok=True)
    if root is not None and lock:
        _put(folder / LOCK, (root / "envs" / LOCK).read_bytes())
    shutil.rmtree(folder / STUDY, ignore_errors=True)
    study_file = below(plan.file)
    files = {study_file: Path(plan.file).read_bytes()}
    for name in plan.findings("fit", "predict"):  # always below the folder of the study file
        beside = Path(os.path.relpath(name, Path(plan.file).parent))
        files[(Path(study_file).parent / beside).as_posix()] = Path(name).read_bytes()
    for name, content in files.items():
        _put(folder / STUDY / name, content)
    origin = Origin(
        study_file=study_file,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        commit=commit,
        diff=hashlib.sha256(diff).hexdigest() if diff else "",
        left_out=left_out,
        science=identity.science(),
        lock_digest=lock,
    )
    _put(folder / ORIGIN, origin.text().encode())


def below(file: str) -> str:
    """The study file's path from the working directory; only its name if it lies elsewhere."""
    path = Path(os.path.normpath(file))
    outside = path.is_absolute() or path.parts[0] == ".."
    return path.name if outside else path.as_posix()


def _put(path: Path, content: bytes) -> None:
    """Only what is new is written, so that times of files tell of changes."""
    if path.is_file() and path.read_bytes() == content:
        return
    with atomic(path) as part:
        part.write_bytes(content)


def rule_graph(dag: Any) -> dict[str, Any]:
    """Snakemake's jobs by rule: ``rules``, name -> number of jobs; ``edges``, from the rule that
    makes a file to the one that reads it."""
    rules: dict[str, int] = {}
    edges = set()
    for job in dag.jobs:
        rules[job.rule.name] = rules.get(job.rule.name, 0) + 1
        edges |= {(made.rule.name, job.rule.name) for made in dag.dependencies[job]}
    return {"rules": dict(sorted(rules.items())), "edges": sorted(map(list, edges))}
