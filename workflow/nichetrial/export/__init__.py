"""Virtual mice in the file formats of other programs.

``sbml`` writes the document, ``system`` and ``treatment`` say what is in it.
"""

from __future__ import annotations

__all__: list[str] = []
