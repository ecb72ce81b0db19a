"""Images and volumes as somebody gives them to a classifier, as the planes that its features are of."""

from __future__ import annotations

from typing import Any

import numpy as np

from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.volumes import volume_planes
from segmentation.model.facts import as_image
from segmentation.model.labelled import LabelledImage

NO_VOLUME = (
    "The classifier looks at several planes of a stack along z, but this is a single image: give the stack, or train "
    "on this image with features of two dimensions."
)


def planes_of_volume(image: object, spec: FeatureSpec) -> list[Image] | None:
    """The planes of pixels that are a volume; None where an image is an image.

    Args:
        image: an image, or pixels, which are a volume if features look at several planes.
        spec: which features.

    Raises:
        ValueError: if they should be a volume and are none.
    """
    if isinstance(image, Image) or not spec.looks_around:
        return None
    return volume_planes(image, spec.depth_halo)  # type: ignore[arg-type]


def checked_depth(image: Image, spec: FeatureSpec) -> Image:
    """The image itself.

    Raises:
        ValueError: if features look at several planes, and it is a single one.
    """
    if spec.looks_around and (image.slab is None or len(image.slab.planes) == 1):
        raise ValueError(NO_VOLUME)
    return image


def labelled_images(image: Any, labels: Any, spec: FeatureSpec, *, none_suffices: bool = False) -> list[LabelledImage]:
    """What is learnt from, as images with labels; of a volume its planes, as far as something is labelled on them.

    Args:
        image: an image, pixels, or a list of these.
        labels: class ids, or a list, one for each image.
        spec: which features.
        none_suffices: whether there need be no image.

    Raises:
        ValueError: if labels do not fit the images.
    """
    several = list(image) if isinstance(image, list | tuple) else [image]
    given = list(labels) if isinstance(image, list | tuple) else [labels]
    if not (several or none_suffices) or len(several) != len(given):
        raise ValueError(f"Give labels for each image: there are {len(several)} images, and labels for {len(given)}.")
    labelled: list[LabelledImage] = []
    for one, raster in zip(several, given, strict=True):
        planes = planes_of_volume(one, spec)
        if planes is None:
            labelled.append(LabelledImage.from_image(checked_depth(as_image(one), spec), raster))
            continue
        rasters = np.asarray(raster)
        if rasters.ndim != 3 or len(rasters) != len(planes):
            raise ValueError(
                f"The labels of a volume have planes, rows and columns: there are {len(planes)} planes, and labels of "
                f"the shape {rasters.shape}."
            )
        both = zip(planes, rasters, strict=True)
        labelled += [LabelledImage.from_image(checked_depth(p, spec), own) for p, own in both if own.any()]
    return labelled
