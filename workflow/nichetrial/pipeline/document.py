"""The section of docs/contributing.md on adding a stage, taken from the source of a real one."""

from __future__ import annotations

import re
from pathlib import Path

from nichetrial.pipeline.stages import DOSE_CURVE

__all__ = ["sections"]

SHOWN = DOSE_CURVE
PARTS = {
    f"workflow/nichetrial/{SHOWN.module.replace('.', '/')}.py": r"\A[\s\S]*\Z",
    "workflow/rules/simulations.smk": rf"^rule {SHOWN.name}:\n(?:    .*\n)*",
    "workflow/nichetrial/pipeline/stages.py": rf"^{SHOWN.name.upper()} = Stage\([\s\S]*?^\)\n",
}
"""File -> what of it belongs to the stage."""


def sections(top: Path) -> dict[str, str]:
    """Name of a generated section -> its Markdown. Raises ValueError if the stage has moved.

    Args:
        top: the checkout.
    """
    lines = []
    for name, pattern in PARTS.items():
        found = re.search(pattern, (top / name).read_text(encoding="utf-8"), re.M)
        if found is None:
            raise ValueError(f"{name} has no {SHOWN.name}")
        lines += [f"+++ {name}", *(f"+{line}" for line in found[0].splitlines())]
    return {"stage": "\n".join(["```diff", *lines, "```"])}
