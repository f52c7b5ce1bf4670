"""Every kind of message that a user can get, with cause and cure. docs/messages.md is made from it.

A number is never used for anything else, and never changes its meaning.
"""

from __future__ import annotations

from nichetrial.errors import Code

SECTIONS = {
    0: "The study file and what it names",
    100: "The command, its options, the folder and the machine",
    200: "Results and run records",
    300: "The engine, its compiled code, virtual mice",
    400: "MLflow stores and servers",
    500: "Provenance: reproduce, diff, archives",
    600: "Clusters",
    800: "Notes",
}
"""First number -> what the hundred codes from there are about."""

# The study file and what it names

NO_FILE = Code(
    1,
    "The study file does not exist.",
    "Give the path of a study file. `nichetrial run` without one reads config.yaml in the "
    "folder where you are.",
)
UNREADABLE = Code(
    2,
    "The study file cannot be read: it is a folder, a pipe (for a run), larger than 1 MB, not "
    "UTF-8 text, or closed to you.",
    "Give the path of a text file in UTF-8 that you may read.",
)
NOT_YAML = Code(
    3,
    "The file is not YAML as a study uses it: mappings, lists, text and numbers, without "
    "anchors and tags.",
    "Look at the line that is named. Most often a colon, a quote or the indentation is wrong.",
)
NOT_A_STUDY = Code(
    4,
    "The file holds no mapping of sections.",
    "Begin with the keys `study`, `experiment` and `arms`; config.yaml is an example.",
)
DUPLICATE_KEY = Code(
    5, "A key is there twice in one mapping.", "Keep one of the two, or rename one."
)
UNKNOWN_KEY = Code(
    6,
    "A key does not exist at this place.",
    "Use the key that is suggested. docs/study-file.md lists all keys.",
)
MISSING_KEY = Code(
    7, "A key is missing that has no default.", "Add the key. docs/study-file.md describes it."
)
WRONG_KIND = Code(
    8,
    "A value is of another kind than the key takes: text, a number, a list or a mapping.",
    "Write the kind of value that the message names.",
)
EMPTY = Code(9, "A key has no value.", "Write a value, or delete the key.")
UNKNOWN_WORD = Code(
    10,
    "A word is none of those that the key takes, for example an unknown drug or parameter.",
    "Use one of the words that are listed.",
)
OUT_OF_RANGE = Code(
    11,
    "A number is smaller or larger than it can be, or not finite.",
    "Write a number within the bounds that are named.",
)
QUANTITY = Code(
    12,
    "A quantity cannot be read, has no unit, or has the unit of something else.",
    "Write a number with its unit, such as `5 mg/kg`, `12 h` or `1e6 cells`.",
)
UNFIT_NAME = Code(
    13,
    "A name has characters that cannot be in the name of a folder, or is reserved.",
    "Use small letters, digits, `_` and `-`, starting with a letter or a digit.",
)
TWICE = Code(14, "Something is listed twice.", "Delete one of the two.")
NO_SUCH_ARM = Code(
    15, "No arm has this name.", "Use the name of an arm of the study, as it stands under `arms`."
)
TOO_MANY = Code(
    16,
    "There are more arms, doses, jobs or entries than a study can have.",
    "Make the study smaller, or dose less often.",
)
TOO_FEW = Code(
    17, "There are fewer arms, mice or entries than are needed.", "Add what the message names."
)
WRONG_ORDER = Code(
    18,
    "Two days or two numbers are in the wrong order, for example a dose after the end of the "
    "study.",
    "Change the one that is wrong so that they follow each other as the message says.",
)
CONTRADICTION = Code(
    19,
    "Two settings exclude or require each other.",
    "Delete one of them, or add the one that is missing.",
)
POINTLESS = Code(
    20,
    "A comparison or a part of a combination says nothing, for example an arm against itself.",
    "Delete it, or name another arm.",
)
NOT_A_COMBINATION = Code(
    21,
    "An arm is not the sum of the arms that it is said to combine.",
    "Give the combination exactly the treatments of its parts, and nothing else that differs.",
)
SAME_ARMS = Code(22, "Two arms are identical or have the same label.", "Change one, or delete it.")
SAME_NAME = Code(
    23, "An arm and a sweep, or two arms of sweeps, have the same name.", "Rename one of them."
)
DISTRIBUTION = Code(
    24,
    "A distribution is not written as one.",
    "Write it as in the example of the message; docs/study-file.md has all forms.",
)
NO_SUCH_DRUG = Code(
    25, "The arm is not given this drug, or is given several.", "Name a drug that the arm is given."
)
NO_FINDINGS = Code(
    26,
    "A file of findings is not there, or lies outside the folder of the study file.",
    "Put the .csv file into the folder of the study file, and give its name.",
)
UNFIT_FINDINGS = Code(
    27,
    "A file of findings cannot be read, is empty or has other columns.",
    "Write a CSV file with the columns that docs/evidence.md lists.",
)
UNFIT_FINDING = Code(
    28,
    "A row of a file of findings cannot be what it should be.",
    "Correct the row that is named; docs/evidence.md describes each column.",
)
HELD_OUT = Code(
    29,
    "The findings that are held out have been changed since they were set aside.",
    "Put them back as they were. Findings of your own go into a file of your own.",
)
UNFIT_ADDRESS = Code(
    30,
    "`tracking.uri` names no store that can be used.",
    "Write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of an "
    "MLflow server.",
)
SECRET_IN_ADDRESS = Code(
    31,
    "The address of a store has a user, a password, a token or another part that may be "
    "secret. Addresses are kept with the results.",
    "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in "
    "the environment.",
)

# The command, its options, the folder and the machine it runs on

USAGE = Code(
    100,
    "The command line has a command, an option or a value that does not exist or does not fit.",
    "Run `nichetrial --help`, or `nichetrial COMMAND --help` for the options of one command.",
)
NO_SUCH_PROFILE = Code(
    101,
    "No profile has this name.",
    "Use a profile that is listed, or the path of a folder with a config.yaml.",
)
NO_SUCH_MOUSE = Code(
    102, "The study has no mouse of this number.", "Use a number within the range that is named."
)
NOT_ASKED = Code(
    103, "The study does not ask for what the command would make.", "Add it to the study file."
)
NOT_WRITABLE = Code(
    104,
    "A file or folder cannot be written: it is read-only, a folder, or its disk is full.",
    "Make room, correct the permissions, or work in another folder.",
)
UNFIT_TARGET = Code(
    105,
    "There is something already where the command would write, or the folder above is not there.",
    "Name a new file or folder.",
)
BUSY = Code(
    106, "Another run works in this folder.", "Wait for it, stop it, or run from another folder."
)
NOT_INSTALLED = Code(
    107,
    "A package that the command needs is not installed, or cannot be.",
    "Install what the message names.",
)
NAME_TAKEN = Code(
    108,
    "Another study file in this folder has the same `study.name`, and its results are there.",
    "Give one of the two studies another name, or run them in different folders.",
)
IN_THE_WAY = Code(
    109,
    "Something stands where a run keeps its own files, and is not what belongs there: a folder in "
    "the place of a file, a link that leads nowhere, or a file that you may not read.",
    "Move it away, or correct its permissions. The same command then makes what belongs there.",
)
CLOSED = Code(
    110,
    "A command needs a file or folder that is closed to you.",
    "Correct its permissions, or ask who owns it.",
)

# Results and run records

NO_RESULTS = Code(
    200,
    "There are no results here, or not those that the command needs.",
    "Run the study first, in this folder, or name its results folder.",
)
OTHER_EDITION = Code(
    201,
    "The results were made by another version of nichetrial, whose tables have other columns or "
    "the same ones with another meaning.",
    "Run the study again, which makes everything again; or use the version that made them.",
)
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
CHANGED_STUDY = Code(
    252,
    "The study or the code was changed while a run was under way: a job would have computed "
    "something else than was planned.",
    "Run the study again when it is as it should be.",
)


# The engine, its compiled code, virtual mice

NO_PLAUSIBLE_MOUSE = Code(
    300,
    "Nearly every draw of a mouse is implausible with the parameters of this study.",
    "Widen the distributions that the message names, or leave them at their priors.",
)
NO_POPULATION = Code(
    301,
    "The population that mice are drawn from is not there, or of another version of the model.",
    "Run `nichetrial calibrate`, or use `cohort.population: calibrated`.",
)
NO_STEADY_STATE = Code(
    302, "The mouse has no steady state in the host of this arm.", "Choose another mouse or arm."
)
UNFINISHED_MICE = Code(
    303,
    "Mice did not finish, so sensitivity indices would be of another model.",
    "Look at the first of them alone: `nichetrial replay`.",
)
NO_RESULT = Code(
    304,
    "Every mouse of an arm failed, so the arm has no result.",
    "Look at the first of them alone: `nichetrial replay`. Parameters of the study near the edge "
    "of their physical range are the likely cause.",
)
SELF_TEST = Code(
    350,
    "The compiled model gave other results than the plain reference on this computer.",
    "Run the command again. If it fails again, please report it with the processor and the "
    "versions of numba and llvmlite: no result of this computer can be trusted.",
)

# MLflow stores and servers

NO_STORE = Code(
    400,
    "There is no store with tracked runs yet.",
    "Run a study first, or name its store with --tracking-uri.",
)
NOT_A_STORE = Code(
    401,
    "The file is not an SQLite database that you may read, or the server is not MLflow, so it "
    "cannot be the store.",
    "Correct its permissions, or name another store as tracking.uri. A store that is damaged can "
    "be deleted: `nichetrial track sync` brings all runs back.",
)
SERVER_SILENT = Code(
    402,
    "No MLflow server answers at this address.",
    "Start the server, or correct the address. The results are safe; the same command sends them.",
)
STORE_REFUSED = Code(
    403,
    "MLflow refused the runs or could not give them.",
    "Read the reason in the message. The results are safe; the same command continues.",
)
STORE_BUSY = Code(
    404,
    "Another process keeps writing to the store, or the server is too slow.",
    "Repeat the command when the other one has ended.",
)
IN_BIN = Code(
    405,
    "The experiment has been deleted in MLflow.",
    "Restore it there, or name another one as tracking.experiment.",
)
SERVER_FAILED = Code(
    406,
    "MLflow's own server did not start, or ended by itself.",
    "Read its last lines, which the message shows or names.",
)
UNFIT_PORT = Code(
    407,
    "The port is taken, or the host is no address of this machine.",
    "Give another one with --port or --host.",
)
UNFIT_LOGIN = Code(
    408,
    "The address of the database or the login of a shared server is missing or not in the "
    "right form.",
    "Set the variable that is named, as docs/server.md shows.",
)
NO_POSTGRES = Code(
    409,
    "Postgres does not accept the connection.",
    "Start Postgres, or correct the address and the password.",
)
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

NO_SUCH_RUN = Code(
    500,
    "No run has this id or name, or the run is of another kind.",
    "Name a study or an arm by the id that MLflow shows.",
)
NOT_REPRODUCIBLE = Code(
    501,
    "What is needed to make the run again was not kept, or is not here.",
    "Read the reason in the message; often a `git fetch --all` is enough.",
)
NOT_WHAT_WAS_KEPT = Code(
    502,
    "A file in the store is not the one that was kept, by its digest.",
    "Sync the results folder of the run again.",
)
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

# Clusters

NO_SLURM = Code(
    600,
    "The profile sends jobs to Slurm, and its commands are not here.",
    "Run on a login node of the cluster, or use another profile.",
)
SLURM_SILENT = Code(601, "Slurm does not answer.", "Try again when `squeue` answers.")
JOBS_LEFT = Code(
    602,
    "Jobs of an earlier run do not end.",
    "Look at them with `squeue`, and repeat the command when they have ended.",
)

# Notes: allowed, but probably not meant

READ_OUT_EARLY = Code(
    801,
    "Foci are counted less than two days after the cells are given.",
    "Move `readout.day` to a later day: most experiments count after one to three weeks.",
)
DOSED_AFTER_READ_OUT = Code(
    802,
    "A treatment begins on the day of read-out or later, so it cannot change what is counted then.",
    "Start it before the read-out. What happens later shows in event-free time alone.",
)
NEAR_THE_EDGE = Code(
    803,
    "A parameter of the study is near the edge of its physical range.",
    "Look at the value and its unit again; docs/model.md lists the ranges.",
)
NO_GLYPH = Code(
    804,
    "A label has characters that no installed font has, so figures show boxes in their place.",
    "Write the label without them; or install a font that has them, such as Noto Sans CJK, delete "
    "the figures and run again.",
)
FEW_PARTICLES = Code(
    805,
    "The cohort has so few particles that shares of them, such as 'fewer in 80 %', say little.",
    "Write a larger `cohort.particles`; 250 is usual. For a first try, few are enough.",
)
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


ALL: tuple[Code, ...] = tuple(value for value in list(vars().values()) if isinstance(value, Code))
"""In the order in which they stand here, which is that of their numbers."""
