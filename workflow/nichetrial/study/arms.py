"""One arm in internal units, from what its section of the study file says."""

from __future__ import annotations

from decimal import Decimal

from nichetrial.model.drugs import DRUGS
from nichetrial.study import checks
from nichetrial.study.language import ExperimentSection, TreatmentItem
from nichetrial.study.resolved import Arm, Challenge, Host, ReadOut, Treatment, Vector
from nichetrial.study.units import Quantity, pretty

__all__ = ["complete_arm", "dose_arm", "per_kg"]


def complete_arm(name: str, label: str, section: ExperimentSection) -> Arm:
    """The arm in internal units. ``section`` has passed all checks."""
    challenge, readout, vector = section.challenge, section.readout, section.timp1_vector
    return Arm(
        name=name,
        label=label,
        host=Host(**section.host.model_dump()),
        vector=Vector(fold=vector.fold, onset=vector.onset.value) if vector else None,
        challenge=Challenge(
            route=challenge.route,
            cells=challenge.cells.value,
            day=challenge.day.value,
            resection=challenge.resection.value if challenge.resection else None,
        ),
        treatments=tuple(_treatment(item, readout.day.value) for item in section.treatments),
        readout=ReadOut(
            day=readout.day.value,
            end=readout.end.value,
            visible_cells=readout.visible.value,
            detectable_cells=readout.detectable.value,
            lethal_cells=readout.lethal.value,
        ),
    )


def _treatment(item: TreatmentItem, readout_day: float) -> Treatment:
    start = item.start.value
    every = item.every.value if item.every else None
    until = item.last(readout_day)
    first, last = checks.on_day(start), checks.on_day(until).removeprefix("day ")
    if every is None:
        written = f"{item.dose.text} on {first}"
    elif item.method == "pump":
        written = f"{item.dose.text} per {item.every.text} by pump, {first} to {last}"  # type: ignore[union-attr]
    else:
        written = f"{item.dose.text} every {item.every.text}, {first} to {last}"  # type: ignore[union-attr]
    return Treatment(
        drug=item.drug,
        method=item.method,
        amount=per_kg(item.dose, item.drug),
        start=start,
        every=every,
        until=until,
        written=written,
    )


def per_kg(dose: Quantity, drug: str) -> float:
    """A dose in nmol per kg of body mass."""
    if dose.unit == "mg/kg":
        return float(f"{dose.value * 1e6 / DRUGS[drug].molar_mass:.15g}")
    return dose.value


def dose_arm(bare: Arm, fold: float) -> Arm:
    """One point of the dose curve: the experiment without treatments at ``fold`` times basal."""
    digits = format(Decimal(repr(fold)).normalize(), "f").replace(".", "p")
    onset = bare.vector.onset if bare.vector else 0.0
    return bare.model_copy(
        update={
            "name": f"dose_{digits}",
            "label": f"TIMP-1 × {pretty(fold)}",
            "vector": Vector(fold=fold, onset=onset),
            "treatments": (),
        }
    )
