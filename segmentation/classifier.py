"""Learning classes from labelled pixels, and segmenting images with what was learnt.

What is learnt is a function of the images, their labels, the feature spec and the forest's settings alone, so
that the page, the command line and a script reach the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.features import FeatureSpec, compute_planes
from segmentation.forest import Forest
from segmentation.images import Image, image_from_pixels
from segmentation.tiles import Tile, TileGrid

FOREST_KINDS = ("extra_trees", "random_forest")

MAX_TRAINING_PIXELS = 20_000
"""Labelled pixels that a forest learns from at most, shared equally among the classes."""


@dataclass(frozen=True)
class ForestSettings:
    """How the forest is grown.

    Attributes:
        kind: "extra_trees" (extremely randomised trees) or "random_forest".
        n_estimators: number of trees, 1 to 1000.
        max_depth: the most comparisons between a tree's root and a leaf, 1 to 64; None for no limit.
        max_samples: share of the training pixels that each tree sees, above 0 and up to 1.
        random_state: seed of all that is drawn.

    Raises:
        ValueError: with a sentence for the person who chose, if a value is out of bounds.
    """

    kind: str = "extra_trees"
    n_estimators: int = 100
    max_depth: int | None = None
    max_samples: float = 0.1
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FOREST_KINDS:
            raise ValueError(f"The kind of forest must be one of {', '.join(FOREST_KINDS)}.")
        if not 1 <= self.n_estimators <= 1000:
            raise ValueError("The number of trees must be between 1 and 1000.")
        if self.max_depth is not None and not 1 <= self.max_depth <= 64:
            raise ValueError("The depth of the trees must be between 1 and 64, or unlimited.")
        if not 0 < self.max_samples <= 1:
            raise ValueError("The share of the pixels that each tree sees must be above 0 and at most 1.")
        if not 0 <= self.random_state < 2**32:
            raise ValueError("The seed must be between 0 and 4294967295.")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ForestSettings:
        """The settings that :meth:`to_json` described; what is missing takes its default.

        Raises:
            ValueError: if a value is unknown, of the wrong type or out of bounds.
        """
        expected: dict[str, tuple[type, ...]] = {
            "kind": (str,),
            "n_estimators": (int,),
            "max_depth": (int, type(None)),
            "max_samples": (int, float),
            "random_state": (int,),
        }
        for name, value in values.items():
            if name not in expected:
                raise ValueError(f"Unknown forest setting {name!r}.")
            if not isinstance(value, expected[name]) or isinstance(value, bool):
                raise ValueError(f"The forest setting {name!r} has a value of the wrong type.")
        return cls(**values)


class NotFittedError(ValueError):
    """The classifier was asked before it was taught."""


class PixelClassifier:
    """A feature spec and a forest: scikit-learn's manners, on images instead of rows.

    Args:
        spec: which features the forest sees.
        kind, n_estimators, max_depth, max_samples, random_state: see :class:`ForestSettings`.
        threads: number of threads; None takes all cores. No result depends on it.

    Attributes:
        forest_: the fitted forest.
        classes_: ``(classes,)`` uint8, the class ids, ascending.
        channels_: number of channels of the images that it was fitted to, None if it was fitted to rows.
        training_: facts about what it was fitted to, as plain JSON values.

    Raises:
        ValueError: if a setting is out of bounds.
    """

    forest_: Forest
    classes_: NDArray[np.uint8]
    channels_: int | None
    training_: dict[str, Any]

    def __init__(
        self,
        spec: FeatureSpec = FeatureSpec(),
        *,
        kind: str = ForestSettings.kind,
        n_estimators: int = ForestSettings.n_estimators,
        max_depth: int | None = ForestSettings.max_depth,
        max_samples: float = ForestSettings.max_samples,
        random_state: int = ForestSettings.random_state,
        threads: int | None = None,
    ) -> None:
        self.spec = spec
        self.settings = ForestSettings(kind, n_estimators, max_depth, max_samples, random_state)
        self.threads = threads

    def fit(
        self,
        image: Image | ArrayLike | Sequence[Image | ArrayLike],
        labels: ArrayLike | Sequence[NDArray[Any]],
    ) -> PixelClassifier:
        """Learns from the labelled pixels of an image, or of several.

        Args:
            image: ``(rows, columns)`` or ``(rows, columns, channels)``, integer or float; or a list of images.
            labels: ``(rows, columns)`` class ids up to 255, 0 = unlabelled; or a list, one for each image.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if the labels do not fit the images, or fewer than two classes are labelled.
        """
        several = isinstance(image, (list, tuple))
        images = [as_image(one) for one in (image if several else [image])]  # type: ignore[union-attr]
        given: list[ArrayLike] = list(labels) if several else [labels]  # type: ignore[arg-type, assignment]
        if len(images) != len(given):
            raise ValueError(f"There are {len(images)} images but labels for {len(given)}.")
        rasters = [checked_labels(raster, one) for raster, one in zip(given, images, strict=True)]
        if len({one.channels for one in images}) > 1:
            raise ValueError("The images must all have the same number of channels.")
        sample = TrainingSample.draw(rasters, self.settings.random_state)
        rows = [
            feature_rows(one, self.spec, places, threads=self.threads)
            for one, places in zip(images, sample.places, strict=True)
        ]
        return self.fit_sample(images, sample, np.concatenate(rows))

    def fit_sample(self, images: Sequence[Image], sample: TrainingSample, rows: NDArray[np.float32]) -> PixelClassifier:
        """Learns from a sample whose feature rows are at hand: the second half of :meth:`fit`.

        Args:
            images: the images that the sample was drawn from.
            sample: which pixels.
            rows: ``(pixels, features)`` float32, image by image in the order of the sample's places.

        Returns:
            The classifier itself.
        """
        self.fit_rows(rows, sample.class_ids)
        self.channels_ = images[0].channels
        self.training_ |= {
            "images": [
                {"hash": one.hash, "rows": one.shape[0], "columns": one.shape[1], "channels": one.channels}
                for one in images
            ],
            "labelled_pixels": sample.labelled_pixels,
        }
        return self

    def fit_rows(self, rows: NDArray[np.float32], class_ids: NDArray[np.uint8]) -> PixelClassifier:
        """Learns from feature rows.

        Args:
            rows: ``(pixels, features)`` float32, in the order of the spec's features.
            class_ids: ``(pixels,)`` uint8, from 1.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if there are fewer than two classes.
        """
        counts = count_classes(class_ids)
        check_classes(counts)
        self.forest_ = Forest.from_sklearn(grow(rows, class_ids, self.settings, self.threads))
        self.classes_ = np.array(list(counts), np.uint8)
        self.channels_ = None
        self.training_ = {"training_pixels": counts}
        return self

    @property
    def feature_names_(self) -> list[str]:
        """A readable name for each feature that the forest sees."""
        self._check_fitted()
        return self.spec.names(self.channels_ or 1)

    def predict(self, image: Image | ArrayLike) -> NDArray[np.uint8]:
        """The class of each pixel.

        Returns:
            ``(rows, columns)`` uint8 class ids.

        Raises:
            ValueError: if the image has other channels than those that were learnt from.
        """
        checked = self.check(image)
        segmentation = np.empty(checked.shape[:2], np.uint8)
        for tile, class_ids in self._over_tiles(checked, self.predict_window):
            segmentation[tile.rows, tile.columns] = class_ids
        return segmentation

    def predict_proba(self, image: Image | ArrayLike) -> NDArray[np.float32]:
        """The probability of each class at each pixel.

        Returns:
            ``(rows, columns, classes)`` float32, summing to 1 over the classes, which are in the order of ``classes_``.

        Raises:
            ValueError: if the image has other channels than those that were learnt from.
        """
        checked = self.check(image)
        probabilities = np.empty((*checked.shape[:2], len(self.classes_)), np.float32)
        for tile, planes in self._over_tiles(checked, self.predict_proba_window):
            probabilities[tile.rows, tile.columns] = np.moveaxis(planes, 0, -1)
        return probabilities

    def check(self, image: Image | ArrayLike) -> Image:
        """The image, if this classifier can segment it.

        Raises:
            NotFittedError: if nothing was learnt yet.
            ValueError: if the image has other channels than those that were learnt from.
        """
        self._check_fitted()
        checked = as_image(image)
        if self.channels_ is not None and checked.channels != self.channels_:
            raise ValueError(
                f"The classifier was trained on images with {self.channels_} channels, "
                f"but this one has {checked.channels}."
            )
        return checked

    def predict_window(self, image: Image, tile: Tile) -> NDArray[np.uint8]:
        """The class ids of a tile of an image, ``(tile rows, tile columns)`` uint8."""
        planes = compute_planes(image.pixels, self.spec, rows=tile.rows, columns=tile.columns, threads=1)
        return self.classes_[self.forest_.predict(planes, threads=1)]

    def predict_proba_window(self, image: Image, tile: Tile) -> NDArray[np.float32]:
        """The probabilities in a tile of an image, ``(classes, tile rows, tile columns)`` float32."""
        planes = compute_planes(image.pixels, self.spec, rows=tile.rows, columns=tile.columns, threads=1)
        return self.forest_.predict_proba(planes, threads=1)

    def _over_tiles(self, image: Image, predict: Any) -> Iterator[tuple[Tile, Any]]:
        tiles = TileGrid(image.shape).tiles
        with ThreadPoolExecutor(self.threads) as pool:
            yield from zip(tiles, pool.map(lambda tile: predict(image, tile), tiles), strict=True)

    def _check_fitted(self) -> None:
        if not hasattr(self, "forest_"):
            raise NotFittedError("The classifier has not been trained yet: call fit first.")


def as_image(image: Image | ArrayLike) -> Image:
    """An image as it is, or an array as an image."""
    return image if isinstance(image, Image) else image_from_pixels(np.asarray(image))


def checked_labels(labels: ArrayLike, image: Image) -> NDArray[np.uint8]:
    """The labels of an image as uint8.

    Raises:
        ValueError: if they are not whole numbers from 0 to 255, one for each pixel of the image.
    """
    raster = np.asarray(labels)
    if raster.ndim != 2:
        raise ValueError("The labels must have rows and columns, and nothing else.")
    if raster.dtype != np.uint8:
        if not np.issubdtype(raster.dtype, np.integer) or raster.min(initial=0) < 0 or raster.max(initial=0) > 255:
            raise ValueError("The labels must be whole numbers from 0 (unlabelled) to 255.")
        raster = raster.astype(np.uint8)
    if raster.shape != image.shape[:2]:
        raise ValueError(
            f"The labels have {raster.shape[0]} x {raster.shape[1]} pixels, "
            f"but the image has {image.shape[0]} x {image.shape[1]}."
        )
    return raster


def count_classes(class_ids: NDArray[np.uint8]) -> dict[int, int]:
    """Number of pixels of each class that has any, by class id, ascending; unlabelled pixels are not counted."""
    counts = np.bincount(class_ids.ravel(), minlength=1)
    return {int(class_id): int(counts[class_id]) for class_id in np.flatnonzero(counts) if class_id > 0}


def check_classes(counts: Mapping[int, int]) -> None:
    """Raises a ValueError unless there are two classes to tell apart."""
    if len(counts) < 2:
        raise ValueError(
            "Draw strokes of at least two classes: "
            + ("only one has labelled pixels." if counts else "none has labelled pixels.")
        )


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """The labelled pixels that a forest learns from.

    Attributes:
        places: raster indices of the pixels in each image, int64, ascending.
        class_ids: ``(pixels,)`` uint8, the classes of all of them, image by image.
        labelled_pixels: number of labelled pixels of each class, before sampling.
    """

    places: tuple[NDArray[np.int64], ...]
    class_ids: NDArray[np.uint8]
    labelled_pixels: dict[int, int]

    @classmethod
    def draw(cls, labels: Sequence[NDArray[np.uint8]], seed: int, limit: int = MAX_TRAINING_PIXELS) -> TrainingSample:
        """Draws the sample.

        It holds all labelled pixels, unless a class has more than its equal share of ``limit``. Of such a class
        those with the smallest priorities are taken, a hash of seed and place, so that a new stroke changes few of
        the pixels that were chosen before it.

        Args:
            labels: ``(rows, columns)`` uint8 for each image, 0 = unlabelled.
            seed: of the priorities.
            limit: number of pixels to take at most.

        Raises:
            ValueError: if fewer than two classes are labelled.
        """
        places = [np.flatnonzero(raster) for raster in labels]
        class_ids = np.concatenate([raster.ravel()[place] for raster, place in zip(labels, places, strict=True)])
        counts = count_classes(class_ids)
        check_classes(counts)
        share = limit // len(counts)
        if max(counts.values()) > share:
            priorities = np.concatenate(
                [
                    pixel_priorities(place, raster.shape[1], seed + number)
                    for number, (raster, place) in enumerate(zip(labels, places, strict=True))
                ]
            )
            chosen = np.ones(len(class_ids), bool)
            for class_id in (one for one, count in counts.items() if count > share):
                of_class = np.flatnonzero(class_ids == class_id)
                last = np.partition(priorities[of_class], share - 1)[share - 1]
                chosen[of_class] = priorities[of_class] <= last
            parts = np.split(chosen, np.cumsum([len(place) for place in places])[:-1])
            places = [place[part] for place, part in zip(places, parts, strict=True)]
            class_ids = class_ids[chosen]
        return cls(tuple(places), class_ids, counts)


def pixel_priorities(places: NDArray[np.int64], columns: int, seed: int) -> NDArray[np.uint64]:
    """A pseudo-random number for each pixel, of seed, row and column alone (the mixing of SplitMix64).

    Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
    """
    rows, remaining = np.divmod(places.astype(np.uint64), np.uint64(columns))
    mixed = (rows << np.uint64(32)) + remaining + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def feature_rows(
    image: Image, spec: FeatureSpec, places: NDArray[np.int64], *, threads: int | None = None
) -> NDArray[np.float32]:
    """Features of single pixels, computed only around them.

    Args:
        image: the image.
        spec: which features.
        places: raster indices of the pixels.
        threads: number of threads; None takes all cores.

    Returns:
        ``(pixels, features)`` float32.
    """
    rows = np.empty((len(places), spec.count(image.channels)), np.float32)
    row, column = np.divmod(places, image.shape[1])
    for tile in TileGrid(image.shape).tiles:
        inside = np.flatnonzero(tile.covers(row, column))
        if len(inside) == 0:
            continue
        r, c = row[inside], column[inside]
        planes = compute_planes(
            image.pixels,
            spec,
            rows=slice(int(r.min()), int(r.max()) + 1),
            columns=slice(int(c.min()), int(c.max()) + 1),
            threads=threads,
        )
        rows[inside] = planes[:, r - r.min(), c - c.min()].T
    return rows


def grow(
    rows: NDArray[np.float32], class_ids: NDArray[np.uint8], settings: ForestSettings, threads: int | None = None
) -> Any:
    """Fits scikit-learn's forest; classes count equally, whatever the number of their pixels.

    Args:
        rows: ``(pixels, features)`` float32.
        class_ids: ``(pixels,)`` uint8.
        settings: how.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        A fitted ``ExtraTreesClassifier`` or ``RandomForestClassifier``.
    """
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    kinds = {"extra_trees": ExtraTreesClassifier, "random_forest": RandomForestClassifier}
    return kinds[settings.kind](
        n_estimators=settings.n_estimators,
        max_depth=settings.max_depth,
        max_samples=max(1, round(settings.max_samples * len(rows))),
        bootstrap=True,
        class_weight="balanced",
        random_state=settings.random_state,
    ).fit(rows, class_ids)
