"""Small OME-Zarr pyramids, as other programs write them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import zarr


def write_pyramid(path: Path, pixels, levels=3, chunks=64, version="0.5", names=None, axes=None):
    """An OME-Zarr group of an image, ``(rows, columns)`` or ``(rows, columns, channels)``, and coarser views of it."""
    planes = pixels if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    axes = axes or ("y", "x")[-planes.ndim :] if planes.ndim == 2 else ("c", "y", "x")
    datasets, arrays = [], []
    for level in range(levels):
        step = 2**level
        scale = [1.0 if axis == "c" else 0.5 * step for axis in axes]
        datasets.append({"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": scale}]})
        arrays.append(planes[..., ::step, ::step])
    described = [{"name": a, "type": "channel"} if a == "c" else
                 {"name": a, "type": "space", "unit": "micrometer"} for a in axes]  # fmt: skip
    multiscale = {"axes": described, "datasets": datasets}
    attributes = {"multiscales": [multiscale | {"version": "0.4"}]}
    if names:
        attributes["omero"] = {"channels": [{"label": name} for name in names]}
    zarr_format = 2 if version == "0.4" else 3
    zarr.create_group(path, zarr_format=zarr_format, attributes=attributes if zarr_format == 2 else
                      {"ome": {**attributes, "version": "0.5", "multiscales": [multiscale]}})  # fmt: skip
    for level, values in enumerate(arrays):
        sides = tuple(min(chunks, length) for length in values.shape[-2:])
        shape = (*values.shape[:-2], *sides)
        array = zarr.create_array(
            path, name=str(level), shape=values.shape, chunks=shape, dtype=values.dtype, zarr_format=zarr_format,
            chunk_key_encoding={"name": "default" if zarr_format == 3 else "v2", "separator": "/"},
        )  # fmt: skip
        array[:] = values
    return path


def zipped(folder: Path | None, **files: str) -> bytes:
    """A zip of such a group, in a folder of its own, and of other files, by their names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")) if folder else ():
            if path.is_file():
                archive.write(path, f"cells.zarr/{path.relative_to(folder)}")
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()
