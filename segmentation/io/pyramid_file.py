"""A file of a stranger as a pyramid: an OME-Zarr in a zip, or a TIFF."""

from __future__ import annotations

from pathlib import Path

from segmentation.io.pyramid import Pyramid

ZIP_BEGINNING = b"PK\x03\x04"

KEPT_BYTES = 2**24
"""Of decoded strips and tiles of a TIFF that are kept for the next window: what strangers bring gets little memory."""


def open_pyramid_file(path: Path, name: str) -> Pyramid:
    """The image in a file, to be read window by window; of a TIFF that is incomplete what there is.

    Args:
        path: of the file.
        name: what it is called.

    Raises:
        ImageError: with a sentence, if it is neither a zip with an OME-Zarr image nor a TIFF.
    """
    with path.open("rb") as file:
        beginning = file.read(len(ZIP_BEGINNING))
    if beginning == ZIP_BEGINNING:
        from segmentation.io.zarr_pyramid import open_pyramid
        from segmentation.io.zipped_zarr import open_zip

        store, folder = open_zip(path, name)
        return open_pyramid(store, folder=folder, name=name)
    from segmentation.io.tiff_pyramid import open_tiff_pyramid

    return open_tiff_pyramid(path, name=name, partly=True, kept_bytes=KEPT_BYTES)
