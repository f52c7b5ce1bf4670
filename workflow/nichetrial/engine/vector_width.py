"""Leave for the compiler to use the widest vectors that the processor has."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

__all__ = ["wide"]

_intrinsic: Any = intrinsic  # for a type checker, the typing context is no argument of the caller


@_intrinsic
def wide(typingctx: Any) -> Any:
    """The function that says so works on vectors of up to 512 bits, eight mice in one.

    LLVM halves them on most processors with AVX-512, for the sake of programs that need them now
    and then; here all time is spent in them. What is computed stays the same to the last bit.
    """

    def codegen(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        # llvmlite knows attributes of one word only, and is asked to print what it does not know
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), codegen
