"""What is kept of where a run comes from: the commit, the uncommitted code, the study, the lock."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from nichetrial.errors import UserError
from nichetrial.launch import keep_origin as start
from nichetrial.records import git, identity, origin
from nichetrial.records.jobs import jobs_of, read_jobs, write_jobs
from nichetrial.records.stored import read_records
from nichetrial.records.uncommitted import uncommitted
from tests.support.tracked import PARENT, build, planned


def said(root: Path, *words: str) -> bytes:
    return git.ask(root, *words)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit of a little code."""
    root = tmp_path / "repository"
    (root / "workflow").mkdir(parents=True)
    (root / "envs").mkdir()
    (root / "Snakefile").write_text("rule all:\n")
    (root / "workflow" / "a.py").write_text("a = 1\n")
    (root / "workflow" / "gone.py").write_text("b = 1\n")
    (root / "envs" / "requirements.txt").write_text("numpy==2.0\n")
    (root / ".gitignore").write_text("*.log.py\n")
    (root / "README.md").write_text("read me\n")
    said(root, "init", "-q")
    said(root, "add", ".")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    said(root, *who, "commit", "-qm", "one")
    return root


def restored(root: Path, diff: bytes, to: Path) -> Path:
    """The commit of ``root`` with the diff, as `nichetrial reproduce` makes it."""
    said(root, "clone", "-q", str(root), str(to))
    patch = to.parent / "it.diff"
    patch.write_bytes(diff)
    said(to, "apply", str(patch))
    return to


def test_a_clean_checkout_has_no_diff(checkout: Path) -> None:
    (checkout / "README.md").write_text("words change no run\n")
    found = uncommitted(checkout)
    assert found.diff == b""
    assert found.left_out == ()
    assert found.commit == said(checkout, "rev-parse", "HEAD").decode().strip()


def test_the_diff_brings_back_what_was_changed_added_and_removed(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "workflow" / "a.py").write_text("a = 2\n")
    (checkout / "workflow" / "new name.py").write_text("c = 'é'")
    (checkout / "workflow" / "table.parquet").write_bytes(bytes(range(256)))
    (checkout / "workflow" / "gone.py").unlink()
    said(checkout, "add", "workflow/a.py")  # staged or not makes no difference
    before = said(checkout, "status", "--porcelain"), said(checkout, "count-objects")
    copy = restored(checkout, uncommitted(checkout).diff, tmp_path / "copy")
    assert (said(checkout, "status", "--porcelain"), said(checkout, "count-objects")) == before
    assert (copy / "workflow" / "a.py").read_text() == "a = 2\n"
    assert (copy / "workflow" / "new name.py").read_text() == "c = 'é'"
    assert (copy / "workflow" / "table.parquet").read_bytes() == bytes(range(256))
    assert not (copy / "workflow" / "gone.py").exists()


def test_the_diff_has_nothing_but_code(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "key.py").write_text("outside")
    (checkout / "workflow" / "link.py").symlink_to(tmp_path / "key.py")
    (checkout / "workflow" / "made.log.py").write_text("ignored")
    (checkout / "workflow" / "id_rsa").write_text("a key")
    (checkout / "notes.py").write_text("beside the code")
    assert uncommitted(checkout).diff == b""


@pytest.mark.parametrize(
    "line", ["server = 'http://me:hunter22@example.org'", "password = 'from-the-environment'"]
)
def test_a_file_with_a_secret_is_left_out(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "from-the-environment")
    (checkout / "workflow" / "a.py").write_text("a = 2\n")
    (checkout / "workflow" / "secret.py").write_text(f"{line}\n")
    found = uncommitted(checkout)
    assert b"a = 2" in found.diff
    assert line.encode() not in found.diff
    assert found.left_out == ("workflow/secret.py",)


def test_of_a_diff_that_is_too_large_the_largest_files_are_left_out(checkout: Path) -> None:
    (checkout / "workflow" / "a.py").write_text("a = 2\n")
    (checkout / "workflow" / "large.py").write_text("x\n" * 5000)
    found = uncommitted(checkout, largest=2000)
    assert b"a = 2" in found.diff
    assert found.left_out == ("workflow/large.py",)


def test_git_is_asked_without_what_the_user_has_set(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert git.state(checkout) == (said(checkout, "rev-parse", "HEAD").decode().strip(), False)
    (checkout / "workflow" / "a.py").write_text("a = 2\n")
    assert git.state(checkout)[1] is True
    assert git.state(tmp_path) == git.state(None) == (None, None)


# --- with the results and in MLflow ---------------------------------------------------------------


@pytest.fixture
def kept(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results of a run whose start was from ``checkout``, with a change."""
    monkeypatch.chdir(tmp_path)
    (checkout / "workflow" / "a.py").write_text("a = 2\n")
    monkeypatch.setattr(identity, "checkout", lambda: checkout)
    return _run_from(tmp_path)


def _run_from(folder: Path) -> Path:
    (folder / "studies").mkdir()
    (folder / "studies" / "small.yaml").write_text("study: {name: small}\n")
    (folder / "studies" / "mine.csv").write_text("finding\n")
    results = build(folder)
    plan = SimpleNamespace(
        results="results/small", file="studies/small.yaml", findings=lambda *_: ["studies/mine.csv"]
    )
    dag = SimpleNamespace(jobs=_jobs(), dependencies=_Dependencies())
    start.keep(plan, dag)  # type: ignore[arg-type]
    return results


class _Job:
    def __init__(self, rule: str, *made_by: _Job) -> None:
        self.rule, self.made_by = SimpleNamespace(name=rule), made_by


class _Dependencies:
    def __getitem__(self, job: _Job) -> tuple[_Job, ...]:
        return job.made_by


def _jobs() -> list[_Job]:
    mice = [_Job("parameters"), _Job("parameters")]
    arms = [_Job("simulate", made) for made in mice]
    return [*mice, *arms, _Job("track", *arms)]


def test_the_parent_run_holds_all_that_is_needed_to_make_it_again(kept: Path) -> None:
    run = planned(kept)[PARENT]
    names = {a.name: a.path for a in run.artifacts}
    wanted = {
        "provenance/origin.json",
        "provenance/uncommitted.diff",
        "provenance/jobs.json",
        "provenance/study/studies/small.yaml",
        "provenance/study/studies/mine.csv",
        "envs/requirements.txt",
    }
    assert wanted <= names.keys()
    assert b"+a = 2" in names["provenance/uncommitted.diff"].read_bytes()
    assert run.tags["nichetrial.code_diff"] == "kept"
    assert not any("provenance" in a.name for a in planned(kept)["TIMP-1 high"].artifacts)


def test_a_run_without_git_says_so(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(checkout / ".git")
    monkeypatch.setattr(identity, "checkout", lambda: checkout)
    run = planned(_run_from(tmp_path))[PARENT]
    assert run.tags["nichetrial.code_diff"] == "no git"
    assert "provenance/uncommitted.diff" not in {a.name for a in run.artifacts}
    assert origin.read_origin(tmp_path / "results/small/origin/origin.json").commit is None


def test_an_installed_package_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(identity, "checkout", lambda: None)
    run = planned(_run_from(tmp_path))[PARENT]
    assert run.tags["nichetrial.code_diff"] == "no git"


def test_what_was_kept_of_other_code_is_not_taken_for_that_of_the_run(kept: Path) -> None:
    path = kept / "origin" / "origin.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"science": {"model": "other"}}))
    run = planned(kept)[PARENT]
    assert run.tags["nichetrial.code_diff"] == "not kept"
    assert "provenance/uncommitted.diff" not in {a.name for a in run.artifacts}


def test_a_second_start_removes_what_no_longer_holds(kept: Path, checkout: Path) -> None:
    said(checkout, "checkout", "-q", "--", ".")
    shutil.rmtree(kept.parents[1] / "studies")
    _run_from(kept.parents[1])
    assert planned(kept)[PARENT].tags["nichetrial.code_diff"] == "none"
    assert not (kept / "origin" / "uncommitted.diff").exists()


def test_a_run_goes_on_where_nothing_can_be_kept(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(kept / "origin")
    (kept / "origin").write_text("in the way")
    shutil.rmtree(kept.parents[1] / "studies")
    _run_from(kept.parents[1])
    assert "could not be kept" in capsys.readouterr().err


def test_the_graph_of_rules_is_kept(kept: Path) -> None:
    assert json.loads((kept / "origin" / "rules.json").read_text()) == {
        "rules": {"parameters": 2, "simulate": 2, "track": 1},
        "edges": [["parameters", "simulate"], ["simulate", "track"]],
    }


def test_jobs_are_written_and_read_back(kept: Path, tmp_path: Path) -> None:
    found = jobs_of(read_records(kept))
    write_jobs(found, tmp_path / "jobs.json")
    assert read_jobs(tmp_path / "jobs.json") == found
    assert len(found) == 2 + 6 + 1 + 1 + 2 + 1
    (tmp_path / "jobs.json").write_text('{"jobs": [{}], "environments": []}')
    with pytest.raises(UserError, match="not a list of jobs"):
        read_jobs(tmp_path / "jobs.json")


def test_the_processor_and_versions_are_those_of_the_record(kept: Path) -> None:
    environment = jobs_of(read_records(kept))[0].environment
    assert environment["processor"]
    assert environment["packages"]["numpy"]


def test_git_that_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(git.GitError, match="not a git repository") as told:
        git.ask(tmp_path, "rev-parse", "HEAD")
    assert "\n" not in str(told.value)
    assert isinstance(told.value.__cause__, subprocess.CalledProcessError)
