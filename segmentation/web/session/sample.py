"""The sample image that a new session opens on; ``assets/sample/README.md`` names its source and licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segmentation._shared.cached_property import cached_property
from segmentation.io.image import Image
from segmentation.io.read import read_image


@dataclass(frozen=True)
class Sample:
    """An image file with the names of the classes that suit it."""

    path: Path
    classes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @cached_property
    def content(self) -> bytes:
        """The file."""
        return self.path.read_bytes()

    @cached_property
    def image(self) -> Image:
        """The image in it."""
        return read_image(self.content, name=self.name)
