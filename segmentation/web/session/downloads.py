"""The files that a person downloads from a session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.archive import pack
from segmentation.io.shares import shares_csv
from segmentation.io.worldfile import map_files
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.modelfile import save_model
from segmentation.objects.splitting import Splitter
from segmentation.objects.steps import CleanUpStep
from segmentation.web.session.drawn_files import DrawnFiles
from segmentation.web.session.journals import Journals
from segmentation.web.session.log import log_csv
from segmentation.web.session.margins import Margins, recounted
from segmentation.web.session.objects import (
    outlines_for_page,
    session_report,
)
from segmentation.web.session.result_files import (
    BEGINNINGS,
    FROM_CLASS_IDS,
    MEDIA_TYPES,
    WITH_MARGINS,
    begun,
    class_names,
    overlay_file,
    probabilities_file,
)
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.tile_stream import TileStream, Wanted
from segmentation.web.session.training import Learning, Result, Trainer, known_strokes
from segmentation.web.session.whole_results import Turn, WholeImage, until_gone


class UnknownFileError(LookupError):
    """There is no file of that name to download."""


class Downloads:
    """Makes the files, each from what the session has now.

    Args:
        journals: of the sessions.
        drawn: makes the files of what is drawn.
        trainer: trains their classifiers.
        live: segments.
        scheduler: says whose turn it is to compute; a session's downloads have a place of their own, so that strokes
            do not wait for them.
        margins: say how sure shares are.
        tiles: has what was segmented lately.
        basin_bytes: of what splitting has found lately, which a slider asks for step by step.
    """

    def __init__(
        self,
        journals: Journals,
        drawn: DrawnFiles,
        trainer: Trainer,
        live: LiveSegmenter,
        scheduler: Scheduler,
        margins: Margins,
        tiles: TileStream,
        basin_bytes: int,
    ) -> None:
        self._journals, self._drawn, self._trainer = journals, drawn, trainer
        self._live, self._scheduler = live, scheduler
        self._margins, self._tiles = margins, tiles
        self._splitter = Splitter(basin_bytes)

    def make(
        self,
        session_id: str,
        file_name: str,
        *,
        image_hash: str | None = None,
        opacity: float = 0.5,
        along: Collection[str] | None = None,
        clean_up: tuple[CleanUpStep, ...] = (),
        has_gone: Callable[[], bool] = lambda: False,
    ) -> tuple[bytes | Iterator[bytes], str]:
        """A file.

        Args:
            session_id: the session.
            file_name: which file.
            image_hash: of which image; None stands for the one that was opened last.
            opacity: of the segmentation in the overlay, 0 to 1.
            along: as in :meth:`classifier`.
            clean_up: steps that are tried out, for the outlines of objects.
            has_gone: says whether nobody waits for the file any more.

        Returns:
            The file, or its parts as they come, and its media type.

        Raises:
            UnknownFileError: if there is no such file.
            NobodyWaitsError: if nobody waits for it any more.
            ValueError: with a sentence, if something is missing to make it.
        """
        with self._scheduler.download_place(session_id):
            return self._made(session_id, file_name, image_hash, opacity, along, clean_up, has_gone)

    def _made(
        self,
        session_id: str,
        file_name: str,
        image_hash: str | None,
        opacity: float,
        along: Collection[str] | None,
        clean_up: tuple[CleanUpStep, ...],
        has_gone: Callable[[], bool],
    ) -> tuple[bytes | Iterator[bytes], str]:
        match file_name:
            case "labels.tif":
                with self._whole_turn(session_id, has_gone)():
                    return self._drawn.labels(session_id, image_hash), "image/tiff"
            case "region.tif":
                with self._whole_turn(session_id, has_gone)():
                    return self._drawn.region(session_id, image_hash), "image/tiff"
            case "strokes.json":
                return self._drawn.strokes(session_id, image_hash), "application/json"
            case "corrections.json":
                return self._drawn.corrections(session_id, image_hash), "application/json"
            case "log.csv":
                return log_csv(self._journals.events(session_id)).encode(), "text/csv"
            case "classifier.squiggle":
                return self.classifier(session_id, image_hash, along, has_gone), "application/octet-stream"
        if file_name not in MEDIA_TYPES:
            raise UnknownFileError(file_name)
        result, whole = self._whole(session_id, image_hash, has_gone)
        if file_name == "probabilities.tif":
            return self._in_its_place(session_id, probabilities_file(result, whole)), MEDIA_TYPES[file_name]
        make = partial(self._segmented_file, session_id, file_name, result, whole, opacity, along, clean_up, has_gone)
        if file_name in BEGINNINGS:
            parts = begun(BEGINNINGS[file_name], make)
            return self._in_its_place(session_id, parts), MEDIA_TYPES[file_name]
        return make(), MEDIA_TYPES[file_name]

    def _segmented_file(
        self,
        session_id: str,
        file_name: str,
        result: Result,
        whole: WholeImage,
        opacity: float,
        along: Collection[str] | None,
        clean_up: tuple[CleanUpStep, ...],
        has_gone: Callable[[], bool],
    ) -> bytes:
        """A file that is made of the class of each pixel."""
        ids, whole_turn = whole.class_ids(), self._whole_turn(session_id, has_gone)
        if file_name == "outlines.bin":
            with whole_turn():
                return outlines_for_page(result, ids, clean_up, self._splitter)
        if file_name == "overlay.png":
            with whole_turn():
                return overlay_file(result, ids, opacity)
        if file_name == "all.zip":
            return self._all(session_id, result, ids, opacity, along, has_gone)
        if file_name in WITH_MARGINS:
            return self._with_margins(session_id, result, ids, has_gone, [file_name])[file_name]
        with whole_turn():
            return FROM_CLASS_IDS[file_name](result, ids)

    def _in_its_place(self, session_id: str, parts: Iterator[bytes]) -> Iterator[bytes]:
        with self._scheduler.download_place(session_id):
            yield from parts

    def _all(
        self,
        session_id: str,
        result: Result,
        ids: NDArray[np.uint8],
        opacity: float,
        along: Collection[str] | None,
        has_gone: Callable[[], bool],
    ) -> bytes:
        """All files of an image in one zip but its probabilities, which are large, and those that would be empty."""
        image_hash, whole_turn = result.state.image["hash"], self._whole_turn(session_id, has_gone)
        made = {}
        for name, make in FROM_CLASS_IDS.items():
            if not name.endswith(".bin"):
                with whole_turn():
                    made[name] = make(result, ids)
        made |= self._with_margins(session_id, result, ids, has_gone, WITH_MARGINS)
        with whole_turn():
            made |= {"overlay.png": overlay_file(result, ids, opacity)}
            for suffix, content in map_files(result.image).items():
                made |= {f"segmentation{suffix}": content, f"overlay{suffix}": content}
            made |= {"classifier.squiggle": self._classifier_file(session_id, result, along)}
            made |= self._drawn.of_image(session_id, image_hash)
        with whole_turn():
            return pack(made)

    def _with_margins(
        self,
        session_id: str,
        result: Result,
        ids: NDArray[np.uint8],
        has_gone: Callable[[], bool],
        names: Collection[str],
    ) -> dict[str, bytes]:
        """The files that say how sure shares are."""
        turn, whole_turn = until_gone(self._turn(session_id), has_gone), self._whole_turn(session_id, has_gone)
        margins = self._margins.of_result(session_id, result, turn)
        with whole_turn():
            made = {"shares.csv": shares_csv(ids, class_names(result), result.image.pixel_size, margins).encode()}
        if "report.html" in names:
            again = recounted(result, turn)
            with turn():
                classifier_file = self._classifier_file(session_id, result)
            scores = self._margins.scores(session_id, result)
            made["report.html"] = session_report(result, ids, classifier_file, margins, again, scores, whole_turn)
        return made

    def classifier(
        self,
        session_id: str,
        image_hash: str | None = None,
        along: Collection[str] | None = None,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """The classifier file; with the strokes, or the pixels, that it was trained on if they are to travel along.

        Args:
            session_id: the session.
            image_hash: the image that it is for; None stands for the one that was opened last.
            along: what travels along: ``"strokes"``, ``"pixels"``; None stands for the pixels if they are known.
            has_gone: says whether nobody waits for it any more.

        Raises:
            NobodyWaitsError: if nobody waits for it any more.
            ValueError: with a sentence, if something is missing to make it.
        """
        turn = until_gone(self._turn(session_id), has_gone)
        with turn():
            learning = self._trainer.learning(session_id, image_hash)
        with turn():
            return self._classifier_file(session_id, learning, along)

    def corrections(self, session_id: str, image_hash: str | None = None) -> bytes:
        """The file of the corrections of all images; empty if no pixel is corrected.

        Args:
            session_id: the session.
            image_hash: the image that comes first; None stands for the one that was opened last.
        """
        return self._drawn.corrections(session_id, image_hash) if self._drawn.is_corrected(session_id) else b""

    def segmented(
        self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool] = lambda: False
    ) -> tuple[Result, NDArray[np.uint8]]:
        """What a session works with, and the classes of an image with its clean-up and corrections.

        Args:
            session_id: the session.
            image_hash: the image; None stands for the one that was opened last.
            has_gone: says whether nobody waits any more.

        Returns:
            The session's result, and ``(rows, columns)`` uint8.

        Raises:
            NobodyWaitsError: if nobody waits for it any more.
            ValueError: with a sentence, if something is missing to make it.
        """
        result, whole = self._whole(session_id, image_hash, has_gone)
        return result, whole.class_ids()

    def _whole(
        self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool]
    ) -> tuple[Result, WholeImage]:
        result, turn = self._result(session_id, image_hash, has_gone), self._turn(session_id)
        wanted = Wanted(result.image, result.trained.classifier, None, result.state.outlines)
        corrections, once = result.training_set.corrections, partial(self._tiles.once, wanted)
        whole_turn = self._whole_turn(session_id, has_gone)
        return result, WholeImage(
            self._live,
            result.image,
            result.classifier,
            turn,
            has_gone,
            corrections,
            once,
            whole_turn,
        )

    def _classifier_file(self, session_id: str, result: Learning, along: Collection[str] | None = None) -> bytes:
        if along is None:
            along = () if result.trained.unchanged and result.classifier.pixels_ is None else ("pixels",)
        contents = result.classifier.contents(
            result.state.classes.values(),
            strokes=known_strokes(result) if "strokes" in along else None,
            pixels=self._trainer.training_pixels(session_id, result) if "pixels" in along else None,
        )
        target = BytesIO()
        save_model(target, contents)
        return target.getvalue()

    def _result(self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool]) -> Result:
        with until_gone(self._turn(session_id), has_gone)():
            return self._trainer.result(session_id, image_hash)

    def _turn(self, session_id: str) -> Turn:
        return partial(self._scheduler.download_turn, session_id)

    def _whole_turn(self, session_id: str, has_gone: Callable[[], bool]) -> Turn:
        return until_gone(partial(self._scheduler.whole_turn, session_id), has_gone)
