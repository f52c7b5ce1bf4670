"""study.json as it is read back: of this edition, of another one, or something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.stored_study import is_of_other_edition, read_study
from nichetrial.study.resolved import FORMAT


def test_what_was_written_is_read(tmp_path, small_study):
    path = tmp_path / "study.json"
    path.write_text(small_study.written())
    assert read_study(path) == small_study
    assert not is_of_other_edition(path)


@pytest.mark.parametrize("written", [None, 1, FORMAT - 1, FORMAT + 1, str(FORMAT)])
def test_another_edition_is_said_to_be_one(tmp_path: Path, small_study, written):
    """The first has no number; a later one may have anything else in it."""
    content = json.loads(small_study.written()) | {"format": written, "a key of then": 1}
    if written is None:
        del content["format"]
    path = tmp_path / "study.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError) as refused:
        read_study(path)
    assert (refused.value.code, refused.value.place) == (codes.OTHER_EDITION, str(path))
    assert is_of_other_edition(path)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", f'{{"format": {FORMAT}, "arms": []}}', '{"format": 1}']
)
def test_what_is_no_study_is_said_to_be_none(tmp_path, text):
    path = tmp_path / "study.json"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        read_study(path)
    assert refused.value.code == codes.NO_RESULTS
    assert not is_of_other_edition(path)
    assert not is_of_other_edition(tmp_path / "none")
