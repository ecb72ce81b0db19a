"""The jobs of a series on the workers of a Dask cluster.

Only jobs and numbers of pixels pass through the client; the workers read images and write results.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from segmentation.series.jobs import Job, Progress, reason
from segmentation.series.model import Model
from segmentation.series.pages import Page
from segmentation.series.workers import Outcomes, run_job

if TYPE_CHECKING:
    from distributed import Client, Future

JOBS_PER_THREAD = 3
"""Jobs that are submitted at a time for each thread of the cluster: enough to keep it busy, few enough that the jobs of
an image that failed can still be skipped."""


def run_on_cluster(
    client: Client | str, data: bytes, jobs: Iterable[Job], progress: Progress, engine: str = "compiled"
) -> Outcomes:
    """Runs jobs on a Dask cluster; a worker that dies costs its jobs another try, elsewhere.

    Args:
        client: a client, or the address of a scheduler.
        data: the bytes of the classifier file.
        jobs: drawn as workers become free.
        progress: is not called: workers report only whole jobs.
        engine: what computes.

    Yields:
        Each job, as it ends, with its outcome.

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
                yield from run_on_cluster(own, data, jobs, progress, engine)
        except OSError as error:
            raise ValueError(f"There is no Dask scheduler at {client}.") from error
        return
    model = client.submit(
        Model.from_file, data, 1, engine
    )  # loaded again by another worker if the one that has it dies
    client.replicate([model])  # the scheduler prefers workers that have it, and the others would stay idle
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
    """Runs a job on a worker of the cluster."""
    return run_job(model, job, lambda part: None)


def outcome_of(future: Future[Any]) -> list[Page] | str:
    """The outcome of a job: its pages, or one sentence that says why it failed."""
    from distributed import KilledWorker

    error: Any = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, KilledWorker):
        return "The workers that tried it died, one after the other: perhaps their memory did not suffice."
    return reason(error)
