"""A small file that names an address, where an image that lies elsewhere has none of its own.

It keeps the metadata that were found there, so that the parts of the image are read without asking for them again; that
they are the same ones as long as the file is kept, whatever becomes of the address, is what the image is known by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from segmentation._shared import checks
from segmentation.io.addresses import LONGEST
from segmentation.io.limits import ImageError

BEGINNING = b"Squiggle image address 1\n"

MAX_DOCUMENTS_BYTES = 2**18
"""Of metadata that are kept, as JSON; what is beyond is asked for each time."""

MAX_FILE_BYTES = 2**19


@dataclass(frozen=True)
class AddressFile:
    """What such a file says.

    Attributes:
        address: of the image, see :func:`segmentation.io.addresses.open_store`.
        documents: the metadata there, by their keys in the store; None where there is nothing.
    """

    address: str
    documents: Mapping[str, str | None] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of the file."""
        values = {"address": self.address, "documents": self.documents}
        return BEGINNING + json.dumps(values, sort_keys=True).encode()

    @classmethod
    def read(cls, path: Path) -> AddressFile | None:
        """What a file says, if it is of this kind.

        Raises:
            ImageError: with a sentence, if it begins like one and is none.
        """
        with path.open("rb") as file:
            if file.read(len(BEGINNING)) != BEGINNING:
                return None
            content = file.read(MAX_FILE_BYTES + 1)
        try:
            if len(content) > MAX_FILE_BYTES:
                raise ValueError("it is too long")
            values = checks.mapping(checks.parse_json(content, "The file"), "The file", ("address", "documents"))
            address = checks.text(values["address"], "Its address", LONGEST)
            return cls(address, checked_documents(values["documents"]))
        except ValueError as error:
            raise ImageError(f"The file of an image at an address is damaged: {error}") from error


def checked_documents(value: object) -> dict[str, str | None]:
    """Metadata by their keys.

    Raises:
        ValueError: with a sentence, if they are something else, or too much.
    """
    is_clear = isinstance(value, Mapping) and all(
        isinstance(key, str) and (one is None or isinstance(one, str)) for key, one in value.items()
    )
    if not isinstance(value, Mapping) or not is_clear or len(json.dumps(value)) > MAX_DOCUMENTS_BYTES:
        raise ValueError("the metadata of the image at the address are damaged.")
    return dict(value)
