"""What one run was: its study, code, environment, data and results; from a folder or from MLflow.

Read for ``nichetrial diff`` and ``nichetrial reproduce``. An arm is the part of its study that is
about it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.compat import mlflow_queries
from nichetrial.errors import UserError
from nichetrial.pipeline.stored_study import read_study
from nichetrial.records.jobs import FILE as JOBS
from nichetrial.records.jobs import Job, jobs_of, read_jobs
from nichetrial.records.origin import FOLDER, IN_MLFLOW, ORIGIN, Origin, read_origin
from nichetrial.records.stored import read_records, require_sound
from nichetrial.tracking import store as stores
from nichetrial.tracking.runs import rows_of

__all__ = ["Account", "of_folder", "of_run"]

EFFECTS = ("effects.csv", "sweep_effects.csv")
SETTINGS = ("cohort", "seed")
"""Parts of a study that every arm has."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One run. ``config``: the resolved study or, of an arm, what shapes it; ``code``: package ->
    digest, and the commit; ``effects``: rows of the table of effects; ``arm``: '' for a study."""

    name: str
    place: str
    study: str
    config: Mapping[str, Any]
    code: Mapping[str, str]
    lock: str
    jobs: tuple[Job, ...]
    effects: tuple[Mapping[str, str], ...] = ()
    arm: str = ""
    origin: Origin | None = None
    status: str = "FINISHED"

    def of_arm(self, name: str) -> Account:
        """The part of one arm. Raises UserError if the study has none of that name."""
        sweeps = self.config.get("sweeps", ())
        arms = {a["name"]: (a, "") for a in self.config["arms"]}
        arms |= {a["name"]: (a, s["name"]) for s in sweeps for a in s["arms"]}
        if name not in arms:
            raise UserError(
                codes.NO_SUCH_ARM,
                f"the study {self.study!r} has no arm {name!r}; it has {', '.join(arms)}",
                place=self.place,
            )
        arm, sweep = arms[name]
        return replace(
            self,
            name=arm["label"],
            arm=name,
            config={"arm": arm, **{k: self.config[k] for k in SETTINGS}},
            jobs=tuple(job for job in self.jobs if _makes(job, name, sweep)),
            effects=tuple(row for row in self.effects if row["arm"] == name),
        )


def of_folder(results: Path, arm: str = "") -> Account:
    """A results folder, or one arm of it. Raises UserError if it is none, or has no records."""
    study = read_study(results / "study.json").model_dump(mode="json")
    records = read_records(results)
    if not records:
        raise UserError(
            codes.NO_RESULTS,
            "there are no run records here; run the study first",
            place=str(results),
        )
    require_sound(results, records)
    newest = max(records, key=lambda r: (r["end"], r["stage"], r["name"]))
    origin = None
    if (results / FOLDER / ORIGIN).is_file():
        origin = read_origin(results / FOLDER / ORIGIN)
    whole = Account(
        name=study["title"],
        place=str(results),
        study=study["name"],
        config=study,
        code=_code(newest["science"], newest["git"]["commit"], newest["git"]["dirty"]),
        lock=newest["lock_digest"],
        jobs=tuple(jobs_of(records)),
        effects=_effects(results / "comparisons"),
        origin=origin,
    )
    return whole.of_arm(arm) if arm else whole


def of_run(run_id: str, uri: str, keep: Path | None = None) -> Account:
    """A run of MLflow: a study, or one of its arms, by its id or by a name that no other has.

    Args:
        uri: of the store.
        keep: where the provenance of the run's study is put; left out: nowhere.

    Raises: UserError if there is no such run, it is of another kind, or its provenance is gone.
    """
    store = stores.locate(uri, place="--tracking-uri")
    with stores.opened(store, to_read=True) as client, tempfile.TemporaryDirectory() as scratch:
        run = _found(client, run_id, store.uri)
        tags = run.data.tags
        role = tags.get("nichetrial.role", "")
        if role not in ("study", "arm"):
            what = f"is of the kind {role!r}" if role else "was not made by nichetrial"
            raise UserError(
                codes.NO_SUCH_RUN,
                f"this run {what}; name a study or an arm",
                place=f"{store.uri} {run_id}",
            )
        parent = run.info.run_id if role == "study" else tags["mlflow.parentRunId"]
        place = f"{store.uri} {run.info.run_id}"
        folder = keep or Path(scratch)
        for path in ("study.json", *EFFECTS, IN_MLFLOW):
            _download(client, parent, path, folder)
        provenance = folder / IN_MLFLOW
        if not (folder / "study.json").is_file() or not (provenance / JOBS).is_file():
            raise UserError(
                codes.NOT_REPRODUCIBLE,
                "this run has no provenance in MLflow: it was made by an older nichetrial, or its "
                "files are gone; run its study again, or sync its results folder",
                place=place,
            )
        study = read_study(folder / "study.json").model_dump(mode="json")
        origin = read_origin(provenance / ORIGIN) if (provenance / ORIGIN).is_file() else None
        changed = {"yes": True, "no": False}.get(
            tags.get("nichetrial.code_changed_since_commit", "")
        )
        science = origin.science if origin else {"all": tags["nichetrial.code_digest"]}
        whole = Account(
            name=study["title"],
            place=place,
            study=study["name"],
            config=study,
            code=_code(science, tags.get("nichetrial.git_commit"), changed),
            lock=tags.get("nichetrial.lock_digest", ""),
            jobs=tuple(read_jobs(provenance / JOBS)),
            effects=_effects(folder),
            origin=origin,
            status=run.info.status,
        )
    return whole.of_arm(tags["nichetrial.arm"]) if role == "arm" else whole


def _effects(folder: Path) -> tuple[Mapping[str, str], ...]:
    return tuple(row for name in EFFECTS for row in rows_of(str(folder / name)))


def _makes(job: Job, arm: str, sweep: str) -> bool:
    """Whether the job is one of this arm, or of the sweep that it belongs to."""
    of = job.name.rpartition("/")[0]
    if sweep:
        return job.stage == "sweep" and of == sweep
    return (job.stage == "simulate" and of == arm) or (
        job.stage == "experiments" and job.name == arm
    )


def _code(science: Mapping[str, str], commit: str | None, changed: bool | None) -> dict[str, str]:
    told = {True: " and changes", False: "", None: ""}[changed]
    return {**science, "commit": f"{commit}{told}" if commit else "unknown"}


def _found(client: Any, run_id: str, uri: str) -> Any:
    """The run of that id, or of that name."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
    named = mlflow_queries.named(client, run_id)
    if len(named) == 1:
        return named[0]
    ids: Sequence[str] = [r.info.run_id for r in named[:5]]
    many = f"; {len(named)} runs have that name: {', '.join(ids)}" if named else ""
    raise UserError(codes.NO_SUCH_RUN, f"there is no run with the id {run_id!r}{many}", place=uri)


def _download(client: Any, run_id: str, path: str, folder: Path) -> None:
    """Nothing, if the run has no such file."""
    top, _, _ = path.rpartition("/")
    if any(item.path == path for item in client.list_artifacts(run_id, top or None)):
        client.download_artifacts(run_id, path, str(folder))
