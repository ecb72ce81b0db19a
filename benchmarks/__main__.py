"""Runs the benchmarks and writes their tables into the README.

``python -m benchmarks`` runs all of them; ``python -m benchmarks engine page`` only those named.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import quality, table

README = Path(__file__).resolve().parents[1] / "README.md"
PACKAGES = ("dash", "plotly", "numba", "numpy", "scikit-image", "scikit-learn")


def engine() -> str:
    """Features, forest, fit and size."""
    from benchmarks.engine import engine_rows

    return table.markdown(engine_rows())


def page() -> str:
    """What a person waits for, in Chromium."""
    from benchmarks.page import page_rows

    return table.markdown(page_rows())


def quality_of_defaults() -> str:
    """Mean IoU image by image."""
    return quality.markdown(quality.quality_table())


def load() -> str:
    """Thirty people at once, memory and starting up."""
    from benchmarks.load import load_rows

    return table.markdown(load_rows())


def series() -> str:
    """Series, large arrays, clusters and starting up."""
    from benchmarks.series import series_rows

    return table.markdown(series_rows())


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "engine": ("The engine, two threads each, medians of five", engine),
    "page": ("The page, from the end of a stroke to the screen, in Chromium", page),
    "quality": (
        "Mean IoU of the defaults (ours) and of scikit-image's features with 50 trees of depth 8 on 5 % of the samples",
        quality_of_defaults,
    ),
    "load": ("A room full of people: each on an image of 1 megapixel RGB, thinking 2 s between strokes", load),
    "series": ("Series", series),
}


def machine() -> str:
    """What it was measured on."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{date.today():%B %Y}, {os.cpu_count()} cores of {found[1] if found else platform.processor()}, "
        f"Python {platform.python_version()}, {packages}."
    )


def write(part: str, text: str) -> None:
    """Put a part's table between its marks in the README."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    content = README.read_text(encoding="utf-8")
    before, rest = content.split(begin, 1)
    after = rest.split(end, 1)[1]
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Run the parts that are named, or all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all unless named")
    for part in options.parse_args().parts or PARTS:
        title, run = PARTS[part]
        print(f"{title} ...", flush=True)
        text = run()
        print(text, flush=True)
        write(part, f"**{title}.** {machine()}\n\n{text}")


if __name__ == "__main__":
    main()
