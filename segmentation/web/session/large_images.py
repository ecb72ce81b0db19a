"""Images of sessions that are too large to be decoded whole: read part by part, out of their files in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segmentation._shared import checks
from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Window
from segmentation.io.address_file import BEGINNING, AddressFile
from segmentation.io.coarser_levels import Unreduced
from segmentation.io.formats import TIFF_BEGINNINGS
from segmentation.io.image import Image
from segmentation.io.limits import MAX_LEVELS, ImageError, PassingError
from segmentation.io.pixel_size import PixelSize
from segmentation.io.pyramid import LARGEST_SIDE, Pyramid
from segmentation.io.pyramid_file import ZIP_BEGINNING
from segmentation.io.unread import unread_note, unread_part
from segmentation.model.channels import named_channels
from segmentation.model.pyramid_facts import known_as, pyramid_facts
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.reading import MAX_COARSEST_PIXELS
from segmentation.web.session.cells import Cells
from segmentation.web.session.image_facts import Shown
from segmentation.web.session.made_levels import MadeLevels, are_needed, levels_of, unreduced
from segmentation.web.session.samples_in_time import SamplesInTime
from segmentation.web.session.stackfiles import StackFiles
from segmentation.web.store import Store
from segmentation.web.store.files import LARGE, digest_and_size, large_key

OPENED = 100
"""Images of which levels and facts are kept."""

Aside = Callable[[], AbstractContextManager[None]]
"""Entered while files are read, see :meth:`segmentation.web.session.scheduler.Scheduler.aside`."""

NOT_WHOLE = (
    "This image is too large for that on the page, where only what is on screen is segmented: “Segment the whole "
    "image” gives its classes and their shares; for more take the classifier home, for “squiggle apply” in a shell."
)

NO_CORRECTIONS = (
    "The result of an image of this size is not corrected on the page: draw strokes where it is wrong, from which it "
    "learns."
)

NO_STACK_OF_LARGE = (
    "Images of this size are not made a stack on the page, since none of them is read whole: each of them learns from "
    "the strokes on all, and “squiggle apply” in a shell works on all of them."
)


def is_large(facts: Mapping[str, Any]) -> bool:
    """Whether an image, of which an ``image.open`` event has these facts, is read part by part."""
    return "levels" in facts


def is_large_key(image_hash: str) -> bool:
    """Whether it may be what such an image is known by."""
    return image_hash.endswith(LARGE)


def check_levels(image: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of the levels of an image that it opens; nothing, if it is read whole.

    Raises:
        ValueError: with a sentence, if it makes no sense.
    """
    if "levels" not in image:
        return {}
    levels = []
    for level in checks.sequence(image["levels"], "The levels of the image", MAX_LEVELS):
        sides = checks.sequence(level, "A level of the image", 2)
        levels.append([checks.whole_number(side, "The size of a level", 1, LARGEST_SIDE) for side in sides])
    if not levels or any(len(level) != 2 for level in levels):
        raise ValueError("A level of the image has rows and columns.")
    return {"levels": levels}


class LargeImages:
    """The large images of all sessions.

    Args:
        store: where their files are kept.
        decoder: reads parts of the files.
        files: where they lie while they are worked on.
        made: coarser levels of those whose files lack them.
        most_pixels: that a level may have which is decoded whole.
        cache_bytes: bytes of pixels that are kept decoded; half as many of coarsest levels, or one that has more.
        aside: entered while files are read, so that whoever computes in turns holds none meanwhile.
    """

    def __init__(
        self,
        store: Store,
        decoder: Decoder,
        files: StackFiles,
        made: MadeLevels,
        *,
        most_pixels: int,
        cache_bytes: int,
        aside: Aside = nullcontext,
    ) -> None:
        self._store, self._decoder, self._files, self._made, self._aside = store, decoder, files, made, aside
        self._most_pixels = min(most_pixels, MAX_COARSEST_PIXELS)
        self._opened: BoundedCache[tuple[str, str], Pyramid] = BoundedCache(OPENED)
        self._coarse: BoundedCache[str, Image] = BoundedCache(
            cache_bytes // 2, lambda image: min(image.pixels.nbytes, cache_bytes // 2)
        )
        self._facts: BoundedCache[str, dict[str, Any]] = BoundedCache(OPENED)
        self._cells, self._samples = Cells(cache_bytes), SamplesInTime()

    def add(self, session_id: str, content: bytes | BinaryIO, name: str, digest: str) -> dict[str, Any]:
        """Check the file of an image, and keep it for a session.

        Returns:
            The facts that ``image.open`` names; or, of a file without a level that is small enough to be seen whole,
            ``{"preparing": {"hash": ..., "name": ...}}``: coarser ones are made then, and it is opened after that.
            Under ``"notes"`` sentences on what is left out or cannot be read.

        Raises:
            ImageError: with a sentence, if it is no image.
            StoreFullError: with a sentence, if there is no room for it, or for its coarser levels.
        """
        known = self._known(content, name)
        if not are_needed(known):
            return self._keep(session_id, known, content, name, digest)
        digest = digest or digest_and_size(content)[0]
        key = _key(known, digest)
        self._made.check_room(session_id, known)
        is_new = not self._store.has_image(session_id, key)
        self._put(session_id, key, content, name, digest)
        try:
            self._made.want(session_id, key, known)
        except BaseException:
            if is_new:  # the file may have taken the room that was left: without levels it is of no use
                self._made.give_up(session_id, key)
            raise
        return {"preparing": {"hash": key, "name": name}, "notes": notes_of(known)}

    def want_levels(self, session_id: str, key: str) -> None:
        """Let the levels be made that an image of a session lacks, if it lacks any.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if its file cannot be read.
            StoreFullError: with a sentence, if there is no room for them.
        """
        with closing_file(self._files.open(session_id, key)) as content:
            if begins_as(content, (BEGINNING,)):
                return
            known = self._known(content, "")
        if are_needed(known):
            self._made.want(session_id, key, known)

    def unreduced(self, session_id: str, key: str) -> Unreduced:
        """What the coarser levels of an image are made of.

        Raises:
            UnknownImageError: if the session has no such image.
            ImageError: with a sentence, if its file cannot be read.
        """

        def read(window: Window, level: int) -> Image:
            with closing_file(self._files.open(session_id, key)) as content:
                return self._decoder.read_reduced(content, level=level, window=window)

        with closing_file(self._files.open(session_id, key)) as content:
            known = self._known(content, "the image")
        return unreduced(key, known, read)

    def add_address(self, session_id: str, address: str, name: str) -> dict[str, Any]:
        """Look at an image at an address, and let a session have it, see :mod:`segmentation.io.address_file`; returns
        the facts that ``image.open`` names.

        Raises:
            ImageError: with a sentence, if the address is not allowed, or there is no image that can be worked on.
        """
        coarse = self._known(AddressFile(address).content(), name)
        content = AddressFile(address, coarse.metadata["pyramid"]["documents"]).content()
        return self._keep(session_id, coarse, content, name, "")

    def _keep(
        self, session_id: str, coarse: Image, content: bytes | BinaryIO, name: str, digest: str
    ) -> dict[str, Any]:
        digest = digest or digest_and_size(content)[0]
        key = _key(coarse, digest)
        self._put(session_id, key, content, name, digest)
        self._coarse.put(key, coarse)
        return self.opening(session_id, key) | {"notes": notes_of(coarse)}

    def opening(self, session_id: str, key: str) -> dict[str, Any]:
        """The facts that ``image.open`` names of a large image of a session, whose sample is needed soon.

        Raises:
            ImageError: with a sentence, if its file cannot be read.
        """
        pyramid = self.pyramid(session_id, key)
        self._samples.begin(pyramid)
        return describe(pyramid)

    def notes(self, session_id: str, key: str) -> list[str]:
        """Sentences on what is left out of a large image, or cannot be read of it.

        Raises:
            ImageError: with a sentence, if its file cannot be read.
        """
        return notes_of(self.coarsest(session_id, key))

    def _put(self, session_id: str, key: str, content: bytes | BinaryIO, name: str, digest: str) -> None:
        self._store.put_image(session_id, key, name, content, digest)
        self._files.put(session_id, key, content)

    def _known(self, content: bytes | BinaryIO, name: str) -> Image:
        """The coarsest level that a file has, or what it says of itself."""
        return self._decoder.read_coarsest(content, name=name, most_pixels=self._most_pixels)

    def check(self, content: bytes | BinaryIO, name: str) -> dict[str, Any]:
        """The facts of an image in a stranger's file, as :meth:`add` gives them; nothing is kept.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        coarse = self._known(content, name)
        return describe(self._described("", _key(coarse, digest_and_size(content)[0]), coarse))

    def pyramid(self, session_id: str, key: str) -> Pyramid:
        """A large image of a session.

        Raises:
            ImageError: with a sentence, if its file cannot be read.
        """
        known = self._opened.get((session_id, key))
        if known is None:
            known = self._described(session_id, key, self.coarsest(session_id, key))
            self._opened.put((session_id, key), known)
        return known

    def known_before(self, session_id: str, keys: Iterable[str], pyramid_hash: str) -> str:
        """Which of some images of a session classifier files name by the hash of its pyramid, as older ones do.

        That hash is of a few pixels only: where several have it, as where none has, the answer is empty.

        Raises:
            PassingError: with a sentence, if one of them cannot be read just now.
        """
        found = []
        for key in filter(is_large_key, keys):
            try:
                found += [key] if self.pyramid(session_id, key).origin == pyramid_hash else []
            except PassingError:
                raise
            except ImageError:  # what cannot be read is not seen either
                continue
        return found[0] if len(found) == 1 else ""

    def coarsest(self, session_id: str, key: str) -> Image:
        """The coarsest level of a large image, whole; its pixel size is that of the finest.

        Raises:
            NotPreparedError: if its file has none that is small enough, and it is not made yet.
            ImageError: with a sentence, if it cannot be read.
        """
        coarse = self._coarse.get(key)
        if coarse is None:
            with self._aside():
                with closing_file(self._files.open(session_id, key)) as content:
                    coarse = self._known(content, "")
                if are_needed(coarse):
                    coarse = self._made.coarsest(session_id, key, coarse)
            self._coarse.put(key, known_as(coarse, key))
        return coarse

    def shown(self, session_id: str, key: str, *, anew: bool) -> Shown:
        """A large image with what says how it is shown, see :meth:`segmentation.web.session.images.Images.shown`."""
        coarse, pyramid = self.coarsest(session_id, key), self.pyramid(session_id, key)
        sample = self._samples.of(pyramid, anew=anew)
        if sample is None:
            return Shown(coarse, coarse, f"{key} for now", pyramid.shape, is_for_now=True)
        return Shown(coarse, sample, key, pyramid.shape)

    def clear(self) -> None:
        """Keep no cells decoded any longer, where memory is short."""
        self._cells.clear()

    def facts(self, pyramid: Pyramid) -> dict[str, Any]:
        """What is learnt from it as a whole, see :func:`segmentation.model.pyramid_facts.pyramid_facts`."""
        facts = self._facts.get(pyramid.hash)
        if facts is None:
            self._samples.wait_for(pyramid)
            facts = pyramid_facts(pyramid)
            self._facts.put(pyramid.hash, facts)
        return facts

    def _described(self, session_id: str, key: str, coarse: Image) -> Pyramid:
        """The pyramid of which the decoder has read the coarsest level, and said what else there is."""
        own = len(coarse.metadata["pyramid"]["levels"])

        def decoded(window: Window, level: int) -> Image:
            image = self._decoded(session_id, key, window, level, own)
            if image.shape != window.shape:
                raise ImageError("A part of the image cannot be read: its file is damaged.")
            return image

        def values(window: Window, level: int) -> NDArray[Any]:
            return self._cells.values(key, pyramid, window, level, decoded)

        def missing(window: Window, level: int) -> NDArray[np.bool_] | None:
            return self._cells.missing(key, pyramid, window, level, decoded)

        size, piece = coarse.pixel_size, coarse.metadata["pyramid"]["piece"]
        pyramid = Pyramid(
            name=str(coarse.metadata.get("name", "")),
            levels=tuple(levels_of(coarse)),
            channels=coarse.channels,
            dtype=coarse.pixels.dtype,
            values=values,
            missing=missing,
            pixel_size=size if isinstance(size, PixelSize) else None,
            channel_names=tuple(named_channels(coarse) or ()),
            origin=str(coarse.metadata["pyramid"]["hash"]),
            piece=(piece[0], piece[1]),
        )
        vars(pyramid)["hash"] = key
        return pyramid

    def _decoded(self, session_id: str, key: str, window: Window, level: int, own: int) -> Image:
        """A window of a level: of the first ones out of the file of the image, of the others out of what was made."""
        with self._aside():
            if level >= own:
                return self._made.read(session_id, key, window, level - own)
            with closing_file(self._files.open(session_id, key)) as content:
                return self._decoder.read_part(content, level=level, window=window, filled=False)


@contextmanager
def closing_file(content: bytes | BinaryIO) -> Iterator[bytes | BinaryIO]:
    """Close a file at the end, if it is one."""
    try:
        yield content
    finally:
        if not isinstance(content, bytes):
            content.close()


def _key(coarse: Image, digest: str) -> str:
    """What the image is known by in a session, and by what is kept of it for all sessions."""
    return large_key(coarse.metadata["pyramid"]["hash"], digest)


def notes_of(coarsest: Image) -> list[str]:
    """Sentences on what is left out of an image, or cannot be read of it, by what is known of its coarsest level."""
    about = coarsest.metadata
    pages = about.get("pages", 1)
    several = f"This is the first of {pages} images in the file." if pages != 1 else ""
    return [one for one in (unread_note(unread_part(about)), several, *about.get("notes", ())) if one]


def describe(pyramid: Pyramid) -> dict[str, Any]:
    """The facts of a large image that the page shows and an ``image.open`` event names."""
    return {
        "hash": pyramid.hash,
        "name": pyramid.name,
        "rows": pyramid.shape[0],
        "columns": pyramid.shape[1],
        "channels": pyramid.channels,
        "dtype": pyramid.dtype.name,
        **({"channel_names": list(pyramid.channel_names)} if pyramid.channel_names else {}),
        "levels": [list(level.shape) for level in pyramid.levels],
    }


def begins_as(content: bytes | BinaryIO, beginnings: tuple[bytes, ...]) -> bool:
    """Whether a file begins with one of some bytes."""
    if isinstance(content, bytes):
        return content.startswith(beginnings)
    content.seek(0)
    beginning = content.read(max(map(len, beginnings)))
    content.seek(0)
    return beginning.startswith(beginnings)


def is_tiff(content: bytes | BinaryIO) -> bool:
    """Whether a file is a TIFF, by its beginning."""
    return begins_as(content, TIFF_BEGINNINGS)


def is_zip(content: bytes | BinaryIO) -> bool:
    """Whether a file is a zip, by its beginning."""
    return begins_as(content, (ZIP_BEGINNING,))
