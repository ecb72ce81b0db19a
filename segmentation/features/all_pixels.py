"""The features of all pixels of an image or a volume in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.features.compute import compute_planes
from segmentation.features.pieces import compute_of
from segmentation.features.pointwise import with_constants
from segmentation.features.spec import FeatureSpec
from segmentation.features.volumes import compute_volume_features
from segmentation.io.image import image_from_pixels
from segmentation.io.standardise import standardised


def compute_features(
    pixels: NDArray[Any], spec: FeatureSpec = FeatureSpec(), *, threads: int | None = None
) -> NDArray[np.float32]:
    """Features of every pixel of an image.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``, integer, float or bool; with planes before them
            if the spec looks at several.
        spec: which features.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        ``(rows, columns, features)``, float32, a transposed view of planar memory; of a volume
        ``(planes, rows, columns, features)``.

    Raises:
        ValueError: as :func:`~segmentation.features.compute.compute_planes` does, or if it is no volume and should be.
    """
    if spec.looks_around:
        return compute_volume_features(pixels, spec, threads=threads)
    if spec.standardise:
        pixels = standardised(image_from_pixels(pixels)).pixels
    if not spec.learned:
        return np.moveaxis(compute_planes(pixels, spec, threads=threads), 0, -1)
    image = image_from_pixels(pixels)
    rows, columns = (slice(0, length) for length in image.shape)
    planes = compute_of(image, with_constants(spec, image.pixels), rows, columns, threads=threads)
    return np.moveaxis(planes, 0, -1)
