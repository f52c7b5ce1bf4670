"""Fonts for what a user's labels say: DejaVu, and installed ones for the characters that it lacks.

A figure whose labels DejaVu can write has the same bytes everywhere. With other characters, Chinese
or emoji for example, its bytes depend on the fonts that are installed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from nichetrial import codes
from nichetrial.errors import Note

__all__ = ["supply"]

SHOWN = 20
"""Characters that a note names."""


def supply(figure: Figure) -> list[Note]:
    """Let each text of a figure use what fonts it needs; a note if there are none for some of it,
    which is then drawn as boxes."""
    lacking: dict[str, None] = {}
    for text in figure.findobj(Text):
        assert isinstance(text, Text)  # noqa: S101  (of that class it was asked for)
        own = text.get_fontfamily()
        wanted = _lacking(text.get_text(), font_manager.findfont(text.get_fontproperties()))
        if wanted:
            others, still = _others(wanted)
            text.set_fontfamily([*own, *others])
            lacking |= dict.fromkeys(still)
    if not lacking:
        return []
    named = "".join([*lacking][:SHOWN]) + ("…" if len(lacking) > SHOWN else "")
    return [
        Note(
            codes.NO_GLYPH,
            f"no installed font has the characters {named} of a label, so figures show boxes",
            "write the label without them, or install a font that has them, such as Noto Sans CJK, "
            "delete the figures and run again",
        )
    ]


def _lacking(text: str, font: str) -> str:
    """The printable characters of a text that a font does not have, each once."""
    return "".join(c for c in dict.fromkeys(text) if c.isprintable() and ord(c) not in _has(font))


@functools.cache
def _others(wanted: str) -> tuple[list[str], str]:
    """Families that have these characters, as few as possible, and the characters in none."""
    families: list[str] = []
    left = set(wanted)
    fonts = [path for path in _installed() if left & _characters(path)]
    while fonts and left:
        best = max(fonts, key=lambda path: len(left & _characters(path)))
        if not (found := left & _characters(best)):
            break
        font_manager.fontManager.addfont(best)
        families.append(FT2Font(best).family_name)
        left -= found
    return families, "".join(c for c in wanted if c in left)


def _installed() -> list[str]:
    """The fonts of this computer, upright ones of usual weight first, otherwise by name."""

    def unusual(path: str) -> tuple[bool, str]:
        name = Path(path).stem
        return not name.endswith(("Regular", "-VF")) and "-" in name, name

    return sorted(_scalable(font_manager.findSystemFonts()), key=unusual)


def _scalable(paths: Iterable[str]) -> list[str]:
    """Without those of fixed sizes, which matplotlib cannot draw, and what it cannot read."""
    found = []
    for path in paths:
        try:
            if FT2Font(path).scalable:
                found.append(path)
        except (RuntimeError, OSError):
            continue
    return found


@functools.cache
def _has(font: str) -> frozenset[int]:
    return frozenset(FT2Font(font).get_charmap())


def _characters(font: str) -> set[str]:
    return set(map(chr, _has(font)))
