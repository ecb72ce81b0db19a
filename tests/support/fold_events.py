"""What people may do in a session, sensible or not, for tests of the folds of its journal."""

from hypothesis import strategies as st

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.objects.steps import CleanUpStep
from segmentation.strokes.classes import REGION
from tests.support.events import IMAGE, OTHER_IMAGE, START, THIRD_IMAGE, image, plane

UNNAMED = {"features": FeatureSpec.from_json({}).to_json(), "forest": ForestSettings.from_json({}).to_json()}
"""What holds where an event does not name a setting."""
FILES = st.sampled_from([IMAGE, OTHER_IMAGE, THIRD_IMAGE])
IMAGES = FILES | st.sampled_from([plane(1), plane(3)])
CLASS_IDS = st.integers(1, 5)
CLASS_IDS_OF_STROKES = st.integers(0, 5)
COLOURS = st.integers(0, 0xFFFFFF).flatmap(lambda colour: st.sampled_from([f"#{colour:06x}", f"#{colour:06X}"]))
NAMES = st.sampled_from(["Void", "Matrix", "Rim", "Ränder", "0"])
WEIGHTS = st.floats(0.01, 100) | st.just(1)
STEPS = st.lists(
    st.builds(CleanUpStep, st.sampled_from(["fill_holes", "drop_small", "smooth"]), st.integers(1, 50))
    | st.builds(CleanUpStep, st.just("split"), st.floats(0, 1))
    | st.just(CleanUpStep("split_corners"))
    | st.builds(CleanUpStep, st.just("drop_border"), classes=st.tuples(CLASS_IDS)),
    max_size=3,
).map(lambda steps: [step.to_json() for step in steps])
AUTHORS = st.sampled_from(["", "ann", "bob"])
"""Ids of those who take part; without one it is as in old journals."""
SIZES = st.none() | st.fixed_dictionaries(
    {"x": st.integers(1, 9), "y": st.floats(0.1, 3), "unit": st.sampled_from(["µm", "m", "°"])},
    optional={"z": st.none()},
)
CHANGES = st.fixed_dictionaries({}, optional={"name": NAMES, "colour": COLOURS})
SHAPES = st.sampled_from(
    [
        {"kind": "path", "path": "M1,1L2,2.5", "width": 3},
        {"kind": "path", "path": "M8,8L1e1,-0.5L7,7", "width": 4.5},
        {"kind": "polygon", "path": "M1,1L9,1L9,9Z"},
        {"kind": "rectangle", "x0": 1, "y0": 2, "x1": 5, "y1": 7},
        {"kind": "circle", "x0": 1, "y0": 2, "x1": 5, "y1": 6},
        {"kind": "rectangle", "x0": 0, "y0": 0, "x1": 9, "y1": 9, "class_id": REGION},
    ]
)
FEATURES = st.builds(FeatureSpec, edges=st.booleans(), colour=st.booleans(), sigma_max=st.integers(2, 16)).map(
    FeatureSpec.to_json
)
FORESTS = st.builds(ForestSettings, n_estimators=st.integers(1, 200)).map(ForestSettings.to_json)
STARTS = st.sampled_from([START, START | {"features": FeatureSpec().to_json(), "forest": ForestSettings().to_json()}])
"""Old journals begin without settings."""
NONSENSE = st.sampled_from(
    [
        {"type": "stroke.add", "image": IMAGE, "stroke": {"id": "x", "class_id": -1, "kind": "path", "path": "M1,1"}},
        {"type": "stroke.change", "image": IMAGE, "stroke": {"id": "x"}},
        {"type": "stroke.erase", "image": "here", "strokes": []},
        {"type": "correction.add", "image": IMAGE, "stroke": {"id": "x"}},
        {
            "type": "correction.add",
            "image": IMAGE,
            "stroke": {"id": "x", "class_id": REGION, "kind": "circle", "x0": 1, "y0": 2, "x1": 5, "y1": 6},
        },
        {"type": "correction.erase", "image": IMAGE, "strokes": [1]},
        {"type": "correction.learn", "learn": 1},
        {"type": "class.add", "class": {"id": 256, "name": "x", "colour": "#000000"}},
        {"type": "class.change", "class_id": 1, "name": ""},
        {"type": "class.change", "class_id": 1, "colour": "red"},
        {"type": "class.hide", "class_id": 1, "hidden": None},
        {"type": "class.weigh", "class_id": 1, "weight": 0},
        {"type": "class.weigh", "class_id": 1},
        {"type": "clean_up.change", "steps": [{"kind": "polish"}]},
        {"type": "clean_up.change"},
        {"type": "class.import", "classes": [{"id": 1, "name": "x", "colour": "#000000"}] * 2},
        {"type": "class.merge", "from": 1},
        {"type": "class.order", "class_ids": [1, 1]},
        {"type": "image.open", "image": image() | {"rows": 0}},
        {"type": "image.open", "image": image(), "instead": None},
        {"type": "image.open", "image": image() | {"pages": 6, "axes": [["z", 3], ["t", 3]]}},
        {"type": "image.open", "image": image() | {"pages": 6, "axes": [[["z"], 6]]}},
        {"type": "image.open", "image": image() | {"pages": 10**9, "axes": [["z", 10**9]]}},
        {"type": "stack.make", "name": "s", "images": [IMAGE, IMAGE], "axis": "z"},
        {"type": "stack.make", "name": "s", "images": [IMAGE, OTHER_IMAGE], "axis": "y"},
        {"type": "stack.make", "name": "", "images": [IMAGE, OTHER_IMAGE], "axis": "t"},
        {"type": "image.remove", "image": None},
        {"type": "sample.leave", "image": None},
        {"type": "image.measure", "image": None, "pixel_size": None},
        {"type": "image.measure", "image": IMAGE, "pixel_size": {"x": 0, "y": 1, "unit": "µm"}},
        {"type": "image.measure", "image": IMAGE, "pixel_size": {"x": 1, "y": 1, "unit": "parsec"}},
        {"type": "strokes.add", "name": "a", "classes": [], "strokes": []},
        {"type": "strokes.add", "name": "a", "classes": [], "strokes": {IMAGE: [{"id": "x"}]}},
        {"type": "strokes.add", "name": "a", "classes": 7, "strokes": {}},
        {"type": "settings.change", "features": {"sigma_min": 9, "sigma_max": 3}},
        {"type": "settings.change", "forest": None},
        {"type": "classifier.open", "classes": []},
        {"type": "classifier.keep", "keep": 1},
        {"type": "session.start", "image": image(), "classes": []},
        {"type": "session.rename", "name": "two\nlines"},
        {"type": "undo"},
        {"type": "redo", "event": ""},
    ]
)
