"""The images of sessions: checked and kept when they come in, decoded when they are needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.image import Image
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.labelimage import FEW_VALUES, LabelImage
from segmentation.web.store import Store

LOSSY = ("JPEG", "WebP")
NAMES_OF_LABELS = re.compile("mask|label|annotation|segmentation", re.IGNORECASE)


class Images:
    """The images of all sessions.

    Args:
        store: where their files are kept.
        decoder: reads the files.
        max_pixels: that an image may have.
        cache_bytes: bytes of pixels that are kept decoded.
    """

    def __init__(self, store: Store, decoder: Decoder, *, max_pixels: int, cache_bytes: int) -> None:
        self._store = store
        self._decoder = decoder
        self._max_pixels = max_pixels
        self._cache: BoundedCache[str, Image] = BoundedCache(cache_bytes, lambda image: image.pixels.nbytes)

    def add(self, session_id: str, content: bytes, name: str, *, beside: Collection[str] = ()) -> dict[str, Any]:
        """Check an image file and keep it for a session.

        Args:
            session_id: the session.
            content: the file.
            name: of the file.
            beside: rows and columns, such as ``"512x768"``, of images of which it may be the labels.

        Returns:
            ``{"labels": True}``, if it looks like labels of such an image: then it is not kept. Else the facts that an
            ``image.open`` event names, and under ``"notes"`` sentences on what was left out.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        image = self.decode(content, name)
        if f"{image.shape[0]}x{image.shape[1]}" in beside and self._looks_like_labels(image, content, name):
            return {"labels": True}
        self._store.put_image(session_id, image.hash, name, content)
        self._cache.put(image.hash, image)
        return describe_image(image, name) | {"notes": image.metadata.get("notes", [])}

    def _looks_like_labels(self, image: Image, content: bytes, name: str) -> bool:
        """Whether its name says so, or it has a few whole numbers, perhaps behind a palette."""
        if image.channels not in (1, 3) or image.metadata["format"] in LOSSY:
            return False
        try:
            read = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, labels=True)
            labels = LabelImage.from_image(read)
        except ValueError:
            return False
        return 1 < len(labels.pixels) <= FEW_VALUES or bool(NAMES_OF_LABELS.search(name))

    def get(self, session_id: str, image_hash: str) -> Image:
        """An image of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        if self._store.has_image(session_id, image_hash):
            image = self._cache.get(image_hash)
            if image is not None:
                return image
        name, content = self._store.image(session_id, image_hash)
        image = self.decode(content, name).known_as(image_hash)
        self._cache.put(image_hash, image)
        return image

    def formerly(self, session_id: str, image_hashes: Iterable[str], former_hash: str) -> str:
        """Which image of a session had a hash before pixels without data counted; empty if none had.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        known = (one for one in image_hashes if former_hash in self.get(session_id, one).hashes)
        return next(known, "")

    def facts(self, session_id: str, image_hash: str, name: str) -> dict[str, Any]:
        """The facts that an ``image.open`` event names of an image of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        return describe_image(self.get(session_id, image_hash), name)

    def decode(self, content: bytes, name: str) -> Image:
        """The image in a stranger's file.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        return self._decoder.read_image(content, name=name, max_pixels=self._max_pixels)


def describe_image(image: Image, name: str) -> dict[str, Any]:
    """The facts of an image that the page shows and an ``image.open`` event names."""
    return {
        "hash": image.hash,
        "name": name,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "dtype": str(image.pixels.dtype),
    }
