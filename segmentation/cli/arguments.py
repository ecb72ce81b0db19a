"""What can be typed after ``squiggle`` or ``python -m segmentation``, and the help that a person learns it from."""

from __future__ import annotations

import argparse
import re
from typing import Any

from segmentation.cli.objects_arguments import add_clean_up, add_objects, add_pixel_size, told
from segmentation.cli.paths import typed_path
from segmentation.io.pixel_size import parse_length
from segmentation.version import __version__

_DESCRIPTION = """\
Train a pixel classifier on a few squiggles, and segment a whole series with it: the same bytes as on the page.

A first walk:
  %(prog)s train cells.tif --labels labels.png -o cells.squiggle
  %(prog)s apply cells.squiggle 'images/*.tif' -o out/
  %(prog)s evaluate cells.squiggle test.tif test_mask.png
  %(prog)s evaluate cells.squiggle --strokes strokes.json cells.tif
"""

_APPLY = """\
Segment images with a classifier. For each image there is DIR/<stem>.tif in the end, whose pixels are class ids
(uint8); a stack of images becomes a stack; a Zarr array becomes DIR/<stem>.zarr. Where two images have the same stem,
their results get longer names (day1_cell.tif, day2_cell.tif).

If it is interrupted, type the same again: what is finished is not made again, nothing half-written is ever in its
place, and results are never taken for images. An image that cannot be read, or one of a stack, is told at the end, and
stops nothing; the exit status is 1 then.
"""

_APPLY_EXAMPLES = """\
examples:
  apply cells.squiggle images/ -o out/                  all images in a folder
  apply cells.squiggle 'day?/**/*.tif' -o out/ --csv    all TIFFs in folders of folders, and a table of class shares
  apply cells.squiggle *.png -o out/ --overlay --workers 4
  apply cells.squiggle slide.zarr -o out/ --scheduler tcp://head:8786
"""

_TRAIN = """\
Train a classifier on an image and labels: an image file of the same size whose pixels are class ids (0 = unlabelled),
or the strokes that the page exports. Strokes bring along names and colours of the classes and all settings, so that
the classifier is the one of the page to the byte; what is given here goes before. With several images, give as many
label files in the same order, and with a stack of images a stack of labels; strokes know their image by its content.
"""

_EVALUATE = """\
Segment images and hold the result against masks of what is true, whose pixels are class ids (0 = not known, which is
not counted). Tells intersection over union (IoU) and F1 of each class and their means, and how often each class was
taken for which, over all images together. A stack of images and a stack of masks belong together page by page.

With --strokes there need be no masks: whole strokes are held out in turn, and looked at by a forest with the features
and settings of the classifier that has learnt from the other strokes only. Tells the same, the uncertainty of the mean,
and how good it was after fewer strokes: the numbers of the page.
"""

_OBJECTS = """\
Measure the objects in segmentations, the connected parts of a class: area, diameters, perimeter, shape, place, and of
an image the values in each. SEGMENTATION is a file whose pixels are class ids, such as those that apply writes. Tells
what was found of each class; the options say which files are written.
"""

_OBJECTS_EXAMPLES = """\
examples:
  objects cells.tif --image cells_raw.tif --class 2 --csv objects.csv
  objects out/*.tif --clean-up drop_small=20 split=0.7 --csv objects.csv
  objects cells.tif --geojson cells.geojson --pixel-size 0.325um      to open in QuPath
"""

FEATURE_KINDS = {
    "intensity": "the smoothed image",
    "edges": "its gradient magnitude",
    "texture": "the eigenvalues of its Hessian",
    "differences": "its differences between scales, and the sum of the eigenvalues",
    "colour": "ratios of channels and, of three channels, CIE Lab",
}
"""The kinds of features that can be switched on and off, and what they are."""

_INFO = "Tell what a classifier file holds: classes, features, forest, and what it was trained on."
_EXPORT = "Write the forest of a classifier for other programs. Its input are rows of features, float32."


def parser(program: str = "python -m segmentation", *, command_required: bool = True) -> argparse.ArgumentParser:
    """The parser of all commands.

    Args:
        program: what is typed before them.
        command_required: whether nothing else can be typed.
    """
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(program, description=_DESCRIPTION, formatter_class=raw)
    top.add_argument("--version", action="version", version=f"Squiggle {__version__}")
    commands = top.add_subparsers(dest="command", required=command_required, metavar="COMMAND", title="commands")

    def add(name: str, summary: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=description, epilog=epilog, formatter_class=raw)

    _add_apply(add("apply", "segment images, stacks and Zarr arrays with a classifier", _APPLY, _APPLY_EXAMPLES))
    _add_train(add("train", "train a classifier on images and labels", _TRAIN))
    _add_evaluate(add("evaluate", "hold a classifier against masks of what is true, or held-out strokes", _EVALUATE))
    add_objects(add("objects", "measure the objects in segmentations", _OBJECTS, _OBJECTS_EXAMPLES))
    info = add("info", "tell what a classifier file holds", _INFO)
    _add_model(info)
    info.add_argument("--json", action="store_true", help="as JSON, with the keys of docs/modelfile.md")
    export = add("export", "write the forest for other programs", _EXPORT)
    _add_model(export)
    export.add_argument("--onnx", type=typed_path, required=True, metavar="OUT", help="the ONNX file to write")
    return top


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=typed_path, metavar="MODEL", help="a classifier file (.squiggle)")


def _add_threads(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help="threads in all (default: the cores); results do not depend on it",
    )


def _add_engine(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--engine",
        choices=("compiled", "reference"),
        default="compiled",
        help="reference: scikit-image and NumPy instead of compiled code; the same results, a hundred times slower",
    )


def _add_class_weights(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--class-weight",
        dest="class_weights",
        type=_weight,
        action="append",
        default=[],
        metavar="ID=WEIGHT",
        help="multiply the probability of a class with this, 0.01 to 100: more of it above 1; once for each class",
    )


def _add_after_the_forest(command: argparse._ActionsContainer, otherwise: str) -> None:
    """What is made of what the forest finds; ``otherwise`` tells the steps of a clean-up if none are typed."""
    _add_class_weights(command)
    add_clean_up(command, otherwise)


def _add_map(command: argparse.ArgumentParser, files: str, zero: str) -> None:
    command.add_argument(
        "--map",
        type=_mapped,
        metavar="VALUE=CLASS,...",
        help=f"what the values of the {files} stand for, such as 0=2,255=1 (0 as a class: {zero})",
    )


def _add_apply(command: argparse.ArgumentParser) -> None:
    _add_model(command)
    command.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="image files, TIFF stacks, Zarr arrays or OME-Zarr images, folders, or globs ('**' for any folders)",
    )
    command.add_argument("-o", "--output", type=typed_path, required=True, metavar="DIR", help="where results appear")
    _add_after_the_forest(command, "those of the classifier")
    extras = command.add_argument_group("written beside the class ids")
    extras.add_argument("--png", action="store_true", help="<stem>.png: class ids in the colours of the classes")
    extras.add_argument("--overlay", action="store_true", help="<stem>.overlay.png: the classes painted over the image")
    extras.add_argument(
        "--probabilities",
        action="store_true",
        help="<stem>.probabilities.tif (or .zarr): a float32 plane for each class",
    )
    extras.add_argument(
        "--objects",
        action="store_true",
        help="<stem>.objects.csv, .tif (their numbers, uint32) and .geojson, and objects.csv of all images",
    )
    extras.add_argument(
        "--report",
        type=typed_path,
        metavar="OUT.html",
        help="one HTML file that shows images, classes, objects, and how it was done; prints well",
    )
    extras.add_argument("--csv", action="store_true", help="shares.csv: the share of each class in each image")
    _add_running(command.add_argument_group("how it runs"))
    told = command.add_mutually_exclusive_group()
    told.add_argument("--quiet", action="store_true", help="tell only of images that could not be segmented")
    told.add_argument("--json", action="store_true", help="tell on stdout what happens, one JSON object a line")


def _add_running(how: argparse._ActionsContainer) -> None:
    how.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="processes that share the images (default: 1)"
    )
    _add_threads(how)
    _add_engine(how)
    how.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="let the workers of a Dask cluster do it; they must see images and DIR under the same paths",
    )
    add_pixel_size(how)
    how.add_argument(
        "--only-here",
        nargs="+",
        type=typed_path,
        default=[],
        metavar="STROKES.json",
        help="segment the images that these strokes were drawn on only within the outlines of “Only here” in them",
    )
    how.add_argument(
        "--corrections",
        nargs="+",
        type=typed_path,
        default=[],
        metavar="CORRECTIONS.json",
        help="paint these into the results of the images that they were painted on, after the clean-up, as on the page",
    )
    how.add_argument(
        "--axes",
        metavar="ZYX",
        help="what the axes of Zarr arrays are, if they do not say it themselves: y and x, c for channels, any other "
        "letter for stacks",
    )


def _add_train(command: argparse.ArgumentParser) -> None:
    command.add_argument("images", nargs="+", type=typed_path, metavar="IMAGE", help="the image or images")
    command.add_argument("-o", "--output", type=typed_path, required=True, metavar="MODEL", help="the file to write")
    command.add_argument(
        "--labels",
        nargs="+",
        type=typed_path,
        default=[],
        metavar="LABELS",
        help="PNG or TIFF of class ids, one an image",
    )
    _add_map(command, "labels", "unlabelled")
    command.add_argument(
        "--strokes",
        nargs="+",
        type=typed_path,
        default=[],
        metavar="STROKES.json",
        help="painted over the labels, if any",
    )
    command.add_argument(
        "--class",
        dest="classes",
        type=_class,
        action="append",
        default=[],
        metavar="ID=NAME[,#COLOUR]",
        help="name a class, and perhaps give it a colour; once for each: --class 1=void --class '2=grain,#0072b2'",
    )
    _add_after_the_forest(command, "those of the strokes")
    along = command.add_argument_group("travels along in the file, so that training can go on from it")
    along.add_argument("--with-strokes", action="store_true", help="what was drawn, to go on with the same images")
    along.add_argument(
        "--with-pixels",
        action="store_true",
        default=True,
        help="the features of the pixels that were learnt from, to go on without the images; so it is without a word",
    )
    along.add_argument(
        "--without-pixels", dest="with_pixels", action="store_false", help="then it can be replaced, but not corrected"
    )
    _add_features(command)
    forest = command.add_argument_group("forest")
    forest.add_argument("--kind", choices=("extra_trees", "random_forest"), help="how trees are grown")
    forest.add_argument("--trees", dest="n_estimators", type=int, metavar="N", help="number of trees")
    forest.add_argument("--max-depth", type=int, metavar="N", help="comparisons between root and leaf")
    forest.add_argument("--max-samples", type=float, metavar="SHARE", help="share of the pixels that each tree sees")
    forest.add_argument("--balance", type=float, metavar="0..1", help="1: as many pixels of each class; 0: as labelled")
    forest.add_argument("--fine-trees", type=float, metavar="SHARE", help="trees that see sigmas up to 4 only, 0 to 1")
    forest.add_argument("--seed", dest="random_state", type=int, metavar="N", help="of all that is drawn by lot")
    _add_threads(forest)
    _add_engine(forest)


def _add_features(command: argparse.ArgumentParser) -> None:
    features = command.add_argument_group("features (defaults: those of the strokes, or else all up to sigma 16)")
    for kind, what in FEATURE_KINDS.items():
        features.add_argument(f"--{kind}", action=argparse.BooleanOptionalAction, help=what)
    features.add_argument(
        "--standardise",
        action=argparse.BooleanOptionalAction,
        help="brightness or colour differs between images: each channel is taken relative to its mean and spread",
    )
    features.add_argument(
        "--learned",
        action=argparse.BooleanOptionalAction,
        help="learned texture: what a small network trained on photographs says of the surroundings; for materials and"
        " other textures, at about twice the time",
    )
    lengths: dict[str, Any] = {"type": told(parse_length), "metavar": "LENGTH"}
    features.add_argument("--sigma-min", **lengths, help="smallest scale, in pixels, or with a unit such as 0.3um")
    features.add_argument("--sigma-max", **lengths, help="largest scale, likewise")
    add_pixel_size(features)
    features.add_argument(
        "--dimensions",
        type=int,
        choices=(2, 3),
        help="3: features of a volume, smoothed and derived along its planes too; for stacks",
    )
    features.add_argument(
        "--planes-around",
        type=int,
        metavar="N",
        help="of stacks, take also the features of so many planes above and below: faster than 3 dimensions",
    )
    features.add_argument(
        "--spacing",
        dest="plane_distance",
        **lengths,
        help="with --dimensions 3, how far planes lie apart, in pixels or with a unit; else as the images say, or 1",
    )
    features.add_argument("--num-sigma", type=int, metavar="N", help="number of scales; else each is twice the former")
    features.add_argument(
        "--by-channel",
        type=_kinds_of_channel,
        action="append",
        metavar="3=KIND,...",
        help="of this channel look at these kinds only, such as 3=intensity,edges; once for each channel",
    )
    features.add_argument("--channels", type=_channels, metavar="1,3", help="use only these channels, counted from 1")


def _add_evaluate(command: argparse.ArgumentParser) -> None:
    _add_model(command)
    command.add_argument(
        "images",
        nargs="+",
        type=typed_path,
        metavar="IMAGE MASK",
        help="an image and its mask, and perhaps more such pairs",
    )
    command.add_argument(
        "--strokes",
        action="append",
        type=typed_path,
        default=[],
        metavar="STROKES.json",
        help="hold strokes out instead: the images stand alone; once for each file of strokes",
    )
    _add_map(command, "masks", "not known")
    _add_class_weights(command)
    command.add_argument("--json", action="store_true", help="as JSON")
    _add_threads(command)
    _add_engine(command)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _kinds_of_channel(text: str) -> tuple[int, list[str]]:
    channel, equals, kinds = text.partition("=")
    some = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    if not equals or not set(some) <= set(FEATURE_KINDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 3=intensity,edges, of {', '.join(FEATURE_KINDS)}")
    return _positive(channel.strip()) - 1, some


def _channels(text: str) -> tuple[int, ...]:
    return tuple(_positive(part.strip()) - 1 for part in text.split(","))


def _class(text: str) -> tuple[int, str, str | None]:
    found = re.fullmatch(r"(\d{1,3})=(.+?)(?:,(#[0-9a-fA-F]{6}))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 1=void or '1=void,#e69f00'")
    return int(found[1]), found[2], found[3]


def _weight(text: str) -> tuple[int, float]:
    found = re.fullmatch(r"(\d{1,3})=(\d{1,3}(?:\.\d+)?|\.\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 2=1.5")
    return int(found[1]), float(found[2])


def _mapped(text: str) -> dict[int, int]:
    pairs = [re.fullmatch(r"\s*(-?\d{1,10})=(\d{1,3})\s*", part) for part in text.split(",")]
    if not all(pairs) or any(int(pair[2]) > 255 for pair in pairs if pair):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 0=2,255=1")
    return {int(pair[1]): int(pair[2]) for pair in pairs if pair}
