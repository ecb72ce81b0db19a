"""The jobs of a series on the workers of a Dask cluster.

What travels through the client are jobs and numbers of pixels; images are read and results written by the workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from segmentation.series.jobs import Job, Model, Page, Progress, reason
from segmentation.series.workers import Outcomes, run_job

if TYPE_CHECKING:
    from distributed import Client, Future

JOBS_PER_THREAD = 3
"""Jobs that the cluster knows of for each of its threads: enough to keep it busy, few enough to change one's mind."""


def run_on_cluster(client: Client | str, data: bytes, jobs: Iterable[Job], progress: Progress) -> Outcomes:
    """Runs jobs on a Dask cluster; a worker that dies costs its jobs another try, elsewhere.

    Args:
        client: a client, or the address of a scheduler.
        data: the bytes of the classifier file.
        jobs: asked for as workers become free.
        progress: is not told of parts of jobs.

    Yields:
        Each job, as it ends, with what came out, or the sentence that says why nothing did.

    Raises:
        ValueError: if Dask is not installed, or there is no scheduler at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ValueError("Install dask[distributed] to run on a cluster.") from error
    if isinstance(client, str):
        try:
            with Client(client) as own:
                yield from run_on_cluster(own, data, jobs, progress)
        except OSError as error:
            raise ValueError(f"There is no Dask scheduler at {client}.") from error
        return
    model = client.submit(Model, data, 1)  # made anew by another worker if the one that has it dies
    client.replicate([model])  # jobs are given to those who have it first, and the others would have to take them away
    waiting = iter(jobs)
    running: dict[Any, Job] = {}

    def submit(count: int) -> list[Future[Any]]:
        futures = []
        for job in islice(waiting, count):
            future = client.submit(run_on_worker, model, job, pure=False)
            running[future.key] = job
            futures.append(future)
        return futures

    threads = sum(client.nthreads().values())
    ended = as_completed(submit(JOBS_PER_THREAD * max(threads, 1)), loop=client.loop)
    try:
        for future in ended:
            yield running.pop(future.key), outcome_of(future)
            for another in submit(1):
                ended.add(another)
    finally:
        ended.clear()


def run_on_worker(model: Model, job: Job) -> list[Page] | str:
    """What comes out of a job, on a worker of the cluster."""
    return run_job(model, job, lambda part: None)


def outcome_of(future: Future[Any]) -> list[Page] | str:
    """What came out of a job, or the sentence that says why nothing did."""
    from distributed import KilledWorker

    error: Any = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, KilledWorker):
        return "The workers that tried it died, one after the other: perhaps their memory did not suffice."
    return reason(error)
