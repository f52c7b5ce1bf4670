"""The study file: typed models, units, arms as patches on one experiment, checks, words.

Read one with ``nichetrial.study.load.load``. Stages after it need only ``study.resolved``, so this
module imports nothing.
"""

from __future__ import annotations

__all__ = ["generated"]


def generated() -> dict[str, str]:
    """Files made from the models: path from the top of the repository -> text."""
    from nichetrial.study.document import CONFIG, SCHEMA, config_yaml, json_schema

    return {CONFIG: config_yaml(), SCHEMA: json_schema()}
