"""What a study makes: the names of its files, and for each job the digest of what it depends on.

The Snakefile asks for this; it holds every decision of the workflow that is more than a path, so
that the decisions can be tested without Snakemake. Light on purpose: each cluster job loads it.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.code import CODE
from nichetrial.pipeline.products import (
    COMPARED,
    COMPARISONS,
    EVIDENCE,
    EVIDENCE_FIGURES,
    FIGURES,
    OF_NO_CALIBRATION,
)
from nichetrial.records.identity import code_digest
from nichetrial.study.layout import Chunk, Layout
from nichetrial.study.resolved import ResolvedStudy, digest

__all__ = ["Plan", "study_file"]


@functools.cache
def _code(stage: str) -> str:
    return code_digest(*CODE[stage])


@dataclass(frozen=True)
class Plan:
    """The jobs of one study. ``missing``: arms to go on without, because their jobs failed."""

    study: ResolvedStudy
    file: str
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, study: ResolvedStudy, file: str, missing: str = "") -> Plan:
        """``missing``: arm names with commas. Raises UserError for one that the study has not."""
        names = tuple(name for name in missing.split(",") if name)
        known = {arm.name for arm in study.arms} | {sweep.name for sweep in study.sweeps}
        for name in names:
            if name not in known:
                raise UserError(
                    codes.NO_SUCH_ARM, f"missing_arms names {name!r}, no arm or sweep of this study"
                )
        return cls(study, file, names)

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the results lie, under the working directory."""
        return Layout.of(self.study.name)

    @property
    def results(self) -> str:
        """The folder of this study's results."""
        return self.layout.results

    @property
    def resolve_digest(self) -> str:
        return self.digest("resolve")

    def is_resolved(self) -> bool:
        """Whether study.json and its record are there and say what the study file says."""
        try:
            written = Path(self.layout.study).read_text(encoding="utf-8")
            recorded = Path(self.layout.record("study/resolve")).is_file()
            return recorded and written == self.study.written()
        except (OSError, ValueError):
            return False

    @property
    def arms(self) -> list[str]:
        """The arms to compare: all that are not missing."""
        return [arm.name for arm in self.study.arms if arm.name not in self.missing]

    @property
    def sweeps(self) -> list[str]:
        """The sweeps to compare: all that are not missing."""
        return [sweep.name for sweep in self.study.sweeps if sweep.name not in self.missing]

    @property
    def figures(self) -> list[str]:
        """The figures of this study: those of sweeps only where a sweep asks for them."""
        return [figure for figure in FIGURES if self.study.asks_for(figure)]

    def asks_for(self, rule: str) -> bool:
        """Whether the study asks for what this rule makes."""
        asked = {"optimise": self.study.optimise, "compare_sweeps": self.study.sweeps}
        return bool(asked.get(rule, True))

    def missing_option(self, figure: str = "") -> list[str]:
        """The words for the command line of a stage; none if no arm that it reads is missing."""
        missing = self._missing_for(figure)
        return ["--missing", *missing] if missing else []

    def _missing_for(self, figure: str) -> tuple[str, ...]:
        """A figure that shows no result of an arm is the same with and without it."""
        shows = set(FIGURES.get(figure, ())) - {"dose_curve"}
        return () if figure and not shows else self.missing

    @functools.cached_property
    def chunks(self) -> list[str]:
        return [chunk.name for chunk in self.study.chunks()]

    @functools.cached_property
    def dose_chunks(self) -> dict[str, str]:
        """Chunk of the dose curve -> the chunk of parameters that holds its mice."""
        dose = self.study.chunks(self.study.figures.dose_mice)
        return {
            small.name: whole.name for small, whole in zip(dose, self.study.chunks(), strict=False)
        }

    def parameters_of_dose(self, mice: str) -> str:
        """The parameter file for a chunk of the dose curve."""
        return self.layout.parameters(self.dose_chunks[mice])

    def simulations(self, *tables: str) -> list[str]:
        """Files of all arms that are not missing; courses only of chunks with course mice."""
        return [
            self.layout.simulation(arm, chunk.name, table)
            for table in tables
            for arm in self.arms
            for chunk in self.study.chunks()
            if table != "courses" or chunk.first < max(self.study.figures.course_mice, 1)
        ]

    def comparison_inputs(self) -> list[str]:
        """The files that the comparison reads: the mice, and their outcomes in every arm."""
        return [*self.mice(), *self.simulations("outcomes"), *self.simulations("courses")]

    def sweep_inputs(self) -> list[str]:
        """The files that the comparison of sweeps reads: their arms, and the reference."""
        reference = self.study.comparisons.reference
        if reference in self.missing or not self.sweeps:
            return []
        swept = [self.layout.sweep(s, mice) for s in self.sweeps for mice in self.chunks]
        outcomes = [self.layout.simulation(reference, mice, "outcomes") for mice in self.chunks]
        return [*swept, *outcomes]

    def experiment_inputs(self) -> list[str]:
        """The simulated experiments of all arms."""
        kinds = ("groups", "twins")
        return [self.layout.experiments(arm, kind) for arm in self.arms for kind in kinds]

    def mice(self) -> list[str]:
        """The files of all mice."""
        return [self.layout.parameters(mice) for mice in self.chunks]

    def rejections(self) -> list[str]:
        """The tables of implausible draws, one a chunk."""
        return [self.layout.rejections(mice) for mice in self.chunks]

    def pictures(self, *figures: str) -> list[str]:
        """The files of figures (all)."""
        formats = self.study.figures.formats
        return [
            self.layout.figure(figure, kind)
            for figure in figures or self.figures
            for kind in formats
        ]

    def comparisons(self, *rules: str) -> list[str]:
        """The files that these rules (all that the study asks for) write to comparisons/."""
        tables = [
            self.layout.comparison(table, kind)
            for rule in rules or filter(self.asks_for, COMPARISONS)
            for table in COMPARISONS[rule]
            for kind in ("parquet", "csv")
        ]
        return [*tables, self.layout.metrics] if not rules or "compare" in rules else tables

    def lost(self) -> list[str]:
        """Files that are gone though something was made of them; a run makes them again.

        Of what was not made yet, the jobs to come ask for their inputs themselves: were all files
        named as targets, a run of ten thousand jobs would take twice the memory to plan.
        """
        shown = [*self.comparisons(), *self.pictures()]
        used: dict[str, Callable[[], list[str]]] = {
            self.comparisons("compare")[-1]: self.comparison_inputs,
            self.comparisons("compare_sweeps")[-1]: self.sweep_inputs,
            self.comparisons("power")[-1]: self.experiment_inputs,
            **{
                self.pictures(figure)[0]: functools.partial(self.figure_inputs, figure)
                for figure in self.figures
            },
            self.layout.page: lambda: [*shown, *self.rejections()],
            self.layout.receipt: lambda: [*shown, self.layout.page],
        }
        made_of = [files() for product, files in used.items() if os.path.exists(product)]
        needed = dict.fromkeys(file for files in made_of for file in files)
        return [file for file in needed if not os.path.exists(file)]

    def figure_inputs(self, figure: str) -> list[str]:
        """The files one figure reads, besides the study."""
        files: list[str] = []
        for table in FIGURES[figure]:
            if table in COMPARED:
                files.append(self.layout.comparison(table))
            elif table == "dose_curve":
                files += [self.layout.dose_curve(mice) for mice in self.dose_chunks]
            else:
                files += self.simulations(table)
        return files

    def findings(self, *keys: str) -> list[str]:
        """The user's files of findings under these keys, and the study files that they name."""
        files: dict[str, None] = {}
        for name in (n for key in keys for n in getattr(self.study.calibration, key)):
            files[name] = None
            try:
                with open(name, newline="", encoding="utf-8-sig") as stream:
                    named = {row.get("experiment") for row in csv.DictReader(stream)}
            except (OSError, UnicodeDecodeError, csv.Error):
                continue  # the stage tells what is wrong with it
            studies = [Path(name).parent / f"{e}.yaml" for e in named]
            files |= dict.fromkeys(sorted(p.as_posix() for p in studies if p.is_file()))
        return list(files)

    @property
    def population(self) -> list[str]:
        """The file that mice are drawn from, if a job of this study makes it."""
        return [self.own_population] if self.study.cohort.population == "own" else []

    @property
    def own_population(self) -> str:
        """The population that this study's own calibration makes."""
        return self.layout.evidence.table("full/population")

    def particles(self, variant: str, generation: int) -> list[str]:
        """The files of one generation of a calibration; none before the first."""
        if generation < 0:
            return []
        return [
            self.layout.evidence.particles(variant, f"{generation:03d}", chunk.name)
            for chunk in self.study.calibration.chunks()
        ]

    def all_particles(self, variant: str) -> list[str]:
        """The files of all generations, in order."""
        count = self.study.calibration.generations + 1
        return [file for g in range(count) for file in self.particles(variant, g)]

    def evidence_inputs(self, *figures: str) -> list[str]:
        """The files that figures of the calibration read (all), besides the study."""
        tables = [t for figure in figures or EVIDENCE_FIGURES for t in EVIDENCE_FIGURES[figure]]
        spec, files = self.study.calibration, []
        for table in dict.fromkeys(tables):
            if table == "findings":
                files += [*spec.fit, *spec.predict]
            elif table == "generations":
                files += [self.layout.evidence.table(f"{v}/generations") for v in spec.variants]
            else:
                files.append(self.layout.evidence.table(table))
        return files

    @property
    def evidence_figures(self) -> tuple[str, ...]:
        """The names of the figures of the calibration."""
        return tuple(EVIDENCE_FIGURES)

    def evidence_pictures(self) -> list[str]:
        """The figures of the calibration, in the formats that the study asks for."""
        return [
            self.layout.evidence.figure(figure, kind)
            for figure in EVIDENCE_FIGURES
            for kind in self.study.figures.formats
        ]

    def digest(
        self,
        stage: str,
        arm: str = "",
        mice: str = "",
        figure: str = "",
        variant: str = "",
        code: str | None = None,
    ) -> str:
        """SHA-256 of everything a job depends on besides its input files; ``code``: the digest of
        its code, if not of the one that is here.

        It is among the job's ``params``: a job runs again when this changes. study.json, which
        changes with every word of the study, is no input of any job.
        """
        return digest(
            [stage, self._depends_on(stage, arm, mice, figure, variant), code or _code(stage)]
        )

    def _depends_on(self, stage: str, arm: str, mice: str, figure: str, variant: str) -> Any:
        study = self.study
        if stage in EVIDENCE:
            spec = study.calibration.model_dump(mode="json", include=EVIDENCE[stage])
            own = {"sensitivity": [study.arms, study.comparisons],
                   "contradiction": [study.experiment, study.figures.dose_folds]}  # fmt: skip
            return [study.seed, variant, spec, own.get(stage)]
        if stage == "resolve":
            return study
        if stage == "parameters":
            return [study.seed, study.cohort.overrides, study.cohort.population]
        if stage == "simulate":
            return [study.seed, study.arm(arm), self._course_mice(mice)]
        if stage == "dose-curve":
            return [study.seed, study.dose_curve]
        if stage == "sweep":
            return [study.seed, study.sweep(arm).arms]
        if stage == "experiments":
            size = max(study.power.sizes)
            return [study.seed, study.arm(arm), study.cohort.overrides, study.cohort.population,
                    study.power.experiments, size]  # fmt: skip
        if stage == "power":
            names = [a.name for a in study.arms]
            return [study.seed, names, study.power, study.comparisons, self.missing]
        if stage == "compare-sweeps":
            return [study.seed, study.sweeps, study.comparisons, study.cohort.mice, self.missing]
        if stage == "optimise":
            asked = study.optimise
            two = [study.arm(study.comparisons.reference), study.arm(asked.arm)] if asked else []
            return [study.seed, asked, two, study.comparisons, study.cohort.mice]
        if stage == "compare":
            arms = [
                [a.name, a.label, a.readout, a.treatments, a.host, a.vector] for a in study.arms
            ]
            return [study.seed, arms, study.comparisons, study.cohort, self.missing]
        if figure in EVIDENCE_FIGURES or stage == "evidence-report":
            return [figure, study.model_dump(mode="json", exclude=OF_NO_CALIBRATION)]
        if stage == "figure":
            drawn = study.model_dump(mode="json", exclude={"tracking", "question"})
            return [figure, drawn, self._missing_for(figure)]
        if stage == "report":
            return [study.model_dump(mode="json", exclude={"tracking"}), self.missing]
        return [study, self.missing]

    def _course_mice(self, mice: str) -> int:
        """How many mice of a chunk keep their time courses."""
        chunk = Chunk.named(mice)
        return max(0, min(self.study.figures.course_mice, chunk.last + 1) - chunk.first)


def study_file(files: Sequence[str | Path], default: str) -> str:
    """The one study file that Snakemake was given, relative to the working directory if below."""
    if len(files) > 1:
        raise UserError(
            codes.USAGE, "one study file at a time: --configfile was given more than once"
        )
    path = Path(files[0]) if files else Path(default)
    here = Path.cwd()
    return (
        str(path.relative_to(here))
        if path.is_absolute() and path.is_relative_to(here)
        else str(path)
    )
