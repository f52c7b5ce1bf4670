"""Structural variants of the model: what is left if one mechanism is taken out.

Each is the full model with other priors for a few parameters, so that the same engine runs all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nichetrial.model.parameters import Kind

__all__ = ["FULL", "VARIANTS", "Variant"]

FULL = "full"
NEVER = 1e15
"""nM; a TIMP-1 level that no arm reaches."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One variant. ``priors``: parameter -> (kind, a, b), as in ``model.parameters``."""

    name: str
    meaning: str
    priors: Mapping[str, tuple[Kind, float, float]] = field(default_factory=dict)


def _off(*names: str) -> dict[str, tuple[Kind, float, float]]:
    return dict.fromkeys(names, ("fixed", 0.0, 0.0))


VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        Variant(name=FULL, meaning="all mechanisms of the model"),
        Variant(
            name="no_niche",
            meaning="neutrophils make no niche; they only bring protease",
            priors=_off("niche_gain"),
        ),
        Variant(
            name="hgf_only",
            meaning="HGF signalling in the place of the niche",
            priors=_off("niche_gain") | {"hgf_gain": ("log_uniform", 0.5, 10.0)},
        ),
        Variant(
            name="homing_only",
            meaning="TIMP-1 draws neutrophils to the liver but makes no more of them",
            priors=_off("granulopoiesis_gain"),
        ),
        Variant(
            name="supply_only",
            meaning="TIMP-1 makes more neutrophils but does not induce SDF-1; it still spares it",
            priors=_off("sdf1_induction"),
        ),
        Variant(
            name="monotonic",
            meaning="TIMP-1 inhibits no protease: its effect has one sign",
            priors={"mmp_ki": ("fixed", NEVER, 0.0)},
        ),
    )
}
"""By name; the full model first."""
