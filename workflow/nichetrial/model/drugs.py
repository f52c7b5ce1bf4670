"""The drugs and antibodies a study can give, and what each one blocks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DRUGS", "Drug"]


@dataclass(frozen=True, kw_only=True)
class Drug:
    """A drug by name. Its kinetics are parameters of the mouse (``<kinetics>_half_life`` ...)."""

    name: str
    label: str
    molar_mass: float
    """g/mol: turns mg/kg into nmol/kg."""
    blocks: str
    """What it does, in a biologist's words."""
    kinetics: str
    """Prefix of the pharmacokinetic parameters; antibodies share one set."""
    methods: tuple[str, ...] = ("bolus",)


DRUGS: dict[str, Drug] = {
    d.name: d
    for d in (
        Drug(
            name="amd3100",
            label="AMD3100",
            molar_mass=502.8,
            blocks="blocks CXCR4: neutrophils leave the marrow and no longer home to the liver",
            kinetics="amd3100",
            methods=("bolus", "pump"),
        ),
        Drug(
            name="anti_sdf1",
            label="anti-SDF-1",
            molar_mass=150_000.0,
            blocks="neutralises SDF-1 (CXCL12) in the liver",
            kinetics="antibody",
        ),
        Drug(
            name="anti_ly6g",
            label="anti-Ly6G (rat 1A8)",
            molar_mass=150_000.0,
            blocks="kills neutrophils; partial, and they rebound within days",
            kinetics="antibody",
        ),
        Drug(
            name="anti_ly6g_murinised",
            label="anti-Ly6G (murinised 1A8)",
            molar_mass=150_000.0,
            blocks="kills neutrophils; above 90 % for weeks",
            kinetics="antibody",
        ),
        Drug(
            name="anti_timp1",
            label="anti-TIMP-1",
            molar_mass=150_000.0,
            blocks="neutralises TIMP-1 in the blood",
            kinetics="antibody",
        ),
        Drug(
            name="mmp_inhibitor",
            label="MMP inhibitor",
            molar_mass=331.4,
            blocks="blocks the active site of matrix metalloproteinases (marimastat-like)",
            kinetics="mmp_inhibitor",
            methods=("bolus", "pump"),
        ),
    )
}
