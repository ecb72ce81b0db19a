"""The images of sessions: checked and kept when they come in, decoded when they are needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NoReturn
from weakref import WeakValueDictionary

import numpy as np

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.model.channels import named_channels
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.labelimage import FEW_VALUES, LabelImage
from segmentation.web.session.stackfiles import StackFiles, reopened
from segmentation.web.session.stacks import SAMPLED_PLANES, describe_axes, plane_key, stack_and_page
from segmentation.web.settings import Settings
from segmentation.web.store import Store, UnknownImageError
from segmentation.web.store.files import digest_and_size, stack_key

LOSSY = ("JPEG", "WebP")
NAMES_OF_LABELS = re.compile("mask|label|annotation|segmentation", re.IGNORECASE)
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

STACK_FILES = 3
"""The largest stacks of which a process keeps the files on its disk at the same time."""

KINDS, HASHES = 1_000, 10_000
SAMPLED_PIXELS = 2**18
"""Pixels of each of these planes that say how all planes of a stack are shown, about."""


@dataclass(frozen=True)
class Shown:
    """An image, and what says how it is shown.

    Attributes:
        image: it.
        sample: what its display range is taken from: itself, or of a plane some pixels of the whole stack.
        key: what the sample is known by.
    """

    image: Image
    sample: Image
    key: str


class Images:
    """The images of all sessions.

    Args:
        store: where their files are kept.
        decoder: reads the files.
        stack_files: those of stacks, while they are worked on.
        max_pixels: that an image, or a plane, may have.
        max_image_bytes: that the file of a single image may have.
        cache_bytes: bytes of pixels that are kept decoded.
    """

    def __init__(
        self,
        store: Store,
        decoder: Decoder,
        stack_files: StackFiles,
        *,
        max_pixels: int,
        max_image_bytes: int,
        cache_bytes: int,
    ) -> None:
        self._store = store
        self._decoder = decoder
        self._stack_files = stack_files
        self._max_pixels = max_pixels
        self._max_image_bytes = max_image_bytes
        self._in_use: WeakValueDictionary[str, Image] = WeakValueDictionary()
        self._cache: BoundedCache[str, Image] = BoundedCache(cache_bytes, lambda image: image.pixels.nbytes)
        self._hashes: BoundedCache[str, tuple[str, ...]] = BoundedCache(HASHES)
        self._kinds: BoundedCache[str, tuple[tuple[Any, ...], int]] = BoundedCache(KINDS)
        self._samples: BoundedCache[str, Image] = BoundedCache(cache_bytes // 8, lambda image: image.pixels.nbytes)

    def add(
        self, session_id: str, file: bytes | BinaryIO, name: str, *, beside: Collection[str] = (), digest: str = ""
    ) -> dict[str, Any]:
        """Check an image file, or that of a stack, and keep it for a session.

        Args:
            session_id: the session.
            file: its bytes, or it itself, open for reading.
            name: of the file.
            beside: rows and columns, such as ``"512x768"``, of images of which it may be the labels; of stacks with the
                number of their planes: ``"512x768x20"``.
            digest: its SHA-256 as hexadecimal digits, if that is known.

        Returns:
            ``{"labels": True}``, if it looks like labels of such an image: then it is not kept. Else the facts that an
            ``image.open`` event names, and under ``"notes"`` sentences on what was left out.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        with ExitStack() as stack:
            content = self._in_memory(file)
            if not isinstance(content, bytes):
                stack.enter_context(content)
            return self._add(session_id, content, name, beside, digest)

    def _add(
        self, session_id: str, content: bytes | BinaryIO, name: str, beside: Collection[str], digest: str
    ) -> dict[str, Any]:
        image = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, page=1)
        is_stack = is_a_stack(image)
        if not isinstance(content, bytes) and not is_stack:
            self._refuse_size(content)
        if isinstance(content, bytes):
            size = "x".join(map(str, (*image.shape, image.metadata["pages"])[: 3 if is_stack else 2]))
            if size in beside and self._looks_like_labels(image, content, name):
                return {"labels": True}
            if not is_stack:
                image = image if image.metadata["pages"] == 1 else self.decode(content, name)
                self._store.put_image(session_id, image.hash, name, content, digest)
                self._cache.put(image.hash, image)
                return describe_image(image, name) | {"notes": image.metadata.get("notes", [])}
        digest = digest or digest_and_size(content)[0]
        facts = describe_stack(image, name, stack_key(digest))
        self._store.put_image(session_id, facts["hash"], name, content, digest)
        self._stack_files.put(session_id, facts["hash"], content)
        self._cache.put(plane_key(facts["hash"], 1), image)
        return facts | {"notes": image.metadata.get("notes", [])}

    def _in_memory(self, file: bytes | BinaryIO) -> bytes | BinaryIO:
        """The bytes of a file; or itself, opened again, if it is too large for a single image and perhaps a stack."""
        if isinstance(file, bytes):
            return file
        size = file.seek(0, 2)
        file.seek(0)
        if size <= self._max_image_bytes:
            return file.read()
        beginning = file.read(4)
        if beginning not in TIFF_BEGINNINGS:
            self._refuse_size(file)
        return reopened(file)

    def _refuse_size(self, file: BinaryIO) -> NoReturn:
        raise ImageError(
            f"The file has {file.seek(0, 2) / 2**20:.0f} MB; this server takes at most "
            f"{self._max_image_bytes / 2**20:.0f} MB, and more only of a TIFF whose images are all alike: a stack."
        )

    def _looks_like_labels(self, image: Image, content: bytes, name: str) -> bool:
        """Whether its name says so, or it has a few whole numbers, perhaps behind a palette; of a stack, amid it."""
        if image.channels not in (1, 3) or image.metadata["format"] in LOSSY:
            return False
        try:
            page = image.metadata["pages"] // 2 + 1
            read = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, page=page, labels=True)
            labels = LabelImage.from_image(read)
        except ValueError:
            return False
        return 1 < len(labels.pixels) <= FEW_VALUES or bool(NAMES_OF_LABELS.search(name))

    def get(self, session_id: str, image_hash: str) -> Image:
        """An image of a session, or a plane of one of its stacks.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if a plane cannot be read, or is unlike the first of its stack.
        """
        return self._get(session_id, image_hash)[0]

    def _get(self, session_id: str, image_hash: str) -> tuple[Image, str]:
        """An image, and what the stack is known by that came as one file with it; empty of an image of its own."""
        stack, page = stack_and_page(image_hash)
        kept = self._store.kept_images(session_id, (image_hash, stack))
        if image_hash in kept:
            image = self._cache.get(image_hash) or self._in_use.get(image_hash)
            if image is None:
                name, content = self._store.image(session_id, image_hash)
                image = self.decode(content, name).known_as(image_hash)
                image = self._in_use.setdefault(image_hash, image)  # what many hold at once is in memory once
                self._cache.put(image_hash, image)
            return image, ""
        if not page or stack not in kept:
            raise UnknownImageError(image_hash)
        return self._plane(session_id, stack, page), stack

    def _plane(self, session_id: str, stack: str, page: int) -> Image:
        image = self._cache.get(plane_key(stack, page)) or self._in_use.get(plane_key(stack, page))
        if image is None:
            kind, pages = (None, 1) if page == 1 else self._kind_of(session_id, stack)
            if page > pages:
                raise UnknownImageError(plane_key(stack, page))
            image = self._read_plane(session_id, stack, page)
            if page == 1:
                self._kinds.put(stack, (_kind(image), image.metadata["pages"]))
            elif _kind(image) != kind:
                rows, columns = image.shape
                raise ImageError(
                    f"Plane {page} of the stack has {columns} × {rows} pixels of type {image.pixels.dtype}, unlike the "
                    "first: it cannot be used."
                )
            image = self._in_use.setdefault(plane_key(stack, page), image)
            self._cache.put(plane_key(stack, page), image)
        return image

    def _read_plane(self, session_id: str, stack: str, page: int) -> Image:
        content = self._stack_files.open(session_id, stack)
        try:
            return self._decoder.read_image(content, max_pixels=self._max_pixels, page=page)
        finally:
            if not isinstance(content, bytes):
                content.close()

    def _kind_of(self, session_id: str, stack: str) -> tuple[tuple[Any, ...], int]:
        """What all planes of a stack have in common with the first, and how many there are."""
        known = self._kinds.get(stack)
        if known is None:
            first = self._plane(session_id, stack, 1)
            known = _kind(first), first.metadata["pages"]
        return known

    def _sample(self, session_id: str, stack: str) -> Image:
        """Some rows of some planes of a stack, those of the first among them."""
        sample = self._samples.get(stack)
        if sample is None:
            first = self._plane(session_id, stack, 1)
            planes = [first]
            for page in np.linspace(1, first.metadata["pages"], SAMPLED_PLANES).astype(int)[1:]:
                with suppress(ImageError):
                    plane = self._read_plane(session_id, stack, int(page))
                    planes += [plane] if _kind(plane) == _kind(first) else []
            sample = _some_rows(planes)
            self._samples.put(stack, sample)
        return sample

    def _sample_of_made(self, session_id: str, planes: Sequence[str]) -> Image:
        """The same of a stack that was made of images."""
        kept = self._store.kept_images(session_id, planes)
        for one in planes:
            if one not in kept:
                raise UnknownImageError(one)
        key = " ".join(planes)
        sample = self._samples.get(key)
        if sample is None:
            read = [self.get(session_id, one) for one in planes]
            if len(set(map(_kind, read))) > 1:
                raise ImageError("The planes of a stack are alike.")
            sample = _some_rows(read)
            self._samples.put(key, sample)
        return sample

    def pixel_hash(self, session_id: str, image_hash: str) -> str:
        """The hash of the pixels of a plane, by which files name it; empty if it cannot be read.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        return next(iter(self.hashes(session_id, image_hash)), "")

    def hashes(self, session_id: str, image_hash: str) -> tuple[str, ...]:
        """By which hashes files may name an image, or a plane, which is found once; none if it cannot be read.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        known = self._hashes.get(image_hash)
        if known is None:
            try:
                known = self.get(session_id, image_hash).hashes
            except ImageError:
                return ()
            self._hashes.put(image_hash, known)
        return known

    def shown(self, session_id: str, image_hash: str, planes: Sequence[str] = ()) -> Shown:
        """An image of a session with what says how it is shown, which is the same for all planes of a stack.

        Args:
            session_id: the session.
            image_hash: the image.
            planes: images of the session of which a stack was made with it, and that say how all are shown.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if a plane cannot be read, or is unlike the first of its stack.
        """
        image, stack = self._get(session_id, image_hash)
        if planes:
            return Shown(image, self._sample_of_made(session_id, planes), " ".join(planes))
        if stack:
            return Shown(image, self._sample(session_id, stack), stack)
        return Shown(image, image, image_hash)

    def facts(self, session_id: str, image_hash: str, name: str) -> dict[str, Any]:
        """The facts that an ``image.open`` event names of an image, or a stack, of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        if not self._store.has_image(session_id, image_hash):  # a plane comes with its stack only
            raise UnknownImageError(image_hash)
        if image_hash == stack_key(image_hash):
            first = self._plane(session_id, image_hash, 1)
            if is_a_stack(first):
                return describe_stack(first, name, image_hash)
        return describe_image(self.get(session_id, image_hash), name)

    def decode(self, content: bytes, name: str) -> Image:
        """The image in a stranger's file; of several the first.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        return self._decoder.read_image(content, name=name, max_pixels=self._max_pixels)

    def check(self, content: bytes, name: str, image_hash: str) -> dict[str, Any]:
        """The facts of the image, or stack, in a stranger's file, as :meth:`add` would give them; by that hash, if it
        is one of the image's.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        image = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, page=1)
        if is_a_stack(image) and image_hash == stack_key(image_hash):
            return describe_stack(image, name, _key(content))
        return describe_image(image.known_as(image_hash), name)


def images_of(store: Store, decoder: Decoder, settings: Settings) -> Images:
    """The images of a store, within what a server has room for."""
    return Images(
        store,
        decoder,
        StackFiles(store, max(settings.max_upload_bytes, STACK_FILES * settings.max_stack_bytes)),
        max_pixels=settings.max_pixels,
        max_image_bytes=settings.max_upload_bytes,
        cache_bytes=settings.image_cache_bytes,
    )


def is_a_stack(first: Image) -> bool:
    """Whether an image is the first of several in a file that are alike."""
    return bool(first.metadata.get("pages", 1) > 1 and first.metadata.get("alike"))


def describe_image(image: Image, name: str) -> dict[str, Any]:
    """The facts of an image that the page shows and an ``image.open`` event names."""
    names = named_channels(image)
    return {
        "hash": image.hash,
        "name": name,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "dtype": str(image.pixels.dtype),
        **({"channel_names": list(names)} if names else {}),
    }


def describe_stack(first: Image, name: str, key: str) -> dict[str, Any]:
    """The same of a stack.

    Args:
        first: of its planes.
        name: of its file.
        key: what it is known by.

    Raises:
        ImageError: with a sentence, if it is too large a stack.
    """
    axes = describe_axes(first)
    return describe_image(first, name) | {"hash": key, "pages": first.metadata["pages"], "axes": axes}


def _some_rows(planes: Sequence[Image]) -> Image:
    """Rows of planes that are alike, one below the other, as if they were one image."""
    first = planes[0]
    step = -(-first.shape[0] * first.shape[1] // SAMPLED_PIXELS)
    return replace(first, pixels=np.concatenate([one.pixels[::step] for one in planes]), no_data=None)


def _key(content: bytes | BinaryIO) -> str:
    return stack_key(digest_and_size(content)[0])


def _kind(image: Image) -> tuple[Any, ...]:
    return image.shape, image.channels, image.pixels.dtype
