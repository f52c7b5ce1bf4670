"""A run as an RO-Crate: its results with what made them, in the words of schema.org.

Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5): the Snakefile is the workflow, the
study file its input, one action from the first job to the last its run.
"""

from __future__ import annotations

import dataclasses
import mimetypes
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.current import current
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stages import STAGES
from nichetrial.pipeline.stored_study import read_study
from nichetrial.provenance.past_run import Account, of_folder
from nichetrial.records import git
from nichetrial.records.identity import checkout
from nichetrial.records.origin import FOLDER, LOCK, STUDY
from nichetrial.records.stored import RunRecord, inside, made_by, read_records

__all__ = ["PROFILES", "write_crate"]

PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
SNAKEFILE = "Snakefile"
PACKED = (FOLDER, "records", "logs")
"""Folders of the results that are packed whole; of the others, only what a job of this version
made."""
KINDS = {
    ".parquet": "application/vnd.apache.parquet",
    ".yaml": "application/yaml",
    ".log": "text/plain",
    ".diff": "text/x-diff",
}
"""What Python does not know, or not everywhere."""
CODE_LICENCE = "https://spdx.org/licenses/MIT"


def write_crate(results: Path, to: Path, licence: str) -> list[str]:
    """Write the crate of a results folder to ``to``: a new folder, or a file whose name ends in
    ``.zip``. ``licence``: of the results, an address or a text.

    Returns: the names of the jobs that are not in it, because they did not run to their end or are
        of an earlier version of the study. With any, the run is not called completed.

    Raises: UserError if there is something at ``to``, or the folder is no finished run.
    """
    if to.exists():
        raise UserError(
            codes.UNFIT_TARGET,
            "there is something here already; name a new folder or zip",
            place=str(to),
        )
    run = of_folder(results)
    root = checkout()
    if run.origin is None or root is None:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "of this run it was not kept where it comes from; run the study once more",
            place=str(results),
        )
    with tempfile.TemporaryDirectory(dir=_parent(to)) as scratch:
        snakefile = Path(scratch, SNAKEFILE)
        snakefile.write_bytes(_as_it_was(root, run.origin.commit))
        records, others = _of_this_version(results, run.origin.study_file)
        crate = _crate(run, results, records, snakefile, licence, completed=not others)
        part = Path(scratch, to.name)
        (crate.write_zip if to.suffix == ".zip" else crate.write)(part)
        shutil.move(part, to)
    return others


def _of_this_version(results: Path, study_file: str) -> tuple[list[RunRecord], list[str]]:
    """The records that count, that of the study itself among them, and the names of the others."""
    whole = read_records(results) + read_records(results, evidence=True)
    missing = {m for r in whole if r["stage"] == "compare" for m in r["parameters"]["missing"]}
    plan = dataclasses.replace(
        Plan.of(read_study(results / "study.json"), study_file), missing=tuple(missing)
    )
    evidence = any(r["stage"] in STAGES and STAGES[r["stage"]].evidence for r in whole)
    records, others = current(plan, results, evidence=evidence)
    return [*records, *(r for r in whole if r["stage"] == "resolve")], others


def _as_it_was(root: Path, commit: str | None) -> bytes:
    """The Snakefile of that commit; if that cannot be had, the one that is here."""
    try:
        return git.ask(root, "show", f"{commit}:{SNAKEFILE}")
    except git.GitError:
        return (root / SNAKEFILE).read_bytes()


def _parent(to: Path) -> Path:
    if not to.parent.is_dir():
        raise UserError(codes.UNFIT_TARGET, "this folder is not there", place=str(to.parent))
    return to.parent


def _crate(
    run: Account,
    results: Path,
    records: Sequence[RunRecord],
    snakefile: Path,
    licence: str,
    *,
    completed: bool,
) -> Any:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")

    def about(identifier: str, kind: str | list[str], **properties: Any) -> Any:
        return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))

    crate.name = run.name
    question = run.config.get("question") or "A trial of treatments in virtual mice."
    crate.description = f"{question} Made by nichetrial."
    start = min(r["start"] for r in records)
    end = max(r["end"] for r in records)
    crate.datePublished = end
    crate.license = licence
    if licence.startswith(("http://", "https://")):
        crate.license = about(licence, "CreativeWork", name=licence)
    crate.root_dataset["conformsTo"] = [
        about(profile, "CreativeWork", name=profile.split("/ro/")[-1], version=profile[-3:])
        for profile in PROFILES
    ]
    workflow = crate.add_workflow(
        snakefile,
        SNAKEFILE,
        main=True,
        lang="snakemake",
        properties={
            "name": "nichetrial",
            "license": CODE_LICENCE,
            "version": run.code["commit"],
            "description": "From a study file to simulations, comparisons, figures and a report.",
        },
    )
    given = about(
        "#study-file",
        "FormalParameter",
        additionalType="File",
        name="study file",
        description="The virtual cohort, the experiment and the arms.",
        valueRequired=True,
        conformsTo={"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"},
    )
    workflow["input"] = given
    made = made_by(records)
    objects, products = [], []
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results).as_posix()
        packed = name in made or name.split("/")[0] in PACKED
        if not packed or inside(results, name) is None or path.name.startswith("."):
            continue
        file = crate.add_file(path, name, properties=_described(path, name), record_size=True)
        if name in made:
            products.append(file)
        elif name.startswith(f"{FOLDER}/{STUDY}/"):
            file["exampleOfWork"] = given
            objects.append(file)
    environment = records[0]["environment"]
    if not objects:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "the study file that was kept when the run started is gone; run the study once more",
            place=str(results / FOLDER / STUDY),
        )
    versions = {"Python": environment["python"], **environment["packages"]}
    workflow["softwareRequirements"] = [
        about(f"#{name}", "SoftwareApplication", name=name, version=v, softwareVersion=v)
        for name, v in versions.items()
    ]
    packages = f"; packages as in {FOLDER}/{LOCK}" if (results / FOLDER / LOCK).is_file() else ""
    action = crate.add_action(
        workflow,
        "#run",
        object=objects if len(objects) > 1 else objects[0],
        result=products,
        properties={
            "name": run.name,
            "startTime": start,
            "endTime": end,
            "description": f"Seed {run.config['seed']}{packages}",
            "actionStatus": {
                "@id": f"http://schema.org/{'Completed' if completed else 'Failed'}ActionStatus"
            },
        },
    )
    crate.root_dataset["mentions"] = action
    return crate


def _described(path: Path, name: str) -> dict[str, Any]:
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return {"name": name, **({"encodingFormat": kind} if kind else {})}
