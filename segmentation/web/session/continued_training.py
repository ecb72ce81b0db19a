"""How a classifier that was opened from a file takes part in training, and the sentences that say so.

Training goes on from its strokes if all images that they were drawn on are in the session, else from its training
pixels if these came along; else what is drawn replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segmentation.strokes.stroke import Stroke
from segmentation.web.session.state import OpenedClassifier, SessionState


def training_strokes(state: SessionState) -> Mapping[str, tuple[Stroke, ...]]:
    """The strokes to train on, by their image: all but those whose pixels came with an opened classifier."""
    if not continues_from_pixels(state):
        return state.drawn
    assert state.opened is not None
    known = {image_hash: frozenset(strokes) for image_hash, strokes in state.opened.strokes.items()}
    return {
        image_hash: tuple(stroke for stroke in strokes if stroke not in known.get(image_hash, ()))
        for image_hash, strokes in state.drawn.items()
    }


def is_unchanged(state: SessionState) -> bool:
    """Whether nothing that matters was done since a classifier was opened."""
    opened = state.opened
    if opened is None or not has_its_classes(state, opened):
        return False
    if state.learns_corrections and any(state.corrections.values()):
        return False
    drawn = {image_hash: strokes for image_hash, strokes in state.drawn.items() if strokes}
    came = {image_hash: strokes for image_hash, strokes in opened.strokes.items() if image_hash in state.images}
    return (drawn, state.features, state.forest) == (came, opened.features, opened.forest)


def continues_from_pixels(state: SessionState) -> bool:
    """Whether training goes on from the pixels that came with an opened classifier."""
    return state.opened is not None and _basis(state, state.opened) == "pixels"


def has_its_classes(state: SessionState, opened: OpenedClassifier) -> bool:
    """Whether the session still has all classes of an opened classifier."""
    return state.classes.keys() >= set(opened.facts["class_ids"])


def learns_on(state: SessionState, opened: OpenedClassifier) -> bool:
    """Whether training goes on from all that an opened classifier learnt from."""
    basis = _basis(state, opened)
    return basis == "pixels" or (basis == "strokes" and all(one in state.images for one in opened.strokes))


def is_kept(state: SessionState) -> bool:
    """Whether an opened classifier that cannot learn on stays in use, whatever is drawn."""
    opened = state.opened
    return opened is not None and state.keeps and has_its_classes(state, opened) and not learns_on(state, opened)


def what_comes_next(state: SessionState, opened: OpenedClassifier) -> str:
    """A sentence on what will happen once something is drawn."""
    basis = _basis(state, opened)
    if basis == "pixels":
        return f"What you draw is learnt together with its {opened.facts['pixels']:,} training pixels."
    if basis == "strokes":
        stays = " Until then it stays as it came." if is_kept(state) else ""
        return f"What you draw is learnt together with its strokes.{_missing_images(state, opened)}{stays}"
    if is_kept(state):
        return "It came without training pixels: your strokes cannot correct it, only replace it. It stays for now."
    return (
        "It came without strokes and training pixels: it cannot learn on, and once two classes have strokes of yours, "
        "these replace it."
    )


def what_is_trained_on(state: SessionState, opened: OpenedClassifier) -> str:
    """A sentence on what the session's classifier is trained on, now that something is drawn."""
    basis = _basis(state, opened)
    if basis == "pixels":
        return f"Its {opened.facts['pixels']:,} training pixels and your strokes are learnt together."
    if basis == "strokes":
        return f"Its strokes and yours are learnt together.{_missing_images(state, opened)}"
    return "Your strokes have replaced it, since it came without strokes and training pixels."


def _basis(state: SessionState, opened: OpenedClassifier) -> str:
    """What training goes on from once something is drawn: ``"strokes"``, ``"pixels"`` or ``"nothing"``."""
    if opened.strokes and all(image_hash in state.images for image_hash in opened.strokes):
        return "strokes"
    if opened.facts["pixels"]:
        return "pixels"
    return "strokes" if opened.strokes else "nothing"


def _missing_images(state: SessionState, opened: OpenedClassifier) -> str:
    sizes = {image["hash"]: f"{image['columns']} × {image['rows']}" for image in opened.facts["images"]}
    missing = [image_hash for image_hash in opened.strokes if image_hash not in state.images]
    if not missing:
        return ""
    told = _listed([f"{sizes.get(one, 'unknown size')} pixels, {one[:8]}…" for one in missing])
    images = "an image that is" if len(missing) == 1 else f"{len(missing)} images that are"
    return f" Some were drawn on {images} not in this session ({told}): open it, and they count too."


def _listed(texts: Sequence[str], most: int = 3) -> str:
    return "; ".join(texts[:most]) + (f"; {len(texts) - most} more" if len(texts) > most else "")
