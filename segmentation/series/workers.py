"""Processes of this computer that share the jobs of a series.

Each is a Python of its own that reads jobs as lines of JSON and answers in lines of JSON. When one dies, the job that
it was running fails, and nothing else. They end by themselves when the process that started them is gone, and need no
guard around a script's main part, as those of ``multiprocessing`` do.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from segmentation._shared.processes import import_paths, python_command
from segmentation.series.jobs import Job, Progress, Report, job_from_json, job_to_json, reason
from segmentation.series.model import Model
from segmentation.series.pages import Page

Outcomes = Generator[tuple[Job, list[Page] | str], None, None]
"""Each job, as it ends, with its outcome: its pages, or one sentence that says why it failed."""


def run_here(model: Model, jobs: Iterable[Job], progress: Progress) -> Outcomes:
    """Runs jobs one after the other.

    Args:
        model: what is applied.
        jobs: drawn one at a time.
        progress: called now and then with the part of a job that is done.

    Yields:
        Each job with its outcome.
    """
    for job in jobs:
        yield job, run_job(model, job, partial(progress, job))


def run_job(model: Model, job: Job, report: Report) -> list[Page] | str:
    """The outcome of a job: its pages, or one sentence that says why it failed."""
    try:
        return job.run(model, report)
    except Exception as error:
        return reason(error)


def run_in_processes(
    model_path: Path, jobs: Iterable[Job], progress: Progress, *, processes: int, threads: int, engine: str = "compiled"
) -> Outcomes:
    """Runs jobs in processes of this computer.

    Args:
        model_path: of the classifier file.
        jobs: drawn one at a time, as processes become free.
        progress: called now and then with the part of a job that is done.
        processes: how many.
        threads: of each of them.
        engine: what computes.

    Yields:
        Each job, as it ends, with its outcome.
    """
    answers: queue.SimpleQueue[tuple[Job, float | list[Page] | str] | None] = queue.SimpleQueue()
    waiting, lock = iter(jobs), threading.Lock()
    workers = [Worker(model_path, threads, engine) for _ in range(processes)]

    def keep_busy(worker: Worker) -> None:
        try:
            while True:
                with lock:
                    job = next(waiting, None)
                if job is None:
                    return
                for answer in worker.run(job):
                    answers.put((job, answer))
        finally:
            worker.end()
            answers.put(None)

    feeders = [threading.Thread(target=keep_busy, args=(worker,), daemon=True) for worker in workers]
    try:
        for feeder in feeders:
            feeder.start()
        ended = 0
        while ended < len(feeders):
            answer = answers.get()
            if answer is None:
                ended += 1
            elif isinstance(answer[1], float):
                progress(answer[0], answer[1])
            else:
                yield answer[0], answer[1]
    finally:
        with lock:
            waiting = iter(())
        for worker in workers:
            worker.kill()


class Worker:
    """A process that runs jobs; it is started with the first, and anew if it died.

    Args:
        model_path: of the classifier file.
        threads: number of threads.
        engine: what computes.
    """

    def __init__(self, model_path: Path, threads: int, engine: str = "compiled") -> None:
        self._setup = {"model": str(model_path), "threads": threads, "engine": engine}
        self._process: subprocess.Popen[str] | None = None

    def run(self, job: Job) -> Iterator[float | list[Page] | str]:
        """Yields the parts of the job that are done, from 0 to 1, and at last its outcome."""
        try:
            process = self._process = self._process or self._start()
        except OSError as error:
            yield f"No process could be started for it: {reason(error)}"
            return
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps(job_to_json(job)), file=process.stdin, flush=True)
            for line in process.stdout:
                answer = json.loads(line)
                if "part" in answer:
                    yield float(answer["part"])
                    continue
                yield answer["reason"] if "reason" in answer else [Page(**page) for page in answer["pages"]]
                return
        except OSError:
            pass
        self.end()
        status = process.returncode
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        yield f"The process that worked on it {how}: perhaps the memory did not suffice."

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            python_command("-c", "from segmentation.series.workers import main; main()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | import_paths(),
        )
        assert process.stdin is not None
        print(json.dumps(self._setup), file=process.stdin, flush=True)
        return process

    def end(self) -> None:
        """Waits until the process ends, which has no job or is dead."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(BrokenPipeError):
                process.communicate()

    def kill(self) -> None:
        """Kills the process, even if it is running a job."""
        process = self._process
        if process is not None:
            process.kill()


def main() -> None:
    """The main function of a worker process: runs jobs until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        with open(sys.stdin.fileno(), encoding="utf-8", closefd=False) as questions:
            serve(questions, answers)
    except BrokenPipeError:  # nobody is waiting for an answer any more
        os._exit(1)


def serve(questions: TextIO, answers: TextIO) -> None:
    """Runs the jobs that come as lines of JSON, after one that says how, and answers in lines of JSON."""

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    setup = json.loads(questions.readline())
    model = Model.from_file(Path(setup["model"]).read_bytes(), setup["threads"], setup["engine"])
    for line in questions:
        outcome = run_job(model, job_from_json(json.loads(line)), lambda part: answer(part=float(part)))
        if isinstance(outcome, str):
            answer(reason=outcome)
        else:
            answer(pages=[vars(page) for page in outcome])
