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

# The servers of `nichetrial ui` and `nichetrial serve`

FILES_ELSEWHERE = Code(
    450,
    "A request to one of our MLflow servers would read, write or place files outside the server's "
    "own folder: by an artifact location, a path, another kind of address, or a link.",
    "Leave the artifact location out when an experiment is made; the server chooses it. Copy files "
    "into the folder instead of linking to them.",
)
NOT_SERVED = Code(
    451,
    "The address is one of MLflow's that our servers do not answer: they are for runs, their files "
    "and users, not for webhooks, gateways, jobs, traces or registered models.",
    "For these, start MLflow's own server on a database of its own.",
)
TOO_LARGE = Code(
    452,
    "A file or a request is larger than the server takes.",
    "Start the server with a higher `nichetrial serve --largest-file MB`, or keep the file "
    "elsewhere.",
)
LOCKED_OUT = Code(
    453,
    "Too many logins of this user, or from this address, failed within a minute.",
    "Wait a minute. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to a login that is "
    "right, also where jobs run.",
)
NO_TOKEN = Code(
    454,
    "The server of `nichetrial ui` was asked without its token, or by a page of another place.",
    "Open the link that `nichetrial ui` printed. Programs set MLFLOW_TRACKING_TOKEN to its token.",
)
UNFIT_PATH = Code(
    455,
    "MLflow cannot open an SQLite file whose path has a question mark.",
    "Rename the folder, or name another store as tracking.uri.",
)

# Provenance: reproduce, diff, archives

NO_ORIGIN = Code(
    550,
    "The file that describes where a run comes from is missing, damaged, or names files outside "
    "its folder.",
    "Sync the results folder of the run again; a run made by something else cannot be made again.",
)
NO_JOBS = Code(
    551,
    "The list of jobs that a run keeps in MLflow is missing or damaged.",
    "Sync the results folder of the run again.",
)
UNFIT_DIFFERENCE = Code(
    552,
    "The uncommitted code that a run keeps changes more than the text of code files: links, modes, "
    "names, or files outside the code.",
    "Do not run it. Ask whoever made the run for the code.",
)
NOT_TRUSTED = Code(
    553,
    "`nichetrial reproduce` runs code that a store names, and nobody has accepted it.",
    "Read what is shown: the commit and the uncommitted changes. Add --trust to accept it.",
)
