"""Opening an image at an address: the dialog in which it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dash import dcc, html
from dash.development.base_component import Component

from segmentation.io.addresses import ANY_HOST, Address, Places
from segmentation.web.pages.layout.elements import dashed

OPEN = "Open an address…"
SHOWN_PLACES = 4


def address_button(places: Places) -> list[Component]:
    """What opens the dialog, where there is room for it; nothing where the server opens no addresses."""
    return [html.Button(OPEN, id="open-address", type="button", className="quiet")] if places else []


def address_entry(places: Places) -> list[Component]:
    """The same in a menu, for small screens."""
    return [html.Button(OPEN, id="address-entry", type="button", role="menuitem")] if places else []


def address_dialog(places: Places) -> list[Component]:
    """The dialog; nothing where the server opens no addresses."""
    if not places:
        return []
    form = html.Form(
        [
            html.H2("Open an image at an address", id="address-title"),
            html.P("An OME-Zarr image is read where it lies: only the parts that are looked at come here."),
            html.Label("Its address", htmlFor="address-text"),
            dcc.Input(id="address-text", type="text", autoComplete="off", placeholder=_example(places)),
            html.P([html.Span("This server opens images below: "), *_listed(places)], className="note"),
            html.P(id="address-problem", className="problem", role="status", **dashed(aria_live="polite")),
            html.Div(
                [
                    html.Button("Close", id="address-no", type="button", className="quiet"),
                    html.Button("Open", id="address-yes", type="submit"),
                ],
                className="dialog-buttons",
            ),
        ],
        id="address-form",
    )
    return [html.Dialog(form, id="address", **dashed(aria_labelledby="address-title"))]


def _names(places: Places) -> Sequence[str]:
    return [*map(_name, places.addresses), *map(Path.as_posix, places.folders)]


def _name(address: Address) -> str:
    return f"{address.scheme}://… (any public host)" if address.host == ANY_HOST else address.url.rstrip("/")


def _example(places: Places) -> str:
    named = [name for name in _names(places) if "…" not in name]
    return f"{named[0] if named else 'https://images.example.org'}/image.zarr"


def _listed(places: Places) -> list[Component]:
    names = _names(places)
    shown: list[Component] = []
    for name in names[:SHOWN_PLACES]:
        shown += [*([html.Span(", ")] if shown else []), html.Code(name)]
    return [*shown, html.Span(", and more." if len(names) > SHOWN_PLACES else ".")]
