"""How good a classifier is, on masks or on strokes that are held out: what ``evaluate`` does."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segmentation._shared.text import escaped
from segmentation._shared.tiling import whole_window
from segmentation.assessment.cross_validation import cross_validate
from segmentation.assessment.intervals import ShareInterval, share_intervals
from segmentation.cli.classes import named_classes, weights_of
from segmentation.cli.labelled import TrainingData, read_training_data, read_with_masks
from segmentation.io.image import Image
from segmentation.io.masks import MAP_HINT
from segmentation.io.stacks import image_in_words
from segmentation.model.classifier import PixelClassifier, load_classifier
from segmentation.model.facts import numbered_classes
from segmentation.model.metrics import score
from segmentation.model.weights import checked_weights
from segmentation.strokes.document import strokes_from_json
from segmentation.strokes.raster import region_of


def on_strokes(given: Namespace) -> int:
    """Holds a classifier against strokes that are held out, and tells how sure the shares in their images are."""
    if given.map is not None:
        raise ValueError("--map says what the values of masks stand for: strokes have classes.")
    classifier = _classifier(given)
    documents = [strokes_from_json(path.read_bytes()) for path in given.strokes]
    strokes_of = dict(zip(given.strokes, documents, strict=True))
    data = read_training_data(given.images, [], None, strokes_of, classifier.spec)
    drawn = [data.strokes.get(image.hash, ()) for image in data.images]
    found = cross_validate(data.images, drawn, classifier)
    names = {one.id: one.name for one in classifier.label_classes_}
    held_out_classes = numbered_classes(found.held_out.class_ids)
    names |= {one.id: one.name for one in named_classes(held_out_classes, documents, [])}
    intervals = _intervals(classifier, data)
    if given.json:
        scores = _with_names(found.to_json(), names) | {"note": found.note(names)}
        print(json.dumps(scores | {"shares": [_plain(image, some, names) for image, some in intervals]}))
        return 0
    print(found.describe(names))
    for image, some in intervals:
        print(f"\n{escaped(_called(image))}: shares, with a confidence of about 95 %")
        for one in some:
            print(f"{escaped(names[one.id])}  {one.share:.2%} ({one.low:.2%} to {one.high:.2%})")
    return 0


def _intervals(classifier: PixelClassifier, data: TrainingData) -> list[tuple[Image, list[ShareInterval]]]:
    """How sure the shares in each image are that has strokes; one that the classifier cannot segment is told."""
    found, drawn = [], [data.strokes.get(image.hash, ()) for image in data.images]
    for image, strokes in zip(data.images, drawn, strict=True):
        try:
            here = image.within(region_of(strokes, image.shape))
            found.append((image, share_intervals(here, classifier, data.images, drawn)))
        except ValueError as error:
            print(f"squiggle: {escaped(f'{_called(image)}: {error}')}", file=sys.stderr)
    return found


def _called(image: Image) -> str:
    about = image.metadata
    return image_in_words(str(about["name"]), about.get("page", 1), about.get("pages", 1), image.place)


def _plain(image: Image, intervals: Sequence[ShareInterval], names: Mapping[int, str]) -> dict[str, Any]:
    classes = [
        {"id": one.id, "name": names[one.id], "share": one.share, "low": one.low, "high": one.high} for one in intervals
    ]
    return {"image": image.metadata["name"], "page": image.metadata.get("page", 1), "classes": classes}


def on_masks(given: Namespace) -> int:
    """Holds a classifier against masks of what is true."""
    if len(given.images) % 2:
        raise ValueError("Give a mask for each image: IMAGE MASK IMAGE MASK ...")
    classifier = _classifier(given)
    ids = [one.id for one in classifier.label_classes_]
    scores, notes = None, dict[str, Path]()
    for image_path, mask_path in zip(given.images[::2], given.images[1::2], strict=True):
        for image, truth in read_with_masks(image_path, mask_path, given.map, classifier.spec):
            try:
                adapted = classifier.adapt(image)
                predicted = classifier.cleaned(classifier.predict_window(adapted, whole_window(image.shape)))
                found = score(predicted, image.clear(truth), ids)
            except ValueError as error:
                strange = given.map is None and not np.isin(truth, [0, *ids]).all()
                hint = f" If the mask has other values than class ids, {MAP_HINT}." if strange else ""
                raise ValueError(f"{image_path}: {error}{hint}") from error
            scores = found if scores is None else scores + found
            for note in classifier.value_notes(image):
                notes.setdefault(note, image_path)
    for note, image_path in notes.items():
        print(f"squiggle: {escaped(f'{image_path}: {note}')}", file=sys.stderr)
    assert scores is not None
    names = {one.id: one.name for one in classifier.label_classes_}
    if given.json:
        print(json.dumps(_with_names(scores.to_json(), names)))
    else:
        print(scores.describe(names))
    return 0


def _classifier(given: Namespace) -> PixelClassifier:
    classifier = load_classifier(given.model, engine=given.engine, threads=given.threads)
    return classifier.weighed(checked_weights(classifier.class_weights) | weights_of(given.class_weights))


def _with_names(scores: dict[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    for entry in scores["classes"]:
        entry["name"] = names[entry["id"]]
    return scores
