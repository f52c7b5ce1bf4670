"""What a results folder says should be in MLflow: a run for the study, each arm, the comparison.

Reads files only; knows nothing of a store. Two folders with the same study, code and lock plan the
same runs, whatever happened on the way. The identity of each run is known before any job has run,
so that a job which failed, was killed or is not there yet does not make it another run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records import identity
from nichetrial.records.stored import RunRecord, made_by, part_of, read_records
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.study.sections import Interaction
from nichetrial.tracking import datasets, measures, origin_files
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.markdown import said
from nichetrial.tracking.runs import (
    Artifact,
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

__all__ = ["plan"]

SIMULATED = ("simulate", "sweep")
"""Stages whose jobs are the arms."""

NOT_IDENTITY = {"tracking"}
"""Parts of the resolved study that say where to keep runs, not what they are."""

BEFORE_REPORT = ("resolve", "parameters", "compare")
"""Stages whose failures are reported by the arms and the comparison."""

Row = Mapping[str, str]


def plan(study: ResolvedStudy, jobs: Mapping[str, Sequence[str]], results: Path) -> list[Run]:
    """The runs of one results folder, the study's first.

    Args:
        jobs: arm -> names of the simulate records it takes, all of them.
        results: the folder of the study.

    Raises: UserError if there are no records.
    """
    records = read_records(results)
    if not records:
        raise UserError(
            codes.NO_RESULTS,
            "there are no run records here, so there is nothing to track; run the study first",
            place=str(results),
        )
    return _Campaign(study, jobs, results, records).runs()


class _Campaign:
    """One study, one version of the code, one lock: what a parent run stands for."""

    def __init__(
        self,
        study: ResolvedStudy,
        jobs: Mapping[str, Sequence[str]],
        results: Path,
        records: Sequence[RunRecord],
    ) -> None:
        self.study, self.jobs, self.results = study, jobs, results
        self.layout = Layout(str(results))
        self.newest = max(records, key=lambda r: (r["end"], r["stage"], r["name"]))
        self.science, self.lock = self.newest["science"], self.newest["lock_digest"]
        self.code = hashlib.sha256(identity.canonical(self.science).encode()).hexdigest()
        self.asked = study.model_dump(mode="json")
        self.cohort = study.cohort.model_dump(mode="json", exclude={"chunk"})  # it changes nothing
        config = {k: v for k, v in self.asked.items() if k not in NOT_IDENTITY}
        self.key = self._key("study", study.name, config | {"cohort": self.cohort}, [])
        drawn = [r for r in records if r["stage"] == "parameters" and self._of_this_code(r)]
        self.mice = (datasets.mice(study, self.cohort, drawn),) if drawn else ()
        simulated = [r for r in records if r["stage"] in SIMULATED]
        self.simulated = {r["name"]: r for r in simulated}
        self.outputs = made_by(records)
        self.made = {p: d for r in records for p, d in r["outputs"].items()}
        self.others = [r for r in records if r["stage"] not in SIMULATED]
        self.sweep_of = {arm.name: sweep.name for sweep in study.sweeps for arm in sweep.arms}
        self.start, self.end = self._span(records)
        self.compared = self._comparison_record()
        self.reference = study.comparisons.reference
        self.effects = rows_of(self.layout.comparison("effects", "csv")) if self.compared else []
        self.metrics = json_of(self.layout.metrics) if self.compared else {}
        swept = self._made_of_this("compare_sweeps", "sweeps")
        self.effects_of = self._by_arm(
            [*self.effects, *(self._table("sweep_effects") if swept else ())]
        )
        self.gained = self._by_arm(self._table("restricted_means") if self.compared else ())
        powered = self._made_of_this("power", "power")
        self.needed = self._by_arm(self._table("mice_needed") if powered else ())

    def runs(self) -> list[Run]:
        all_arms = [*self.study.arms, *self.study.swept]
        arms = [self._arm(a, p) for a, p in zip(all_arms, words.arm_params(all_arms), strict=True)]
        comparison = self._comparison(any(arm.status == "FAILED" for arm in arms))
        return [self._study([*arms, comparison]), *arms, comparison]

    def _key(self, stage: str, name: str, parameters: Any, inputs: Iterable[str]) -> str:
        return identity.run_key(
            stage=stage,
            name=name,
            parameters=parameters,
            seed=self.study.seed,
            code=self.code,
            inputs=inputs,
            lock=self.lock,
        )

    def _span(self, records: Sequence[RunRecord]) -> tuple[int, int]:
        """When this campaign ran: results taken over from an earlier one do not stretch it.

        A study file that was changed is resolved again, and then only some arms are simulated.
        """
        own = min(ms(r["start"]) for r in records if r["science"] == self.science)
        resolved = max((ms(r["start"]) for r in records if r["stage"] == "resolve"), default=own)
        went_on = any(ms(r["start"]) >= resolved for r in self.simulated.values())
        return max(own, resolved) if went_on else own, max(ms(r["end"]) for r in records)

    def _comparison_record(self) -> RunRecord | None:
        """The finished comparison of this study, unless what it read has been made again since."""
        whole = {a.name for a in self.study.arms if not self._jobs_of(a)[1]}
        left_over = {
            path
            for arm in self.study.arms
            for name in self.jobs[arm.name]
            if (job := self.simulated.get(name)) and not self._current(job, arm)
            for path in job["outputs"]
        }
        for record in self.others:
            if record["stage"] != "compare" or record["status"] != "FINISHED":
                continue
            if (
                part_of(record).get("comparisons") == self.asked["comparisons"]
                and not whole.intersection(record["parameters"].get("missing", ()))
                and not left_over.intersection(record["inputs"])
                and self._of_this_code(record)
                and self._read_what_is_there(record)
            ):
                return record
        return None

    def _made_of_this(self, stage: str, part: str) -> bool:
        """Whether the tables of a stage are there and answer what this study asks in ``part``."""
        return any(
            r["stage"] == stage
            and r["status"] == "FINISHED"
            and part_of(r).get(part) == self.asked[part]
            and self._of_this_code(r)
            and self._read_what_is_there(r)
            for r in self.others
        )

    def _table(self, name: str) -> Sequence[Row]:
        return rows_of(self.layout.comparison(name, "csv"))

    def _by_arm(self, rows: Iterable[Row]) -> dict[str, list[Row]]:
        """Rows against the reference, and those of no pair (under an empty name), by arm."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row["reference"] in (self.reference, ""):
                found.setdefault(row["arm"], []).append(row)
        return found

    def _of_this_code(self, record: RunRecord) -> bool:
        """Whether the packages that this job ran, and the lock, are those of the campaign."""
        same = all(record["science"].get(n) == self.science.get(n) for n in record["code"])
        return same and record["lock_digest"] == self.lock

    def _read_what_is_there(self, record: RunRecord) -> bool:
        return all(self.made.get(p, digest) == digest for p, digest in record["inputs"].items())

    def _jobs_of(self, arm: Arm) -> tuple[list[RunRecord], list[str], str]:
        """Records of an arm, in words what is missing, and the arm's status.

        A record left by an earlier study, code or lock is not this arm's.
        """
        kept, failures, states = [], [], {"FINISHED"}
        for name in self.jobs[arm.name]:
            record = self.simulated.get(name)
            if record is None:
                failures.append(f"{name}: no record; it did not run, or was killed")
                states.add("FAILED" if self._given_up(name) else "KILLED")
            elif not self._current(record, arm):
                failures.append(f"{name}: left from an earlier study or version of the code")
                states.add("KILLED")
            elif record["status"] != "FINISHED":
                failures.append(f"{name}: {str(record['error']).splitlines()[0]}")
                states.add(fault(record))
                kept.append(record)
            else:
                kept.append(record)
        return kept, failures, status_of("FAILED" in states, "KILLED" in states)

    def _given_up(self, name: str) -> bool:
        """Whether a job without a record failed: its mice could not be drawn, or the comparison
        went on without its arm."""
        arm, _, mice = name.partition("/")
        return any(
            (
                r["stage"] == "parameters"
                and mice.endswith(r["name"])
                and fault(r) == "FAILED"
                and r["status"] != "FINISHED"
            )
            or (r["stage"] == "compare" and arm in r["parameters"].get("missing", ()))
            for r in self.others
        )

    def _current(self, record: RunRecord, arm: Arm) -> bool:
        asked = part_of(record)
        sweeps = asked.get("sweeps", [])
        return (
            record["seed"] == self.study.seed
            and self._of_this_code(record)
            and arm.model_dump(mode="json")
            in (asked.get("arms", []) or [a for s in sweeps for a in s["arms"]])
            and self._read_what_is_there(record)
        )

    def _arm(self, arm: Arm, params: Mapping[str, str]) -> Run:
        records, failures, status = self._jobs_of(arm)
        described = {"arm": arm.model_dump(mode="json"), "cohort": self.cohort}
        newest = max(records, key=lambda r: r["end"], default=None)
        tags = self._tags("arm", newest or self.newest)
        if sweep := self.sweep_of.get(arm.name):
            tags["nichetrial.sweep"] = sweep
        if newest:
            tags["nichetrial.arm_key"] = identity.run_key(
                stage="arm",
                name=arm.name,
                parameters=described,
                seed=self.study.seed,
                code=newest["code_digest"],
                inputs=[],
                lock=self.lock,
            )
        effects = self.effects_of.get(arm.name, [])
        metrics = measures.against_reference(
            effects, self.gained.get(arm.name, []), self.needed.get(arm.name, [])
        )
        if arm.name == self.reference:
            gained = [row for rows in self.gained.values() for row in rows]
            metrics = measures.of_the_reference(self.effects, gained)
        counts = {
            name: float(sum(r["metrics"].get(name) or 0 for r in records))
            for name in ("mice_finished", "mice_failed")
            if status == "FINISHED" and all(name in r["metrics"] for r in records)
        }
        metrics |= counts | finite((self.metrics.get("arms") or {}).get(arm.name) or {})
        return Run(
            key=self._key("arm", arm.name, described, [self.key]),
            study_key=self.key,
            name=arm.label,
            status=status,
            start=min((ms(r["start"]) for r in records), default=self.start),
            end=max((ms(r["end"]) for r in records), default=self.end),
            params=params,
            metrics=metrics,
            datasets=self.mice,
            tags=tags
            | {
                "nichetrial.arm": arm.name,
                "nichetrial.reference": "yes" if arm.name == self.reference else "no",
                "mlflow.note.content": words.arm_note(arm, effects, failures, self.reference),
            },
        )

    def _comparison(self, without: bool) -> Run:
        """``without``: an arm failed, so that the comparison could not be made."""
        record, spec = self.compared, self.study.comparisons
        failed = [r for r in self.others if r["stage"] == "compare" and r["error"]]
        error = str(failed[-1]["error"]).splitlines()[0] if failed else "it did not run to its end"
        metrics = finite(self.metrics.get("comparison") or {})
        for row in self.effects:
            pair = f"{row['arm']}.vs.{row['reference']}"
            name = measures.effect_metric(row["outcome"], "ratio_median", pair)
            metrics |= finite({name: row.get("ratio")})
        note = (
            "Effects of the arms, in the same mice." if record else f"Not complete: {said(error)}"
        )
        return Run(
            key=self._key("comparison", self.study.name, self.asked["comparisons"], [self.key]),
            study_key=self.key,
            name="Comparison of the arms",
            status=status_of(
                not record and (without or any(fault(r) == "FAILED" for r in failed)), not record
            ),
            start=ms(record["start"]) if record else self.start,
            end=ms(record["end"]) if record else self.end,
            params={
                k: words.plain(getattr(spec, k))
                for k in ("reference", "relevant", "responder", "interval", "resamples")
            }
            | {
                "pairs": ", ".join(f"{p.arm} against {p.reference}" for p in spec.pairs),
                "combinations": ", ".join(
                    f"{c.arm} of {' + '.join(c.of)}" for c in spec.combinations
                )
                or "none",
                "interactions": ", ".join(map(_interaction, spec.interactions)) or "none",
            },
            metrics=metrics,
            datasets=(*self.mice, *self._simulated("outcomes")),
            tags=self._tags("comparison", record or self.newest) | {"mlflow.note.content": note},
            artifacts=self._files(
                self.layout.comparison("*", "csv"),
                self.layout.comparison("*"),
                self.layout.metrics,
                folder="comparisons",
            )
            if record
            else (),
        )

    def _study(self, children: Sequence[Run]) -> Run:
        arms = children[:-1]
        states = {c.status for c in children}
        said = {"FAILED": "failed", "KILLED": "stopped before its end"}
        failures = [f"{c.name}: {said[c.status]}" for c in children if c.status != "FINISHED"]
        for r in self.others:
            if r["status"] != "FINISHED" and r["stage"] not in BEFORE_REPORT:
                failures.append(f"{r['stage']} {r['name']}: {str(r['error']).splitlines()[0]}")
                states.add(fault(r))
        if not self._files(self.layout.page):
            failures.append("the report is not written")
            states.add("KILLED")
        metrics = {"arms_failed": float(sum(c.status == "FAILED" for c in arms))}
        first = self.effects[0]["outcome"] if self.effects else None
        for row in self.effects:
            if row["outcome"] == first and row["reference"] == self.reference:
                name = measures.effect_metric(first, "ratio_median", row["arm"])
                metrics |= finite({name: row.get("ratio")})
        metrics |= measures.design(self.needed.get("", []))
        kept = self._files(
            self.layout.study,
            self.layout.page,
            self.layout.comparison("effects", "csv"),
            self.layout.comparison("sweep_effects", "csv"),
        )
        kept += self._files(
            self.layout.figure("*", "png"), self.layout.figure("*", "svg"), folder="figures"
        )
        kept += origin_files.artifacts(self.results, self.newest, self._counting())
        return Run(
            key=self.key,
            study_key=self.key,
            name=self.study.title,
            status=status_of("FAILED" in states, "KILLED" in states),
            start=self.start,
            end=self.end,
            params=words.study_params(self.study),
            metrics=metrics,
            history={"arms_finished": progress(arms)},
            datasets=(
                datasets.study_file(self.study, self.key),
                *self.mice,
                *self._simulated("outcomes", "colonies"),
            ),
            tags=self._tags("study", self.newest)
            | origin_files.tags(self.results, self.newest)
            | {
                "mlflow.note.content": words.study_note(
                    self.study, self.effects, failures, [a.name for a in kept]
                )
            },
            artifacts=kept,
            child=False,
        )

    def _simulated(self, *tables: str) -> list[datasets.Dataset]:
        """What the comparison read; nothing before it has been made."""
        if not self.compared:
            return []
        arms = len(self.study.arms) - len(self.compared["parameters"].get("missing", ()))
        return [datasets.simulated(self.study, self.key, table, arms) for table in tables]

    def _tags(self, role: str, record: RunRecord) -> dict[str, str]:
        study = self.study
        return common_tags(role, record, study=study.name, seed=study.seed, code=self.code)

    def _files(self, *paths: str, folder: str = "") -> tuple[Artifact, ...]:
        return files(self.results, *paths, folder=folder, made=self.outputs)

    def _counting(self) -> list[RunRecord]:
        """The records whose jobs belong to this study and code."""
        arms = [*self.study.arms, *self.study.swept]  # those of a sweep share its jobs
        simulated = {r["name"]: r for arm in arms for r in self._jobs_of(arm)[0]}
        return [*simulated.values(), *(r for r in self.others if self._of_this_code(r))]


def _interaction(item: Interaction) -> str:
    effect, against = (f"{pair.arm}/{pair.reference}" for pair in (item.effect, item.against))
    return f"{effect} over {against}"
