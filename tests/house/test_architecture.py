"""Core and page stay apart, and what ships with the page fits together."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import plotly
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE_PACKAGES = {"dash", "flask", "plotly", "werkzeug", "sqlalchemy", "gunicorn"}
LIBRARY = sorted(
    path for path in (ROOT / "segmentation").rglob("*.py") if "web" not in path.relative_to(ROOT / "segmentation").parts
)


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_page(path):
    imported = set(imported_packages(path))
    assert not {name.split(".")[0] for name in imported} & PAGE_PACKAGES
    assert not any(name.startswith("segmentation.web") for name in imported)


def test_importing_the_library_loads_neither_page_nor_scikit_learn():
    code = "import sys; from segmentation import *; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & (PAGE_PACKAGES | {"sklearn", "skimage", "numba"})


def test_the_plotly_script_is_the_version_that_the_plotly_package_brings():
    bundled = re.search(
        r"plotly\.js v([\d.]+)", (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text()[:300]
    )
    shipped = re.search(r"minified\) v([\d.]+)", (ROOT / "assets/vendor/plotly-basic.min.js").read_text()[:300])
    assert shipped[1] == bundled[1]
