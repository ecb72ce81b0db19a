"""One classifier over many images: here, in several processes, or on a Dask cluster, with the same bytes.

The work is divided into jobs (:mod:`segmentation.series.jobs`), which give the same results wherever they run. Results
appear in a :class:`~segmentation.series.results.ResultFolder`, so that a run that was interrupted continues when it is
run again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation._shared.parallel import available_threads
from segmentation._shared.text import counted
from segmentation.io.pixel_size import PixelSize
from segmentation.io.shares import shares_table
from segmentation.model.classifier import PixelClassifier
from segmentation.model.weights import ClassWeights
from segmentation.objects.sized import AnyStep, steps_in_pixels
from segmentation.series.drawn import CORRECTIONS, drawn_on, on_images
from segmentation.series.events import Event, SeriesReport
from segmentation.series.inputs import (
    find_images,
    goes_by_blocks,
    is_zarr,
    name_results,
    natural_path,
    pixel_sizes,
    stamp,
)
from segmentation.series.jobs import Job, reason
from segmentation.series.model import Model, open_model
from segmentation.series.objects import OBJECT_ENDINGS, table_of_all
from segmentation.series.pages import Extras, Page
from segmentation.series.results import ResultFolder, file_name
from segmentation.series.tasks import Task, block_task, file_task
from segmentation.series.workers import run_here, run_in_processes
from segmentation.strokes.document import StrokesDocument

if TYPE_CHECKING:
    from distributed import Client

MODEL_FILE = "classifier.squiggle"
TABLE = "shares.csv"
OBJECT_TABLE = "objects.csv"


def apply_series(
    classifier: PixelClassifier | str | os.PathLike[str],
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    png: bool = False,
    probabilities: bool = False,
    overlay: bool = False,
    table: bool = False,
    objects: bool = False,
    report: str | os.PathLike[str] | None = None,
    class_weights: ClassWeights | None = None,
    clean_up: Iterable[AnyStep] | None = None,
    axes: str | None = None,
    pixel_size: PixelSize | None = None,
    strokes: Iterable[StrokesDocument] = (),
    corrections: Iterable[StrokesDocument] = (),
    workers: int = 1,
    threads: int | None = None,
    engine: str = "compiled",
    client: Client | str | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> SeriesReport:
    """Segments many images with one classifier.

    Of each image file ``<stem>.tif`` appears in the folder, uint8 class ids, with as many pages as the file has
    images; of each Zarr array ``<stem>.zarr``. A TIFF of more than 2**29 pixels is segmented block by block too, and
    ``<stem>.tif`` is then a tiled OME-TIFF with coarser levels. Where several images have the same stem, more of their
    paths becomes part of the name. Results that are there from an earlier run, made from the same image by the same
    classifier in the same way, are not made again.

    Args:
        classifier: or the path of a classifier file.
        images: files, Zarr arrays, folders and globs.
        folder: where results appear; it is made if need be. Only one run at a time may use it.
        png: write also ``<stem>.png`` in the colours of the classes.
        probabilities: write also ``<stem>.probabilities.tif``, or of what is segmented block by block
            ``<stem>.probabilities.zarr``.
        overlay: write also ``<stem>.overlay.png``, the image with the classes painted over it.
        table: write also ``shares.csv``, the share of each class in each image.
        objects: write also ``<stem>.objects.csv``, the objects of all classes, ``<stem>.objects.tif``, their numbers at
            each pixel (uint32), ``<stem>.objects.geojson``, their outlines, and ``objects.csv``, those of all images.
        report: write also one HTML file, here, that shows all images, what was found in them, and how.
        class_weights: by class id, what the probability of a class is multiplied with, in place of what the classifier
            says of these classes.
        clean_up: steps in place of those of the classifier, see :class:`CleanUpStep`, also with sizes in a unit, if the
            pixels of all images are of one size; None takes those.
        axes: what the axes of Zarr arrays are, such as ``"zyx"``; None reads or guesses it.
        pixel_size: how large a pixel is, in place of what the images say; of Zarr arrays it counts for the table only.
        strokes: of which the outlines of where to work count: the images that they lie on are segmented only there.
        corrections: what people have painted into results, which is applied after the clean-up, as on the page.
        workers: number of processes; with one it is this process that works.
        threads: number of threads of all processes together; None takes all cores.
        engine: what computes with a classifier file, see :class:`PixelClassifier`.
        client: a Dask client, or the address of a scheduler such as ``"tcp://host:8786"``: its workers do the work
            instead. They need this package, and must see images and folder under the same paths.
        on_event: called with each event, in the thread of the caller.

    Returns:
        Which images were segmented, and which could not be and why: one such image does not stop the others.

    Raises:
        ValueError: if the classifier, the images or the folder as a whole cannot be used.
        OSError: if the classifier file cannot be read.
    """
    if workers < 1:
        raise ValueError("At least one worker is needed.")
    threads = available_threads() if threads is None else threads
    model = open_model(classifier, threads, engine)
    if class_weights is not None:
        model = model.weighed(class_weights)
    paths = find_images(images)
    if clean_up is not None:
        model = model.with_clean_up(steps_in_pixels(clean_up, lambda: pixel_sizes(paths, pixel_size, axes)))
    results = ResultFolder(Path(os.path.abspath(folder)))
    extras = Extras(png, probabilities, overlay, objects)
    size = {} if pixel_size is None else {"pixel_size": pixel_size.to_json()}
    class_ids = [one.id for one in model.classifier.label_classes_]
    chosen = size | drawn_on(strokes, corrections, class_ids)
    series = Series(model, paths, results, extras, on_event, axes=axes, chosen=chosen)
    series.plan()
    series.run(workers, threads, client)
    if table:
        series.write_table()
    if objects:
        series.write_objects()
    if report is not None:
        from segmentation.series.reporting import Finished, series_report

        done = [Finished(path, ids, series.outcomes(path)) for path, ids in series.finished(".tif")]
        text = series_report(model, done, series.report)
        Path(report).write_text(text, encoding="utf-8")
    series.end()
    return series.report


def result_endings(extras: Extras) -> list[str]:
    """How the results of an image may end, after its name and a dot."""
    endings = ["tif", "zarr"] + ["png"] * extras.png + ["overlay.png"] * extras.overlay
    endings += OBJECT_ENDINGS if extras.objects else ()
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
        on_event: called with each event.
        axes: what the axes of Zarr arrays are, if they were chosen.
        chosen: what else was chosen for all images, plain JSON values by the names that a job's key has for them.

    Attributes:
        report: what is done so far.

    Raises:
        ValueError: if results would overwrite an image, or two images would have the same result.
    """

    def __init__(
        self,
        model: Model,
        paths: list[Path],
        results: ResultFolder,
        extras: Extras,
        on_event: Callable[[Event], None],
        *,
        axes: str | None = None,
        chosen: Mapping[str, Any],
    ) -> None:
        self.report = SeriesReport()
        self._model, self._results, self._extras, self._axes, self._on_event = model, results, extras, axes, on_event
        self._chosen = chosen
        self._images = dict(zip(paths, name_results(paths), strict=True))
        self._tasks: dict[str, Task] = {}
        self._tasks_of_jobs: dict[int, tuple[Task, int]] = {}
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
        """Prepares the folder, finds out which images are to be segmented, and reports the others."""
        self._results.prepare()
        self._report("start")
        for path, name in self._images.items():
            try:
                self._plan_image(path, name)
            except (ValueError, OSError) as error:
                self._fail(path, reason(error))

    def _plan_image(self, path: Path, name: str) -> None:
        by_blocks = goes_by_blocks(path)
        key: dict[str, Any] = {
            "classifier": self._model.hash,
            "image": stamp(path),
            "extras": asdict(self._extras),
            "axes": self._axes if is_zarr(path) else None,
            **self._chosen,
        }
        pages = (self._results.record(name) or {}).get("pages", ())
        hashes = {one for page in pages for one in page.get("hashes", ())}
        record = self._results.finished(name, key if by_blocks else on_images(key, hashes))
        if record is not None:
            self.report.finished_before.append(str(path))
            self._finish("finished before", path, record["outputs"], [Page(**page) for page in pages])
        elif by_blocks:
            self._add(block_task(self._model, self._results, path, name, key, self._extras, self._axes))
        else:
            self._add(file_task(self._results, path, name, key, self._extras))

    def _add(self, task: Task) -> None:
        self._tasks[str(task.path)] = task
        self._work += task.weight
        self._tasks_of_jobs |= {id(job): (task, number) for number, job in enumerate(task.jobs)}

    def run(self, workers: int, threads: int, client: Client | str | None) -> None:
        """Runs the jobs, as :func:`apply_series` describes."""
        processes, engine = min(workers, len(self._tasks_of_jobs)), self._model.classifier.engine
        if client is not None:
            from segmentation.series.cluster import run_on_cluster

            outcomes = run_on_cluster(client, self._model.data, self.jobs(), self._progress, engine)
        elif processes > 1:
            model_path = self._results.records / MODEL_FILE
            model_path.write_bytes(self._model.data)
            outcomes = run_in_processes(
                model_path,
                self.jobs(),
                self._progress,
                processes=processes,
                threads=max(1, threads // processes),
                engine=engine,
            )
        else:
            outcomes = run_here(self._model, self.jobs(), self._progress)
        with closing(outcomes):
            for job, outcome in outcomes:
                self._note(job, outcome)

    def jobs(self) -> Iterator[Job]:
        """The jobs; those of an image that failed are skipped."""
        for task in list(self._tasks.values()):
            for job in task.jobs:
                if str(task.path) not in self.report.failed:
                    yield job

    def _progress(self, job: Job, part: float) -> None:
        """Notes that a part of a job, from 0 to 1, is done."""
        task, number = self._tasks_of_jobs[id(job)]
        self._advance(task, number, part)
        self._report("progress")

    def _advance(self, task: Task, number: int, part: float) -> None:
        self._work_done += task.weight / len(task.jobs) * (part - task.parts.get(number, 0.0))
        task.parts[number] = part

    @property
    def _done(self) -> float:
        return min(1.0, self._work_done / self._work) if self._work else 0.0

    def _note(self, job: Job, outcome: list[Page] | str) -> None:
        """Notes the outcome of a job."""
        task, number = self._tasks_of_jobs[id(job)]
        self._advance(task, number, 1.0)
        if str(task.path) in self.report.failed:
            return
        if isinstance(outcome, str):
            self._fail(task.path, outcome)
            return
        task.pages[number] = outcome
        if len(task.pages) < len(task.jobs):
            self._report("progress")
            return
        try:
            pages = task.finish([task.pages[number] for number in range(len(task.jobs))])
        except (ValueError, OSError) as error:
            self._fail(task.path, reason(error))
            return
        record = self._results.record(task.name)
        self._finish("segmented", task.path, record["outputs"] if record else {}, pages)

    def _report(self, kind: str, **about: Any) -> None:
        done = 1.0 if kind == "end" else self._done
        self._on_event(Event(kind, len(self._images), done, **about))

    def _finish(self, kind: str, path: Path, outputs: Mapping[str, Any], pages: list[Page]) -> None:
        places = tuple(str(self._results.path / name) for name in outputs)
        self.report.outputs[str(path)] = places
        if notes := tuple(dict.fromkeys(note for page in pages for note in page.notes)):
            self.report.notes[str(path)] = notes
        reasons = [page.reason for page in pages if page.reason]
        if reasons:
            more = f" {counted(len(reasons) - 1, 'more image')} cannot be used either." if reasons[1:] else ""
            self.report.failed[str(path)] = reasons[0] + more
        self._report(
            kind, image=str(path), outputs=places, pages=tuple(pages), reason=self.report.failed.get(str(path), "")
        )

    def _fail(self, path: Path, why: str) -> None:
        if task := self._tasks.get(str(path)):
            for number in range(len(task.jobs)):
                self._advance(task, number, 1.0)
        self.report.failed[str(path)] = why
        self._report("failed", image=str(path), reason=why)

    def write_table(self) -> None:
        """Writes the share of each class in each image that is finished, also by an earlier run."""
        text = shares_table(self._model.names, [(path.name, self.outcomes(path)) for path in self._done_paths()])
        with self._results.writing() as staging:
            staging.write(TABLE, text.encode())

    def finished(self, ending: str) -> list[tuple[Path, Path]]:
        """The images that are finished, also by an earlier run, and where their results lie that end so."""
        return [(path, self._results.path / file_name(self._images[path], ending)) for path in self._done_paths()]

    def outcomes(self, path: Path) -> list[dict[str, Any]]:
        """The outcome for each image of a file that is finished, as its record holds it."""
        return list((self._results.record(self._images[path]) or {}).get("pages", ()))

    def _done_paths(self) -> list[Path]:
        """The images that are finished in natural order, in whatever order they were typed."""
        return sorted((path for path in self._images if str(path) in self.report.outputs), key=natural_path)

    def write_objects(self) -> None:
        """Writes the objects of all images that are finished as one table; it fails if their units differ."""
        try:
            text = table_of_all(table for _, table in self.finished(".objects.csv") if table.exists())
        except ValueError as error:
            self.report.failed[str(self._results.path / OBJECT_TABLE)] = reason(error)
            return
        with self._results.writing() as staging:
            staging.write(OBJECT_TABLE, text.encode())

    def end(self) -> None:
        """Reports the end, and whether corrections were painted on images that are not there."""
        lost = set(self._chosen.get(CORRECTIONS, ())) if not self.report.failed else set()
        if lost:
            lost -= {one for path in self._images for page in self.outcomes(path) for one in page["hashes"]}
        if lost:
            self.report.notes[CORRECTIONS] = (
                f"Those on {counted(len(lost), 'image')} that was not given do not count.",
            )
        self._report("end")
