"""Effects over particles: closed forms, and what more particles or animals may change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import sample
from nichetrial.compare.over_particles import excess, interactions, over_particles, values_of
from nichetrial.compare.pooled import OUTCOME_UNITS
from nichetrial.formatting import direction
from nichetrial.report.sentences import interaction_words
from nichetrial.study.resolved import ComparisonSpec
from nichetrial.study.sections import Combination, Interaction, Pair
from nichetrial.trial.simulate import simulate
from tests.support.mice import ARMS, SEED, nested

SPEC = ComparisonSpec(
    reference="ref",
    pairs=(Pair(arm="x", reference="ref"),),
    combinations=(),
    responder=0.5,
    relevant=0.2,
    interval=0.95,
    resamples=100,
)


def animals(mean: np.ndarray, cv: float, count: int, seed: int) -> np.ndarray:
    """(particles, count) around the means of particles (particles,), log-normal."""
    rng = np.random.default_rng(seed)
    width = np.sqrt(np.log1p(cv**2))
    return mean[:, None] * rng.lognormal(-0.5 * width**2, width, (len(mean), count))


def test_by_hand():
    a = np.array([[1.0, 3.0], [4.0, 4.0], [0.0, 0.0], [5.0, 1.0]])
    b = np.array([[4.0, 4.0], [2.0, 2.0], [0.0, 0.0], [3.0, 3.0]])
    row = values_of(a, b, relevant=0.2)
    assert (row["particles"], row["without"]) == (4, 1)
    assert row["ratio"] == 1.0  # of 0.5, 2 and 1
    assert (row["ratio_low"], row["ratio_high"]) == pytest.approx((0.55, 1.9))
    assert (row["ratio_q25"], row["ratio_q75"]) == (0.75, 1.5)
    assert row["difference"] == 0.0  # of -2, 2, 0 and 0
    assert (row["p_fewer"], row["p_more"]) == (0.5, 0.5)
    assert row["p_relevant"] == pytest.approx(1 / 3)


def test_a_treatment_without_effect_is_exactly_none():
    same = animals(np.linspace(1, 50, 40), 0.7, 4, seed=1)
    row = values_of(same, same.copy(), relevant=0.2)
    assert {row[key] for key in row if key.startswith("ratio")} == {1.0}
    assert {row[key] for key in row if key.startswith("difference")} == {0.0}
    assert (row["p_fewer"], row["p_relevant"], row["noise"], row["widened"]) == (0.5, 0.0, 0.0, 1.0)
    assert direction(row["p_fewer"], row["p_error"]) == "direction not known"


@pytest.mark.parametrize("particles", [500, 1000, 2000])
def test_the_interval_is_that_of_the_biologies_however_many_are_tried(particles):
    """Log ratios N(-0.2, 0.3): closed form. No pairing noise: all animals of a particle agree."""
    log = stats.norm(-0.2, 0.3).rvs(particles, random_state=particles)
    b = animals(np.full(particles, 20.0), 0.5, 3, seed=2)
    row = values_of(b * np.exp(log)[:, None], b, relevant=0.2)
    for key, share in (("ratio_low", 0.05), ("ratio", 0.5), ("ratio_high", 0.95)):
        density = stats.norm(-0.2, 0.3).pdf(quantile := stats.norm(-0.2, 0.3).ppf(share))
        error = np.sqrt(share * (1 - share) / particles) / density
        assert np.log(row[key]) == pytest.approx(quantile, abs=4 * error)
    truth = stats.norm(-0.2, 0.3).cdf(0.0)
    assert row["p_fewer"] == pytest.approx(truth, abs=4 * row["p_error"])
    assert row["p_error"] == pytest.approx(np.sqrt(truth * (1 - truth) / particles), rel=0.2)
    assert row["noise"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("count", [4, 8, 32])
def test_the_noise_of_few_animals_is_found(count):
    """Animals respond differently, all particles alike: every spread of the ratio is noise."""
    particles = 3000
    b = np.full((particles, count), 10.0)
    a = animals(np.full(particles, 8.0), 0.4, count, seed=3)
    row = values_of(a, b, relevant=0.2)
    assert row["noise"] == pytest.approx(np.log(a.mean(axis=1)).std(), rel=0.1)
    assert row["widened"] > 3.0


def test_more_animals_narrow_the_interval_by_no_more_than_the_noise():
    log = np.random.default_rng(4).normal(0.0, 0.3, 4000)
    widths, widened = [], []
    for count in (4, 8, 400):
        b = np.full((4000, count), 10.0)
        row = values_of(animals(10.0 * np.exp(log), 0.6, count, seed=count), b, relevant=0.2)
        widths.append(np.log(row["ratio_high"] / row["ratio_low"]))
        widened.append(row["widened"])
    assert widths[0] / widths[2] == pytest.approx(widened[0], rel=0.06)
    assert widths[1] / widths[2] == pytest.approx(widened[1], rel=0.06)
    assert widened[2] < 1.02


def test_it_is_told_how_many_animals_would_end_the_noise():
    """With so many, the interval is a tenth wider than with any number, and not more."""
    log = np.random.default_rng(8).normal(0.0, 0.3, 4000)
    b = np.full((4000, 4), 10.0)
    enough = values_of(animals(10.0 * np.exp(log), 0.6, 4, seed=1), b, relevant=0.2)["enough"]
    assert enough == pytest.approx((np.log1p(0.6**2) / 0.3**2) / (1.1**2 - 1), rel=0.2)
    row = values_of(
        animals(10.0 * np.exp(log), 0.6, enough, seed=2),
        np.full((4000, enough), 10.0),
        relevant=0.2,
    )
    assert row["widened"] == pytest.approx(1.1, abs=0.02)


def test_copies_of_particles_widen_the_errors_and_nothing_else():
    b = animals(np.full(50, 10.0), 0.5, 4, seed=9)
    tables = {"x": nested(b * np.linspace(0.5, 1.5, 50)[:, None]), "ref": nested(b)}
    whole, half = (
        over_particles(tables, SPEC, effective=share).set_index("outcome").loc["foci"]
        for share in (1.0, 0.5)
    )
    assert (whole["effective"], half["effective"]) == (50.0, 25.0)
    assert half["p_error"] == pytest.approx(whole["p_error"] * np.sqrt(2), rel=0.05)
    same = ["ratio", "ratio_low", "ratio_high", "p_fewer", "particles", "noise"]
    assert half[same].equals(whole[same])


def test_a_table_has_a_row_for_each_outcome_and_drops_particles_with_failures():
    b = animals(np.full(6, 10.0), 0.5, 2, seed=5)
    arm, reference = nested(0.5 * b), nested(b)
    arm.loc[1, "status"] = "step_limit"  # the first particle
    reference.loc[11, "status"] = "not_finite"  # the last
    frame = over_particles({"x": arm, "ref": reference}, SPEC).set_index("outcome")
    assert list(frame.index) == list(OUTCOME_UNITS)
    assert (frame["dropped"] == 2).all()
    assert (frame["particles"] == 4).all()
    assert frame.loc["foci", "ratio"] == pytest.approx(0.5)
    assert np.isnan(frame.loc["survival_days", "ratio"])
    assert frame.loc["survival_days", "p_fewer"] == 1.0
    assert over_particles({"ref": reference}, SPEC).empty


def test_foci_stand_for_the_expected_number():
    """Few animals may have none by chance."""
    arm, reference = nested(np.full((3, 2), 0.2)), nested(np.full((3, 2), 0.4))
    for table in (arm, reference):
        table["foci"] = 0.0
    row = over_particles({"x": arm, "ref": reference}, SPEC).set_index("outcome").loc["foci"]
    assert (row["ratio"], row["without"]) == (0.5, 0)


def test_independent_drugs_are_as_expected_though_mice_share_their_sensitivity():
    """Bliss holds in each mouse. On pooled means the same mice would say: less than expected."""
    rng = np.random.default_rng(6)
    none = animals(np.full(400, 20.0), 0.8, 4, seed=7)
    left = rng.uniform(0.1, 0.9, none.shape)  # what either drug leaves, in the same mouse
    arms = {"ref": none, "a": none * left, "b": none * left, "ab": none * left * left}
    tables = {name: nested(values) for name, values in arms.items()}
    found = excess(tables, Combination(arm="ab", of=("a", "b")), "ref", "bliss")
    assert (found["excess"], found["p_better"]) == (0.0, 0.5)
    means = {name: values.mean() for name, values in arms.items()}
    pooled = (means["ab"] - means["a"] * means["b"] / means["ref"]) / means["ref"]
    assert pooled > 0.03
    better = excess(tables, Combination(arm="ab", of=("a", "b")), "ref", "hsa")
    assert better["p_better"] == 1.0


def test_the_ratio_of_two_ratios_inside_each_particle():
    """Means over animals, then ratios: by hand, with a different effect in each particle."""
    plain = np.array([[10.0, 30.0], [8.0, 8.0]])
    high = plain * [[2.0], [3.0]]  # what TIMP-1 does
    drug = plain * 0.5
    both = drug * [[1.0], [6.0]]  # ... and with the drug: nothing, and twice as much
    tables = {"high": high, "plain": plain, "drug": drug, "both": both}
    item = Interaction(
        effect=Pair(arm="both", reference="drug"), against=Pair(arm="high", reference="plain")
    )
    asked = SPEC.model_copy(update={"interactions": (item,)})
    named = {name: nested(values) for name, values in tables.items()}
    row = interactions(named, asked).iloc[0]
    assert (row["ratio_low"], row["ratio"], row["ratio_high"]) == pytest.approx(
        (0.575, 1.25, 1.925)
    )
    assert (row["p_smaller"], row["particles"]) == (0.5, 2)
    assert interaction_words(row) == "direction not known (borderline)"
    assert interactions({k: v for k, v in named.items() if k != "drug"}, asked).empty
    nothing = interactions(named | {"drug": nested(np.zeros((2, 2)))}, asked).iloc[0]
    assert nothing["particles"] == 0
    assert np.isnan(nothing["ratio"])
    assert interaction_words(nothing) == "no result"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["amd3100", "anti_ly6g", "untreated"])
def test_the_interval_holds_the_effects_of_biologies_that_were_not_tried(name):
    """The true effect, in many mice, of 200 other particles: 90 % of them, but for chance."""
    population, others, mice = particles_of("calibrated"), 200, 200
    pair = (ARMS[name], ARMS["timp1_high"])

    def foci(first: int, count: int, each: int) -> dict[str, pd.DataFrame]:
        cohort = sample(
            seed=SEED,
            first=first,
            last=first + count - 1,
            mice=each,
            overrides={},
            population=population,
        ).mice
        return {arm.name: simulate(arm, cohort, seed=SEED).outcomes for arm in pair}

    asked = SPEC.model_copy(update={"pairs": (Pair(arm=name, reference="timp1_high"),)})
    row = over_particles(foci(0, 250, 4), asked).set_index("outcome").loc["foci"]
    means = [
        table["expected_foci"].to_numpy().reshape(others, mice).mean(axis=1)
        for table in foci(250, others, mice).values()
    ]
    truth = means[0] / means[1]
    inside = np.mean((row["ratio_low"] <= truth) & (truth <= row["ratio_high"]))
    error = np.sqrt(0.9 * 0.1 * (1 / others + 1 / 250))  # of the truth's sample and of the interval
    assert inside == pytest.approx(0.9, abs=3 * error)
    assert np.mean(truth < 1) == pytest.approx(row["p_fewer"], abs=4 * row["p_error"] + 0.02)


def test_nothing_left_is_no_number():
    none = nested(np.zeros((3, 2)))
    tables = dict.fromkeys(("ref", "a", "b", "ab"), none)
    found = excess(tables, Combination(arm="ab", of=("a", "b")), "ref", "bliss")
    assert found == {"particles": 0}
    row = values_of(np.zeros((3, 2)), np.zeros((3, 2)), relevant=0.2)
    assert (row["without"], row["p_fewer"]) == (3, 0.5)
    assert "ratio" not in row
