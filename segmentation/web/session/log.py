"""Who did what in a session, and when, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from segmentation.io.shares import spreadsheet_text

COLUMNS = ("number", "time", "name", "person", "what", "image", "concerns")


def log_csv(events: Iterable[Mapping[str, Any]]) -> str:
    """A line for each event of a journal.

    Args:
        events: in the journal's order.

    Returns:
        CSV with the columns ``number`` (from 1), ``time`` (UTC, ISO 8601), ``name`` and ``person`` (id) of who did it,
        ``what`` (the event's type), ``image`` (hash) and ``concerns`` (ids of strokes, a class or an event);
        what is not known is empty.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for number, event in enumerate(events, 1):
        author = event.get("author", {})
        time = datetime.fromtimestamp(event["time"], UTC).isoformat() if "time" in event else ""
        image = event.get("image", "")
        cells = (
            author.get("name", ""),
            author.get("id", ""),
            event["type"],
            image["hash"] if isinstance(image, Mapping) else image,
            _concerns(event),
        )
        table.writerow([number, time, *map(spreadsheet_text, cells)])
    return text.getvalue()


def _concerns(event: Mapping[str, Any]) -> str:
    match event["type"]:
        case "stroke.add" | "stroke.change" | "correction.add":
            return str(event["stroke"]["id"])
        case "stroke.erase" | "correction.erase":
            return " ".join(event["strokes"])
        case "class.add":
            return f"class {event['class']['id']}"
        case "class.merge":
            return f"class {event['from']} into {event['into']}"
        case "undo" | "redo":
            return str(event["event"])
    return f"class {event['class_id']}" if "class_id" in event else ""
