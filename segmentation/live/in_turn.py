"""Tiles that are computed one after the other, several at a time, until nobody wants them any more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from threading import Event
from typing import TypeVar

from segmentation._shared.parallel import available_threads
from segmentation._shared.tiling import Tile

Computed = TypeVar("Computed")


def computed_in_turn(
    tiles: Iterator[tuple[Tile, bool]],
    compute: Callable[[Tile, bool, int | None], Computed | None],
    *,
    threads: int | None,
    stale: Callable[[], bool],
    turn: Callable[[], AbstractContextManager[None]],
) -> Iterator[tuple[Tile, Computed]]:
    """What is computed of tiles, in their order.

    All threads compute the first tile, so that it comes soon; then each thread computes a tile of its own, while those
    that are ready are yielded.

    Args:
        tiles: the tiles, the most urgent first, each with whether to cache it.
        compute: given a tile, whether to cache it, and the number of threads; None ends them all.
        threads: number of threads; None takes all cores.
        stale: asked before each tile; once it says True, no more tiles come.
        turn: entered for each tile, so that others can have their turn in between.
    """
    ended = Event()

    def in_turn(tile: Tile, cache: bool, threads: int | None) -> Computed | None:
        with turn():
            return None if ended.is_set() or stale() else compute(tile, cache, threads)

    for tile, cache in islice(tiles, 1):
        found = in_turn(tile, cache, threads)
        if found is None:
            return
        yield tile, found
    at_once = threads or available_threads()
    with ThreadPoolExecutor(at_once) as pool:
        coming: deque[tuple[Tile, Future[Computed | None]]] = deque()
        try:
            while True:
                ahead = at_once + 1 - len(coming)
                coming += [(tile, pool.submit(in_turn, tile, cache, 1)) for tile, cache in islice(tiles, ahead)]
                if not coming:
                    return
                tile, result = coming.popleft()
                found = result.result()
                if found is None or stale():
                    return
                yield tile, found
        finally:
            ended.set()
            pool.shutdown(cancel_futures=True)
