"""Written from the models: the commented default study file, and the JSON schema."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from nichetrial.study.default import NOTES, default_study
from nichetrial.study.distributions import distributions_schema
from nichetrial.study.language import ARM_NAME
from nichetrial.study.patches import StudyFile
from nichetrial.study.questions import SWEEP_NAME, SweepItem
from nichetrial.study.source import scalar
from nichetrial.study.units import pretty

__all__ = ["CONFIG", "SCHEMA", "config_yaml", "json_schema"]

CONFIG = "config.yaml"
SCHEMA = "docs/study.schema.json"
WIDTH = 100


def config_yaml() -> str:
    """The default study as YAML, with a comment for every key."""
    document = default_study()
    lines = [f"# yaml-language-server: $schema={SCHEMA}", *_comment(NOTES[()], 0)]
    for key, info in StudyFile.model_fields.items():
        lines.append("")
        lines += _comment(info.description or "", 0)
        lines += _comment(NOTES.get((key,), ""), 0)
        lines.append(f"{key}:")
        if key == "arms":
            for name, patch in document.arms.items():
                lines.append(f"  {name}:")
                values = patch.model_dump(mode="json", exclude_unset=True)
                label = {"label": values.pop("label")} if "label" in values else {}
                lines += _plain({**label, **values}, 4)
        elif key == "sweeps":
            lines += _comment(_of_each(SweepItem), 2)
            for name, item in document.sweeps.items():
                lines.append(f"  {name}:")
                lines += _swept(item, 4)
        elif (section := getattr(document, key)) is None:
            lines[-1] += " none"
        else:
            lines += _section(section, 2)
    return "\n".join(lines) + "\n"


def _section(section: BaseModel, indent: int) -> Iterator[str]:
    """All keys of a group, each under its comment."""
    values = section.model_dump(mode="json")
    for key, info in type(section).model_fields.items():
        description = info.description or ""
        item = _item_model(info.annotation)
        if item is not None:
            description += f" {_of_each(item)}"
        yield from _comment(description, indent)
        value = getattr(section, key)
        if isinstance(value, BaseModel):
            yield f"{' ' * indent}{key}:"
            yield from _section(value, indent + 2)
        else:
            written = "none" if value is None else values[key]
            yield from _plain({key: written}, indent)


def _of_each(item: type[BaseModel]) -> str:
    """The keys of an entry, for the comment above the entries."""
    keys = "".join(f"\n  {k}: {f.description}" for k, f in item.model_fields.items())
    return f"For each:{keys}"


def _swept(item: SweepItem, indent: int) -> Iterator[str]:
    """A sweep without what is left at its default; one quantity of its grid a line."""
    values = item.model_dump(mode="json", exclude_unset=True)
    grid = values.pop("grid", None)
    yield from _plain(values, indent)
    if grid:
        yield f"{' ' * indent}grid:"
        yield from _plain(grid, indent + 2)


def _plain(values: Mapping[str, Any], indent: int) -> Iterator[str]:
    """Keys without comments; lists of groups with one entry a line."""
    for key, value in values.items():
        start = f"{' ' * indent}{key}:"
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield start
            for item in map(_filled, value):
                if len(line := f"{' ' * indent}  - {_flow(item)}") <= WIDTH:
                    yield line
                else:
                    below = [f"{' ' * indent}    {k}: {_flow(v)}" for k, v in item.items()]
                    yield from [f"{' ' * indent}  - {below[0].lstrip()}", *below[1:]]
        elif isinstance(value, str) and len(start) + len(value) + 1 > WIDTH:
            yield f"{start} >-"  # folded: line ends are spaces when read
            yield from textwrap.wrap(
                value,
                WIDTH,
                initial_indent=" " * (indent + 2),
                subsequent_indent=" " * (indent + 2),
                break_on_hyphens=False,
            )
        else:
            yield f"{start} {_flow(value)}"


def _filled(item: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a list without what is left at its default."""
    return {k: v for k, v in item.items() if v not in (None, "") and (k, v) != ("method", "bolus")}


def _flow(value: Any) -> str:
    """One value on one line, quoted only where YAML would read it as something else."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return pretty(value)
    text = str(value)
    risky = not text or text[0] in "!&*-?|>@`\"'%{}[],# " or any(c in text for c in "#{}[],\n")
    if risky or ": " in text or text[-1] in ": " or not isinstance(scalar(text), str):
        return json.dumps(text, ensure_ascii=False)
    return text


def _comment(text: str, indent: int) -> Iterator[str]:
    """``text`` as comment lines; lines that begin with spaces keep their shape."""
    for line in text.splitlines():
        lead = " " * (len(line) - len(line.lstrip()))
        start = f"{' ' * indent}# {lead}"
        if len(start) + len(line.strip()) <= WIDTH:
            yield start + line.strip()
            continue
        yield from textwrap.wrap(
            line.strip(),
            WIDTH,
            initial_indent=start,
            subsequent_indent=f"{start}    " if lead else start,
            break_on_hyphens=False,
            break_long_words=False,
        )


def _item_model(annotation: Any) -> type[BaseModel] | None:
    """The model of a list's entries, if it is such a list."""
    if get_origin(annotation) in (list, tuple):
        item = get_args(annotation)[0]
        if isinstance(item, type) and issubclass(item, BaseModel):
            return item
    return None


def json_schema() -> str:
    """The JSON schema of a study file, for editors and other programs."""
    schema = StudyFile.model_json_schema()
    definitions = {**schema.pop("$defs"), **distributions_schema()}
    cohort = definitions["CohortSection"]["properties"]
    cohort["parameters"] = {
        "$ref": "#/$defs/Parameters",
        "description": cohort["parameters"]["description"],
    }
    arms = schema["properties"]["arms"]
    arms["minProperties"] = 1
    arms["propertyNames"] = ARM_NAME.schema()
    arms["additionalProperties"] = {"anyOf": [arms["additionalProperties"], {"type": "null"}]}
    schema["properties"]["sweeps"]["propertyNames"] = SWEEP_NAME.schema()
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nichetrial study file",
        "description": "Made by `nichetrial generate` from the models of nichetrial.study.",
        **{k: _tidied(v) for k, v in schema.items() if k not in {"title", "description"}},
        "$defs": {k: _tidied(v) for k, v in sorted(definitions.items())},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tidied(node: Any, *, names: bool = False) -> Any:
    """Without pydantic's automatic titles and without defaults that mean 'left out'.

    ``names``: the keys of ``node`` are keys of a study file, not words of JSON schema.
    """
    if isinstance(node, list):
        return [_tidied(n) for n in node]
    if not isinstance(node, dict):
        return node
    return {
        k: _tidied(v, names=k == "properties" and not names)
        for k, v in node.items()
        if names or not (k == "title" or (k == "default" and v in (None, "")))
    }
