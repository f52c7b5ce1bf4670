"""The command line: it finds its commands, and failures are told in the right way."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest

from nichetrial import cli, codes
from nichetrial.errors import UserError
from nichetrial.pipeline.stages import STAGES
from tests.support.broken_studies import SOUND


def _command(monkeypatch, body, name="stage"):
    """Make ``nichetrial NAME`` run ``body(args)``."""
    module = types.ModuleType("stand_in")
    module.add_arguments = lambda parser: parser.add_argument("--log")
    module.run = body
    monkeypatch.setitem(sys.modules, f"nichetrial.commands.{name}", module)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert f"nichetrial {name}" in told
    assert cli.COMMANDS[name].capitalize() in " ".join(told.split())


@pytest.mark.parametrize("name", [n for n, s in STAGES.items() if not s.command])
def test_every_stage_takes_expect_and_log(name, capsys):
    with pytest.raises(SystemExit):
        cli.main(["stage", name, "--help"])
    told = capsys.readouterr().out
    assert "--expect" in told
    assert "--log" in told


def test_overview_names_all_commands(capsys):
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in cli.COMMANDS)


def test_unknown_command_is_guessed(capsys):
    assert cli.main(["exprot"]) == 2
    assert "Did you mean 'export'?" in capsys.readouterr().err


def test_nothing_heavy_is_imported_for_the_overview():
    code = (
        "import sys; from nichetrial import cli; cli.main(['--help']);"
        "bad = {'numpy', 'pandas', 'mlflow', 'pydantic'} & set(sys.modules); sys.exit(len(bad))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


def test_user_error_is_one_message_and_two(monkeypatch, capsys):
    def body(args: argparse.Namespace) -> None:
        raise UserError(codes.OUT_OF_RANGE, "a dose below nothing", place="config.yaml:7: dose")

    _command(monkeypatch, body)
    assert cli.main(["stage"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "nichetrial: config.yaml:7: dose: NT011 a dose below nothing\n"
    assert captured.out == ""


def test_interrupt_is_130(monkeypatch):
    def body(args: argparse.Namespace) -> None:
        raise KeyboardInterrupt

    _command(monkeypatch, body)
    assert cli.main(["stage"]) == 130


def test_exit_code_of_run_is_passed_on(monkeypatch):
    _command(monkeypatch, lambda args: 1, name="run")
    assert cli.main(["run"]) == 1


def test_log_keeps_all_and_terminal_only_the_lines(monkeypatch, tmp_path, capfd):
    def body(args: argparse.Namespace) -> None:
        print("to standard output")
        print("10 of 20 mice", file=sys.stderr)
        os.write(2, b"from compiled code\n")
        warnings.warn("look here", stacklevel=1)

    _command(monkeypatch, body)
    log = tmp_path / "deep" / "a.log"
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main(["stage", "--log", str(log)]) == 0
    text = log.read_text()
    for line in ("to standard output", "10 of 20 mice", "from compiled code", "look here"):
        assert line in text
    captured = capfd.readouterr()
    assert captured.err == "10 of 20 mice\n"
    assert captured.out == ""


def test_traceback_goes_to_the_log(monkeypatch, tmp_path, capfd):
    def body(args: argparse.Namespace) -> None:
        raise ZeroDivisionError("seven")

    _command(monkeypatch, body)
    log = tmp_path / "a.log"
    assert cli.main(["stage", f"--log={log}"]) == 1
    assert "ZeroDivisionError: seven" in log.read_text()
    assert "Traceback" not in capfd.readouterr().err


def test_traceback_is_shown_without_a_log(monkeypatch):
    def body(args: argparse.Namespace) -> None:
        raise ZeroDivisionError

    _command(monkeypatch, body)
    with pytest.raises(ZeroDivisionError):
        cli.main(["stage"])


@pytest.mark.parametrize("name", ["stage", "export"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(errno.EACCES, "", "odd"), codes.CLOSED),
        (IsADirectoryError(errno.EISDIR, "", "part", None, "odd"), codes.IN_THE_WAY),
        (NotADirectoryError(errno.ENOTDIR, "", "odd"), codes.IN_THE_WAY),
        (FileExistsError(errno.EEXIST, "", "odd"), codes.IN_THE_WAY),
        (FileNotFoundError(errno.ENOENT, "", "odd"), codes.IN_THE_WAY),
    ],
)
def test_a_file_that_is_closed_or_none_is_named(name, error, code, monkeypatch, capfd, tmp_path):
    def body(_):
        raise error

    monkeypatch.chdir(tmp_path)
    Path("odd").symlink_to("nowhere")
    _command(monkeypatch, body, name)
    assert cli.main([name]) == 2
    assert f"nichetrial: odd: {code} " in capfd.readouterr().err


def test_an_import_that_fails_is_in_the_log(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nichetrial.commands.stage", None)
    log = tmp_path / "a.log"
    assert cli.main(["stage", "--log", str(log)]) == 1
    assert "nichetrial.commands.stage" in log.read_text()


def test_term_ends_a_stage_like_an_exception(tmp_path):
    code = (
        "import os, signal, sys, types\n"
        "from nichetrial import cli\n"
        "module = types.ModuleType('stand_in')\n"
        "module.add_arguments = lambda parser: None\n"
        "def run(args):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally:\n"
        f"        open({str(tmp_path / 'ended')!r}, 'w').close()\n"
        "module.run = run\n"
        "sys.modules['nichetrial.commands.stage'] = module\n"
        "sys.exit(cli.main(['stage']))\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 143
    assert (tmp_path / "ended").exists()


def test_module_and_script_are_the_same():
    script = Path(sys.executable).with_name("nichetrial")
    told = [
        subprocess.run([*words, "--version"], capture_output=True, text=True, check=True).stdout
        for words in ([str(script)], [sys.executable, "-m", "nichetrial"])
    ]
    assert told[0] == told[1]
    assert told[0].startswith("nichetrial ")


@pytest.mark.parametrize("kind", ["drug", "parameter", "variant"])
def test_what_is_listed_can_be_shown(kind, capsys):
    assert cli.main(["list", f"{kind}s"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(names) > 3
    for name in names:
        assert cli.main(["show", kind, name]) == 0
        assert name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["drug", "amd310"], "NT010"),
        (["drog", "amd3100"], "NT010"),
        (["no/folder"], "NT200"),
        (["a", "b", "c"], "NT100"),
    ],
)
def test_show_refuses_what_is_not_there(words, code, capsys):
    assert cli.main(["show", *words]) == 2
    assert f" {code} " in capsys.readouterr().err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_swallow_what_is_printed(closed, tmp_path):
    (tmp_path / "study.yaml").write_text(SOUND)
    words = f"{sys.executable} -m nichetrial check study.yaml {closed}"
    done = subprocess.run(["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_a_run_refuses_a_study_from_a_pipe_and_leaves_nothing(tmp_path):
    (tmp_path / "study.yaml").write_text(SOUND)
    words = f"{sys.executable} -m nichetrial run <(cat study.yaml)"
    done = subprocess.run(["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert str(codes.UNREADABLE) in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]
