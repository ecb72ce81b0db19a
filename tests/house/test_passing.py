"""What may pass is not taken for damage: who goes on after an image could not be read has thought of it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "segmentation"
THOUGHT_OF = {
    "what is parsed has been read": {
        "io/addresses.py", "io/image.py", "io/instruments/czi.py", "io/zarr_pyramid.py",
        "web/decoding/server.py", "web/series/results_zip.py",
    },
    "whoever reads it again is told": {"io/masks.py", "live/pyramids.py", "web/session/samples_in_time.py"},
    "the error itself is handed on": {"io/instruments/reading.py", "io/tiff.py", "web/session/images.py"},
    "people are told by its kind": {"web/session/conversation.py", "web/session/partial_views.py"},
}  # fmt: skip


def names(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def goes_on(handler):
    """Whether a handler may end, and neither looks at what may pass nor answers a request with the sentence."""
    return not (isinstance(handler.body[-1], ast.Raise) or {"PassingError", "refused"} & names(handler))


def takes_all_for_damage(path):
    """Whether code of a file goes on after an ImageError, or, where it knows of these, after a ValueError."""
    tree, kinds = ast.parse(path.read_text()), {"ImageError"}
    if "segmentation.io.limits import" in path.read_text():
        kinds.add("ValueError")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress" and kinds & names(node):
            return True
        for handler in node.handlers if isinstance(node, ast.Try) else ():
            caught = names(handler.type) if handler.type else kinds
            if caught & kinds and goes_on(handler):
                return True
            if caught & {"PassingError", "ImageError"}:
                break
    return False


@pytest.mark.slow
def test_who_goes_on_after_an_image_could_not_be_read_has_thought_of_what_may_pass():
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if takes_all_for_damage(path)}
    assert found <= set().union(*THOUGHT_OF.values())
