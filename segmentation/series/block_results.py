"""The results of images that are segmented block by block: where they lie while they are made, and how they appear."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io.block_images import BlockImages
from segmentation.io.pixel_size import PixelSize
from segmentation.series.cleaning import clean_blocks
from segmentation.series.model import Model
from segmentation.series.results import ResultFolder, Staging, file_name, read_json, write_json

UNFINISHED = ".unfinished"
BEGUN = ".begun"
LABELS, FOUND, PROBABILITIES = ".zarr", ".found.zarr", ".probabilities.zarr"
"""Class ids, those that were found before a clean-up, and probabilities."""

_LAYOUT = {"arrays": 2}
"""How the arrays are laid out, beside the key of what was begun: 2 with levels, of which earlier versions made one."""


@dataclass(frozen=True)
class BlockResults:
    """Arrays that the blocks of an image are written into.

    Attributes:
        model: what is applied.
        folder: where results appear.
        name: of the results.
        images: what is segmented.
        as_tiff: whether the class ids appear as a TIFF instead of a Zarr array.
        probabilities: whether there are probabilities.
        cleans: whether there is a clean-up, before which the class ids lie in an array of their own.
        pixel_size: that somebody typed, in place of what the images say; None if nobody did.
    """

    model: Model
    folder: ResultFolder
    name: str
    images: BlockImages
    as_tiff: bool
    probabilities: bool
    cleans: bool
    pixel_size: PixelSize | None = None

    def path(self, ending: str) -> Path:
        """Where an array lies while it is made."""
        return self.folder.records / file_name(file_name(self.name, ending), UNFINISHED)

    @property
    def written(self) -> Path:
        """The array into which blocks are written."""
        return self.path(FOUND if self.cleans else LABELS)

    @property
    def _endings(self) -> list[str]:
        return [LABELS] + [FOUND] * self.cleans + [PROBABILITIES] * self.probabilities

    @property
    def _begun(self) -> Path:
        return self.folder.records / file_name(self.name, BEGUN)

    def begin(self, key: dict[str, Any], side: int | None) -> None:
        """Make the arrays, unless those of an interrupted run are there that had the same key.

        Args:
            key: what the results depend on, plain JSON values.
            side: rows and columns of a block; None is the usual.

        Raises:
            OSError: if they cannot be written.
        """
        from segmentation.io.zarr_results import create_results

        begun = key | _LAYOUT
        if read_json(self._begun) != begun or not all(self.path(ending).is_dir() for ending in self._endings):
            self._begun.unlink(missing_ok=True)
            for ending in self._endings:
                shutil.rmtree(self.path(ending), ignore_errors=True)
                create_results(
                    self.images,
                    self.path(ending),
                    self.model.classifier.label_classes_,
                    self.model.planes,
                    ending == PROBABILITIES,
                    side,
                )
            write_json(self._begun, begun)
        self.folder.begin(self.name)

    def cleaned(self, places: Iterable[tuple[int, ...]], blocks: Sequence[Window]) -> list[dict[str, int]]:
        """Do the clean-up; the number of pixels of each class, by class id as text, for each image."""
        from segmentation.io.zarr_images import ZarrResults

        raw, labels = ZarrResults.open(self.path(FOUND)), ZarrResults.open(self.path(LABELS))
        return [clean_blocks(self.model, raw, labels, place, self.images.shape, blocks) for place in places]

    def publish(self, places: Sequence[tuple[int, ...]]) -> dict[str, int | None]:
        """Write coarser levels, and move what is made to its place.

        Returns:
            Bytes of each file by its name; None of a folder.

        Raises:
            OSError: if something cannot be written.
        """
        from segmentation.io.zarr_images import sweep
        from segmentation.io.zarr_results import write_levels

        folders = {file_name(self.name, ending): ending for ending in self._endings if ending != FOUND}
        sizes: dict[str, int | None] = dict.fromkeys(folders)
        for ending in folders.values():
            write_levels(self.path(ending), self.images.shape, places, by_means=ending == PROBABILITIES)
            sweep(self.path(ending))
        if self.as_tiff:
            del folders[file_name(self.name, LABELS)], sizes[file_name(self.name, LABELS)]
        self.folder.begin(self.name, folders)
        if self.as_tiff:
            with self.folder.writing(self.name) as staging:
                self._write_tiff(staging, places)
            sizes |= staging.sizes
        for place, ending in folders.items():
            self.folder.publish_folder(self.path(ending), place)
        return sizes

    def _write_tiff(self, staging: Staging, places: Sequence[tuple[int, ...]]) -> None:
        import zarr

        from segmentation.io.ome_classes import write_ome_pyramid

        group: Any = zarr.open_group(self.path(LABELS), mode="r")

        def read(number: int, level: int, window: Window) -> NDArray[np.uint8]:
            return np.asarray(group[str(level)][(*places[number], window.rows, window.columns)])

        write_ome_pyramid(
            staging.open(file_name(self.name, ".tif")),
            self.images.shape,
            len(places),
            read,
            self.model.classifier.label_classes_,
            like=self.images.read(places[0], Window(slice(0, 1), slice(0, 1))).with_pixel_size(self.pixel_size),
        )

    def end(self) -> None:
        """Remove what is not needed any longer when the results are recorded."""
        self._begun.unlink(missing_ok=True)
        for ending in self._endings:
            shutil.rmtree(self.path(ending), ignore_errors=True)
