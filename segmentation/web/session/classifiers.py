"""Classifier files that people open: checked, kept for their session, and read when they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.model.channels import learnt_channels, wanted_channels
from segmentation.model.classifier import PixelClassifier
from segmentation.model.modelfile import ModelContents, load_model
from segmentation.model.weights import weights_to_json
from segmentation.strokes.classes import classes_to_json
from segmentation.web.session.events import HASH
from segmentation.web.store import Store
from segmentation.web.store.classifiers import Classifiers

MAX_CLASSIFIER_BYTES = 64 * 2**20
"""Bytes that a classifier file may have, and unpack to."""

CACHE_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class ClassifierFile:
    """A classifier file that was read.

    Attributes:
        name: of the file.
        hash: SHA-256 of its bytes.
        contents: what is in it.
        classifier: the classifier that it holds.
    """

    name: str
    hash: str
    contents: ModelContents
    classifier: PixelClassifier

    @property
    def nbytes(self) -> int:
        """About as many bytes as it takes in memory."""
        pixels = self.contents.pixels
        points = sum(stroke.points.nbytes for stroke in self.contents.strokes or ())
        return self.classifier.forest_.nbytes + (pixels.features.nbytes if pixels else 0) + points

    @property
    def channels(self) -> int | None:
        """How many channels images have that it segments; None if its features do not say, or allow several."""
        return wanted_channels(self.classifier)

    def event(self, places: Mapping[str, str]) -> dict[str, Any]:
        """The fields of the ``classifier.open`` event.

        Args:
            places: what the planes are known by, by the hash of their pixels, on which strokes of it lie.
        """
        contents = self.contents
        names = learnt_channels(contents.training)
        return {
            "classifier": {
                "hash": self.hash,
                "name": self.name,
                "channels": self.channels,
                "trees": contents.forest.n_trees,
                "class_ids": list(contents.class_ids),
                "images": [
                    {side: image[side] for side in ("hash", "rows", "columns")}
                    for image in contents.training.get("images", ())
                    if HASH.fullmatch(image["hash"])
                ],
                "strokes": sum(map(len, contents.strokes_by_image().values())),
                "pixels": 0 if contents.pixels is None else len(contents.pixels.class_ids),
                **({"channel_names": list(names)} if names else {}),
                **({"learned": True} if contents.spec.learned else {}),
            },
            "classes": classes_to_json(contents.classes),
            "features": contents.spec.to_json(),
            "forest": contents.settings.to_json(),
            "strokes": {
                places.get(image_hash, image_hash): [stroke.to_json() for stroke in drawn]
                for image_hash, drawn in contents.strokes_by_image().items()
            },
            "weights": weights_to_json(contents.class_weights) or {},
            "clean_up": [step.to_json() for step in contents.clean_up],
        }


class ClassifierFiles:
    """The classifier files of all sessions.

    Args:
        store: where they are kept.
        threads: number of threads of their predictions; None uses all cores.
    """

    def __init__(self, store: Store, threads: int | None) -> None:
        self._stored = Classifiers(store)
        self._threads = threads
        self._read: BoundedCache[str, ClassifierFile] = BoundedCache(CACHE_BYTES, lambda file: file.nbytes)
        self._to_continue: BoundedCache[tuple[str, tuple[int, ...]], PixelClassifier] = BoundedCache(
            CACHE_BYTES, lambda one: one.forest_.nbytes + (one.pixels_.features.nbytes if one.pixels_ else 0)
        )

    def open(self, session_id: str, name: str, content: bytes) -> ClassifierFile:
        """Check a classifier file and keep it for a session.

        Raises:
            ModelFileError: with a sentence, if it is none, or one that the page cannot show.
        """
        file = self._parse(name, content)
        self._stored.put(session_id, file.hash, name, content)
        self._read.put(file.hash, file)
        return file

    def get(self, session_id: str, content_hash: str) -> ClassifierFile:
        """A classifier file of a session.

        Raises:
            UnknownClassifierError: if the session has no such file.
        """
        name = self._stored.name(session_id, content_hash)
        file = self._read.get(content_hash)
        if file is None:
            file = self._parse(name, self._stored.content(session_id, content_hash))
            self._read.put(content_hash, file)
        return replace(file, name=name)

    def _parse(self, name: str, content: bytes) -> ClassifierFile:
        contents = load_model(content, max_bytes=MAX_CLASSIFIER_BYTES)
        classifier = PixelClassifier.from_contents(contents, threads=self._threads)
        return ClassifierFile(name, sha256(content).hexdigest(), contents, classifier)

    def to_continue(self, file: ClassifierFile, class_ids: Iterable[int]) -> PixelClassifier:
        """The classifier to continue training from, with its pixels of the classes that are still there."""
        key = file.hash, tuple(sorted(class_ids))
        earlier = self._to_continue.get(key)
        if earlier is None:
            pixels = file.contents.pixels
            kept = pixels.select_classes(key[1]) if pixels is not None else None
            earlier = PixelClassifier.from_contents(replace(file.contents, pixels=kept), threads=self._threads)
            self._to_continue.put(key, earlier)
        return earlier
