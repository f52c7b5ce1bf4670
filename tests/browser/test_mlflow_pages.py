"""MLflow's pages in a real browser, as someone meets them who has learned nothing about MLflow.

The store was made elsewhere and moved, so that each picture here also opens in a copy.
"""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nichetrial.study.resolved import Arm, CohortSpec, ComparisonSpec, ResolvedStudy
from nichetrial.tracking import descriptions as words
from tests.support.browsing import CHROMIUM, PICTURES, REAL, Site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: apt-get install chromium"
    ),
]

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
CHOSEN = "mlflow.workflowType_v1"
PATIENCE = 30_000
"""Milliseconds for a page to show something."""


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A page of someone who has closed MLflow's assistant and chosen "Model training" once. It asks
    nothing of any network."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    chosen = {CHOSEN: '"machine_learning"', "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true"}
    for key, value in chosen.items():
        context.add_init_script(f"localStorage.setItem('{key}', '{value}')")
    asked: list[str] = []

    def guard(route: Any) -> None:
        url = route.request.url
        if url.startswith((site.address, "data:", "blob:")):
            route.continue_()
        else:
            asked.append(url)
            route.abort()

    context.route("**/*", guard)
    page = context.new_page()
    page.goto(f"{site.address}/?token={site.token}")
    page.wait_for_url(lambda url: "token" not in url)
    yield page
    context.close()
    assert asked == []


def picture(page: Any, name: str, height: int = 900, width: int = 1440) -> None:
    """Make a picture for the docs, if one is wanted."""
    if REAL:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(3000)
        page.get_by_text("Path: file:").evaluate_all("all => all.forEach(e => e.remove())")
        page.screenshot(path=PICTURES / f"mlflow_{name}.png")


def asked(site: Site, address: str, content: Any = None) -> bytes:
    """What the server answers to a program that has the token."""
    request = urllib.request.Request(  # noqa: S310  (our own address)
        address,
        json.dumps(content).encode() if content else None,
        {"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"},
    )
    with DIRECT.open(request, timeout=10) as answer:
        return bytes(answer.read())


def arms(site: Site) -> list[Any]:
    """The runs of the arms, by effect."""
    found = [r for r in site.runs.values() if r.data.tags["nichetrial.role"] == "arm"]
    return sorted(found, key=effect)


def effect(run: Any) -> float:
    """Arms of a sweep have no effect over particles; they come last."""
    return run.data.metrics.get("effect/foci_ratio_median", math.inf)


def kept(site: Site) -> list[str]:
    """The files of the study's run."""
    return list(json.loads(site.parent.data.tags["nichetrial.artifacts"]))


def compare(page: Any, site: Site, runs: list[Any]) -> None:
    ids = json.dumps([run.info.run_id for run in runs])
    page.goto(f"{site.address}/#/compare-runs?runs={ids}&experiments=[%22{site.experiment}%22]")
    page.get_by_text(f"Comparing {len(runs)} Runs from 1 Experiment").wait_for()


def test_the_link_opens_the_arms_by_effect_with_what_differs(page: Any, site: Site) -> None:
    page.add_init_script(f"localStorage.removeItem('{CHOSEN}')")  # the link chooses by itself
    page.goto(site.link)
    best = arms(site)[0].info.run_name
    page.get_by_role("link", name=best, exact=True).wait_for()
    names = page.locator("[role=row] a[href*='/runs/']").all_inner_texts()
    shown = [effect(site.runs[name]) for name in names]
    assert shown == sorted(shown)
    if not REAL:  # more arms are below the edge of the screen
        assert set(names) == {run.info.run_name for run in arms(site)}
    heads = page.locator("[role=columnheader][col-id*='`']").all()
    left_of = {head.get_attribute("col-id"): head.bounding_box()["x"] for head in heads}
    columns = sorted(left_of, key=lambda column: left_of[column])
    shown = ("ratio_median", "ratio_low", "ratio_high", "probability_fewer")
    assert columns[:5] == [
        "attributes.`Run Name`",
        *(f"metrics.`effect/foci_{end}`" for end in shown),
    ]
    assert all(column.startswith("params.") for column in columns[5:])
    assert len(columns) > 5
    assert not any("unchanged" in column for column in columns)
    picture(page, "runs", width=1760)


def test_two_arms_ticked_are_compared(page: Any, site: Site) -> None:
    page.goto(site.link)
    two = arms(site)[:2]
    for run in two:
        row = page.locator("[role=row]", has=page.get_by_role("link", name=run.info.run_name))
        number = row.first.get_attribute("row-index")
        page.locator(f"[row-index='{number}'] input[type=checkbox]").first.check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Comparing 2 Runs from 1 Experiment").wait_for()
    assert page.get_by_text("effect/foci_ratio_median", exact=True).first.is_visible()
    first = page.locator("text=unchanged.").first
    shown = page.locator("text=/^(treatment|timp1_vector|host)/").all()
    assert shown
    assert all(s.bounding_box()["y"] < first.bounding_box()["y"] for s in shown if s.is_visible())
    picture(page, "compare_two", 1300)


def test_ten_arms_are_compared_by_their_effect(page: Any, site: Site) -> None:
    ten = arms(site)[:10]
    assert len(ten) == 10
    compare(page, site, ten)
    chart = page.locator(".js-plotly-plot")
    chart.get_by_text("effect/foci_ratio_median").first.wait_for()
    picture(page, "compare_ten", 1300)


def test_the_study_shows_its_effects_and_figures(page: Any, site: Site) -> None:
    page.goto(site.of_run(site.parent))
    page.get_by_text("Show more").click()
    head = page.locator("th", has_text="in the reference")
    head.first.wait_for()
    compared = [run for run in arms(site) if run.data.tags["nichetrial.reference"] == "no"]
    rows = page.locator("table", has=head).first.locator("tbody tr").all_inner_texts()
    named = {row.split("\t")[0].strip() for row in rows}
    assert named <= {run.info.run_name for run in compared}
    assert len(named) == len(rows) > 1
    shown = page.locator("img[src*='get-artifact']")
    page.wait_for_function(
        "[...document.querySelectorAll('p img')].every(i => i.complete && i.naturalWidth > 100)"
    )
    assert "forest.svg" in str(shown.first.get_attribute("src"))
    assert shown.count() == sum("figures/" in name for name in kept(site) if ".svg" in name)
    picture(page, "study", 1300)


def test_a_figure_opens_from_the_description(page: Any, site: Site) -> None:
    page.goto(site.of_run(site.parent))
    page.get_by_text("Show more").click()
    link = page.get_by_role("link", name="forest", exact=True)
    page.goto(f"{site.address}/{link.get_attribute('href')}")
    page.get_by_text("figures/forest.svg").first.wait_for()
    page.wait_for_function(
        "[...document.images].some(i => i.complete && i.naturalWidth > 200 && i.width > 200)"
    )
    picture(page, "figure")


def test_the_report_opens_inside(page: Any, site: Site) -> None:
    at, _, query = site.of_run(site.parent).partition("?")
    page.goto(f"{at}/artifacts/report.html?{query}")
    inside = page.frame_locator("iframe")
    title = site.parent.info.run_name
    inside.get_by_role("heading", name=title).first.wait_for()
    assert inside.locator("img").count() > 1
    picture(page, "report")


def test_datasets_are_told(page: Any, site: Site) -> None:
    page.goto(site.of_run(arms(site)[0]))
    page.get_by_text("particles of ").first.click()
    page.get_by_text("Digest").first.wait_for()
    assert page.get_by_text("seed:").first.is_visible()
    told = {
        (i.dataset.name.split(" of ")[0], i.tags[0].value)
        for i in site.parent.inputs.dataset_inputs
    }
    assert {context for _, context in told} == {"study", "mice", "outcomes", "colonies"}


def test_every_run_is_a_parent_or_its_child(site: Site) -> None:
    parents = {
        run.info.run_id: run.data.tags.get("mlflow.parentRunId") for run in site.runs.values()
    }
    tops = {run for run, above in parents.items() if above is None}
    assert site.parent.info.run_id in tops
    assert all(above in tops for above in parents.values() if above)


def test_files_open_where_the_store_is_now(site: Site) -> None:
    assert not site.made.exists()
    for name in kept(site):
        path = urllib.parse.quote(name, safe="")
        ask = f"{site.address}/get-artifact?path={path}&run_uuid={site.parent.info.run_id}"
        content = asked(site, ask)
        original = Path(site.results, name)
        if not original.is_file():  # the lock, and tables, lie elsewhere in the results
            original = site.results / "comparisons" / name
        if original.is_file():
            assert content == original.read_bytes(), name
        assert content


HOSTILE = """<img src=x onerror="document.title='ran'"><script>document.title='ran'</script> \
[a](javascript:document.title='ran') ![b](http://example.org/b.png) | `c` | http://example.org/d"""


def _noted(site: Site, note: str) -> str:
    """The id of a new run with this description."""
    content = {
        "experiment_id": site.experiment,
        "run_name": HOSTILE,
        "tags": [{"key": "mlflow.note.content", "value": note}],
    }
    made = asked(site, f"{site.address}/api/2.0/mlflow/runs/create", content)
    return str(json.loads(made)["run"]["info"]["run_id"])


def _opened(page: Any, site: Site, run: str) -> None:
    page.goto(
        f"{site.address}/#/experiments/{site.experiment}/runs/{run}?workflowType=machine_learning"
    )
    page.get_by_text("nothing else").first.wait_for()
    if page.get_by_text("Show more").count():
        page.get_by_text("Show more").click()
    page.wait_for_timeout(1000)
    assert page.title() != "ran"


def test_a_hostile_title_is_shown_and_does_nothing(page: Any, site: Site) -> None:
    study = ResolvedStudy.model_construct(
        title=HOSTILE,
        question=f"{HOSTILE} nothing else",
        seed=1,
        cohort=CohortSpec.model_construct(particles=1, mice_per_particle=1),
        arms=(Arm.model_construct(name="a", label=HOSTILE),),
        comparisons=ComparisonSpec.model_construct(reference="a"),
    )
    _opened(page, site, _noted(site, words.study_note(study, [], [HOSTILE])))
    shown = page.locator("p", has_text="nothing else").first
    assert shown.inner_text() == f"{HOSTILE} nothing else".replace("\\\n", "").replace("\n", " ")
    assert shown.locator("*").count() == 0


def test_a_description_by_another_program_calls_nobody(page: Any, site: Site) -> None:
    """What MLflow renders is kept on this machine by the policy of our pages."""
    _opened(page, site, _noted(site, f"nothing else ![b](http://example.org/b.png)\n\n{HOSTILE}"))
    assert page.locator("img[src^='http://example.org']").count() > 0, "or it proves nothing"
