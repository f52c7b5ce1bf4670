"""The section ``calibration`` and ``cohort.population``: defaults, and mistakes with places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import cli, codes
from nichetrial.errors import UserError
from nichetrial.model.variants import VARIANTS
from nichetrial.pipeline.jobs import job
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stages import STAGES
from nichetrial.study.calibration import MOST_JOBS
from nichetrial.study.load import load, load_text
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.study.sections import CalibrationSpec
from tests.support.broken_studies import SOUND

LINE = SOUND.splitlines().index("tracking:") + 1


def with_section(section: str) -> str:
    return SOUND.replace("tracking:\n", f"calibration: {section}\ntracking:\n")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with files of findings, whose rows are read later."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("a.csv", "b.csv", "sub/c.csv", "d.txt"):
        (tmp_path / name).write_text("x\n")
    return tmp_path


def faults(text: str) -> list[str]:
    """Code and place of all that is wrong with a study."""
    with pytest.raises(UserError) as caught:
        load_text(text)
    return [f"{fault.code} {fault.place}" for fault in caught.value.faults]


# --- defaults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SOUND, with_section("{}")], ids=["left out", "empty"])
def test_defaults(text):
    study = load_text(text)
    assert study.calibration == CalibrationSpec(variants=tuple(VARIANTS))
    assert study.cohort.population == "calibrated"
    assert study.calibration.fit == study.calibration.predict == ()
    assert study.experiment.name == "experiment"


def test_every_key_but_the_chunk_is_declared_by_a_stage():
    depends = {key for name in OF_CALIBRATION for key in STAGES[name].depends}
    assert {key.split(".")[1] for key in depends if key.startswith("calibration.")} == (
        set(CalibrationSpec.model_fields) - {"chunk"}
    )


def test_all_keys_are_taken_as_written(folder):
    study = load_text(
        with_section(
            "{particles: 40, generations: 2, moves: 1, mice: 4, chunk: 25, sobol: 16, "
            "map_points: 3, map_particles: 10, variants: [monotonic, full], "
            "fit: [a.csv, sub/c.csv], "
            "predict: [b.csv]}"
        )
    )
    assert study.calibration == CalibrationSpec(
        particles=40,
        generations=2,
        moves=1,
        mice=4,
        chunk=25,
        sobol=16,
        map_points=3,
        map_particles=10,
        variants=("monotonic", "full"),
        fit=("a.csv", "sub/c.csv"),
        predict=("b.csv",),
    )
    assert ResolvedStudy.model_validate_json(study.model_dump_json()) == study


def test_files_are_found_beside_the_study_file_wherever_one_is(folder, monkeypatch):
    (folder / "sub" / "study.yaml").write_text(with_section("{fit: [c.csv]}"))
    assert load("sub/study.yaml").calibration.fit == ("sub/c.csv",)
    monkeypatch.chdir(folder / "sub")
    assert load("study.yaml").calibration.fit == ("c.csv",)
    assert load(folder / "sub" / "study.yaml").calibration.fit == (f"{folder}/sub/c.csv",)


@pytest.mark.parametrize("population", ["calibrated", "priors", "own"])
def test_populations(population):
    text = SOUND.replace("  particles: 60\n", f"  particles: 60\n  population: {population}\n")
    study = load_text(text)
    assert study.cohort.population == population
    own = ["results/small/evidence/full/population.parquet"]
    assert Plan.of(study, "s.yaml").population == (own if population == "own" else [])


@pytest.mark.parametrize("name", ["lab{a}.csv", "lab*.csv", "link.csv"])
def test_names_that_mean_more_than_a_file_here_are_refused(name, folder):
    (folder / name).symlink_to("/etc/hostname") if name == "link.csv" else (
        folder / name
    ).write_text("")
    Path("study.yaml").write_text(with_section(f"{{fit: ['{name}']}}"))
    with pytest.raises(UserError, match="NT0"):
        load("study.yaml")


def test_check_reads_the_findings_too(folder, capsys):
    (folder / "a.csv").write_text("id,set\nM1,A\n")
    Path("study.yaml").write_text(with_section("{fit: [a.csv]}"))
    assert cli.main(["check", "study.yaml"]) == 2
    assert "a.csv:2: NT027 " in capsys.readouterr().err


# --- mistakes -------------------------------------------------------------------------------------


WRONG: dict[str, tuple[str, str]] = {
    "a list": ("[a]", "NT008"),
    "a word": ("none", "NT008"),
    "nothing": ("", "NT009"),
    "unknown key": ("{particels: 100}", "NT006 particels"),
    "words for a number": ("{particles: many}", "NT008 particles"),
    "half a particle": ("{particles: 100.5}", "NT008 particles"),
    "yes for a number": ("{moves: true}", "NT008 moves"),
    "few particles": ("{particles: 19}", "NT011 particles"),
    "many particles": ("{particles: 100001}", "NT011 particles"),
    "no generation": ("{generations: 0}", "NT011 generations"),
    "many generations": ("{generations: 101}", "NT011 generations"),
    "no move": ("{moves: 0}", "NT011 moves"),
    "one mouse": ("{mice: 1}", "NT011 mice"),
    "many mice": ("{mice: 1001}", "NT011 mice"),
    "no chunk": ("{chunk: 0}", "NT011 chunk"),
    "few samples": ("{sobol: 8}", "NT011 sobol"),
    "many samples": ("{sobol: 131072}", "NT011 sobol"),
    "no power of two": ("{sobol: 500}", "NT011 sobol"),
    "a map of one point": ("{map_points: 1}", "NT011 map_points"),
    "a map of no particle": ("{map_particles: 0}", "NT011 map_particles"),
    "too many jobs": ("{particles: 100000, chunk: 10}", "NT016 chunk"),
    "without the full model": ("{variants: [no_niche]}", "NT014 variants"),
    "a variant twice": ("{variants: [full, full]}", "NT014 variants"),
    "no variant": ("{variants: []}", "NT017 variants"),
    "misspelt variant": ("{variants: [full, no_nich]}", "NT010 variants[1]"),
    "a variant without a list": ("{variants: full}", "NT008 variants"),
    "findings without a list": ("{fit: a.csv}", "NT008 fit"),
    "a number for a file": ("{fit: [12]}", "NT008 fit[0]"),
    "a file that is not there": ("{fit: [a.csv, none.csv]}", "NT026 fit[1]"),
    "predictions that are not there": ("{predict: [none.csv]}", "NT026 predict[0]"),
    "a path that leads away: /etc/passwd": ("{predict: ['/etc/passwd']}", "NT026 predict[0]"),
    "a path that leads away: /etc/a.csv": ("{predict: ['/etc/a.csv']}", "NT026 predict[0]"),
    "a path that leads away: ../a.csv": ("{predict: ['../a.csv']}", "NT026 predict[0]"),
    "a path that leads away: sub/../a.csv": ("{predict: ['sub/../a.csv']}", "NT026 predict[0]"),
    "a path that leads away: d.txt": ("{predict: ['d.txt']}", "NT026 predict[0]"),
    "a path that leads away: sub": ("{predict: ['sub']}", "NT026 predict[0]"),
    "twice: fit: [a.csv, b.csv, a.csv]": ("{fit: [a.csv, b.csv, a.csv]}", "NT014 fit[2]"),
    "twice: predict: [a.csv, a.csv]": ("{predict: [a.csv, a.csv]}", "NT014 predict[1]"),
    "twice: fit: [a.csv], predict: [b.csv, a.csv]": (
        "{fit: [a.csv], predict: [b.csv, a.csv]}",
        "NT014 predict[1]",
    ),
    "twice: fit: [a.csv], predict: [./a.csv]": (
        "{fit: [a.csv], predict: [./a.csv]}",
        "NT014 predict[0]",
    ),
    "twice: fit: [sub/c.csv, sub//c.csv]": ("{fit: [sub/c.csv, sub//c.csv]}", "NT014 fit[1]"),
}
"""Name -> the section, the code and the key of the message."""


@pytest.mark.parametrize(("section", "fault"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_message_with_its_place(section, fault, folder):
    code, _, key = fault.partition(" ")
    place = f"study.yaml:{LINE}: calibration{f'.{key}' if key else ''}"
    assert faults(with_section(section)) == [f"{code} {place}"]


def test_all_mistakes_are_reported_at_once(folder):
    text = with_section("\n  sobol: 500\n  variants: [no_niche]\n  fit: [none.csv]").replace(
        "  particles: 60\n", "  particles: 60\n  population: shipped\n"
    )
    assert faults(text) == [
        f"{codes.UNKNOWN_WORD} study.yaml:6: cohort.population",
        f"{codes.OUT_OF_RANGE} study.yaml:{LINE + 2}: calibration.sobol",
        f"{codes.TWICE} study.yaml:{LINE + 3}: calibration.variants",
        f"{codes.NO_FINDINGS} study.yaml:{LINE + 4}: calibration.fit[0]",
    ]


@pytest.mark.parametrize(
    ("population", "code"),
    [
        ("shipped", codes.UNKNOWN_WORD),
        ("Own", codes.UNKNOWN_WORD),
        ("", codes.EMPTY),
        ("1", codes.UNKNOWN_WORD),
    ],
)
def test_a_population_that_is_none_is_refused(population, code):
    text = SOUND.replace("  particles: 60\n", f"  particles: 60\n  population: {population}\n")
    assert faults(text) == [f"{code} study.yaml:6: cohort.population"]


# --- what hangs on what ---------------------------------------------------------------------------


@settings(max_examples=80)
@given(particles=st.integers(20, 2000), chunk=st.integers(1, 2500))
def test_chunks_hold_every_particle_once(particles, chunk):
    chunks = CalibrationSpec(particles=particles, chunk=chunk).chunks()
    assert [k for a, b in chunks for k in range(a, b + 1)] == list(range(particles))
    assert all(b - a < chunk for a, b in chunks)


def test_as_many_jobs_as_are_allowed():
    """One generation and the first, of one variant."""
    size = 2 * 10_000 // MOST_JOBS
    section = "{{particles: 10000, generations: 1, variants: [full], chunk: {}}}"
    assert load_text(with_section(section.format(size))).calibration.chunk == size
    (fault,) = faults(with_section(section.format(size - 1)))
    assert fault.startswith(f"{codes.TOO_MANY} ")


OF_CALIBRATION = (
    "particles",
    "population",
    "predict",
    "scoreboard",
    "sensitivity",
    "contradiction",
)
ONE = {"variant": "full", "generation": "001", "particles": "000000-000019", "chunk": "0-9"}


def _stages_of(study: ResolvedStudy) -> dict[str, str]:
    plan = Plan.of(study, "s.yaml")
    return {s: job(plan, s, **ONE).digest() for s in (*OF_CALIBRATION, "parameters", "compare")}


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    [
        ("particles", 1200, {"particles", "population"}),
        ("generations", 9, {"population"}),
        ("moves", 4, {"particles", "population"}),
        ("mice", 12, {"particles", "population", "predict"}),
        ("chunk", 100, set()),
        ("sobol", 1024, {"sensitivity"}),
        ("map_points", 21, {"contradiction"}),
        ("map_particles", 99, {"contradiction"}),
        ("variants", ("full",), {"scoreboard"}),
        ("fit", ("a.csv",), {"particles", "population", "predict", "scoreboard"}),
        ("predict", ("a.csv",), {"predict", "scoreboard"}),
    ],
)
def test_a_change_of_a_key_runs_these_stages_again(key, value, stages):
    study = load_text(SOUND)
    changed = study.model_copy(
        update={"calibration": study.calibration.model_copy(update={key: value})}
    )
    before, after = _stages_of(study), _stages_of(changed)
    assert {s for s in before if before[s] != after[s]} == stages


def test_each_variant_has_jobs_of_its_own():
    plan = Plan.of(load_text(SOUND), "s.yaml")
    digests = {job(plan, "particles", **ONE | {"variant": v}).digest() for v in VARIANTS}
    assert len(digests) == len(VARIANTS)
    files = [f for v in VARIANTS for f in job(plan, "population", variant=v).inputs]
    assert len(set(files)) == len(files) == len(VARIANTS) * 9 * 2
    assert plan.particles("full", -1) == []
    assert plan.particles("full", 3) == [
        "results/small/evidence/full/particles/003/000000-000499.parquet",
        "results/small/evidence/full/particles/003/000500-000999.parquet",
    ]


def test_the_population_of_a_study_is_what_its_mice_depend_on():
    study = load_text(SOUND)
    priors = study.model_copy(
        update={"cohort": study.cohort.model_copy(update={"population": "priors"})}
    )
    before, after = _stages_of(study), _stages_of(priors)
    changed = {s for s in before if before[s] != after[s]}
    assert "parameters" in changed
    assert not changed & set(OF_CALIBRATION)
