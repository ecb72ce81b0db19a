"""What the commands do: each gets what was typed and returns the exit status."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation._shared.text import counted
from segmentation.cli.arguments import FEATURE_KINDS
from segmentation.cli.objects_arguments import typed_steps

if TYPE_CHECKING:
    from segmentation.features.spec import FeatureSpec
    from segmentation.model.modelfile import ModelContents
    from segmentation.strokes.document import StrokesDocument

FAILED = 1


def sentence(error: Exception) -> str:
    """What is told of an error: one sentence for the person who made it."""
    from segmentation.series.jobs import reason

    return reason(error)


def apply(given: Namespace) -> int:
    """Segments images with a classifier."""
    from segmentation.cli.classes import weights_of
    from segmentation.cli.progress import JsonLines, Quiet, Terminal
    from segmentation.series.run import apply_series

    listener = JsonLines() if given.json else Quiet() if given.quiet else Terminal()
    try:
        report = apply_series(
            given.model,
            given.images,
            given.output,
            png=given.png,
            probabilities=given.probabilities,
            overlay=given.overlay,
            table=given.csv,
            objects=given.objects,
            report=given.report,
            class_weights=weights_of(given.class_weights) or None,
            clean_up=typed_steps(given.clean_up),
            axes=given.axes,
            pixel_size=given.pixel_size,
            strokes=_outlining(given.only_here),
            corrections=_corrections(given.corrections),
            workers=given.workers,
            threads=given.threads,
            engine=given.engine,
            client=given.scheduler,
            on_event=listener.handle,
        )
    except KeyboardInterrupt:
        listener.interrupted()
        raise
    listener.tell_notes(report)
    listener.tell_failures(report)
    return FAILED if report.failed else 0


def _outlining(paths: list[Path]) -> list[StrokesDocument]:
    """The strokes files that say where to work.

    Raises:
        ValueError: if one of them does not.
    """
    from segmentation.strokes.document import outlines_of, strokes_from_json

    documents = []
    for path in paths:
        documents.append(strokes_from_json(path.read_bytes()))
        if not outlines_of(documents[-1:]):
            raise ValueError(f"{path.name} outlines nowhere to work: draw an outline with “Only here” on the page.")
    return documents


def _corrections(paths: list[Path]) -> list[StrokesDocument]:
    """The files of corrections.

    Raises:
        ValueError: if one of them is none.
    """
    from segmentation.strokes.document import corrections_of, strokes_from_json

    documents = []
    for path in paths:
        document = strokes_from_json(path.read_bytes())
        if document.settings:
            raise ValueError(f"{path.name} holds strokes that are learnt from, not corrections: give corrections.json.")
        if not corrections_of([document]):
            raise ValueError(f"{path.name} holds no correction.")
        documents.append(document)
    return documents


def train(given: Namespace) -> int:
    """Trains a classifier on images and labels."""
    from segmentation.cli.classes import named_classes, weights_of
    from segmentation.cli.labelled import read_training_data
    from segmentation.features.spec import FeatureSpec
    from segmentation.forest.settings import ForestSettings
    from segmentation.io.pixel_size import distance_of_planes, in_pixels
    from segmentation.model.classifier import PixelClassifier
    from segmentation.model.modelfile import save_model
    from segmentation.model.weights import weights_from_json
    from segmentation.objects.sized import steps_in_pixels
    from segmentation.objects.steps import steps_from_json
    from segmentation.strokes.document import strokes_from_json

    if not given.labels and not given.strokes:
        raise ValueError("Give labels or strokes to learn from: --labels LABELS.png or --strokes STROKES.json.")
    if given.labels and len(given.labels) != len(given.images):
        raise ValueError(
            f"Give labels for each image: there are {len(given.images)} images and {len(given.labels)} label files."
        )
    documents = [strokes_from_json(path.read_bytes()) for path in given.strokes]
    strokes_of = dict(zip(given.strokes, documents, strict=True))
    data = read_training_data(given.images, given.labels, given.map, strokes_of)
    settings = documents[0].settings if documents else {}
    sizes = [given.pixel_size or image.pixel_size for image in data.images]
    for name in ("sigma_min", "sigma_max"):
        if getattr(given, name) is not None:
            setattr(given, name, in_pixels(getattr(given, name), sizes))
    if given.plane_distance is not None:
        given.plane_distance = in_pixels(given.plane_distance, sizes)
    elif given.dimensions == 3:
        given.plane_distance = distance_of_planes(sizes)
    if given.by_channel is not None:
        given.by_channel = {str(channel): kinds for channel, kinds in given.by_channel}
    chosen_before = {"features": FeatureSpec().to_json(), "forest": ForestSettings().to_json()} | settings
    spec = FeatureSpec.from_json(chosen_before["features"] | chosen(given, FEATURE_OPTIONS))
    if spec.looks_around:  # which planes each must know is known only now
        data = read_training_data(given.images, given.labels, given.map, strokes_of, spec)
    forest = ForestSettings.from_json(chosen_before["forest"] | chosen(given, FOREST_OPTIONS))
    classifier = PixelClassifier(spec, **forest.to_json(), engine=given.engine, threads=given.threads)
    classifier.fit(data.images, data.labels)
    of_strokes = weights_from_json(settings.get("class_weights"))
    known = {class_id: weight for class_id, weight in of_strokes.items() if class_id in classifier.classes_}
    classifier.set_params(class_weights=known | weights_of(given.class_weights))
    typed = typed_steps(given.clean_up)
    known_as = {str(image.metadata["name"]): size for image, size in zip(data.images, sizes, strict=True)}
    steps = steps_from_json(settings.get("clean_up", ())) if typed is None else steps_in_pixels(typed, lambda: known_as)
    classifier.set_params(clean_up=steps)
    contents = classifier.contents(
        named_classes(classifier.label_classes_, documents, given.classes),
        strokes={one: drawn for one, drawn in data.strokes.items() if drawn} if given.with_strokes else None,
        pixels=classifier.pixels_ if given.with_pixels else None,
    )
    save_model(given.output, contents)
    if not classifier.tells_classes_apart():
        print(f"squiggle: {ONE_CLASS}", file=sys.stderr)
    return 0


ONE_CLASS = (
    "The classifier cannot tell the classes apart: it takes every labelled pixel for the same class. "
    "Label pixels that look different, or let it see other features."
)
DEPTH = ("dimensions", "planes_around", "plane_distance")
FEATURE_OPTIONS = (
    *FEATURE_KINDS,
    "sigma_min",
    "sigma_max",
    "num_sigma",
    "channels",
    "standardise",
    "by_channel",
    "learned",
    *DEPTH,
)
FOREST_OPTIONS = ("kind", "n_estimators", "max_depth", "max_samples", "balance", "fine_trees", "random_state")


def chosen(given: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """The options among ``names`` that were typed."""
    return {name: getattr(given, name) for name in names if getattr(given, name) is not None}


def evaluate(given: Namespace) -> int:
    """Holds a classifier against masks of what is true, or against strokes that are held out."""
    from segmentation.cli import evaluate as of_files

    return of_files.on_strokes(given) if given.strokes else of_files.on_masks(given)


def objects(given: Namespace) -> int:
    """Measures the objects in segmentations."""
    from segmentation.cli import objects as of_files

    return of_files.objects(given)


def info(given: Namespace) -> int:
    """Tells what a classifier file holds."""
    from segmentation.model.modelfile import load_model

    contents = load_model(given.model)
    if given.json:
        print(json.dumps(facts(contents) | {"importance": _importance(contents)}))
    else:
        print(described(given.model.name, contents))
        for group, some in _importance(contents).items():
            print(f"{'importance':<12}by {group}: {', '.join(f'{name} {share:.0%}' for name, share in some.items())}")
    return 0


def _importance(contents: ModelContents) -> dict[str, dict[str, float]]:
    """How much features matter, by channel, kind and sigma."""
    from segmentation.assessment.importance import feature_importance, grouped_importance
    from segmentation.model.classifier import PixelClassifier

    return grouped_importance(feature_importance(PixelClassifier.from_contents(contents)))


def facts(contents: ModelContents) -> dict[str, Any]:
    """What a classifier file holds, with the keys of ``docs/modelfile.md``, those of what it lacks among them."""
    from segmentation.model.modelfile import model_facts

    lacks: dict[str, Any] = {"class_weights": None, "clean_up": [], "constants": None, "pixels": None}
    return lacks | model_facts(contents) | {"strokes": None if contents.strokes is None else len(contents.strokes)}


def described(name: str, contents: ModelContents) -> str:
    """What a classifier file holds, for people."""
    from segmentation.model.channels import learnt_channels

    spec, settings, forest, training = contents.spec, contents.settings, contents.forest, contents.training
    channels = counted(contents.channels, "channel") if contents.channels else "any number of channels"
    names = learnt_channels(training)
    called = f": {', '.join(names)}" if names else ""
    kinds = [kind for kind in FEATURE_KINDS if getattr(spec, kind)]
    learned = " and learned texture" * spec.learned
    trees = {
        "extra_trees": counted(forest.n_trees, "extremely randomised tree"),
        "random_forest": f"{counted(forest.n_trees, 'tree')} of a random forest",
    }[settings.kind]
    images = [
        f"{image['rows']} x {image['columns']} pixels, {counted(image['channels'], 'channel')}, "
        f"{image['dtype']}, {image['hash'][:12]}..."
        for image in training.get("images", [])
    ]
    labelled = training.get("labelled_pixels", {})
    lines = [
        ("classes", [f"{one.id} {one.name} {one.colour}" for one in contents.classes]),
        ("weights", [f"class {one} counts {weight:g} times" for one, weight in contents.class_weights.items()]),
        ("clean-up", [" ".join(step.to_text() for step in contents.clean_up)] if contents.clean_up else []),
        ("images", [f"with {channels}{called}"] + ["each relative to its mean and spread"] * spec.standardise),
        ("features", [f"{', '.join(kinds)} at sigma {' '.join(f'{sigma:g}' for sigma in spec.sigmas)}{learned}"]),
        ("", _of_depth(spec)),
        ("", _of_channels(spec, names)),
        ("forest", [f"{trees}, {counted(len(forest.feature), 'node')}, seed {settings.random_state}"]),
        ("trained on", images or ["rows of features"]),
        ("labelled", [f"{counted(count, 'pixel')} of class {class_id}" for class_id, count in labelled.items()]),
        ("strokes", [_along(None if contents.strokes is None else len(contents.strokes), "stroke")]),
        ("pixels", [_along(None if contents.pixels is None else len(contents.pixels.class_ids), "training pixel")]),
        ("versions", [", ".join(f"{program} {version}" for program, version in contents.versions.items())]),
    ]
    rows = [f"{title if first else '':<12}{entry}" for title, some in lines for first, entry in _marked(some)]
    return "\n".join([name, *rows])


def _of_depth(spec: FeatureSpec) -> list[str]:
    """Which planes of a stack are looked at, where it is more than one."""
    if spec.dimensions == 3:
        return [f"in 3 dimensions, of planes that lie {spec.plane_distance:g} pixels apart"]
    if spec.planes_around:
        return [f"of each plane and of {counted(spec.planes_around, 'plane')} above and below"]
    return []


def _of_channels(spec: FeatureSpec, names: tuple[str, ...] | None) -> list[str]:
    """Which channels are looked at, where not all are, and what for, where not for all."""
    called = dict(enumerate(names or ()))
    lines = []
    if spec.channels is not None:
        lines.append(f"of {', '.join(called.get(one, f'channel {one + 1}') for one in spec.channels)} only")
    for channel, kinds in dict(spec.by_channel or ()).items():
        lines.append(f"of {called.get(channel, f'channel {channel + 1}')} only {', '.join(kinds) or 'none'}")
    return lines


def _along(number: int | None, thing: str) -> str:
    if number is None:
        return "none travel along"
    return f"{counted(number, thing)} {'travels' if number == 1 else 'travel'} along"


def _marked(entries: list[str]) -> list[tuple[bool, str]]:
    return [(number == 0, entry) for number, entry in enumerate(entries)]


def export(given: Namespace) -> int:
    """Writes the forest of a classifier for other programs."""
    from segmentation.model.modelfile import load_model
    from segmentation.model.onnx_export import onnx_bytes

    given.onnx.write_bytes(onnx_bytes(load_model(given.model)))
    return 0
