"""The report in a real browser: from a file, without network, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from nichetrial.figures import catalogue
from nichetrial.figures.declared import FIGURES
from nichetrial.figures.style import save
from nichetrial.records.stored import read_records
from nichetrial.report.study_page import render
from tests.support.trial_results import LABELS, build, make_study

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: apt-get install chromium"
    ),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A page, and how many pictures it has."""
    labels = LABELS | {"cd63_ko": "Cd63 -/- with_one_unbreakable_word_" + "x" * 120}
    study, results = build(tmp_path_factory.mktemp("report"), make_study(labels, particles=4))
    (results / "figures").mkdir()
    drawn = [name for name in FIGURES if study.asks_for(name)]
    for name in drawn:
        figure = catalogue.draw(name, study, results, [])
        save(figure, results / "figures" / name, ("svg",), 60)
    path = results / "report.html"
    path.write_text(render(study, results, [], read_records(results)), encoding="utf-8")
    return path, len(drawn)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_opens(browser, report: tuple[Path, int], width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    asked: list[str] = []
    said: list[str] = []

    def guard(route) -> None:
        url = route.request.url
        if url.startswith(("file:", "data:")):
            route.continue_()
        else:
            asked.append(url)
            route.abort()

    context.route("**/*", guard)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report[0].as_uri())
    images = page.eval_on_selector_all(
        "img", "all => all.map(i => [i.complete, i.naturalWidth, i.alt])"
    )
    assert len(images) == report[1]
    assert all(done and size > 0 and alt for done, size, alt in images)
    for step in ("", "document.querySelectorAll('details').forEach(d => { d.open = true })"):
        page.evaluate(step or "0")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    assert page.title() == "An invented study"
    assert asked == []
    assert said == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_the_reader_s_colours(browser, report, scheme: str) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3) for each kind of text against what is behind it."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(report[0].as_uri())
    measured = page.evaluate(
        """() => {
          const light = c => {
            const [r, g, b] = c.match(/[\\d.]+/g).map(Number).slice(0, 3).map(v => v / 255)
              .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b;
          };
          const behind = e => {
            for (; e; e = e.parentElement) {
              const c = getComputedStyle(e).backgroundColor;
              if (!c.endsWith(", 0)") && c !== "transparent") return c;
            }
            return "rgb(255, 255, 255)";
          };
          const of = name => {
            const e = document.querySelector(name);
            const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort();
            return [name, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)];
          };
          return ["p", "a", "th", "td", ".quiet", ".warn", "code", "figcaption"].map(of);
        }"""
    )
    assert [(name, ratio) for name, ratio in measured if ratio < 4.5] == []
    context.close()


def test_the_contents_stay_in_sight_on_a_desk(browser, report) -> None:
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    page.goto(report[0].as_uri())
    page.evaluate("document.querySelector('#limits').scrollIntoView()")
    box = page.locator("nav").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900
    context.close()
