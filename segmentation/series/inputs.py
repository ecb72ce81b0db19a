"""The images of a series: files, folders and globs are expanded, and each image gets a name for its results."""

from __future__ import annotations

import glob
import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

from segmentation._shared.text import natural_key
from segmentation.io.addresses import AddressPath, image_path
from segmentation.io.block_images import open_block_images
from segmentation.io.limits import PageError, PassingError, may_pass, unread
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_pages
from segmentation.io.tiff_images import is_large_tiff
from segmentation.io.zarr_documents import MARKS
from segmentation.io.zipped_zarr import ZIPPED_ZARR, is_zipped_zarr
from segmentation.series.results import EarlierResults

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".czi", ".nd2", ".lif", ".dcm", ".nii", ".nii.gz"}
)
"""Suffixes of the files that are used of a folder."""

READ_SUFFIXES = IMAGE_SUFFIXES | {".h5", ".hdf5"}
"""Suffixes of the files that are read; in a folder HDF5 is mostly something else, and is used if somebody names it."""


def image_suffix(path: PurePath) -> str:
    """The suffix of a path, in small letters; of ``a.nii.gz`` both parts."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def find_images(patterns: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The images that patterns name, each once, in the order of the patterns.

    Those of a folder or a glob are in natural order: ``slice2.tif`` comes before ``slice10.tif``. What a run wrote,
    into whatever folder, is not among them, so that the same patterns always mean the same images.

    Args:
        patterns: one or several files, Zarr arrays, also by their addresses (https, http, s3), folders (all images
            right in them), and globs such as ``"day?/**/*.tif"``, in which ``**`` stands for any folders; ``~`` stands
            for the home folder. What is not found is passed on: reading it will say so.

    Raises:
        ValueError: if there are none, or a folder has none.
    """
    found: dict[Path, None] = {}
    for pattern in [patterns] if isinstance(patterns, str | os.PathLike) else patterns:
        for path in _expanded(os.fspath(pattern)):
            found.setdefault(path if isinstance(path, AddressPath) else Path(os.path.abspath(path)))
    if not found:
        raise ValueError("Name at least one image.")
    results = EarlierResults()
    images = [path for path in found if path not in results]
    if not images:
        raise ValueError(f"{next(iter(found))} is the result of an earlier run: name the images themselves.")
    return images


def _expanded(pattern: str) -> Sequence[Path]:
    if isinstance(address := image_path(pattern), AddressPath):
        return [address]
    if not os.path.lexists(pattern):
        pattern = os.path.expanduser(pattern)
    path = Path(pattern)
    if is_zarr(path):
        return [path]
    if os.path.isdir(path):
        try:
            entries = sorted(path.iterdir(), key=natural_path)
        except OSError as error:
            raise ValueError(f"The folder {path} cannot be read: {error.strerror}.") from error
        images = [entry for entry in entries if not entry.name.startswith(".") and _is_image(entry)]
        if not images:
            raise ValueError(f"There is no image in the folder {path}.")
        return images
    matches = [] if os.path.lexists(path) else sorted(map(Path, expand_glob(pattern)), key=natural_path)
    return [match for match in matches if not os.path.isdir(match) or _is_image(match)] or [path]


def natural_path(path: Path) -> list[Any]:
    """What paths are sorted by so that ``slice2.tif`` comes before ``slice10.tif``."""
    return [natural_key(part) for part in path.parts]


def expand_glob(pattern: str) -> Iterator[str]:
    """The paths that a glob matches; folders that links lead to again are entered once, so that no loop has no end."""
    parts = Path(pattern).parts
    if "**" not in parts:
        yield from glob.glob(pattern)
        return
    deep = parts.index("**")
    rest = os.path.join(*parts[deep + 1 :]) if parts[deep + 1 :] else "*"
    tops = glob.glob(os.path.join(*parts[:deep])) if deep else ["."]
    for folder in _folders_below(tops):
        yield from expand_glob(os.path.join(glob.escape(folder), rest))


def _folders_below(tops: Iterable[str]) -> Iterator[str]:
    """Folders and all that are in them but hidden ones, those that links lead to after the others, each once."""
    seen: set[tuple[int, int]] = set()
    waiting = deque(tops)
    while waiting:
        for folder, inside, _ in os.walk(waiting.popleft()):
            state = os.stat(folder)
            if (state.st_dev, state.st_ino) in seen:
                inside.clear()
                continue
            seen.add((state.st_dev, state.st_ino))
            inside[:] = sorted(name for name in inside if not name.startswith("."))
            waiting += [place for name in inside if os.path.islink(place := os.path.join(folder, name))]
            yield folder


def _is_image(path: Path) -> bool:
    """Whether a path looks like an image; a folder that is only named like one is told when it is read."""
    return image_suffix(path) in IMAGE_SUFFIXES or is_zarr(path)


def is_zarr(path: Path) -> bool:
    """Whether a path is a Zarr array or group, or a zipped one; at an address nothing else is looked for."""
    return isinstance(path, AddressPath) or is_zipped_zarr(path) or any(os.path.isfile(path / mark) for mark in MARKS)


def goes_by_blocks(path: Path) -> bool:
    """Whether an image is segmented block by block: a Zarr array, or a TIFF that is too large to be read whole."""
    return is_zarr(path) or is_large_tiff(path)


def name_results(paths: Sequence[Path]) -> list[str]:
    """A name for the results of each image: its stem or, where that is not unique, as much more as makes it so.

    ``day1/cell.tif`` and ``day1/cell.png`` become ``cell.tif`` and ``cell.png``, ``day1/cell.tif`` and
    ``day2/cell.tif`` become ``day1_cell.tif`` and ``day2_cell.tif``. Neither the order of the images nor those with
    other stems matter. Capitals do not count, since not all file systems distinguish them.

    Args:
        paths: absolute, each once.
    """
    lengths = [0] * len(paths)
    while True:
        names = [_name(path, length) for path, length in zip(paths, lengths, strict=True)]
        uses = Counter(name.casefold() for name in names)
        clashing = [index for index, name in enumerate(names) if uses[name.casefold()] > 1]
        longer = [index for index in clashing if lengths[index] < len(paths[index].parts)]
        if not longer:
            return [
                name if index not in clashing else f"{name}_{clashing.index(index) + 1}"
                for index, name in enumerate(names)
            ]
        for index in longer:
            lengths[index] += 1


def _name(path: Path, length: int) -> str:
    """The stem of a path, or, from length 1 on, the last ``length`` parts of it."""
    if length > 0:
        return "_".join(part.strip("/\\:") for part in path.parts[-length:])
    if not is_zarr(path):
        return path.name[: -len(image_suffix(path))] if image_suffix(path) in READ_SUFFIXES else path.stem
    inside = [parent for parent in path.parents if parent.suffix == ".zarr"]
    store = inside[-1] if inside else path
    name = store.name.removesuffix(".zarr").removesuffix(".ome")
    return "_".join([name.removesuffix(ZIPPED_ZARR), *path.relative_to(store).parts])


def stamp(path: Path) -> dict[str, Any]:
    """Identifies the state of an image: its path, size and time of change; at an address its metadata.

    Raises:
        OSError: if it cannot be accessed.
        ImageError: if an address does not answer as it should.
    """
    if isinstance(path, AddressPath):
        from segmentation.io.zarr_images import open_node

        metadata = json.dumps(open_node(path, path.name).metadata.to_dict(), default=str, sort_keys=True)
        return {"path": str(path), "metadata": sha256(metadata.encode()).hexdigest()}
    state = path.stat()
    size, modified = state.st_size, state.st_mtime_ns
    if path.is_dir():
        states = [os.stat(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names]
        size, modified = sum(one.st_size for one in states), max((one.st_mtime_ns for one in states), default=modified)
    return {"path": str(path), "bytes": size, "modified_ns": modified}


def pixel_sizes(
    paths: Iterable[Path], given: PixelSize | None = None, axes: str | None = None
) -> dict[str, PixelSize | None]:
    """How large the pixels of images are, by the names of their files; of a stack those of its first image.

    What is damaged, or no image, is left out: reading it again will say why.

    Args:
        paths: of the images.
        given: what somebody typed, in place of what they say; they are not read then.
        axes: what the axes of Zarr arrays are, if they were chosen.

    Raises:
        PassingError: with a sentence, if one did not come this time, of which nobody knows whether it fits the others.
    """
    sizes: dict[str, PixelSize | None] = {}
    for path in paths:
        try:
            sizes[path.name] = given or _pixel_size(path, axes)
        except PassingError as error:
            raise PassingError(f"{path.name}: {error}") from error
        except (ValueError, OSError) as error:
            if may_pass(error):
                raise unread(error, f"{path.name} could not be read just now ({error}).") from error
    return sizes


def _pixel_size(path: Path, axes: str | None) -> PixelSize | None:
    if goes_by_blocks(path):
        return open_block_images(path, axes=axes).pixel_size
    with closing(read_pages(path)) as images:
        return next((image.pixel_size for image in images if not isinstance(image, PageError)), None)
