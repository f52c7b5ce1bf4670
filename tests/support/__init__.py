"""What tests share: invented studies, results, runs, servers and clusters."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOT"]

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
