"""The section ``calibration`` and ``cohort.population``: defaults, and mistakes with places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import cli
from nichetrial.errors import UserError
from nichetrial.model.variants import VARIANTS
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import EVIDENCE
from nichetrial.study.calibration import MOST_JOBS
from nichetrial.study.language import CalibrationSection
from nichetrial.study.load import load, load_text
from nichetrial.study.resolved import CalibrationSpec, ResolvedStudy
from tests.unit.broken_studies import SOUND

KEYS = ("fit, predict, variants, particles, generations, moves, mice, chunk, sobol, map_points, "
        "map_particles")  # fmt: skip
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


def message(text: str) -> str:
    with pytest.raises(UserError) as caught:
        load_text(text)
    return str(caught.value)


# --- defaults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SOUND, with_section("{}")], ids=["left out", "empty"])
def test_defaults(text):
    study = load_text(text)
    assert study.calibration == CalibrationSpec(variants=tuple(VARIANTS))
    assert study.cohort.population == "calibrated"
    assert study.calibration.fit == study.calibration.predict == ()
    assert study.experiment.name == "experiment"


def test_the_resolved_section_has_the_keys_and_defaults_of_the_study_file():
    assert set(CalibrationSpec.model_fields) == set(CalibrationSection.model_fields)
    section, spec = CalibrationSection(), CalibrationSpec()
    for key in set(CalibrationSpec.model_fields) - {"variants"}:
        value = getattr(section, key)
        assert getattr(spec, key) == (tuple(value) if isinstance(value, list) else value), key
    assert {k for keys in EVIDENCE.values() for k in keys} == (
        set(CalibrationSpec.model_fields) - {"chunk"}
    )


def test_all_keys_are_taken_as_written(folder):
    study = load_text(with_section(
        "{particles: 40, generations: 2, moves: 1, mice: 4, chunk: 25, sobol: 16, map_points: 3, "
        "map_particles: 10, variants: [monotonic, full], fit: [a.csv, sub/c.csv], "
        "predict: [b.csv]}"
    ))  # fmt: skip
    assert study.calibration == CalibrationSpec(
        particles=40, generations=2, moves=1, mice=4, chunk=25, sobol=16, map_points=3,
        map_particles=10, variants=("monotonic", "full"), fit=("a.csv", "sub/c.csv"),
        predict=("b.csv",),
    )  # fmt: skip
    assert ResolvedStudy.model_validate_json(study.model_dump_json()) == study


def test_files_are_found_beside_the_study_file_wherever_one_is(folder, monkeypatch):
    (folder / "sub" / "study.yaml").write_text(with_section("{fit: [c.csv]}"))
    assert load("sub/study.yaml").calibration.fit == ("sub/c.csv",)
    monkeypatch.chdir(folder / "sub")
    assert load("study.yaml").calibration.fit == ("c.csv",)
    assert load(folder / "sub" / "study.yaml").calibration.fit == (f"{folder}/sub/c.csv",)


@pytest.mark.parametrize("population", ["calibrated", "priors", "own"])
def test_populations(population):
    text = SOUND.replace("  mice: 20\n", f"  mice: 20\n  population: {population}\n")
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
    with pytest.raises(UserError, match="file in the folder of this file or below"):
        load("study.yaml")


def test_check_reads_the_findings_too(folder, capsys):
    (folder / "a.csv").write_text("id,set\nM1,A\n")
    Path("study.yaml").write_text(with_section("{fit: [a.csv]}"))
    assert cli.main(["check", "study.yaml"]) == 2
    assert "a.csv:2: the columns must be" in capsys.readouterr().err


# --- mistakes -------------------------------------------------------------------------------------


def number(key: str, bad: str, told: str) -> tuple[str, str, str]:
    return f"{{{key}: {bad}}}", key, told


WRONG: dict[str, tuple[str, str, str]] = {
    "a list": ("[a]", "", f"a list is not right here; write keys with values here ({KEYS})"),
    "a word": ("none", "", f'"none" is not right here; write keys with values here ({KEYS})'),
    "nothing": ("", "", f"is empty; write keys with values here ({KEYS})"),
    "unknown key": (
        "{particels: 100}",
        "particels",
        'unknown key "particels"; did you mean "particles"?',
    ),
    "words for a number": number(
        "particles", "many", '"many" is not a whole number; write one without a unit, at least 20'
    ),
    "half a particle": number(
        "particles", "100.5", "100.5 is not a whole number; write one without a unit, at least 20"
    ),
    "yes for a number": number(
        "moves", "true", "true is not a whole number; write one without a unit, at least 1"
    ),
    "few particles": number("particles", "19", "19 is too small; at least 20"),
    "many particles": number("particles", "100001", "100001 is too large; at most 1e5"),
    "no generation": number("generations", "0", "0 is too small; at least 1"),
    "many generations": number("generations", "101", "101 is too large; at most 100"),
    "no move": number("moves", "0", "0 is too small; at least 1"),
    "one mouse": number("mice", "1", "1 is too small; at least 2"),
    "many mice": number("mice", "1001", "1001 is too large; at most 1000"),
    "no chunk": number("chunk", "0", "0 is too small; at least 1"),
    "few samples": number("sobol", "8", "8 is too small; at least 16"),
    "many samples": number("sobol", "131072", "131072 is too large; at most 65536"),
    "no power of two": number("sobol", "500", "500 is no power of two; write one, such as 512"),
    "a map of one point": number("map_points", "1", "1 is too small; at least 2"),
    "a map of no particle": number("map_particles", "0", "0 is too small; at least 1"),
    "too many jobs": (
        "{particles: 100000, chunk: 10}",
        "chunk",
        "540000 jobs are too many; write a larger chunk",
    ),
    "without the full model": number(
        "variants", "[no_niche]", "write each variant once, and full among them"
    ),
    "a variant twice": number(
        "variants", "[full, full]", "write each variant once, and full among them"
    ),
    "no variant": number("variants", "[]", "0 entries are too few; at least 1"),
    "misspelt variant": (
        "{variants: [full, no_nich]}",
        "variants[1]",
        'unknown variant "no_nich"; did you mean "no_niche"?',
    ),
    "a variant without a list": number(
        "variants",
        "full",
        '"full" is not right here; write a list here, in brackets [ ] or with one - a line',
    ),
    "findings without a list": number(
        "fit",
        "a.csv",
        '"a.csv" is not right here; write a list here, in brackets [ ] or with one - a line',
    ),
    "a number for a file": (
        "{fit: [12]}",
        "fit[0]",
        "text is needed, but this is 12, a number; put the text in quotes",
    ),
    "a file that is not there": (
        "{fit: [a.csv, none.csv]}",
        "fit[1]",
        'there is no file "none.csv" beside this one',
    ),
    "predictions that are not there": (
        "{predict: [none.csv]}",
        "predict[0]",
        'there is no file "none.csv" beside this one',
    ),
    **{
        f"a path that leads away: {name}": (
            f"{{predict: ['{name}']}}",
            "predict[0]",
            f'"{name}" must be a .csv file in the folder of this file or below',
        )
        for name in ("/etc/passwd", "/etc/a.csv", "../a.csv", "sub/../a.csv", "d.txt", "sub")
    },
    **{
        f"twice: {section}": (
            f"{{{section}}}",
            where,
            f'"{name}" is there twice; a finding is either fitted or predicted',
        )
        for section, where, name in (
            ("fit: [a.csv, b.csv, a.csv]", "fit[2]", "a.csv"),
            ("predict: [a.csv, a.csv]", "predict[1]", "a.csv"),
            ("fit: [a.csv], predict: [b.csv, a.csv]", "predict[1]", "a.csv"),
            ("fit: [a.csv], predict: [./a.csv]", "predict[0]", "./a.csv"),
            ("fit: [sub/c.csv, sub//c.csv]", "fit[1]", "sub//c.csv"),
        )
    },
}


@pytest.mark.parametrize(("section", "key", "told"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_message_with_its_place(section, key, told, folder):
    place = f"study.yaml:{LINE}: calibration{f'.{key}' if key else ''}"
    assert message(with_section(section)) == f"{place}: {told}"


def test_all_mistakes_are_told_at_once(folder):
    text = with_section("\n  sobol: 500\n  variants: [no_niche]\n  fit: [none.csv]").replace(
        "  mice: 20\n", "  mice: 20\n  population: shipped\n"
    )
    assert message(text).splitlines() == [
        'study.yaml:6: cohort.population: unknown population "shipped"; possible here: calibrated, '
        "priors, own",
        f"study.yaml:{LINE + 2}: calibration.sobol: 500 is no power of two; write one, such as 512",
        f"study.yaml:{LINE + 3}: calibration.variants: write each variant once, and full among "
        "them",
        f'study.yaml:{LINE + 4}: calibration.fit[0]: there is no file "none.csv" beside this one',
    ]


@pytest.mark.parametrize(
    ("population", "told"),
    [
        ("shipped", 'unknown population "shipped"; possible here: calibrated, priors, own'),
        ("Own", 'unknown population "Own"; did you mean "own"?'),
        ("", "is empty; write a value, or delete the key"),
        ("1", "unknown population 1; possible here: calibrated, priors, own"),
    ],
)
def test_a_population_that_is_none_is_told(population, told):
    text = SOUND.replace("  mice: 20\n", f"  mice: 20\n  population: {population}\n")
    assert message(text) == f"study.yaml:6: cohort.population: {told}"


# --- what hangs on what ---------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
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
    assert "jobs are too many" in message(with_section(section.format(size - 1)))


def _stages_of(study: ResolvedStudy) -> dict[str, str]:
    plan = Plan.of(study, "s.yaml")
    return {s: plan.digest(s, variant="full") for s in (*EVIDENCE, "parameters", "compare")}


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
    digests = {plan.digest("particles", variant=v) for v in VARIANTS}
    assert len(digests) == len(VARIANTS)
    files = [f for v in VARIANTS for f in plan.all_particles(v)]
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
    assert not changed & set(EVIDENCE)
