"""Core and page stay apart, and what ships with the page fits together."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import plotly
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE_PACKAGES = {"dash", "flask", "plotly", "werkzeug", "sqlalchemy", "gunicorn", "waitress"}
LIBRARY = sorted(
    path for path in (ROOT / "segmentation").rglob("*.py") if "web" not in path.relative_to(ROOT / "segmentation").parts
)
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


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


def test_the_process_that_starts_the_servers_loads_neither_the_page_nor_numpy():
    code = "import sys; import segmentation.web.hosting; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"dash", "flask", "plotly", "sqlalchemy", "numpy"}


def test_the_plotly_script_is_the_version_that_the_plotly_package_brings():
    bundled = re.search(
        r"plotly\.js v([\d.]+)", (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text()[:300]
    )
    shipped = re.search(r"minified\) v([\d.]+)", (ROOT / "assets/vendor/plotly-basic.min.js").read_text()[:300])
    assert shipped[1] == bundled[1]


def test_no_file_has_more_lines_than_one_reads_at_once():
    folders = "segmentation", "assets", "tests", "benchmarks", "docs", "examples"
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in files
        if path.suffix in (".py", ".pyi", ".js", ".mjs", ".css") and not {"vendor", "node_modules"} & set(path.parts)
    }
    assert len(lines) > 100
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def lines(function):
    return function.end_lineno - function.lineno + 1


def test_no_function_is_longer_than_one_keeps_in_mind():
    """Two describe so many arguments that their docstrings alone are half of it."""
    described = {"apply_series", "run_program"}
    too_long = {
        f"{path.relative_to(ROOT)}: {node.name}": lines(node)
        for path in (ROOT / "segmentation").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS)
        and lines(node) - (len(ast.get_docstring(node).splitlines()) if node.name in described else 0)
        > MAX_FUNCTION_LINES
    }
    assert too_long == {}
