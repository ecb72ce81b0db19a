"""Tests stand on their own: what several of them need is in tests/support, and the library's need no page."""

import ast
import os

import pytest

from tests.support import ROOT

PAGE = ("segmentation.web", "dash", "flask", "playwright", "tests.support.server", "tests.support.person")
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.parent.name != "support")
ROOMS_OF_THE_LIBRARY = {path.parent.name for path in (ROOT / "segmentation").glob("*/__init__.py")} - {"web"}


def imported(path):
    """The modules that a file imports, wherever in the file; of ``from a import b`` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: tests name what they import in full"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name, package):
    return name == package or name.startswith(f"{package}.")


def imported_with_support(path):
    """What a file imports, and what the helpers that it imports import in turn."""
    seen, ahead = set(), set(imported(path))
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            helper = ROOT / f"{name.replace('.', '/')}.py"
            if within(name, "tests.support") and helper.exists():
                ahead |= set(imported(helper))
    return seen


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_imports_from_another(path):
    others = {name for name in imported(path) if within(name, "tests")}
    assert all(name == "tests.support" or within(name, "tests.support") for name in others), others


@pytest.mark.parametrize(
    "path",
    [path for path in TESTS if path.relative_to(ROOT / "tests").parts[0] in ROOMS_OF_THE_LIBRARY],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_tests_of_the_library_need_nothing_of_the_page(path):
    names = imported_with_support(path)
    assert not {name for name in names if any(within(name, part) for part in PAGE)}


def test_the_helpers_of_helpers_are_seen():
    """The rule above would say nothing if it did not follow imports."""
    assert "segmentation.web.application" in imported_with_support(ROOT / "tests/browser/test_main_job.py")


def test_the_tests_of_a_file_stay_in_one_process(request):
    """Some build on what the one before them left, and a plug-in may lose the groups of conftest.py without a word."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("tests do not run side by side")
    assert request.node.nodeid.endswith("@house/test_rooms_of_tests.py")
