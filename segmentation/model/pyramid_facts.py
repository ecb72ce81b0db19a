"""What is taken from an image of any size as a whole, block by block, or of a sample where it is large.

Of an image of at most :data:`segmentation.io.sampling.LARGE_PIXELS` it is what the whole image gives. Of a larger one,
of one of which a part is damaged, and of one that lacks data somewhere and is too large to be read at once, it is what
:attr:`segmentation.io.pyramid.Pyramid.sample` gives, on the page, from the shell and in Python alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segmentation._shared.tiling import whole_window
from segmentation.features.constants import Ends, channel_ends, grid_step, lower_median
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid
from segmentation.model.facts import grid_values, image_ends, image_facts


def pyramid_facts(pyramid: Pyramid) -> dict[str, Any]:
    """Facts about an image of any size, as :func:`segmentation.model.facts.image_facts` gives them.

    Raises:
        PassingError: with a sentence, if a part of it did not come this time.
        ImageError: with a sentence, if the image cannot be read.
    """
    about = {"hash": pyramid.hash, "rows": pyramid.shape[0], "columns": pyramid.shape[1]}
    if not pyramid.is_large:
        try:
            facts = _streamed(pyramid)
            if facts is None:  # what stands where no data are depends on the whole
                facts = image_facts(known_as(pyramid.read(whole_window(pyramid.shape)), pyramid.hash))
        except PassingError:
            raise
        except ImageError:  # a part of it is damaged, or all of it is too much
            pass
        else:
            return facts | about
    return image_facts(known_as(pyramid.sample, pyramid.hash)) | about


def _streamed(pyramid: Pyramid) -> dict[str, Any] | None:
    """The facts of an image that is read block by block; None if some of its pixels hold no data."""
    step, values, ends = grid_step(pyramid.shape), [], []
    facts: dict[str, Any] = {}
    for window, image in pyramid.blocks():
        if image.no_data is not None:
            return None
        facts = facts or image_facts(known_as(image, pyramid.hash))
        ends += image.metadata["value_range"]
        top, left = -window.rows.start % step, -window.columns.start % step
        values.append(image.pixels[top::step, left::step].ravel())
    median = lower_median(np.concatenate(values))
    return facts | {"value_range": [min(ends), max(ends)], "median": median}


def pyramid_ends(pyramid: Pyramid, channels: Sequence[int]) -> Ends:
    """What is dark and what bright in some channels, as :func:`segmentation.model.facts.image_ends` gives it.

    Raises:
        PassingError: with a sentence, if a part of it did not come this time.
        ImageError: with a sentence, if the image cannot be read.
    """
    if not pyramid.is_large:
        step, found = grid_step(pyramid.shape), []
        try:
            for window, image in pyramid.blocks():
                first = -window.rows.start % step, -window.columns.start % step
                found.append(grid_values(image, channels, first, step))
        except PassingError:
            raise
        except ImageError:  # a part of it is damaged
            pass
        else:
            return channel_ends([np.concatenate(values) for values in zip(*found, strict=True)])
    return image_ends(pyramid.sample, channels)


def known_as(image: Image, image_hash: str) -> Image:
    """An image that is known by a hash already, so that none is computed."""
    vars(image)["hash"] = image_hash
    return image
