"""The callbacks: each collects what controls say, calls one function, and returns.

::

    graph.relayoutData ──────────────────────────> (browser) harvest: strokes into the journal
    feature controls ──> check_features ──┬─────> features-checked ──> (browser) an event in the journal
    forest controls ───> check_forest ────┤
                                          └─────> a sentence beside the controls
    switches, opacity ───────────────────────────> (browser) the picture, at once

The browser's functions are in ``assets/start.mjs``. From the journal on, strokes and segmentations travel by
the session's own conversation (``routes/conversation.py``), since that can be dropped half-way when a newer stroke
arrives.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from segmentation.features.spec import KINDS, FeatureSpec
from segmentation.forest.settings import ForestSettings

FEATURE_CONTROLS = (
    ("feature-kinds", "value"),
    ("sigma-min", "value"),
    ("sigma-max", "value"),
    ("num-sigma", "value"),
    ("feature-standardise", "value"),
    ("feature-learned", "value"),
)
FOREST_CONTROLS = (
    ("forest-kind", "value"),
    ("forest-trees", "value"),
    ("forest-depth", "value"),
    ("forest-share", "value"),
    ("forest-balance", "value"),
    ("forest-fine", "value"),
    ("forest-seed", "value"),
)
STILL_IN_USE = "Until then the settings before are in use."
BROWSER_CALLBACKS = (
    ("harvest", ("graph", "relayoutData")),
    ("features", ("features-checked", "data")),
    ("forest", ("forest-checked", "data")),
    ("switches", ("switches", "value")),
    ("opacity", ("opacity", "value")),
    ("along", ("along", "value")),
)
"""Functions of ``assets/start.mjs`` and what they listen to."""


def register_callbacks(app: Dash) -> None:
    """Connect the controls of the page."""
    app.callback(
        Output("features-checked", "data"),
        Output("features-problem", "children"),
        [Input(*control) for control in FEATURE_CONTROLS],
        prevent_initial_call=True,
    )(check_features)
    app.callback(
        Output("forest-checked", "data"),
        Output("forest-problem", "children"),
        [Input(*control) for control in FOREST_CONTROLS],
        prevent_initial_call=True,
    )(check_forest)
    for function, control in BROWSER_CALLBACKS:
        app.clientside_callback(
            ClientsideFunction("squiggle", function),
            Output("handed-over", "data", allow_duplicate=True),
            Input(*control),
            prevent_initial_call=True,
        )


def check_features(
    kinds: Any, sigma_min: Any, sigma_max: Any, num_sigma: Any, standardise: Any = None, learned: Any = None
) -> tuple[Any, str]:
    """The feature spec that the controls ask for, or the sentence that says why it cannot be."""
    kinds = kinds if isinstance(kinds, list) else []
    values: dict[str, Any] = {kind: kind in kinds for kind in KINDS}
    values |= {"standardise": bool(standardise), "learned": bool(learned)}
    try:
        values["sigma_min"] = _number(sigma_min, "the smallest sigma")
        values["sigma_max"] = _number(sigma_max, "the largest sigma")
        values["num_sigma"] = None if num_sigma is None else _whole(num_sigma, "the number of scales")
        return FeatureSpec(**values).to_json(), ""
    except ValueError as problem:
        return no_update, f"{problem} {STILL_IN_USE}"


def check_forest(kind: Any, trees: Any, depth: Any, share: Any, balance: Any, fine: Any, seed: Any) -> tuple[Any, str]:
    """The forest settings that the controls ask for, or the sentence that says why they cannot be."""
    try:
        settings = ForestSettings(
            kind=kind if isinstance(kind, str) else "",
            n_estimators=_whole(trees, "the number of trees"),
            max_depth=None if depth is None else _whole(depth, "the depth"),
            max_samples=_share(share),
            balance=_part(balance, "The balance of the classes"),
            fine_trees=_part(fine, "The share of the trees that see fine features only"),
            random_state=_whole(seed, "the seed"),
        )
        return settings.to_json(), ""
    except ValueError as problem:
        return no_update, f"{problem} {STILL_IN_USE}"


def _share(value: Any) -> float:
    percent = round(_number(value, "the share"), 6)
    if not 0.1 <= percent <= 100:
        raise ValueError("The share of the pixels that each tree sees must be between 0.1 and 100 %.")
    return percent / 100


def _part(value: Any, what: str) -> float:
    percent = round(_number(value, f"{what[:1].lower()}{what[1:]}"), 6)
    if not 0 <= percent <= 100:
        raise ValueError(f"{what} must be between 0 and 100 %.")
    return percent / 100


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"Type a number for {what}.")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"Type a smaller number for {what}.") from None


def _whole(value: Any, what: str) -> int:
    number = _number(value, what)
    if not number.is_integer():
        raise ValueError(f"Type a whole number for {what}.")
    return int(number)
