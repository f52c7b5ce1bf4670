"""Wrong study files: every one is refused with its message, and nothing but a message."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.study.load import load, load_text
from tests.support.broken_questions import QUESTIONS
from tests.support.broken_studies import BROKEN, SOUND, WHOLE

FILES = {
    **{name: (SOUND.replace(old, new), message) for name, (old, new, message) in BROKEN.items()},
    **WHOLE,
    **QUESTIONS,
}


def test_the_sound_file_is_sound_and_each_case_changes_one_place() -> None:
    assert [arm.name for arm in load_text(SOUND).arms] == [
        "high",
        "amd3100",
        "ly6g",
        "both",
        "plain",
    ]
    assert len(FILES) >= 40
    assert all(SOUND.count(old) == 1 for old, _, _ in BROKEN.values())


@pytest.mark.parametrize("name", FILES)
def test_code_and_place(name: str) -> None:
    text, expected = FILES[name]
    with pytest.raises(UserError) as caught:
        load_text(text)
    assert kinds(caught.value) == expected


def kinds(error: UserError) -> str:
    """Code and place of each fault, one a line, as the tables have them."""
    return "\n".join(f"{fault.code} {fault.place}" for fault in error.faults)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("check", "misspelt key in an arm"),
        ("check", "three errors"),
        ("check", "tab"),
        ("explain", "dose without a unit"),
        ("stage resolve --study out/study.json --file", "arm is its own reference"),
    ],
)
def test_the_command_says_it_and_exits_with_2(command: str, name: str, tmp_path: Path) -> None:
    text, expected = FILES[name]
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", *command.split(), "study.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = done.stderr.removeprefix("nichetrial: ").splitlines()
    found = [re.match(r"(.*): (NT\d{3}) \S", line) for line in said]
    assert "\n".join(f"{m[2]} {m[1]}" for m in found if m) == expected
    assert all(found)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize(
    ("make", "code", "line"),
    [
        (lambda p: None, codes.NO_FILE, ""),
        (lambda p: p.mkdir(), codes.UNREADABLE, ""),
        (lambda p: p.write_bytes(b"#" * 1_000_001), codes.UNREADABLE, ""),
        (lambda p: p.write_bytes(b"study:\n  name: caf\xe9\n"), codes.UNREADABLE, ":2"),
    ],
)
def test_files_that_cannot_be_read(make, code, line: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    make(path)
    with pytest.raises(UserError) as caught:
        load(path)
    assert (caught.value.code, caught.value.place) == (code, f"{path}{line}")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.encode())
    assert load(path) == load_text(SOUND)


def test_an_error_of_the_experiment_is_not_repeated_for_each_arm() -> None:
    with pytest.raises(UserError) as caught:
        load_text(SOUND.replace("    day: 4 d", "    day: 12 d"))
    assert [fault.code for fault in caught.value.faults] == [codes.WRONG_ORDER]


_WORDS = (
    "",
    "none",
    "null",
    "[]",
    "{}",
    "-1",
    "1e400",
    ".nan",
    "true",
    "x",
    "5 mg/kg",
    "3 d",
    '""',
)


@given(st.data())
@settings(max_examples=150)
def test_any_change_of_a_sound_file_gives_a_study_or_a_message(data: st.DataObject) -> None:
    lines = SOUND.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        k = data.draw(st.integers(0, len(lines) - 1))
        key = lines[k].split(":")[0]
        lines[k] = data.draw(
            st.sampled_from([*(f"{key}: {word}" for word in _WORDS), "", f"  {lines[k]}"])
        )
    try:
        load_text("\n".join(lines))
    except UserError as error:
        told = str(error)
    else:
        told = "study.yaml: ok"
    assert all(line.startswith("study.yaml") for line in told.splitlines())


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_at_all_gives_a_message(text: str) -> None:
    with pytest.raises(UserError):
        load_text(text)
