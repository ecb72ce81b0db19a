"""Classifiers that people open from files: checked, kept, and at hand for what comes after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.model.classifier import PixelClassifier
from segmentation.model.modelfile import ModelContents, ModelFileError, load_model
from segmentation.strokes.classes import classes_to_json
from segmentation.web.session.events import MAX_CLASSES
from segmentation.web.store import Store
from segmentation.web.store.classifiers import Classifiers

MAX_BYTES = 64 * 2**20
"""Bytes that a classifier file may have, and unpack to."""

AT_HAND_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """A classifier file as it was opened.

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

    def event(self) -> dict[str, Any]:
        """The fields of the ``classifier.open`` event."""
        contents = self.contents
        return {
            "classifier": {
                "hash": self.hash,
                "name": self.name,
                "channels": contents.channels,
                "trees": contents.forest.n_trees,
                "class_ids": list(contents.class_ids),
                "images": [
                    {side: image[side] for side in ("hash", "rows", "columns")}
                    for image in contents.training.get("images", ())
                    if len(image["hash"]) == 64
                ],
                "strokes": sum(map(len, contents.strokes_by_image().values())),
                "pixels": 0 if contents.pixels is None else len(contents.pixels.class_ids),
            },
            "classes": classes_to_json(contents.classes),
            "features": contents.spec.to_json(),
            "forest": contents.settings.to_json(),
            "strokes": {
                image_hash: [stroke.to_json() for stroke in drawn]
                for image_hash, drawn in contents.strokes_by_image().items()
            },
        }


class OpenedFiles:
    """The classifier files of sessions.

    Args:
        store: where they are kept.
        threads: number of threads of their predictions; None takes all cores.
    """

    def __init__(self, store: Store, threads: int | None) -> None:
        self._kept = Classifiers(store)
        self._threads = threads
        self._at_hand: BoundedCache[str, OpenedFile] = BoundedCache(AT_HAND_BYTES, lambda one: one.nbytes)
        self._going_on: BoundedCache[tuple[str, tuple[int, ...]], PixelClassifier] = BoundedCache(
            AT_HAND_BYTES, lambda one: one.forest_.nbytes + (one.pixels_.features.nbytes if one.pixels_ else 0)
        )

    def open(self, session_id: str, name: str, content: bytes) -> OpenedFile:
        """Check a classifier file and keep it for a session.

        Raises:
            ModelFileError: with a sentence, if it is none, or one that the page cannot show.
        """
        opened = self._read(name, content)
        if len(opened.contents.classes) > MAX_CLASSES:
            raise ModelFileError(
                f"It has {len(opened.contents.classes)} classes, more than the {MAX_CLASSES} that the page shows: "
                "use the command line."
            )
        self._kept.put(session_id, opened.hash, name, content)
        self._at_hand.put(opened.hash, opened)
        return opened

    def get(self, session_id: str, content_hash: str) -> OpenedFile:
        """A classifier file of a session.

        Raises:
            UnknownClassifierError: if the session has no such file.
        """
        name = self._kept.name(session_id, content_hash)
        opened = self._at_hand.get(content_hash)
        if opened is None:
            opened = self._read(name, self._kept.content(session_id, content_hash))
            self._at_hand.put(content_hash, opened)
        return replace(opened, name=name)

    def _read(self, name: str, content: bytes) -> OpenedFile:
        contents = load_model(content, max_bytes=MAX_BYTES)
        classifier = PixelClassifier.from_contents(contents, threads=self._threads)
        return OpenedFile(name, sha256(content).hexdigest(), contents, classifier)

    def going_on(self, opened: OpenedFile, class_ids: Iterable[int]) -> PixelClassifier:
        """The classifier to go on training from, with its pixels of the classes that are still there."""
        key = opened.hash, tuple(sorted(class_ids))
        earlier = self._going_on.get(key)
        if earlier is None:
            pixels = opened.contents.pixels
            kept = pixels.of_classes(key[1]) if pixels is not None else None
            earlier = PixelClassifier.from_contents(replace(opened.contents, pixels=kept), threads=self._threads)
            self._going_on.put(key, earlier)
        return earlier
