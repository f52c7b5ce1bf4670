"""A Slurm of several nodes on this machine: munge, slurmctld, one slurmd a node; no systemd.

All its files are in one temporary folder, and its commands (``bin``) find it without an
environment variable, as on a real cluster, because jobs there do not inherit ``SLURM_CONF``. It
runs as the user who starts it, root or not.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

__all__ = ["Cluster", "Job", "missing", "until"]

CLIENTS = (
    "sbatch",
    "srun",
    "squeue",
    "scancel",
    "sinfo",
    "scontrol",
    "sacct",
    "sacctmgr",
    "sshare",
)
DAEMONS = ("munged", "slurmctld", "slurmd", "slurmstepd")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb")
MEMORY = 4000
"""Megabytes of a node."""


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def missing(accounting: bool = False) -> str:
    """Which programs are not installed, in words; '' if all are."""
    names = ("munged", "slurmctld", "slurmd", *CLIENTS, *(ACCOUNTING if accounting else ()))
    lacking = [name for name in names if _find(name) is None]
    return f"not installed: {', '.join(lacking)} (.ci/run installs them)" if lacking else ""


def until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Job(NamedTuple):
    """A line of squeue."""

    number: str
    name: str
    state: str
    node: str
    memory: str
    comment: str
    folder: str


class Cluster:
    """Use as a context manager; on leaving it, no process of it is left.

    Args:
        nodes: how many; each has 2 processors and 4 GB, on paper.
        accounting: with slurmdbd on a MariaDB of its own.
    """

    def __init__(self, nodes: int, *, accounting: bool = False) -> None:
        self.nodes = [f"n{i}" for i in range(nodes)]
        self.accounting = accounting
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.bin = self.folder / "bin"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # what tests ask of it

    def environment(self) -> dict[str, str]:
        """For a user of the cluster: the commands first on PATH."""
        return {"PATH": f"{self.bin}:{os.environ['PATH']}"}

    def ask(self, *words: str) -> str:
        """What a Slurm command says."""
        done = subprocess.run(
            [str(self.bin / words[0]), *words[1:]], text=True, capture_output=True, timeout=60
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}\n{self.logs()}")
        return done.stdout

    def jobs(self, folder: Path | None = None) -> list[Job]:
        """Jobs that wait, run or end: all, or those sent from ``folder``."""
        said = self.ask("squeue", "--noheader", "--format", "%i|%j|%T|%N|%m|%k|%Z")
        found = [Job(*line.split("|")) for line in said.splitlines()]
        return [job for job in found if folder is None or Path(job.folder).samefile(folder)]

    def nodes_in(self, state: str) -> set[str]:
        said = self.ask("sinfo", "--noheader", "--Node", "--format", "%N %T")
        return {
            n for n, s in (line.split() for line in said.splitlines()) if s.rstrip("*") == state
        }

    def kill_node(self, name: str) -> None:
        """The machine dies: its slurmd and all processes of its jobs at once."""
        victims = list(self._of_node(name))
        for process in victims:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.processes.pop(name).wait()
        psutil.wait_procs(victims, timeout=10)

    def start_node(self, name: str) -> None:
        self._daemon(name, "slurmd", "-D", "-N", name, "-f", str(self.folder / "slurm.conf"))

    def logs(self) -> str:
        """The ends of all daemons' logs."""
        return "\n".join(
            f"== {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            for log in sorted(self.folder.glob("*.log"))
        )

    # starting and stopping

    def _start(self) -> None:
        (self.folder / "state").mkdir()
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        self._daemon(
            "munged",
            "munged",
            "--foreground",
            "--force",
            "--key-file",
            str(key),
            "--socket",
            str(self._munge),
            "--pid-file",
            str(self.folder / "munged.pid"),
            "--log-file",
            str(self.folder / "munged.log"),
            "--seed-file",
            str(self.folder / "munged.seed"),
        )
        until(self._munge.exists, "munged")
        controller, *ports = _free_ports(len(self.nodes) + 2)
        if self.accounting:
            self._start_accounting(ports[-1])
        self._configure(controller, ports)
        self._commands()
        self._daemon("slurmctld", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))
        for name in self.nodes:
            self.start_node(name)
        until(
            lambda: self._quietly(lambda: len(self.nodes_in("idle"))) == len(self.nodes),
            "the nodes",
        )

    @property
    def _munge(self) -> Path:
        return self.folder / "munge.socket"

    def _configure(self, controller: int, ports: list[int]) -> None:
        host, me, here = socket.gethostname().split(".")[0], getpass.getuser(), self.folder
        lines = [
            "ClusterName=tests",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={controller}",
            f"SlurmUser={me}",
            f"SlurmdUser={me}",
            "AuthType=auth/munge",
            f"AuthInfo=socket={self._munge}",
            "CredType=cred/munge",
            f"StateSaveLocation={here}/state",
            f"SlurmdSpoolDir={here}/spool-%n",
            f"SlurmctldPidFile={here}/slurmctld.pid",
            f"SlurmdPidFile={here}/slurmd-%n.pid",
            f"SlurmctldLogFile={here}/slurmctld.log",
            f"SlurmdLogFile={here}/slurmd-%n.log",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "SlurmdParameters=config_overrides",
            "ReturnToService=2",
            "MinJobAge=300",
            "SlurmdTimeout=5",
            "KillWait=2",
            "SchedulerParameters=batch_sched_delay=0,sched_min_interval=0",
            "JobAcctGatherType=jobacct_gather/linux",
            "JobAcctGatherFrequency=1",
            "JobAcctGatherParams=OverMemoryKill",
            "MpiDefault=none",
            "SwitchType=switch/none",
            *(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 "
                f"RealMemory={MEMORY}"
                for name, port in zip(self.nodes, ports, strict=False)
            ),
            f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES State=UP",
        ]
        if self.accounting:
            lines += [
                "AccountingStorageType=accounting_storage/slurmdbd",
                f"AccountingStorageHost=127.0.0.1\nAccountingStoragePort={ports[-1]}",
                f"AccountingStoragePass={self._munge}",
                "AccountingStoreFlags=job_comment",
            ]
        else:
            lines.append("AccountingStorageType=accounting_storage/none")
        (here / "slurm.conf").write_text("\n".join(lines) + "\n")

    def _commands(self) -> None:
        """Clients that know this cluster."""
        self.bin.mkdir()
        for name in CLIENTS:
            script = self.bin / name
            script.write_text(
                f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {_find(name)} "$@"\n'
            )
            script.chmod(0o755)

    def _start_accounting(self, port: int) -> None:
        me, here = getpass.getuser(), self.folder
        data, sock = here / "mariadb", here / "mariadb.socket"
        subprocess.run(
            [
                _find("mariadb-install-db"),
                "--no-defaults",
                f"--user={me}",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )
        self._daemon(
            "mariadbd",
            "mariadbd",
            "--no-defaults",
            f"--user={me}",
            f"--datadir={data}",
            f"--socket={sock}",
            "--skip-networking",
            f"--pid-file={here}/mariadbd.pid",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
        )
        until(sock.exists, "MariaDB")
        conf = here / "slurmdbd.conf"
        conf.write_text(
            f"AuthType=auth/munge\nAuthInfo=socket={self._munge}\nDbdHost=localhost\n"
            f"DbdAddr=127.0.0.1\nDbdPort={port}\nSlurmUser={me}\nLogFile={here}/slurmdbd.log\n"
            f"PidFile={here}/slurmdbd.pid\nStorageType=accounting_storage/mysql\n"
            "StorageHost=localhost\nStorageUser=root\nStorageLoc=slurm\n"
        )
        conf.chmod(0o600)
        self._daemon(
            "slurmdbd",
            "slurmdbd",
            "-D",
            SLURM_CONF=str(here / "slurm.conf"),
            MYSQL_UNIX_PORT=str(sock),
        )
        until(lambda: _listens(port), "slurmdbd")

    def _daemon(self, key: str, program: str, *words: str, **environment: str) -> None:
        with open(self.folder / f"{key}.out.log", "ab") as log:
            self.processes[key] = subprocess.Popen(
                [str(_find(program)), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_clean(os.environ), **environment},
                start_new_session=True,
            )

    def stop(self) -> None:
        """Jobs first, then the daemons; what does not go is killed."""
        if "slurmctld" in self.processes:
            self._quietly(lambda: self.ask("scancel", "--user", getpass.getuser()))
            self._quietly(lambda: until(lambda: not self.jobs(), "jobs to end", 10))
        rest = [p for name in self.nodes for p in self._of_node(name)]
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:  # a slurmd that waits for its controller
                process.kill()
                process.wait()
        for process in rest:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(rest, timeout=5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def left(self) -> list[str]:
        """Processes that name this cluster's folder: none after ``stop``."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = " ".join(process.cmdline())
                if str(self.folder) in words and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(words)
        return found

    def _of_node(self, name: str) -> Iterator[psutil.Process]:
        """A node's slurmd, its step daemons (they leave the tree), and all their children."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                slurmd = self.processes.get(name)
                mine = slurmd is not None and process.pid == slurmd.pid
                steps = process.name() == "slurmstepd" and self._lives_on(process, name)
                if mine or steps:
                    yield from process.children(recursive=True)
                    yield process

    def _lives_on(self, process: psutil.Process, name: str) -> bool:
        """Whether a step daemon serves this cluster's node: it keeps the node's log open."""
        log = str(self.folder / f"slurmd-{name}.log")
        return any(file.path == log for file in process.open_files())

    @staticmethod
    def _quietly(do: Callable[[], object]) -> object:
        with contextlib.suppress(RuntimeError, TimeoutError, OSError, subprocess.TimeoutExpired):
            return do()
        return None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if not k.startswith(("SLURM", "SBATCH"))}
