"""What runs: the plan of a study, resources, estimate, verification."""

from pathlib import Path

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """The page of the docs that shows how a stage is added: path -> text."""
    from nichetrial.model.document import fill
    from nichetrial.pipeline.document import sections

    top = Path(__file__).parents[3]
    page = top / "docs" / "contributing.md"
    return {page: fill(page, sections(top))}
