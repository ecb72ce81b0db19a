"""What can be typed about objects and the clean-up before them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from segmentation.cli.paths import typed_path
from segmentation.io.pixel_size import parse_pixel_size

if TYPE_CHECKING:
    from segmentation.objects.sized import SizedStep
    from segmentation.objects.steps import CleanUpStep

Parsed = TypeVar("Parsed")

STEPS = (
    "fill_holes=AREA drop_small=AREA smooth=RADIUS drop_border@CLASS keep_border@CLASS split=EAGERNESS "
    "split_corners (4 neighbours instead of 8), in the order in which they are done; "
    "areas and radii in pixels, or in a unit: drop_small=5um2 smooth=2um; each for all "
    "classes, or for some: drop_small=20@1,2"
)


def add_objects(command: argparse.ArgumentParser) -> None:
    """The arguments of ``objects``."""
    command.add_argument(
        "segmentations",
        nargs="+",
        type=typed_path,
        metavar="SEGMENTATION",
        help="PNG or TIFF of class ids, also stacks",
    )
    command.add_argument(
        "--image",
        action="extend",
        nargs="+",
        type=typed_path,
        default=[],
        metavar="IMAGE",
        help="measure its values too; one a segmentation",
    )
    command.add_argument(
        "--class", dest="class_ids", type=int, action="append", metavar="ID", help="only this class; may be repeated"
    )
    add_clean_up(command)
    command.add_argument(
        "--connectivity",
        type=int,
        choices=(4, 8),
        default=8,
        help="how many neighbours a pixel is connected with (default: 8)",
    )
    add_pixel_size(command)
    files = command.add_argument_group("what is written")
    files.add_argument("--csv", type=typed_path, metavar="OUT", help="a table of all objects of all segmentations")
    files.add_argument("--labels", type=typed_path, metavar="OUT", help="a TIFF of the number of the object, uint32")
    files.add_argument("--ome", type=typed_path, metavar="OUT", help="an OME-TIFF of the class ids, with their names")
    files.add_argument("--geojson", type=typed_path, metavar="OUT", help="outlines, classes and measures, for QuPath")
    files.add_argument("--rois", type=typed_path, metavar="OUT", help="a zip of outlines, for ImageJ")
    files.add_argument(
        "--coco", type=typed_path, metavar="OUT", help="COCO JSON of all segmentations, to train networks"
    )


def add_pixel_size(command: argparse._ActionsContainer) -> None:
    """The option that says how large a pixel is."""
    command.add_argument(
        "--pixel-size",
        type=told(parse_pixel_size),
        metavar="SIZE",
        help="how large a pixel is, such as 0.325um or 0.3x0.4um, or with the distance of planes 0.3x0.3x2um, in place "
        "of what the images say",
    )


def add_clean_up(command: argparse._ActionsContainer, otherwise: str = "none") -> None:
    """The option that says how a segmentation is cleaned up; ``otherwise`` tells what is done without it."""
    command.add_argument(
        "--clean-up", nargs="+", metavar="STEP", help=f"steps, or none (default: {otherwise}): {STEPS}"
    )


def typed_steps(typed: Sequence[str] | None) -> tuple[CleanUpStep | SizedStep, ...] | None:
    """The steps that were typed; None if nothing was.

    Raises:
        ValueError: if one of them is not understood.
    """
    from segmentation.objects.sized import SizedStep

    if typed is None:
        return None
    return tuple(SizedStep.from_text(text) for text in typed if text != "none")


def told(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """What parses a text, with its sentence where it cannot."""

    def parsed(text: str) -> Parsed:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed
