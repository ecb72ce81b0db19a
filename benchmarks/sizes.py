"""Speed and peak memory as an image grows, from 16 megapixels to 10 gigapixels.

The image is RGB, with 72 features, in an OME-Zarr group and in a tiled TIFF. Both are synthetic: the chunks of a row
are one file with many names, and all tiles of the TIFF lie at one place, so that ten gigapixels are made in seconds and
take little room. What is read and decoded is as much as of any other image. A process of its own segments the tile in
the middle, which is what a person waits for, and then blocks that are evenly spread over the image.

``python -m benchmarks.sizes`` prints the figures; ``--gigapixels 1`` makes the largest smaller.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr

from benchmarks.series import COLOUR, ROOT, mirrored, peak_memory, row, trained

SIDES = (4096, 16_384, 32_768, 102_400)
"""Rows and columns: 17 and 268 megapixels, 1.07 and 10.5 gigapixels."""

CHUNK = 512
BLOCK = 1024
BLOCKS = 8
"""How many blocks are segmented, whatever the size."""


def make_zarr(path: Path, side: int) -> None:
    """An OME-Zarr group whose chunks are links to a few, and levels until one fits a screen."""
    pixels = np.moveaxis(mirrored(COLOUR, CHUNK, CHUNK), -1, 0)
    sides = [side]
    while sides[-1] > 2 * CHUNK:
        sides.append(-(-sides[-1] // 2))
    datasets = [
        {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [1.0, 2.0**n, 2.0**n]}]}
        for n in range(len(sides))
    ]
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    group = zarr.create_group(path, zarr_format=3, attributes={"ome": ome})
    for level, length in enumerate(sides):
        array = group.create_array(str(level), shape=(3, length, length), chunks=(3, CHUNK, CHUNK), dtype="uint8")
        array[:, :CHUNK, :CHUNK] = pixels[:, :length, :length]
        first, count = path / f"{level}/c/0/0/0", -(-length // CHUNK)
        for line in range(count):
            (path / f"{level}/c/0/{line}").mkdir(exist_ok=True)
            own = path / f"{level}/c/0/{line}/0"
            if line:  # a file can have some ten thousand links: each line of chunks has its own
                own.write_bytes(first.read_bytes())
            for column in range(1, count):
                os.link(own, path / f"{level}/c/0/{line}/{column}")


def make_tiff(path: Path, side: int) -> None:
    """A tiled BigTIFF, compressed by deflate, all of whose tiles lie at the same place."""
    tile = mirrored(COLOUR, CHUNK, CHUNK)
    tifffile.imwrite(path, tile, photometric="rgb", tile=(CHUNK, CHUNK), compression="zlib", bigtiff=True)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        start, size = page.dataoffsets[0], page.databytecounts[0]
    data = path.read_bytes()[start : start + size]
    count = (-(-side // CHUNK)) ** 2
    offsets = 16 + len(data)
    sizes = offsets + 8 * count
    directory = sizes + 8 * count
    tags = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, struct.pack("<HHHxx", 8, 8, 8)), (259, 3, 1, 8),
        (262, 3, 1, 2), (277, 3, 1, 3), (284, 3, 1, 1), (322, 3, 1, CHUNK), (323, 3, 1, CHUNK),
        (324, 16, count, offsets), (325, 16, count, sizes),
    ]  # fmt: skip
    with path.open("wb") as out:
        out.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, directory) + data)
        out.write(np.full(count, 16, "<u8").tobytes() + np.full(count, len(data), "<u8").tobytes())
        out.write(struct.pack("<Q", len(tags)))
        for tag, kind, values, value in tags:
            packed = value if isinstance(value, bytes) else struct.pack("<Q", value)
            out.write(struct.pack("<HHQ", tag, kind, values) + packed)
        out.write(struct.pack("<Q", 0))
        out.truncate(max(out.tell(), count * len(data) // 8 + 1))  # room that is claimed and not taken


def segment(kind: str, path: str, model: str) -> None:
    """What the process of its own does: it prints seconds and megapixels as JSON."""
    from segmentation import load_classifier
    from segmentation._shared.tiling import Window
    from segmentation.io.tiff_pyramid import open_tiff_pyramid
    from segmentation.io.zarr_pyramid import open_pyramid
    from segmentation.series.model import Model

    classifier = load_classifier(model, threads=2)
    ready = Model.from_classifier(classifier, 2)
    warm = np.ascontiguousarray(mirrored(COLOUR, 300, 300))
    classifier.predict(warm)
    begun = time.perf_counter()
    opened = open_tiff_pyramid(Path(path)) if kind == "tiff" else open_pyramid(Path(path))

    def work(row_start: int, column_start: int, side: int) -> None:
        window = Window(slice(row_start, row_start + side), slice(column_start, column_start + side))
        image, inner = opened.block(window, classifier.spec.halo)
        ready.segment(image, inner, False)

    middle = opened.shape[0] // 2 // 256 * 256
    work(middle, middle, 256)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    for number in range(BLOCKS):
        place = (opened.shape[0] - BLOCK) * number // (BLOCKS - 1)
        work(place, (opened.shape[1] - BLOCK) * (number * 5 % BLOCKS) // (BLOCKS - 1), BLOCK)
    taken = time.perf_counter() - begun
    print(json.dumps({"first": first, "speed": BLOCKS * BLOCK**2 / 1e6 / taken, "memory": peak_memory(os.getpid())}))


def size_rows(sides: tuple[int, ...] = SIDES) -> list[dict[str, Any]]:
    """The figures: figure, ours, reference, unit, goal; the reference of a size is the smallest one."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        trained(COLOUR).save(desk / "model.squiggle")
        make_zarr(desk / "warm", SIDES[0])
        _measured("zarr", desk / "warm", desk / "model.squiggle")  # kernels are compiled once for ever
        for kind, make in (("OME-Zarr", make_zarr), ("tiled TIFF", make_tiff)):
            smallest: dict[str, float] = {}
            for side in sides:
                path = desk / f"{kind}-{side}"
                make(path, side)
                found = _measured("tiff" if kind == "tiled TIFF" else "zarr", path, desk / "model.squiggle")
                smallest = smallest or found
                rows += _rows(f"{kind} of {side * side / 1e6:,.0f} megapixels", found, smallest)
    return rows


def _measured(kind: str, path: Path, model: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.sizes", "--segment", kind, str(path), str(model)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _rows(name: str, found: dict[str, float], smallest: dict[str, float]) -> list[dict[str, Any]]:
    grown = found["memory"] / smallest["memory"]
    return [
        row(f"{name}: opened, first tile segmented", found["first"], "s", "1 s"),
        row(f"{name}: speed", found["speed"], "megapixels/s", ""),
        row(f"{name}: peak memory", found["memory"] / 1e6, "MB", ""),
        row(f"{name}: peak memory against the smallest", grown, "x", "1.1x"),
    ]


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gigapixels", type=float, default=SIDES[-1] ** 2 / 1e9)
    options.add_argument("--segment", nargs=3, metavar=("KIND", "PATH", "MODEL"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.segment:
        segment(*given.segment)
        return
    for one in size_rows(tuple(side for side in SIDES if side * side <= given.gigapixels * 1.01e9)):
        print(f"{one['figure']}: {one['ours']:.2f} {one['unit']} (goal: {one['goal'] or 'none'})")


if __name__ == "__main__":
    main()
