"""Every kind of message that a user can get, with cause and cure. docs/messages.md is made from it.

A number is never used for anything else, and never changes its meaning:

    NT001 to NT099   the study file and what it names
    NT100 to NT199   the command, its options, the folder and the machine it runs on
    NT200 to NT299   results and run records
    NT300 to NT399   the engine, its compiled code, virtual mice
    NT400 to NT499   MLflow stores and servers
    NT500 to NT599   provenance: reproduce, diff, archives
    NT600 to NT699   clusters
    NT800 to NT899   notes: allowed, but probably not meant
"""

from __future__ import annotations

from nichetrial.errors import Code

UNSORTED = Code(0, "TRANSITION", "TRANSITION")

# The command, its options, the folder and the machine it runs on

USAGE = Code(
    100,
    "The command line has a command, an option or a value that does not exist or does not fit.",
    "Run `nichetrial --help`, or `nichetrial COMMAND --help` for the options of one command.",
)

# The engine, its compiled code, virtual mice

SELF_TEST = Code(
    350,
    "The compiled model gave other results than the plain reference on this computer.",
    "Run the command again. If it fails again, please report it with the processor and the "
    "versions of numba and llvmlite: no result of this computer can be trusted.",
)

# Notes: allowed, but probably not meant

NO_SAFE_CACHE = Code(
    860,
    "Compiled code is kept in a folder that only its owner can write, because whoever writes it "
    "can run code. No such folder was found, so every run compiles again.",
    "Let NUMBA_CACHE_DIR name a folder of your own that nobody else can write.",
)
NO_EFFECT = Code(
    861,
    "A treatment with a dose changed no outcome of any mouse by a single bit, although the host "
    "has its target.",
    "Check the dose and its days against the day of read-out.",
)

# Results and run records

BAD_RECORD = Code(
    250,
    "A file below records/ is not a run record: it was cut off, edited, or written by something "
    "else.",
    "Run the study again: the job is done again and leaves a new record.",
)
DAMAGED = Code(
    251,
    "A result does not have the bytes that its job wrote: it was cut off, edited or replaced.",
    "Run the study again: whatever is not what its record says is made again.",
)
NOT_OF_THIS_VERSION = Code(
    252,
    "Some results belong to an earlier version of the study or are not there.",
    "Run the study to its end, then repeat the command.",
)
