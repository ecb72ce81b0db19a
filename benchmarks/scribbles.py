"""A simulated annotator, so that what is measured on strokes can be measured by anybody, and again.

It draws on a mask of true classes as a careful person would: inside things rather than along their borders, each
stroke away from those before it, along what is thin, on a winding way, with a slightly shaking hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP_Geometric

from segmentation.strokes.raster import stroke_pixels
from segmentation.strokes.stroke import Stroke

MIN_POINTS, MAX_POINTS = 30, 150
"""Number of points of a stroke."""

INSIDE = 0.995
"""Share of a stroke's pixels that must be of its class, or it is drawn with a steadier hand or a finer pen."""

NEAR, RELUCTANCE = 0.03, 0.15
"""How far from a place a stroke begins at most, of the shorter side; and how much room a pixel of way is worth."""

HANDS = ((4.0, 1), (2.0, 1), (2.0, 0), (1.0, 0), (0.5, 0), (0.0, 0))
"""How a line is drawn, tried in this order: how far it is smoothed, in pixels, and whether the hand shakes."""


class Annotator:
    """Draws strokes on one mask.

    Args:
        mask: ``(rows, columns)`` class ids from 1; 0 where nothing is known.

    Attributes:
        mask: as given.
        classes: the class ids of the mask, ascending.
        pen: usual width of a stroke, in pixels.
    """

    def __init__(self, mask: NDArray[np.uint8]) -> None:
        self.mask = mask
        self.classes = [int(class_id) for class_id in np.unique(mask) if class_id > 0]
        side = min(mask.shape)
        self.pen = float(np.clip(round(side / 130), 3, 7))
        self._shortest, self._longest = 0.08 * side, 0.3 * side
        self._salt = zlib.crc32(np.ascontiguousarray(mask, np.int32).tobytes())  # no two masks are drawn on alike
        self._depths = {
            class_id: ndimage.distance_transform_edt(mask == class_id).astype(np.float32) for class_id in self.classes
        }

    def draw(self, strokes_per_class: int, seed: int) -> list[Stroke]:
        """Strokes of each class; those of a smaller number are the first of those of a larger one.

        Args:
            strokes_per_class: how many.
            seed: of all that is drawn.

        Returns:
            The strokes, the classes taking turns.
        """
        strokes: list[Stroke] = []
        for turn in range(strokes_per_class):
            for class_id in self.classes:
                random = np.random.default_rng([seed, self._salt, class_id, turn])
                before = [stroke.points for stroke in strokes if stroke.class_id == class_id]
                strokes.append(self._stroke(class_id, f"{class_id}-{turn}", random, before))
        return strokes

    def draw_at(self, row: int, column: int, id: str, seed: int) -> Stroke:
        """A stroke of the class that a pixel has, from there, or from where near by there is more room for a pen.

        Args:
            row: of the pixel, whose class is known.
            column: of the pixel.
            id: of the stroke; with another one it is drawn anew.
            seed: of all that is drawn.
        """
        class_id = int(self.mask[row, column])
        near = max(3, int(NEAR * min(self.mask.shape)))
        top, left = max(row - near, 0), max(column - near, 0)
        depth = self._depths[class_id][top : row + near + 1, left : column + near + 1]
        rows, columns = np.indices(depth.shape)
        away = np.hypot(rows + top - row, columns + left - column)
        appeal = np.where(depth > 0, np.minimum(depth, self.pen) - RELUCTANCE * away, -np.inf)
        begun = np.unravel_index(int(appeal.argmax()), depth.shape)
        random = np.random.default_rng([seed, self._salt, class_id, zlib.crc32(id.encode())])
        return self._stroke(class_id, id, random, [], (int(begun[0]) + top, int(begun[1]) + left))

    def _stroke(
        self,
        class_id: int,
        id: str,
        random: np.random.Generator,
        before: Sequence[NDArray[np.float64]],
        start: tuple[int, int] | None = None,
    ) -> Stroke:
        depth = self._depths[class_id]
        thickness = float(np.percentile(depth[depth > 0], 90))
        pen = self.pen if thickness >= self.pen / 2 + 1 else max(1.0, 2 * np.floor(thickness) - 1)
        roomy = depth >= min(pen / 2 + 1, thickness)
        row, column = start or begin(np.where(roomy, np.minimum(depth, 4 * pen) ** 0.5, 0), before, random)
        roomy[row, column] = True
        length = random.uniform(self._shortest, self._longest)

        margin = int(np.ceil(length)) + 2
        top, left = max(row - margin, 0), max(column - margin, 0)
        around = np.s_[top : row + margin + 1, left : column + margin + 1]
        hills = ndimage.gaussian_filter(random.standard_normal(depth[around].shape), max(4.0, length / 8))
        effort = 1 + 4 * (hills - hills.min()) / (np.ptp(hills) + 1e-9) + 2 / np.maximum(depth[around], 1)
        ways = Ways(roomy[around], effort, (row - top, column - left))
        if ways.reach < self._shortest and thickness > 1:  # a membrane or a crack: a finer pen gets further
            finer = Ways(depth[around] > 0, effort, (row - top, column - left))
            ways = finer if finer.reach > 2 * ways.reach + 6 else ways
        line = ways.wander(length, random) + np.array([left, top])

        inside = self.mask == class_id
        drawings = (Stroke(id, class_id, "path", *drawing) for drawing in self._drawings(line, pen, random))
        for stroke in drawings:
            if inside[stroke_pixels(stroke, inside.shape)].mean() >= INSIDE:
                break
        return stroke

    def _drawings(
        self, line: NDArray[np.float64], pen: float, random: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.float64], float]]:
        """Points and width of ever more careful drawings of a line from pixel to pixel."""
        spacing = random.uniform(1.0, 2.5)
        shaking = random.standard_normal((MAX_POINTS, 2)) * 0.25
        far_corner = np.array(self.mask.shape[::-1]) - 1
        for width in dict.fromkeys([pen, max(1.0, pen - 2), 1.0]):
            for smoothing, shakes in HANDS:
                smooth = ndimage.gaussian_filter1d(line, smoothing, axis=0, mode="nearest") if smoothing else line
                count = int(np.clip(round(path_length(smooth)[-1] / spacing), MIN_POINTS, MAX_POINTS))
                points = evenly_spaced(smooth, count)
                if shakes:
                    points = points + ndimage.gaussian_filter1d(shaking[:count], 1, axis=0)
                yield np.clip(points, 0, far_corner).round(2), width
        yield line[:MAX_POINTS] if len(line) >= MIN_POINTS else evenly_spaced(line, MIN_POINTS), 1.0


class Ways:
    """The easiest ways from a pixel to all those that can be reached from it.

    Args:
        allowed: ``(rows, columns)`` bool, where a way may lead.
        effort: ``(rows, columns)``, positive, of crossing a pixel.
        start: row and column.

    Attributes:
        reach: the largest distance from the start, in pixels.
    """

    def __init__(self, allowed: NDArray[np.bool_], effort: NDArray[np.floating], start: tuple[int, int]) -> None:
        self._paths = MCP_Geometric(np.where(allowed, effort, -1))
        self._ends = np.argwhere(np.isfinite(self._paths.find_costs([start])[0]))
        self._distances = np.hypot(*(self._ends - start).T)
        self.reach = float(self._distances.max())

    def wander(self, length: float, random: np.random.Generator) -> NDArray[np.float64]:
        """A way to a random place about ``length`` pixels off, or else to the furthest: ``(n, 2)``, x and y."""
        suitable = np.flatnonzero((self._distances > 0.6 * length) & (self._distances <= length))
        chosen = random.choice(suitable) if len(suitable) else int(np.argmax(self._distances))
        return np.array(self._paths.traceback(self._ends[chosen]), np.float64)[:, ::-1]


def begin(
    appeal: NDArray[np.floating], before: Sequence[NDArray[np.float64]], random: np.random.Generator
) -> tuple[int, int]:
    """Row and column where a stroke begins: somewhere appealing, away from the strokes drawn before."""
    rows, columns = np.nonzero(appeal)
    weights = appeal[rows, columns]
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    for points in before:
        a_few = points[:: max(len(points) // 5, 1)].astype(np.float32)
        gap = np.sqrt(np.min([(x - px) ** 2 + (y - py) ** 2 for px, py in a_few], axis=0))
        weights = weights * np.minimum(gap / (0.4 * max(appeal.shape)), 1) ** 4
    weights = weights if weights.any() else np.ones(len(rows))
    chosen = random.choice(len(rows), p=weights / weights.sum())
    return int(rows[chosen]), int(columns[chosen])


def path_length(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of a line up to each of its points: ``(n,)``, pixels."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def evenly_spaced(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """``count`` points at equal distances along a line: ``(count, 2)``."""
    at = path_length(points)
    wanted = np.linspace(0, at[-1], count)
    return np.stack([np.interp(wanted, at, coordinate) for coordinate in points.T], axis=1)
