"""A property that is computed once; nobody waits for another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class cached_property(Generic[Value]):
    """As :class:`functools.cached_property`, which in Python 3.11 lets one object of a class at a time compute.

    Under that lock of a class everybody would wait for whoever reads a large image, and for ever where that one waits
    in turn for one of those. Threads that ask an object at the same time compute the same here, and the first counts.

    Args:
        compute: gives the value, whenever it is asked.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        value: Value = vars(instance).setdefault(self._name, self._compute(instance))
        return value
