"""One classifier over many images: here, in several processes, or on a Dask cluster, with the same bytes.

What is to be done is cut into jobs (:mod:`segmentation.series.jobs`); who runs them does not matter. Results appear in
a :class:`~segmentation.series.results.ResultFolder`, so that a run that was interrupted goes on when it is run again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation._shared.parallel import available_threads
from segmentation.io.shares import shares_table
from segmentation.model.classifier import PixelClassifier
from segmentation.series.inputs import find_images, is_zarr, name_results, stamp
from segmentation.series.jobs import Extras, Job, Model, Page, reason
from segmentation.series.results import ResultFolder
from segmentation.series.tasks import Task, array_task, file_task
from segmentation.series.workers import run_here, run_in_processes

if TYPE_CHECKING:
    from distributed import Client

MODEL_FILE = "classifier.squiggle"
TABLE = "shares.csv"


@dataclass(frozen=True)
class Event:
    """Something that happened in a series.

    Attributes:
        kind: ``"start"``, ``"progress"``, ``"segmented"``, ``"finished before"``, ``"failed"`` or ``"end"``.
        images: number of images of the series.
        done: part of the work that is done, from 0 to 1; what was finished before does not count as work.
        image: path of the image, if it is about one.
        outputs: paths of its results.
        pages: what came out for each of its images.
        reason: why it failed.
    """

    kind: str
    images: int
    done: float
    image: str = ""
    outputs: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    reason: str = ""


@dataclass
class SeriesReport:
    """How a series went.

    Attributes:
        outputs: paths of the results, by path of the image, of all that are finished.
        finished_before: the images that an earlier run had finished.
        failed: the sentence that says why, by path of the image that could not be segmented.
    """

    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    finished_before: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def apply_series(
    classifier: PixelClassifier | str | os.PathLike[str],
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    png: bool = False,
    probabilities: bool = False,
    overlay: bool = False,
    table: bool = False,
    axes: str | None = None,
    workers: int = 1,
    threads: int | None = None,
    client: Client | str | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> SeriesReport:
    """Segments many images with one classifier.

    Of each image file ``<stem>.tif`` appears in the folder, uint8 class ids, with as many pages as the file has
    images; of each Zarr array ``<stem>.zarr``. Where several images have the same stem, more of their paths becomes
    part of the name. Results that are there from an earlier run, made from the same image by the same classifier in
    the same way, are not made again.

    Args:
        classifier: or the path of a classifier file.
        images: files, Zarr arrays, folders and globs.
        folder: where results appear; it is made if need be. Only one run at a time may use it.
        png: write also ``<stem>.png`` in the colours of the classes.
        probabilities: write also ``<stem>.probabilities.tif``, or of a Zarr array ``<stem>.probabilities.zarr``.
        overlay: write also ``<stem>.overlay.png``, the image with the classes painted over it.
        table: write also ``shares.csv``, the share of each class in each image.
        axes: what the axes of Zarr arrays are, such as ``"zyx"``; None reads or guesses it.
        workers: number of processes; with one it is this process that works.
        threads: number of threads of all processes together; None takes all cores.
        client: a Dask client, or the address of a scheduler such as ``"tcp://host:8786"``: its workers do the work
            instead. They need this package, and must see images and folder under the same paths.
        on_event: told what happens, in the thread that called.

    Returns:
        What was done, and which images could not be segmented and why: one such image stops nothing.

    Raises:
        ValueError: if the classifier, the images or the folder as a whole cannot be used.
        OSError: if the classifier file cannot be read.
    """
    if workers < 1:
        raise ValueError("At least one worker is needed.")
    data = classifier_bytes(classifier)
    threads = available_threads() if threads is None else threads
    model = Model(data, threads)
    named = [images] if isinstance(images, str | os.PathLike) else list(images)
    paths = find_images(Path(one) if isinstance(one, os.PathLike) else one for one in named)
    results = ResultFolder(Path(os.path.abspath(folder)))
    extras = Extras(png, probabilities, overlay)
    series = Series(model, paths, results, extras, axes, on_event)
    results.prepare()
    series.plan()
    if client is not None:
        from segmentation.series.cluster import run_on_cluster

        outcomes = run_on_cluster(client, data, series.jobs(), series.progress)
    elif min(workers, series.waiting) > 1:
        model_path = results.records / MODEL_FILE
        model_path.write_bytes(data)
        processes = min(workers, series.waiting)
        each = max(1, threads // processes)
        outcomes = run_in_processes(model_path, series.jobs(), series.progress, processes=processes, threads=each)
    else:
        outcomes = run_here(model, series.jobs(), series.progress)
    with closing(outcomes):
        for job, outcome in outcomes:
            series.take(job, outcome)
    if table:
        series.write_table()
    series.end()
    return series.report


def classifier_bytes(classifier: PixelClassifier | str | os.PathLike[str]) -> bytes:
    """The classifier file of a classifier.

    Raises:
        OSError: if there is no such file.
    """
    if isinstance(classifier, PixelClassifier):
        file = BytesIO()
        classifier.save(file)
        return file.getvalue()
    return Path(classifier).read_bytes()


def result_endings(extras: Extras) -> list[str]:
    """How the results of an image may end, after its name and a dot."""
    endings = ["tif", "zarr"] + ["png"] * extras.png + ["overlay.png"] * extras.overlay
    return endings + ["probabilities.tif", "probabilities.zarr"] * extras.probabilities


def owners(file_name: str, endings: Iterable[str]) -> set[str]:
    """The names of the images that a file could be a result of; pictures may have the number of a page."""
    names = set()
    for ending in endings:
        name = os.path.normcase(file_name).removesuffix(f".{ending}")
        if name != os.path.normcase(file_name):
            names |= {name, re.sub(r"\.\d{4,}$", "", name) if ending.endswith("png") else name}
    return names


class Series:
    """The state of a run over many images.

    Args:
        model: what is applied.
        paths: the images.
        results: where results appear.
        extras: what is written beside class ids.
        axes: what the axes of Zarr arrays are, if they were chosen.
        on_event: told what happens.

    Attributes:
        report: what was done so far.

    Raises:
        ValueError: if results would overwrite an image, or be neither of two images.
    """

    def __init__(
        self,
        model: Model,
        paths: list[Path],
        results: ResultFolder,
        extras: Extras,
        axes: str | None,
        on_event: Callable[[Event], None],
    ) -> None:
        self.report = SeriesReport()
        self._model, self._results, self._extras, self._axes, self._on_event = model, results, extras, axes, on_event
        self._images = dict(zip(paths, name_results(paths), strict=True))
        self._tasks: dict[str, Task] = {}
        self._whose: dict[int, tuple[Task, int]] = {}
        self._work, self._work_done = 0.0, 0.0
        self._check_places()

    def _check_places(self) -> None:
        names = {os.path.normcase(name) for name in self._images.values()}
        endings = result_endings(self._extras)
        for path, name in self._images.items():
            if path.parent == self._results.path and owners(path.name, endings) & names:
                raise ValueError(f"The results would overwrite the image {path}: choose another folder for them.")
            own = os.path.normcase(name)
            if any(owners(f"{name}.{ending}", endings) & names - {own} for ending in endings):
                raise ValueError(
                    f"Results of {path} and of another image would have the same name: rename one of them."
                )

    def plan(self) -> None:
        """Finds out what is to be done, and tells what is not."""
        self._tell("start")
        for path, name in self._images.items():
            try:
                self._plan_image(path, name)
            except (ValueError, OSError) as error:
                self._fail(path, reason(error))

    def _plan_image(self, path: Path, name: str) -> None:
        key = {
            "classifier": self._model.hash,
            "image": stamp(path),
            "extras": asdict(self._extras),
            "axes": self._axes if is_zarr(path) else None,
        }
        record = self._results.finished(name, key)
        if record is not None:
            self.report.finished_before.append(str(path))
            pages = [Page(**page) for page in record["pages"]]
            self._finish("finished before", path, record["outputs"], pages)
        elif is_zarr(path):
            self._add(array_task(self._model, self._results, path, name, key, self._extras, self._axes))
        else:
            self._add(file_task(self._results, path, name, key, self._extras))

    def _add(self, task: Task) -> None:
        self._tasks[str(task.path)] = task
        self._work += task.weight
        self._whose |= {id(job): (task, number) for number, job in enumerate(task.jobs)}

    @property
    def waiting(self) -> int:
        """Number of jobs."""
        return len(self._whose)

    def jobs(self) -> Iterator[Job]:
        """What is to be done; the jobs of an image that failed are passed over."""
        for task in list(self._tasks.values()):
            for job in task.jobs:
                if str(task.path) not in self.report.failed:
                    yield job

    def progress(self, job: Job, part: float) -> None:
        """Takes note that a part of a job, from 0 to 1, is done."""
        task, number = self._whose[id(job)]
        self._advance(task, number, part)
        self._tell("progress")

    def _advance(self, task: Task, number: int, part: float) -> None:
        self._work_done += task.weight / len(task.jobs) * (part - task.parts.get(number, 0.0))
        task.parts[number] = part

    @property
    def _done(self) -> float:
        return min(1.0, self._work_done / self._work) if self._work else 0.0

    def take(self, job: Job, outcome: list[Page] | str) -> None:
        """Takes note of what came out of a job."""
        task, number = self._whose[id(job)]
        self._advance(task, number, 1.0)
        if str(task.path) in self.report.failed:
            return
        if isinstance(outcome, str):
            self._fail(task.path, outcome)
            return
        task.pages[number] = outcome
        if len(task.pages) < len(task.jobs):
            self._tell("progress")
            return
        try:
            pages = task.finish([task.pages[number] for number in range(len(task.jobs))])
        except (ValueError, OSError) as error:
            self._fail(task.path, reason(error))
            return
        record = self._results.finished(task.name, task.key)
        self._finish("segmented", task.path, record["outputs"] if record else {}, pages)

    def _tell(self, kind: str, **about: Any) -> None:
        done = 1.0 if kind == "end" else self._done
        self._on_event(Event(kind, len(self._images), done, **about))

    def _finish(self, kind: str, path: Path, outputs: Mapping[str, Any], pages: list[Page]) -> None:
        places = tuple(str(self._results.path / name) for name in outputs)
        self.report.outputs[str(path)] = places
        self._tell(kind, image=str(path), outputs=places, pages=tuple(pages))

    def _fail(self, path: Path, why: str) -> None:
        if task := self._tasks.get(str(path)):
            for number in range(len(task.jobs)):
                self._advance(task, number, 1.0)
        self.report.failed[str(path)] = why
        self._tell("failed", image=str(path), reason=why)

    def write_table(self) -> None:
        """Writes the share of each class in each image that is finished, also by an earlier run."""
        records = {path: self._results.record(name) for path, name in self._images.items()}
        finished = [(path.name, records[path]) for path in self._images if str(path) in self.report.outputs]
        text = shares_table(self._model.names, ((name, record["pages"]) for name, record in finished if record))
        with self._results.writing() as staging:
            staging.write(TABLE, text.encode())

    def end(self) -> None:
        """Tells that there is no more to come."""
        self._tell("end")
