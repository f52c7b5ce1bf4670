"""What every report is printed on: templates, the style sheet, and pictures inside the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.figures import catalogue
from nichetrial.formatting import biologies, count, direction, interval, number, share

__all__ = ["environment", "picture", "picture_file", "shown", "style"]

KINDS = {"svg": "image/svg+xml", "png": "image/png"}
"""What a browser shows, the better one first."""


def environment() -> Environment:
    """The templates of this package with filters for numbers; what is not there is an error."""
    made = Environment(
        loader=PackageLoader("nichetrial.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"count": count, "number": number, "share": share}
    made.globals |= {"biologies": biologies, "direction": direction, "interval": interval}
    return made


def style() -> Markup:
    """Our own style sheet, and the only text that is not escaped."""
    return Markup(files("nichetrial.report").joinpath("report.css").read_text("utf-8"))  # noqa: S704


def picture_file(folder: Path, name: str, formats: Sequence[str]) -> Path:
    """The file of a figure that a browser shows best. Raises UserError if there is none."""
    for kind in KINDS:
        if kind in formats:
            return folder / f"{name}.{kind}"
    raise UserError(
        codes.NOT_ASKED,
        "the report needs svg or png among figures.formats",
        place="figures.formats",
    )


def picture(path: Path) -> str:
    """The figure as a data URI."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{KINDS[path.suffix[1:]]};base64,{data}"


def shown(name: str, title: str, folder: Path, formats: Sequence[str]) -> dict[str, str]:
    """A figure of ``folder`` as the templates show it."""
    return {
        "name": name,
        "title": title,
        "caption": catalogue.caption(name),
        "alt": catalogue.alt(name),
        "source": picture(picture_file(folder, name, formats)),
    }
