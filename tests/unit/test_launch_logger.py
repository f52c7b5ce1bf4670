"""The lines that a person reads while Snakemake runs."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from nichetrial import codes, room
from snakemake_logger_plugin_nichetrial import Clock, LogHandler, LogHandlerSettings, duration


@pytest.fixture
def logger(tmp_path):
    """``say(event, ...)`` returns what the handler writes for it."""
    common = SimpleNamespace(dryrun=False, verbose=False, printshellcmds=False)
    handler = LogHandler(common, LogHandlerSettings(failures=tmp_path / "failures.jsonl"))

    def say(event=None, msg=None, level=logging.INFO, **fields) -> str:
        handler.stream = io.StringIO()
        record = logging.LogRecord("snakemake", level, "", 0, msg, None, None)
        record.__dict__.update(fields, event=event)
        handler.emit(record)
        return handler.stream.getvalue()

    say.common = common  # type: ignore[attr-defined]
    return say


def _job(say, number: int, rule: str = "simulate", arm: str = "amd3100", reason: str = "") -> str:
    return say(
        LogEvent.JOB_INFO,
        jobid=number,
        rule_name=rule,
        rule_msg=f"{rule} {arm}, mice 000000-000499",
        wildcards={"arm": arm},
        reason=reason,
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (31.4, "0:31"), (725, "12:05"), (3730, "1:02:10")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_time_left_is_that_of_the_estimate_corrected_by_what_jobs_took():
    clock = Clock(0.0, {"simulate": 6.0, "figure": 2.0})
    clock.plan({"simulate": 4, "figure": 3})
    assert clock.remaining() == pytest.approx(30.0)  # as estimated, one at a time
    clock.started()
    clock.started()
    assert clock.remaining() == pytest.approx(15.0)
    clock.finished("simulate", 12.0)  # this computer takes twice the time
    assert clock.remaining() == pytest.approx((3 * 12 + 3 * 4) / 2)
    for _ in range(3):
        clock.finished("simulate", 12.0)
    for _ in range(3):
        clock.finished("figure", 4.0)
    assert clock.remaining() == 0.0


def test_a_job_that_failed_no_longer_runs_at_the_same_time_as_its_next_try():
    clock = Clock(0.0, {"simulate": 6.0})
    clock.plan({"simulate": 1})
    clock.started()
    clock.failed()
    clock.started()
    assert clock.remaining() == pytest.approx(6.0)


def test_a_finished_job_is_one_line(logger):
    stats = {"simulate": 2, "all": 1, "total": 3}
    assert logger(LogEvent.RUN_INFO, stats=stats) == "2 jobs to run: 2 simulate\n"
    assert _job(logger, 5) == ""
    assert logger(LogEvent.JOB_FINISHED, job_id=5) == ""
    line = logger(LogEvent.PROGRESS, done=1, total=3)
    assert line.startswith("[1/2] 50 %  0:00 elapsed, about 0:00 left  ")
    assert line.endswith("simulate amd3100, mice 0-499 done\n")
    _job(logger, 6)
    logger(LogEvent.JOB_FINISHED, job_id=6)
    assert "left" not in logger(LogEvent.PROGRESS, done=2, total=3)
    _job(logger, 0, rule="all")
    logger(LogEvent.JOB_FINISHED, job_id=0)
    assert logger(LogEvent.PROGRESS, done=3, total=3) == ""


def test_nothing_to_do_is_said_once(logger):
    assert "nothing to do" in logger(LogEvent.RUN_INFO, stats={"all": 1, "total": 1})
    assert logger(msg="Nothing to be done (all requested files are present).") == ""


def test_a_failed_job_is_told_with_the_end_of_its_log(logger, tmp_path):
    log, record = tmp_path / "a.log", tmp_path / "a.json"
    log.write_text("".join(f"line {i}\n" for i in range(100)))
    record.write_text("{}")
    _job(logger, 7)
    told = logger(
        LogEvent.JOB_ERROR, jobid=7, rule_name="simulate", log=[str(log), str(record)]
    ).splitlines()
    assert told[:2] == ["FAILED  simulate amd3100, mice 0-499", f"  log: {log}"]
    assert told[-1] == "    line 99"
    assert len(told) == 14
    (entry,) = (tmp_path / "failures.jsonl").read_text().splitlines()
    assert json.loads(entry) == {
        "rule": "simulate",
        "label": "simulate amd3100, mice 0-499",
        "wildcards": {"arm": "amd3100"},
        "logs": [str(log)],
        "reason": "",
    }


@pytest.mark.parametrize(
    ("end", "names"),
    [
        ("returned non-zero exit status 137.", ("signal 9", "memory")),
        ("died with <Signals.SIGKILL: 9>.", ("signal 9", "memory")),
        ("died with <Signals.SIGTERM: 15>.", ("signal 15",)),
        ("returned non-zero exit status 1.", ()),
    ],
)
def test_a_job_that_was_killed_is_said_to_be(logger, tmp_path, end, names):
    log = tmp_path / "a.log"
    log.touch()
    _job(logger, 7)
    failed = {"jobid": 7, "rule_name": "simulate", "log": [str(log)]}
    said = f"RuleException:\nCalledProcessError in file x, line 1:\nCommand 'y' {end}"
    assert logger(msg=said, level=logging.ERROR) == ""
    told = logger(LogEvent.JOB_ERROR, **failed)
    assert all(name in told for name in names)
    assert ("(the log is empty)" in told) == (not names)
    _job(logger, 8)
    assert "signal" not in logger(LogEvent.JOB_ERROR, **failed | {"jobid": 8})


@pytest.mark.parametrize("by_a_job", [True, False])
def test_want_of_room_is_told_first_and_once(logger, tmp_path, monkeypatch, by_a_job):
    monkeypatch.setattr(room, "lack", lambda *_: "the disk is full" if by_a_job else "")
    fatal = "OSError: [Errno 28] No space left on device"
    if not by_a_job:
        assert logger(msg=fatal, level=logging.ERROR).startswith(
            f"nichetrial: {codes.NOT_WRITABLE} "
        )
    _job(logger, 7)
    failed = {"jobid": 7, "rule_name": "simulate", "log": [str(tmp_path / "a.log")]}
    told = logger(LogEvent.JOB_ERROR, **failed)
    first = [f"nichetrial: {codes.NOT_WRITABLE} the disk is full"] * by_a_job
    lines = told.splitlines()
    assert [line.partition(",")[0] for line in lines[:-1]] == first
    assert lines[-1].startswith("FAILED  ")
    assert logger(msg=fatal, level=logging.ERROR) == ""


def test_a_failed_job_without_a_log(logger, tmp_path):
    _job(logger, 7)
    told = logger(LogEvent.JOB_ERROR, jobid=7, rule_name="simulate", log=[str(tmp_path / "no.log")])
    assert "(no log was written)" in told


SLURM_LOG = """\
Building DAG of jobs...
slurmstepd: error: StepId=12.0 exceeded memory limit (9 > 1), being killed
srun: error: n0: task 0: Killed
Exiting because a job execution failed. Look above for error message
"""


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        ("TIMEOUT", "", "TIMEOUT, it took longer than it had asked for"),
        ("NODE_FAIL", "", "NODE_FAIL, its node died"),
        ("FAILED", "", "FAILED"),
        ("OUT_OF_MEMORY", "", "OUT_OF_MEMORY, it took more memory than it had asked for"),
        ("FAILED", SLURM_LOG, "OUT_OF_MEMORY, it took more memory than it had asked for"),
        (
            "FAILED",
            SLURM_LOG.replace("exceeded memory limit", ""),
            "FAILED, it was killed: most often, for more memory than it had asked for",
        ),
    ],
)
def test_why_slurm_ended_a_job(logger, tmp_path, status, said, reason):
    log, slurm_log = tmp_path / "a.log", tmp_path / "12.log"
    slurm_log.write_text(said)
    _job(logger, 7)
    told = logger(
        LogEvent.JOB_ERROR,
        jobid=7,
        rule_name="simulate",
        log=[str(log), str(slurm_log)],
        rule_msg=f"SLURM-job '12' failed, SLURM status is: '{status}'. Detailed failure reason",
        aux={"external_jobid": "12"},
    ).splitlines()
    assert told[0] == f"FAILED  simulate amd3100, mice 0-499: {reason} (Slurm job 12)"
    assert "Building DAG of jobs..." not in "".join(told)
    assert ("    srun: error: n0: task 0: Killed" in told) == bool(said), told
    (entry,) = (tmp_path / "failures.jsonl").read_text().splitlines()
    assert json.loads(entry)["reason"] == f"{reason} (Slurm job 12)"


def test_a_job_that_slurm_refuses(logger):
    _job(logger, 7)
    told = logger(
        LogEvent.JOB_ERROR,
        jobid=7,
        rule_name="simulate",
        log=[],
        rule_msg="SLURM sbatch failed. The error message was 'sbatch: error: no such account'.\n"
        "    sbatch call:\n        sbatch --parsable ...\n",
        aux={},
    )
    assert told.endswith(": Slurm refused it: sbatch: error: no such account\n")


def test_a_job_that_is_tried_again_is_no_failure_of_the_run(logger, tmp_path):
    failures = tmp_path / "failures.jsonl"
    for number in (7, 8):
        _job(logger, number)
        logger(LogEvent.JOB_ERROR, jobid=number, rule_name="simulate", log=[])
    assert len(failures.read_text().splitlines()) == 2
    assert logger(None, "Trying to restart job 7.") == "retrying  simulate amd3100, mice 0-499\n"
    assert len(failures.read_text().splitlines()) == 1
    logger(LogEvent.JOB_ERROR, jobid=7, rule_name="simulate", log=[])  # and no retry is left
    assert len(failures.read_text().splitlines()) == 2


def test_errors_are_passed_on_and_chatter_is_not(logger):
    error = {"level": logging.ERROR}
    assert logger(LogEvent.ERROR, "WorkflowError: a.yaml:7: no", **error).endswith("7: no\n")
    assert logger(None, "a warning", level=logging.WARNING) == "a warning\n"
    assert logger(None, "Select jobs to execute...") == ""
    assert logger(LogEvent.ERROR, "RuleException:\nCalledProcessError in file", **error) == ""
    assert "up to date" in logger(None, "Nothing to be done (all requested files are present).")


def test_a_dry_run_tells_each_job_and_why(logger):
    logger.common.dryrun = True
    assert "2 jobs would run" in logger(LogEvent.RUN_INFO, stats={"simulate": 2})
    assert logger(LogEvent.RUN_INFO, stats={"simulate": 2}) == ""
    told = _job(logger, 1, reason="Missing output files: a, b; Params have changed since: x")
    assert told == (
        "  simulate amd3100, mice 0-499  (not made yet, its settings or code changed)\n"
    )
