"""What a calibration and its evidence say should be in MLflow: a run for each variant of the model.

One parent; below it, for each variant, the calibration with its curve over generations and the
predictions with their hits. Reads files only, like ``plan``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.formatting import interval, share
from nichetrial.records import identity
from nichetrial.records.stored import RunRecord, made_by, part_of, read_records
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking import descriptions as words
from nichetrial.tracking import origin_files
from nichetrial.tracking.markdown import said
from nichetrial.tracking.runs import (
    Artifact,
    Point,
    Run,
    common_tags,
    fault,
    files,
    finite,
    json_of,
    ms,
    progress,
    rows_of,
    status_of,
)

__all__ = ["plan_evidence"]

CURVE = ("limit", "median", "met", "acceptance", "effective", "origins", "support")
BY_VARIANT = ("particles", "population", "predict")
TABLES = {"population": "parquet", "generations": "csv", "posterior": "csv"}
"""What is kept of the calibration of a variant."""
READ = ("scoreboard", "sobol", "decisions", "turns", "dose_arms")
"""Tables of the evidence that people read."""
HOW_CUT = {"chunk"}
"""Settings that change no result."""


def plan_evidence(study: ResolvedStudy, results: Path) -> list[Run]:
    """The runs of a calibration, its parent first. Raises UserError if there are no records."""
    records = read_records(results, evidence=True)
    if not records:
        raise UserError(
            codes.NO_RESULTS,
            "there are no records of a calibration here; run nichetrial calibrate first",
            place=str(results),
        )
    return _Evidence(study, results, records).runs()


class _Evidence:
    def __init__(self, study: ResolvedStudy, results: Path, records: Sequence[RunRecord]) -> None:
        self.study, self.results = study, results
        self.layout = Layout(str(results)).evidence
        self.newest = max(records, key=lambda r: (r["end"], r["stage"], r["name"]))
        self.by_name = {(r["stage"], r["name"]): r for r in records}
        self.records = [
            r
            for r in records
            if r["stage"] not in BY_VARIANT or r["name"].split("/")[0] in study.calibration.variants
        ]
        in_order = sorted(records, key=lambda r: r["end"])
        code = [r["code_digest"] for r in in_order if r["stage"] == "particles"][-1:]
        made_by = [self.newest["science"], code]
        self.code = hashlib.sha256(identity.canonical(made_by).encode()).hexdigest()
        self.spec = study.calibration
        self.settings = self.spec.model_dump(mode="json", exclude=HOW_CUT)
        asked = self.settings | {
            "arms": [arm.model_dump(mode="json") for arm in study.arms],
            "comparisons": study.comparisons.model_dump(
                mode="json", include={"reference", "pairs"}
            ),
            "experiment": study.experiment.model_dump(mode="json"),
            "folds": study.figures.dose_folds,
        }
        own = [*self.spec.fit, *self.spec.predict]
        folders = {str(Path(p).parent) for p in own}
        read = {
            p: d
            for r in in_order
            for p, d in r["inputs"].items()
            if p in own or (p.endswith(".yaml") and str(Path(p).parent) in folders)
        }
        self.key = self._key("evidence", study.name, asked, list(read.values()))
        self.start = min(ms(r["start"]) for r in records)
        self.end = max(ms(r["end"]) for r in records)
        self.scores = rows_of(self.layout.table("scoreboard", "csv"))
        self.metrics = json_of(self.layout.metrics)

    def runs(self) -> list[Run]:
        variants = self.spec.variants
        children = [*map(self._calibration, variants), *map(self._variant, variants)]
        return [self._parent(children), *children]

    def _key(self, stage: str, name: str, parameters: Any, inputs: Sequence[str]) -> str:
        return identity.run_key(
            stage=stage,
            name=name,
            parameters=parameters,
            inputs=inputs,
            seed=self.study.seed,
            code=self.code,
            lock=self.newest["lock_digest"],
        )

    def _span(self, variant: str, *stages: str) -> tuple[int, int]:
        own = [
            r for r in self.records if r["stage"] in stages and r["name"].split("/")[0] == variant
        ]
        return (
            min((ms(r["start"]) for r in own), default=self.start),
            max((ms(r["end"]) for r in own), default=self.end),
        )

    def _state(self, stage: str, variant: str) -> tuple[str, str]:
        """Status, and what is wrong in words."""
        record = self.by_name.get((stage, variant))
        if record is None:
            return "KILLED", "it did not run to its end"
        if record["seed"] != self.study.seed or self._differs(record):
            return "KILLED", "what is there is left from an earlier study"
        if record["status"] != "FINISHED":
            return fault(record), str(record["error"]).splitlines()[0]
        return "FINISHED", ""

    def _history(self, variant: str, curve: Sequence[Mapping[str, str]]) -> dict[str, list[Point]]:
        """The curve over generations, at the times at which they were done.

        Until the last one is done there is only ``met``, from the records of the particles.
        """
        found: dict[str, list[Point]] = {}
        whole = {int(row["generation"]): row for row in curve}
        for step in range(self.spec.generations + 1):
            own = [
                r
                for r in self.records
                if r["stage"] == "particles" and r["name"].startswith(f"{variant}/{step:03d}/")
            ]
            at = max((ms(r["end"]) for r in own), default=self.end)
            row = whole.get(step) or ({} if curve else self._met(own))
            for name, value in finite({k: row.get(k) for k in CURVE}).items():
                found.setdefault(name, []).append((step, at, value))
        return found

    def _met(self, records: Sequence[RunRecord]) -> dict[str, float]:
        """The share of particles of one generation that meet all findings; {} if some are missing
        or not of this study."""
        sizes = []
        for r in records:
            first, last = r["name"].rsplit("/", 1)[1].split("-")
            sizes.append(int(last) - int(first) + 1)
        good = [
            met
            for r in records
            if r["status"] == "FINISHED"
            and r["seed"] == self.study.seed
            and not self._differs(r)
            and (met := r.get("metrics", {}).get("met")) is not None
        ]
        if sum(sizes) != self.spec.particles or len(good) < len(sizes):
            return {}
        return {"met": sum(round(m * n) for m, n in zip(good, sizes, strict=True)) / sum(sizes)}

    def _differs(self, record: RunRecord) -> bool:
        return any(
            self.settings.get(k, v) != v for k, v in part_of(record).get("calibration", {}).items()
        )

    def _calibration(self, variant: str) -> Run:
        status, wrong = self._state("population", variant)
        done = status == "FINISHED"
        start, end = self._span(variant, "particles", "population")
        curve = rows_of(self.layout.table(f"{variant}/generations", "csv")) if done else []
        note = "Sequential Monte Carlo ABC on set A." if done else f"Not complete: {said(wrong)}"
        return Run(
            key=self._key("calibration", variant, self.settings, [self.key]),
            study_key=self.key,
            name=f"Calibration: {variant}",
            status=status,
            start=start,
            end=end,
            params={"variant": variant}
            | {
                k: words.plain(getattr(self.spec, k))
                for k in ("particles", "generations", "moves", "mice")
            },
            metrics={},
            history=self._history(variant, curve),
            tags=self._tags("calibration", variant) | {"mlflow.note.content": note},
            artifacts=(
                self._files(*(self.layout.table(f"{variant}/{t}", k) for t, k in TABLES.items()))
                if done
                else ()
            ),
        )

    def _variant(self, variant: str) -> Run:
        status, wrong = self._state("predict", variant)
        judged = status == "FINISHED" and variant in self.metrics
        start, end = self._span(variant, "predict")
        rows = [r for r in self.scores if r["variant"] == variant] if judged else []
        note = _table(rows) if judged else f"Not complete: {said(wrong or 'not judged')}"
        return Run(
            key=self._key("variant", variant, self.settings, [self.key]),
            study_key=self.key,
            name=f"Findings by {variant}",
            status=status_of(status == "FAILED", not judged),
            start=start,
            end=end,
            params={"variant": variant, "findings": words.plain(len(rows))},
            metrics=finite(self.metrics.get(variant) or {}),
            tags=self._tags("variant", variant) | {"mlflow.note.content": note},
            artifacts=self._files(self.layout.table(f"{variant}/experiments")) if judged else (),
        )

    def _parent(self, children: Sequence[Run]) -> Run:
        failures = [c.name for c in children if c.status != "FINISHED"]
        states = {c.status for c in children}
        for r in self.records:
            if r["status"] != "FINISHED":
                failures.append(f"{r['stage']} {r['name']}: {str(r['error']).splitlines()[0]}")
                states.add(fault(r))
        full = [r for r in self.scores if r["variant"] == "full"]
        note = f"**{said(self.study.title)}: what the model explains**\n\n"
        note += "Not complete: " + said("; ".join(failures)) + "\n\n" if failures else ""
        return Run(
            key=self.key,
            study_key=self.key,
            name=f"{self.study.title}: evidence",
            status=status_of("FAILED" in states, "KILLED" in states),
            start=self.start,
            end=self.end,
            params={"study": self.study.name, "seed": words.plain(self.study.seed)}
            | {
                k: ", ".join(v) or "none" if isinstance(v, list) else words.plain(v)
                for k, v in self.settings.items()
            },
            metrics=finite(
                {
                    f"{name}.{variant}": value
                    for variant, values in self.metrics.items()
                    for name, value in values.items()
                    if name.startswith("hits_")
                }
            ),
            history={"variants_finished": progress(children[: len(self.spec.variants)])},
            tags=self._tags("evidence", "")
            | origin_files.tags(self.results, self.newest)
            | {"mlflow.note.content": note + _table(full)},
            artifacts=self._files(
                self.layout.page,
                self.layout.table("scoreboard"),
                *(self.layout.table(name, "csv") for name in READ),
            )
            + self._files(
                self.layout.figure("*", "png"), self.layout.figure("*", "svg"), folder="figures"
            )
            + origin_files.artifacts(
                self.results, self.newest, self.records, Path(self.layout.folder).name
            ),
            child=False,
        )

    def _files(self, *paths: str, folder: str = "") -> tuple[Artifact, ...]:
        """Files of the evidence that jobs made."""
        return files(self.results, *paths, folder=folder, made=made_by(self.records))

    def _tags(self, role: str, variant: str) -> dict[str, str]:
        own = {"nichetrial.variant": variant} if variant else {}
        study = self.study
        made = common_tags(role, self.newest, study=study.name, seed=study.seed, code=self.code)
        return made | own


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    return "\n".join(
        words.table(
            ("finding", "set", "predicted", "90 % interval", "share with the sign", "verdict"),
            [
                (
                    f"{r['finding']}: {r['what']}",
                    r["set"],
                    interval(r["predicted"], r["low"], r["high"]),
                    share(r["direction_share"]),
                    r["verdict"],
                )
                for r in rows
            ],
        )
    )
