"""A study in words and as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from nichetrial import cli
from nichetrial.figures.schedule import draw
from nichetrial.study.assemble import assemble
from nichetrial.study.load import load_text
from nichetrial.study.source import parse
from nichetrial.study.words import explain, happenings
from tests.support.broken_studies import SOUND

PUMP = """
  pump:
    host: {mmp9: 0, timp1: 0.5}
    treatments:
      - {drug: amd3100, method: pump, dose: 5 mg/kg, start: 2 d, every: 24 h}
      - {drug: anti_ly6g, dose: 10 mg/kg, start: 36 h}
comparisons:"""


def _words(text: str) -> list[str]:
    return explain(assemble(parse(text, "study.yaml"))).splitlines()


def _block(lines: list[str], start: str) -> list[str]:
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    last = lines.index("", first)
    return [" ".join(line.split()) for line in lines[first + 1 : last]]


def test_words_of_each_arm() -> None:
    lines = _words(SOUND.replace("\ncomparisons:", PUMP))
    assert _block(lines, "The experiment")[:3] == [
        "day 0 TIMP-1 vector: plasma TIMP-1 rises to 10 times basal",
        "day 4 1e6 tumour cells into the blood",
        "day 11 read-out: foci of 100 cells or more are counted",
    ]
    assert _block(lines, "Arm 1 of 6: high (TIMP-1 high), the reference") == ["as the experiment"]
    assert _block(lines, "Arm 2 of 6: amd3100")[1].startswith(
        "+ day 0 to 11 AMD3100, 5 mg/kg every 12 h: 23 doses; blocks CXCR4"
    )
    assert _block(lines, "Arm 5 of 6: plain")[0].startswith("- day 0 TIMP-1 vector")
    pump = _block(lines, "Arm 6 of 6: pump")
    assert pump[:2] == [
        "+ always Timp1 expressed 0.5 times the wild type",
        "+ always Mmp9 knocked out",
    ]
    assert pump[3].startswith("+ day 1.5 anti-Ly6G (rat 1A8), 10 mg/kg: 1 dose")
    assert any(line.startswith("+ day 2 to 11 AMD3100, 5 mg/kg per 24 h by pump") for line in pump)
    assert "both is judged against amd3100 + ly6g (Bliss and HSA)." in lines
    assert max(map(len, lines)) <= 100


def test_happenings_are_in_order() -> None:
    for arm in load_text(SOUND.replace("\ncomparisons:", PUMP)).arms:
        starts = [h.start for h in happenings(arm)]
        assert starts == sorted(starts)


def test_the_last_dose_told_is_the_last_dose_given() -> None:
    assert any("+ day 0 to 10 " in " ".join(line.split()) for line in _words(SOUND))


def test_check_says_ok_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(SOUND, encoding="utf-8")
    assert cli.main(["check", "study.yaml"]) == 0
    assert capsys.readouterr().out == (
        "study.yaml: ok; study small: 5 arms, 60 particles, 480 mice, 58 doses\n"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]


def test_explain_draws_the_same_bytes_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(SOUND, encoding="utf-8")
    assert cli.main(["explain", "study.yaml"]) == 0
    assert "results/small/explain/schedule.png" in capsys.readouterr().out
    assert cli.main(["explain", "study.yaml", "--out", "again"]) == 0
    for name in ("schedule.png", "schedule.svg"):
        first = Path("results/small/explain", name).read_bytes()
        assert first == Path("again", name).read_bytes()
        assert len(first) > 5000


def test_explain_into_a_file_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(SOUND, encoding="utf-8")
    assert cli.main(["explain", "study.yaml", "--out", "study.yaml"]) == 2


@pytest.mark.parametrize("text", [SOUND, SOUND.replace("\ncomparisons:", PUMP)])
def test_words_in_the_picture_do_not_overlap(text: str) -> None:
    study = load_text(text)
    figure = draw(study)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [
        t.get_window_extent() for t in [*ax.texts, *ax.get_yticklabels()] if t.get_text().strip()
    ]
    assert len(boxes) >= len(study.arms)
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])
        assert one.x1 <= figure.bbox.x1 + 1


def test_the_picture_shows_every_dose_and_arms_that_differ_get_a_key() -> None:
    from matplotlib.collections import LineCollection

    study = load_text(SOUND)
    (ax,) = draw(study).axes
    strokes = sum(len(c.get_segments()) for c in ax.collections if isinstance(c, LineCollection))
    assert strokes == 58
    assert ax.get_legend() is None
    other = SOUND.replace("    timp1_vector: none", "    challenge: {day: 5 d}")
    assert draw(load_text(other)).axes[0].get_legend() is not None
