"""How images were segmented, in sentences that can be pasted into a paper."""

from __future__ import annotations

from collections.abc import Sequence

from segmentation._shared.text import counted
from segmentation.features.spec import FeatureSpec
from segmentation.io.pixel_size import PixelSize
from segmentation.model.modelfile import ModelContents
from segmentation.objects.steps import (
    DROP_BORDER,
    DROP_SMALL,
    FILL_HOLES,
    KEEP_BORDER,
    SMOOTH,
    SPLIT,
    SPLIT_CORNERS,
    CleanUpStep,
    connectivity_of,
)
from segmentation.report.settings import FOREST_NAMES, sigmas_in_words
from segmentation.strokes.classes import LabelClass
from segmentation.version import __version__

CITATIONS = (
    f"The Squiggle authors. Squiggle: interactive image segmentation in the browser. Version {__version__}.",
    "S. van der Walt et al. scikit-image: image processing in Python. PeerJ 2:e453, 2014. doi:10.7717/peerj.453",
    "P. Geurts, D. Ernst, L. Wehenkel. Extremely randomized trees. Machine Learning 63:3-42, 2006. "
    "doi:10.1007/s10994-006-6226-1",
    "L. Breiman. Random forests. Machine Learning 45:5-32, 2001. doi:10.1023/A:1010933404324",
    "P. S. Kott. The delete-a-group jackknife. Journal of Official Statistics 17:521-526, 2001.",
)
_FORESTS = {"extra_trees": CITATIONS[2], "random_forest": CITATIONS[3]}
_STEPS = {
    FILL_HOLES: "holes of up to {size:g} pixels in {of} were filled",
    DROP_SMALL: "parts of {of} of fewer than {size:g} pixels were given to the surrounding class",
    SMOOTH: "the borders of {of} were smoothed by the most frequent class within {size:g} pixels",
    DROP_BORDER: "parts of {of} that touch the border of the image were given to the surrounding class",
    KEEP_BORDER: "parts of {of} that do not touch the border of the image were given to the surrounding class",
    SPLIT: "objects of {of} were split by a watershed of the distance transform where they are narrower than {size:g} "
    "of the smaller one's width",
    SPLIT_CORNERS: "objects of {of} that only touch at corners were taken for several (4 neighbours)",
}


def methods_paragraph(contents: ModelContents, size: PixelSize | None = None) -> str:
    """What was done, for the methods section of a paper.

    Args:
        contents: of the classifier.
        size: of the pixels of the images; None if it is not known, or not the same in all.
    """
    settings, spec, training = contents.settings, contents.spec, contents.training
    basic = spec if spec.kinds_per_sigma else spec.basic
    kinds = [name for name in ("intensity", "edges", "texture") if getattr(basic, name)]
    compared = contents.channels is None or spec.pointwise(contents.channels).compares_channels
    following = ["differences"] * spec.differences + ["colour"] * (spec.colour and compared)
    from_them = f", and from them, pixel by pixel, {_listed(following)}" if following else ""
    trees = f"{FOREST_NAMES[settings.kind]}, {settings.n_estimators} trees"
    depth = "" if settings.max_depth is None else f", of a depth of at most {settings.max_depth}"
    pixels = sum(training.get("labelled_pixels", {}).values())
    strokes, images = sum(training.get("strokes", {}).values()), len(training.get("images", ()))
    learnt = f"{counted(pixels, 'labelled pixel')}" if pixels else "labelled pixels"
    learnt += f" of {counted(strokes, 'stroke')}" if strokes else ""
    learnt += f" on {counted(images, 'image')}" if images else ""
    sentences = [
        f"Images were segmented with Squiggle {__version__} [1]. For each pixel the features {_listed(kinds)} were "
        f"computed at the scales (sigma) {sigmas_in_words(spec, size)}, as scikit-image computes them [2]"
        f"{_planes(spec)}{from_them}.",
        f"A classifier ({trees}{depth}, seed {settings.random_state}) [3] was trained "
        f"on {learnt} to tell apart {_listed([f'“{one.name}”' for one in contents.classes])}.",
    ]
    if contents.class_weights:
        names = {one.id: one.name for one in contents.classes}
        weights = [f"of “{names.get(one, one)}” with {weight:g}" for one, weight in contents.class_weights.items()]
        sentences.append(f"Before they were compared, probabilities were multiplied: that {_listed(weights)}.")
    if contents.clean_up:
        steps = "; then ".join(step_sentence(step, contents.classes) for step in contents.clean_up)
        sentences.append(f"{steps[:1].upper()}{steps[1:]}.")
    sentences.append(
        f"Objects are connected parts of a class ({_neighbours(contents)}), measured as scikit-image's regionprops "
        "does [2]. Intervals of shares (95 %) follow from the votes of trees against what pixels were taken for and, "
        "on images that were drawn on, from strokes that were held out (delete-a-group jackknife [4]); intervals of "
        "numbers of objects from counting again where the votes for a class weigh four times as much, and a quarter."
    )
    return " ".join(sentences)


def _neighbours(contents: ModelContents) -> str:
    """How the pixels of objects are connected."""
    ids = [one.id for one in contents.classes]
    four = [one for one in ids if connectivity_of(contents.clean_up, one) == 4]
    return "8 neighbours" if not four else "4 neighbours" if four == ids else "8 neighbours where nothing else is said"


def citations(contents: ModelContents) -> list[str]:
    """What the numbers in brackets of :func:`methods_paragraph` stand for."""
    return [CITATIONS[0], CITATIONS[1], _FORESTS[contents.settings.kind], CITATIONS[4]]


def _planes(spec: FeatureSpec) -> str:
    """Of which planes of a stack features are, where it is more than one."""
    if spec.dimensions == 3:
        return f" in three dimensions, of planes {spec.plane_distance:g} pixels apart"
    return (
        f", of each plane and of {counted(spec.planes_around, 'plane')} above and below" if spec.planes_around else ""
    )


def step_sentence(step: CleanUpStep, classes: Sequence[LabelClass]) -> str:
    """What a step of a clean-up did."""
    names = {one.id: f"“{one.name}”" for one in classes}
    of = "all classes" if step.classes is None else _listed([names.get(one, f"class {one}") for one in step.classes])
    return _STEPS[step.kind].format(size=step.size, of=of)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"
