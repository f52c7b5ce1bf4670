"""An interrupt at any moment leaves no lock of Snakemake's log taken."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import logging, os, signal, threading, time
from logging import handlers
from nichetrial.compat.snakemake_logging import make_safe
from snakemake import logging as snakemake

make_safe()
queue = snakemake.Queue(-1)
listener = handlers.QueueListener(queue, logging.NullHandler())
listener.start()
log = logging.getLogger("events")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(handlers.QueueHandler(queue))
main, armed = threading.main_thread().ident, False

def interrupt():
    global armed
    while True:
        time.sleep(0.0002)
        if armed:
            armed = False
            signal.pthread_kill(main, signal.SIGINT)

def others():
    while True:
        done = threading.Event()
        threading.Thread(target=lambda: (log.info("x"), done.set()), daemon=True).start()
        if not done.wait(10):
            os._exit(9)
        time.sleep(0.01)

threading.Thread(target=interrupt, daemon=True).start()
threading.Thread(target=others, daemon=True).start()
interrupts, end = 0, time.monotonic() + 5
while time.monotonic() < end:
    try:
        armed = True
        while True:
            log.info("x")
    except KeyboardInterrupt:
        interrupts += 1

os._exit(0 if interrupts > 100 else 1)
"""


def test_interrupts_at_any_moment_leave_no_lock_taken():
    """Thousands of them. With Snakemake's own log, the first lock is lost within a second or so."""
    assert subprocess.run([sys.executable, "-c", PROGRAM]).returncode == 0


def test_snakemake_makes_its_log_of_what_is_replaced():
    """In a process of its own: what is replaced stays so."""
    program = """
from queue import SimpleQueue
from nichetrial.compat.snakemake_logging import Handler, make_safe
from snakemake.logging import LoggerManager
make_safe()
import snakemake.logging as module, inspect
source = inspect.getsource(LoggerManager)
assert "self._queue = Queue(-1)" in source
assert "logging.handlers.QueueHandler(self._queue)" in source
assert isinstance(module.Queue(-1), SimpleQueue)
assert module.logging.handlers.QueueHandler is Handler
"""
    subprocess.run([sys.executable, "-c", program], check=True)
