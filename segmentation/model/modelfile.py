"""The classifier on disk: a file that can be mailed, kept for years, and opened from a stranger.

A ``*.squiggle`` file is a zip archive of JSON and plain arrays; ``docs/modelfile.md`` describes it field by field.
Reading it executes nothing: there is no pickle in it, nothing is evaluated, and no name in it is used as a path.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared import checks
from segmentation._shared.archive import Archive, ArchiveError, json_bytes, npy_bytes, pack
from segmentation._shared.text import counted
from segmentation.features.constants import ColourConstants
from segmentation.features.pointwise import lacks_constants
from segmentation.features.spec import OF_DEPTH, FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.forest.sampling import PixelSample
from segmentation.forest.settings import ForestSettings
from segmentation.io.limits import MAX_CHANNELS
from segmentation.model.channels import LONGEST_NAME, channels_of_features
from segmentation.model.forest_arrays import (
    FOREST_MEMBERS,
    MAX_NODES,
    check_trees,
    forest_counts,
    forest_members,
    read_forest,
)
from segmentation.model.weights import ClassWeights, weights_from_json, weights_to_json, whole_weights
from segmentation.objects.steps import CleanUpStep, steps_from_json
from segmentation.strokes.classes import (
    LARGEST_CLASS_ID,
    REGION,
    UNLABELLED,
    LabelClass,
    classes_from_json,
    classes_to_json,
)
from segmentation.strokes.stroke import MAX_STROKES, Stroke
from segmentation.version import __version__

FORMAT = "squiggle-classifier"
VERSION = 2
"""Of the files that are written; those of version 1 are opened too."""

SUFFIX = ".squiggle"

MAX_BYTES = 1 << 30
"""Bytes that a file can have and unpack to, unless said otherwise."""

_FACTS = "classifier.json"
_STROKES = "strokes.json"
_PIXEL_FEATURES = "pixels/features.npy"
_PIXEL_CLASSES = "pixels/class_ids.npy"
_PIXEL_RANGES = "pixels/ranges.npy"
_PIXELS = _PIXEL_FEATURES, _PIXEL_CLASSES, _PIXEL_RANGES
_LARGEST = {_FACTS: 1 << 22, _STROKES: 1 << 25} | dict.fromkeys((*_PIXELS, *FOREST_MEMBERS), MAX_BYTES)
_KEYS = ("format", "version", "features", "channels", "settings", "classes", "class_ids", "forest", "training")
_OPTIONAL = ("pixels", "constants", "class_weights", "clean_up")
_KNOWN_FEATURES = (*FeatureSpec(standardise=True, by_channel={0: ()}, learned=True).to_json(), *OF_DEPTH)
_COUNTS = ("strokes", "labelled_pixels", "training_pixels")
_CLASS_KEYS = frozenset(str(class_id) for class_id in range(1, LARGEST_CLASS_ID + 1))


class ModelFileError(ValueError):
    """A classifier file cannot be read; the message is a sentence for the person who opened it."""


def current_versions() -> dict[str, str]:
    """The versions of the programs that take part in training, by name."""
    versions = {"squiggle": __version__, "python": platform.python_version()}
    for name in ("numpy", "scikit-learn", "scikit-image"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True, eq=False)
class ModelContents:
    """What a classifier file holds.

    Attributes:
        spec: the features that the forest sees, with the constants that they took from the training images.
        forest: the trees.
        settings: how the forest was grown, its seed among them.
        classes: names and colours.
        class_ids: the class of each column of the forest's probabilities, ascending.
        channels: number of channels of the images; None if they are not known.
        training: facts about the training data, plain JSON values; see ``docs/modelfile.md``.
        versions: of the programs that took part in training, by name.
        strokes: the strokes, if the person chose to include them; image after image, in the order of the
            images that ``training`` describes.
        pixels: the training pixels, if the person chose to include them.
        class_weights: by class id, what the probability of a class is multiplied with, if that is not 1.
        clean_up: steps that are done to a segmentation.

    Raises:
        ValueError: if the parts do not belong together.
    """

    spec: FeatureSpec
    forest: Forest
    settings: ForestSettings
    classes: tuple[LabelClass, ...]
    class_ids: tuple[int, ...]
    channels: int | None
    training: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=current_versions)
    strokes: tuple[Stroke, ...] | None = None
    pixels: PixelSample | None = None
    class_weights: ClassWeights = field(default_factory=dict)
    clean_up: tuple[CleanUpStep, ...] = ()

    def __post_init__(self) -> None:
        check_trees(self.forest)
        whole_weights(self.class_weights, self.class_ids)
        if len(self.class_ids) != self.forest.n_classes:
            raise ValueError(f"There are {len(self.class_ids)} classes, but {self.forest.n_classes} in the forest.")
        if list(self.class_ids) != sorted(set(self.class_ids)):
            raise ValueError("The ids of the classes do not ascend.")
        known = {label_class.id for label_class in self.classes}
        used = set(self.class_ids) | {stroke.class_id for stroke in self.strokes or ()} - {UNLABELLED, REGION}
        if self.pixels is not None:
            used |= set(np.unique(self.pixels.class_ids).tolist())
            self.pixels.check(self.forest.n_features)
        if not used <= known:
            raise ValueError(f"Class {min(used - known)} has no name and no colour.")
        if self.channels is not None and self.spec.count(self.channels) != self.forest.n_features:
            raise ValueError(
                f"The features of an image with {counted(self.channels, 'channel')} are "
                f"{self.spec.count(self.channels)}, but the forest sees {self.forest.n_features}."
            )
        if self.channels is not None and lacks_constants(self.spec, self.channels):
            raise ValueError("The features need constants of the images that were learnt from, but these are missing.")
        self._check_ends()
        self.strokes_by_image()

    def _check_ends(self) -> None:
        """Refuse learned texture without what is dark and bright to it in each channel."""
        channels = self.channels or channels_of_features(self.spec, self.forest.n_features)
        if channels is None or not self.spec.learned or (self.channels is None and self.spec.constants is None):
            return
        ends = self.spec.constants.ends if self.spec.constants else None
        if len(ends or ()) != len(self.spec.network_channels(channels)):
            raise ValueError("Learned texture needs the ends of each channel that it sees, but some are missing.")

    def strokes_by_image(self) -> dict[str, tuple[Stroke, ...]]:
        """The strokes that are included, by the hash of the image that they were drawn on.

        Files of the first versions do not say which of several images a stroke belongs to; their strokes are left out.

        Raises:
            ValueError: if the facts about the images count other strokes than there are.
        """
        images = self.training.get("images", ())
        if self.strokes is None or not images:
            return {}
        if not any("strokes" in image for image in images):
            return {images[0]["hash"]: self.strokes} if len(images) == 1 else {}
        ends = np.cumsum([0, *(image.get("strokes", 0) for image in images)]).tolist()
        if ends[-1] != len(self.strokes):
            raise ValueError(f"There are {len(self.strokes)} strokes, but the images count {ends[-1]}.")
        drawn: dict[str, tuple[Stroke, ...]] = {}
        for image, start, end in zip(images, ends, ends[1:], strict=False):
            if end > start:
                drawn[image["hash"]] = drawn.get(image["hash"], ()) + self.strokes[start:end]
        return drawn


def save_model(target: str | os.PathLike[str] | BinaryIO, contents: ModelContents) -> None:
    """Write a classifier file; the same contents give the same bytes.

    Args:
        target: a path, which then names either the whole new file or what was there before; or a binary file.
        contents: what to write.

    Raises:
        ValueError: if the facts about the training are not plain JSON values as ``docs/modelfile.md`` describes them,
            or the contents are too large to be read again.
        OSError: if the file cannot be written.
    """
    data = pack(_members(contents))
    try:
        Archive(data, _LARGEST, MAX_BYTES)
    except ArchiveError as reason:
        raise ValueError(f"The classifier is too large to be opened again: {reason}") from reason
    if not isinstance(target, str | os.PathLike):
        target.write(data)
        return
    path = Path(target)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def load_model(source: str | os.PathLike[str] | bytes | BinaryIO, *, max_bytes: int = MAX_BYTES) -> ModelContents:
    """Read a classifier file.

    Args:
        source: a path, the bytes of the file, or a binary file.
        max_bytes: the most bytes that the file can have, and that it can unpack to.

    Raises:
        ModelFileError: with a sentence that says what is wrong with the file.
        OSError: if it cannot be read at all.
    """
    data = _all_bytes(source, max_bytes)
    try:
        return _contents(Archive(data, _LARGEST, max_bytes))
    except ValueError as reason:
        sentence = str(reason).rstrip(".")
        raise ModelFileError(
            f"This classifier file cannot be opened: {sentence[:1].lower()}{sentence[1:]}."
        ) from reason


def _all_bytes(source: str | os.PathLike[str] | bytes | BinaryIO, max_bytes: int) -> bytes:
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            data = file.read(max_bytes + 1)
    else:
        data = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ModelFileError(f"This classifier file cannot be opened: it has more than {max_bytes:,} bytes.")
    return data


def model_facts(contents: ModelContents) -> dict[str, Any]:
    """The facts of ``classifier.json``, with its keys, as plain JSON values.

    Raises:
        ValueError: if the facts about the training are not as ``docs/modelfile.md`` describes them.
    """
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "features": contents.spec.to_json(),
        "channels": contents.channels,
        "settings": contents.settings.to_json(),
        "classes": classes_to_json(contents.classes),
        "class_ids": list(contents.class_ids),
        "forest": forest_counts(contents.forest),
        "training": _checked_training(contents.training),
        "versions": _checked_versions(contents.versions),
    }
    if contents.spec.constants is not None:
        facts["constants"] = contents.spec.constants.to_json()
    if contents.pixels is not None:
        facts["pixels"] = len(contents.pixels.class_ids)
    if weights := weights_to_json(contents.class_weights):
        facts["class_weights"] = weights
    if contents.clean_up:
        facts["clean_up"] = [step.to_json() for step in contents.clean_up]
    return facts


def _members(contents: ModelContents) -> dict[str, bytes]:
    members = {_FACTS: json_bytes(model_facts(contents))} | forest_members(contents.forest)
    if contents.strokes is not None:
        members[_STROKES] = json_bytes([stroke.to_json() for stroke in contents.strokes])
    if contents.pixels is not None:
        members[_PIXEL_FEATURES] = npy_bytes(contents.pixels.features.astype(np.float32, copy=False))
        members[_PIXEL_CLASSES] = npy_bytes(contents.pixels.class_ids.astype(np.uint8, copy=False))
        if contents.settings.image_ranges:
            unknown = np.full((2, contents.forest.n_features), np.nan, np.float32)
            members[_PIXEL_RANGES] = npy_bytes(unknown if contents.pixels.ranges is None else contents.pixels.ranges)
    return members


def _contents(archive: Archive) -> ModelContents:
    facts = checks.parse_json(archive.read(_FACTS), _FACTS)
    if not isinstance(facts, Mapping) or facts.get("format") != FORMAT:
        raise ValueError("It is not a classifier of Squiggle.")
    version = facts.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ValueError("It was written by a newer version of Squiggle, so update this one.")
    if version not in (1, VERSION) or isinstance(version, bool):
        raise ValueError("Its version is none that was ever written.")
    if version > 1:
        _check_known(facts, _FACTS, (*_KEYS, "versions", *_OPTIONAL))
    checks.mapping(facts, _FACTS, (*_KEYS, "versions"), _OPTIONAL if version > 1 else ("pixels",))
    class_ids = checks.sequence(facts["class_ids"], "class_ids", LARGEST_CLASS_ID)
    features = facts["features"]
    if not isinstance(features, Mapping):
        raise ValueError("The features must be a JSON object.")
    if version > 1:
        _check_known(features, "The features", _KNOWN_FEATURES)
    spec = FeatureSpec.from_json(features)
    if facts.get("constants") is not None:
        spec = replace(spec, constants=ColourConstants.from_json(facts["constants"]))
    channels = facts["channels"]
    settings = ForestSettings.from_json(facts["settings"])
    forest = read_forest(archive, facts["forest"], len(class_ids))
    return ModelContents(
        spec=spec,
        forest=forest,
        settings=settings,
        classes=classes_from_json(facts["classes"]),
        class_ids=tuple(checks.whole_number(i, "A class id", 1, LARGEST_CLASS_ID) for i in class_ids),
        channels=None if channels is None else checks.whole_number(channels, "channels", 1, MAX_CHANNELS),
        training=_checked_training(facts["training"]),
        versions=_checked_versions(facts["versions"]),
        strokes=_strokes(archive),
        pixels=_pixels(archive, facts.get("pixels"), forest.n_features, settings.image_ranges),
        class_weights=weights_from_json(facts.get("class_weights")),
        clean_up=steps_from_json(facts.get("clean_up", ())),
    )


def _check_known(values: Mapping[str, Any], what: str, known: Collection[str]) -> None:
    """Refuse what only later versions can use.

    Raises:
        ValueError: if a key is unknown.
    """
    for key in values:
        if key not in known:
            raise ValueError(
                f"{what} has {str(key)[:40]!r}, which this version of Squiggle cannot use: "
                "it was written by a newer version, so update this one."
            )


def _strokes(archive: Archive) -> tuple[Stroke, ...] | None:
    if _STROKES not in archive:
        return None
    entries = checks.sequence(checks.parse_json(archive.read(_STROKES), _STROKES), _STROKES, MAX_STROKES)
    return tuple(Stroke.from_json(entry) for entry in entries)


def _pixels(archive: Archive, count: object, n_features: int, with_ranges: bool) -> PixelSample | None:
    if count is None:
        if any(member in archive for member in _PIXELS):
            raise ValueError(f"{_FACTS} does not count the training pixels.")
        return None
    if not with_ranges and _PIXEL_RANGES in archive:
        raise ValueError("The training pixels have ranges, for which the settings do not ask.")
    n_pixels = checks.whole_number(count, "The number of training pixels", 1, MAX_NODES)
    class_ids = archive.read_array(_PIXEL_CLASSES, np.uint8, (n_pixels,))
    features = archive.read_array(_PIXEL_FEATURES, np.float32, (n_pixels, n_features))
    ranges = archive.read_array(_PIXEL_RANGES, np.float32, (2, n_features)) if with_ranges else None
    return PixelSample(features, class_ids, ranges)


def _checked_training(values: object) -> dict[str, Any]:
    """The facts about the training, those that are known being of their type; others are let through."""
    if not isinstance(values, Mapping):
        raise ValueError("The facts about the training must be a JSON object.")
    for image in checks.sequence(values.get("images", ()), "The training images", 100_000):
        if not isinstance(image, Mapping):
            raise ValueError("A training image must be a JSON object.")
        checks.text(image.get("hash"), "The hash of a training image", 128)
        checks.text(image.get("dtype"), "The type of a training image", 16)
        for side in ("rows", "columns", "channels"):
            checks.whole_number(image.get(side), f"The {side} of a training image", 1, 2**31 - 1)
        for name in checks.sequence(image.get("channel_names", ()), "The channels of a training image", MAX_CHANNELS):
            checks.text(name, "The name of a channel", LONGEST_NAME)
        checks.whole_number(image.get("page", 1), "The page of a training image", 1, 2**31 - 1)
        checks.whole_number(image.get("strokes", 0), "The strokes of a training image", 0, MAX_STROKES)
        for value in checks.sequence(image.get("value_range", ()), "The value range of a training image", 2):
            checks.number(value, "The value range of a training image")
    for name in _COUNTS:
        counts = values.get(name, {})
        if not isinstance(counts, Mapping) or len(counts) > LARGEST_CLASS_ID:
            raise ValueError(f"{name} must be a JSON object with a number for each class.")
        for class_id, count in counts.items():
            if class_id not in _CLASS_KEYS:
                raise ValueError(f"{name} has a number for what is no class.")
            checks.whole_number(count, f"A number of {name}", 0, 2**53)
    return dict(values)


def _checked_versions(values: object) -> dict[str, str]:
    if not isinstance(values, Mapping) or len(values) > 32:
        raise ValueError("The versions must be a JSON object.")
    return {
        checks.text(name, "The name of a version", 60): checks.text(version, "A version", 60)
        for name, version in values.items()
    }
