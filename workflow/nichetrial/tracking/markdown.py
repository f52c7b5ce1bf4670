"""Text of other people, in a description that MLflow shows as Markdown."""

from __future__ import annotations

import re

__all__ = ["said"]

_MEANT = re.compile(
    r"[&<>\"'`*_{}\[\]#+!|~\\@=$^¨]|:(?=//)|(?<=www)\.|^-(?=[\s-]|$)|^\d(?=\d*[.)](?:\s|$))",
    re.IGNORECASE,
)
"""Characters with a meaning in HTML and in any kind of Markdown, tables and links that nobody
marked included; at the beginning also those that make a list."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
"""They change the order in which what follows is read."""


def said(text: object) -> str:
    """``text`` as one line that is shown as it is: no markup, no link, no picture, no table cell.

    >>> said("<b>3</b> | [a](javascript:b)")
    '&#60;b&#62;3&#60;/b&#62; &#124; &#91;a&#93;(javascript:b)'
    """
    line = " ".join(_TURNING.sub("", _UNSEEN.sub(" ", str(text))).split())
    return _MEANT.sub(lambda found: f"&#{ord(found[0])};", line)
