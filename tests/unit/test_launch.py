"""What depends on what, how Snakemake is started and stopped, and how a run ends in words."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from nichetrial import codes
from nichetrial.commands import run as run_command
from nichetrial.compare.arms import ARMS, arms
from nichetrial.errors import UserError
from nichetrial.launch import process
from nichetrial.launch.job_environment import prepare
from nichetrial.launch.summary import effect_lines, failure_lines, void_arms, way_to_runs
from nichetrial.pipeline.jobs import job, jobs, lost
from nichetrial.pipeline.plan import Plan, study_file
from nichetrial.records.origin import FOLDER, ORIGIN, Origin
from nichetrial.study.layout import Chunk, Layout
from nichetrial.study.load import load
from nichetrial.study.sections import USUAL_STORE, TrackingSpec
from nichetrial.tables import write, write_csv
from tests.support.broken_studies import SOUND
from tests.support.mice import treatment

CHUNKS = ("000000-000049", "000050-000099", "000100-000124")


def _jobs(plan: Plan) -> dict[str, str]:
    """Every job of a study, with the digest that decides whether it runs again."""
    found = [*jobs(plan, evidence=False), job(plan, "resolve"), job(plan, "track")]
    return {" ".join([one.stage.name, *one.wildcards.values()]): one.digest() for one in found}


def _changed(study, **changes) -> set[str]:
    """Jobs, by kind and arm, whose digest a change of the study changes or that are new."""
    before, after = (_jobs(Plan.of(s, "s.yaml")) for s in (study, study.model_copy(update=changes)))
    return {job for job, digest in after.items() if before.get(job) != digest}


def _kinds(jobs: set[str]) -> set[str]:
    return {job.split()[0] for job in jobs}


@pytest.fixture(autouse=True)
def code_as_it_is(monkeypatch):
    """The digest of the code is the same for all."""
    monkeypatch.setattr("nichetrial.pipeline.code.code_digest", lambda module: "code")


def test_nothing_changed_nothing_runs(small_study):
    assert _changed(small_study) == set()


def test_dpi_draws_again(small_study):
    figures = small_study.figures.model_copy(update={"dpi": 300})
    jobs = _changed(small_study, figures=figures)
    assert _kinds(jobs) == {"resolve", "figure", "report", "track"}
    assert len([j for j in jobs if j.startswith("figure")]) == len(
        Plan.of(small_study, "s").figures
    )


def test_dose_of_an_arm_simulates_that_arm(small_study):
    stronger = small_study.arms[1].model_copy(
        update={"treatments": (treatment("amd3100", 6, every=0.5),)}
    )
    arms = (small_study.arms[0], stronger, *small_study.arms[2:])
    jobs = _changed(small_study, arms=arms)
    assert {j for j in jobs if j.startswith("simulate")} == {
        f"simulate amd3100 {c}" for c in CHUNKS
    }
    assert not _kinds(jobs) & {"parameters", "dose_curve"}


def test_order_of_arms_simulates_nothing(small_study):
    jobs = _changed(small_study, arms=small_study.arms[::-1])
    assert _kinds(jobs) == {"resolve", "compare", "power", "figure", "report", "track"}


def test_seed_runs_all(small_study):
    assert _changed(small_study, seed=2) == set(_jobs(Plan.of(small_study, "s.yaml")))


def test_more_particles_are_new_chunks(small_study):
    cohort = small_study.cohort.model_copy(update={"particles": 200})
    jobs = _changed(small_study, cohort=cohort)
    simulated = {job.split()[-1] for job in jobs if job.split()[0] in ("simulate", "parameters")}
    assert simulated == {"000100-000149", "000150-000199"}
    assert "dose_curve" not in _kinds(jobs)


def test_particles_with_courses_touch_only_the_chunks_that_hold_them(small_study):
    figures = small_study.figures.model_copy(update={"course_particles": 65})
    jobs = {job for job in _changed(small_study, figures=figures) if job.startswith("simulate")}
    assert {job.split()[-1] for job in jobs} == {"000050-000099"}


def test_question_and_tracking_simulate_and_draw_nothing(small_study):
    assert _kinds(_changed(small_study, question="?")) == {"resolve", "report", "track"}
    tracking = small_study.tracking.model_copy(update={"experiment": "other"})
    assert _kinds(_changed(small_study, tracking=tracking)) == {"resolve", "track"}


def test_missing_arms_change_only_what_sees_all_arms(small_study):
    whole, part = (_jobs(Plan.of(small_study, "s.yaml", m)) for m in ("", "amd3100"))
    assert _kinds({j for j in part if part[j] != whole[j]}) == {
        "compare",
        "power",
        "figure",
        "report",
        "track",
    }
    plan = Plan.of(small_study, "s.yaml", "amd3100,both")
    assert plan.arms == ["high", "anti_ly6g"]
    assert job(plan, "compare").missing == ("amd3100", "both")
    assert job(plan, "figure", figure="foci").missing == ("amd3100", "both")
    for figure in ("schedule", "dose"):
        assert job(plan, "figure", figure=figure).missing == ()
    assert part["figure dose"] == whole["figure dose"]
    assert part["figure forest"] != whole["figure forest"]
    assert not any("amd3100" in file for file in job(plan, "compare").inputs)


def test_missing_arm_must_exist(small_study):
    with pytest.raises(UserError, match="'nobody'"):
        Plan.of(small_study, "s.yaml", "nobody")


def test_files_of_the_chunks(small_study):
    plan = Plan.of(small_study, "s.yaml")
    assert plan.chunks == list(CHUNKS)
    assert plan.dose_chunks == {"000000-000049": CHUNKS[0], "000050-000074": CHUNKS[1]}
    (mice,) = job(plan, "dose_curve", chunk="000050-000074").inputs
    assert mice.endswith("parameters/particles-000050-000099.mice.parquet")
    assert len(plan.simulated("high", "outcomes")) == 3
    assert len(plan.simulated("high", "courses")) == 2  # of 60 particles: the first two chunks
    assert Chunk(0, 1234567).name == "000000-1234567"


def test_only_what_was_used_and_is_gone_is_lost(tmp_path, monkeypatch, small_study):
    monkeypatch.chdir(tmp_path)
    plan = Plan.of(small_study, "s.yaml")
    outcome = plan.simulated("high", "outcomes")[0]
    assert lost(plan) == []  # nothing was made, so nothing was lost: the jobs will ask for it
    compare, power = job(plan, "compare"), job(plan, "power")
    for file in [*compare.inputs, *power.inputs, *compare.outputs, *power.outputs]:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
    assert lost(plan) == []
    Path(outcome).unlink()
    assert lost(plan) == [outcome]
    Path(plan.layout.page).touch()
    gone = {file for file in job(plan, "report").inputs if not Path(file).exists()}
    assert {*plan.pictures(), *(plan.layout.rejections(mice) for mice in plan.chunks)} <= gone
    assert set(lost(plan)) == {outcome, *gone}


def test_resolved_once(tmp_path, monkeypatch, small_study):
    monkeypatch.chdir(tmp_path)
    plan = Plan.of(small_study, "s.yaml")
    assert not plan.is_resolved()
    file = Path(plan.layout.study)
    file.parent.mkdir(parents=True)
    file.write_text(small_study.written())
    assert not plan.is_resolved()  # its record is missing
    record = file.parent / "records" / "resolve.json"
    record.parent.mkdir(parents=True)
    record.touch()
    assert plan.is_resolved()
    assert not Plan.of(small_study.model_copy(update={"seed": 2}), "s.yaml").is_resolved()
    for text in ("{", small_study.model_dump_json()):
        file.write_text(text)
        assert not plan.is_resolved()


def test_study_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert study_file([], "config.yaml") == "config.yaml"
    assert study_file([tmp_path / "a" / "s.yaml"], "config.yaml") == "a/s.yaml"
    assert study_file([Path("/elsewhere/s.yaml")], "config.yaml") == "/elsewhere/s.yaml"
    with pytest.raises(UserError):
        study_file(["a", "b"], "config.yaml")


def test_in_a_slurm_job_matplotlib_keeps_its_cache_on_the_node(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment: dict[str, str] = {}
    prepare(environment)
    assert "MPLCONFIGDIR" not in environment
    environment["SLURM_JOB_ID"] = "1"
    prepare(environment)
    assert environment["MPLCONFIGDIR"] == f"{tmp_path}/nichetrial-{os.getuid()}/matplotlib"
    assert (tmp_path / f"nichetrial-{os.getuid()}").stat().st_mode & 0o077 == 0
    given = {"SLURM_JOB_ID": "1", "MPLCONFIGDIR": "/mine"}
    prepare(given)
    assert given["MPLCONFIGDIR"] == "/mine"


def test_environment_is_prepared_once():
    environment = {"PATH": "/usr/bin"}
    prepare(environment)
    once = dict(environment)
    prepare(environment)
    assert environment == once
    assert environment["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/usr/bin"]


def test_command_says_all_that_was_asked():
    words = process.command(
        "s t.yaml",
        profile=Path("p"),
        cores="2",
        until=["compare"],
        dry_run=True,
        missing=["a", "b"],
    )
    text = "\0".join(words)
    for part in (
        "--configfile\0s t.yaml",
        "--workflow-profile\0p",
        "--cores\0" + "2",
        "--config\0missing_arms=a,b",
        "--until\0compare",
        "--dry-run",
    ):
        assert part in text
    assert "--cores" not in process.command("s.yaml", profile=Path("p"))


def test_settings_of_a_user_for_snakemake_do_not_reach_it(tmp_path, monkeypatch):
    """Nor is a module of the working folder imported in place of another."""
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "mine")
    (tmp_path / "random.py").write_text("raise SystemExit(9)")
    code = (
        "import os, random; raise SystemExit(any(n.startswith('SNAKEMAKE_') for n in os.environ))"
    )
    assert process.run([sys.executable, "-c", code], folder=tmp_path) == 0


def test_caches_lie_in_the_working_folder_where_a_home_can_only_be_read(tmp_path, monkeypatch):
    given = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    (tmp_path / "home").mkdir()
    assert process.surroundings(given, tmp_path)["XDG_CACHE_HOME"] == ""
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path / "home")  # root may
    child = process.surroundings(given, tmp_path)
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR"):
        assert Path(child[name]).is_relative_to(tmp_path / ".snakemake")
    own = str(tmp_path / "scratch")
    assert process.surroundings(given | {"XDG_CACHE_HOME": own}, tmp_path)["XDG_CACHE_HOME"] == own


def test_what_makes_jobs_run_again_is_not_left_to_a_profile():
    words = process.command("s.yaml", profile=Path("p"))
    at = words.index("--rerun-triggers")
    assert set(words[at + 1 : at + 6]) == {"mtime", "params", "input", "software-env", "code"}
    assert words[words.index("--profile") + 1] == "none"


def test_exit_code_of_the_child():
    assert process.run([sys.executable, "-c", "raise SystemExit(3)"]) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_reaches_the_child_and_its_children(tmp_path, number):
    grandchild = (
        "import time\n"
        "try:\n"
        "    open('grandchild', 'w').close()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    open('stopped', 'w').close()\n"
    )
    child = f"import subprocess, sys; subprocess.call([sys.executable, '-c', {grandchild!r}])"
    code = (
        "import sys; from nichetrial.launch import process\n"
        f"sys.exit(100 - process.run([sys.executable, '-c', {child!r}]))\n"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not (tmp_path / "grandchild").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    launcher.send_signal(number)
    assert launcher.wait(timeout=20) == 100 + number
    assert (tmp_path / "stopped").exists()


LAUNCHER = (
    "import sys; from nichetrial.launch import process\n"
    "process.run([sys.executable, '-c', sys.argv[1]])\n"
)
WATCHER = """
import os, signal, subprocess, sys, time
from nichetrial.launch import lifeline
lifeline.PATIENCE = 0.2
{before}
lifeline.watch()
assert "NICHETRIAL_LIFELINE" not in os.environ
job = subprocess.Popen(["sleep", "60"])
print(os.getpid(), job.pid, flush=True)
time.sleep(60)
"""


def _launched(child: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A run with its Snakemake and a job of that."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, child],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert launcher.stdout is not None
    family = [psutil.Process(int(pid)) for pid in launcher.stdout.readline().split()]
    launcher.stdout.close()
    return launcher, family


def _ended(processes: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        alive = [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("before", ["", "signal.signal(signal.SIGINT, signal.SIG_IGN)"])
def test_a_run_that_is_killed_takes_its_snakemake_and_the_jobs_with_it(before):
    launcher, family = _launched(WATCHER.format(before=before))
    launcher.kill()
    launcher.wait()
    assert _ended(family)


def test_a_snakemake_that_is_killed_leaves_no_job():
    launcher, (snakemake, job) = _launched(WATCHER.format(before=""))
    snakemake.kill()
    assert launcher.wait(timeout=20) == 0
    assert _ended([snakemake, job])


def test_a_run_that_ignores_interrupts_has_a_snakemake_that_does_not():
    """As under nohup, or in the background of a script."""
    code = "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert process.run([sys.executable, "-c", code]) == 0
    finally:
        signal.signal(signal.SIGINT, before)


def _effects(folder: Path, *rows: tuple[str, str, float, float, float]) -> None:
    path = folder / "comparisons" / "effects.csv"
    path.parent.mkdir(parents=True)
    with open(path, "w", newline="") as stream:
        writer = csv.writer(stream)
        columns = ["ratio", "ratio_low", "ratio_high", "p_fewer", "p_error"]
        writer.writerow(["outcome", "arm", "reference", "particles", *columns])
        for arm, reference, *numbers in rows:
            n = 0 if numbers[0] != numbers[0] else 20
            writer.writerow(["foci", arm, reference, n, *numbers, 0.96, 0.01])
            writer.writerow(["burden", arm, reference, n, 9, 9, 9, 0.5, 0.01])


def test_summary_in_words(tmp_path, small_study):
    _effects(
        tmp_path,
        ("amd3100", "high", 0.6182, 0.58, 0.661),
        ("anti_ly6g", "high", float("nan"), float("nan"), float("nan")),
        ("both", "high", 0.0123, 0.0119, 12.345),
    )
    lines = effect_lines(small_study, Layout(str(tmp_path)), missing=["anti_ly6g"])
    assert lines == [
        "AMD3100 against TIMP-1-high: fewer foci; foci × 0.62 (0.58 to 0.66), fewer in 96 %",
        "anti-Ly6G: no result, because jobs failed",
        "both against TIMP-1-high: fewer foci; foci × 0.012 (0.012 to 12), fewer in 96 %",
    ]


def test_the_summary_tells_which_mice_have_no_result_and_how_to_look_at_one(tmp_path, small_study):
    everything = {
        "amd3100": small_outcomes(["finished", "step_limit", "not_finite"]),
        "high": small_outcomes(["finished"] * 3),
    }
    table = arms(everything, small_study)
    first = table.set_index("arm")[["failed_particle", "failed_animal"]]
    assert first.loc["amd3100"].tolist() == [20, 1]
    assert first.loc[["high", "both"]].isna().all(axis=None)
    write(table, tmp_path / "comparisons" / "arms.parquet", ARMS)
    write_csv(table, tmp_path / "comparisons" / "arms.csv")
    (line,) = failure_lines(small_study, Layout(str(tmp_path)))
    assert line == (
        "AMD3100: mice without a result: 1 step limit, 1 not finite; the first again: "
        "nichetrial replay STUDY --particle 20 --animal 1 --arm amd3100 --trace"
    )


@pytest.mark.parametrize("void", ["amd3100", "high"])
def test_an_arm_of_which_every_mouse_failed_has_no_result(tmp_path, small_study, void):
    everything = {a.name: small_outcomes(["finished"] * 3) for a in small_study.arms}
    everything[void] = small_outcomes(["step_limit"] * 3)
    layout = Layout(str(tmp_path))
    _effects(tmp_path, ("amd3100", "high", *[float("nan")] * 3), ("both", "high", 0.6, 0.5, 0.7))
    write_csv(arms(everything, small_study), tmp_path / "comparisons" / "arms.csv")
    assert void_arms(layout) == [void]
    lines = effect_lines(small_study, layout)
    assert not [line for line in lines if "no foci" in line]
    assert len(lines) == (1 if void == "amd3100" else 2)


def small_outcomes(status: list[str]) -> pd.DataFrame:
    particle, animal = np.divmod(np.arange(40, 40 + len(status)), 2)
    return pd.DataFrame({"particle": particle, "animal": animal, "status": status})


def test_summary_before_any_comparison(tmp_path, small_study):
    assert effect_lines(small_study, Layout(str(tmp_path))) == []


@pytest.mark.parametrize(("code", "left"), [(0, 0), (1, 1), (2, 1), (-2, 130), (-15, 143)])
def test_exit_codes(code, left):
    assert run_command._exit_code(code) == left


def test_missing_arms_are_those_whose_simulations_failed(small_study):
    failed = [
        {"rule": "simulate", "wildcards": {"arm": "both"}},
        {"rule": "figure", "wildcards": {"figure": "foci"}},
        {"rule": "simulate", "wildcards": {"arm": "amd3100"}},
    ]
    assert run_command._missing(Plan.of(small_study, "s.yaml"), failed) == ["amd3100", "both"]


def test_profile_is_found_by_name_or_path(tmp_path):
    assert (run_command._profile("default") / "config.yaml").exists()
    (tmp_path / "config.yaml").touch()
    assert run_command._profile(str(tmp_path)) == tmp_path
    with pytest.raises(UserError, match=r"no profile 'fast'; there are: .*default"):
        run_command._profile("fast")


@pytest.mark.parametrize(
    ("file", "config", "uri", "command"),
    [
        ("config.yaml", True, "", "nichetrial ui"),
        ("my study.yaml", False, "", "nichetrial ui"),
        ("my study.yaml", True, "", "nichetrial ui 'my study.yaml'"),
        ("my study.yaml", False, "http://127.0.0.1:9", "nichetrial ui 'my study.yaml'"),
        ("my study.yaml", False, None, None),
    ],
)
def test_the_way_to_the_runs_works_as_printed(
    file, config, uri, command, small_study, tmp_path, monkeypatch
):
    """No hint (``uri`` None) where nothing was tracked."""
    monkeypatch.chdir(tmp_path)
    if config:
        Path("config.yaml").touch()
    tracking = TrackingSpec(uri=uri or USUAL_STORE, experiment="x")
    plan = Plan.of(small_study.model_copy(update={"tracking": tracking}), file)
    if uri is not None:
        Path(plan.layout.receipt).parent.mkdir(parents=True)
        Path(plan.layout.receipt).touch()
    lines = way_to_runs(plan)
    assert [line.removeprefix("Runs:").strip() for line in lines] == ([command] if command else [])


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ("seed: 8", True),  # another study of the same name
        ("seed: 7", False),  # a copy
        ("seed: 8\n  # renamed", False),
        (None, False),  # the file was moved
    ],
)
def test_two_studies_of_one_name_do_not_replace_each_other(other, taken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(SOUND)
    if other:
        name = "name: other" if "renamed" in other else "name: small"
        text = SOUND.replace("seed: 7", other).replace("name: small", name)
        Path("other.yaml").write_text(text)
    origin = Path("results", "small", FOLDER, ORIGIN)
    origin.parent.mkdir(parents=True)
    told = Origin(
        study_file="other.yaml",
        files={},
        commit=None,
        diff="",
        left_out=(),
        science={},
        lock_digest="",
    )
    origin.write_text(told.text())
    plan = Plan.of(load("mine.yaml"), "mine.yaml")
    if not taken:
        run_command._require_own_name(plan)
        return
    with pytest.raises(UserError) as refused:
        run_command._require_own_name(plan)
    assert refused.value.code == codes.NAME_TAKEN
