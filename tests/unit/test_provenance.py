"""What is kept of a run's code, how runs are compared, and pictures of rules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.figures.rule_graph import direct, draw, layers
from nichetrial.launch.keep_origin import keep, rule_graph
from nichetrial.pipeline.plan import Plan
from nichetrial.provenance.difference import differences, flat, in_words, table
from nichetrial.provenance.past_run import Account
from nichetrial.provenance.restore import lacking, restore_code
from nichetrial.records import identity
from nichetrial.records.jobs import Job, read_jobs, write_jobs
from nichetrial.records.origin import DIFF, FOLDER, ORIGIN, Origin, read_origin
from nichetrial.records.uncommitted import uncommitted
from nichetrial.study.load import load


def git(root: Path, *words: str) -> str:
    told = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout


@pytest.fixture
def repository(tmp_path) -> Path:
    root = tmp_path / "code"
    (root / "workflow" / "nichetrial").mkdir(parents=True)
    (root / "envs").mkdir()
    (root / "Snakefile").write_text("rule all:\n")
    (root / "workflow" / "nichetrial" / "a.py").write_text("A = 1\n")
    (root / "workflow" / "nichetrial" / "gone.py").write_text("B = 1\n")
    (root / "envs" / "requirements.txt").write_text("numpy==2.0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "notes.txt").write_text("mine\n")
    (root / ".gitignore").write_text("secret.py\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_code_as_committed_has_no_diff(repository):
    found = uncommitted(repository)
    assert found.diff == b""
    assert found.commit == git(repository, "rev-parse", "HEAD").strip()


def test_changed_new_and_deleted_code_is_in_the_diff_and_nothing_else(repository):
    package = repository / "workflow" / "nichetrial"
    (package / "a.py").write_text("A = 2\n")
    (package / "new.py").write_text("C = 3\n")
    (package / "gone.py").unlink()
    (package / "secret.py").write_text("PASSWORD = 'x'\n")
    (package / "key.pem").write_text("private\n")
    (repository / "notes.txt").write_text("changed\n")
    (package / "link.py").symlink_to("/etc/passwd")
    before = git(repository, "status", "--porcelain")
    found = uncommitted(repository)
    text = found.diff.decode()
    assert all(word in text for word in ("A = 2", "C = 3", "gone.py"))
    assert not any(word in text for word in ("PASSWORD", "private", "changed", "passwd"))
    assert git(repository, "status", "--porcelain") == before


def test_a_change_in_the_second_of_the_commit_is_seen(repository):
    """Git tells it only by the time of its index, and a copy of that must not look younger."""
    git(repository, "config", "core.trustctime", "false")
    file, index = repository / "workflow" / "nichetrial" / "a.py", repository / ".git" / "index"
    at = file.stat().st_mtime_ns - 10**10
    os.utime(file, ns=(at, at))
    git(repository, "add", "-A")
    file.write_text("A = 2\n")
    for path in (file, index):
        os.utime(path, ns=(at, at))
    assert b"A = 2" in uncommitted(repository).diff


def test_what_was_kept_restores_the_code(repository, tmp_path, monkeypatch):
    package = repository / "workflow" / "nichetrial"
    (package / "a.py").write_text("A = 2\n")
    (package / "new.py").write_bytes(b"D = '\xc3\xa4'\n")
    found = uncommitted(repository)
    (tmp_path / DIFF).write_bytes(found.diff)
    (package / "a.py").write_text("A = 3\n")  # it went on since
    monkeypatch.setattr("nichetrial.provenance.restore.checkout", lambda: repository)
    origin = Origin(
        study_file="s.yaml",
        files={},
        commit=found.commit,
        diff="x",
        left_out=(),
        science={},
        lock_digest="",
    )
    to = tmp_path / "again"
    restore_code(origin, tmp_path / DIFF, to)
    assert (to / "workflow" / "nichetrial" / "a.py").read_text() == "A = 2\n"
    assert (to / "workflow" / "nichetrial" / "new.py").read_bytes() == b"D = '\xc3\xa4'\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"commit": None}, "in no git repository"),
        ({"commit": "0" * 40}, "does not have the commit 000000000000"),
        ({"left_out": ("big.csv",)}, "large or had a secret in them: big.csv"),
    ],
)
def test_code_that_cannot_be_restored_is_told(repository, tmp_path, monkeypatch, changes, told):
    monkeypatch.setattr("nichetrial.provenance.restore.checkout", lambda: repository)
    content = {
        "study_file": "s",
        "files": {},
        "commit": "0" * 40,
        "diff": "",
        "left_out": (),
        "science": {},
        "lock_digest": "",
        **changes,
    }
    with pytest.raises(UserError, match=told):
        restore_code(Origin(**content), tmp_path / DIFF, tmp_path / "again")


def test_without_git_it_is_git_that_is_lacking(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("nichetrial.provenance.restore.checkout", lambda: repository)
    monkeypatch.setenv("PATH", str(tmp_path))
    origin = Origin(
        study_file="s", files={}, commit="0" * 40, diff="", left_out=(), science={}, lock_digest=""
    )
    with pytest.raises(UserError) as refused:
        restore_code(origin, tmp_path / DIFF, tmp_path / "again")
    assert refused.value.code == codes.NOT_INSTALLED


def test_a_large_diff_is_cut_by_whole_files_and_says_so(repository):
    package = repository / "workflow" / "nichetrial"
    (package / "a.py").write_text("A = 2\n")
    (package / "big.csv").write_text("1,2\n" * 1000)
    found = uncommitted(repository, largest=1000)
    assert found.left_out == ("workflow/nichetrial/big.csv",)
    assert b"A = 2" in found.diff


class _Rule:
    def __init__(self, name: str) -> None:
        self.name = name


class _Job:
    def __init__(self, name: str) -> None:
        self.rule = _Rule(name)


class _Dag:
    def __init__(self) -> None:
        first, second, last = _Job("simulate"), _Job("simulate"), _Job("track")
        self.jobs = [first, second, last]
        self.dependencies = {first: {}, second: {}, last: {first: {}, second: {}}}


def test_what_is_kept_when_a_run_starts(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    text = Path("config.yaml").read_text()
    (tmp_path / "sub" / "my.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    plan = Plan.of(load("sub/my.yaml"), "sub/my.yaml")
    keep(plan, _Dag())
    folder = Path(plan.results, FOLDER)
    origin = read_origin(folder / ORIGIN)
    assert origin.study_file == "sub/my.yaml"
    assert (folder / "study" / "sub" / "my.yaml").read_text() == text
    assert origin.science == identity.science()
    assert identity.file_digest(folder / "requirements.txt") == origin.lock_digest
    stamp = (folder / ORIGIN).stat().st_mtime_ns
    keep(plan, _Dag())
    assert (folder / ORIGIN).stat().st_mtime_ns == stamp
    assert rule_graph(_Dag()) == {
        "rules": {"simulate": 2, "track": 1},
        "edges": [["simulate", "track"]],
    }


def test_jobs_are_read_as_they_were_written(tmp_path):
    jobs = [
        Job(
            stage="simulate",
            name=f"a/{k}",
            inputs={"i": "1"},
            outputs={f"o{k}": "2"},
            code_digest="c",
            environment={"python": "3"},
        )
        for k in range(3)
    ]
    write_jobs(jobs, tmp_path / "jobs.json")
    assert read_jobs(tmp_path / "jobs.json") == jobs
    (tmp_path / "jobs.json").write_text("[]")
    with pytest.raises(UserError, match="not a list of jobs"):
        read_jobs(tmp_path / "jobs.json")


def account(**changes) -> Account:
    arm = {"name": "a", "label": "A", "treatments": [{"drug": "x", "amount": 1.0}]}
    job = Job(
        stage="simulate",
        name="a/particles-0",
        inputs={"findings.csv": "f" * 64},
        outputs={"results/s/simulations/a/mice.parquet": "1" * 64},
        code_digest="c",
        environment={"python": "3.11", "packages": {"numpy": "2.0"}},
    )
    given = {
        "name": "S",
        "place": "results/s",
        "study": "s",
        "lock": "l",
        "jobs": (job,),
        "code": {"engine": "e" * 64, "commit": "123"},
        "config": {"name": "s", "seed": 1, "cohort": {"mice": 5}, "arms": [arm]},
        "effects": (
            {
                "arm": "a",
                "reference": "b",
                "outcome": "foci",
                "ratio": "0.5",
                "ratio_low": "0.4",
                "ratio_high": "0.6",
            },
        ),
    }
    return Account(**(given | changes))


def test_the_same_run_has_no_difference():
    assert differences(account(), account()) == []
    assert "They are equal" in in_words(account(), account(), [])


def test_each_part_in_which_runs_differ_is_told():
    one = account()
    job = one.jobs[0]
    arms = [{"name": "a", "label": "A", "treatments": [{"drug": "x", "amount": 2.0}]}]
    other = account(
        place="results/other/s",
        config={**one.config, "arms": arms},
        code={"engine": "d" * 64, "commit": "123"},
        jobs=(
            Job(
                stage=job.stage,
                name=job.name,
                inputs={"findings.csv": "0" * 64},
                outputs={"elsewhere/s/simulations/a/mice.parquet": "2" * 64},
                code_digest="c",
                environment={"python": "3.12", "packages": {"numpy": "2.0"}},
            ),
        ),
        effects=({**one.effects[0], "ratio": "0.7"},),
    )
    rows = differences(one, other)
    assert [(r.part, r.what, r.a, r.b) for r in rows] == [
        ("study", "arms.a.treatments.0.amount", "1.0", "2.0"),
        ("code", "engine", "e" * 12, "d" * 12),
        ("environment", "python", "3.11", "3.12"),
        ("data", "findings.csv", "f" * 12, "0" * 12),
        ("results", "simulations/a/mice.parquet", "1" * 12, "2" * 12),
        ("results", "foci of a / b", "0.50 (0.40 to 0.60)", "0.70 (0.40 to 0.60)"),
    ]
    told = in_words(one, other, rows)
    assert "The study: 1 difference." in told
    assert "The results: 2 differences." in told
    assert "amount" in table(rows)


def test_results_that_differ_for_no_reason_are_called_so():
    job = account().jobs[0]
    other = account(jobs=(Job(**(vars(job) | {"outputs": dict.fromkeys(job.outputs, "9" * 64)})),))
    rows = differences(account(), other)
    assert "Nothing that nichetrial knows of explains" in in_words(account(), other, rows)


def test_an_arm_is_its_part_of_the_study():
    arm = account().of_arm("a")
    assert arm.config["arm"]["label"] == "A"
    assert [job.name for job in arm.jobs] == ["a/particles-0"]
    with pytest.raises(UserError, match="no arm 'b'; it has a"):
        account().of_arm("b")


@pytest.mark.slow
@given(
    st.recursive(
        st.integers() | st.none(),
        lambda inner: (
            st.dictionaries(st.text("abc", min_size=1), inner, min_size=1)
            | st.lists(inner, min_size=1)
        ),
    )
)
def test_leaves_are_equal_exactly_if_the_values_are(value):
    assert flat(value) == flat(value)
    assert flat([value, 1]) != flat([value, 2])


def test_packages_that_differ_from_a_lock_are_told(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "pytest==0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\n"
        'colorama==0.4 ; sys_platform == "win32" \\\n    --hash=sha256:00\n'
    )
    first, second = lacking(lock)
    assert first.startswith("pytest 0.1 (here: ")
    assert second == "no-such-package 1.0 (here: not installed)"
    assert lacking(Path("envs/requirements.txt")) == []


EDGES = [["a", "b"], ["b", "c"], ["a", "c"], ["d", "c"]]


def test_rules_stand_behind_what_they_read():
    assert layers(["a", "b", "c", "d"], EDGES) == [["a", "d"], ["b"], ["c"]]
    assert direct(EDGES) == [("a", "b"), ("b", "c"), ("d", "c")]
    with pytest.raises(ValueError, match="circle"):
        layers(["a", "b"], [["a", "b"], ["b", "a"]])


def test_the_picture_names_every_rule_and_its_jobs():
    graph = {"rules": {"a": 1, "b": 2000, "c": 1, "d": 3, "all": 1}, "edges": EDGES}
    words = [t.get_text() for t in draw(graph).findobj(lambda x: hasattr(x, "get_text"))]
    assert {"a", "b", "c", "d", "1 job", "2,000 jobs"} <= set(words)
    assert "all" not in words
