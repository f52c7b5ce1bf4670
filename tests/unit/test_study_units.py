"""Quantities: what is understood, and that the spelling of a unit changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.source import scalar
from nichetrial.study.units import DOSE, UnitError, convert, pretty


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("12 h", "d", 0.5),
        ("12h", "d", 0.5),
        ("30 min", "d", 30 / 1440),
        ("2 weeks", "d", 14.0),
        ("1e6 cells", "cells", 1e6),
        ("1 cell", "cells", 1.0),
        ("2 uM", "nM", 2000.0),
        ("2 µM", "nM", 2000.0),
        ("5 nmol/L", "nM", 5.0),
        ("0.5 mL/g", "L/kg", 0.5),
        ("0.1 1/h", "1/d", 2.4),
        ("0.1 /h", "1/d", 2.4),
        ("1 mL", "mm^3", 1000.0),
        ("2 mm3", "mm^3", 2.0),
        ("2 mm³", "mm^3", 2.0),
        ("50 %", "1", 0.5),
        ("3 fold", "1", 3.0),
        (3, "1", 3.0),
        ("5 mg/kg", DOSE, 5.0),
        ("5000 ug/kg", DOSE, 5.0),
        ("5 umol/kg", DOSE, 5000.0),
        ("5 ug/g", DOSE, 5.0),
        ("5 mg*kg^-1", DOSE, 5.0),
        ("3 nmol·g^-1", DOSE, 3000.0),
    ],
)
def test_understood(written: object, unit: str, value: float) -> None:
    assert convert(written, unit).value == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("30 degree", "1"),
        ("1 rad", "1"),
        ("5 ppm", "1"),
        ("1 d**1", "d"),
        ("1 d^1", "d"),
        ("-0 d", "d"),
        ("-0", "1"),
        ("5 mg kg^-1", DOSE),
        ("5 mg/g/kg", DOSE),
        ("5 mg/L", DOSE),
    ],
)
def test_other_forms_are_refused(written: str, unit: str) -> None:
    with pytest.raises(UnitError):
        convert(written, unit)


@pytest.mark.parametrize(
    ("written", "unit", "right"),
    [("5 mg/Kg", DOSE, "5 mg/kg"), ("2 NM", "nM", "2 nM"), ("2 Days", "d", "2 days")],
)
def test_a_unit_in_other_letters_is_suggested(written: str, unit: str, right: str) -> None:
    with pytest.raises(UnitError) as refused:
        convert(written, unit)
    assert f'"{right}"' in str(refused.value)
    assert convert(right, unit).value > 0


def test_mass_concentrations_need_a_molar_mass() -> None:
    assert convert("73.5 ug/L", "nM", molar_mass=28_000).value == pytest.approx(2.625)
    with pytest.raises(UnitError, match="not a concentration"):
        convert("73.5 ug/L", "nM")


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda p: p.name)
def test_the_unit_of_every_parameter_is_understood(parameter) -> None:
    written = 2 if parameter.unit == "1" else f"2 {parameter.unit}"
    assert convert(written, parameter.unit).value == 2.0


@given(st.integers(1, 365 * 24))
def test_hours_and_days_are_the_same_time(hours: int) -> None:
    in_hours = convert(f"{hours} h", "d").value
    assert in_hours == pytest.approx(hours / 24, rel=1e-14)
    assert in_hours == convert(f"{hours * 60} min", "d").value
    if hours % 12 == 0:
        assert in_hours == convert(f"{hours // 12 / 2} d", "d").value


@given(st.floats(0, 1e12))
def test_a_number_reads_back_as_it_was_shown(value: float) -> None:
    assert float(pretty(value)) == pytest.approx(value, rel=1e-14)
    assert isinstance(scalar(pretty(value)), int | float)


@pytest.mark.parametrize("text", ["no", "on", "yes", "off", "12 h", "1_000", "0x1f", "1:30", "e5"])
def test_text_in_yaml_1_2(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("1E-3", 1e-3),
        (".5", 0.5),
        ("5.", 5.0),
        ("+3", 3),
        ("007", 7),
        ("true", True),
        ("~", None),
    ],
)
def test_numbers_in_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)
