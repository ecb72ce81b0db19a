"""The tables of the benchmarks in ``docs/benchmarks.md``, and five of their figures in the README."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"

HEADLINES = (
    "stroke to overlay on screen, 1 megapixel RGB, all",
    "stroke to all of the overlay, 30 clients, 95th percentile",
    "features, 1 megapixel RGB",
    "prediction, our default forest, 0.5 megapixel",
    "series of 100 images of 1 megapixel RGB, 72 features, two workers",
)
"""The figures that the README shows, as they are called in the tables."""


def write_table(part: str, text: str) -> None:
    """Put a part's table between its marks."""
    _write_between_marks(TABLES, part, text)


def write_headlines() -> None:
    """Put the README's figures, as the tables have them, between its marks."""
    _write_between_marks(README, "figures", headlines(TABLES.read_text(encoding="utf-8")))


def headlines(tables: str) -> str:
    """The README's table: lines of the tables.

    Raises:
        KeyError: if there is no such figure in the tables.
    """
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in tables.splitlines() if line.startswith("| ")}
    head = [line for line in tables.splitlines() if line.startswith(("| figure |", "| --- | ---: |"))][:2]
    return "\n".join([*head, *(lines[figure] for figure in HEADLINES)])


def _write_between_marks(document: Path, name: str, text: str) -> None:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = document.read_text(encoding="utf-8").split(begin, 1)
    after = rest.split(end, 1)[1]
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
