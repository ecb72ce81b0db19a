"""What a classifier is made with, in scikit-learn's manners: arguments that can be read and changed by name."""

from __future__ import annotations

from typing import Any, Self

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.model.engines import checked_engine
from segmentation.model.weights import ClassWeights, checked_weights, whole_weights
from segmentation.objects.steps import Steps, checked_steps


class NotFittedError(ValueError):
    """A classifier that has not been trained was asked for what only training gives."""


class Parameters:
    """The arguments of :class:`~segmentation.model.classifier.PixelClassifier`, which says what they are.

    Raises:
        ValueError: if a setting is out of bounds.
    """

    def __init__(
        self,
        spec: FeatureSpec = FeatureSpec(),
        *,
        kind: str = ForestSettings.kind,
        n_estimators: int = ForestSettings.n_estimators,
        max_depth: int | None = ForestSettings.max_depth,
        max_samples: float = ForestSettings.max_samples,
        balance: float = ForestSettings.balance,
        fine_trees: float = ForestSettings.fine_trees,
        random_state: int = ForestSettings.random_state,
        range_steps: int = ForestSettings.range_steps,
        image_ranges: bool = ForestSettings.image_ranges,
        range_margin: float = ForestSettings.range_margin,
        class_weights: ClassWeights | None = None,
        clean_up: Steps = (),
        engine: str = "compiled",
        threads: int | None = None,
    ) -> None:
        checked_weights(class_weights)
        self.spec, self.class_weights, self.clean_up = spec, class_weights, checked_steps(clean_up)
        of_trees = kind, n_estimators, max_depth, max_samples, balance, fine_trees, random_state
        self.settings = ForestSettings(*of_trees, range_steps, image_ranges, range_margin)
        self.engine = checked_engine(engine)
        self.threads = threads

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments that make such a classifier, by name; ``deep`` has no effect, as none is an estimator."""
        names = "class_weights", "clean_up", "engine", "threads"
        return {"spec": self.spec, **self.settings.to_json()} | {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Changes arguments by name, and forgets what was learnt with other features or settings.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if there is no such argument, a setting is out of bounds, or a class with a weight is none of
                those that it knows; then nothing is changed.
        """
        known = self.get_params()
        if unknown := sorted(params.keys() - known.keys()):
            raise ValueError(f"A classifier has no parameter {unknown[0]!r}: it has {', '.join(known)}.")
        other = type(self)(**known | params)
        if (other.spec, other.settings) != (self.spec, self.settings):
            for name in [name for name in vars(self) if name.endswith("_")]:
                delattr(self, name)
        elif hasattr(self, "classes_"):
            whole_weights(checked_weights(other.class_weights), self.classes_)
        self.spec, self.settings, self.class_weights = other.spec, other.settings, other.class_weights
        self.clean_up, self.engine, self.threads = other.clean_up, other.engine, other.threads
        return self
