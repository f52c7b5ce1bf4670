"""Compilation without reference counts, for what runs at every step."""

from __future__ import annotations

from numba import njit

__all__ = ["uncounted"]

# Numba counts references to an array whenever it is given to a function with branches or bound to a
# name, by atomic operations that wait for all stores before them: a sixth of the engine's time went
# there. Without its runtime ("nrt") nothing is counted, and nothing can be allocated: arrays are
# borrowed from a caller, which holds them.
uncounted = njit(error_model="numpy", cache=True, _nrt=False)  # type: ignore[call-overload]
