"""A tile of a segmentation as a browser gets it: class ids as bits, and perhaps a layer in percent.

Ids are counted from the lowest that a classifier gives; of each binary digit there is a bit a pixel, row by row. Two
classes are an eighth of the bytes of the ids themselves, which is quicker to compress, to check and to send.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Tile

Message = dict[str, Any]


@dataclass(frozen=True, eq=False)
class PackedTile:
    """The class ids of a tile, packed.

    Attributes:
        tile: the tile.
        lowest: the class id that bits of zeros mean.
        digits: how many binary digits a class id has.
        packed: ``(digits, rows, columns / 8, rounded up)`` bytes, the lowest digit first, the first of eight pixels in
            the highest bit; compressed by zlib.
        layer: name of the layer that comes along; empty if none does.
        values: the layer, row by row, one byte each, compressed by zlib.
        checksum: CRC-32 of all this.
        pixels_by_class: ``(256,)`` int64, number of pixels by class id.
    """

    tile: Tile
    lowest: int
    digits: int
    packed: bytes
    layer: str
    values: bytes
    checksum: int
    pixels_by_class: NDArray[np.int64]

    @classmethod
    def pack(
        cls,
        tile: Tile,
        ids: NDArray[np.uint8],
        classes: NDArray[np.uint8],
        layer: str = "",
        values: NDArray[np.uint8] | None = None,
    ) -> PackedTile:
        """Pack the class ids of a tile.

        Args:
            tile: the tile.
            ids: ``(tile rows, tile columns)`` uint8, 0 where there is no data.
            classes: ids of the classes that there may be, ascending.
            layer: name of the layer that is to come along.
            values: ``(tile rows, tile columns)`` uint8, the layer.
        """
        lowest = int(classes[0]) if ids.all() else 0
        digits = (int(classes[-1]) - lowest).bit_length()
        numbers = ids - np.uint8(lowest)
        bits = b"".join(np.packbits(numbers >> digit & 1, axis=1).tobytes() for digit in range(digits))
        checksum = zlib.crc32(bits, zlib.crc32(bytes([lowest, digits])))
        counts = np.zeros(256, np.int64)
        for class_id in (*classes.tolist(), *([] if lowest else [0])):
            counts[class_id] = np.count_nonzero(ids == class_id)
        shown = b"" if values is None else values.tobytes()
        if layer:
            checksum = zlib.crc32(shown, zlib.crc32(layer.encode(), checksum))
        compressed = zlib.compress(shown, 1) if shown else b""
        return cls(tile, lowest, digits, _compressed(bits), layer, compressed, checksum, counts)

    @property
    def nbytes(self) -> int:
        """About as many bytes as it takes."""
        return len(self.packed) + len(self.values) + self.pixels_by_class.nbytes

    @property
    def ids(self) -> NDArray[np.uint8]:
        """The class ids, ``(tile rows, tile columns)``."""
        rows, columns = self.tile.shape
        bits = np.frombuffer(zlib.decompress(self.packed), np.uint8).reshape(self.digits, rows, -1)
        digits = np.unpackbits(bits, axis=2, count=columns)
        values = digits << np.arange(self.digits, dtype=np.uint8)[:, np.newaxis, np.newaxis]
        return values.sum(axis=0, dtype=np.uint8) + np.uint8(self.lowest)

    def with_ids(self, ids: NDArray[np.uint8], classes: NDArray[np.uint8]) -> PackedTile:
        """The same tile and layer with other class ids; see :meth:`pack`."""
        values = None
        if self.layer:
            values = np.frombuffer(zlib.decompress(self.values), np.uint8).reshape(self.tile.shape)
        return PackedTile.pack(self.tile, ids, classes, self.layer, values)

    def fields(self) -> Message:
        """Place, class ids and checksum as a message's fields."""
        layer = {"layer": self.layer, "values": base64.b64encode(self.values).decode()} if self.layer else {}
        return {
            **bounds(self.tile),
            "crc": self.checksum,
            "lowest": self.lowest,
            "digits": self.digits,
            "ids": base64.b64encode(self.packed).decode(),
            **layer,
        }


def bounds(tile: Tile) -> Message:
    """The rows and columns of a tile as a message's fields."""
    return {
        "rows": [tile.rows.start, tile.rows.stop],
        "columns": [tile.columns.start, tile.columns.stop],
    }


def _compressed(data: bytes) -> bytes:
    """Runs of equal bytes, and frequent ones, made short: of bits as good as to look for what was there before."""
    compressor = zlib.compressobj(1, strategy=zlib.Z_RLE)
    return compressor.compress(data) + compressor.flush()
