"""Elements that the parts of the page are made of."""

from __future__ import annotations

from typing import Any

from dash import dcc, html


def dashed(**attributes: Any) -> dict[str, Any]:
    """Attributes whose names HTML writes with dashes: aria_label -> aria-label."""
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def icon(path: str) -> html.Span:
    """An icon drawn from an SVG path by the browser."""
    return html.Span(className="icon", **dashed(data_path=path, aria_hidden="true"))


def tool_button(identifier: str, label: str, key: str, path: str, **attributes: Any) -> html.Button:
    """A button with an icon, a name for people who cannot see it, and its key in the hint."""
    title = f"{label} ({key})" if key else label
    return html.Button(
        icon(path),
        id=identifier,
        title=title,
        type="button",
        className="tool",
        **dashed(aria_label=label),
        **attributes,
    )


def small_icon_button(identifier: str, label: str, title: str, path: str, **attributes: Any) -> html.Button:
    """A small button with an icon in the head of a section, a name for people who cannot see it, and a hint."""
    return html.Button(
        icon(path),
        id=identifier,
        title=title,
        type="button",
        className="quiet small",
        **dashed(aria_label=label, **attributes),
    )


def labelled(label: str, control: Any, identifier: str, note: str = "") -> html.Div:
    """A control with its label above and perhaps a note below."""
    children = [html.Label(label, htmlFor=identifier), control]
    if note:
        children.append(html.P(note, className="note"))
    return html.Div(children, className="field")


def number_input(identifier: str, value: float | None, **attributes: Any) -> dcc.Input:
    """A field for a number; what is typed counts after a moment."""
    return dcc.Input(id=identifier, type="number", value=value, step="any", debounce=0.4, **attributes)


def slider(identifier: str, low: float, high: float, step: float, value: float) -> dcc.Input:
    """A slider."""
    return dcc.Input(id=identifier, type="range", min=low, max=high, step=step, value=value)
