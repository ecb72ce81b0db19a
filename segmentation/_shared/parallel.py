"""Work shared out to threads; the kernels that do it release the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")


def available_threads() -> int:
    """Number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(tasks: Iterable[Task], work: Callable[[Iterator[Task]], None], threads: int | None) -> None:
    """Let several threads take tasks from one queue until it is empty.

    Args:
        tasks: what is to be done; their order is the order in which they are begun.
        work: called once by each thread, of which the caller's is one, with an iterator over the tasks
            that fall to it, so that it can keep memory of its own from task to task.
        threads: number of threads; None takes all cores.

    Raises:
        ValueError: if fewer than one thread is asked for.
    """
    threads = available_threads() if threads is None else threads
    if threads < 1:
        raise ValueError("At least one thread is needed.")
    waiting = list(tasks)
    queue = iter(waiting)
    threads = min(threads, len(waiting))
    if threads <= 1:
        work(queue)
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(work, queue) for _ in range(threads - 1)]
        work(queue)
        for helper in helpers:
            helper.result()
