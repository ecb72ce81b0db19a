"""Runs the benchmarks, keeps their numbers, and writes their tables into ``docs/benchmarks.md`` and the README.

``python -m benchmarks`` runs all of them; ``python -m benchmarks engine page`` only those named.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import documents, intervals, learned, quality, results, table, volumes

Rows = list[dict[str, Any]]


def engine() -> Rows:
    """Features, forest, fit and size."""
    from benchmarks.engine import engine_rows

    return engine_rows()


def stroke() -> Rows:
    """What a stroke costs the engine, by what is held."""
    from benchmarks.stroke import stroke_rows

    return stroke_rows()


def page() -> Rows:
    """What a person waits for, in Chromium."""
    from benchmarks.page import page_rows

    return page_rows()


def display() -> Rows:
    """What a person waits for who looks at channels and stacks."""
    from benchmarks.display import display_rows

    return display_rows()


def load() -> Rows:
    """Thirty people at once, memory and starting up."""
    from benchmarks.load import load_rows

    return load_rows()


def series() -> Rows:
    """Series, large arrays, clusters and starting up."""
    from benchmarks.series import series_rows

    return series_rows()


def sizes() -> Rows:
    """Speed and memory as an image grows."""
    from benchmarks.sizes import size_rows

    return size_rows()


def slide() -> Rows:
    """Ten gigapixels in Chromium, on a server with 512 MB."""
    from benchmarks.slide import slide_rows

    return slide_rows()


def soak() -> Rows:
    """Twenty sessions for ten minutes."""
    from benchmarks.soak import soak_rows

    return soak_rows()


def long() -> Rows:
    """What a stroke costs in a long session."""
    from benchmarks.long import long_rows

    return long_rows()


PARTS: dict[str, tuple[str, Callable[[], Rows], Callable[[Rows], str]]] = {
    "engine": ("The engine, two threads each, medians of five", engine, table.markdown),
    "stroke": (
        "A stroke in the engine, one thread, processor time: learning and all tiles, medians of the third to the"
        " twelfth stroke; reference: the features that scikit-image has",
        stroke,
        table.markdown,
    ),
    "page": ("The page, from the end of a stroke to the screen, in Chromium", page, table.markdown),
    "display": ("Channels and stacks, from a hand to the screen, in Chromium", display, table.markdown),
    "quality": (
        "Gain in mean IoU of the defaults over scikit-image's features with 50 trees of depth 8 on 5 % of the samples",
        quality.quality_table,
        quality.markdown,
    ),
    "learned": (
        "Gain in mean IoU by learned texture over the defaults",
        learned.learned_rows,
        learned.markdown,
    ),
    "intervals": (
        "Intervals of 95 % around shares of classes and numbers of objects, and how many hold what is true",
        intervals.interval_rows,
        intervals.markdown,
    ),
    "load": (
        "A room full of people: each on an image of 1 megapixel RGB, thinking 2 s between strokes",
        load,
        table.markdown,
    ),
    "series": ("Series", series, table.markdown),
    "sizes": (
        "Images of any size: RGB, 72 features, two threads, from 17 megapixels to 10.5 gigapixels",
        sizes,
        table.markdown,
    ),
    "slide": (
        "A slide of ten gigapixels at an address, in Chromium, on a server with 512 MB and the limits of app.json",
        slide,
        table.markdown,
    ),
    "volumes": (
        "Volumes: what planes around and three dimensions gain over single planes, from the same annotations of two"
        " of twenty sections; and speed and most memory, two threads, starting up included",
        volumes.volume_rows,
        volumes.markdown,
    ),
    "soak": ("Twenty sessions that draw, open, switch, download and delete", soak, table.markdown),
    "long": ("A long session, in twenty classes", long, table.markdown),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that are named, or all; None takes what was typed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all unless named")
    for part in options.parse_args(arguments).parts or PARTS:
        title, measure, as_markdown = PARTS[part]
        print(f"{title} ...", flush=True)
        run = results.measured(part, title, measure)
        file = results.write(run, results.RESULTS)
        text = as_markdown(run["rows"])
        print(text, f"Kept in {file}.", sep="\n", flush=True)
        documents.write_table(part, f"**{title}.** {results.sentence(run)}\n\n{text}")
    documents.write_headlines()


if __name__ == "__main__":
    main()
