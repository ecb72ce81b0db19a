"""Images of sessions as features see them: where these look at several planes, among those around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.slab import Smoothing, kept_smoothing
from segmentation.io.volumes import slab_positions, with_slab
from segmentation.web.session.images import Images
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import SessionState

MOST_SLAB_BYTES = 2**29
"""Bytes of the planes that one is looked at together with, itself among them."""

MOST_PLANES = 520
"""The same in planes, each of which is read for itself: those of the largest sigma, where planes lie a pixel apart."""


def seen_image(
    images: Images,
    session_id: str,
    state: SessionState,
    image_hash: str,
    spec: FeatureSpec,
    smoothing: Smoothing | None = None,
) -> Image:
    """An image of a session; if features look at several planes, one that knows those around it along z.

    Args:
        images: of all sessions.
        session_id: the session.
        state: what the session adds up to.
        image_hash: the image.
        spec: which features.
        smoothing: what is smoothed of the planes of its stack; None keeps nothing of it.

    Raises:
        UnknownImageError: if the session has no such image.
        ImageError: with a sentence, if features look at several planes and it is no plane along z of a stack that came
            as one file; if a plane cannot be read, or so many do not fit into memory.
    """
    image = images.get(session_id, image_hash)
    if not spec.looks_around:
        return image
    planes = planes_along_z(state, image_hash)
    if len(planes) == 1:
        raise ImageError(no_stack(state.images[image_hash]["name"]))
    near, own = slab_positions(planes.index(image_hash), len(planes), spec.depth_halo)
    if len(near) > MOST_PLANES or len(near) * image.pixels.nbytes > MOST_SLAB_BYTES:
        raise ImageError(
            f"These features look at {len(near):,} planes together, which is too much for this server: choose a "
            "smaller largest sigma, a larger distance of planes if it is one, or planes around instead of 3-D."
        )
    read = [image if planes[number] == image_hash else images.get(session_id, planes[number]) for number in near]
    return with_slab(read, own, near.start, kept_smoothing(0) if smoothing is None else smoothing)


def no_stack(name: str) -> str:
    """Why features that look at several planes cannot be computed of an image, as a sentence."""
    return (
        f"Features are to look at several planes, but “{name}” is no plane along z of a stack that came as one file: "
        "open such a stack, or choose “Each plane by itself” under Learn, Depth."
    )


def can_be_seen(state: SessionState, image_hash: str, spec: FeatureSpec) -> bool:
    """Whether an image has the planes that features look at; ``assets/page/alike.mjs`` says the same in the browser."""
    return not spec.looks_around or len(planes_along_z(state, image_hash)) > 1


def planes_seen(state: SessionState, image_hash: str, spec: FeatureSpec) -> int:
    """How many planes :func:`seen_image` has in memory together, the image among them."""
    if not spec.looks_around:
        return 1
    planes = planes_along_z(state, image_hash)
    return len(slab_positions(planes.index(image_hash), len(planes), spec.depth_halo)[0])


def planes_along_z(state: SessionState, image_hash: str) -> Sequence[str]:
    """The planes of the stack of a file that an image lies among, at the same time; itself if it is no such plane."""
    facts = state.images.get(image_hash, {})
    stack: Mapping[str, Any] = state.stacks.get(facts.get("stack", ""), {})
    page, step = page_in_file(facts), 1
    for name, length in stack.get("axes", ()) if page else ():
        if name == "z":
            index = (page or 1) - 1
            first = index - index // step % length * step
            return [stack["planes"][first + number * step] for number in range(length)]
        step *= length
    return [image_hash]
