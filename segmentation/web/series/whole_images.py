"""All of an image of any size, segmented block by block out of the file that its session, or its series, has.

It gives the class ids that ``squiggle apply`` gives. What is done lies on the disk, in a folder of its own, so that a
server that ends amid it, however it ends, goes on where it was, and so does who tries again what has failed. In memory
there is a block and its halo.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from segmentation.features.planes_on_disk import LEFT_FREE
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.io.unread import unread_note, unread_part
from segmentation.objects.steps import changes_classes
from segmentation.objects.tables import pack_tables
from segmentation.series.block_results import BlockResults
from segmentation.series.jobs import BlockJob
from segmentation.series.model import Model
from segmentation.series.pages import OUTLINED_NOTE, Page
from segmentation.series.results import ResultFolder
from segmentation.series.tasks import Task, task_of_blocks
from segmentation.strokes.classes import classes_to_json
from segmentation.strokes.stroke import Stroke
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.patience import patiently
from segmentation.web.series.changed import known_of, known_on
from segmentation.web.series.decoded_blocks import DecodedBlocks
from segmentation.web.series.pictures import picture_of_large
from segmentation.web.store import DiskFullError
from segmentation.web.store.errors import disk_told
from segmentation.web.store.files import digest_and_size, large_key
from segmentation.web.store.records import ClaimedItem, ItemResult
from segmentation.web.store.wholes import WholeStore

FOLDER = "wholes"
"""Beside the data: what is being made."""

BLOCK_SIDE = 1024
"""Rows and columns of a block: less than the command line has at a time, since people draw meanwhile."""

PART_OF_BLOCKS = 0.9
"""Of the work, about; the rest is to make levels and files of them."""

PIXEL_BYTES = 1
"""Of the disk for what is made, about, which must be free: the class ids of blocks and levels twice, compressed."""

KEY_DIGITS = 32
"""Of the SHA-256 of all that the class ids of an image depend on, those that the name of its folder has."""

RESULT = "result"
UNWRITTEN = "The server could not write what it found to its disk: try again later."


class WholeImages:
    """Segments whole images.

    Args:
        store: where they are.
        decoder: reads parts of them.
        folder: where what is being made lies; it is made when it is needed.
        max_cleaned: pixels that an image may have which is cleaned up.
    """

    def __init__(self, store: WholeStore, decoder: Decoder, folder: Path, max_cleaned: int) -> None:
        self._store, self._decoder, self._folder, self._max_cleaned = store, decoder, folder / FOLDER, max_cleaned

    @contextmanager
    def segmented(
        self,
        item: ClaimedItem,
        model: Model,
        outlines: Mapping[str, Sequence[Stroke]],
        sizes: Mapping[str, PixelSize],
        *,
        pause: Callable[[], None],
        rest: Callable[[float], None],
        note: Callable[[float], None],
    ) -> Iterator[ItemResult]:
        """What an image gives, which is there for as long as the block runs.

        Args:
            item: the image.
            model: what is applied.
            outlines: of where images of the session are worked on, by their hashes.
            sizes: of pixels, as they were typed, in the same way.
            pause: lets others go first before each block; what it raises ends the work, which goes on another time.
            rest: waits so many seconds, as :func:`patiently` has it.
            note: called with the part that is done, from 0 to 1.

        Raises:
            PassingError: if a part of it does not come just now.
            ValueError: with a sentence, if it cannot be segmented.
            DiskFullError: with a sentence, if the disk has no room for it.
        """
        with disk_told("a whole image could not be written", ValueError(UNWRITTEN)), self._store.image(item) as content:
            coarsest = patiently(partial(self._decoder.read_coarsest, content), rest)
            image = item.image or large_key(coarsest.metadata["pyramid"]["hash"], digest_and_size(content)[0])
            drawn, size = outlines.get(image, ()), sizes.get(image)
            known = known_on((image,), known_of(b"", outlines, sizes))
            key = {"classifier": model.hash, "image": item.key, **known}
            refuse_incomplete(coarsest)
            if not item.image:
                _refuse_stack(coarsest)
            folder = ResultFolder(self._found_or_new(item, key))
            folder.prepare()
            name = item.name.rpartition("/")[2]
            images = DecodedBlocks(self._decoder, content, name, coarsest, drawn, rest)
            record = folder.finished(RESULT, key)
            if record is None:
                self._refuse_large_clean_up(model, images.shape)
                self._require_room(images.shape)
                task = task_of_blocks(_results(model, folder, images, size), Path(RESULT), key, None, BLOCK_SIDE)
                pages = self._done(task, model, images, pause, note)
            else:
                pages = [asdict(Page(**page)) for page in record["pages"]]
            classes = classes_to_json(model.classifier.label_classes_)
            more = {"hashes": [image], **known, "classes": classes}
            for page in pages:
                page |= more | {"notes": [*page["notes"], *([OUTLINED_NOTE] if drawn else [])]}
        with _opened(folder.path / f"{RESULT}.tif") as file:
            picture = b"" if item.image else picture_of_large(file, coarsest, model.colours)
            yield ItemResult(file, picture, pack_tables([]), pages)
        self._remove(folder.path.name)

    def _done(
        self,
        task: Task,
        model: Model,
        images: DecodedBlocks,
        pause: Callable[[], None],
        note: Callable[[float], None],
    ) -> list[dict[str, Any]]:
        """What a task gives, of which the blocks are segmented that are not yet."""
        outcomes = []
        for job in task.jobs:
            assert isinstance(job, BlockJob)
            if not (outcome := job.found(model)):
                pause()
                self._require_room()
                outcome = job.segment(model, images)
            outcomes.append(outcome)
            note(PART_OF_BLOCKS * len(outcomes) / len(task.jobs))
        return [asdict(page) for page in task.finish(outcomes)]

    def _found_or_new(self, item: ClaimedItem, key: Mapping[str, Any]) -> Path:
        """The folder of an item, with what an earlier one, which failed, had done of it for the same key.

        Begun anew it has another folder, since who worked on it before may not have noticed yet.
        """
        of_key = f"{item.series_id}.{sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:KEY_DIGITS]}"
        place = self._folder / f"{of_key}.{item.classifier_key.rpartition('/')[2]}"
        earlier = [] if place.is_dir() else sorted(self._folder.glob(f"{of_key}.*"))
        for one in earlier[:1]:
            one.replace(place)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def sweep(self) -> None:
        """Remove what was being made of images that nobody wants segmented any more."""
        if self._folder.is_dir() and (left := {path.name for path in self._folder.iterdir()}):
            wanted = self._store.unfinished()
            for name in left:
                if name.partition(".")[0] not in wanted:
                    self._remove(name)

    def _remove(self, name: str) -> None:
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def _refuse_large_clean_up(self, model: Model, shape: tuple[int, int]) -> None:
        if changes_classes(model.classifier.clean_up) and shape[0] * shape[1] > self._max_cleaned:
            raise ValueError(
                f"The clean-up looks at the whole image, and of more than {self._max_cleaned / 1e6:,.0f} megapixels "
                "that takes more memory than this server gives it: take its steps away and segment the image again."
            )

    def _require_room(self, shape: tuple[int, int] = (0, 0)) -> None:
        """Refuse to begin, or to go on, where the disk would have nothing left for strokes."""
        needed = LEFT_FREE + shape[0] * shape[1] * PIXEL_BYTES
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise DiskFullError(
                f"The disk of the server has {free / 2**30:.1f} GB free, and {needed / 2**30:.1f} are needed for this. "
                "What you drew is safe; ask whoever runs the server for more room."
            )


def _opened(path: Path) -> BinaryIO:
    with disk_told("what a whole image gave could not be opened", ValueError(UNWRITTEN)):
        return path.open("rb")


def refuse_incomplete(coarsest: Image) -> None:
    """Refuse an image of which is known that not all of it can be read, before the rest takes its time.

    Raises:
        ValueError: with a sentence.
    """
    if unread := unread_note(unread_part(coarsest.metadata)):
        raise ValueError(f"{unread} An image of this size is segmented as a whole only where all of it can be read.")


def _refuse_stack(coarsest: Image) -> None:
    """Refuse a file of several images that are alike: nobody sent the first of them only."""
    about = coarsest.metadata
    if about.get("pages", 1) > 1 and about.get("alike"):
        raise ValueError(
            f"It is a stack of {about['pages']} images that are too large to be read whole: take the classifier home, "
            "and “squiggle apply” in a shell works on all of them."
        )


def _results(model: Model, folder: ResultFolder, images: DecodedBlocks, size: PixelSize | None) -> BlockResults:
    return BlockResults(
        model,
        folder,
        RESULT,
        images,
        as_tiff=True,
        probabilities=False,
        cleans=changes_classes(model.classifier.clean_up),
        pixel_size=size,
    )
