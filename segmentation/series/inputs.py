"""What a series is made of: files, folders and globs become images, and each image gets a name for its results."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})
"""How the files that are taken from a folder may end."""

_ZARR_MARKS = ("zarr.json", ".zarray", ".zgroup")


def find_images(patterns: Iterable[str | Path]) -> list[Path]:
    """The images that a person means, each once, in the order in which they are named.

    Args:
        patterns: files, Zarr arrays, folders (all images right in them), and globs such as ``"day?/**/*.tif"``, in
            which ``**`` stands for any folders. What is not found is passed on: reading it will say so.

    Raises:
        ValueError: if there are none, or a folder holds none.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        for path in _expanded(pattern):
            found.setdefault(Path(os.path.abspath(path)))
    if not found:
        raise ValueError("Name at least one image.")
    return list(found)


def _expanded(pattern: str | Path) -> Sequence[Path]:
    path = Path(pattern)
    if is_zarr(path):
        return [path]
    if path.is_dir():
        images = [entry for entry in sorted(path.iterdir()) if _is_image(entry)]
        if not images:
            raise ValueError(f"There is no image in the folder {path}.")
        return images
    matches = [] if path.exists() else [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]
    return [match for match in matches if not match.is_dir() or is_zarr(match)] or [path]


def _is_image(path: Path) -> bool:
    return not path.name.startswith(".") and (path.suffix.lower() in IMAGE_SUFFIXES or is_zarr(path))


def is_zarr(path: Path) -> bool:
    """Whether a path is a Zarr array or group."""
    return any((path / mark).is_file() for mark in _ZARR_MARKS)


def name_results(paths: Sequence[Path]) -> list[str]:
    """A name for the results of each image: its stem or, where several have the same, as much more as tells them apart.

    ``day1/cell.tif`` and ``day1/cell.png`` become ``cell.tif`` and ``cell.png``, ``day1/cell.tif`` and
    ``day2/cell.tif`` become ``day1_cell.tif`` and ``day2_cell.tif``. Neither the order of the images nor those with
    other stems matter. Capitals do not count, since not all disks tell them apart.

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
        return path.stem
    inside = [parent for parent in path.parents if parent.suffix == ".zarr"]
    store = inside[-1] if inside else path
    name = store.name.removesuffix(".zarr").removesuffix(".ome")
    return "_".join([name, *path.relative_to(store).parts])


def stamp(path: Path) -> dict[str, Any]:
    """What tells whether an image is still the one that it was: its path, size and time of change.

    Raises:
        OSError: if it cannot be looked at.
    """
    state = path.stat()
    size, modified = state.st_size, state.st_mtime_ns
    if path.is_dir():
        states = [os.stat(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names]
        size, modified = sum(one.st_size for one in states), max(one.st_mtime_ns for one in states)
    return {"path": str(path), "bytes": size, "modified_ns": modified}
