"""The experiments behind findings: study files, and the arms of them that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.evidence.findings import Finding, read_findings
from nichetrial.study.load import load
from nichetrial.study.resolved import Arm

__all__ = ["arms_of", "experiment_files", "own_files"]


def experiment_files(findings: Sequence[Finding]) -> list[Path]:
    """Their study files, each once."""
    return sorted({f.experiment for f in findings})


def own_files(files: Sequence[str]) -> list[str]:
    """A user's files of findings, and the study files that they name. Raises UserError."""
    findings = [f for file in files for f in read_findings(file)]
    return [*files, *(p.as_posix() for p in experiment_files(findings))]


def arms_of(findings: Sequence[Finding]) -> dict[tuple[Path, str], Arm]:
    """(study file, name) -> arm, of all arms that the findings read. Raises UserError.

    Arms that differ in name alone are one object, so that they need be simulated only once.
    """
    studies = {path: load(path) for path in experiment_files(findings)}
    same: dict[str, Arm] = {}
    found: dict[tuple[Path, str], Arm] = {}
    for f in findings:
        for name in filter(None, (f.arm, f.reference)):
            try:
                arm = studies[f.experiment].arm(name)
            except KeyError:
                known = ", ".join(a.name for a in studies[f.experiment].arms)
                raise UserError(
                    codes.NO_SUCH_ARM,
                    f'finding {f.id} reads the arm "{name}"; the study has {known}',
                    place=str(f.experiment),
                ) from None
            plain = arm.model_copy(update={"name": "arm", "label": ""}).model_dump_json()
            found[f.experiment, name] = same.setdefault(plain, arm)
    return found
