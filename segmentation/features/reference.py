"""The features by scikit-image itself: slower, and equal to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.features.spec import FeatureSpec


def reference_planes(
    pixels: NDArray[Any],
    spec: FeatureSpec,
    *,
    rows: slice,
    columns: slice,
    out: NDArray[np.float32] | None = None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """What :func:`~segmentation.features.compute.compute_planes` gives, with the same arguments.

    Raises:
        ValueError: if the image has pixels that are not a number, infinite or too large.
    """
    from skimage.feature import multiscale_basic_features

    image = pixels[..., None] if pixels.ndim == 2 else pixels
    around = [
        slice(max(part.start - spec.halo, 0), part.stop + spec.halo)  # what is beyond the image is cut off
        for part in (rows, columns)
    ]
    with np.errstate(over="ignore"):
        part = image[around[0], around[1]][..., list(spec.channel_indices(image.shape[2]))]
        part = part.astype(np.float32) if part.dtype.kind == "f" else part
    if not np.isfinite(part).all():
        raise ValueError(
            "The image has pixels that are not a number (NaN), infinite or too large: give them a value first."
        )
    features = multiscale_basic_features(
        part,
        intensity=spec.intensity,
        edges=spec.edges,
        texture=spec.texture,
        sigma_min=spec.sigma_min,
        sigma_max=spec.sigma_max,
        num_sigma=spec.num_sigma,
        workers=threads,
        channel_axis=-1,
    )
    top, left = (window.start - outer.start for window, outer in zip((rows, columns), around, strict=True))
    inside = features[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
    planes = np.moveaxis(inside, -1, 0)
    if out is None:
        return np.ascontiguousarray(planes)
    out[...] = planes
    return out
