"""Functions that Numba compiles, and that are kept on the disk where there is room for them.

What cannot be kept, since the disk is full or cannot be written, runs all the same: it is compiled once a process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from numba import njit

Function: TypeAlias = Callable[..., Any]

_unkept = threading.Event()

log = logging.getLogger(__name__)


class Kernel:
    """A function that Python calls, compiled for the types that it is called with.

    Attributes:
        dispatcher: Numba's.
    """

    def __init__(self, function: Function) -> None:
        self.dispatcher = _dispatcher(function)

    @property
    def signatures(self) -> list[Any]:
        """The types for which it is compiled."""
        return list(self.dispatcher.signatures)

    def __call__(self, *given: Any) -> Any:
        """What the function gives."""
        try:
            return self.dispatcher(*given)
        except OSError as problem:
            _note(problem)
        return self.dispatcher(*given)  # it is compiled: only keeping it went wrong


def kernel(function: Function) -> Function:
    """Compile a function that Python calls when it is first called: it runs without the GIL.

    Numba compiles anew when the function's own file changes, but does not notice a change to other files that the
    kernel is compiled from, such as those of lanes.
    """
    return Kernel(function)


def typed_kernel(*signatures: str, **options: Any) -> Callable[[Function], Function]:
    """Compile a function for some types at once; other compiled functions may call it too.

    Args:
        signatures: the types, as Numba writes them.
        options: further ones of Numba's.
    """

    def decorate(function: Function) -> Function:
        dispatcher = _dispatcher(function, **options)
        for signature in signatures:
            try:
                dispatcher.compile(signature)
            except OSError as problem:
                _note(problem)
        dispatcher.disable_compile()
        return dispatcher

    return decorate


def part(function: Function) -> Function:
    """Compile a function that only kernels call."""
    return njit(function)


def all_are_kept() -> bool:
    """Whether all that this process has compiled is on the disk."""
    return not _unkept.is_set()


def _dispatcher(function: Function, **options: Any) -> Any:
    try:
        return njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # neither the package nor the home directory can be written
        _unkept.set()
        return njit(nogil=True, **options)(function)


def _note(problem: OSError) -> None:
    if all_are_kept():
        log.warning("compiled code cannot be kept on the disk: %s", problem)
    _unkept.set()
