"""How many features the network gives, and how far they look."""

from __future__ import annotations

COUNT = 80
"""Outputs of the last block that is used: those before it added nothing to them (docs/benchmarks.md)."""

STRIDE = 16
"""Pixels from one cell of the network to the next; cell ``o`` lies on pixel ``STRIDE * o``."""

REACH = 80
"""Pixels around a cell on which it depends, a multiple of the stride: 73 of them count."""

HALO = REACH + STRIDE
"""Pixels around a place on which its features depend: they lie between cells, which lie at most a stride away."""

CHANNELS = 3
"""The network sees so many channels: the first ones. Of one channel it sees three copies, of two their mean as well."""
