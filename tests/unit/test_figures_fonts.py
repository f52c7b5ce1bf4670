"""Labels in any script: with a font that has its characters, or a note that names them."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from nichetrial import codes
from nichetrial.figures import fonts, style

BUNDLED = Path(mpl.get_data_path(), "fonts", "ttf")
STIX = str(BUNDLED / "STIXGeneral.ttf")
DEJAVU = str(BUNDLED / "DejaVuSans.ttf")


@pytest.fixture
def installed(monkeypatch):
    """``installed([...])``: these fonts, and no others."""

    def these(paths: list[str]) -> None:
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
        fonts._others.cache_clear()

    yield these
    fonts._others.cache_clear()


@pytest.fixture
def rare() -> str:
    """Characters that STIX has and DejaVu has not."""
    there, plain = (set(FT2Font(font).get_charmap()) for font in (STIX, DEJAVU))
    return "".join(c for c in map(chr, sorted(there - plain)) if c.isprintable())[:3]


def labelled(label: str) -> Figure:
    @style.styled
    def draw() -> Figure:
        figure = Figure()
        ax = figure.subplots()
        ax.plot([1, 2], label="TIMP-1 ≥ 2 µM, β")
        ax.set_title(label)
        return figure

    return draw()


def written(figure: Figure, folder: Path) -> list[str]:
    """What matplotlib says of characters that it cannot draw."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        style.save(figure, folder / "a", ("png", "svg"), 60)
    return [str(w.message) for w in caught if "Glyph" in str(w.message)]


def test_what_dejavu_has_needs_no_other_font(tmp_path, installed):
    plain, supplied = labelled("α-TIMP"), labelled("α-TIMP")
    installed([STIX])
    assert fonts.supply(supplied) == []
    for figure, folder in ((plain, tmp_path / "plain"), (supplied, tmp_path / "supplied")):
        assert written(figure, folder) == []
    for kind in ("png", "svg"):
        names = [tmp_path / folder / f"a.{kind}" for folder in ("plain", "supplied")]
        assert len({name.read_bytes() for name in names}) == 1


def test_an_installed_font_is_used_for_what_it_has(tmp_path, installed, rare):
    installed([DEJAVU, STIX])
    figure = labelled(f"drug {rare}")
    assert fonts.supply(figure) == []
    assert written(figure, tmp_path) == []


def test_characters_that_no_font_has_are_named(tmp_path, installed, rare):
    installed([STIX, str(tmp_path / "gone.ttf")])
    figure = labelled(f"对照 {rare}🧬照")
    (note,) = fonts.supply(figure)
    assert note.code == codes.NO_GLYPH
    assert "对照🧬" in note.reason
    assert not set(rare) & set(note.reason)
    style.save(figure, tmp_path / "a", ("png",), 60)


def test_many_are_cut_short(installed):
    installed([])
    (note,) = fonts.supply(labelled("".join(map(chr, range(0x4E00, 0x4E00 + 100)))))
    assert len(note.reason) < 200
