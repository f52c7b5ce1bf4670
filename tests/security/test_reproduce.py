"""``nichetrial reproduce`` runs code that a store names: only what a user has seen and accepted."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nichetrial import codes
from nichetrial.commands import reproduce
from nichetrial.errors import UserError
from nichetrial.launch import process
from nichetrial.provenance.trust import check_difference, description
from nichetrial.records import git
from nichetrial.records.identity import checkout
from nichetrial.records.jobs import read_jobs
from nichetrial.records.origin import DIFF, IN_MLFLOW, STUDY, Origin, read_origin

HEAD = git.state(checkout())[0]
in_a_repository = pytest.mark.skipif(HEAD is None, reason="not in a git repository")
TEXT = "study: {name: small}\n"


def origin(**changes) -> dict:
    content = {
        "study_file": "study.yaml",
        "files": {"study.yaml": hashlib.sha256(TEXT.encode()).hexdigest()},
        "commit": HEAD or "0" * 40,
        "diff": "",
        "left_out": [],
        "science": {"model": "0"},
        "lock_digest": "0",
    }
    return content | changes


def digests(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "0" * 64)


@pytest.mark.parametrize(
    "changes",
    [
        {"study_file": "--snakefile=/tmp/other.smk"},
        {"study_file": "-x.yaml"},
        {"study_file": "a/--config"},
        {"study_file": "/etc/passwd"},
        {"study_file": "../study.yaml"},
        {"study_file": "a/../../study.yaml"},
        {"study_file": "a//b.yaml"},
        {"study_file": ""},
        {"study_file": "a\nb.yaml"},
        {"study_file": "a\x1b[2Jb.yaml"},
        {"study_file": "a\\b.yaml"},
        {"study_file": ["study.yaml"]},
        {"files": digests("../x")},
        {"files": digests("/x")},
        {"files": digests("--x")},
        {"files": {"study.yaml": "short"}},
        {"files": None},
        {"commit": "HEAD"},
        {"commit": "--upload-pack=x"},
        {"commit": "0" * 39},
        {"commit": "G" * 40},
        {"commit": ["0" * 40]},
        {"diff": "../x"},
        {"left_out": "none"},
        {"science": {"a": {}}},
        {"hook": "x"},
    ],
    ids=str,
)
def test_what_a_store_says_is_data(changes, tmp_path):
    path = tmp_path / "origin.json"
    path.write_text(json.dumps(origin(**changes)))
    with pytest.raises(UserError) as caught:
        read_origin(path)
    assert (caught.value.code, caught.value.place) == (codes.NO_ORIGIN, str(path))


def test_a_sound_one_is_read(tmp_path):
    path = tmp_path / "origin.json"
    path.write_text(json.dumps(origin()))
    assert read_origin(path).study_file == "study.yaml"


@pytest.mark.parametrize("path", ["../x", "/x", "--cores=9", "results/../../x", ""])
def test_no_target_leads_out_or_is_an_option(path, tmp_path):
    job = {
        "stage": "s",
        "name": "n",
        "inputs": {},
        "outputs": {path: "0"},
        "code_digest": "0",
        "environment": 0,
    }
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps({"environments": [{}], "jobs": [job]}))
    with pytest.raises(UserError) as caught:
        read_jobs(file)
    assert caught.value.code is codes.NO_JOBS


# The difference


def difference(name: str, *header: str) -> str:
    return "\n".join(
        [
            f"diff --git a/{name} b/{name}",
            *header,
            f"--- a/{name}",
            f"+++ b/{name}",
            "@@ -1 +1 @@",
            "-a",
            "+b",
            "",
        ]
    )


def created(name: str, mode: str) -> str:
    return (
        f"diff --git a/{name} b/{name}\nnew file mode {mode}\nindex 0000000..1111111\n"
        f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+/etc/passwd\n"
    )


REFUSED = {
    "outside the code": difference("README.md"),
    "above the tree": difference("../x"),
    "an absolute path": difference("/etc/passwd"),
    "a hook": created(".git/hooks/post-checkout", "100755"),
    "a hook inside": created("workflow/.git/hooks/post-checkout", "100755"),
    "a link": created("workflow/link", "120000"),
    "a submodule": created("workflow/sub", "160000"),
    "a mode": difference("Snakefile", "old mode 100644", "new mode 100755"),
    "git's own files": created(".gitattributes", "100644"),
    "a rename": (
        "diff --git a/Snakefile b/workflow/S\nsimilarity index 100%\n"
        "rename from Snakefile\nrename to workflow/S\n"
    ),
    "a copy": (
        "diff --git a/Snakefile b/workflow/S\nsimilarity index 100%\n"
        "copy from Snakefile\ncopy to workflow/S\n"
    ),
    "nothing of the kind": "rm -rf /\n",
    "empty": "",
}


@in_a_repository
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_difference_that_changes_more_than_code_is_refused(text, tmp_path):
    diff = tmp_path / DIFF
    diff.write_text(text)
    with pytest.raises(UserError) as caught:
        check_difference(checkout(), diff)
    assert caught.value.code is codes.UNFIT_DIFFERENCE


@in_a_repository
def test_changes_of_code_are_let_through_and_shown_as_text(tmp_path):
    diff = tmp_path / DIFF
    diff.write_text(difference("Snakefile") + created("workflow/new.py", "100644"))
    check_difference(checkout(), diff)
    diff.write_text(diff.read_text().replace("+b", "+\x1b[1A\x1b[2Khidden"))
    shown = description(checkout(), Origin(**origin(diff="0" * 64)), diff)
    assert any("hidden" in line for line in shown)
    assert "\x1b" not in "".join(shown)
    assert HEAD in shown[0]


# Nothing runs before it is accepted


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run in a store, with what it keeps; and what was done with it."""
    done = []

    def of_run(run_id, uri, keep):
        folder = keep / IN_MLFLOW / STUDY
        folder.mkdir(parents=True)
        (folder / "study.yaml").write_text(TEXT)
        return SimpleNamespace(
            name="a",
            place="store",
            status="FINISHED",
            origin=Origin(**origin()),
            lock="0",
            jobs=(),
            arm="",
        )

    def stop(*args, **_):
        done.append(args)
        raise UserError(codes.USAGE, "far enough")

    monkeypatch.setattr(reproduce, "of_run", of_run)
    monkeypatch.setattr(reproduce, "restore_code", stop)

    def start(*words: str) -> list:
        parser = argparse.ArgumentParser()
        reproduce.add_arguments(parser)
        with pytest.raises(UserError) as caught:
            reproduce.run(parser.parse_args(["a", "--to", str(tmp_path / "to"), *words]))
        done.append(caught.value.code)
        return done

    return start


class Terminal:
    def __init__(self, answer: str) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self.answer


@in_a_repository
def test_without_a_terminal_it_is_refused(run, capsys):
    assert run() == [codes.NOT_TRUSTED]
    assert HEAD in capsys.readouterr().out


@in_a_repository
@pytest.mark.parametrize("answer", ["", "\n", "no\n", "y\n", "yes please\n"])
def test_nothing_but_yes_is_yes(run, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run() == [codes.NOT_TRUSTED]


@in_a_repository
@pytest.mark.parametrize("words", [("--trust",), ()])
def test_accepted_it_goes_on(run, monkeypatch, words):
    if not words:
        monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    assert len(run(*words)) == 2


def test_a_study_file_is_never_an_option_of_snakemake():
    words = process.command("-x.yaml", profile=Path("p"))
    assert words[words.index("--configfile") + 1] == "./-x.yaml"
