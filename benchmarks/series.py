"""A whole series: against a plain loop, a gigapixel, a cluster, and how long it takes to start.

``python -m benchmarks.series`` prints the figures; ``--images 20 --side 8192`` makes it quicker.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tifffile
import zarr

from benchmarks.inputs import SAME_KINDS
from benchmarks.scribbles import Annotator
from segmentation import PixelClassifier, apply_series, load_classifier, rasterise, read_image

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(__file__).parent / "data"
COLOUR, GREY = "histology_purple.png", "nuclei_fluo_u16.tif"
MASKS = {COLOUR: "histology_purple.png", GREY: "nuclei_fluo_u16.png"}
SIDE = 1000
REFERENCE_IMAGES = 5
CHUNK = 1024


def trained(name: str) -> PixelClassifier:
    """The default forest on the features that scikit-image has too, trained on two strokes a class."""
    image, mask = read_image(DATA / "images" / name), read_image(DATA / "masks" / MASKS[name]).pixels
    labels = rasterise(Annotator(mask).draw(2, seed=0), image.shape)
    return PixelClassifier(SAME_KINDS, threads=2).fit(image, labels)


def mirrored(name: str, rows: int, columns: int) -> np.ndarray:
    """An image of ``benchmarks/data`` continued by its mirror images to any size."""
    pixels = read_image(DATA / "images" / name).pixels
    margins = [(0, max(0, wanted - length)) for wanted, length in zip((rows, columns), pixels.shape[:2], strict=True)]
    return np.pad(pixels, margins + [(0, 0)] * (pixels.ndim - 2), mode="symmetric")[:rows, :columns]


def make_series(folder: Path, count: int) -> None:
    """Images of 1 megapixel RGB, each shifted against the others."""
    folder.mkdir()
    pixels = mirrored(COLOUR, SIDE, SIDE)
    for number in range(count):
        tifffile.imwrite(folder / f"{number:03}.tif", np.roll(pixels, 7 * number, axis=1), photometric="rgb")


def seconds(work: Callable[[], Any]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def plain_loop(classifier: PixelClassifier, paths: list[Path], out: Path) -> None:
    """What people run otherwise: scikit-image's features, scikit-learn's forest (the very same trees), two cores."""
    from skimage.feature import multiscale_basic_features
    from skimage.io import imread

    forest = classifier.to_sklearn().set_params(n_jobs=2)
    spec = classifier.spec
    out.mkdir()
    for path in paths:
        features = multiscale_basic_features(
            imread(path), intensity=spec.intensity, edges=spec.edges, texture=spec.texture,
            sigma_min=spec.sigma_min, sigma_max=spec.sigma_max, workers=2, channel_axis=-1,
        )  # fmt: skip
        classes = forest.predict(features.reshape(-1, features.shape[-1])).astype(np.uint8)
        tifffile.imwrite(out / path.name, classes.reshape(features.shape[:2]), compression="zlib")


def series_row(desk: Path, images: int) -> dict[str, Any]:
    """Megapixels per second of a series with two local workers, and of the plain loop."""
    classifier = trained(COLOUR)
    classifier.save(desk / "colour.squiggle")
    make_series(desk / "images", images)
    run(
        desk, "apply", "colour.squiggle", "images/000.tif", "-o", "once", "--quiet"
    )  # kernels are compiled once for ever
    arguments = ["apply", "colour.squiggle", "images", "-o", "out", "--workers", "2", "--threads", "2", "--quiet"]
    ours = seconds(lambda: run(desk, *arguments))
    few = sorted((desk / "images").iterdir())[: min(images, REFERENCE_IMAGES)]
    reference = seconds(lambda: plain_loop(classifier, few, desk / "plain"))
    megapixels = SIDE * SIDE / 1e6
    return {
        "figure": f"series of {images} images of 1 megapixel RGB, 72 features, two workers",
        "ours": images * megapixels / ours,
        "reference": len(few) * megapixels / reference,
        "unit": "megapixels/s",
        "goal": "8x",
    }


def run(desk: Path, *arguments: str) -> int:
    """A command in a process of its own; the peak memory in bytes of the process that took most."""
    command = [sys.executable, "-m", "segmentation", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    peak = 0
    with subprocess.Popen(command, cwd=desk, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


def peak_memory(pid: int) -> int:
    """The most bytes that a process, or one that it started, has held so far."""
    peaks = []
    children = [Path(f"/proc/{child}") for child in started_by(pid)]
    for process in (Path(f"/proc/{pid}"), *children):
        lines = read(process / "status").splitlines()
        peaks += [1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return max(peaks, default=0)


def started_by(pid: int) -> list[str]:
    """The processes that any thread of a process started."""
    return [child for listing in Path(f"/proc/{pid}/task").glob("*/children") for child in read(listing).split()]


def read(path: Path) -> str:
    """What the system tells of a process, nothing if it has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def make_large(path: Path, side: int) -> None:
    """A square Zarr array of 16-bit grey, written chunk by chunk."""
    tile = mirrored(GREY, CHUNK, CHUNK)
    array = zarr.create_array(path, shape=(side, side), chunks=(CHUNK, CHUNK), dtype=tile.dtype)
    for row in range(0, side, CHUNK):
        for column in range(0, side, CHUNK):
            part = np.roll(tile, (row // 64, column // 64), axis=(0, 1))
            array[row : row + CHUNK, column : column + CHUNK] = part[: side - row, : side - column]


def large_rows(desk: Path, side: int) -> list[dict[str, Any]]:
    """Peak memory and speed on a large Zarr array with two local workers."""
    trained(GREY).save(desk / "grey.squiggle")
    make_large(desk / "large.zarr", side)
    arguments = ["apply", "grey.squiggle", "large.zarr", "-o", "out", "--workers", "2", "--threads", "2", "--quiet"]
    begun = time.perf_counter()
    peak = run(desk, *arguments)
    taken = time.perf_counter() - begun
    name = f"Zarr array of {side * side / 1e9:.2f} gigapixel, 16-bit grey, 24 features, two workers"
    return [
        row(f"{name}: peak memory of a process", peak / 1e9, "GB", "1.2 GB"),
        row(f"{name}: speed", side * side / 1e6 / taken, "megapixels/s", ""),
    ]


def cluster_row(desk: Path, images: int) -> dict[str, Any]:
    """A cluster of two single-thread workers against one of one: the best of three times each, taken in turn.

    The reference is two clusters of one that share the images and nothing else: what two cores give at all.
    """
    few = [str(path) for path in sorted((desk / "images").iterdir())[:images]]
    taken: dict[tuple[int, ...], float] = {}
    for turn, clusters in enumerate(((1,), (2,), (1, 1)) * 3):
        seconds_taken = cluster_seconds(desk, few, clusters, turn)
        taken[clusters] = min(taken.get(clusters, seconds_taken), seconds_taken)
    name = f"Dask, {len(few)} images, two single-thread workers against one (reference: two clusters of one worker)"
    return row(name, taken[1,] / taken[2,], "x", "1.7x") | {"reference": taken[1,] / taken[1, 1]}


def cluster_seconds(desk: Path, images: list[str], clusters: tuple[int, ...], turn: int) -> float:
    """How long clusters of so many single-thread workers take for equal parts of images.

    Before its time is taken each worker has segmented an image, so that what is compared is work and not loading.
    """
    from distributed import Client, LocalCluster

    classifier = desk / "colour.squiggle"
    with ExitStack() as stack:
        clients = []
        for workers in clusters:
            cluster = stack.enter_context(LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0"))
            clients.append(stack.enter_context(Client(cluster, set_as_default=False)))
            clients[-1].run(warm_up, str(classifier), images[0])

        def apply(number: int) -> None:
            part, out = images[number :: len(clients)], desk / f"cluster{turn}.{number}"
            apply_series(classifier, part, out, client=clients[number])

        with ThreadPoolExecutor(len(clients)) as pool:
            return seconds(lambda: list(pool.map(apply, range(len(clients)))))


def warm_up(classifier: str, image: str) -> None:
    """Segment an image, on a worker: loads what that needs."""
    load_classifier(classifier, threads=1).predict(read_image(image))


def start_rows(desk: Path, times: int = 5) -> list[dict[str, Any]]:
    """How long ``info`` and ``apply`` on one small image take, imports included."""
    tifffile.imwrite(desk / "small.tif", mirrored(COLOUR, 128, 128), photometric="rgb")
    info = [seconds(lambda: run(desk, "info", "colour.squiggle", "--json")) for _ in range(times)]
    apply = [
        seconds(lambda number=number: run(desk, "apply", "colour.squiggle", "small.tif", "-o", f"s{number}", "--quiet"))
        for number in range(times)
    ]
    return [
        row("start: info", median(info), "s", "1 s"),
        row("start: apply to an image of 128 x 128", median(apply), "s", "3 s"),
    ]


def row(figure: str, ours: float, unit: str, goal: str) -> dict[str, Any]:
    """A figure that has nothing to be held against."""
    return {"figure": figure, "ours": ours, "reference": None, "unit": unit, "goal": goal}


def series_rows(images: int = 100, side: int = 31_623, cluster_images: int = 40) -> list[dict[str, Any]]:
    """The figures of series: figure, ours, reference, unit, goal.

    Args:
        images: number of images of the series.
        side: rows and columns of the large array.
        cluster_images: number of images for the cluster.
    """
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        return [
            series_row(desk, images),
            *start_rows(desk),
            cluster_row(desk, min(images, cluster_images)),
            *large_rows(desk, side),
        ]


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=100)
    options.add_argument("--side", type=int, default=31_623)
    given = options.parse_args()
    for one in series_rows(given.images, given.side):
        against = "" if one["reference"] is None else f", reference {one['reference']:.2f}"
        print(f"{one['figure']}: {one['ours']:.2f} {one['unit']}{against} (goal: {one['goal'] or 'none'})")


if __name__ == "__main__":
    main()
