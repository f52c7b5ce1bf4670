"""MLflow's server touches files below one folder only, whatever a client or a store says.

Why: MLflow lets a client choose where the files of an experiment lie (``artifact_location``), and
follows links there, so it reads and writes whatever the account of the server may. Everything it
opens comes from its registry of repositories, so that is where the fence stands.

Seen to fit: MLflow 3.17.2. Canary: tests/security/test_servers.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nichetrial import codes

__all__ = ["fence"]

SCHEMES = ("", "file")

UNFINISHED = ".artifact.uploading."
"""How the name of a file begins that MLflow is still writing."""


def fence(root: Path) -> None:
    """From here on, this process opens no file of a run outside ``root``, and asks no other host
    for one; nor does it let a client say where files shall be.

    Raises: AttributeError or ImportError if MLflow is not as it was; then there must be no server.
    """
    from mlflow.store.artifact import artifact_repository_registry as registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    known: dict[str, Any] = registry.get_registered_artifact_repositories()
    for scheme in list(known):
        known[scheme] = _refused
    known.update(dict.fromkeys(SCHEMES, _inside(root)))
    SqlAlchemyStore.create_experiment = _chosen_here(  # type: ignore[method-assign]
        SqlAlchemyStore.create_experiment
    )


def _error(message: str) -> Exception:
    from mlflow.exceptions import MlflowException

    return MlflowException.invalid_parameter_value(message)


def _refused(artifact_uri: str, **_: Any) -> Any:
    raise _error(f"{codes.FILES_ELSEWHERE} this server keeps files in its own folder only")


def _chosen_here(create: Callable[..., str]) -> Callable[..., str]:
    """``create_experiment`` of a store for those who do not say where its files shall be."""

    def create_experiment(
        self: Any, name: str, artifact_location: str | None = None, tags: Any = None
    ) -> str:
        if artifact_location:
            raise _error(
                f"{codes.FILES_ELSEWHERE} this server chooses where files are kept; "
                "leave artifact_location out"
            )
        return create(self, name, tags=tags)

    return create_experiment


def _inside(root: Path) -> type:
    """MLflow's repository of local files, for those below ``root``."""
    from mlflow.entities import FileInfo
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    top = os.path.realpath(root)

    def within(path: str) -> bool:
        """Whether all links on the way, and the last one, end below the root."""
        return os.path.realpath(path).startswith(os.path.join(top, ""))

    class Inside(LocalArtifactRepository):
        """Each public way in asks first; ``path`` is below the repository's folder."""

        def _ask(self, path: str | None = None, *, top_too: bool = True) -> None:
            whole = os.path.join(self.artifact_dir, path) if path else self.artifact_dir
            if not (within(whole) or (top_too and os.path.realpath(whole) == top)):
                raise _error(f"{codes.FILES_ELSEWHERE} this is outside the folder of the server")

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._ask()

        def get_local_path(self, artifact_path: str) -> str:
            self._ask(artifact_path)
            return super().get_local_path(artifact_path)

        def _get_destination_artifact_path(
            self, artifact_file_name: str, artifact_path: str | None = None
        ) -> tuple[str, str]:
            self._ask(artifact_path)
            self._ask(os.path.join(artifact_path or "", os.path.basename(artifact_file_name)))
            return super()._get_destination_artifact_path(artifact_file_name, artifact_path)

        def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
            raise _error(f"{codes.FILES_ELSEWHERE} a folder of the server cannot be given to a run")

        def list_artifacts(self, path: str | None = None) -> list[Any]:
            """MLflow's own fails on a link that leads nowhere, and says how large a file is that
            a link leads to."""
            self._ask(path)
            folder = Path(self.artifact_dir, path or "")
            inside = [p for p in folder.glob("*") if within(str(p)) and p.exists()]
            return [
                FileInfo(
                    p.relative_to(self.artifact_dir).as_posix(),
                    p.is_dir(),
                    None if p.is_dir() else p.stat().st_size,
                )
                for p in sorted(inside)
                if not p.name.startswith(UNFINISHED)
            ]

        def _download_file(self, remote_file_path: str, local_path: str) -> None:
            self._ask(remote_file_path)
            super()._download_file(remote_file_path, local_path)

        def delete_artifacts(self, artifact_path: str | None = None) -> None:
            self._ask(artifact_path, top_too=False)
            super().delete_artifacts(artifact_path)

        def download_trace_data(self) -> dict[str, Any]:
            raise _error(f"{codes.FILES_ELSEWHERE} this server keeps no traces")

    return Inside
