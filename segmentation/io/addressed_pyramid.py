"""Images at addresses that small files name, see :mod:`segmentation.io.address_file`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zarr.storage import WrapperStore

from segmentation.io.address_file import MAX_DOCUMENTS_BYTES, AddressFile
from segmentation.io.addresses import Places, open_store
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid
from segmentation.io.zarr_documents import METADATA
from segmentation.io.zarr_pyramid import open_pyramid

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


def open_addressed(file: AddressFile, name: str, places: Places, ends: float) -> tuple[Pyramid, dict[str, str | None]]:
    """The image at the address that a file names.

    Args:
        file: what it says.
        name: what the image is called.
        places: what an operator allows; whatever the file names, nothing else is opened.
        ends: moment of ``time.monotonic`` after which nothing is waited for.

    Returns:
        The image; and the metadata that the file does not have.

    Raises:
        ImageError: with a sentence, if it is not allowed, there is none, or it is not answered in time.
    """
    elsewhere = open_store(file.address, places)
    if hasattr(elsewhere, "end_by"):  # no folder
        elsewhere.end_by(ends)
    store = _Kept(elsewhere, file.documents)
    try:
        return open_pyramid(store, name=name, origin=file.address), store.found
    except PassingError:
        raise
    except ImageError as error:
        if store.found and not any(store.found.values()):
            raise ImageError(
                "There is no OME-Zarr image at this address: its last part mostly ends with .zarr."
            ) from error
        raise


class _Kept(WrapperStore[Any]):
    """A store of which metadata are known, and what else is found of them is kept, up to a bound."""

    def __init__(self, store: Any, known: Mapping[str, str | None]) -> None:
        super().__init__(store)
        self._known = known
        self._room = MAX_DOCUMENTS_BYTES - len(json.dumps(known))
        self.found: dict[str, str | None] = {}

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """What lies at a key, or a part of it; None if there is nothing."""
        if byte_range is not None or key.rpartition("/")[2] not in METADATA:
            return await super().get(key, prototype, byte_range)
        for documents in (self._known, self.found):
            if key in documents:
                text = documents[key]
                return None if text is None else prototype.buffer.from_bytes(text.encode())
        there = await super().get(key, prototype)
        self._keep(key, None if there is None else there.to_bytes())
        return there

    def _keep(self, key: str, content: bytes | None) -> None:
        try:
            text = None if content is None else content.decode()
        except UnicodeDecodeError:
            return
        size = len(json.dumps({key: text}))
        if size <= self._room:
            self._room -= size
            self.found[key] = text
