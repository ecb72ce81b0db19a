"""Figures as the tables that the documentation shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """A table of rows with figure, ours, reference, unit and goal."""
    lines = ["| figure | Squiggle | reference | faster | goal |", "| --- | ---: | ---: | ---: | --- |"]
    for row in rows:
        reference, faster = "", ""
        if row["reference"] is not None:
            reference = amount(row["reference"], row["unit"])
            speeds = row["unit"].endswith("/s")
            ratio = row["ours"] / row["reference"] if speeds else row["reference"] / row["ours"]
            faster = f"{ratio:.1f}x"
        lines.append(
            f"| {row['figure']} | {amount(row['ours'], row['unit'])} | {reference} | {faster} | {row['goal']} |"
        )
    return "\n".join(lines)


def amount(value: float, unit: str) -> str:
    """A number with its unit, to about three digits."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
