"""Text of other people in descriptions: it is shown as it is, and does nothing."""

from __future__ import annotations

import html
import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nichetrial.study.resolved import Arm, CohortSpec, ComparisonSpec, ResolvedStudy, Treatment
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.markdown import said

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "![a](http://example.org/home.png)",
    "[a](javascript:alert(1))",
    "<javascript:alert(1)>",
    "http://example.org/ www.example.org WWW.example.org a@example.org",
    "[a]: http://example.org\n\n[a]",
    "a | b\n--- | ---\n1 | 2",
    "```\ncode\n``` `code` ~~gone~~",
    "# head",
    "- item",
    "12) item",
    "> quoted",
    "title\n===",
    "* * *",
    "---",
    "\\[a\\](b) &lt;b&gt; &#60;b&#62;",
    "**bold** __bold__ _a_ $x$ ==a== ^a^",
    "\u202etxet\u2069 \x00\x1b[31m",
    'it\'s "both" % ; \\ über 日本',
]
TAGS = {"p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "img"}
TEXT = st.text() | st.text(alphabet="<>[]()!|`*_#-+.:/\\&;'\"~=1a \n") | st.sampled_from(HOSTILE)
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Found(HTMLParser):
    """Tags, names of attributes, and where links and pictures lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.leads: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.leads |= {value or "" for name, value in attrs if name in ("href", "src")}


def one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).split())


@given(TEXT)
@example("<b>")
def test_nothing_that_has_a_meaning_is_left(text: str) -> None:
    safe = said(text)
    assert not set(re.sub(r"&#\d+;", "", safe)) & set("<>\"'`*_{}[]#+!|~\\@=&$^\n\r\t")
    assert "://" not in safe
    assert "www." not in safe.lower()


@given(TEXT)
def test_it_reads_as_it_was_written(text: str) -> None:
    turning = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C])
    assert html.unescape(said(text)) == one_line(text.translate(turning))


@pytest.mark.parametrize("of", ["{}", "**{}**", "- {}", "| {} |\n| --- |\n| {} |", "Head: {}."])
@given(text=TEXT)
def test_a_renderer_finds_text_alone(of: str, text: str) -> None:
    """As a second program reads it, a table with one cell in each row included."""
    shown = RENDERER.render(of.replace("{}", said(text) or "x"))
    tags = set(re.findall(r"</?([a-z0-9]+)", shown))
    plain = set(re.findall(r"</?([a-z0-9]+)", RENDERER.render(of.replace("{}", "x"))))
    assert tags == plain
    assert shown.count("<t") == RENDERER.render(of.replace("{}", "x")).count("<t")


@pytest.mark.parametrize("text", HOSTILE)
def test_all_texts_of_a_study_go_through_it(text: str) -> None:
    given = Treatment.model_construct(drug=text, written=text)
    arm = Arm.model_construct(name=text, label=text, treatments=(given,))
    study = ResolvedStudy.model_construct(
        title=text,
        question=text,
        seed=1,
        arms=(arm,),
        cohort=CohortSpec.model_construct(particles=1, mice_per_particle=1),
        comparisons=ComparisonSpec.model_construct(reference=text),
    )
    row = {
        "arm": text,
        "reference": text,
        "outcome": text,
        "unit": text,
        "ratio": "0.5",
        "ratio_low": "0.4",
        "ratio_high": "0.6",
    }
    figure = ["figures/" + text.replace("/", "") + ".svg", "report.html"]
    notes = [
        words.study_note(study, [row, row | {"outcome": "b"}], [text], figure),
        words.arm_note(arm, [row], [text], text),
        words.schedule_note(
            text,
            text,
            {
                text: dict.fromkeys(
                    ("dose", "doses", "total", "start", "ratio", "ratio_low", "ratio_high"), "1"
                )
            },
            figure,
        ),
    ]
    for note in notes:
        shown = RENDERER.render(note)
        found = Found()
        found.feed(shown)
        assert found.names <= {"href", "src", "alt"}
        assert found.tags <= TAGS
        assert all(a.startswith(("#/experiments/", "get-artifact?path=")) for a in found.leads)


def test_plain_words_stay_as_they_are() -> None:
    plain = string.ascii_letters + " 4T1 in 12 mice (day 3-5), 1.5 mg/kg; 50 %: yes? - no"
    assert said(plain) == plain
