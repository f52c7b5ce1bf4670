"""The study file as text: YAML read by the rules of YAML 1.2, with the line of every key and item.

Only what a study needs: mappings, lists, text, numbers, true and false. Anchors, tags and several
documents in one file are refused, so a small file cannot unfold into a large one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nichetrial import codes
from nichetrial.errors import Code, Fault, UserError

__all__ = ["DocumentPath", "Problem", "Source", "parse", "raise_problems", "read_source", "scalar"]

DocumentPath = tuple[str | int, ...]

LARGEST = 1_000_000
"""Bytes; a study file of some hundred arms is below 100 kB."""
DEEPEST = 20
_TWIN = "\0"
"""Last part of the path of a key's second mention; no key of a YAML file can be this."""

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


@dataclass(frozen=True)
class Problem:
    """Something wrong at one place in the document."""

    path: DocumentPath
    code: Code
    message: str


@dataclass
class Source:
    """A parsed study file: its plain data, and the line of each place in it."""

    file: str
    data: dict[str, Any]
    lines: dict[DocumentPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """What was already wrong while reading (duplicate keys)."""

    def line(self, path: DocumentPath) -> int:
        """The line of ``path``, or of the nearest thing above it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, path: DocumentPath) -> str:
        """``FILE:LINE: path.in.document``, as messages show it."""
        where = f"{self.file}:{self.line(path)}"
        return f"{where}: {dotted(path)}" if path else where


def dotted(path: DocumentPath) -> str:
    """``('arms', 'a', 'treatments', 0)`` as ``arms.a.treatments[0]``."""
    text = ""
    for part in path:
        if part == _TWIN:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def raise_problems(source: Source, problems: list[Problem]) -> None:
    """Raise one UserError for all ``problems``, in the order of the file; none for none."""
    unique = list(dict.fromkeys(problems))
    unique.sort(key=lambda p: source.line(p.path))
    if unique:
        raise UserError.several([Fault(p.code, p.message, source.place(p.path)) for p in unique])


def read_source(path: str | Path) -> Source:
    """Read and parse a study file. Raises UserError when it cannot be read or is not YAML."""
    name = str(path)
    try:
        with open(path, "rb") as handle:
            raw = handle.read(LARGEST + 1)
    except FileNotFoundError:
        raise UserError(
            codes.NO_FILE, "there is no such file; give the path of a study file", place=name
        ) from None
    except IsADirectoryError:
        raise UserError(
            codes.UNREADABLE, "this is a folder; give the path of a study file", place=name
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            codes.UNREADABLE, f"cannot be read: {reason}", place=name.replace("\0", "?")
        ) from None
    if len(raw) > LARGEST:
        raise UserError(
            codes.UNREADABLE,
            "larger than 1 MB; a study file is a few hundred lines at most",
            place=name,
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UserError(
            codes.UNREADABLE,
            "this line is not UTF-8 text; save the file in UTF-8",
            place=f"{name}:{line}",
        ) from None
    return parse(text, name)


def parse(text: str, file: str) -> Source:
    """Parse the text of a study file; ``file`` is its name in messages. Raises UserError."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UserError(
            codes.NOT_YAML,
            f"the character U+{int(error.character):04X} is not allowed in YAML; delete it",
            place=f"{file}:{line}",
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.context_mark and ("quoted" in str(error.context) or "flow" in str(error.context)):
            mark = error.context_mark  # where it was opened; the problem shows only much later
        line = mark.line + 1 if mark else 1
        raise UserError(
            codes.NOT_YAML, _syntax(error, text, line), place=f"{file}:{line}"
        ) from None
    source = Source(file=file, data={})
    if root is None:
        raise UserError(
            codes.NOT_A_STUDY,
            'the file is empty; a study needs at least "study", "experiment" and "arms"',
            place=file,
        )
    if not isinstance(root, yaml.MappingNode):
        kind = "a list" if isinstance(root, yaml.SequenceNode) else "one value"
        raise UserError(
            codes.NOT_A_STUDY,
            f'the file is {kind}; it must be keys with values, such as "study:" and "arms:"',
            place=f"{file}:{root.start_mark.line + 1}",
        )
    source.data = _value(root, (), source)
    return source


def scalar(text: str) -> Any:
    """What a plain word is in YAML 1.2: ``1e5`` a number, ``no`` and ``12 h`` text."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text):
        return True
    if _FALSE.match(text):
        return False
    if _INTEGER.match(text):
        return int(text) if len(text) < 400 else float("inf")
    if _FLOAT.match(text):
        return float(text)
    if _INFINITE.match(text):
        return float(text.replace(".", ""))
    return text


class _Refused(yaml.MarkedYAMLError):
    """Correct YAML that a study file may not use."""


class _Loader(yaml.SafeLoader):
    """Composes nodes only; refuses anchors, aliases, tags and deep nesting."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refused(
                problem="YAML anchors and aliases (& and *) are not used in study files; "
                'what all arms share belongs under "experiment"',
                problem_mark=mark,
            )
        if getattr(event, "tag", None):
            raise _Refused(
                problem="YAML tags (words with !) are not used in study files; "
                "delete the tag, or put the text in quotes",
                problem_mark=mark,
            )
        if self.depth >= DEEPEST:
            raise _Refused(
                problem=f"nested more than {DEEPEST} deep; check the brackets", problem_mark=mark
            )
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _value(node: yaml.Node, path: DocumentPath, source: Source) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), source) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else scalar(node.value)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UserError(codes.NOT_YAML, "a key must be one word", place=f"{source.file}:{line}")
        key = str(key_node.value)
        if key in result:
            first = source.lines[(*path, key)]
            what = "arm name" if path == ("arms",) else "key"
            # The path has the line of the second one, as that is the one to change.
            twin = (*path, key, _TWIN)
            source.lines[twin] = line
            source.problems.append(
                Problem(
                    twin,
                    codes.DUPLICATE_KEY,
                    f'duplicate {what} "{key}", first on line {first}; '
                    f"keep one of them, or rename one",
                )
            )
            continue
        source.lines[(*path, key)] = line
        result[key] = _value(value_node, (*path, key), source)
    return result


def _syntax(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """A YAML syntax error in plain words."""
    if isinstance(error, _Refused):
        return str(error.problem)
    problem = str(error.problem)
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\\t" in problem or "\t" in shown[: len(shown) - len(shown.lstrip())]:
        advice = "indent with spaces; a tab is not allowed here"
    elif "mapping values are not allowed" in problem:
        advice = 'a second ": " on this line, or wrong indentation; put text with a colon in quotes'
    elif "expected a single document" in problem or "but found another document" in problem:
        advice = "a second document starts here; a study file has only one, delete the ---"
    elif "could not find expected ':'" in problem:
        advice = 'a key without ": " after it, on this line or the one above'
    elif "quoted scalar" in str(error.context):
        advice = "a quotation mark that is never closed"
    elif "flow" in str(error.context):
        advice = "a bracket or brace that is never closed, or a comma that is missing"
    elif "expected <block end>" in problem:
        advice = "wrong indentation; align this line with the ones next to it"
    else:
        advice = problem
    return f"not valid YAML: {advice}"
