"""How a forest is grown: kinds and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from segmentation._shared.checks import mapping, number, whole_number

FOREST_KINDS = ("extra_trees", "random_forest")

UNNAMED = {"n_estimators": 100, "max_samples": 0.2, "balance": 1.0, "fine_trees": 0.0}
UNNAMED |= {"range_steps": 8, "image_ranges": False, "range_margin": 0.0}
"""What settings that were written before, and do not name these, stand for: the defaults of their time."""

MIN_TREE_PIXELS = 100
"""Pixels that a tree sees at least, if there are as many: a share of two short strokes would make mere stumps."""


@dataclass(frozen=True)
class ForestSettings:
    """How the forest is grown.

    The defaults are what segmented real images best from simulated strokes: many small trees, each on a few pixels in
    the proportions in which they were labelled, so that thin and rare classes are not overestimated; and half of them
    look at small neighbourhoods only, so that few strokes do not mistake a place for a class. Half as many trees cost
    0.002 to 0.007 of mean IoU.

    Attributes:
        kind: "extra_trees" (extremely randomised trees) or "random_forest".
        n_estimators: number of trees, 1 to 1000.
        max_depth: the most comparisons between a tree's root and a leaf, 1 to 64; None for no limit.
        max_samples: share of the training pixels that each tree sees, 0.001 to 1; at least ``MIN_TREE_PIXELS``.
        balance: how far classes count alike, whatever the number of their pixels: a tree sees as many pixels of each at
            1, at 0 as many as their part of the training pixels, and between the two a mixture. 0 to 1.
        fine_trees: share of the trees that see fine features only, those of small sigmas, 0 to 1.
        random_state: seed of all that is drawn, 0 to 4294967295.
        range_steps: the range of a feature over which its bins lie is rounded outwards to a grid of so many steps at
            least, 1, 2, 4 or 8: the fewer, the fewer ranges a further stroke moves.
        image_ranges: whether that range covers, beside the labelled pixels, some blocks of their images, so that a
            further stroke hardly moves it.
        range_margin: how far beyond these blocks, in parts of the range that they have, labelled pixels must lie for it
            to cover them too, 0 to 1: what lies nearer falls into the outermost bins, and moves no range.

    Raises:
        ValueError: with a sentence for the person who chose, if a value is out of bounds.
    """

    kind: str = "extra_trees"
    n_estimators: int = 200
    max_depth: int | None = None
    max_samples: float = 0.05
    balance: float = 0.0
    fine_trees: float = 0.5
    random_state: int = 0
    range_steps: int = 2
    image_ranges: bool = True
    range_margin: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in FOREST_KINDS:
            raise ValueError(f"The kind of forest must be one of {', '.join(FOREST_KINDS)}.")
        whole_number(self.n_estimators, "The number of trees", 1, 1000)
        if self.max_depth is not None:
            whole_number(self.max_depth, "The depth of the trees", 1, 64)
        share = number(self.max_samples, "The share of the pixels that each tree sees", 0.001, 1)
        object.__setattr__(self, "max_samples", share)
        object.__setattr__(self, "balance", number(self.balance, "The balance of the classes", 0, 1))
        share = number(self.fine_trees, "The share of the trees that see fine features only", 0, 1)
        object.__setattr__(self, "fine_trees", share)
        whole_number(self.random_state, "The seed", 0, 2**32 - 1)
        if type(self.range_steps) is not int or self.range_steps not in (1, 2, 4, 8):
            raise ValueError("The steps of a range must be 1, 2, 4 or 8.")
        if type(self.image_ranges) is not bool:
            raise ValueError("Whether ranges cover blocks of the images must be true or false.")
        object.__setattr__(self, "range_margin", number(self.range_margin, "The margin of a range", 0, 1))

    @property
    def votes(self) -> bool:
        """Whether each leaf votes for one class, so that the forest is walked on bits."""
        return self.max_depth is None

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ForestSettings:
        """The settings that :meth:`to_json` described; what is missing takes the first default that it had.

        Raises:
            ValueError: if a value is unknown, of the wrong type or out of bounds.
        """
        given = mapping(values, "The forest's settings", (), tuple(field.name for field in fields(cls)))
        return cls(**UNNAMED | dict(given))
