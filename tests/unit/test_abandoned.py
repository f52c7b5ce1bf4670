"""What a killed process has half written is removed; what a living one writes is not."""

import os
import socket
import subprocess
import sys

from nichetrial.launch.locks import remove_abandoned


def test_only_what_dead_processes_of_this_computer_left_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here, deep = socket.gethostname(), tmp_path / "figures"
    deep.mkdir()
    gone = deep / f".a.png.{here}.{ended.pid}.part"
    kept = [
        deep / f".a.png.{here}.{os.getpid()}.part",
        deep / f".a.png.{here}.1.part",
        deep / f".a.png.another.{ended.pid}.part",
        deep / f".a.png.{here}.x.part",
        deep / f".a.png.{here}.².part",
        deep / f".folder.{here}.{ended.pid}.part",
        deep / "a.png",
    ]
    kept[-2].mkdir()
    beyond = deep / f".a.png.{here}.{10**20}.part"  # the number of no process
    for path in (gone, beyond, *kept):
        path.touch()
    remove_abandoned(tmp_path)
    assert sorted(deep.iterdir()) == sorted(kept)
    remove_abandoned(tmp_path / "not there")
