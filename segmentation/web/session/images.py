"""The images of sessions: checked and kept when they come in, decoded when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, nullcontext
from typing import Any, BinaryIO, NoReturn
from weakref import WeakValueDictionary

import numpy as np

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Window
from segmentation.io.formats import STACK_BEGINNINGS
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid_file import ZIP_BEGINNING
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.image_facts import (
    Shown,
    describe_image,
    describe_stack,
    is_a_stack,
    kind_of,
    some_rows,
)
from segmentation.web.session.labelimage import looks_like_labels
from segmentation.web.session.large_images import (
    NOT_WHOLE,
    Aside,
    LargeImages,
    closing_file,
    is_large_key,
    is_tiff,
    is_zip,
)
from segmentation.web.session.made_levels import MadeLevels
from segmentation.web.session.partial_views import view_of
from segmentation.web.session.stackfiles import StackFiles, reopened
from segmentation.web.session.stacks import SAMPLED_PLANES, plane_key, stack_and_page
from segmentation.web.store import Store, UnknownImageError
from segmentation.web.store.files import digest_and_size, stack_key

LARGE_CACHE_BYTES = 2**25
"""Of images that are read part by part: some screens."""

KINDS, HASHES = 1_000, 10_000


class Images:
    """The images of all sessions.

    Args:
        store: where their files are kept.
        decoder: reads the files.
        stack_files: those of stacks, while they are worked on.
        made: coarser levels of large images whose files lack them.
        max_pixels: that an image, or a plane, may have.
        max_image_bytes: that the file of a single image may have.
        cache_bytes: bytes of pixels that are kept decoded.
        aside: entered while files are read, so that whoever computes in turns holds none meanwhile.
    """

    def __init__(
        self,
        store: Store,
        decoder: Decoder,
        stack_files: StackFiles,
        made: MadeLevels,
        *,
        max_pixels: int,
        max_image_bytes: int,
        cache_bytes: int,
        aside: Aside = nullcontext,
    ) -> None:
        self._store = store
        self._decoder = decoder
        self._aside = aside
        self._stack_files = stack_files
        self._max_pixels = max_pixels
        self._max_image_bytes = max_image_bytes
        large_cache = min(cache_bytes // 2, LARGE_CACHE_BYTES)
        self.large = LargeImages(
            store, decoder, stack_files, made, most_pixels=max_pixels, cache_bytes=large_cache, aside=aside
        )
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
            ``image.open`` event names, and under ``"notes"`` sentences on what was left out; or what
            :meth:`LargeImages.add` says of one that is prepared first.

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
        if is_zip(content):
            return self.large.add(session_id, content, name, digest)
        try:
            image = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, page=1)
        except ImageError as reason:
            return self._add_large_tiff(session_id, content, name, digest, reason)
        is_stack = is_a_stack(image)
        if not isinstance(content, bytes) and not is_stack:
            self._refuse_size(content)
        if isinstance(content, bytes):
            size = "x".join(map(str, (*image.shape, image.metadata["pages"])[: 3 if is_stack else 2]))
            if size in beside and looks_like_labels(image, content, name, self._decoder, self._max_pixels):
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

    def _add_large_tiff(
        self, session_id: str, content: bytes | BinaryIO, name: str, digest: str, reason: ImageError
    ) -> dict[str, Any]:
        """A TIFF that is not read whole, if it can be read part by part, and is too large for anything else."""
        if not is_tiff(content) or not reason.too_large:
            raise reason
        return self.large.add(session_id, content, name, digest)

    def _in_memory(self, file: bytes | BinaryIO) -> bytes | BinaryIO:
        """The bytes of a file; or itself, opened again, if it is too large for a single image and perhaps a stack."""
        if isinstance(file, bytes):
            return file
        size = file.seek(0, 2)
        file.seek(0)
        if size <= self._max_image_bytes:
            return file.read()
        beginning = file.read(4)
        if not beginning.startswith((*STACK_BEGINNINGS, ZIP_BEGINNING)):
            self._refuse_size(file)
        return reopened(file)

    def _refuse_size(self, file: BinaryIO) -> NoReturn:
        raise ImageError(
            f"The file has {file.seek(0, 2) / 2**20:.0f} MB; this server takes at most "
            f"{self._max_image_bytes / 2**20:.0f} MB, and more only of a stack: a file whose images are all alike."
        )

    def get(self, session_id: str, image_hash: str) -> Image:
        """An image of a session, or a plane of one of its stacks.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if a plane cannot be read, or is unlike the first of its stack.
        """
        return self._get(session_id, image_hash)[0]

    def _get(self, session_id: str, image_hash: str) -> tuple[Image, str]:
        """An image, and what the stack is known by that came as one file with it; empty of an image of its own."""
        if is_large_key(image_hash) and self._store.has_image(session_id, image_hash):
            raise ImageError(NOT_WHOLE)
        stack, page = stack_and_page(image_hash)
        kept = self._store.kept_images(session_id, (image_hash, stack))
        if image_hash in kept:
            image = self._cache.get(image_hash) or self._in_use.get(image_hash)
            if image is None:
                with self._aside():
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
                self._kinds.put(stack, (kind_of(image), image.metadata["pages"]))
            elif kind_of(image) != kind:
                rows, columns = image.shape
                raise ImageError(
                    f"Plane {page} of the stack has {columns} × {rows} pixels of type {image.pixels.dtype}, unlike the "
                    "first: it cannot be used."
                )
            image = self._in_use.setdefault(plane_key(stack, page), image)
            self._cache.put(plane_key(stack, page), image)
        return image

    def _read_plane(self, session_id: str, stack: str, page: int) -> Image:
        with self._aside(), closing_file(self._stack_files.open(session_id, stack)) as content:
            return self._decoder.read_image(content, max_pixels=self._max_pixels, page=page)

    def _kind_of(self, session_id: str, stack: str) -> tuple[tuple[Any, ...], int]:
        """What all planes of a stack have in common with the first, and how many there are."""
        known = self._kinds.get(stack)
        if known is None:
            first = self._plane(session_id, stack, 1)
            known = kind_of(first), first.metadata["pages"]
        return known

    def _sample(self, session_id: str, stack: str) -> Image:
        """Some rows of some planes of a stack, those of the first among them; what is damaged is left out."""
        sample = self._samples.get(stack)
        if sample is None:
            first = self._plane(session_id, stack, 1)
            planes = [first]
            for page in np.linspace(1, first.metadata["pages"], SAMPLED_PLANES).astype(int)[1:]:
                try:
                    plane = self._read_plane(session_id, stack, int(page))
                except PassingError:
                    raise
                except ImageError:
                    continue
                planes += [plane] if kind_of(plane) == kind_of(first) else []
            sample = some_rows(planes)
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
            if len(set(map(kind_of, read))) > 1:
                raise ImageError("The planes of a stack are alike.")
            sample = some_rows(read)
            self._samples.put(key, sample)
        return sample

    def pixel_hash(self, session_id: str, image_hash: str) -> str:
        """The hash of the pixels of a plane, by which files name it; empty if it is damaged.

        Raises:
            UnknownImageError: if the session has no such image.
            PassingError: with a sentence, if it cannot be read just now.
        """
        return next(iter(self.hashes(session_id, image_hash)), "")

    def hashes(self, session_id: str, image_hash: str) -> tuple[str, ...]:
        """By which hashes files may name an image, or a plane, which is found once; none if it is damaged.

        Raises:
            UnknownImageError: if the session has no such image.
            PassingError: with a sentence, if it cannot be read just now.
        """
        known = self._hashes.get(image_hash)
        if known is None:
            try:
                large = self.is_large(session_id, image_hash)
                known = (image_hash,) if large else self.get(session_id, image_hash).hashes
            except PassingError:
                raise
            except ImageError:
                return ()
            self._hashes.put(image_hash, known)
        return known

    def shown(self, session_id: str, image_hash: str, planes: Sequence[str] = (), *, anew: bool = False) -> Shown:
        """An image of a session with what says how it is shown, which is the same for all planes of a stack.

        Args:
            session_id: the session.
            image_hash: the image.
            planes: images of the session of which a stack was made with it, and that say how all are shown.
            anew: whether its view begins anew, see :class:`~segmentation.web.session.samples_in_time.SamplesInTime`.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if a plane cannot be read, or is unlike the first of its stack.
        """
        if self.is_large(session_id, image_hash):
            return self.large.shown(session_id, image_hash, anew=anew)
        image, stack = self._get(session_id, image_hash)
        if planes:
            return Shown(image, self._sample_of_made(session_id, planes), " ".join(planes))
        if stack:
            return Shown(image, self._sample(session_id, stack), stack)
        return Shown(image, image, image_hash)

    def is_large(self, session_id: str, image_hash: str) -> bool:
        """Whether a session has such an image, which is read part by part."""
        return is_large_key(image_hash) and self._store.has_image(session_id, image_hash)

    def part(
        self, session_id: str, image_hash: str, rows: slice, columns: slice, step: int, channels: Sequence[int]
    ) -> Image:
        """A part of a large image as it is seen, see :func:`segmentation.web.session.partial_views.view_of`.

        Raises:
            ImageError: with a sentence, if it cannot be read.
        """
        return view_of(self.large.pyramid(session_id, image_hash), rows, columns, step, channels)

    def window_reader(self, session_id: str, image_hash: str) -> tuple[tuple[int, int], int, Callable[[Window], Image]]:
        """Rows and columns of an image of any size, its channels, and what reads a window of it.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if it cannot be read.
        """
        if self.is_large(session_id, image_hash):
            pyramid = self.large.pyramid(session_id, image_hash)
            return pyramid.shape, pyramid.channels, pyramid.read
        image = self.get(session_id, image_hash)

        def read(window: Window) -> Image:
            missing = None if image.no_data is None else image.no_data[window.rows, window.columns]
            return Image(image.pixels[window.rows, window.columns], image.metadata, missing)

        return image.shape, image.channels, read

    def facts(self, session_id: str, image_hash: str, name: str) -> dict[str, Any]:
        """The facts that an ``image.open`` event names of an image, or a stack, of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        if not self._store.has_image(session_id, image_hash):  # a plane comes with its stack only
            raise UnknownImageError(image_hash)
        if is_large_key(image_hash):
            return self.large.opening(session_id, image_hash) | {"name": name}
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
        """The facts of the image or stack in a stranger's file, as :meth:`add` gives them; by that hash if it has it.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        if is_large_key(image_hash):
            return self.large.check(content, name)
        image = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, page=1)
        if is_a_stack(image) and image_hash == stack_key(image_hash):
            return describe_stack(image, name, _key(content))
        return describe_image(image.known_as(image_hash), name)


def _key(content: bytes | BinaryIO) -> str:
    return stack_key(digest_and_size(content)[0])
