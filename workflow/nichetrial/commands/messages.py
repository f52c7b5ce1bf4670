"""The page of all messages in the docs."""

from __future__ import annotations

from pathlib import Path

from nichetrial import codes
from nichetrial.formatting import markdown_table

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """The page of all messages: path from the top of the repository -> text."""
    page = Path("docs", "messages.md")
    lines = [
        "# Messages",
        "",
        "Every message of nichetrial has a code, and a number never changes its meaning. An error",
        "ends the command with exit code 2 before anything is half written. A note (NT8xx) is",
        "printed, and the command goes on; with `--strict` it is an error.",
    ]
    for first, title in codes.SECTIONS.items():
        rows = [c for c in codes.ALL if first <= c.number < first + 100]
        cells = [(str(c), c.cause, c.cure) for c in rows]
        lines += ["", f"## {title}", "", *markdown_table(("code", "cause", "cure"), cells)]
    return {page: "\n".join(lines) + "\n"}
